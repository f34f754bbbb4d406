"""Following the journal live, many streams at once, for ever, across restarts.

A tail has two connections: on one it hears the bells of the streams that it follows (`cursor`), on
the other it reads those that rang. What it costs depends on how many streams have news, not on how
many are followed.

What a tail yields is on disk. With ``appendfsync always`` the server writes and fsyncs its
append-only file once per turn of its event loop, before it answers what was asked in that turn. A
record can therefore be *executed* before it is on disk, and a bell may even ring before that, but
neither its writer's acknowledgement nor a reader's XREAD answer leaves the server earlier than the
fsync that covers it. On a server with a weaker setting a tail may be ahead of the disk, which is
why `server.check_server` refuses those. A reader of a *replica* has no such promise.

Every record is verified (`record.Chain`). A gap, a damaged record or a trimmed beginning is raised
as an error that names the stream, which is followed no longer; all that was read of others is given
out before. The follower rebuilds the one and follows again.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from actors.errors import JournalUnavailableError
from actors.journal.cursor import RECORDS_MAX, Batch, Cursor, Entries
from actors.journal.redis import connect, describe

BLOCK_MS: Final = 250
"""How long a thread's read waits for news."""
BACK_OFF_FIRST_S: Final = 0.05
BACK_OFF_MAX_S: Final = 2.0
SOCKET_TIMEOUT_S: Final = 10.0
CONNECTIONS_MAX: Final = 64
"""Per asyncio client: more would only queue at the server, which runs one command at a time."""

_Answer = Sequence[tuple[bytes, Sequence[tuple[bytes, Sequence[bytes]]]]] | None
"""To XREAD, as the connection gives it: names, ids, fields and values; None for nothing new."""
_Message = tuple[bytes, bytes, object]
"""On a subscribed connection: its kind, its channel, and what came there."""
_PASSING = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, OSError)
"""What a restart or a fail-over looks like from outside; the server comes back."""


class _Line:
    """One connection of an asyncio process to the store, without a client's pools and retries."""

    def __init__(self, url: str) -> None:
        pool = redis.asyncio.ConnectionPool.from_url(
            url,
            retry=AsyncRetry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            decode_responses=False,
            protocol=2,
        )
        self._connection = pool.make_connection()  # type: ignore[no-untyped-call]

    async def open(self) -> None:
        """Connect, unless it is connected."""
        await self._connection.connect()

    async def send(self, *command: str | bytes | int) -> None:
        """Send a command, connecting first where need be."""
        packed = self._connection.pack_command(*command)
        await self._connection.send_packed_command(packed, check_health=False)

    async def receive(self) -> object:
        """Wait for the next answer or message, however long it takes."""
        return cast("object", await self._connection.read_response(timeout=math.inf))

    async def ask(self, *command: str | bytes | int) -> object:
        """Send a command and wait for its answer.

        Raises:
            TimeoutError: none came within `SOCKET_TIMEOUT_S`.
        """
        async with asyncio.timeout(SOCKET_TIMEOUT_S):
            await self.send(*command)
            return await self.receive()

    async def close(self) -> None:
        """Close it; it connects again when something is sent."""
        await self._connection.disconnect(nowait=True)


