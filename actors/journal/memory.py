"""The journal's memory twin: the same frames, fences and errors as `redis`, without a server.

For tests and simulations, which also make it fail: `MemoryJournal.fail_next` says how.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from enum import Enum
from threading import Lock

from actors.errors import (
    CorruptRecordError,
    FencedError,
    JournalError,
    JournalUnavailableError,
)
from actors.journal.record import EMPTY, Head, begin, frame_all

POLL_S = 0.002
"""How often a tail looks for new records; writers may live in other threads and loops."""


class Failure(Enum):
    """How the next append ends."""

    LOST = "nothing is written, and the writer cannot know"
    UNKNOWN = "everything is written, and the writer cannot know"


class MemoryStream:
    """One stream's frames by number; tests may change them to play a damaged disk."""

    def __init__(self) -> None:
        self.entries: dict[int, bytes] = {}
        self.epoch = 0
        self.head = EMPTY

    def trim(self, before: int) -> None:
        """Forget the records below ``before``; the last one always stays."""
        for number in range(min(self.entries, default=0), min(before, self.head.number)):
            self.entries.pop(number, None)


class MemoryWriter:
    """Appends to one stream under one epoch; made by `MemoryJournal.acquire`."""

    def __init__(self, journal: "MemoryJournal", stream: str, epoch: int, head: Head) -> None:
        self.stream = stream
        self.epoch = epoch
        self.head = head
        self.failure: JournalError | None = None
        self._journal = journal

    def append(self, bodies: list[bytes]) -> int:
        """Frame, chain and append records; see `ports.JournalWriter`."""
        return self._journal.append_many([(self, bodies)])[0]


class MemoryJournal:
    """All streams of one imagined store; safe to share between threads."""

    def __init__(self) -> None:
        self.streams: dict[str, MemoryStream] = {}
        self._failures: list[Failure] = []
        self._lock = Lock()

    def close(self) -> None:
        """Nothing to give back."""

    def fail_next(self, *failures: Failure) -> None:
        """Let the next appends to a stream end so, one after the other."""
        self._failures.extend(failures)

    def acquire(self, stream: str) -> MemoryWriter:
        """Become the stream's writer: raise its epoch, which fences every older writer."""
        with self._lock:
            held = self.streams.setdefault(stream, MemoryStream())
            held.epoch += 1
            return MemoryWriter(self, stream, held.epoch, held.head)

    def append_many(self, work: Sequence[tuple[MemoryWriter, list[bytes]]]) -> list[int]:
        """Append to several streams at once; see `redis.RedisJournal.append_many`."""
        for writer, bodies in work:
            if writer.failure is not None and bodies:
                raise writer.failure
        with self._lock:
            for writer, bodies in work:
                if bodies:
                    self._append(writer, bodies)
        for writer, bodies in work:
            if writer.failure is not None and bodies:
                raise writer.failure
        return [writer.head.number for writer, _ in work]

    def reader(self, stream: str) -> "MemoryReader":
        """Make a reader of one stream."""
        return MemoryReader(self, stream)

    def tail(self) -> "MemoryTail":
        """Make a tail over any of the streams."""
        return MemoryTail(self)

    def stream(self, name: str) -> MemoryStream:
        """Give the stream itself, empty if nobody wrote to it yet."""
        return self.streams.get(name) or MemoryStream()

    def _append(self, writer: MemoryWriter, bodies: list[bytes]) -> None:
        failure = self._failures.pop(0) if self._failures else None
        held = self.streams[writer.stream]
        if failure is not None:
            writer.failure = JournalUnavailableError(writer.stream, failure.value)
        if failure is Failure.LOST:
            return
        if held.epoch != writer.epoch:
            writer.failure = FencedError(writer.stream, writer.epoch, held.epoch)
            return
        frames, head = frame_all(writer.stream, writer.head, writer.epoch, bodies)
        first = writer.head.number + 1
        held.entries.update(enumerate(frames, first))
        held.head = head
        if failure is None:
            writer.head = head


class MemoryReader:
    """Reads one stream; every record that leaves here is verified."""

    def __init__(self, journal: MemoryJournal, stream: str) -> None:
        self.stream = stream
        self._journal = journal

    def head(self) -> Head:
        """Say where the stream stands."""
        return self._journal.stream(self.stream).head

    def read(
        self, after: int, until: int | None = None, *, seal: bytes | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Yield (number, body) in order, verified; see `redis.RedisReader.read`."""
        held = self._journal.stream(self.stream)
        end = held.head.number if until is None else min(until, held.head.number)
        entries = sorted(item for item in list(held.entries.items()) if item[0] >= after)
        chain, entries = begin(self.stream, after, seal, entries)
        for number, data in entries:
            if number > end:
                break
            yield number, chain.accept(number, data).body
        if chain.number < end:
            raise CorruptRecordError(self.stream, chain.number + 1, "missing")


class MemoryTail:
    """Follows streams from an asyncio process; see `ports.JournalTail`."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self._positions: dict[str, int] = {}

    def add(self, stream: str, after: int) -> None:
        """Follow one more stream, from behind record ``after``."""
        self._positions[stream] = after

    async def follow(self, positions: dict[str, int]) -> AsyncIterator[tuple[str, int, bytes]]:
        """Yield (stream, number, body) after the given record numbers, for ever."""
        self._positions.update(positions)
        while True:
            for stream in list(self._positions):
                for number, body in self._journal.reader(stream).read(self._positions[stream]):
                    self._positions[stream] = number
                    yield stream, number, body
            await asyncio.sleep(POLL_S)
