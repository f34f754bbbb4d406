"""The ports of `actors.ports` over an actor's lane, with another port for when there is none.

A call goes over the lane where its address is known and a connection is to be had, and otherwise
the other way (the Ray handle), before a byte was sent. A call that was sent and whose connection
ends before the answer has an unknown outcome, exactly as one whose Ray call died: it is never
repeated here. Each connection carries one call at a time; calls beyond `CONNECTIONS_MAX` go the
other way, so nothing queues.
"""

import asyncio
import contextlib
import socket
from typing import Final, cast

from actors.errors import UnavailableError, UnknownOutcomeError
from actors.lane import (
    HEADER_BYTES,
    MESSAGE_BYTES_MAX,
    LaneAddress,
    LaneProtocolError,
    framed,
    message_size,
    receive,
    unpack_answer,
)
from actors.lane_search import LaneSearch, Locate
from actors.ports import BlockingAccountPort, PairPort

CONNECTIONS_MAX: Final = 8
"""Per caller and actor; see `lane_server.CONNECTIONS_MAX`."""
OPEN_TIMEOUT_S: Final = 1.0
"""How long whoever listens may take to say who it is; it takes a fraction of a millisecond."""
CALL_TIMEOUT_S: Final = 15.0
WAIT_TIMEOUT_S: Final = 5.0
"""A shard answers within milliseconds; after this long the same message is sent again."""


