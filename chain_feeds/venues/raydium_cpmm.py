"""Raydium CPMM pools (x * y = k with shared fees): accounts in, reserves and fees out.

Source: program CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C, `states/{pool,config}.rs`,
`instructions/swap_base_input.rs` and `curve/{calculator,fees}.rs` of raydium-io/raydium-cp-swap.
A swap's reserves are the vaults less the protocol's, the fund's and the creator's fees that wait
there to be collected. Rates are millionths.
"""

from typing import Final

import msgspec

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import ConstantProduct, CreatorFee, FeeRule
from actors.engine.units import PPM
from chain_feeds.errors import DecodeError
from chain_feeds.venues.account_layout import Account, Accounts, Field, Layout
from chain_feeds.venues.raydium import (
    Flow,
    Plan,
    SolanaVenue,
    base_is_first,
    check_decimals,
    vault_amount,
    vault_flow,
)

KIND: Final = "raydium_cpmm"
PROGRAM: Final = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C"

POOL_STATE: Final = Layout(
    "PoolState (CPMM)",
    637,
    {
        "amm_config": Field(8, "key"),
        "pool_creator": Field(40, "key"),
        "token_0_vault": Field(72, "key"),
        "token_1_vault": Field(104, "key"),
        "lp_mint": Field(136, "key"),
        "token_0_mint": Field(168, "key"),
        "token_1_mint": Field(200, "key"),
        "token_0_program": Field(232, "key"),
        "token_1_program": Field(264, "key"),
        "observation": Field(296, "key"),
        "auth_bump": Field(328, "u8"),
        "status": Field(329, "u8"),
        "lp_decimals": Field(330, "u8"),
        "mint_0_decimals": Field(331, "u8"),
        "mint_1_decimals": Field(332, "u8"),
        "lp_supply": Field(333, "u64"),
        "protocol_fees_0": Field(341, "u64"),
        "protocol_fees_1": Field(349, "u64"),
        "fund_fees_0": Field(357, "u64"),
        "fund_fees_1": Field(365, "u64"),
        "open_time": Field(373, "u64"),
        "recent_epoch": Field(381, "u64"),
        "creator_fee_on": Field(389, "u8"),
        "enable_creator_fee": Field(390, "u8"),
        "creator_fees_0": Field(397, "u64"),
        "creator_fees_1": Field(405, "u64"),
    },
    bytes.fromhex("f7ede3f5d7c3de46"),
)
AMM_CONFIG: Final = Layout(
    "AmmConfig (CPMM)",
    236,
    {
        "bump": Field(8, "u8"),
        "disable_create_pool": Field(9, "u8"),
        "index": Field(10, "u16"),
        "trade_fee_rate": Field(12, "u64"),
        "protocol_fee_rate": Field(20, "u64"),
        "fund_fee_rate": Field(28, "u64"),
        "create_pool_fee": Field(36, "u64"),
        "protocol_owner": Field(44, "key"),
        "fund_owner": Field(76, "key"),
        "creator_fee_rate": Field(108, "u64"),
    },
    bytes.fromhex("daf42168cbcb2b6f"),
)
SWAP_DISABLED: Final = 1 << 2
"""In ``status``: the bit that refuses swaps (0 is deposits, 1 withdrawals)."""
_CREATOR_FEE_ON: Final = {0: "input", 1: "token 0", 2: "token 1"}


def plan(spec: PoolSpec, pool: Account | None) -> Plan:
    """Name the accounts to follow: pool and vaults, which every swap rewrites, and the config.

    Raises:
        DecodeError: the account is not the listed pool.
    """
    data = POOL_STATE.check(pool, PROGRAM)
    read = POOL_STATE.number
    decimals = read(data, "mint_0_decimals"), read(data, "mint_1_decimals")
    check_decimals(spec, *(decimals if _base_is_0(spec, data) else decimals[::-1]))
    vaults = (POOL_STATE.key(data, "token_0_vault"), POOL_STATE.key(data, "token_1_vault"))
    config = POOL_STATE.key(data, "amm_config")
    return Plan(frozenset({spec.address, *vaults}), frozenset({config}))


