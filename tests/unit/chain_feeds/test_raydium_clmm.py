"""Raydium CLMM: accounts in, price and the ticks around it out."""

import pytest

from actors.engine.pools.kinds import impossible
from actors.engine.pools.state import TickSteps
from actors.engine.pools.tick_math import root_at_q64
from actors.engine.pools.tick_road import TickRoad
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from chain_feeds.venues import raydium_clmm
from chain_feeds.venues.account_layout import Account
from chain_feeds.venues.raydium import Flow
from tests.unit.chain_feeds import raydium_pools as pools

SPEC = pools.spec(raydium_clmm.KIND)
NOW_S = 1_800_000_000
SPAN = 3_600
"""Ticks of an array at spacing 60."""
NETS = {-7_200: 10**12, -120: 5 * 10**11, 180: -5 * 10**11, 10_800: -(10**12)}
AT = 30
ROOT = (root_at_q64(AT) + root_at_q64(AT + 1)) // 2


def with_orders(accounts: dict[str, Account], tick: int, field: str) -> dict[str, Account]:
    """The same pool with limit orders at a tick of an array that is there."""
    start = raydium_clmm.array_start(tick, 60)
    at = raydium_clmm.array_address(pools.POOL, start)
    data = bytearray(accounts[at].data)
    base = raydium_clmm.TICKS_AT + (tick - start) // 60 * raydium_clmm.TICK.size
    raydium_clmm.TICK.write(data, {field: 5}, base)
    return {**accounts, at: accounts[at]._replace(data=bytes(data))}


def test_decode_reads_price_liquidity_and_the_ticks_of_the_window() -> None:
    """The window is the arrays within 600 ticks; what lies beyond is left out."""
    curve = raydium_clmm.decode(SPEC, pools.clmm(ROOT, AT, NETS), NOW_S)
    assert (curve.sqrt_price, curve.tick, curve.liquidity) == (ROOT, AT, 15 * 10**11)
    assert (curve.low_tick, curve.high_tick) == (-SPAN, SPAN - 1)
    assert curve.nets() == [(-120, 5 * 10**11), (180, -5 * 10**11)]
    assert (curve.fee_ppm, curve.tick_spacing, curve.q64) == (2_500, 60, True)
    assert curve.steps is TickSteps.INITIALISED
    assert curve.base_is_token0
    assert impossible(curve) == ""


def test_plan_names_the_arrays_that_hold_ticks_and_follows_the_price() -> None:
    """Arrays without an initialised tick do not exist; another price wants other arrays."""
    accounts = pools.clmm(ROOT, AT, NETS)
    plan = raydium_clmm.plan(SPEC, accounts[pools.POOL])
    near = {raydium_clmm.array_address(pools.POOL, start) for start in (-SPAN, 0)}
    assert plan.together == {pools.POOL, pools.VAULT_0, pools.VAULT_1}
    assert plan.beside == {pools.CONFIG} | near
    assert plan.patient
    high = 10_790
    moved = pools.clmm(root_at_q64(high), high, NETS)
    arrays = raydium_clmm.plan(SPEC, moved[pools.POOL]).beside - {pools.CONFIG}
    assert arrays == {raydium_clmm.array_address(pools.POOL, 10_800)}


def test_array_start_rounds_down_below_zero() -> None:
    """Arrays begin at multiples of sixty spacings, below zero too."""
    assert raydium_clmm.array_start(-1, 60) == -SPAN
    assert raydium_clmm.array_start(SPAN - 1, 60) == 0


@pytest.mark.parametrize(
    ("tick", "low", "high"), [(120, -SPAN, 119), (-120, -119, SPAN - 1), (0, 1, SPAN - 1)]
)
@pytest.mark.parametrize("field", ["orders_amount", "part_filled_orders"])
def test_window_ends_before_limit_orders(tick: int, low: int, high: int, field: str) -> None:
    """What a swap meets there is not modelled, so nothing is promised beyond."""
    accounts = with_orders(pools.clmm(ROOT, AT, NETS), tick, field)
    curve = raydium_clmm.decode(SPEC, accounts, NOW_S)
    assert (curve.low_tick, curve.high_tick) == (low, high)
    assert impossible(curve) == ""
    up = TickRoad(curve, curve.fee_ppm, up=True)
    assert up.pay(10**18) is None


