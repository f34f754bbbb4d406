"""Concentrated liquidity against a pool swapped step by step, and the bounds of its window."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.invariants import InvariantError
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.concentrated import ConcentratedCurve
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.state import Concentrated, ConcentratedTerms, TickSteps, TickWindow
from actors.engine.pools.tick_math import (
    MAX_TICK,
    MAX_TICK_Q64,
    root_at,
    root_at_q64,
    tick_at,
)
from actors.engine.pools.tick_road import TickRoad
from actors.engine.units import RAW_MAX, Side
from tests.naive_pools import NaiveTicks

SPEC = PairSpec("vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1")
sides = st.sampled_from(list(Side))


def test_root_at_the_ends_is_the_contracts():
    """MIN_SQRT_RATIO and MAX_SQRT_RATIO of both families."""
    assert root_at(-MAX_TICK) == 4295128739
    assert root_at(MAX_TICK) == 1461446703485210103287273052203988822378723970342
    assert root_at_q64(-MAX_TICK_Q64) == 4295048016
    assert root_at_q64(MAX_TICK_Q64) == 79226673521066979257578248091


@given(st.integers(-MAX_TICK, MAX_TICK - 1))
def test_tick_at_any_root_is_the_last_not_above(tick: int):
    """From the tick's own root to one below the next."""
    assert tick_at(root_at(tick)) == tick == tick_at(root_at(tick + 1) - 1)


@given(st.integers(-MAX_TICK_Q64, MAX_TICK_Q64 - 1))
def test_tick_at_any_root_of_64_bits_is_the_last_not_above(tick: int):
    """Raydium's roots obey the same rule."""
    assert tick_at(root_at_q64(tick), q64=True) == tick
    assert tick_at(root_at_q64(tick + 1) - 1, q64=True) == tick


