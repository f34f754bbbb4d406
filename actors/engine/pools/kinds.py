"""Which curve belongs to which state: the one place that a new kind of pool is added to.

`live_curve` gives the engine a curve; the rest is what feeds and gateways ask of a state without
one (`plausibility`).
"""

from actors.engine.pools.concentrated import ConcentratedCurve
from actors.engine.pools.constant_product import ConstantProductCurve
from actors.engine.pools.curve import PoolCurve, PoolGrid
from actors.engine.pools.plausibility import fee_ppm, impossible, reserve_max, spot
from actors.engine.pools.stable import StableCurve
from actors.engine.pools.state import Concentrated, ConstantProduct, PoolState, PoolStatus

__all__ = ["fee_ppm", "impossible", "live_curve", "reserve_max", "spot"]


def live_curve(state: PoolState, grid: PoolGrid) -> PoolCurve | None:
    """Return the curve of a pool's state; None while its depth must not count."""
    curve = state.curve
    if state.status is not PoolStatus.LIVE or curve is None:
        return None
    if isinstance(curve, Concentrated):
        return ConcentratedCurve(curve, grid)
    if isinstance(curve, ConstantProduct):
        return ConstantProductCurve(curve, grid)
    return None if impossible(curve) else StableCurve(curve, grid)
