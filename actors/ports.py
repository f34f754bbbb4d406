"""The seams of the exchange, as protocols. Each has a memory twin and one contract suite for both.

Only bytes cross a seam between processes, so a port can be a Ray handle today and a socket
tomorrow. What the bytes mean: `engine.market_api`, `engine.ledger_commands`, `journal.record`.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Protocol

from actors.journal.record import Head


class PairPort(Protocol):
    """The way to one pair actor from an asyncio process (gateway, bot, feed)."""

    async def call(self, batch: bytes) -> bytes:
        """Submit an encoded batch of requests, and wait for its `BatchReply`.

        Raises:
            PairUnavailableError: nobody is there; the batch was certainly not applied.
            UnknownOutcomeError: the actor died on the way; ask by command id.
        """
        ...


class AccountPort(Protocol):
    """The way to one account shard from an asyncio process."""

    async def call(self, request: bytes) -> bytes:
        """Send one encoded `LedgerRequest`, and wait for its `LedgerReply`.

        Raises:
            UnknownOutcomeError: the shard died on the way; commands are safe to repeat by id.
        """
        ...


class BlockingAccountPort(Protocol):
    """The way to one account shard from a pair's writer thread."""

    def start(self, request: bytes) -> object:
        """Send a request without waiting; returns a ticket for `wait`."""
        ...

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Wait for all of them, in order.

        Raises:
            UnknownOutcomeError: a shard died on the way; the same Post may be sent again.
        """
        ...


class JournalWriter(Protocol):
    """Appends to one stream, fenced by epoch. Owned by exactly one thread."""

    stream: str
    epoch: int
    head: Head
    """Number and seal of the last record this writer knows to be written."""

    def append(self, bodies: list[bytes]) -> int:
        """Frame, chain and append records in one round trip; durable when this returns.

        Returns:
            The number of the last record written.

        Raises:
            FencedError: a newer incarnation owns the stream; end the process.
            JournalUnavailableError: the outcome is unknown; end the process, recover from disk.
        """
        ...


class JournalReader(Protocol):
    """Reads one stream from anywhere, by record number."""

    def head(self) -> Head:
        """Say where the stream stands."""
        ...

    def read(
        self, after: int, until: int | None = None, *, seal: bytes | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Yield (number, body) in order, verified; ``seal`` is record ``after``'s, if known.

        Raises:
            CorruptRecordError: a record is torn, changed or missing; names its number.
            TrimmedError: ``after`` lies before what the stream still holds.
        """
        ...


class Journal(Protocol):
    """All streams of one store, for one thread of writers."""

    def acquire(self, stream: str) -> JournalWriter:
        """Become the stream's writer: raise its epoch, which fences every older writer.

        Raises:
            JournalUnavailableError: the store did not answer; acquiring again is safe.
            CorruptRecordError: the end of the stream is damaged.
        """
        ...

    def append_many(self, work: Sequence[tuple[Any, list[bytes]]]) -> list[int]:
        """Append bodies by several of this journal's writers in one round trip and one fsync.

        Returns:
            Per writer the number of its last record; errors are those of `JournalWriter.append`.
        """
        ...

    def reader(self, stream: str) -> JournalReader:
        """Make a reader of one stream."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class JournalTail(Protocol):
    """Follows one or many streams from an asyncio process, across crashes of anyone."""

    def follow(self, positions: dict[str, int]) -> AsyncIterator[tuple[str, int, bytes]]:
        """Yield (stream, number, body) after the given record numbers, for ever."""
        ...
