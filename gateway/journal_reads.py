"""The journal's blocking readers as awaitables, for replays and for where following begins.

Each read runs in a worker thread and asks for a bounded number of records; the event loop never
waits for the store.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Protocol

from actors.journal.record import Head
from actors.ports import JournalReader


class StreamReader(JournalReader, Protocol):
    """A reader of one stream that also knows where the stream stands."""

    def head(self) -> Head:
        """Say where the stream stands."""
        ...


ReadRecords = Callable[[str, int, int, int], Awaitable[list[tuple[int, bytes]]]]
"""(stream, after, until, most): records in order; raises `actors.errors.JournalError`."""

ReadHeads = Callable[[list[str]], Awaitable[dict[str, int]]]
"""Streams to the numbers of their last records."""


def read_records(reader: Callable[[str], StreamReader]) -> ReadRecords:
    """Make the reading of ranges from a journal's ``reader``."""

    def read(stream: str, after: int, until: int, most: int) -> list[tuple[int, bytes]]:
        return list(islice(reader(stream).read(after, until), most))

    async def run(stream: str, after: int, until: int, most: int) -> list[tuple[int, bytes]]:
        return await asyncio.to_thread(read, stream, after, until, most)

    return run


def read_heads(reader: Callable[[str], StreamReader]) -> ReadHeads:
    """Make the reading of heads from ``reader``."""

    def read(streams: list[str]) -> dict[str, int]:
        return {stream: reader(stream).head().number for stream in streams}

    async def run(streams: list[str]) -> dict[str, int]:
        return await asyncio.to_thread(read, streams)

    return run
