"""Raydium CLMM pools (concentrated liquidity, Q64): accounts in, price and ticks around it out.

Source: program CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK, `states/{pool,config,tick_array}.rs`
and `instructions/swap.rs` of raydium-io/raydium-clmm. Read, never executed here, so what the
formulas of Uniswap V3 in Q64 do not cover is left out rather than guessed:

* Limit orders that stand inside a tick: the window ends before the first such tick.
* A fee that moves with volatility, and one taken in a fixed token: the pool has no state.
"""

from collections.abc import Iterator
from typing import Final

from solders.pubkey import Pubkey

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import Concentrated, ConcentratedTerms, TickSteps, TickWindow
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

KIND: Final = "raydium_clmm"
PROGRAM: Final = "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK"

POOL_STATE: Final = Layout(
    "PoolState (CLMM)",
    1544,
    {
        "bump": Field(8, "u8"),
        "amm_config": Field(9, "key"),
        "owner": Field(41, "key"),
        "mint_0": Field(73, "key"),
        "mint_1": Field(105, "key"),
        "vault_0": Field(137, "key"),
        "vault_1": Field(169, "key"),
        "observation": Field(201, "key"),
        "decimals_0": Field(233, "u8"),
        "decimals_1": Field(234, "u8"),
        "tick_spacing": Field(235, "u16"),
        "liquidity": Field(237, "u128"),
        "sqrt_price_x64": Field(253, "u128"),
        "tick_current": Field(269, "i32"),
        "fee_growth_0": Field(277, "u128"),
        "fee_growth_1": Field(293, "u128"),
        "protocol_fees_0": Field(309, "u64"),
        "protocol_fees_1": Field(317, "u64"),
        "status": Field(389, "u8"),
        "fee_on": Field(390, "u8"),
        "fund_fees_0": Field(1064, "u64"),
        "fund_fees_1": Field(1072, "u64"),
        "open_time": Field(1080, "u64"),
        "recent_epoch": Field(1088, "u64"),
        "dynamic_fee_control": Field(1102, "u32"),
        "max_volatility": Field(1106, "u32"),
    },
    bytes.fromhex("f7ede3f5d7c3de46"),
)
BITMAP_AT: Final = 904
"""1,024 bits, the lowest first: which tick arrays from -512 to 511 hold an initialised tick."""

AMM_CONFIG: Final = Layout(
    "AmmConfig (CLMM)",
    117,
    {
        "bump": Field(8, "u8"),
        "index": Field(9, "u16"),
        "owner": Field(11, "key"),
        "protocol_fee_rate": Field(43, "u32"),
        "trade_fee_rate": Field(47, "u32"),
        "tick_spacing": Field(51, "u16"),
        "fund_fee_rate": Field(53, "u32"),
        "fund_owner": Field(61, "key"),
    },
    bytes.fromhex("daf42168cbcb2b6f"),
)
TICK_ARRAY: Final = Layout(
    "TickArrayState",
    10_240,
    {
        "pool": Field(8, "key"),
        "start_tick": Field(40, "i32"),
        "initialized_count": Field(10_124, "u8"),
    },
    bytes.fromhex("c09b55cd31f9812a"),
)
TICKS_AT: Final = 44
TICK: Final = Layout(
    "TickState",
    168,
    {
        "tick": Field(0, "i32"),
        "liquidity_net": Field(4, "i128"),
        "liquidity_gross": Field(20, "u128"),
        "order_phase": Field(116, "u64"),
        "orders_amount": Field(124, "u64"),
        "part_filled_orders": Field(132, "u64"),
        "unfilled_ratio": Field(140, "u128"),
    },
)
TICKS_PER_ARRAY: Final = 60
MAX_TICK: Final = 443_636
SWAP_DISABLED: Final = 1 << 4
"""In ``status``: the bit that refuses swaps."""
_BITMAP_ARRAYS: Final = 512
_REACH_TICKS: Final = 600
"""The window reaches at least so far from the price, 6 %, and to the end of a tick array."""


