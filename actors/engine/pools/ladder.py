"""One pool as price levels: what a taker sees of a curve, and what an order may take of it.

A ladder starts at the pool's best price and goes on from one point of the pair's price grid to the
next. A level holds the lots between two points; its price is the average of exactly these lots,
from the difference of the pool's two cumulative quotes, rounded for the house (asks up, bids
down). So the first k levels together are one swap, and never cheaper than the pool sells it.

`offered` is the same ladder from the taker's end: an order with a limit gets every level that
shows a price within the limit, and of the next level what the pool gives up to the limit itself.
What is shown can be traded, and what can be traded is never better than what the pool pays.
"""

from collections.abc import Iterator
from typing import Final

from actors.engine.pair_spec import PairSpec
from actors.engine.pools.curve import PoolCurve
from actors.engine.units import PPM, Side

_SEGMENT_BITS: Final = 5
"""Points are evenly spaced while a price's first five bits stay: at most 3 % of price."""


class PriceGrid:
    """The ladder points of a pair: the same for every pool, computed in place, nothing stored.

    A point lies ``ladder_step_ppm`` above the one before, at least one tick: the step is taken of
    the price with all but its first five bits cleared (and each such round price is a point), so
    spacing follows price within 3 % and any price finds its neighbours without a table.
    """

    def __init__(self, spec: PairSpec) -> None:
        self._step_ppm = spec.ladder_step_ppm

    def at_or_below(self, ticks: int) -> int:
        """Return the last point that is not above ``ticks``; 0 below the first, which is 1."""
        if ticks < 1:
            return 0
        start, step, _ = self._segment(ticks)
        return start + (ticks - start) // step * step

    def above(self, ticks: int) -> int:
        """Return the first point above ``ticks``."""
        if ticks < 1:
            return 1
        start, step, end = self._segment(ticks)
        return min(start + ((ticks - start) // step + 1) * step, end)

    def below(self, ticks: int) -> int:
        """Return the last point below ``ticks``; 0 where there is none."""
        return self.at_or_below(ticks - 1)

    def at_or_above(self, ticks: int) -> int:
        """Return the first point that is not below ``ticks``."""
        return self.above(ticks - 1)

    def next_from(self, side: Side, ticks: int) -> int:
        """Return the next point away from the best price; 0 where a bid ladder ends."""
        return self.above(ticks) if side is Side.BUY else self.below(ticks)

    def _segment(self, ticks: int) -> tuple[int, int, int]:
        """Return (start, step, end) of the evenly spaced stretch that holds ``ticks``."""
        shift = max(ticks.bit_length() - _SEGMENT_BITS, 0)
        start = ticks >> shift << shift
        return start, max(-(-start * self._step_ppm // PPM), 1), start + (1 << shift)


def levels(
    curve: PoolCurve, grid: PriceGrid, side: Side, max_price_ticks: int
) -> Iterator[tuple[int, int]]:
    """Yield (price_ticks, size_lots) best first, lazily, until the pool or the prices end.

    ``side`` is the taker's: BUY yields asks (rising prices), SELL bids (falling prices).
    """
    point = curve.best_ticks(side)
    done_lots = done_quote = last_price = 0
    while 0 < point <= max_price_ticks:
        lots, quote = curve.depth(side, point)
        if lots > done_lots:
            price = curve.price_of(side, lots - done_lots, quote - done_quote)
            if last_price:  # a unit of rounding must not put two levels at one price
                price = max(price, last_price + 1) if side is Side.BUY else price
                price = min(price, last_price - 1) if side is Side.SELL else price
            if price <= 0:
                return
            yield price, lots - done_lots
            done_lots, done_quote, last_price = lots, quote, price
            point = grid.next_from(side, point)
        else:
            point = _further(curve, grid, side, point, done_lots)


def _further(curve: PoolCurve, grid: PriceGrid, side: Side, point: int, done_lots: int) -> int:
    """Return the next point that may bring more, past a gap of the pool's liquidity; 0 for none."""
    price = curve.next_ticks(side, done_lots)
    if price <= 0:
        return 0
    if side is Side.BUY:
        return max(grid.at_or_above(price), grid.above(point))
    return min(grid.at_or_below(price), grid.below(point))


def offered(curve: PoolCurve, grid: PriceGrid, side: Side, limit_ticks: int) -> int:
    """Return the lots that an order may take of a pool at ``limit_ticks`` or better."""
    best = curve.best_ticks(side)
    if best == 0 or (limit_ticks < best if side is Side.BUY else limit_ticks > best):
        return 0
    marginal, _ = curve.depth(side, limit_ticks)
    if side is Side.BUY:
        inner = max(best, grid.below(limit_ticks))
        outer = grid.at_or_above(limit_ticks)
    else:
        inner = min(best, grid.above(limit_ticks))
        outer = grid.at_or_below(limit_ticks)
    lots, quote = curve.depth(side, outer)
    before_lots, before_quote = curve.depth(side, inner)
    if lots <= max(marginal, before_lots):
        return marginal
    price = curve.price_of(side, lots - before_lots, quote - before_quote)
    whole = price <= limit_ticks if side is Side.BUY else price >= limit_ticks
    return lots if whole else marginal
