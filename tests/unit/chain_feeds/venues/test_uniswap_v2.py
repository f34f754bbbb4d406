"""Bytes of Uniswap V2 pairs become reserves in the pair's order, or are refused."""

import pytest

from actors.engine.pools.state import ConstantProduct
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from chain_feeds.venues.uniswap_v2 import GET_RESERVES, SWAP, SYNC, VENUE
from tests.unit.chain_feeds.chains import pool
from tests.unit.chain_feeds.venues.asking import read, words

SOMEBODY = "0x" + "00" * 31 + "07"


def test_sync_of_a_pair_with_base_first_gives_base_and_quote() -> None:
    """reserve0 is the base token's where its address is the smaller one."""
    curve = VENUE.decode_log(pool().spec, [SYNC], words(2**112 - 1, 7)).curve
    assert isinstance(curve, ConstantProduct)
    assert (curve.reserve_base, curve.reserve_quote) == (2**112 - 1, 7)
    assert (curve.fee_num, curve.fee_den) == (3, 1000)


@pytest.mark.parametrize(
    ("amounts", "side", "base", "quote"),
    [
        ((5, 0, 0, 9), Side.SELL, 5, 9),
        ((0, 9, 5, 0), Side.BUY, 5, 9),
        ((5, 1, 0, 9), Side.SELL, 5, 8),
    ],
)
def test_swap_gives_the_takers_side_and_what_went_each_way(
    amounts: tuple[int, ...], side: Side, base: int, quote: int
) -> None:
    """What comes back of the token that was paid in counts against it."""
    told = VENUE.decode_log(pool().spec, [SWAP, SOMEBODY, SOMEBODY], words(*amounts))
    assert told.swap == (side, base, quote)
    assert told.curve is told.change is None


def test_swap_that_exchanges_nothing_is_none() -> None:
    """A flash loan that only pays its fee is no trade."""
    told = VENUE.decode_log(pool().spec, [SWAP, SOMEBODY, SOMEBODY], words(6, 0, 5, 0))
    assert told.swap is None


@pytest.mark.parametrize("data", [b"", words(1), words(1, 2, 3), words(2**112, 1)])
def test_sync_with_impossible_data_is_refused(data: bytes) -> None:
    """Lengths and ranges are exact."""
    with pytest.raises(DecodeError):
        VENUE.decode_log(pool().spec, [SYNC], data)


@pytest.mark.parametrize("answer", [b"", words(1, 2), words(1, 2**112, 3)])
def test_reserves_with_impossible_data_are_refused(answer: bytes) -> None:
    """An empty answer, as of an address without a contract, is no state."""
    with pytest.raises(DecodeError):
        read(VENUE, pool().spec, {GET_RESERVES: answer})
