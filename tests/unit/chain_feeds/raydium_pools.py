"""Raydium accounts made up for tests, in the true layouts, and the specs that list them."""

from collections.abc import Mapping

import msgspec
from solders.keypair import Keypair

from actors.engine.pair_spec import PoolSpec
from chain_feeds.venues import raydium_amm, raydium_clmm, raydium_cpmm
from chain_feeds.venues.account_layout import Account, Layout
from chain_feeds.venues.raydium import MINT, TOKEN_ACCOUNT, TOKEN_PROGRAM
from devnet.solana_pools import mark_bitmap, tick_arrays

Values = Mapping[str, int | str]


def address(number: int) -> str:
    """A public key."""
    return str(Keypair.from_seed(number.to_bytes(32, "big")).pubkey())


POOL, BASE, QUOTE, VAULT_0, VAULT_1, CONFIG = (address(number) for number in range(6))


def spec(kind: str, *, base_first: bool = True) -> PoolSpec:
    """A listed pool whose first token is the pair's base, or its quote; 9 and 6 decimals."""
    listed = PoolSpec(
        pool_id=f"solana:{POOL}".lower(),
        venue="Raydium",
        chain="solana",
        kind=kind,
        address=POOL,
        base_address=BASE,
        quote_address=QUOTE,
        base_decimals=9,
        quote_decimals=6,
        fee_ppm=2_500,
    )
    if base_first:
        return listed
    return msgspec.structs.replace(
        listed, base_address=QUOTE, quote_address=BASE, base_decimals=6, quote_decimals=9
    )


def made(layout: Layout, program: str, values: Values) -> Account:
    """An account with those fields, all others zero."""
    data = layout.blank()
    layout.write(data, values)
    return Account(program, bytes(data))


def vault(mint: str, amount: int) -> Account:
    """A token account."""
    return made(TOKEN_ACCOUNT, TOKEN_PROGRAM, {"mint": mint, "amount": amount, "state": 1})


def mint(decimals: int, supply: int = 10**15, owner: str = TOKEN_PROGRAM) -> Account:
    """A mint."""
    return made(MINT, owner, {"decimals": decimals, "supply": supply, "is_initialized": 1})


def vaults(first: int, second: int) -> dict[str, Account]:
    """Both vaults of a pool."""
    return {VAULT_0: vault(BASE, first), VAULT_1: vault(QUOTE, second)}


def amm(first: int, second: int, **changes: int | str) -> dict[str, Account]:
    """An AMM v4 pool that holds so much in its vaults."""
    values: dict[str, int | str] = {
        "status": raydium_amm.SWAP_ONLY,
        "coin_decimals": 9,
        "pc_decimals": 6,
        "trade_fee_numerator": 1,
        "trade_fee_denominator": 2,
        "swap_fee_numerator": 25,
        "swap_fee_denominator": 10_000,
        "coin_vault": VAULT_0,
        "pc_vault": VAULT_1,
        "coin_mint": BASE,
        "pc_mint": QUOTE,
        **changes,
    }
    pool = made(raydium_amm.AMM_INFO, raydium_amm.PROGRAM, values)
    return {POOL: pool, **vaults(first, second)}


def cpmm(
    first: int, second: int, config: Values | None = None, **changes: int | str
) -> dict[str, Account]:
    """A CPMM pool that holds so much in its vaults."""
    values: dict[str, int | str] = {
        "amm_config": CONFIG,
        "token_0_vault": VAULT_0,
        "token_1_vault": VAULT_1,
        "token_0_mint": BASE,
        "token_1_mint": QUOTE,
        "mint_0_decimals": 9,
        "mint_1_decimals": 6,
        "lp_supply": 1_000,
        **changes,
    }
    rates: dict[str, int | str] = {
        "trade_fee_rate": 2_500,
        "protocol_fee_rate": 120_000,
        "fund_fee_rate": 40_000,
        "creator_fee_rate": 500,
        **(config or {}),
    }
    return {
        POOL: made(raydium_cpmm.POOL_STATE, raydium_cpmm.PROGRAM, values),
        CONFIG: made(raydium_cpmm.AMM_CONFIG, raydium_cpmm.PROGRAM, rates),
        **vaults(first, second),
    }


def clmm(
    root: int, tick: int, nets: Mapping[int, int], spacing: int = 60, **changes: int | str
) -> dict[str, Account]:
    """A CLMM pool at a price, with those initialised ticks; its liquidity follows from them."""
    values: dict[str, int | str] = {
        "amm_config": CONFIG,
        "mint_0": BASE,
        "mint_1": QUOTE,
        "vault_0": VAULT_0,
        "vault_1": VAULT_1,
        "decimals_0": 9,
        "decimals_1": 6,
        "tick_spacing": spacing,
        "liquidity": sum(net for at, net in nets.items() if at <= tick),
        "sqrt_price_x64": root,
        "tick_current": tick,
        **changes,
    }
    data = raydium_clmm.POOL_STATE.blank()
    raydium_clmm.POOL_STATE.write(data, values)
    mark_bitmap(data, nets, spacing)
    rates: Values = {"trade_fee_rate": 2_500, "tick_spacing": spacing}
    return {
        POOL: Account(raydium_clmm.PROGRAM, bytes(data)),
        CONFIG: made(raydium_clmm.AMM_CONFIG, raydium_clmm.PROGRAM, rates),
        **tick_arrays(POOL, nets, spacing),
        **vaults(10**12, 10**12),
    }
