"""The aiohttp shell around the sessions: handshakes, one writer per socket, and the clock.

A connection is two loops: the handler reads frames into the session; the writer asks the session
for its next frame and sends it, and sleeps while there is none. Only the transport's buffer lies
between a session and its client, so a reader that stops reading stops its own writer and nothing
else. One sweeper for all connections ticks the sessions and ends those whose client takes nothing
for too long.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

import structlog
from aiohttp import WSMsgType, web
from event_trader.wire.failure import ErrorCode

from actors.errors import UnavailableError
from gateway.errors import ApiError, unavailable
from gateway.middleware import REQUEST_ID
from gateway.ws.leases import ConnectionLeases
from gateway.ws.protocol import CLOSE_GOING_AWAY, CLOSE_SLOW, FRAME_BYTES_MAX, Clock, Session

PING_S: Final = 20.0
"""Protocol pings; a client that does not pong within half of it is gone."""
SEND_TIMEOUT_S: Final = 10.0
"""A client that takes not one frame for this long is cut off."""
CLOSE_TIMEOUT_S: Final = 2.0
"""How long to wait for a client's own close frame."""
SWEEP_S: Final = 0.25
_YIELD_EVERY: Final = 64
"""Frames a writer sends at most before it lets others run."""

MakeSession = Callable[[], Session]