def decode(spec: PoolSpec, accounts: Accounts, now_s: int) -> ConstantProduct:
    """Decode a pool's reserves and fees at a slot whose time is ``now_s``.

    Raises:
        DecodeError: an account is missing or another's, or the program would refuse a swap.
    """
    data = POOL_STATE.check(accounts.get(spec.address), PROGRAM)
    config = AMM_CONFIG.check(accounts.get(POOL_STATE.key(data, "amm_config")), PROGRAM)
    if POOL_STATE.number(data, "status") & SWAP_DISABLED:
        raise DecodeError("the pool takes no swaps: its status forbids them")
    opens_s = POOL_STATE.number(data, "open_time")
    if now_s < opens_s:
        raise DecodeError(f"the pool takes no swaps before Unix time {opens_s}")
    first, second = _reserves(data, accounts)
    base, quote = (first, second) if _base_is_0(spec, data) else (second, first)
    if min(base, quote) <= 0:
        raise DecodeError("the pool holds nothing on one side but fees that are to be collected")
    return _with_fees(ConstantProduct.of(base, quote, 0, PPM), spec, data, config)


def flows(spec: PoolSpec, before: Accounts, after: Accounts) -> list[Flow]:
    """Tell what was swapped from what the vaults held; nothing where liquidity moved as well."""
    data = after[spec.address].data
    if POOL_STATE.number(before[spec.address].data, "lp_supply") != POOL_STATE.number(
        data, "lp_supply"
    ):
        return []
    old, new = _vaults(data, before), _vaults(data, after)
    return vault_flow(*((old, new) if _base_is_0(spec, data) else (old[::-1], new[::-1])))


def _with_fees(
    curve: ConstantProduct, spec: PoolSpec, data: bytes, config: bytes
) -> ConstantProduct:
    rate = {
        name: AMM_CONFIG.number(config, f"{name}_fee_rate")
        for name in ("trade", "protocol", "fund", "creator")
    }
    enabled = POOL_STATE.number(data, "enable_creator_fee")
    creator = rate["creator"] if enabled else 0
    if rate["trade"] + creator >= PPM or rate["protocol"] + rate["fund"] > PPM:
        raise DecodeError("the config's fee rates leave nothing of a swap, expected millionths")
    on = POOL_STATE.number(data, "creator_fee_on")
    if on not in _CREATOR_FEE_ON:
        raise DecodeError(f"the pool's creator fee is of an unknown kind, {on}")
    where = CreatorFee.INPUT
    if on:
        where = CreatorFee.BASE if (on == 1) is _base_is_0(spec, data) else CreatorFee.QUOTE
    return msgspec.structs.replace(
        curve,
        fee_num=rate["trade"],
        fee_rule=FeeRule.CEIL_SHARED,
        protocol_ppm=rate["protocol"],
        fund_ppm=rate["fund"],
        creator_num=creator,
        creator_on=where if creator else CreatorFee.INPUT,
    )


def _base_is_0(spec: PoolSpec, data: bytes) -> bool:
    return base_is_first(
        spec, POOL_STATE.key(data, "token_0_mint"), POOL_STATE.key(data, "token_1_mint")
    )


def _vaults(data: bytes, accounts: Accounts) -> tuple[int, int]:
    first, second = (
        vault_amount(
            accounts,
            POOL_STATE.key(data, f"token_{token}_vault"),
            POOL_STATE.key(data, f"token_{token}_mint"),
        )
        for token in (0, 1)
    )
    return first, second


def _reserves(data: bytes, accounts: Accounts) -> tuple[int, int]:
    first, second = (
        held
        - sum(
            POOL_STATE.number(data, f"{owner}_fees_{token}")
            for owner in ("protocol", "fund", "creator")
        )
        for token, held in enumerate(_vaults(data, accounts))
    )
    return first, second


VENUE: Final = SolanaVenue(PROGRAM, plan, decode, flows)
