"""What every pool curve can do for the engine, and how pool units become the pair's.

`PoolCurve` is all that matching and the hybrid book know of a pool. No reserves, no formulas here;
what all curves share is in `lot_curve`.
"""

from typing import Final, Protocol

import msgspec

from actors.engine.pair_spec import PairSpec, PoolSpec
from actors.engine.pools.state import CurveState
from actors.engine.units import Side

FINE: Final = 1 << 20
"""Parts of a tick in which several pools are compared with each other (`PoolCurve.lots_within`)."""


class PoolGrid(msgspec.Struct, frozen=True, gc=False):
    """The exact ratios between a pool's raw units and a pair's lots, ticks and quote units.

    A pool and a pair may count the same token with different decimals (USDC has 6 on one chain and
    18 on another), so each ratio is a fraction of two whole numbers, one of which is a power of 10.

    Args:
        lot_num: with ``lot_den``, raw base units of the pool in one lot.
        quote_num: with ``quote_den``, raw quote units of the pool in the pair's raw unit.
        lot_raw: ``PairSpec.base_raw_per_lot``.
        tick_lot_raw: ``PairSpec.quote_raw_per_tick_lot``.
        max_price_ticks: no price above this is ever named.
    """

    lot_num: int
    lot_den: int
    quote_num: int
    quote_den: int
    lot_raw: int
    tick_lot_raw: int
    max_price_ticks: int

    @property
    def unit_lots(self) -> int:
        """The lots in one raw base unit of the pool, 1 where a lot is a unit or more."""
        return max(-(-self.lot_den // self.lot_num), 1)

    @property
    def is_coarse(self) -> bool:
        """True where a unit of one of the pool's tokens is more than a lot, or the pair's unit."""
        return self.lot_num < self.lot_den or self.quote_num < self.quote_den

    @classmethod
    def of(cls, spec: PairSpec, pool: PoolSpec) -> "PoolGrid":
        """Compute the ratios between a pair and one of its pools."""
        base_shift = pool.base_decimals - spec.base.decimals
        quote_shift = pool.quote_decimals - spec.quote.decimals
        return cls(
            lot_num=spec.base_raw_per_lot * 10 ** max(base_shift, 0),
            lot_den=10 ** max(-base_shift, 0),
            quote_num=10 ** max(quote_shift, 0),
            quote_den=10 ** max(-quote_shift, 0),
            lot_raw=spec.base_raw_per_lot,
            tick_lot_raw=spec.quote_raw_per_tick_lot,
            max_price_ticks=spec.max_price_ticks,
        )


class PoolCurve(Protocol):
    """One pool at one state, seen in the pair's lots, ticks and raw quote units. Immutable.

    ``side`` is always the taker's: BUY takes base out of the pool, SELL puts base in. All amounts
    include the pool's own fee. Rounding is the pool's (house's): asks up, bids down.
    """

    @property
    def state(self) -> CurveState:
        """The curve's state, as a `PoolState` carries it."""
        ...

    def capacity_lots(self, side: Side) -> int:
        """Return the most lots that the pool can trade at all, at any price."""
        ...

    def quote_for(self, side: Side, size_lots: int) -> int:
        """Return the pair's raw quote units that ``size_lots`` cost (BUY) or bring (SELL).

        One swap from this state: exactly what the pool itself would ask or pay. ``size_lots`` must
        not exceed `capacity_lots`. A sale of dust may bring 0.
        """
        ...

    def depth(self, side: Side, limit_ticks: int) -> tuple[int, int]:
        """Return (lots, quote_raw) of all that has a marginal price no worse than a limit.

        The average price is no worse either: the quote costs at most (brings at least)
        ``limit_ticks`` for each lot; nothing is offered where rounding alone would break that.
        """
        ...

    def lots_within(self, side: Side, fine_ticks: int) -> int:
        """Return the lots with a marginal price no worse than ``fine_ticks / FINE`` ticks."""
        ...

    def next_ticks(self, side: Side, done_lots: int) -> int:
        """Return the first price beyond ``done_lots`` that brings more; 0 where none does.

        It may name a price that still brings nothing for want of a whole lot; never one that skips
        any.
        """
        ...

    def best_ticks(self, side: Side) -> int:
        """Return the price at which the pool begins to trade; 0 where it has nothing to give.

        One lot can be had at it, unless the pool is coarse (`PoolGrid.is_coarse`): then a lot alone
        may cost a unit too much, and the price is that of more lots.
        """
        ...

    def take(self, side: Side, size_lots: int) -> "PoolCurve":
        """Return the curve after one swap of ``size_lots``, at the price of `quote_for`."""
        ...

    def price_of(self, side: Side, size_lots: int, quote_raw: int) -> int:
        """Return the average price of lots for an amount: up to a tick for BUY, down for SELL."""
        ...
