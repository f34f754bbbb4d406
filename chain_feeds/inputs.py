"""What a source tells a feed: heads, pool events, snapshots. Plain data.

Pools are named by `FeedPool.key`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from actors.engine.pools.state import CurveState
from actors.engine.units import Side


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


class Swap(NamedTuple):
    """What somebody swapped: the side as seen from the pair, and both raw amounts, fee included.

    ``transaction`` is its hash as the chain writes it.
    """

    side: Side
    base_raw: int
    quote_raw: int
    transaction: str


class PoolEvent(NamedTuple):
    """A log after which a pool's state is ``curve``; or a swap; or both; or what was wrong with it.

    ``removed`` says that the node takes the log back, because its block is no longer part of the
    chain.
    """

    pool: str
    block: int
    block_hash: str
    log_index: int
    curve: CurveState | None
    problem: str = ""
    removed: bool = False
    swap: Swap | None = None

    @property
    def has_state(self) -> bool:
        """False for a log that tells of a swap only: another one tells what it left."""
        return self.swap is None or self.curve is not None or bool(self.problem)


class Snapshot(NamedTuple):
    """The pools' states read from the contracts at one block; a text says why one has none."""

    block: int
    block_hash: str
    curves: Mapping[str, CurveState | str]


class Opinion(NamedTuple):
    """What another node than the followed one says of a block; ``hash`` "" where it has none."""

    node: int
    number: int
    hash: str
