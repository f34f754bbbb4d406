"""Ticks of concentrated liquidity and the square roots of their prices, to the contracts' last bit.

`TickMath.sol` of @uniswap/v3-core 1.0.1 (Slipstream and Algebra carry the same numbers) for roots
of 96 fraction bits, `tick_math.rs` of raydium-clmm for those of 64. Both multiply one constant for
each set bit of the tick: 1.0001^(-2^i / 2) with 128 (64) fraction bits.
"""

from functools import lru_cache
from math import log
from typing import Final

MAX_TICK: Final = 887_272
MAX_TICK_Q64: Final = 443_636

_FACTORS: Final = (
    0xFFFCB933BD6FAD37AA2D162D1A594001, 0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC, 0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644, 0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861, 0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4, 0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3, 0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825, 0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7, 0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9, 0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98, 0x48A170391F7DC42444E8FA2,
)  # fmt: skip
_FACTORS_Q64: Final = (
    0xFFFCB933BD6FB800, 0xFFF97272373D4000, 0xFFF2E50F5F657000, 0xFFE5CACA7E10F000,
    0xFFCB9843D60F7000, 0xFF973B41FA98E800, 0xFF2EA16466C9B000, 0xFE5DEE046A9A3800,
    0xFCBE86C7900BB000, 0xF987A7253AC65800, 0xF3392B0822BB6000, 0xE7159475A2CAF000,
    0xD097F3BDFD2F2000, 0xA9F746462D9F8000, 0x70D869A156F31C00, 0x31BE135F97ED3200,
    0x9AA508B5B85A500, 0x5D6AF8DEDC582C, 0x2216E584F5FA,
)  # fmt: skip
_ONE: Final = 1 << 128
_UINT256_MAX: Final = (1 << 256) - 1
_UINT128_MAX: Final = (1 << 128) - 1
_LOG_ROOT: Final = log(1.0001) / 2


@lru_cache(maxsize=1 << 16)
def root_at(tick: int) -> int:
    """Return ``getSqrtRatioAtTick(tick)``: 1.0001^(tick/2) with 96 fraction bits, rounded up."""
    ratio, left = _ONE, abs(tick)
    for factor in _FACTORS:
        if not left:
            break
        if left & 1:
            ratio = ratio * factor >> 128
        left >>= 1
    if tick > 0:
        ratio = _UINT256_MAX // ratio
    return -(-ratio >> 32)


@lru_cache(maxsize=1 << 16)
def root_at_q64(tick: int) -> int:
    """Return ``get_sqrt_price_at_tick(tick)``: 1.0001^(tick/2) with 64 fraction bits."""
    ratio, left = 1 << 64, abs(tick)
    for factor in _FACTORS_Q64:
        if not left:
            break
        if left & 1:
            ratio = ratio * factor >> 64
        left >>= 1
    return _UINT128_MAX // ratio if tick > 0 else ratio


def tick_at(root: int, *, q64: bool = False) -> int:
    """Return the greatest tick whose root is not above ``root`` (``getTickAtSqrtRatio``).

    The logarithm only says where to look; the tick is found by the exact roots beside it.
    """
    at, bits, most = (root_at_q64, 64, MAX_TICK_Q64) if q64 else (root_at, 96, MAX_TICK)
    tick = int((log(root) - bits * log(2)) / _LOG_ROOT)
    tick = max(-most, min(tick, most))
    while tick > -most and at(tick) > root:
        tick -= 1
    while tick < most and at(tick + 1) <= root:
        tick += 1
    return tick
