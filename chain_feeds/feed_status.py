"""What a feed says of itself, for `tandem status`, metrics and people; no URL, no secret."""

from typing import NamedTuple

import msgspec


class Progress(NamedTuple):
    """Where the running part of a feed stands."""

    block: int
    age_ns: int
    """How long ago the newest block was told."""
    node: int = 0
    reorgs: int = 0
    gaps: int = 0
    missed_logs: int = 0


class VenueStatus(msgspec.Struct, frozen=True):
    """What a feed last said of one pool."""

    pair: str
    venue: str
    pool: str
    status: str
    block: int
    detail: str


class FeedStatus(msgspec.Struct, frozen=True):
    """What a feed is doing."""

    chain: str
    source: str
    host: str
    node: int
    """Which of the chain's nodes is followed, counted from 0 in the order of configuration."""
    nodes: int
    block: int
    age_ms: int
    """How long ago the newest block was told."""
    pools_live: int
    pools: int
    published: int
    reconnects: int
    reorgs: int
    gaps: int
    missed_logs: int
    problem: str
    venues: list[VenueStatus]