class RedisTail:
    """Follows streams from an asyncio process; see `ports.JournalTail`."""

    def __init__(self, url: str) -> None:
        self.connected = False
        """False from a lost connection until the next answer."""
        self._cursor = Cursor()
        self._bells = _Line(url)
        self._reads = _Line(url)
        self._rung = asyncio.Event()

    def add(self, stream: str, after: int) -> None:
        """Follow one more stream, from behind record ``after``; also while following."""
        self._cursor.add(stream, after)
        self._rung.set()

    def drop(self, stream: str) -> None:
        """Follow a stream no longer; a batch already read may still hold records of it."""
        self._cursor.drop(stream)

    def positions(self) -> dict[str, int]:
        """Per stream the number of the last record given out."""
        return self._cursor.positions()

    async def follow(
        self, positions: Mapping[str, int]
    ) -> AsyncGenerator[tuple[str, int, bytes], None]:
        """Yield (stream, number, body) after the given record numbers, for ever.

        Raises:
            CorruptRecordError: a record is torn, changed or missing.
            TrimmedError: a stream begins later than the follower needs.
            JournalUnavailableError: the server refuses to be read; waiting will not help.
        """
        async with contextlib.aclosing(self.batches(positions)) as batches:
            async for batch in batches:
                for item in batch:
                    yield item

    async def batches(self, positions: Mapping[str, int]) -> AsyncGenerator[Batch, None]:
        """Yield what `follow` yields in the batches it comes in; never an empty one."""
        for stream, after in positions.items():
            self._cursor.add(stream, after)
        back_off_s = BACK_OFF_FIRST_S
        while True:
            try:
                async with contextlib.aclosing(self._connected()) as batches:
                    async for batch in batches:
                        back_off_s = BACK_OFF_FIRST_S
                        if batch:
                            yield batch
            except _PASSING:
                self.connected = False
                await asyncio.sleep(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)
            except RedisError as error:
                names = ", ".join(self._cursor.positions())
                raise JournalUnavailableError(names, describe(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._bells.close()
        await self._reads.close()

    async def _connected(self) -> AsyncGenerator[Batch, None]:
        """Read what has news, until a connection fails."""
        self._cursor.connected()
        await self._bells.open()
        hearing = asyncio.create_task(self._hear(), name="journal-bells")
        hearing.add_done_callback(lambda _: self._rung.set())
        try:
            while True:
                self._rung.clear()
                next_sweep_s = self._cursor.sweep_if_due()
                await self._subscribe()
                if wanted := self._cursor.wanted():
                    answer = await self._reads.ask(*_xread(wanted))
                    self.connected = True
                    yield self._cursor.take(_entries(cast("_Answer", answer)))
                elif not hearing.done():
                    await self._wait(next_sweep_s)
                else:
                    hearing.result()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            await self.close()

    async def _subscribe(self) -> None:
        begun, ended = self._cursor.subscriptions()
        if begun:
            await self._bells.send("SUBSCRIBE", *begun)
        if ended:
            await self._bells.send("UNSUBSCRIBE", *ended)

    async def _hear(self) -> None:
        """Take every bell, and every subscription's beginning, for news of its stream."""
        while True:
            _, name, _ = cast("_Message", await self._bells.receive())
            self._cursor.ring(name)
            self._rung.set()

    async def _wait(self, timeout_s: float) -> None:
        """Wait for a bell."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()


class ThreadTail:
    """Follows streams from a plain thread, one read at a time."""

    def __init__(self, url: str) -> None:
        self._cursor = Cursor()
        pool = connect(url, SOCKET_TIMEOUT_S).connection_pool
        self._bells = pool.make_connection()
        self._reads = pool.make_connection()

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
        try:
            self._hear(block_ms / 1_000)
            wanted = self._cursor.wanted()
            if not wanted:
                return []
            _send(self._reads, *_xread(wanted))
            answer = cast("_Answer", self._reads.read_response())
        except RedisError as error:
            self.close()
            names = ", ".join(self._cursor.positions())
            raise JournalUnavailableError(names, describe(error)) from error
        return self._cursor.take(_entries(answer))

    def close(self) -> None:
        """Close the connections; reading opens them again."""
        for connection in (self._bells, self._reads):
            connection.disconnect()  # type: ignore[no-untyped-call]
        self._cursor.connected()

    def _hear(self, wait_s: float) -> None:
        """Take note of the bells that rang; wait for one where there is nothing to read yet."""
        self._cursor.sweep_if_due()
        begun, ended = self._cursor.subscriptions()
        if begun:
            _send(self._bells, "SUBSCRIBE", *begun)
        if ended:
            _send(self._bells, "UNSUBSCRIBE", *ended)
        if self._cursor.pending:
            wait_s = 0.0
        while self._bells.can_read(wait_s):
            _, name, _ = cast("_Message", self._bells.read_response())
            self._cursor.ring(name)
            wait_s = 0.0


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


def _send(connection: ConnectionInterface, *command: str | bytes | int) -> None:
    packed = connection.pack_command(*command)  # type: ignore[no-untyped-call]
    connection.send_packed_command(packed, check_health=False)  # type: ignore[no-untyped-call]


def _xread(wanted: Mapping[str, str]) -> list[str | bytes | int]:
    return ["XREAD", "COUNT", RECORDS_MAX, "STREAMS", *wanted.keys(), *wanted.values()]


def _entries(answer: _Answer) -> list[tuple[bytes, Entries]]:
    return [
        (name, [(identity, dict(zip(row[::2], row[1::2], strict=True))) for identity, row in rows])
        for name, rows in answer or ()
    ]
