"""What a source tells a feed: heads, pool events, snapshots. Plain data.

Pools are named by `FeedPool.key`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from actors.engine.pools.state import ConstantProduct


class Head(NamedTuple):
    """A block that the node calls its newest.

    ``touched`` names the pools that may have changed in it, as the block's bloom filter says (it
    may name too many, never too few); None where a node gives no filter.
    """

    number: int
    hash: str
    parent_hash: str
    time_s: int
    touched: frozenset[str] | None = None


class PoolEvent(NamedTuple):
    """A log after which a pool's state is ``curve``; or what was wrong with it.

    ``removed`` says that the node takes the log back, because its block is no longer part of the
    chain.
    """

    pool: str
    block: int
    block_hash: str
    log_index: int
    curve: ConstantProduct | None
    problem: str = ""
    removed: bool = False


class Snapshot(NamedTuple):
    """The pools' states read from the contracts at one block; a text says why one has none."""

    block: int
    block_hash: str
    curves: Mapping[str, ConstantProduct | str]


class Opinion(NamedTuple):
    """What another node than the followed one says of a block; ``hash`` "" where it has none."""

    node: int
    number: int
    hash: str
