"""What a gateway reads of the journal: ranges of records for replays, and where streams stand.

A range is read in a worker thread, a bounded number of records at a time; the event loop never
waits for the store.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import cast

import redis.asyncio

from actors.journal.redis import key, unpack_head
from actors.ports import JournalReader

ReadRecords = Callable[[str, int, int, int], Awaitable[list[tuple[int, bytes]]]]
"""(stream, after, until, most): records in order; raises `actors.errors.JournalError`."""

ReadHeads = Callable[[list[str]], Awaitable[dict[str, int]]]
"""Streams to the numbers of their last records."""


def read_records(reader: Callable[[str], JournalReader]) -> ReadRecords:
    """Make the reading of ranges from a journal's ``reader``."""

    def read(stream: str, after: int, until: int, most: int) -> list[tuple[int, bytes]]:
        return list(islice(reader(stream).read(after, until), most))

    async def run(stream: str, after: int, until: int, most: int) -> list[tuple[int, bytes]]:
        return await asyncio.to_thread(read, stream, after, until, most)

    return run


def read_heads(client: "redis.asyncio.Redis") -> ReadHeads:
    """Make the reading of heads: one round trip for all streams."""

    async def read(streams: list[str]) -> dict[str, int]:
        packed = await client.mget([key(stream, "head") for stream in streams])
        return {
            stream: unpack_head(stream, cast("bytes | None", head)).number
            for stream, head in zip(streams, packed, strict=True)
        }

    return read
