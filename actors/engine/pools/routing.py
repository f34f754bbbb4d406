"""How an order takes from the pools of a market: `PoolRouter`, the pools' part of matching.

The engine holds one router per market, beside its book. Matching interleaves the two:

    while remaining:
        bound = order limit, made one tick better than the best opposite book price if there is one
                within the limit (the book goes first at the same price; skip this for dex orders)
        for piece in router.plan(side, remaining, bound):
            state = router.take(side, piece)      # the pool's new virtual state: emit PoolChanged
            ... Traded(price_ticks=piece.price_ticks, size_lots=piece.size_lots,
                       quote_raw=piece.quote_raw, venue=piece.pool_id, ...)
        if remaining: match the best book level, or stop where there is none within the limit

A plan is one piece per pool however many ticks it crosses: as much of every pool as is offered up
to the bound, or, where that is more than is wanted, up to the price at which it is enough. So an
order makes at most (pools x crossed book levels) pool fills, and every pool ends near one price.

`plan` changes nothing. To look ahead over several bounds (fill-or-kill, the cost of a market
order) run the same loop on `copy()`, which is cheap.
"""

from copy import copy

import msgspec

from actors.engine.invariants import broken, invariant
from actors.engine.pair_spec import PairSpec
from actors.engine.pools.curve import PoolCurve, PoolGrid
from actors.engine.pools.kinds import live_curve
from actors.engine.pools.ladder import PriceGrid, offered
from actors.engine.pools.state import PoolState
from actors.engine.units import Side


class PoolPiece(msgspec.Struct, frozen=True, gc=False):
    """What an order takes of one pool in one swap.

    ``quote_raw`` is exactly what the pool asks or pays, its fee included. ``price_ticks`` is the
    average, rounded against the taker (up for a buy, down for a sale) and always within the bound:
    ``quote_raw <= price_ticks * size_lots * tick_lot_raw`` for a buy, ``>=`` for a sale.
    """

    index: int
    pool_id: str
    size_lots: int
    quote_raw: int
    price_ticks: int


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
        return sum(self._offers(side, bound_ticks))

    def plan(self, side: Side, want_lots: int, bound_ticks: int) -> list[PoolPiece]:
        """Split up to ``want_lots`` over the pools at ``bound_ticks`` or better; best price first.

        Empty where the pools offer nothing within the bound.
        """
        sizes = self._offers(side, bound_ticks)
        if sum(sizes) > want_lots:
            sizes = self._fit(side, want_lots, bound_ticks)
        pieces = []
        for at, lots in enumerate(sizes):
            curve = self._curves[at]
            if not lots or curve is None:
                continue
            quote = curve.quote_for(side, lots)
            price = curve.price_of(side, lots, quote)
            # Part of an offer may cost a unit more than its share; then it is not within.
            within = price <= bound_ticks if side is Side.BUY else price >= max(bound_ticks, 1)
            if within:
                pieces.append(PoolPiece(at, self._spec.pools[at].pool_id, lots, quote, price))
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

    def _offers(self, side: Side, bound_ticks: int) -> list[int]:
        return [
            offered(curve, self.grid, side, bound_ticks) if curve else 0 for curve in self._curves
        ]

    def _fit(self, side: Side, want_lots: int, bound_ticks: int) -> list[int]:
        """Find the best price at which the pools offer enough, and cut what it offers too much."""
        best = self.best_ticks(side)
        good, bad = bound_ticks, best - 1 if side is Side.BUY else best + 1
        while abs(good - bad) > 1:
            middle = (good + bad) // 2
            if self.available(side, middle) >= want_lots:
                good = middle
            else:
                bad = middle
        sizes = self._offers(side, bad)
        rest = want_lots - sum(sizes)
        for at, lots in enumerate(self._offers(side, good)):
            more = min(max(lots - sizes[at], 0), rest)
            sizes[at] += more
            rest -= more
        return sizes
