"""What a source tells a feed: heads, pool events, snapshots. Plain data.

Pools are named by `FeedPool.key`.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

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


FEE_READ: Final = -2
"""The ``log_index`` of a change of fee that was read at a block; it stands beside the logs."""


class Applied(NamedTuple):
    """What a change makes of a state.

    ``curve`` None says that the log does not tell enough, and the contract must be read;
    ``read_again`` that the state is right but its known ticks end too near.
    """

    curve: CurveState | None
    read_again: bool = False


Change = Callable[[CurveState], Applied]
"""What a log does to the state before it, where it does not carry the whole."""


class PoolEvent(NamedTuple):
    """A log after which a pool's state is ``curve``, or that makes a ``change`` to the state.

    It may tell of a swap too, or of nothing but a swap; ``problem`` says what was wrong with it.

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
    change: Change | None = None

    @property
    def has_state(self) -> bool:
        """False for a log that tells of a swap, or of nothing: another one tells what it left."""
        return self.curve is not None or self.change is not None or bool(self.problem)


class Snapshot(NamedTuple):
    """The pools' states read from the contracts at one block; a text says why one has none.

    ``block_hash`` is that of the block that was asked for. A node that cannot be asked about the
    past (Solana) may answer from a later one: then ``block`` is that one's number.
    """

    block: int
    block_hash: str
    curves: Mapping[str, CurveState | str]


class Opinion(NamedTuple):
    """What another node than the followed one says of a block; ``hash`` "" where it has none."""

    node: int
    number: int
    hash: str
