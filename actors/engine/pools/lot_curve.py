"""What every pool curve does alike: the pair's lots, ticks and units around a pool's own amounts.

A curve itself (`constant_product`, `stable`, `concentrated`) reckons in the pool's raw units and
nothing else; here these become lots and raw quote units, rounded in the pool's favour.
"""

from abc import ABC, abstractmethod

from actors.engine.invariants import broken
from actors.engine.pools.curve import FINE, PoolGrid
from actors.engine.units import RAW_MAX, Side

_BUY = Side.BUY


class LotCurve(ABC):
    """A `PoolCurve` but for the mathematics, which a subclass gives in the pool's raw units.

    A *price* here is (numerator, denominator): raw quote units of the pool for one raw base unit,
    the pool's fee included.
    """

    __slots__ = ("_best", "_capacity", "_grid")

    def __init__(self, grid: PoolGrid) -> None:
        self._grid = grid
        self._best: list[int | None] = [None, None]
        self._capacity: list[int | None] = [None, None]

    # What a subclass gives.

    @abstractmethod
    def amounts(self, side: Side, base: int) -> tuple[int, int]:
        """Return (in, out) of one swap that takes exactly (BUY) or puts in (SELL) ``base`` > 0."""

    @abstractmethod
    def base_within(self, side: Side, price: tuple[int, int]) -> int:
        """Return the base that has a marginal price no worse than ``price`` (0 or less: none)."""

    @abstractmethod
    def marginal(self, side: Side, base: int) -> tuple[int, int]:
        """Return the marginal price after a swap of ``base``."""

    @abstractmethod
    def base_capacity(self, side: Side) -> int:
        """Return the most base that can be swapped, the quote for it being at most `quote_most`."""

    # What it gets.

    @property
    def quote_most(self) -> int:
        """The most quote of the pool that the exchange can count."""
        return RAW_MAX * self._grid.quote_num // self._grid.quote_den

    def base_of(self, side: Side, size_lots: int) -> int:
        """Return the pool's base for lots; part units go to the pool."""
        grid = self._grid
        if side is _BUY:
            return -(-size_lots * grid.lot_num // grid.lot_den)
        return size_lots * grid.lot_num // grid.lot_den

    def capacity_lots(self, side: Side) -> int:
        """Return the most lots that the pool can trade at all, at any price."""
        capacity = self._capacity[side]
        if capacity is None:
            grid = self._grid
            lots = self.base_capacity(side) * grid.lot_den // grid.lot_num
            capacity = self._capacity[side] = max(min(lots, RAW_MAX // grid.lot_raw), 0)
        return capacity

    def swap(self, side: Side, size_lots: int) -> tuple[int, int]:
        """Return (in, out) in the pool's units of one swap of ``size_lots`` > 0.

        Raises:
            InvariantError: the pool does not trade so many.
        """
        if not 0 < size_lots <= self.capacity_lots(side):
            broken(f"{size_lots} lots asked of a pool that trades {self.capacity_lots(side)}")
        base = self.base_of(side, size_lots)
        return self.amounts(side, base) if base else (0, 0)

    def quote_for(self, side: Side, size_lots: int) -> int:
        """Return the pair's raw quote units for ``size_lots``, rounded in the pool's favour."""
        if size_lots == 0:
            return 0
        grid = self._grid
        paid, taken = self.swap(side, size_lots)
        if side is _BUY:
            return -(-paid * grid.quote_den // grid.quote_num)
        return taken * grid.quote_den // grid.quote_num

    def lots_within(self, side: Side, fine_ticks: int) -> int:
        """Return the lots with a marginal price no worse than ``fine_ticks / FINE`` ticks."""
        capacity = self.capacity_lots(side)
        if fine_ticks <= 0 or not capacity:
            return 0
        grid = self._grid
        price = (
            fine_ticks * grid.tick_lot_raw * grid.quote_num * grid.lot_den,
            grid.quote_den * grid.lot_num * FINE,
        )
        base = self.base_within(side, price)
        if base <= 0:
            return 0
        return min(base * grid.lot_den // grid.lot_num, capacity)

    def depth(self, side: Side, limit_ticks: int) -> tuple[int, int]:
        """Return (lots, quote_raw) of all that has a marginal price no worse than a limit."""
        lots = self.lots_within(side, limit_ticks * FINE)
        if lots <= 0:
            return 0, 0
        quote = self.quote_for(side, lots)
        bound = limit_ticks * lots * self._grid.tick_lot_raw
        within = quote <= bound if side is _BUY else quote >= bound
        return (lots, quote) if within else (0, 0)

    def price_of(self, side: Side, size_lots: int, quote_raw: int) -> int:
        """Return the average price in ticks, rounded in the pool's favour."""
        unit = size_lots * self._grid.tick_lot_raw
        return -(-quote_raw // unit) if side is _BUY else quote_raw // unit

    def best_ticks(self, side: Side) -> int:
        """Return the price of the first lot: of its average and its marginal price the worse.

        Of a coarse pool the marginal price: one unit of rounding would hide all its depth.
        """
        best = self._best[side]
        if best is None:
            best = self._best[side] = self._find_best(side)
        return best

    def next_ticks(self, side: Side, done_lots: int) -> int:
        """Return the first price beyond ``done_lots`` that brings more; 0 where none does."""
        lots = done_lots + self._grid.unit_lots
        if lots > self.capacity_lots(side):
            return 0
        return self._ticks(side, self.marginal(side, self.base_of(side, lots)))

    def has_lot(self, side: Side) -> bool:
        """Tell whether the smallest size can be traded: a lot, or the lots in a coarse unit."""
        return self.capacity_lots(side) >= self._grid.unit_lots

    def _find_best(self, side: Side) -> int:
        if not self.has_lot(side):
            return 0
        grid = self._grid
        first = grid.unit_lots
        ticks = self._ticks(side, self.marginal(side, self.base_of(side, first)))
        if not grid.is_coarse:
            average = self.price_of(side, first, self.quote_for(side, first))
            ticks = max(ticks, average) if side is _BUY else min(ticks, average)
        if side is _BUY:
            return ticks if ticks <= grid.max_price_ticks else 0
        return min(ticks, grid.max_price_ticks)

    def _ticks(self, side: Side, price: tuple[int, int]) -> int:
        """Turn a price of the pool into ticks, rounded in the pool's favour."""
        grid = self._grid
        numerator = price[0] * grid.quote_den * grid.lot_num
        unit = price[1] * grid.tick_lot_raw * grid.quote_num * grid.lot_den
        return -(-numerator // unit) if side is _BUY else numerator // unit
