"""What Raydium's three kinds of pools share: tokens, vaults, and what a source must follow of each.

Sources: the SPL Token program's `state.rs` (token account 165 bytes, mint 82 bytes; accounts of
Token-2022 begin with the same fields), its extension `transfer_fee`, and Raydium's programs as
named in each venue's file.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import CurveState
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from chain_feeds.venues.account_layout import Account, Accounts, Field, Layout

TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 -- an address
TOKEN_2022_PROGRAM: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105 -- an address

TOKEN_ACCOUNT: Final = Layout(
    "token",
    165,
    {
        "mint": Field(0, "key"),
        "owner": Field(32, "key"),
        "amount": Field(64, "u64"),
        "delegate_option": Field(72, "u32"),
        "state": Field(108, "u8"),
        "is_native_option": Field(109, "u32"),
        "close_option": Field(129, "u32"),
    },
)
MINT: Final = Layout(
    "mint",
    82,
    {
        "authority_option": Field(0, "u32"),
        "authority": Field(4, "key"),
        "supply": Field(36, "u64"),
        "decimals": Field(44, "u8"),
        "is_initialized": Field(45, "u8"),
        "freeze_option": Field(46, "u32"),
    },
)
_EXTENSIONS_AT: Final = 166
"""Token-2022 pads a mint to 165 bytes, adds one of its kind, then type, length, value triples."""
_TRANSFER_FEE: Final = 1
_FEE_RATES_AT: Final = (88, 106)
"""In `TransferFeeConfig`: the basis points of the older and the newer `TransferFee`."""


class Plan(NamedTuple):
    """The accounts that make up one pool.

    Args:
        together: the accounts that every swap rewrites; a state counts once all of one slot are
            known.
        beside: accounts that a state needs too, and that seldom change.
        patient: True where a change may come in ``beside`` accounts of the same slot as well: a
            state then counts when its slot is over.
    """

    together: frozenset[str]
    beside: frozenset[str] = frozenset()
    patient: bool = False

    @property
    def all(self) -> frozenset[str]:
        """Every account of the pool."""
        return self.together | self.beside


class Flow(NamedTuple):
    """What one or several swaps in one direction moved, raw units, fee included."""

    side: Side
    base_raw: int
    quote_raw: int


class SolanaVenue(NamedTuple):
    """What a source must know of a kind of pool.

    Args:
        program: who owns its accounts.
        plan: (pool, its account) to the accounts to follow; raises `DecodeError`.
        decode: (pool, accounts, Unix time of the slot) to the curve; raises `DecodeError` where a
            swap would be refused or its result is not known.
        flows: (pool, accounts before, accounts after) to what was swapped, where it can be told.
    """

    program: str
    plan: Callable[[PoolSpec, Account | None], Plan]
    decode: Callable[[PoolSpec, Accounts, int], CurveState]
    flows: Callable[[PoolSpec, Accounts, Accounts], list[Flow]]


def base_is_first(spec: PoolSpec, first_mint: str, second_mint: str) -> bool:
    """Tell a pool's token order from its mints.

    Raises:
        DecodeError: they are not the pair's.
    """
    if (first_mint, second_mint) == (spec.base_address, spec.quote_address):
        return True
    if (second_mint, first_mint) == (spec.base_address, spec.quote_address):
        return False
    raise DecodeError(
        f"the pool's tokens are {first_mint} and {second_mint}, listed are "
        f"{spec.base_address} and {spec.quote_address}"
    )


def check_decimals(spec: PoolSpec, base_decimals: int, quote_decimals: int) -> None:
    """Compare the decimals that a pool's account states with the listed ones.

    Raises:
        DecodeError: they differ.
    """
    for token, stated, listed in (
        ("base", base_decimals, spec.base_decimals),
        ("quote", quote_decimals, spec.quote_decimals),
    ):
        if stated != listed:
            raise DecodeError(f"the {token} token has {stated} decimals, listed are {listed}")


def vault_amount(accounts: Accounts, address: str, mint: str) -> int:
    """Return what a vault holds, in the token's raw units.

    Raises:
        DecodeError: there is no such vault, or it holds another token.
    """
    vault = accounts.get(address)
    if vault is None or vault.owner not in {TOKEN_PROGRAM, TOKEN_2022_PROGRAM}:
        raise DecodeError(f"there is no token account at the vault's address {address}")
    if len(vault.data) < TOKEN_ACCOUNT.size:
        raise DecodeError(f"the vault {address} has {len(vault.data)} bytes, expected 165 or more")
    held = TOKEN_ACCOUNT.key(vault.data, "mint")
    if held != mint:
        raise DecodeError(f"the vault {address} holds token {held}, the pool says {mint}")
    return TOKEN_ACCOUNT.number(vault.data, "amount")


def mint_fault(token: str, mint: Account | None, decimals: int) -> str:
    """Say in one line why a token is not the listed one, or cannot be priced; "" if it can.

    Args:
        token: ``base`` or ``quote``.
        mint: its mint account.
        decimals: the listed ones.
    """
    if mint is None or mint.owner not in {TOKEN_PROGRAM, TOKEN_2022_PROGRAM}:
        return f"the {token} token's address is no mint"
    if len(mint.data) < MINT.size or not MINT.number(mint.data, "is_initialized"):
        return f"the {token} token's mint is not initialised"
    stated = MINT.number(mint.data, "decimals")
    if stated != decimals:
        return f"the {token} token has {stated} decimals, listed are {decimals}"
    if mint.owner == TOKEN_2022_PROGRAM and _takes_transfer_fee(mint.data):
        return f"the {token} token takes a fee of every transfer, which no quote here counts"
    return ""


def supply_of(mint: Account | None) -> int:
    """Return what exists of a token, in raw units; 0 where its mint cannot be read."""
    if mint is None or len(mint.data) < MINT.size:
        return 0
    return MINT.number(mint.data, "supply")


def vault_flow(before: tuple[int, int], after: tuple[int, int]) -> list[Flow]:
    """Tell a swap from what a pool's (base, quote) vaults held before and after.

    One side grows while the other shrinks only by swaps; several of one slot are seen as one.
    """
    base, quote = after[0] - before[0], after[1] - before[1]
    if base < 0 < quote:
        return [Flow(Side.BUY, -base, quote)]
    if quote < 0 < base:
        return [Flow(Side.SELL, base, -quote)]
    return []


def is_address(text: str) -> bool:
    """Tell whether a text is a public key in base 58."""
    try:
        Pubkey.from_string(text)
    except ValueError:
        return False
    return True


def _takes_transfer_fee(data: bytes) -> bool:
    at = _EXTENSIONS_AT
    while at + 4 <= len(data):
        kind = int.from_bytes(data[at : at + 2], "little")
        length = int.from_bytes(data[at + 2 : at + 4], "little")
        value = data[at + 4 : at + 4 + length]
        if kind == _TRANSFER_FEE:
            return any(int.from_bytes(value[rate : rate + 2], "little") for rate in _FEE_RATES_AT)
        at += 4 + length
    return False
