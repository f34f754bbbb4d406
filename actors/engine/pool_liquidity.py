"""The pools beside a book, as matching sees them: the best price, and a slice up to a limit.

What lives here: which pools count, their curves, and the virtual state our own fills leave. What
does not: any formula (`pools.curve`), any order.
"""

from typing import NamedTuple

from actors.engine.invariants import invariant
from actors.engine.pair_spec import PairSpec
from actors.engine.pools.constant_product import ConstantProductCurve
from actors.engine.pools.curve import PoolCurve, PoolGrid
from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import PPM, Mode, Side


class PoolSlice(NamedTuple):
    """What one pool gives at once. ``price_ticks`` is rounded against the taker."""

    pool_id: str
    size_lots: int
    price_ticks: int


class PoolLiquidity:
    """All pools of one market; ``tradable`` is false where nobody could settle a fill (live)."""

    __slots__ = ("_curves", "_grids", "_step_ppm", "_unit", "states", "tradable")

    def __init__(self, spec: PairSpec, mode: Mode) -> None:
        self._grids = {pool.pool_id: PoolGrid.of(spec, pool) for pool in spec.pools}
        self._step_ppm = spec.ladder_step_ppm
        self._unit = spec.quote_raw_per_tick_lot
        self.states: dict[str, PoolState] = {}
        self._curves: dict[str, PoolCurve] = {}
        self.tradable = mode is Mode.PAPER

    @property
    def active(self) -> bool:
        """True when an order might trade with a pool now."""
        return self.tradable and bool(self._curves)

    def knows(self, pool_id: str) -> bool:
        """Tell whether a pool is listed for this pair."""
        return pool_id in self._grids

    def put(self, state: PoolState) -> None:
        """Take a pool's state as the truth from now on."""
        pool_id = state.pool_id
        invariant(pool_id in self._grids, f"pool {pool_id} is not listed")
        self.states[pool_id] = state
        if state.status is PoolStatus.LIVE and state.curve is not None:
            self._curves[pool_id] = ConstantProductCurve(state.curve, self._grids[pool_id])
        else:
            self._curves.pop(pool_id, None)

    def in_order(self) -> list[PoolState]:
        """List the known states in the order of `PairSpec.pools`."""
        return [self.states[pool_id] for pool_id in self._grids if pool_id in self.states]

    def best_ticks(self, side: Side) -> int:
        """Name the best price any pool offers a taker of ``side``; 0 for none."""
        return self._best(side, self._curves)[0]

    def slice(self, side: Side, limit_ticks: int, lots_max: int) -> PoolSlice | None:
        """Find what the best pool gives now, no worse than ``limit_ticks`` at the margin.

        A slice ends where another pool is better by more than a ladder step, so pools of almost
        one price are not taken lot by lot in turns. Nothing changes before `take`.
        """
        return self._slice(side, limit_ticks, lots_max, self._curves)

    def take(self, side: Side, piece: PoolSlice) -> PoolState:
        """Move the pool's virtual state by one slice; returns it."""
        pool_id = piece.pool_id
        curve = self._curves[pool_id].take(side, piece.size_lots)
        self._curves[pool_id] = curve
        before = self.states[pool_id]
        state = PoolState(
            pool_id,
            before.status,
            curve.state,
            before.block,
            before.block_time_ns,
            before.source,
            before.detail,
            before.block_hash,
        )
        self.states[pool_id] = state
        return state

    def preview(self) -> "PoolPreview":
        """Make a copy to walk through without moving anything."""
        return PoolPreview(self, dict(self._curves))

    def _best(self, side: Side, curves: dict[str, PoolCurve]) -> tuple[int, str]:
        best, which = 0, ""
        for pool_id in self._grids:
            curve = curves.get(pool_id)
            ticks = 0 if curve is None else curve.best_ticks(side)
            if ticks and (not best or (ticks < best if side is Side.BUY else ticks > best)):
                best, which = ticks, pool_id
        return best, which

    def _slice(
        self, side: Side, limit_ticks: int, lots_max: int, curves: dict[str, PoolCurve]
    ) -> PoolSlice | None:
        best, pool_id = self._best(side, curves)
        buy = side is Side.BUY
        if not best or (best > limit_ticks if buy else best < limit_ticks):
            return None
        bound = limit_ticks
        if len(curves) > 1:
            others = {name: curve for name, curve in curves.items() if name != pool_id}
            step = max(1, best * self._step_ppm // PPM)
            rival = self._best(side, others)[0]
            if rival:
                bound = (
                    min(bound, max(rival, best + step))
                    if buy
                    else max(bound, min(rival, best - step), 1)
                )
        curve = curves[pool_id]
        # At the price of its first lot a pool gives at least that lot.
        lots = min(max(curve.lots_up_to(side, bound), 1), lots_max)
        quote = curve.quote_for(side, lots)
        ticks = self._ticks(quote, lots, up=buy)
        # Rounding to whole units of the pool can carry a small slice over its limit: fewer of them
        # never does, down to the one lot whose price is `best`.
        while lots > 1 and (ticks > limit_ticks if buy else ticks < limit_ticks):
            lots //= 2
            ticks = self._ticks(curve.quote_for(side, lots), lots, up=buy)
        invariant(ticks <= limit_ticks if buy else ticks >= limit_ticks, "a slice beyond its limit")
        return PoolSlice(pool_id, lots, ticks)

    def _ticks(self, quote_raw: int, lots: int, *, up: bool) -> int:
        each = lots * self._unit
        return -(-quote_raw // each) if up else quote_raw // each


class PoolPreview:
    """A walk through pools that leaves them as they are."""

    __slots__ = ("_curves", "_pools")

    def __init__(self, pools: PoolLiquidity, curves: dict[str, PoolCurve]) -> None:
        self._pools = pools
        self._curves = curves

    def best_ticks(self, side: Side) -> int:
        """As `PoolLiquidity.best_ticks`."""
        return self._pools._best(side, self._curves)[0]  # noqa: SLF001  (its own view)

    def slice(self, side: Side, limit_ticks: int, lots_max: int) -> PoolSlice | None:
        """As `PoolLiquidity.slice`."""
        return self._pools._slice(side, limit_ticks, lots_max, self._curves)  # noqa: SLF001

    def take(self, side: Side, piece: PoolSlice) -> None:
        """Move the copy by one slice."""
        curve = self._curves[piece.pool_id]
        self._curves[piece.pool_id] = curve.take(side, piece.size_lots)
