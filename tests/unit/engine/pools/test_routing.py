"""The router against one swap per pool: what is shown can be had, within every bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.invariants import InvariantError
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.routing import PoolRouter
from actors.engine.pools.state import ConstantProduct, PoolState, PoolStatus
from actors.engine.units import Side

E18 = 10**18


def pool_spec(number: int) -> PoolSpec:
    address = f"0x{number}"
    return PoolSpec(
        f"ethereum:{address}", "Uniswap", "ethereum", "uniswap_v2", address, "0xb", "0xc",
        18, 6, 3000,
    )  # fmt: skip


SPEC = PairSpec(
    "vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1",
    pools=(pool_spec(0), pool_spec(1), pool_spec(2)),
)  # fmt: skip


def state(number: int, base: int, quote: int, status: PoolStatus = PoolStatus.LIVE) -> PoolState:
    curve = ConstantProduct.of(base, quote, 3, 1000)
    return PoolState(f"ethereum:0x{number}", status, curve, 1, 1)


def router(*reserves: tuple[int, int]) -> PoolRouter:
    made = PoolRouter(SPEC)
    for number, (base, quote) in enumerate(reserves):
        made.update(state(number, base, quote))
    return made


DEEP = (40_000_000 * E18, 120_000 * 10**6)
SHALLOW = (1_000_000 * E18, 3_010 * 10**6)

pool_reserves = st.tuples(st.integers(10**15, 10**27), st.integers(10**3, 10**14))
sides = st.sampled_from(list(Side))


@given(
    st.lists(pool_reserves, min_size=1, max_size=3),
    sides,
    st.integers(1, 10**9),
    st.integers(-5000, 5000),
)
def test_plan_any_pools_stays_within_size_and_bound(
    reserves: list[tuple[int, int]], side: Side, want: int, offset: int
):
    """Pieces add up to no more than wanted, each within the bound, each exactly one swap."""
    made = router(*reserves)
    bound = max(made.best_ticks(side) + offset, 1)
    plan = made.plan(side, want, bound)
    assert sum(piece.size_lots for piece in plan) <= want
    for piece in plan:
        worth = piece.price_ticks * piece.size_lots
        curve = made.curves()[piece.index]
        assert curve is not None
        assert piece.quote_raw == curve.quote_for(side, piece.size_lots)
        if side is Side.BUY:
            assert piece.quote_raw <= worth
            assert piece.price_ticks <= bound
        else:
            assert piece.quote_raw >= worth
            assert piece.price_ticks >= bound
        before = made.state(piece.pool_id)
        after = made.take(side, piece)
        assert before is not None
        assert before.curve is not None
        assert after.curve is not None
        grew = after.curve.reserve_quote - before.curve.reserve_quote
        assert grew == piece.quote_raw if side is Side.BUY else grew == -piece.quote_raw


def test_plan_more_than_enough_offered_takes_exactly_what_is_wanted():
    """Two pools share a large order so that both end near one price."""
    made = router(DEEP, SHALLOW)
    plan = made.plan(Side.BUY, 1_000_000, 10**6)
    assert sum(piece.size_lots for piece in plan) == 1_000_000
    assert {piece.index for piece in plan} == {0, 1}
    for piece in plan:
        made.take(Side.BUY, piece)
    ends = [curve.best_ticks(Side.BUY) for curve in made.curves() if curve]
    assert abs(ends[0] - ends[1]) <= 2


def test_plan_split_over_pools_is_cheaper_than_either_alone():
    """Sharing is worth it: the plan costs less than the deep pool asks for everything."""
    made = router(DEEP, DEEP)
    cost = sum(piece.quote_raw for piece in made.plan(Side.BUY, 4_000_000, 10**6))
    alone = router(DEEP).plan(Side.BUY, 4_000_000, 10**6)
    assert cost < sum(piece.quote_raw for piece in alone)


def test_plan_below_the_best_price_is_empty():
    """A bound the pools do not meet gets nothing."""
    made = router(DEEP)
    assert made.plan(Side.BUY, 10, made.best_ticks(Side.BUY) - 1) == []
    assert made.plan(Side.SELL, 10, made.best_ticks(Side.SELL) + 1) == []


@pytest.mark.parametrize("status", [PoolStatus.STALE, PoolStatus.DOWN])
def test_update_not_live_takes_the_depth_away(status: PoolStatus):
    """A stale pool keeps its state for the venues, and offers nothing."""
    made = router(DEEP)
    made.update(state(0, *DEEP, status))
    assert made.available(Side.BUY, 10**9) == 0
    assert made.best_ticks(Side.SELL) == 0
    assert made.states()[0].status is status


def test_update_unlisted_pool_breaks_the_invariant():
    """A pool of another pair never enters."""
    made = router()
    assert not made.knows("ethereum:0x9")
    with pytest.raises(InvariantError):
        made.update(state(9, *DEEP))


def test_copy_taken_from_leaves_the_original():
    """A look ahead changes nothing."""
    made = router(DEEP)
    twin = made.copy()
    twin.take(Side.BUY, twin.plan(Side.BUY, 1000, 10**6)[0])
    assert made.states() == [state(0, *DEEP)]
    assert twin.states() != made.states()


def test_take_a_pool_gone_stale_breaks_the_invariant():
    """A plan made before an update is not to be executed after it."""
    made = router(DEEP)
    piece = made.plan(Side.BUY, 1000, 10**6)[0]
    made.update(state(0, *DEEP, PoolStatus.STALE))
    with pytest.raises(InvariantError):
        made.take(Side.BUY, piece)


@given(
    st.lists(pool_reserves, min_size=1, max_size=3),
    sides,
    st.integers(1, 10**9),
    st.integers(0, 5000),
)
def test_prints_of_any_plan_come_to_the_pools_amount(
    reserves: list[tuple[int, int]], side: Side, want: int, offset: int
):
    """Two prices a tick apart make up what the pool asks, but for less than a tick of one lot."""
    made = router(*reserves)
    best = made.best_ticks(side)
    for piece in made.plan(side, want, best + offset if side is Side.BUY else best - offset):
        prints = piece.prints(side)
        assert sum(lots for lots, _ in prints) == piece.size_lots
        assert all(lots > 0 and price > 0 for lots, price in prints)
        assert prints[-1][1] == piece.price_ticks
        unit = SPEC.quote_raw_per_tick_lot
        excess = sum(lots * price for lots, price in prints) * unit - piece.quote_raw
        excess = excess if side is Side.BUY else -excess
        assert 0 <= excess < unit or (piece.price_ticks == 1 and excess >= 0)


def test_plan_before_the_last_bound_stops_at_the_marginal_price():
    """What is shown beyond the bound's marginal price is only taken when nothing else is tried."""
    made = router(DEEP)
    bound = made.best_ticks(Side.BUY) + 20
    early = made.plan(Side.BUY, 10**9, bound, last=False)[0]
    final = made.plan(Side.BUY, 10**9, bound)[0]
    curve = made.curves()[0]
    assert curve is not None
    assert early.size_lots == curve.depth(Side.BUY, bound)[0]
    assert early.size_lots <= final.size_lots == made.available(Side.BUY, bound)
