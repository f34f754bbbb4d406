"""What a venue is to a source: which logs to hear, what to ask a contract, what the answers mean.

Pure: a venue names calls and is given their answers, the source carries them. One call of a venue
may depend on the answer to another (a tick's on the bitmap's), so a read is a conversation, a
generator: it yields rounds of calls, is sent their answers, and returns the state.
"""

from collections.abc import Callable, Generator
from typing import NamedTuple

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import CurveState
from actors.engine.units import Side
from chain_feeds.inputs import Change


class Read(NamedTuple):
    """One call of a contract: its address, and the call data in hexadecimal with ``0x``."""

    address: str
    data: str


class Reading(NamedTuple):
    """What a conversation came to.

    ``fee_reads`` are to be asked at every block, for a fee that changes without a log; the venue's
    ``fee_change`` reads their answers.
    """

    curve: CurveState
    fee_reads: tuple[Read, ...] = ()


Conversation = Generator[list[Read], list[bytes], Reading]
"""A read of one pool at one block; raises `DecodeError` where an answer is none of the kind's."""


class Exchanged(NamedTuple):
    """The two amounts of a swap, in the pool's raw units, the fee included; the taker's side."""

    side: Side
    base_raw: int
    quote_raw: int

    @classmethod
    def of(cls, base_into_pool: int, quote_into_pool: int) -> "Exchanged | None":
        """Tell a swap from what went into the pool; None where nothing was exchanged."""
        if base_into_pool > 0 > quote_into_pool:
            return cls(Side.SELL, base_into_pool, -quote_into_pool)
        if quote_into_pool > 0 > base_into_pool:
            return cls(Side.BUY, -base_into_pool, quote_into_pool)
        return None


class Told(NamedTuple):
    """What a log says: the whole state, or how the state changed; and a swap, where it is one."""

    curve: CurveState | None = None
    change: Change | None = None
    swap: Exchanged | None = None


class Venue(NamedTuple):
    """What a source must know of a kind of pool.

    Args:
        topics: the events after which a pool's state has changed, or that tell of a swap.
        read: begins the conversation that reads the whole state of a pool.
        decode_log: (pool, topics, data) to what the log says; raises `DecodeError`.
        fee_change: (pool, answers to ``fee_reads``) to how the state changes; raises `DecodeError`.
    """

    topics: tuple[str, ...]
    read: Callable[[PoolSpec], Conversation]
    decode_log: Callable[[PoolSpec, list[str], bytes], Told]
    fee_change: Callable[[PoolSpec, list[bytes]], Change] | None = None


def base_is_token0(spec: PoolSpec) -> bool:
    """Tell the token order of a pool from its addresses, as every factory here decided it."""
    return int(spec.base_address, 16) < int(spec.quote_address, 16)