def test_price_that_stands_on_limit_orders_gives_no_depth_through_them() -> None:
    """A swap that stopped at orders leaves the price at their tick and the tick one below."""
    accounts = with_orders(pools.clmm(root_at_q64(120), 119, NETS), 120, "part_filled_orders")
    curve = raydium_clmm.decode(SPEC, accounts, NOW_S)
    assert impossible(curve) == ""
    assert TickRoad(curve, curve.fee_ppm, up=True).pay(1_000) is None
    assert TickRoad(curve, curve.fee_ppm, up=False).pay(1_000_000) is not None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": 16}, "its status forbids them"),
        ({"open_time": NOW_S + 1}, "before Unix time"),
        ({"fee_on": 1}, "fee in one token only"),
        ({"dynamic_fee_control": 1}, "moves with volatility"),
        ({"tick_current": 443_637}, "none that a price can have"),
        ({"tick_spacing": 0}, "tick spacing is zero"),
        ({"amm_config": pools.BASE}, "there is no AmmConfig"),
        ({"mint_0": pools.CONFIG}, "the pool's tokens are"),
    ],
)
def test_pool_that_cannot_be_quoted_has_no_state(changes: dict[str, int | str], said: str) -> None:
    """One line of reason, and no state rather than a guess."""
    with pytest.raises(DecodeError, match=said):
        raydium_clmm.decode(SPEC, pools.clmm(ROOT, AT, NETS, **changes), NOW_S)


def test_status_that_forbids_other_things_leaves_swaps() -> None:
    """All bits but the fifth."""
    assert raydium_clmm.decode(SPEC, pools.clmm(ROOT, AT, NETS, status=0xEF), NOW_S)


def test_array_that_is_missing_or_anothers_gives_no_state() -> None:
    """A promised array must be there and be this pool's."""
    accounts = pools.clmm(ROOT, AT, NETS)
    at = raydium_clmm.array_address(pools.POOL, 0)
    gone = {name: account for name, account in accounts.items() if name != at}
    with pytest.raises(DecodeError, match="there is no TickArrayState"):
        raydium_clmm.decode(SPEC, gone, NOW_S)
    data = bytearray(accounts[at].data)
    raydium_clmm.TICK_ARRAY.write(data, {"start_tick": 60})
    with pytest.raises(DecodeError, match="begins elsewhere"):
        raydium_clmm.decode(SPEC, {**accounts, at: Account(raydium_clmm.PROGRAM, bytes(data))}, 0)


def test_arrays_beyond_the_pools_bitmap_are_followed_whether_they_exist_or_not() -> None:
    """At spacing 1 the bitmap ends at tick 30,720: what is not there holds no tick."""
    tick = 31_000
    nets = {30_000: 10**12, 30_990: 10**11, 31_020: -(10**11), 40_000: -(10**12)}
    accounts = pools.clmm(root_at_q64(tick), tick, nets, spacing=1)
    there = {name: accounts[name] for name in accounts if name != pools.POOL}
    plan = raydium_clmm.plan(SPEC, accounts[pools.POOL])
    assert raydium_clmm.array_address(pools.POOL, 30_960) in plan.beside
    assert raydium_clmm.array_address(pools.POOL, 31_080) in plan.beside, "it may be made any time"
    absent = dict.fromkeys(plan.all, Account("", b""))
    curve = raydium_clmm.decode(SPEC, {**absent, **accounts, **there}, NOW_S)
    assert curve.nets() == [(30_990, 10**11), (31_020, -(10**11))]
    assert impossible(curve) == ""


def test_flows_need_the_price_to_move_to_their_side() -> None:
    """Deposits move vaults too; only a swap moves the price."""
    before = pools.clmm(ROOT, AT, NETS)
    vaults = pools.vaults(10**12 - 7, 10**12 + 22)
    bought = {**pools.clmm(ROOT + 1, AT, NETS), **vaults}
    assert raydium_clmm.flows(SPEC, before, bought) == [Flow(Side.BUY, 7, 22)]
    turned = pools.spec(raydium_clmm.KIND, base_first=False)
    assert raydium_clmm.flows(turned, before, bought) == [Flow(Side.SELL, 22, 7)]
    assert raydium_clmm.flows(SPEC, before, {**pools.clmm(ROOT, AT, NETS), **vaults}) == []
