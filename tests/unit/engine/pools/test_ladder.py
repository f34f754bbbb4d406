"""A pool's ladder against its curve: what is shown is never too cheap, and can be had."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.constant_product import ConstantProductCurve
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.ladder import PriceGrid, levels, offered
from actors.engine.pools.state import ConstantProduct
from actors.engine.units import Side

E18 = 10**18
SPEC = PairSpec("vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1")
POOL = PoolSpec(
    "ethereum:0x1", "Uniswap", "ethereum", "uniswap_v2", "0x1", "0xb", "0xc", 18, 6, 3000
)
UNITS = PoolGrid.of(SPEC, POOL)
GRID = PriceGrid(SPEC)
DEEP = ConstantProductCurve(ConstantProduct.of(40_000_000 * E18, 120_000 * 10**6, 3, 1000), UNITS)

sides = st.sampled_from(list(Side))
curves = st.builds(
    lambda base, quote: ConstantProductCurve(ConstantProduct.of(base, quote, 3, 1000), UNITS),
    st.integers(10**15, 10**27),
    st.integers(10**3, 10**14),
)


def test_price_grid_points_rise_by_a_step_and_at_least_a_tick():
    """Low prices go tick by tick, high ones by 500 ppm."""
    assert [GRID.above(0), GRID.above(1), GRID.above(1999)] == [1, 2, 2000]
    assert 480_000 < GRID.above(10**9) - GRID.at_or_below(10**9) < 500_001
    assert GRID.below(1) == 0
    assert GRID.at_or_below(GRID.above(5000)) == GRID.above(5000) == GRID.at_or_above(5001)


@given(st.integers(1, 10**15))
def test_price_grid_neighbours_of_any_price_agree(ticks: int):
    """Going up from a point and down again comes back to it."""
    point = GRID.at_or_below(ticks)
    assert point <= ticks < GRID.above(point)
    assert GRID.below(GRID.above(point)) == point
    assert GRID.at_or_above(ticks) in {point, GRID.above(point)}


@given(curves, sides)
def test_levels_of_any_pool_are_one_swap_and_strictly_ordered(
    curve: ConstantProductCurve, side: Side
):
    """Prices never repeat; the first k levels are never cheaper than one swap."""
    lots = cost = 0
    last = 0
    for price, size in islice(levels(curve, GRID, side, 10**15), 60):
        assert size > 0
        assert not last or (price > last if side is Side.BUY else price < last)
        lots, cost, last = lots + size, cost + price * size, price
        quote = curve.quote_for(side, lots)
        assert cost >= quote if side is Side.BUY else cost <= quote


@given(curves, sides, st.integers(1, 80))
def test_offered_at_any_level_is_at_least_what_the_ladder_shows(
    curve: ConstantProductCurve, side: Side, depth: int
):
    """An order at a shown price gets every level up to it, but for a rounding unit of dust."""
    shown = 0
    for price, size in islice(levels(curve, GRID, side, 10**15), depth):
        shown += size
        if size > 1000:
            assert offered(curve, GRID, side, price) >= shown


def test_offered_below_the_best_price_is_nothing():
    """A limit the pool does not meet gets nothing, on either side."""
    assert offered(DEEP, GRID, Side.BUY, DEEP.best_ticks(Side.BUY) - 1) == 0
    assert offered(DEEP, GRID, Side.SELL, DEEP.best_ticks(Side.SELL) + 1) == 0
    assert offered(DEEP, GRID, Side.BUY, 0) == 0


@given(curves, sides, st.integers(-3000, 3000), st.integers(0, 3000))
def test_offered_at_a_worse_limit_is_never_less(
    curve: ConstantProductCurve, side: Side, offset: int, worse: int
):
    """More is offered, or as much, to whoever pays more; all of it within the limit on average."""
    limit = max(curve.best_ticks(side) + offset, 1)
    further = limit + worse if side is Side.BUY else max(limit - worse, 1)
    lots = offered(curve, GRID, side, limit)
    dust = 1000  # below it a unit of rounding may close an offer
    assert offered(curve, GRID, side, further) >= lots or lots < dust
    if lots:
        cost = curve.quote_for(side, lots)
        assert cost <= limit * lots + lots if side is Side.BUY else cost >= limit * lots - lots


def test_levels_of_a_pool_that_ends_stop():
    """The bids of a pool end where one lot is worth less than a tick, its asks at the reserve."""
    curve = ConstantProductCurve(ConstantProduct.of(1000 * E18, 10**4, 3, 1000), UNITS)
    bids = list(levels(curve, GRID, Side.SELL, 10**15))
    asks = list(levels(curve, GRID, Side.BUY, 10**6))
    assert bids[-1][0] >= 1
    assert sum(size for _, size in asks) < 1000
    assert max(price for price, _ in asks) <= 10**6
