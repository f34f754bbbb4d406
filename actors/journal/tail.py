"""Following the journal live: one blocking read over many streams, for ever, across restarts.

What a tail yields is on disk. With ``appendfsync always`` the server writes and fsyncs its
append-only file once per turn of its event loop, before it sends any of the replies that turn
produced; replies to blocked readers are among those. A record can therefore be *executed* before it
is on disk, but neither its writer's acknowledgement nor a reader's XREAD answer leaves the server
earlier than the fsync that covers it. On a server with a weaker setting a tail may be ahead of the
disk, which is why `server.check_server` refuses those. A reader of a *replica* has no such promise.

Every record is verified (`record.Chain`). A gap, a damaged record or a trimmed beginning is raised
as an error that names the stream, which is followed no longer; all that was read of others is given
out before. The follower rebuilds the one and follows again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Final, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.typing import KeyT, StreamIdT

from actors.errors import JournalError, JournalUnavailableError
from actors.journal.record import Chain, begin
from actors.journal.redis import connect, describe, key, unpack_entries

BLOCK_MS: Final = 250
"""How long one read waits for news; also how soon an added stream is followed."""
RECORDS_MAX: Final = 64
"""Records per stream and read: 64 full ones are about 6 MB."""
BACK_OFF_FIRST_S: Final = 0.05
BACK_OFF_MAX_S: Final = 2.0
SOCKET_TIMEOUT_S: Final = 10.0
CONNECTIONS_MAX: Final = 64
"""Per asyncio client: more would only queue at the server, which runs one command at a time."""

Batch = list[tuple[str, int, bytes]]
"""(stream, number, body), each stream's in order."""
_Entries = list[tuple[bytes, dict[bytes, bytes]]]
_Answer = list[tuple[bytes, _Entries]]
_PASSING = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, OSError)
"""What a restart or a fail-over looks like from outside; the server comes back."""


class Cursor:
    """Where a tail stands in each of its streams, and the chains it verifies with. Does no I/O."""

    def __init__(self) -> None:
        self._after: dict[str, int] = {}
        self._chains: dict[str, Chain] = {}
        self._streams: dict[bytes, str] = {}
        self._errors: list[JournalError] = []

    def add(self, stream: str, after: int) -> None:
        """Follow ``stream`` from behind record ``after``."""
        self._after[stream] = after
        self._chains.pop(stream, None)
        self._streams[key(stream, "journal").encode()] = stream

    def drop(self, stream: str) -> None:
        """Follow ``stream`` no longer."""
        self._after.pop(stream, None)
        self._chains.pop(stream, None)
        self._streams.pop(key(stream, "journal").encode(), None)

    def positions(self) -> dict[str, int]:
        """Per stream the number of the last record given out."""
        return dict(self._after)

    def wanted(self) -> dict[KeyT, StreamIdT]:
        """Name what the next read asks for: keys, and the entry ids behind which to read.

        Before the first record of a stream is known, the one before it is asked for too: its seal
        ties what follows to what the follower already has.

        Raises:
            CorruptRecordError: in the last answer a record was torn, changed or missing.
            TrimmedError: in the last answer a stream began later than the follower needs.
        """
        if self._errors:
            raise self._errors.pop(0)
        return {
            key(stream, "journal"): f"{after if stream in self._chains else max(0, after - 1)}-0"
            for stream, after in self._after.items()
        }

    def take(self, answer: _Answer) -> Batch:
        """Verify a read's answer, and give out what is new; `wanted` raises what was wrong."""
        batch: Batch = []
        for name, entries in answer:
            stream = self._streams.get(bytes(name))
            if stream is None or not entries:
                continue  # dropped while the read was under way
            try:
                self._take_stream(stream, entries, batch)
            except JournalError as error:
                self.drop(stream)
                self._errors.append(error)
        return batch

    def _take_stream(self, stream: str, entries: _Entries, batch: Batch) -> None:
        frames = unpack_entries(stream, entries)
        chain = self._chains.get(stream)
        if chain is None:
            chain, frames = begin(stream, self._after[stream], None, frames)
            self._chains[stream] = chain
        for number, data in frames:
            batch.append((stream, number, chain.accept(number, data).body))
            self._after[stream] = number


