"""What a pool's state says without a curve: its spot price, and why no contract can hold it."""

from typing import Final

from actors.engine.pools.state import Concentrated, ConstantProduct, CurveState, FeeRule, Stable
from actors.engine.pools.tick_math import MAX_TICK, MAX_TICK_Q64, root_at, root_at_q64
from actors.engine.units import PPM, Side

_UINT112: Final = 2**112 - 1
_UINT64: Final = 2**64 - 1
_UINT128: Final = 2**128 - 1
_UINT160: Final = 2**160 - 1
_DECIMALS_MAX: Final = 36


def spot(curve: CurveState) -> tuple[int, int]:
    """Return a pool's marginal price before fees as (quote_raw, base_raw), both the pool's units.

    The fraction is exact: Rq/Rb of a constant product; the ratio of the partial derivatives of
    x³y+y³x of a stable pool; the square of the root of a concentrated one. (0, 1) where the pool
    holds nothing.
    """
    if isinstance(curve, Concentrated):
        root, one = curve.sqrt_price**2, 1 << (128 if curve.q64 else 192)
        price = (root, one) if curve.base_is_token0 else (one, root)
        return price if root else (0, 1)
    base, quote = curve.reserve_base, curve.reserve_quote
    if base <= 0 or quote <= 0:
        return 0, 1
    if isinstance(curve, ConstantProduct):
        return quote, base
    base_unit, quote_unit = 10**curve.base_decimals, 10**curve.quote_decimals
    x, y = base * quote_unit, quote * base_unit
    return y * (3 * x * x + y * y) * quote_unit, x * (x * x + 3 * y * y) * base_unit


def fee_ppm(curve: CurveState) -> int:
    """Return what a pool takes of an input, in millionths, of its two directions the larger.

    A Raydium creator's fee counts too, whichever token it is taken from.
    """
    fee = max(curve.fee_of(side) for side in Side)
    if isinstance(curve, Concentrated):
        return fee
    creator = curve.creator_num if isinstance(curve, ConstantProduct) else 0
    return (fee + creator) * PPM // curve.fee_den


def impossible(curve: CurveState) -> str:
    """Say in one line why no contract can hold this state; "" where it can.

    What a feed must ask before it publishes a state: the engine gives no depth for such a one.
    """
    if isinstance(curve, Concentrated):
        return impossible_ticks(curve)
    if isinstance(curve, Stable) and not (
        0 <= curve.base_decimals <= _DECIMALS_MAX and 0 <= curve.quote_decimals <= _DECIMALS_MAX
    ):
        return f"a token's decimals are not between 0 and {_DECIMALS_MAX}"
    fees = [curve.fee_of(side) for side in Side]
    if not all(0 <= fee < curve.fee_den for fee in fees):
        return f"a fee of {max(fees)}/{curve.fee_den} is not between 0 and 1"
    if curve.reserve_base <= 0 or curve.reserve_quote <= 0:
        return "the pool holds nothing on one side"
    most = reserve_max(curve)
    if max(curve.reserve_base, curve.reserve_quote) > most:
        return f"a reserve is above 2^{most.bit_length()}-1, which no such pool can hold"
    return ""


def reserve_max(curve: ConstantProduct | Stable) -> int:
    """Return the largest reserve that such a pool's contract (or token) can count."""
    if isinstance(curve, Stable) or curve.fee_rule is FeeRule.FLOOR_LEAVES:
        return _UINT128
    return _UINT112 if curve.fee_rule is FeeRule.SCALED else _UINT64


def impossible_ticks(curve: Concentrated) -> str:
    """Say why no contract can hold a concentrated state; "" where it can."""
    most = MAX_TICK_Q64 if curve.q64 else MAX_TICK
    if not 0 < curve.sqrt_price <= (_UINT128 if curve.q64 else _UINT160):
        return "the square root of the price is zero or too large"
    if not all(0 <= curve.fee_of(side) < PPM for side in Side):
        return f"a fee of {max(curve.fee_ppm, curve.sell_fee_ppm)} ppm is not between 0 and 1"
    if curve.tick_spacing <= 0 or curve.liquidity > _UINT128:
        return "the tick spacing or the liquidity is none a pool can have"
    low, high, tick = curve.low_tick, curve.high_tick, curve.tick
    if not (-most <= low <= high <= most and low - 1 <= tick <= high):
        return f"tick {tick} is outside the window {low} to {high}"
    at = root_at_q64 if curve.q64 else root_at
    if not at(max(tick, -most)) <= curve.sqrt_price <= at(min(tick + 1, most)):
        return f"tick {tick} is not the one of the price"
    ticks = [tick for tick, _, _ in curve.ticks]
    if any(tick % curve.tick_spacing for tick in ticks) or ticks != sorted(set(ticks)):
        return "the initialised ticks are not ascending multiples of the tick spacing"
    return ""
