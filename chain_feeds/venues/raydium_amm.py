"""Raydium AMM v4 pools (x * y = k): accounts in, reserves and fee out.

Source: program 675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8, `state.rs` (`AmmInfo`, `AmmStatus`)
and `processor.rs` (`process_swap_base_in`) of raydium-io/raydium-amm. A swap's reserves are the
vaults less the profit that is still to be taken (``need_take_pnl``); its fee is ``swap_fee``, not
``trade_fee``. Since 2026-07 the program holds nothing in an order book beside.
"""

from math import gcd
from typing import Final

import msgspec

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import ConstantProduct, FeeRule
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from chain_feeds.venues.account_layout import Account, Accounts, Field, Layout
from chain_feeds.venues.raydium import (
    Flow,
    Plan,
    SolanaVenue,
    base_is_first,
    check_decimals,
    vault_amount,
)

KIND: Final = "raydium_amm_v4"
PROGRAM: Final = "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"

AMM_INFO: Final = Layout(
    "AmmInfo",
    752,
    {
        "status": Field(0, "u64"),
        "nonce": Field(8, "u64"),
        "order_num": Field(16, "u64"),
        "depth": Field(24, "u64"),
        "coin_decimals": Field(32, "u64"),
        "pc_decimals": Field(40, "u64"),
        "state": Field(48, "u64"),
        "sys_decimal_value": Field(120, "u64"),
        "min_separate_numerator": Field(128, "u64"),
        "min_separate_denominator": Field(136, "u64"),
        "trade_fee_numerator": Field(144, "u64"),
        "trade_fee_denominator": Field(152, "u64"),
        "pnl_numerator": Field(160, "u64"),
        "pnl_denominator": Field(168, "u64"),
        "swap_fee_numerator": Field(176, "u64"),
        "swap_fee_denominator": Field(184, "u64"),
        "need_take_pnl_coin": Field(192, "u64"),
        "need_take_pnl_pc": Field(200, "u64"),
        "total_pnl_pc": Field(208, "u64"),
        "total_pnl_coin": Field(216, "u64"),
        "pool_open_time": Field(224, "u64"),
        "swap_coin_in_amount": Field(256, "u128"),
        "swap_pc_out_amount": Field(272, "u128"),
        "swap_acc_pc_fee": Field(288, "u64"),
        "swap_pc_in_amount": Field(296, "u128"),
        "swap_coin_out_amount": Field(312, "u128"),
        "swap_acc_coin_fee": Field(328, "u64"),
        "coin_vault": Field(336, "key"),
        "pc_vault": Field(368, "key"),
        "coin_mint": Field(400, "key"),
        "pc_mint": Field(432, "key"),
        "lp_mint": Field(464, "key"),
        "open_orders": Field(496, "key"),
        "market": Field(528, "key"),
        "market_program": Field(560, "key"),
        "target_orders": Field(592, "key"),
        "amm_owner": Field(688, "key"),
        "lp_amount": Field(720, "u64"),
    },
)
INITIALIZED: Final = 1
SWAP_ONLY: Final = 6
WAITING_TRADE: Final = 7
_STATUSES: Final = {
    0: "Uninitialized", 1: "Initialized", 2: "Disabled", 3: "WithdrawOnly", 4: "LiquidityOnly",
    5: "OrderBookOnly", 6: "SwapOnly", 7: "WaitingTrade",
}  # fmt: skip
_SWAPPABLE: Final = {INITIALIZED, SWAP_ONLY, WAITING_TRADE}
_TOTALS: Final = (
    ("swap_coin_in_amount", "swap_pc_out_amount"),
    ("swap_coin_out_amount", "swap_pc_in_amount"),
)
"""What was ever swapped: coin sold for pc, coin bought with pc; (coin, pc) of each."""


def plan(spec: PoolSpec, pool: Account | None) -> Plan:
    """Name the accounts to follow: the pool and its two vaults, which every swap rewrites.

    Raises:
        DecodeError: the account is not the listed pool.
    """
    data = AMM_INFO.check(pool, PROGRAM)
    read = AMM_INFO.number
    decimals = read(data, "coin_decimals"), read(data, "pc_decimals")
    check_decimals(spec, *(decimals if _base_is_coin(spec, data) else decimals[::-1]))
    vaults = (AMM_INFO.key(data, "coin_vault"), AMM_INFO.key(data, "pc_vault"))
    return Plan(frozenset({spec.address, *vaults}))


def decode(spec: PoolSpec, accounts: Accounts, now_s: int) -> ConstantProduct:
    """Decode a pool's reserves and fee at a slot whose time is ``now_s``.

    Raises:
        DecodeError: an account is missing or another's, or the program would refuse a swap.
    """
    data = AMM_INFO.check(accounts.get(spec.address), PROGRAM)
    _check_status(data, now_s)
    read = AMM_INFO.number
    fee, whole = read(data, "swap_fee_numerator"), read(data, "swap_fee_denominator")
    if not 0 <= fee < whole:
        raise DecodeError(f"the pool's swap fee is {fee}/{whole}, expected less than the whole")
    coin, pc = (
        vault_amount(
            accounts, AMM_INFO.key(data, f"{side}_vault"), AMM_INFO.key(data, f"{side}_mint")
        )
        - read(data, f"need_take_pnl_{side}")
        for side in ("coin", "pc")
    )
    if min(coin, pc) <= 0:
        raise DecodeError("the pool holds nothing on one side but profit that is to be taken")
    divisor = gcd(fee, whole)
    base, quote = (coin, pc) if _base_is_coin(spec, data) else (pc, coin)
    curve = ConstantProduct.of(base, quote, fee // divisor, whole // divisor)
    return msgspec.structs.replace(curve, fee_rule=FeeRule.CEIL_STAYS)


def flows(spec: PoolSpec, before: Accounts, after: Accounts) -> list[Flow]:
    """Tell what was swapped from the totals that the pool keeps in each direction."""
    old, new = before[spec.address].data, after[spec.address].data
    base_is_coin = _base_is_coin(spec, new)
    found = []
    for coin_total, pc_total in _TOTALS:
        coin = AMM_INFO.number(new, coin_total) - AMM_INFO.number(old, coin_total)
        pc = AMM_INFO.number(new, pc_total) - AMM_INFO.number(old, pc_total)
        if coin > 0 and pc > 0:
            coin_sold = coin_total == "swap_coin_in_amount"
            side = Side.SELL if coin_sold is base_is_coin else Side.BUY
            found.append(Flow(side, coin, pc) if base_is_coin else Flow(side, pc, coin))
    return found


def _base_is_coin(spec: PoolSpec, data: bytes) -> bool:
    return base_is_first(spec, AMM_INFO.key(data, "coin_mint"), AMM_INFO.key(data, "pc_mint"))


def _check_status(data: bytes, now_s: int) -> None:
    status = AMM_INFO.number(data, "status")
    if status not in _SWAPPABLE:
        name = _STATUSES.get(status, "unknown")
        raise DecodeError(f"the pool takes no swaps: its status is {status} ({name})")
    opens_s = AMM_INFO.number(data, "pool_open_time")
    if status == WAITING_TRADE and now_s < opens_s:
        raise DecodeError(f"the pool takes no swaps before Unix time {opens_s}")


VENUE: Final = SolanaVenue(PROGRAM, plan, decode, flows)
