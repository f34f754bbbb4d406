"""How an order takes from the pools of a market: `PoolRouter`, the pools' part of matching.

The engine holds one router per market, beside its book. Matching interleaves the two:

    while remaining:
        bound = order limit, made one tick better than the best opposite book price if there is one
                within the limit (the book goes first at the same price; skip this for dex orders)
        for piece in router.plan(side, remaining, bound, last=no book level is within the limit):
            state = router.take(side, piece)      # the pool's new virtual state: emit PoolChanged
            ... a Traded for each of piece.prints(side), venue=piece.pool_id
        if remaining: match the best book level, or stop where there is none within the limit

A plan is one piece per pool however many ticks it crosses. Every pool is taken to one marginal
price, so that the whole costs least (`splitting`): the bound where that is not more than is wanted.
At the last bound an order also gets what the pools' ladders show up to it: levels whose average is
within the limit though their last lots alone would not be.

`plan` changes nothing. To look ahead over several bounds (fill-or-kill, the cost of a market
order) run the same loop on `copy()`, which is cheap.
"""

from copy import copy

import msgspec

from actors.engine.invariants import broken, invariant
from actors.engine.pair_spec import PairSpec
from actors.engine.pools.curve import FINE, PoolCurve, PoolGrid
from actors.engine.pools.kinds import live_curve
from actors.engine.pools.ladder import PriceGrid, offered
from actors.engine.pools.splitting import offers, share
from actors.engine.pools.state import PoolState
from actors.engine.units import Side


class PoolPiece(msgspec.Struct, frozen=True, gc=False):
    """What an order takes of one pool in one swap.

    ``quote_raw`` is exactly what the pool asks or pays, its fee included. A price is a whole number
    of ticks, so a swap is printed at two: ``better_lots`` of it one tick better than
    ``price_ticks``, which is the average rounded against the taker and always within the bound.
    So the prints come to the pool's amount but for less than a tick of one lot, in its favour.
    """

    index: int
    pool_id: str
    size_lots: int
    quote_raw: int
    price_ticks: int
    better_lots: int = 0

    def prints(self, side: Side) -> tuple[tuple[int, int], ...]:
        """Return (size_lots, price_ticks) of the trades to print, the better price first."""
        rest = (self.size_lots - self.better_lots, self.price_ticks)
        if not self.better_lots:
            return (rest,)
        price = self.price_ticks - 1 if side is Side.BUY else self.price_ticks + 1
        return (self.better_lots, price), rest


