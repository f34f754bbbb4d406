"""The body of a pair's journal record: one batch's commands with everything they caused.

Readers (gateway replicas, bots, the history writer, auditors, recovery) decode `MarketRecord`; the
frame around it, with number, epoch, checksum and chain, is `record.Record`. A record's number *is*
the market's public ``sequence``; records are contiguous from 1.
"""

import msgspec

from actors.engine.commands import AnyCommand
from actors.engine.events import AnyEvent, LevelChange
from actors.engine.ledger_commands import Settlement


class Step(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One command as it was applied: ``held_raw`` is what the shard held (-1: funds lacking)."""

    command: AnyCommand
    held_raw: int
    events: list[AnyEvent]


WrittenStep = tuple[msgspec.Raw, int, list[AnyEvent]]
"""A `Step` on its way into a record: the command stays the bytes in which it came.

A record of such steps is encoded as one of `Step` is, and read back as that.
"""


class MarketRecord(msgspec.Struct, frozen=True, array_like=True):
    """One durable step of a market.

    ``book_seq`` counts the changes of the order book (records with ``levels``), ``hybrid_seq``
    those of the hybrid book (``levels`` or a ``PoolChanged``), ``trade_seq`` the trades: each is
    the value *after* this record, and what the public channels call their sequence.
    """

    time_ns: int
    steps: list[Step]
    levels: list[LevelChange]
    settlements: list[tuple[int, Settlement]]
    """(shard, settlement)"""
    book_seq: int
    hybrid_seq: int
    trade_seq: int
    settlement_heads: list[int]
    """Per shard: the last settlement number issued, this record's included."""
    settlement_acks: list[int]
    """Per shard: the last number the shard had confirmed when this record was written."""
