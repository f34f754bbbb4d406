"""Uniswap V2 pairs, and forks of them with the same two answers: bytes in, reserves out.

Sources: `UniswapV2Pair.sol` of @uniswap/v2-core 1.0.1 (``event Sync(uint112 reserve0, uint112
reserve1)``, ``getReserves()``, ``token0()``, ``token1()``); selectors and topics are the keccak-256
of those signatures. Token order is by address (`UniswapV2Factory.createPair`).
"""

from math import gcd
from typing import Final

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import ConstantProduct
from chain_feeds.errors import DecodeError

KIND: Final = "uniswap_v2"

SYNC_TOPIC: Final = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
"""keccak-256 of ``Sync(uint112,uint112)``."""

GET_RESERVES: Final = "0x0902f1ac"
"""The first four bytes of keccak-256 of ``getReserves()``."""

_WORD: Final = 32
_RESERVE_MAX: Final = 2**112 - 1
_PPM: Final = 1_000_000


def base_is_token0(spec: PoolSpec) -> bool:
    """Tell the token order of a pool from its addresses, as the factory decided it."""
    return int(spec.base_address, 16) < int(spec.quote_address, 16)


def decode_reserves(spec: PoolSpec, answer: bytes) -> ConstantProduct:
    """Decode the answer of ``getReserves()``: reserve0, reserve1, time of the last change.

    Raises:
        DecodeError: the answer has another length, or a reserve no uint112 can be.
    """
    if len(answer) != 3 * _WORD:
        raise DecodeError(f"getReserves() answered {len(answer)} bytes, expected {3 * _WORD}")
    return _curve(spec, answer, "getReserves()")


def decode_sync(spec: PoolSpec, topics: list[str], data: bytes) -> ConstantProduct:
    """Decode a ``Sync`` log: the reserves after a swap, mint, burn or sync.

    Raises:
        DecodeError: it is another event, has another length, or a reserve no uint112 can be.
    """
    if [topic.lower() for topic in topics] != [SYNC_TOPIC]:
        raise DecodeError("a log is not the event Sync(uint112,uint112)")
    if len(data) != 2 * _WORD:
        raise DecodeError(f"a Sync log has {len(data)} bytes, expected {2 * _WORD}")
    return _curve(spec, data, "Sync")


def curve_of(spec: PoolSpec, reserve_base: int, reserve_quote: int) -> ConstantProduct:
    """Make a pool's curve with its fee in lowest terms: 3,000 ppm are 3/1000."""
    divisor = gcd(spec.fee_ppm, _PPM)
    return ConstantProduct.of(reserve_base, reserve_quote, spec.fee_ppm // divisor, _PPM // divisor)


def _curve(spec: PoolSpec, words: bytes, what: str) -> ConstantProduct:
    first = int.from_bytes(words[:_WORD], "big")
    second = int.from_bytes(words[_WORD : 2 * _WORD], "big")
    if max(first, second) > _RESERVE_MAX:
        raise DecodeError(f"{what} names a reserve above 2^112-1, which no pair can hold")
    if base_is_token0(spec):
        return curve_of(spec, first, second)
    return curve_of(spec, second, first)
