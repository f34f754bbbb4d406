"""Concentrated liquidity as a curve: Uniswap V3, Slipstream, Algebra, Raydium CLMM.

What a swap meets between two ticks is in `tick_road`; here it becomes base and quote. Depth ends
where the pool's window of known ticks ends, and never promises what lies beyond.
"""

from math import isqrt

from actors.engine.invariants import broken
from actors.engine.pools.curve import FINE, PoolGrid
from actors.engine.pools.lot_curve import LotCurve
from actors.engine.pools.plausibility import impossible_ticks
from actors.engine.pools.state import Concentrated
from actors.engine.pools.tick_math import tick_at
from actors.engine.pools.tick_road import Arrival, TickRoad
from actors.engine.units import PPM, RAW_MAX, Side

_BUY = Side.BUY


class ConcentratedCurve(LotCurve):
    """A `PoolCurve` over a window of ticks; see there for what each method means."""

    __slots__ = ("_fees", "_one", "_roads", "_usable", "state")

    def __init__(self, state: Concentrated, grid: PoolGrid) -> None:
        super().__init__(grid)
        self.state = state
        self._usable = not impossible_ticks(state)
        self._fees = (state.fee_of(Side.BUY), state.fee_of(Side.SELL))
        self._one = 1 << (128 if state.q64 else 192)
        self._roads: list[TickRoad | None] = [None, None]

    def amounts(self, side: Side, base: int) -> tuple[int, int]:
        """Return (in, out) of one swap of ``base``."""
        arrival = self._swapped(side, base)
        if arrival is None:
            broken(f"{base} of base asked of a pool whose known ticks do not hold so much")
        return arrival.paid, arrival.taken

    def lots_within(self, side: Side, fine_ticks: int) -> int:
        """Return the lots with a marginal price no worse than ``fine_ticks / FINE`` ticks.

        The window bounds them by itself; the capacity is only reckoned where the exchange could
        not count so many, for it walks the whole window.
        """
        if fine_ticks <= 0 or not self._usable:
            return 0
        grid = self._grid
        num = fine_ticks * grid.tick_lot_raw * grid.quote_num * grid.lot_den
        base = self.base_within(side, (num, grid.quote_den * grid.lot_num * FINE))
        lots = base * grid.lot_den // grid.lot_num
        if lots > 0 and max(lots * grid.lot_raw, lots * fine_ticks * grid.tick_lot_raw) > RAW_MAX:
            return min(lots, self.capacity_lots(side))
        return lots

    def has_lot(self, side: Side) -> bool:
        """Tell whether the smallest size can be traded, without a walk through the window."""
        base = self.base_of(side, self._grid.unit_lots)
        return self._usable and self._swapped(side, base) is not None

    def swap(self, side: Side, size_lots: int) -> tuple[int, int]:
        """Return (in, out) in the pool's units of one swap of ``size_lots`` > 0."""
        base = self.base_of(side, size_lots)
        if size_lots <= 0:
            broken(f"{size_lots} lots asked of a pool")
        return self.amounts(side, base) if base else (0, 0)

    def base_within(self, side: Side, price: tuple[int, int]) -> int:
        """Return the base up to the root of ``price``, once the fee is taken off."""
        num, one = price
        left = PPM - self._fees[side]
        num, one = (num * left, one * PPM) if side is _BUY else (num * PPM, one * left)
        if not self.state.base_is_token0:
            num, one = one, num
        squared = self._one * num
        if self._is_up(side):
            root = isqrt(squared // one)
        else:
            root = isqrt(max(-(-squared // one) - 1, 0)) + 1
        paid, taken = self._road(side).until(root)
        return taken if side is _BUY else paid

    def marginal(self, side: Side, base: int) -> tuple[int, int]:
        """Return the marginal price after a swap of ``base``."""
        arrival = self._swapped(side, base) if base else None
        root = arrival.root if arrival else self.state.sqrt_price
        price = (root * root, self._one)
        if not self.state.base_is_token0:
            price = price[1], price[0]
        left = PPM - self._fees[side]
        if side is _BUY:
            return price[0] * PPM, price[1] * left
        return price[0] * left, price[1] * PPM

    def take(self, side: Side, size_lots: int) -> "ConcentratedCurve":
        """Return the curve after one swap of ``size_lots``."""
        base = self.base_of(side, size_lots)
        if not base:
            return self
        arrival = self._swapped(side, base)
        if arrival is None:
            broken(f"{base} of base taken from a pool whose known ticks do not hold so much")
        tick = arrival.tick
        if tick is None:
            tick = tick_at(arrival.root, q64=self.state.q64)
        moved = self.state.moved(arrival.root, arrival.liquidity, tick)
        return ConcentratedCurve(moved, self._grid)

    def base_capacity(self, side: Side) -> int:
        """Return the base up to the end of the window, or up to what the exchange can count."""
        if not self._usable:
            return 0
        road, most = self._road(side), self.quote_most
        paid, taken = road.until(road.end_root)
        if side is _BUY:
            if paid <= most:
                return taken
            arrival = road.pay(most)
            return max(arrival.taken - 1, 0) if arrival else 0
        if taken <= most:
            return paid
        arrival = road.take(most)
        return max(arrival.paid - 1, 0) if arrival else 0

    def _swapped(self, side: Side, base: int) -> Arrival | None:
        if not self._usable:
            return None
        road = self._road(side)
        return road.take(base) if side is _BUY else road.pay(base)

    def _is_up(self, side: Side) -> bool:
        return (side is _BUY) is self.state.base_is_token0

    def _road(self, side: Side) -> TickRoad:
        road = self._roads[side]
        if road is None:
            road = TickRoad(self.state, self._fees[side], up=self._is_up(side))
            self._roads[side] = road
        return road
