"""The chains of the development network: a node each, tokens, and pools of every kind.

Addresses follow from the order of deployment, so they are the same at every start.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from web3 import Web3
from web3.contract import Contract

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import Concentrated, CurveState
from actors.engine.units import PPM, Side
from chain_feeds.venues import VENUES
from devnet.anvil import Anvil
from devnet.listed import Listed
from devnet.pools import CAMELOT_STABLE, Builder, Deposit, MadePool
from devnet.solana import SolanaNode
from devnet.solana_pools import SolanaNetwork, SolanaPool
from devnet.solana_tokens import Wallet
from devnet.workshop import Workshop


class Token(NamedTuple):
    """A base token: pair, decimals on EVM chains, first price in USDC, whole units on a chain."""

    symbol: str
    decimals: int
    price: float
    supply: int


TOKENS: Final = (
    Token("vaix", 18, 0.003, 1_000_000_000),
    Token("sbio", 18, 0.05, 100_000_000),
    Token("btc", 8, 65_000.0, 21_000_000),
    Token("eth", 18, 3_200.0, 120_000_000),
    Token("usdt", 6, 1.0, 100_000_000),
)
PRICES: Final = {token.symbol: token.price for token in TOKENS}
USDC_DECIMALS: Final = 6
_DEPTH: Final = {
    "vaix": 400_000,
    "sbio": 600_000,
    "btc": 8_000_000,
    "eth": 6_000_000,
    "usdt": 5_000_000,
}
"""Whole USDC on the quote side of a pool."""


class Stage(NamedTuple):
    """An EVM chain: its name, chain id, and the pools on it as (kind, pair)."""

    chain: str
    chain_id: int
    pools: tuple[tuple[str, str], ...]


def _of(kind: str, *symbols: str) -> tuple[tuple[str, str], ...]:
    return tuple((kind, symbol) for symbol in symbols)


STAGES: Final = (
    Stage(
        "ethereum",
        1,
        (
            *_of("uniswap_v2", "vaix", "sbio", "btc", "eth"),
            *_of("uniswap_v3", "vaix", "btc", "eth"),
        ),
    ),
    Stage(
        "base",
        8453,
        (
            *_of("aerodrome_volatile", "vaix", "sbio", "btc", "eth"),
            *_of("aerodrome_stable", "usdt"),
            *_of("slipstream", "vaix", "eth"),
        ),
    ),
    Stage(
        "arbitrum",
        42161,
        (
            *_of("camelot_v2", "vaix", "sbio", "btc", "eth"),
            *_of(CAMELOT_STABLE, "usdt"),
            *_of("algebra_v1", "eth"),
            *_of("algebra_integral", "vaix", "btc"),
            *_of("camelot_v3", "sbio"),
        ),
    ),
)
SOLANA: Final = "solana"


@dataclass(frozen=True)
class Chain:
    """A chain that stands: where its node is, and what to list."""

    name: str
    chain_id: int
    """0 for Solana, which has none."""
    ws_url: str
    http_url: str
    pools: tuple[Listed, ...]


def start(
    parts: ExitStack, stages: Sequence[Stage] = STAGES, ports: Sequence[int] = (), *, solana: bool
) -> list[Chain]:
    """Start the nodes and deploy everything; ``parts`` ends them.

    Args:
        parts: takes the nodes.
        stages: the EVM chains.
        ports: the nodes' ports in order, Solana's last; free ones where none is given.
        solana: whether Solana stands too.

    Raises:
        DevnetError: a node does not start, or refuses something.
    """
    given = [*ports, *([0] * (len(stages) + 1 - len(ports)))]
    chains = []
    for stage, port in zip(stages, given, strict=False):
        node = parts.enter_context(Anvil(chain_id=stage.chain_id, port=port))
        pools = evm_pools(stage, node.http_url)
        chains.append(Chain(stage.chain, stage.chain_id, node.ws_url, node.http_url, pools))
    if solana:
        service = parts.enter_context(SolanaNode(port=given[-1]))
        network = SolanaNetwork(Wallet(service))
        listed = tuple(_solana_pool(network, pool) for pool in network.pools)
        chains.append(Chain(SOLANA, 0, service.ws_url, service.http_url, listed))
    return chains


def evm_pools(stage: Stage, http_url: str) -> tuple[Listed, ...]:
    """Deploy a stage's tokens and pools on a node."""
    shop = Workshop(http_url)
    builder = Builder(shop)
    usdc = shop.token("USDC", USDC_DECIMALS)
    symbols = {symbol for _, symbol in stage.pools}
    wanted = [token for token in TOKENS if token.symbol in symbols]
    tokens = {
        token.symbol: shop.token(token.symbol.upper(), token.decimals, token.supply)
        for token in wanted
    }
    decimals = {token.symbol: token.decimals for token in wanted}
    listed = []
    for kind, symbol in stage.pools:
        price = Fraction(str(PRICES[symbol])) * Fraction(10) ** (USDC_DECIMALS - decimals[symbol])
        deposit = Deposit(price, _DEPTH[symbol] * 10**USDC_DECIMALS)
        made = builder.make(kind, tokens[symbol], usdc, deposit)
        listed.append(_evm_pool(stage, symbol, made, decimals[symbol]))
    return tuple(listed)


def read_curve(w3: Web3, spec: PoolSpec) -> CurveState:
    """Read a pool's state from its contract, as a feed does."""
    talk = VENUES[spec.kind].read(spec)
    asked = next(talk)
    while True:
        answers = [
            bytes(w3.eth.call({"to": Web3.to_checksum_address(read.address), "data": read.data}))  # type: ignore[typeddict-item]
            for read in asked
        ]
        try:
            asked = talk.send(answers)
        except StopIteration as done:
            curve: CurveState = done.value.curve
            return curve


def fee_ppm(curve: CurveState) -> int:
    """Return the fee of a purchase in millionths."""
    if isinstance(curve, Concentrated):
        return curve.fee_ppm
    return curve.fee_num * PPM // curve.fee_den


def _evm_pool(stage: Stage, symbol: str, made: MadePool, decimals: int) -> Listed:
    w3 = made.workshop.w3
    spec = _spec(stage.chain, made, decimals, 0)
    # Constant products of Uniswap's take their fee from the listing, all others from the contract.
    told = 3_000 if made.kind == "uniswap_v2" else fee_ppm(read_curve(w3, spec))
    spec = _spec(stage.chain, made, decimals, told)
    return Listed(
        symbol,
        spec,
        lambda: read_curve(w3, spec),
        lambda side, amount: made.swap(buy=side is Side.BUY, amount_in=amount),
    )


def _spec(chain: str, made: MadePool, decimals: int, fee: int) -> PoolSpec:
    base: Contract = made.base
    return PoolSpec(
        pool_id=f"{chain}:{made.contract.address}".lower(),
        venue=made.venue,
        chain=chain,
        kind=made.kind,
        address=made.contract.address,
        base_address=base.address,
        quote_address=made.quote.address,
        base_decimals=decimals,
        quote_decimals=USDC_DECIMALS,
        fee_ppm=fee,
    )


def _solana_pool(network: SolanaNetwork, pool: SolanaPool) -> Listed:
    return Listed(
        pool.market.symbol,
        pool.spec,
        lambda: network.curve(pool),
        lambda side, amount: network.swap(pool, side, amount),
    )
