"""Bytes of Uniswap V2 pairs become reserves in the pair's order, or are refused."""

import pytest

from chain_feeds.errors import DecodeError
from chain_feeds.venues.uniswap_v2 import SYNC_TOPIC, decode_reserves, decode_sync
from tests.unit.chain_feeds.chains import pool


def words(*values: int) -> bytes:
    """Encode values as words of 32 bytes."""
    return b"".join(value.to_bytes(32, "big") for value in values)


def test_sync_of_a_pair_with_base_first_gives_base_and_quote() -> None:
    """reserve0 is the base token's where its address is the smaller one."""
    curve = decode_sync(pool().spec, [SYNC_TOPIC], words(2**112 - 1, 7))
    assert (curve.reserve_base, curve.reserve_quote) == (2**112 - 1, 7)
    assert (curve.fee_num, curve.fee_den) == (3, 1000)


@pytest.mark.parametrize("data", [b"", words(1), words(1, 2, 3), words(2**112, 1)])
def test_sync_with_impossible_data_is_refused(data: bytes) -> None:
    """Lengths and ranges are exact."""
    with pytest.raises(DecodeError):
        decode_sync(pool().spec, [SYNC_TOPIC], data)


@pytest.mark.parametrize("answer", [b"", words(1, 2), words(1, 2**112, 3)])
def test_reserves_with_impossible_data_are_refused(answer: bytes) -> None:
    """An empty answer, as of an address without a contract, is no state."""
    with pytest.raises(DecodeError):
        decode_reserves(pool().spec, answer)
