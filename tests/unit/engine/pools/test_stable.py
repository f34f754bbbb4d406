"""Stable pools against the contracts' loops written out, and against search by trial."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.invariants import InvariantError
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.stable import StableCurve
from actors.engine.pools.state import Stable, StableRule
from actors.engine.units import Side
from tests.naive_pools import least, stable_out

E18 = 10**18
SPEC = PairSpec("usda", AssetSpec("USDA", 6), AssetSpec("USDC", 6), "0.0001", "0.01")
sides = st.sampled_from(list(Side))
decimals = st.sampled_from([2, 6, 8, 18])


@st.composite
def stables(draw: st.DrawFn) -> Stable:
    """Pools from balanced to lopsided, of both rules, token orders and fees."""
    places = draw(st.tuples(decimals, decimals))
    whole = draw(st.integers(100, 10**9))
    skew = draw(st.integers(1, 2000))
    reserves = (
        whole * 10 ** places[0] + draw(st.integers(0, 10 ** places[0])),
        whole * skew * 10 ** places[1] // 200 + 1,
    )
    rule = draw(st.sampled_from(list(StableRule)))
    fee, den = (5, 10_000) if rule is StableRule.SOLIDLY else (draw(st.integers(0, 2000)), 100_000)
    state = msgspec.structs.replace(
        Stable.of(reserves, places, fee, den),
        rule=rule,
        base_is_token0=draw(st.booleans()),
        owner_share=draw(st.sampled_from([0, 50_000])),
    )
    return state if draw(st.booleans()) else msgspec.structs.replace(state, sell_fee_num=fee // 2)


def curve_of(state: Stable) -> StableCurve:
    pool = PoolSpec(
        "base:0x1", "Aerodrome", "base", "aerodrome_stable", "0x1", "0xb", "0xc",
        state.base_decimals, state.quote_decimals, 500,
    )  # fmt: skip
    return StableCurve(state, PoolGrid.of(SPEC, pool))


def expected_out(state: Stable, side: Side, amount_in: int) -> int:
    """Ask the contract's loop, in the contract's token order."""
    net = amount_in - amount_in * state.fee_of(side) // state.fee_den
    reserves = (state.reserve_base, state.reserve_quote)
    units = (10**state.base_decimals, 10**state.quote_decimals)
    if not state.base_is_token0:
        reserves, units = reserves[::-1], units[::-1]
    zero_in = (side is Side.SELL) is state.base_is_token0
    camelot = state.rule is StableRule.CAMELOT
    return stable_out(net, reserves, units, zero_in=zero_in, camelot=camelot)


@given(stables(), st.data())
def test_sale_of_any_size_is_get_amount_out(state: Stable, data: st.DataObject):
    """Base in, quote out: the contract's answer to the unit, the loop's odd corner included."""
    amount = data.draw(st.integers(1, state.reserve_base))
    assert curve_of(state).amounts(Side.SELL, amount) == (
        amount,
        max(expected_out(state, Side.SELL, amount), 0),
    )


@given(stables(), st.data())
def test_purchase_of_any_size_is_the_least_input_that_brings_it(state: Stable, data: st.DataObject):
    """One unit less brings less; searched by trial, from nothing, as no formula would."""
    curve = curve_of(state)
    most = curve.base_capacity(Side.BUY)
    if most <= 0:
        return
    wanted = data.draw(st.integers(1, most))
    paid, taken = curve.amounts(Side.BUY, wanted)
    assert taken == wanted
    assert expected_out(state, Side.BUY, paid) >= wanted
    assert paid == 1 or expected_out(state, Side.BUY, paid - 1) < wanted
    if state.rule is StableRule.SOLIDLY:
        assert paid == least(lambda amount: expected_out(state, Side.BUY, amount) >= wanted)


@given(stables(), sides, st.integers(1, 500))
def test_depth_any_limit_is_paid_for_and_ends_at_the_limit(state: Stable, side: Side, offset: int):
    """The average is within the limit; a hundredth of a tick further, the price is beyond it."""
    curve = curve_of(state)
    best = curve.best_ticks(side)
    if not best:
        return
    limit = best + offset if side is Side.BUY else max(best - offset, 1)
    lots, cost = curve.depth(side, limit)
    if not lots:
        return
    assert cost == curve.quote_for(side, lots)
    assert cost <= limit * lots if side is Side.BUY else cost >= limit * lots
    more = lots + lots // 1000 + 1000
    # One unit of a coarse reserve moves the price further than the lots that were added.
    fine = min(state.reserve_base, state.reserve_quote) >= 10**7
    if fine and more < curve.capacity_lots(side):
        num, one = curve.marginal(side, curve.base_of(side, more))
        units = curve._grid
        marginal = num * units.quote_den * units.lot_num
        bound = limit * one * units.tick_lot_raw * units.quote_num * units.lot_den
        assert marginal >= bound if side is Side.BUY else marginal <= bound


@given(stables(), sides, st.data())
def test_take_any_size_moves_the_reserves_by_it(state: Stable, side: Side, data: st.DataObject):
    """The reserves change by the swap, less what leaves as fee."""
    curve = curve_of(state)
    capacity = curve.capacity_lots(side)
    if capacity == 0:
        return
    lots = data.draw(st.integers(1, capacity))
    paid, taken = curve.swap(side, lots)
    after = curve.take(side, lots).state
    fee = paid * state.fee_of(side) // state.fee_den
    if state.rule is StableRule.CAMELOT:
        fee = paid * 100_000 * state.owner_share * state.fee_of(side) // 10**15
    into = after.reserve_quote - state.reserve_quote
    out = state.reserve_base - after.reserve_base
    if side is Side.SELL:
        into, out = (
            after.reserve_base - state.reserve_base,
            state.reserve_quote - after.reserve_quote,
        )
    if paid:
        assert (into, out) == (paid - fee, taken)
    assert min(after.reserve_base, after.reserve_quote) > 0


@given(stables(), sides, st.data())
def test_take_part_by_part_is_never_cheaper_than_one_swap(
    state: Stable, side: Side, data: st.DataObject
):
    """Splitting gains at most a unit of each token: a fee of less than one is not taken."""
    curve = curve_of(state)
    capacity = curve.capacity_lots(side)
    if capacity < 2:
        return
    total = data.draw(st.integers(2, capacity))
    first = data.draw(st.integers(1, total - 1))
    after = curve.take(side, first)
    if after.capacity_lots(side) < total - first:
        return
    split = curve.quote_for(side, first) + after.quote_for(side, total - first)
    whole = curve.quote_for(side, total)
    units = curve._grid
    base_units = max(curve.base_of(side, total), 1)
    noise = 10 + 2 * units.quote_den // units.quote_num + 3 * whole // base_units
    assert split >= whole - noise if side is Side.BUY else split <= whole + noise


def test_balanced_pool_trades_at_one_and_the_fee():
    """Five million a side: 1.0000 with 5 bps."""
    curve = curve_of(Stable.of((5_000_000 * E18, 5_000_000 * 10**6), (18, 6), 5, 10_000))
    assert [curve.best_ticks(side) for side in Side] == [10_006, 9_994]
    assert 10_005 * 10**7 < curve.quote_for(Side.BUY, 10**7) < 10_007 * 10**7


@pytest.mark.parametrize(
    "state",
    [
        Stable.of((0, 5), (6, 6), 5, 10_000),
        Stable.of((1, 1), (6, 6), 5, 10_000),
        Stable.of((10**3, 10**3), (18, 18), 5, 10_000),
        Stable.of((2**127, 2**127), (0, 18), 5, 10_000),
        Stable.of((10**12, 10**12), (6, 6), 10_000, 10_000),
    ],
)
def test_unusable_pool_offers_nothing(state: Stable):
    """Empty, too small for its rounding, too large for its arithmetic, or all fee."""
    curve = curve_of(state)
    for side in Side:
        assert curve.capacity_lots(side) == 0
        assert curve.best_ticks(side) == 0
        assert curve.depth(side, 10**9) == (0, 0)


def test_quote_for_more_than_the_capacity_breaks_the_invariant():
    """Nobody may ask for what the pool does not have."""
    curve = curve_of(Stable.of((10**12, 10**12), (6, 6), 5, 10_000))
    with pytest.raises(InvariantError):
        curve.quote_for(Side.BUY, curve.capacity_lots(Side.BUY) + 1)
