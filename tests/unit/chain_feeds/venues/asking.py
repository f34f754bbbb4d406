"""Conversations of a venue without a node: answers by call data."""

from collections.abc import Mapping

from actors.engine.pair_spec import PoolSpec
from chain_feeds.venues.venue import Reading, Venue


def words(*values: int) -> bytes:
    """Encode whole numbers as words of 32 bytes, in two's complement."""
    return b"".join((value % 2**256).to_bytes(32, "big") for value in values)


def read(venue: Venue, spec: PoolSpec, answers: Mapping[str, bytes]) -> Reading:
    """Let a venue read a pool whose contract answers as a table says, by call data."""
    talk = venue.read(spec)
    asked = next(talk)
    while True:
        try:
            asked = talk.send([answers.get(one.data, words(0)) for one in asked])
        except StopIteration as done:
            reading: Reading = done.value
            return reading