class _Connection(asyncio.Protocol):
    """One connection of an asyncio process, with at most one call on it."""

    def __init__(self, name: str, address: LaneAddress) -> None:
        self.address = address
        self.message: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        """Resolved with the next message; the first one is the server's token."""
        self._name = name
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    @property
    def usable(self) -> bool:
        """Whether a call may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) < HEADER_BYTES:
            return
        try:
            whole = HEADER_BYTES + message_size(self._buffer)
        except LaneProtocolError:
            self.abort()
            return
        if len(self._buffer) < whole:
            return
        if len(self._buffer) > whole or self.message.done():
            self.abort()  # one message was asked for
            return
        self.message.set_result(bytes(self._buffer[HEADER_BYTES:]))
        self._buffer.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.message.done():
            detail = f"the connection ended before an answer{f' ({exc})' if exc else ''}"
            self.message.set_exception(UnknownOutcomeError(self._name, detail))
            self.message.exception()  # nobody may be waiting for it

    def send(self, frame: bytes) -> None:
        """Send a call; its answer is the next ``message``."""
        assert self._transport is not None  # noqa: S101 (it is connected before it is used)
        self.message = asyncio.get_running_loop().create_future()
        self._transport.write(frame)

    def abort(self) -> None:
        """End the connection at once, whatever is on it."""
        if self._transport is not None:
            self._transport.abort()


class LanePort:
    """The way to one actor from an asyncio loop: a `PairPort` or an `AccountPort`.

    Args:
        name: the actor's name.
        locate: asks it for its lane's address.
        other: the way where there is no lane.
        timeout_s: after this long the outcome counts as unknown.
    """

    def __init__(
        self, name: str, locate: Locate, other: PairPort, timeout_s: float = CALL_TIMEOUT_S
    ) -> None:
        self._name = name
        self._search = LaneSearch(locate)
        self._other = other
        self._timeout_s = timeout_s
        self._idle: list[_Connection] = []
        self._taken = 0

    async def call(self, request: bytes) -> bytes:
        """Send bytes, and wait for the answer; see `actors.ports`."""
        address = self._search.address()
        full = self._taken >= CONNECTIONS_MAX
        if address is None or full or len(request) > MESSAGE_BYTES_MAX:
            return await self._other.call(request)
        self._taken += 1
        try:
            connection = self._take_idle(address) or await self._open(address)
            if connection is not None:
                return await self._ask(connection, request)
        finally:
            self._taken -= 1
        return await self._other.call(request)

    async def close(self) -> None:
        """Close the connections; those with a call on it close when that has ended."""
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    def _take_idle(self, address: LaneAddress) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and connection.address == address:
                return connection
            connection.abort()
        return None

    async def _open(self, address: LaneAddress) -> _Connection | None:
        """Connect, and make sure of who serves there; None where that is not the one meant."""
        loop = asyncio.get_running_loop()
        connection = _Connection(self._name, address)
        greeting = connection.message
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await loop.create_unix_connection(lambda: connection, address.path)
                if await greeting == address.token:
                    return connection
        except (OSError, TimeoutError, UnknownOutcomeError):
            pass
        except BaseException:
            connection.abort()
            raise
        connection.abort()
        self._search.lost(address)
        return None

    async def _ask(self, connection: _Connection, request: bytes) -> bytes:
        try:
            connection.send(framed(request))
            async with asyncio.timeout(self._timeout_s):
                message = await connection.message
        except TimeoutError:
            connection.abort()  # its answer may still come, and is nobody's
            raise UnknownOutcomeError(self._name, f"no answer in {self._timeout_s:g} s") from None
        except UnknownOutcomeError:
            self._search.lost(connection.address)
            raise
        except BaseException:
            connection.abort()
            raise
        if len(self._idle) < CONNECTIONS_MAX:
            self._idle.append(connection)
        return unpack_answer(self._name, message)


class _Call:
    """A request on its way over one connection; the ticket of `BlockingLanePort`."""

    __slots__ = ("address", "connection")

    def __init__(self, address: LaneAddress, connection: socket.socket) -> None:
        self.address = address
        self.connection = connection


class BlockingLanePort:
    """The way to one actor from plain threads: a `BlockingAccountPort`.

    Args:
        name: the actor's name.
        locate: asks it for its lane's address.
        other: the way where there is no lane.
        timeout_s: after this long the outcome counts as unknown.
    """

    def __init__(
        self,
        name: str,
        locate: Locate,
        other: BlockingAccountPort,
        timeout_s: float = WAIT_TIMEOUT_S,
    ) -> None:
        self._name = name
        self._search = LaneSearch(locate)
        self._other = other
        self._timeout_s = timeout_s
        self._idle: list[_Call] = []

    def start(self, request: bytes) -> object:
        """Send without waiting; a failure to send is told by `wait`."""
        address = self._search.address()
        if address is None or len(request) > MESSAGE_BYTES_MAX:
            return self._other.start(request)
        call = self._take_idle(address) or self._open(address)
        if call is None:
            return self._other.start(request)
        try:
            call.connection.sendall(framed(request))
        except OSError:  # not all of it was taken, so it can never be answered, nor applied
            self._drop(call)
            return self._other.start(request)
        return call

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Wait for all of them, in order; see `ports.BlockingAccountPort`."""
        return [self._wait(ticket) for ticket in tickets]

    def close(self) -> None:
        """Close the connections that carry no call."""
        while self._idle:
            self._idle.pop().connection.close()

    def _wait(self, ticket: object) -> bytes:
        if not isinstance(ticket, _Call):
            return self._other.wait([ticket])[0]
        try:
            message = receive(ticket.connection)
        except (OSError, LaneProtocolError) as error:
            self._drop(ticket)
            detail = f"{type(error).__name__}: {error}"
            raise UnknownOutcomeError(self._name, detail) from error
        if message is None:
            self._drop(ticket)
            raise UnknownOutcomeError(self._name, "the connection ended before an answer")
        if len(self._idle) < CONNECTIONS_MAX:
            self._idle.append(ticket)
        else:
            ticket.connection.close()
        try:
            return unpack_answer(self._name, message)
        except UnavailableError as error:  # for a writer thread both mean: send it again
            raise UnknownOutcomeError(self._name, str(error)) from error

    def _take_idle(self, address: LaneAddress) -> _Call | None:
        while True:
            try:
                call = self._idle.pop()  # one step, so that two threads never get the same one
            except IndexError:
                return None
            if call.address == address:
                return call
            call.connection.close()

    def _open(self, address: LaneAddress) -> _Call | None:
        """Connect, and make sure of who serves there; None where that is not the one meant."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        call = _Call(address, connection)
        try:
            connection.settimeout(OPEN_TIMEOUT_S)
            connection.connect(address.path)
            if receive(connection) == address.token:
                connection.settimeout(self._timeout_s)
                return call
        except (OSError, LaneProtocolError):
            pass
        self._drop(call)
        return None

    def _drop(self, call: _Call) -> None:
        with contextlib.suppress(OSError):
            call.connection.close()
        self._search.lost(call.address)