@pytest.mark.parametrize("tick", [0, 1, -1, 60, -60, 5000, -5000, 50_000, -50_000])
def test_root_at_any_tick_is_the_power(tick: int):
    """1.0001^(tick/2), squared: within a billionth of a tick."""
    exact = 10001 ** abs(tick) * 2**192 // 10000 ** abs(tick)
    if tick < 0:
        exact = 2**192 * 10000 ** abs(tick) // 10001 ** abs(tick)
    assert abs(root_at(tick) ** 2 - exact) <= max(exact // 10**12, 2 * root_at(tick))
    assert abs(root_at_q64(tick) - (root_at(tick) >> 32)) <= 1 + (root_at(tick) >> 72)


class Pool(msgspec.Struct):
    """A drawn pool, as a state and as its naive twin."""

    state: Concentrated
    nets: dict[int, int]
    fee: int

    def naive(self) -> NaiveTicks:
        """Make the twin."""
        state = self.state
        return NaiveTicks(
            state.sqrt_price, state.tick, self.nets, state.tick_spacing, self.fee,
            root_at=root_at_q64 if state.q64 else root_at,
            words=state.steps is TickSteps.WORDS, bits=64 if state.q64 else 96,
        )  # fmt: skip


@st.composite
def pools(draw: st.DrawFn, *, sizes: tuple[int, ...] = (10**3, 10**9, 10**18, 2**97)) -> Pool:
    """Positions around a price somewhere, with gaps, few or many, thin or thick."""
    q64 = draw(st.booleans())
    spacing = draw(st.sampled_from([1, 10, 60, 200]))
    steps = TickSteps.INITIALISED if q64 else draw(st.sampled_from(list(TickSteps)))
    middle = draw(st.integers(-1000, 1000)) * spacing
    size = draw(st.sampled_from(sizes))
    nets: dict[int, int] = {}
    for _ in range(draw(st.integers(1, 6))):
        low = middle + draw(st.integers(-40, 39)) * spacing
        high = low + draw(st.integers(1, 40)) * spacing
        amount = draw(st.integers(1, size))
        nets[low] = nets.get(low, 0) + amount
        nets[high] = nets.get(high, 0) - amount
    nets = {at: net for at, net in nets.items() if net}
    tick = middle + draw(st.integers(-45 * spacing, 45 * spacing))
    at = root_at_q64 if q64 else root_at
    root = draw(st.one_of(st.just(at(tick)), st.integers(at(tick), at(tick + 1) - 1)))
    if draw(st.booleans()) and tick in nets and root == at(tick):
        tick -= 1  # a swap downwards came to rest on this tick: it is crossed already
    liquidity = sum(net for one, net in nets.items() if one <= tick)
    fee = draw(st.sampled_from([0, 100, 500, 3000, 10_000, 150_000]))
    window = TickWindow(middle - 90 * spacing, middle + 90 * spacing, nets.items())
    terms = ConcentratedTerms(spacing, fee, draw(st.booleans()), steps=steps, q64=q64)
    return Pool(Concentrated.of(root, liquidity, tick, window, terms), nets, fee)


@given(pools(), st.booleans(), st.booleans(), st.data())
def test_road_any_swap_is_the_contracts_loop(
    pool: Pool, up: bool, exact_in: bool, data: st.DataObject
):
    """Amounts, root, liquidity and tick equal those of the step-by-step swap."""
    road = TickRoad(pool.state, pool.fee, up=up)
    paid, taken = road.until(road.end_root)
    most = paid if exact_in else taken
    if most <= 0:
        return
    amount = data.draw(st.integers(1, most))
    naive = pool.naive()
    expected = naive.swap(
        amount, down=not up, exact_in=exact_in,
        low=pool.state.low_tick, high=pool.state.high_tick,
    )  # fmt: skip
    arrival = road.pay(amount) if exact_in else road.take(amount)
    assert not naive.ended
    assert arrival is not None
    assert (arrival.paid, arrival.taken) == expected
    tick = arrival.tick
    tick = tick_at(arrival.root, q64=pool.state.q64) if tick is None else tick
    assert (arrival.root, arrival.liquidity, tick) == (naive.root, naive.liquidity, naive.tick)


@given(pools(), st.booleans(), st.data())
def test_road_asked_again_and_in_any_order_answers_the_same(
    pool: Pool, up: bool, data: st.DataObject
):
    """What was walked for one question does not change the answer to another."""
    road = TickRoad(pool.state, pool.fee, up=up)
    most = road.until(road.end_root)[1]
    if most <= 0:
        return
    for _ in range(3):
        amount = data.draw(st.integers(1, most))
        assert road.take(amount) == TickRoad(pool.state, pool.fee, up=up).take(amount)


@given(pools(), st.booleans())
def test_road_beyond_the_window_gives_nothing(pool: Pool, up: bool):
    """One unit more than the known ticks hold is refused."""
    road = TickRoad(pool.state, pool.fee, up=up)
    _, taken = road.until(road.end_root)
    assert road.take(taken + 1) is None


thick_pools = pools(sizes=(10**16, 2**80))


def curve_of(state: Concentrated, decimals: tuple[int, int] = (6, 6)) -> ConcentratedCurve:
    pool = PoolSpec("base:0x1", "Uniswap", "base", "uniswap_v3", "0x1", "0xb", "0xc", *decimals, 1)
    return ConcentratedCurve(state, PoolGrid.of(SPEC, pool))


@given(thick_pools, sides, st.sampled_from([0, 6, 8, 18]), st.sampled_from([0, 6, 18]), st.data())
def test_depth_any_limit_is_paid_for_within_it(
    pool: Pool, side: Side, base: int, quote: int, data: st.DataObject
):
    """All that is offered at a limit costs no more (brings no less), and ends at its root."""
    curve = curve_of(pool.state, (base, quote))
    best = curve.best_ticks(side)
    if not best:
        return
    offset = data.draw(st.integers(0, max(best // 10, 10)))
    limit = best + offset if side is Side.BUY else max(best - offset, 1)
    lots, cost = curve.depth(side, limit)
    assert lots <= curve.capacity_lots(side)
    if not lots:
        return
    assert cost == curve.quote_for(side, lots) <= RAW_MAX
    assert cost <= limit * lots if side is Side.BUY else cost >= limit * lots
    num, one = curve.marginal(side, curve.base_of(side, lots))
    units = PoolGrid.of(SPEC, PoolSpec("b:0", "U", "b", "u", "0", "0", "0", base, quote, 1))
    marginal = num * units.quote_den * units.lot_num
    bound = limit * one * units.tick_lot_raw * units.quote_num * units.lot_den
    assert marginal <= bound if side is Side.BUY else marginal >= bound


@given(thick_pools, sides, st.data())
def test_take_part_by_part_is_never_cheaper_than_one_swap(
    pool: Pool, side: Side, data: st.DataObject
):
    """Splitting a size only ever loses rounding units to the pool."""
    curve = curve_of(pool.state)
    capacity = curve.capacity_lots(side)
    if capacity < 2:
        return
    total = data.draw(st.integers(2, capacity))
    first = data.draw(st.integers(1, total - 1))
    after = curve.take(side, first)
    if after.capacity_lots(side) < total - first:
        return  # the units lost to rounding were the last ones
    split = curve.quote_for(side, first) + after.quote_for(side, total - first)
    whole = curve.quote_for(side, total)
    assert split >= whole if side is Side.BUY else split <= whole


def simple(*, base_is_token0: bool = True) -> Concentrated:
    nets = [(-600, 10**12), (600, -(10**12))]
    return Concentrated.of(
        2**96, 10**12, 0, TickWindow(-600, 600, nets), ConcentratedTerms(60, 3000, base_is_token0)
    )


def test_either_token_order_gives_the_mirrored_price():
    """At a price of 1 the order of the tokens makes no difference but rounding."""
    one, other = curve_of(simple()), curve_of(simple(base_is_token0=False))
    for side in Side:
        assert abs(one.best_ticks(side) - other.best_ticks(side)) <= 1
        assert abs(one.depth(side, one.best_ticks(side))[0] - other.depth(
            side, one.best_ticks(side))[0]) <= 2  # fmt: skip


def test_capacity_ends_where_the_window_ends():
    """All of the liquidity up to the last known tick can be had, and no more."""
    curve = curve_of(simple())
    upper, here = root_at(600), 2**96
    most = 10**12 * 2**96 * (upper - here) // upper // here
    assert curve.capacity_lots(Side.BUY) == most // 10**6
    with pytest.raises(InvariantError):
        curve.quote_for(Side.BUY, curve.capacity_lots(Side.BUY) + 1)
    emptied = curve.take(Side.BUY, curve.capacity_lots(Side.BUY))
    assert emptied.capacity_lots(Side.BUY) <= 1
    assert emptied.capacity_lots(Side.SELL) > 0


def test_a_state_no_contract_can_hold_offers_nothing():
    """A tick that is not the price's, or a price of zero: no depth, no error."""
    for bad in (simple().moved(2**96, 10**12, 500), simple().moved(0, 1, 0)):
        curve = curve_of(bad)
        for side in Side:
            assert curve.capacity_lots(side) == 0
            assert curve.best_ticks(side) == 0
            assert curve.depth(side, 10**9) == (0, 0)