class Connection:
    """One open socket and its session."""

    def __init__(self, socket: web.WebSocketResponse, session: Session) -> None:
        self.session = session
        self.sending_since = 0.0
        """When the frame under way was handed over (monotonic seconds); 0.0 between frames."""
        self.ended = asyncio.Event()
        self._socket = socket
        self.said_goodbye = False
        self._goodbye: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        session.wake = self.wake

    def wake(self) -> None:
        """Let the writer look for a frame."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def run(self, transport: asyncio.Transport | None) -> None:
        """Serve the socket until it ends."""
        session = self.session
        session.opened()
        writer = asyncio.get_running_loop().create_task(self._write())
        writer.add_done_callback(lambda _: self._stop_reading(transport))
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    session.receive(message.data)
                elif message.type is WSMsgType.BINARY:
                    session.receive_binary()
        finally:
            session.closed()
            ending = [task for task in (writer, self._goodbye) if task is not None]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    def _stop_reading(self, transport: asyncio.Transport | None) -> None:
        """Make sure the reader ends with the writer, whatever ended that."""
        if transport is not None and not transport.is_closing() and not self._socket.closed:
            transport.abort()

    def say_goodbye(self) -> None:
        """Put the close frame behind what the client has not read, without waiting for it."""
        closing = self.session.closing
        if closing is not None and not self.said_goodbye:
            self.said_goodbye = True
            payload = closing.code.to_bytes(2, "big") + closing.reason.encode()
            task = asyncio.get_running_loop().create_task(
                self._socket.send_frame(payload, WSMsgType.CLOSE)
            )
            self._goodbye = task

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        session, socket = self.session, self._socket
        sent = 0
        with contextlib.suppress(ConnectionError):
            while True:
                frame = session.next_frame()
                if frame is not None:
                    self.sending_since = loop.time()
                    await socket.send_frame(frame, WSMsgType.TEXT)
                    self.sending_since = 0.0
                    sent += 1
                    if not sent % _YIELD_EVERY:
                        await asyncio.sleep(0)
                    continue
                if session.closing is not None:
                    break
                self._waiter = loop.create_future()
                await self._waiter
            closing = session.closing
            await socket.close(code=closing.code, message=closing.reason.encode())


class Connections:
    """All open sockets of a gateway.

    Args:
        leases: the count per address and channel.
        address_of: names the address a request came from.
    """

    def __init__(self, leases: ConnectionLeases, address_of: Callable[[web.Request], str]) -> None:
        self.clock = Clock(time.time_ns, time.monotonic_ns)
        self._leases = leases
        self._address_of = address_of
        self._open: dict[Connection, asyncio.Transport | None] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("gateway.ws")

    def __len__(self) -> int:
        return len(self._open)

    async def serve(
        self, request: web.Request, channel: str, make_session: MakeSession
    ) -> web.StreamResponse:
        """Upgrade a request and serve its session until the socket ends.

        Raises:
            ApiError: 426 for a request that is no upgrade, 429 for one connection too many.
        """
        socket = _new_socket()
        require_upgrade(request, socket)
        try:
            lease = await self._leases.acquire(self._address_of(request), channel)
        except UnavailableError as error:
            message = "Connections cannot be counted just now; try again shortly."
            raise unavailable(ErrorCode.BUSY, message) from error
        if lease is None:
            raise ApiError(
                429,
                ErrorCode.TOO_MANY_CONNECTIONS,
                "This address has all the connections it may have on this channel.",
                {"close_code": 4429},
                headers={"Retry-After": "1"},
            )
        try:
            socket.headers["X-Request-Id"] = request[REQUEST_ID]
            await socket.prepare(request)
            connection = Connection(socket, make_session())
            self._open[connection] = request.transport
            self._sweep()
            try:
                await connection.run(request.transport)
            finally:
                self._open.pop(connection, None)
                connection.ended.set()
        finally:
            await asyncio.shield(self._leases.release(lease))
        return socket

    async def stop(self) -> None:
        """Tell every client that the gateway goes away, and wait a moment for them to leave."""
        for connection in list(self._open):
            connection.session.close(CLOSE_GOING_AWAY, "the gateway is shutting down")
        handlers = [connection.ended.wait() for connection in self._open]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*handlers), CLOSE_TIMEOUT_S)
        for transport in self._open.values():
            if transport is not None:
                transport.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await self._leases.stop()

    def _sweep(self) -> None:
        """Run the sweeper while there are connections."""
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep_all())

    async def _sweep_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._open:
            await asyncio.sleep(SWEEP_S)
            now = loop.time()
            for connection, transport in list(self._open.items()):
                connection.session.tick()
                stuck_s = now - connection.sending_since if connection.sending_since else 0.0
                if stuck_s > SEND_TIMEOUT_S and connection.session.closing is None:
                    connection.session.close(CLOSE_SLOW, "nothing was read for too long")
                if stuck_s > CLOSE_TIMEOUT_S and connection.session.closing is not None:
                    self._cut_off(connection, transport, stuck_s)

    def _cut_off(
        self, connection: Connection, transport: asyncio.Transport | None, stuck_s: float
    ) -> None:
        """End a connection whose client does not read: say why, once, and let go."""
        if connection.said_goodbye and transport is not None:
            transport.abort()
        elif not connection.said_goodbye:
            self._log.info("reader_cut_off", seconds=round(stuck_s, 1))
            connection.say_goodbye()


def require_upgrade(request: web.Request, socket: web.WebSocketResponse | None = None) -> None:
    """Refuse a request that does not ask for a WebSocket.

    Raises:
        ApiError: 426 with what to send instead, or 400 for a broken handshake.
    """
    if (socket or _new_socket()).can_prepare(request).ok:
        return
    if request.headers.get("Upgrade", "").lower().strip() == "websocket":
        raise ApiError(400, ErrorCode.BAD_REQUEST, "The WebSocket handshake is incomplete.")
    raise ApiError(
        426,
        ErrorCode.UPGRADE_REQUIRED,
        "This is a WebSocket channel: connect with ws:// or wss://.",
        headers={"Upgrade": "websocket", "Connection": "Upgrade"},
    )


def _new_socket() -> web.WebSocketResponse:
    """Make a socket without deflate: compressing each frame once per client costs too much."""
    return web.WebSocketResponse(
        timeout=CLOSE_TIMEOUT_S, heartbeat=PING_S, compress=False, max_msg_size=FRAME_BYTES_MAX
    )
