"""Uniswap V3 pools: concentrated liquidity with a fee for life.

Source: `UniswapV3Pool.sol` of @uniswap/v3-core 1.0.1: ``slot0()`` begins with sqrtPriceX96 and
tick, ``fee()`` is in millionths, ``ticks(int24)`` has liquidityNet as its second word, and a bit
of ``tickBitmap(int16)`` stands for a multiple of the tick spacing.
"""

from functools import partial
from typing import Final

from actors.engine.pair_spec import PoolSpec
from chain_feeds.venues import concentrated
from chain_feeds.venues.abi import selector, signed
from chain_feeds.venues.concentrated import Dialect, Price
from chain_feeds.venues.venue import Venue

KIND: Final = "uniswap_v3"


def price(spec: PoolSpec, slot0: list[int]) -> Price:  # noqa: ARG001 -- as `Dialect` has it
    """Read ``slot0()``."""
    return Price(slot0[0], signed(slot0[1]))


DIALECT: Final = Dialect(
    state=selector("slot0()"),
    state_words=7,
    price=price,
    bitmap=selector("tickBitmap(int16)"),
)
VENUE: Final = Venue(
    topics=(concentrated.SWAP, concentrated.MINT, concentrated.BURN),
    read=partial(concentrated.read, dialect=DIALECT),
    decode_log=concentrated.decode_log,
)
