"""How far a pool's price moved, in integers."""

from actors.engine.pools.kinds import spot
from actors.engine.pools.state import CurveState
from actors.engine.units import PPM


def jump_ppm(before: CurveState, after: CurveState) -> int:
    """Return by how much the price moved, of the smaller of both prices, in parts per million.

    A doubling and a halving are both 1,000,000. The prices are `kinds.spot`'s.
    """
    (quote_before, base_before), (quote_after, base_after) = spot(before), spot(after)
    one = quote_after * base_before
    other = quote_before * base_after
    return (max(one, other) - min(one, other)) * PPM // max(1, min(one, other))
