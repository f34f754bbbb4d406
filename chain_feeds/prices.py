"""How far a pool's price moved, in integers."""

from actors.engine.pools.state import ConstantProduct
from actors.engine.units import PPM


def jump_ppm(before: ConstantProduct, after: ConstantProduct) -> int:
    """Return by how much the price moved, of the smaller of both prices, in parts per million.

    The price is reserve_quote / reserve_base; a doubling and a halving are both 1,000,000.
    """
    one = after.reserve_quote * before.reserve_base
    other = before.reserve_quote * after.reserve_base
    return (max(one, other) - min(one, other)) * PPM // max(1, min(one, other))