def plan(spec: PoolSpec, pool: Account | None) -> Plan:
    """Name the accounts to follow: pool and vaults, the config, the tick arrays around the price.

    Raises:
        DecodeError: the account is not the listed pool, or its price is none.
    """
    data = _check_pool(pool)
    read = POOL_STATE.number
    decimals = read(data, "decimals_0"), read(data, "decimals_1")
    check_decimals(spec, *(decimals if _base_is_0(spec, data) else decimals[::-1]))
    arrays = {array_address(spec.address, start) for start, _ in _arrays(data)}
    vaults = (POOL_STATE.key(data, "vault_0"), POOL_STATE.key(data, "vault_1"))
    return Plan(
        together=frozenset({spec.address, *vaults}),
        beside=frozenset({POOL_STATE.key(data, "amm_config"), *arrays}),
        patient=True,
    )


def decode(spec: PoolSpec, accounts: Accounts, now_s: int) -> Concentrated:
    """Decode a pool's price and the ticks around it at a slot whose time is ``now_s``.

    Raises:
        DecodeError: an account is missing or another's, the program would refuse a swap, or its
            result is not known here.
    """
    data = _check_pool(accounts.get(spec.address))
    config = AMM_CONFIG.check(accounts.get(POOL_STATE.key(data, "amm_config")), PROGRAM)
    _check_swappable(data, now_s)
    fee_ppm = AMM_CONFIG.number(config, "trade_fee_rate")
    if fee_ppm >= PPM:
        raise DecodeError(f"the config's fee is {fee_ppm} millionths, expected less than all")
    tick = POOL_STATE.number(data, "tick_current")
    low, high = _window(data)
    nets, orders = _ticks(spec, data, accounts)
    low = max([low, *(at + 1 for at in orders if at <= tick)])
    high = min([high, *(at - 1 for at in orders if at > tick)])
    return Concentrated.of(
        POOL_STATE.number(data, "sqrt_price_x64"),
        POOL_STATE.number(data, "liquidity"),
        tick,
        TickWindow(low, high, nets),
        ConcentratedTerms(
            tick_spacing=POOL_STATE.number(data, "tick_spacing"),
            fee_ppm=fee_ppm,
            base_is_token0=_base_is_0(spec, data),
            steps=TickSteps.INITIALISED,
            q64=True,
        ),
    )


def flows(spec: PoolSpec, before: Accounts, after: Accounts) -> list[Flow]:
    """Tell what was swapped from what the vaults held, if the price moved to that side as well."""
    data = after[spec.address].data
    moved = POOL_STATE.number(data, "sqrt_price_x64") - POOL_STATE.number(
        before[spec.address].data, "sqrt_price_x64"
    )
    base_is_0 = _base_is_0(spec, data)
    old, new = _vaults(data, before), _vaults(data, after)
    if (new[1] - old[1]) * moved <= 0:
        return []
    return vault_flow(*((old, new) if base_is_0 else (old[::-1], new[::-1])))


def array_start(tick: int, tick_spacing: int) -> int:
    """Return the first tick of the array that a tick is in."""
    span = TICKS_PER_ARRAY * tick_spacing
    return tick // span * span


def array_address(pool: str, start_tick: int) -> str:
    """Return where a tick array is: the program's address for pool and start, big endian."""
    seeds = [
        b"tick_array",
        bytes(Pubkey.from_string(pool)),
        start_tick.to_bytes(4, "big", signed=True),
    ]
    return str(Pubkey.find_program_address(seeds, Pubkey.from_string(PROGRAM))[0])


def _check_pool(pool: Account | None) -> bytes:
    data = POOL_STATE.check(pool, PROGRAM)
    if POOL_STATE.number(data, "tick_spacing") == 0:
        raise DecodeError("the pool's tick spacing is zero")
    return data


