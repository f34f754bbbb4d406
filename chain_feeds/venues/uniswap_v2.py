"""Uniswap V2 pairs, and forks of them with the same events: bytes in, reserves out.

Sources: `UniswapV2Pair.sol` of @uniswap/v2-core 1.0.1 (``event Sync(uint112 reserve0, uint112
reserve1)``, ``event Swap(address indexed sender, uint amount0In, uint amount1In, uint amount0Out,
uint amount1Out, address indexed to)``, ``getReserves()``). Token order is by address
(`UniswapV2Factory.createPair`).
"""

from math import gcd
from typing import Final

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import ConstantProduct
from chain_feeds.errors import DecodeError
from chain_feeds.venues.abi import expect, selector, topic, within, words
from chain_feeds.venues.venue import (
    Conversation,
    Exchanged,
    Read,
    Reading,
    Told,
    Venue,
    base_is_token0,
)

KIND: Final = "uniswap_v2"
SYNC: Final = topic("Sync(uint112,uint112)")
SWAP: Final = topic("Swap(address,uint256,uint256,uint256,uint256,address)")
GET_RESERVES: Final = selector("getReserves()")
_UINT112: Final = 2**112 - 1
_PPM: Final = 1_000_000


def read(spec: PoolSpec) -> Conversation:
    """Ask for the reserves; raises `DecodeError` where the answer is none of a pair's."""
    (answer,) = yield [Read(spec.address, GET_RESERVES)]
    if len(answer) != 96:
        raise DecodeError(f"getReserves() answered {len(answer)} bytes, expected 96")
    return Reading(_curve(spec, answer, "getReserves()"))


def decode_log(spec: PoolSpec, topics: list[str], data: bytes) -> Told:
    """Decode a ``Sync`` (the reserves after anything) or a ``Swap`` (only the amounts).

    Raises:
        DecodeError: it is another event, has another length, or a reserve no uint112 can be.
    """
    if topics and topics[0].lower() == SWAP:
        return Told(swap=exchanged(spec, topics, data))
    expect(topics, SYNC, 0, "Sync(uint112,uint112)")
    if len(data) != 64:
        raise DecodeError(f"a Sync log has {len(data)} bytes, expected 64")
    return Told(_curve(spec, data, "Sync"))


def exchanged(spec: PoolSpec, topics: list[str], data: bytes) -> Exchanged | None:
    """Decode a ``Swap``: both amounts in, then both amounts out, by token order."""
    expect(topics, SWAP, 2, "Swap(address,uint256,uint256,uint256,uint256,address)")
    in0, in1, out0, out1 = words(data, 4, "a Swap log")[:4]
    first, second = in0 - out0, in1 - out1
    return Exchanged.of(first, second) if base_is_token0(spec) else Exchanged.of(second, first)


def ordered(spec: PoolSpec, first: int, second: int) -> tuple[int, int]:
    """Turn (token0, token1) into (base, quote)."""
    return (first, second) if base_is_token0(spec) else (second, first)


def curve_of(spec: PoolSpec, reserve_base: int, reserve_quote: int) -> ConstantProduct:
    """Make a pool's curve with its fee in lowest terms: 3,000 ppm are 3/1000."""
    divisor = gcd(spec.fee_ppm, _PPM)
    return ConstantProduct.of(reserve_base, reserve_quote, spec.fee_ppm // divisor, _PPM // divisor)


def _curve(spec: PoolSpec, data: bytes, what: str) -> ConstantProduct:
    first, second = words(data, 2, what)[:2]
    for reserve in (first, second):
        within(reserve, _UINT112, f"a reserve of {what}")
    return curve_of(spec, *ordered(spec, first, second))


VENUE: Final = Venue(topics=(SYNC, SWAP), read=read, decode_log=decode_log)
