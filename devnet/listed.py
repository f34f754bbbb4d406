"""A pool of the development network as Tandem lists it, and the hand that trades in it.

Floats choose sizes and directions here; what a swap then does is the contract's business.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.plausibility import spot
from actors.engine.pools.state import Concentrated, CurveState
from actors.engine.units import PPM, Side

_LARGEST: Final = 0.01
"""No swap puts in more than this share of what the pool holds on that side."""
_SMALLEST: Final = 1e-6


@dataclass(frozen=True)
class Listed:
    """One pool.

    Args:
        symbol: the pair beside which it is listed.
        spec: the listing.
        curve: reads its state from the node.
        swap: swaps exactly so much: quote to BUY base, base to SELL it.
    """

    symbol: str
    spec: PoolSpec
    curve: Callable[[], CurveState]
    swap: Callable[[Side, int], object]

    def swap_towards(self, price: float) -> None:
        """Swap so that the pool's price comes near ``price``, quote per base in whole units."""
        curve = self.curve()
        raw = price * 10.0 ** (self.spec.quote_decimals - self.spec.base_decimals)
        quote, base = spot(curve)
        ratio = math.sqrt(raw / (quote / base))
        side = Side.BUY if ratio > 1 else Side.SELL
        growth = max(ratio, 1 / ratio) - 1
        held = holdings(curve)[side is Side.BUY]
        share = min(max(growth / (1 - self.spec.fee_ppm / PPM), _SMALLEST), _LARGEST)
        self.swap(side, max(1, int(held * share)))


def holdings(curve: CurveState) -> tuple[float, float]:
    """Return what of (base, quote) the price moves over: the reserves, or those that act as if.

    Of concentrated liquidity L at the root of the price s: L / s of token0 and L s of token1.
    """
    if not isinstance(curve, Concentrated):
        return float(curve.reserve_base), float(curve.reserve_quote)
    root = curve.sqrt_price / 2.0 ** (64 if curve.q64 else 96)
    first, second = curve.liquidity / root, curve.liquidity * root
    return (first, second) if curve.base_is_token0 else (second, first)