def _check_swappable(data: bytes, now_s: int) -> None:
    read = POOL_STATE.number
    if read(data, "status") & SWAP_DISABLED:
        raise DecodeError("the pool takes no swaps: its status forbids them")
    opens_s = read(data, "open_time")
    if now_s < opens_s:
        raise DecodeError(f"the pool takes no swaps before Unix time {opens_s}")
    if read(data, "fee_on"):
        raise DecodeError("the pool takes its fee in one token only; no quote here counts that")
    if read(data, "dynamic_fee_control"):
        raise DecodeError("the pool's fee moves with volatility; no quote here counts that")


def _base_is_0(spec: PoolSpec, data: bytes) -> bool:
    return base_is_first(spec, POOL_STATE.key(data, "mint_0"), POOL_STATE.key(data, "mint_1"))


def _vaults(data: bytes, accounts: Accounts) -> tuple[int, int]:
    first, second = (
        vault_amount(
            accounts, POOL_STATE.key(data, f"vault_{token}"), POOL_STATE.key(data, f"mint_{token}")
        )
        for token in (0, 1)
    )
    return first, second


def _starts(data: bytes) -> range:
    """Return the first ticks of the arrays that the window is made of."""
    spacing = POOL_STATE.number(data, "tick_spacing")
    tick = POOL_STATE.number(data, "tick_current")
    if not -MAX_TICK <= tick <= MAX_TICK:
        raise DecodeError(f"tick {tick} is none that a price can have")
    first = array_start(max(tick - _REACH_TICKS, -MAX_TICK), spacing)
    last = array_start(min(tick + _REACH_TICKS, MAX_TICK), spacing)
    return range(first, last + 1, TICKS_PER_ARRAY * spacing)


def _window(data: bytes) -> tuple[int, int]:
    starts = _starts(data)
    return max(starts[0], -MAX_TICK), min(starts[-1] + starts.step - 1, MAX_TICK)


def _arrays(data: bytes) -> list[tuple[int, bool]]:
    """Return (first tick, whether it must exist) of the window's arrays that may hold ticks.

    Beyond the pool's own bitmap (which is continued in an account that is not read) any array may.
    """
    bits = int.from_bytes(data[BITMAP_AT : BITMAP_AT + 128], "little")
    starts = _starts(data)
    found = []
    for start in starts:
        bit = start // starts.step + _BITMAP_ARRAYS
        within = 0 <= bit < 2 * _BITMAP_ARRAYS
        if not within or bits >> bit & 1:
            found.append((start, within))
    return found


def _ticks(
    spec: PoolSpec, data: bytes, accounts: Accounts
) -> tuple[list[tuple[int, int]], list[int]]:
    """Return (tick, liquidityNet) of the window, and the ticks at which limit orders stand."""
    nets: list[tuple[int, int]] = []
    orders: list[int] = []
    for start, must_exist in _arrays(data):
        account = accounts.get(array_address(spec.address, start))
        if not must_exist and (account is None or not account.owner):
            continue
        array = TICK_ARRAY.check(account, PROGRAM)
        if (TICK_ARRAY.key(array, "pool"), TICK_ARRAY.number(array, "start_tick")) != (
            spec.address,
            start,
        ):
            raise DecodeError(f"the tick array of {start} is another pool's or begins elsewhere")
        for base in _tick_bases():
            tick = TICK.number(array, "tick", base)
            if TICK.number(array, "liquidity_gross", base):
                nets.append((tick, TICK.number(array, "liquidity_net", base)))
            if TICK.number(array, "orders_amount", base) or TICK.number(
                array, "part_filled_orders", base
            ):
                orders.append(tick)
    return nets, orders


def _tick_bases() -> Iterator[int]:
    return iter(range(TICKS_AT, TICKS_AT + TICKS_PER_ARRAY * TICK.size, TICK.size))


VENUE: Final = SolanaVenue(PROGRAM, plan, decode, flows)
