"""Which curve belongs to which state: the one place that a new kind of pool is added to."""

from actors.engine.pools.constant_product import ConstantProductCurve
from actors.engine.pools.curve import PoolCurve, PoolGrid
from actors.engine.pools.state import PoolState, PoolStatus


def live_curve(state: PoolState, grid: PoolGrid) -> PoolCurve | None:
    """Return the curve of a pool's state; None while its depth must not count."""
    if state.status is not PoolStatus.LIVE or state.curve is None:
        return None
    return ConstantProductCurve(state.curve, grid)
