"""The hybrid book: resting orders and the virtual depth of pools, merged into one list of levels.

Every LIVE pool contributes its ladder (`pools.ladder`); levels of one price become one, with what
each source adds to it. The order book is the source "", a pool is its ``pool_id``. The ladders are
kept until a pool's state changes, so a change of the book alone costs one merge.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from actors.engine.pair_spec import PairSpec
from actors.engine.pools.curve import PoolCurve, PoolGrid
from actors.engine.pools.kinds import live_curve
from actors.engine.pools.ladder import PriceGrid, levels
from actors.engine.pools.state import PoolState
from actors.engine.units import Side

HybridLevel = tuple[int, int, tuple[tuple[str, int], ...]]
"""(price_ticks, size_lots, ((source, size_lots), ...)): sizes of the sources add up to the size."""


class _Ladder:
    """One side of one pool, made as far as it was asked for."""

    __slots__ = ("_made", "_rest")

    def __init__(self, rest: Iterator[tuple[int, int]]) -> None:
        self._made: list[tuple[int, int]] = []
        self._rest = rest

    def first(self, count: int) -> list[tuple[int, int]]:
        """Return at least ``count`` levels, fewer only where the pool has no more."""
        missing = count - len(self._made)
        if missing > 0:
            self._made.extend(islice(self._rest, missing))
        return self._made[:count]


class HybridDepth:
    """The pools of one market as levels, ready to be merged with its book."""

    def __init__(self, spec: PairSpec) -> None:
        self._spec = spec
        self._grid = PriceGrid(spec)
        self._units = {pool.pool_id: PoolGrid.of(spec, pool) for pool in spec.pools}
        self._states: dict[str, PoolState] = {}
        self._ladders: dict[str, tuple[_Ladder, _Ladder]] = {}

    def update(self, state: PoolState) -> None:
        """Take a pool's new state; its ladders are made again when they are next read.

        Pools that the pair does not list (any more) are passed over.
        """
        units = self._units.get(state.pool_id)
        if units is None:
            return
        self._states[state.pool_id] = state
        curve = live_curve(state, units)
        if curve is None:
            self._ladders.pop(state.pool_id, None)
        else:
            self._ladders[state.pool_id] = (
                self._ladder(curve, Side.BUY),
                self._ladder(curve, Side.SELL),
            )

    def states(self) -> list[PoolState]:
        """Return the known states in the order of ``PairSpec.pools``."""
        return [self._states[pool_id] for pool_id in self._units if pool_id in self._states]

    def levels(
        self, side: Side, book: Iterable[tuple[int, int]], depth: int | None = None
    ) -> list[HybridLevel]:
        """Merge one side of the book with the pools, best price first.

        Args:
            side: the side of the levels: BUY for bids, SELL for asks.
            book: the resting levels of that side, (price_ticks, size_lots), in any order.
            depth: at least so many levels, where book and pools have them; None for the whole book
                and ``PairSpec.ladder_levels`` of each pool. Further levels may follow: it is a
                minimum.
        """
        count = max(self._spec.ladder_levels, depth or 0)
        merged: dict[int, list[tuple[str, int]]] = {price: [("", size)] for price, size in book}
        for pool_id in self._units:
            ladders = self._ladders.get(pool_id)
            if ladders is None:
                continue
            for price, size in ladders[side.opposite].first(count):
                source = merged.get(price)
                if source is None:
                    merged[price] = [(pool_id, size)]
                else:
                    source.append((pool_id, size))
        prices = sorted(merged, reverse=side is Side.BUY)
        if depth is not None:
            del prices[count:]
        return [_level(price, merged[price]) for price in prices]

    def _ladder(self, curve: PoolCurve, side: Side) -> _Ladder:
        return _Ladder(levels(curve, self._grid, side, self._spec.max_price_ticks))


def _level(price_ticks: int, sources: list[tuple[str, int]]) -> HybridLevel:
    return price_ticks, sum(size for _, size in sources), tuple(sources)