class PoolRouter:
    """The pools of one market at their virtual states; only LIVE ones offer anything."""

    def __init__(self, spec: PairSpec) -> None:
        self._spec = spec
        self._index = {pool.pool_id: at for at, pool in enumerate(spec.pools)}
        self._units = [PoolGrid.of(spec, pool) for pool in spec.pools]
        self._states: list[PoolState | None] = [None] * len(spec.pools)
        self._curves: list[PoolCurve | None] = [None] * len(spec.pools)
        self.grid = PriceGrid(spec)

    def knows(self, pool_id: str) -> bool:
        """Say whether the pair lists this pool; an update of any other must be refused."""
        return pool_id in self._index

    def units(self, pool_id: str) -> PoolGrid | None:
        """Return the ratios between a pool's units and the pair's; None for an unlisted pool."""
        return self._units[self._index[pool_id]] if pool_id in self._index else None

    def state(self, pool_id: str) -> PoolState | None:
        """Return a pool's virtual state, or None before the first word of its feed."""
        return self._states[self._index[pool_id]]

    def states(self) -> list[PoolState]:
        """Return the virtual states known so far, in the order of ``PairSpec.pools``."""
        return [state for state in self._states if state is not None]

    def update(self, state: PoolState) -> None:
        """Take a feed's word (or a snapshot's): it replaces the virtual state.

        Raises:
            InvariantError: the pair does not list this pool; ask `knows` first.
        """
        invariant(state.pool_id in self._index, f"pool {state.pool_id} is not listed")
        at = self._index[state.pool_id]
        self._states[at] = state
        self._curves[at] = live_curve(state, self._units[at])

    def curves(self) -> list[PoolCurve | None]:
        """Return the live curves in the order of ``PairSpec.pools``; None where one is not live."""
        return self._curves

    def copy(self) -> "PoolRouter":
        """Return a router that can be taken from without changing this one."""
        twin = copy(self)
        twin._states, twin._curves = self._states.copy(), self._curves.copy()  # noqa: SLF001
        return twin

    def best_ticks(self, side: Side) -> int:
        """Return the best price at which a taker of ``side`` gets one lot; 0 where none does."""
        prices = [price for curve in self._curves if curve and (price := curve.best_ticks(side))]
        if not prices:
            return 0
        return min(prices) if side is Side.BUY else max(prices)

    def available(self, side: Side, bound_ticks: int) -> int:
        """Return the lots that all live pools together offer at ``bound_ticks`` or better."""
        return sum(
            offered(curve, self.grid, side, bound_ticks) if curve else 0 for curve in self._curves
        )

    def plan(
        self, side: Side, want_lots: int, bound_ticks: int, *, last: bool = True
    ) -> list[PoolPiece]:
        """Split up to ``want_lots`` over the pools at ``bound_ticks`` or better; best price first.

        Empty where the pools offer nothing within the bound. ``last`` says that nothing else is
        tried after this bound, so that levels shown within it are taken whole.
        """
        sizes = offers(self._curves, side, bound_ticks * FINE)
        offer = sum(sizes)
        if offer > want_lots:
            sizes = share(self._curves, side, want_lots, bound_ticks)
        elif last and offer < want_lots:
            sizes = self._with_shown(side, sizes, want_lots - offer, bound_ticks)
        pieces = [
            piece
            for at, lots in enumerate(sizes)
            if lots and (piece := self._piece(side, at, lots, bound_ticks))
        ]
        pieces.sort(key=lambda piece: piece.price_ticks, reverse=side is Side.SELL)
        return pieces

    def take(self, side: Side, piece: PoolPiece) -> PoolState:
        """Swap a planned piece against its pool, and return the pool's new virtual state.

        The piece must come from `plan` at the present states; pieces of one plan may all be taken.
        """
        curve, state = self._curves[piece.index], self._states[piece.index]
        if curve is None or state is None:
            broken(f"pool {piece.pool_id} is not live, nothing can be taken from it")
        after = curve.take(side, piece.size_lots)
        self._curves[piece.index] = after
        state = msgspec.structs.replace(state, curve=after.state)
        self._states[piece.index] = state
        return state

    def _with_shown(self, side: Side, sizes: list[int], rest: int, bound_ticks: int) -> list[int]:
        """Add what the ladders show within the bound, up to ``rest`` lots in all."""
        for at, curve in enumerate(self._curves):
            if curve and rest:
                more = min(max(offered(curve, self.grid, side, bound_ticks) - sizes[at], 0), rest)
                sizes[at] += more
                rest -= more
        return sizes

    def _piece(self, side: Side, at: int, lots: int, bound_ticks: int) -> PoolPiece | None:
        """Price a part of a plan; None where rounding alone puts it beyond the bound.

        Of a pool whose units are coarser than lots only whole units are worth their price.
        """
        whole = lots - lots % self._units[at].unit_lots
        piece = self._priced(side, at, lots, bound_ticks)
        if piece is None and 0 < whole < lots:
            return self._priced(side, at, whole, bound_ticks)
        return piece

    def _priced(self, side: Side, at: int, lots: int, bound_ticks: int) -> PoolPiece | None:
        curve = self._curves[at]
        if curve is None:
            return None
        quote = curve.quote_for(side, lots)
        price = curve.price_of(side, lots, quote)
        unit = self._spec.quote_raw_per_tick_lot
        if side is Side.BUY:
            within, spare = price <= bound_ticks, (price * lots * unit - quote) // unit
            spare = spare if price > 1 else 0
        else:
            within, spare = price >= max(bound_ticks, 1), (quote - price * lots * unit) // unit
        if not within:
            return None
        return PoolPiece(at, self._spec.pools[at].pool_id, lots, quote, price, spare)