class RedisTail:
    """Follows streams from an asyncio process; see `ports.JournalTail`."""

    def __init__(self, url: str) -> None:
        self.connected = False
        """False from a lost connection until the next answer."""
        self._cursor = Cursor()
        self._client = connect_async(url)

    def add(self, stream: str, after: int) -> None:
        """Follow one more stream, from behind record ``after``; also while following."""
        self._cursor.add(stream, after)

    def drop(self, stream: str) -> None:
        """Follow a stream no longer; a batch already read may still hold records of it."""
        self._cursor.drop(stream)

    def positions(self) -> dict[str, int]:
        """Per stream the number of the last record given out."""
        return self._cursor.positions()

    async def follow(self, positions: Mapping[str, int]) -> AsyncIterator[tuple[str, int, bytes]]:
        """Yield (stream, number, body) after the given record numbers, for ever.

        Raises:
            CorruptRecordError: a record is torn, changed or missing.
            TrimmedError: a stream begins later than the follower needs.
            JournalUnavailableError: the server refuses to be read; waiting will not help.
        """
        async for batch in self.batches(positions):
            for item in batch:
                yield item

    async def batches(self, positions: Mapping[str, int]) -> AsyncIterator[Batch]:
        """Yield what `follow` yields in the batches it comes in; never an empty one."""
        for stream, after in positions.items():
            self._cursor.add(stream, after)
        back_off_s = BACK_OFF_FIRST_S
        while True:
            wanted = self._cursor.wanted()
            if not wanted:
                await asyncio.sleep(BLOCK_MS / 1_000)
                continue
            try:
                answer = await self._client.xread(wanted, count=RECORDS_MAX, block=BLOCK_MS)
            except _PASSING:
                self.connected = False
                await asyncio.sleep(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)
                continue
            except RedisError as error:
                raise JournalUnavailableError(_names(wanted), describe(error)) from error
            self.connected = True
            back_off_s = BACK_OFF_FIRST_S
            if batch := self._cursor.take(cast("_Answer", answer)):
                yield batch

    async def close(self) -> None:
        """Give the connection back."""
        await self._client.aclose()


class ThreadTail:
    """Follows streams from a plain thread, one read at a time."""

    def __init__(self, url: str) -> None:
        self._cursor = Cursor()
        self._client = connect(url, SOCKET_TIMEOUT_S)

    def add(self, stream: str, after: int) -> None:
        """Follow ``stream`` from behind record ``after``."""
        self._cursor.add(stream, after)

    def drop(self, stream: str) -> None:
        """Follow ``stream`` no longer."""
        self._cursor.drop(stream)

    def positions(self) -> dict[str, int]:
        """Per stream the number of the last record given out."""
        return self._cursor.positions()

    def read(self, block_ms: int = BLOCK_MS) -> Batch:
        """Wait for new records; an empty answer when none came in time.

        Raises:
            CorruptRecordError: a record is torn, changed or missing.
            TrimmedError: a stream begins later than the follower needs.
            JournalUnavailableError: the server did not answer; ask again after a while.
        """
        wanted = self._cursor.wanted()
        if not wanted:
            time.sleep(block_ms / 1_000)
            return []
        try:
            answer = self._client.xread(wanted, count=RECORDS_MAX, block=block_ms)
        except RedisError as error:
            raise JournalUnavailableError(_names(wanted), describe(error)) from error
        return self._cursor.take(cast("_Answer", answer))

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()


def connect_async(url: str) -> "redis.asyncio.Redis":
    """Make an asyncio client that never repeats a command by itself (see `redis.connect`).

    At most `CONNECTIONS_MAX` commands are under way at once; further ones wait their turn.
    """
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=SOCKET_TIMEOUT_S,
        retry=AsyncRetry(NoBackoff(), 0),
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
        decode_responses=False,
        protocol=2,
    )
    return redis.asyncio.Redis.from_pool(pool)


def _names(wanted: Mapping[KeyT, StreamIdT]) -> str:
    return ", ".join(str(name) for name in wanted)
