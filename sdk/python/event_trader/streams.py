"""The WebSocket channels, as async iterators that reconnect by themselves.

This is the shell: sockets, back-off, credentials. What a channel's frames mean, and how nothing is
lost or seen twice, is `stream_protocol`'s. A stream reads only when it is asked for the next event,
so nothing piles up in this process; who asks too slowly is closed by the server (4408).
"""

import asyncio
import inspect
import json
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from event_trader.bodies import member, pair_name
from event_trader.book import LocalBook
from event_trader.codes import error_class
from event_trader.errors import (
    APIError,
    AuthenticationError,
    ConnectionFailedError,
    EventTraderError,
    NotTandemError,
    RateLimitedError,
    RequestTimeoutError,
    SlowReaderError,
    UnavailableError,
)
from event_trader.stream_protocol import (
    BookProtocol,
    Event,
    PrivateProtocol,
    StreamProtocol,
    TradesProtocol,
)
from event_trader.transport import HttpTransport, backoff_s, reason_of, retry_after_s

if TYPE_CHECKING:
    import aiohttp

IDLE_MAX_S = 15.0
"""The server gives a sign of life every 5 s; three of them missing mean a dead connection."""
SLOW_AGAIN_S = 60.0
"""Closed for slowness twice within this time: the reader cannot keep up."""
FRAME_BYTES_MAX = 16 * 1024 * 1024
"""A snapshot of a very deep book has some megabytes."""

_PASSING = (ConnectionFailedError, RequestTimeoutError, RateLimitedError, UnavailableError)
"""What another connection, a little later, may mend."""

_CLOSED_UNAUTHENTICATED = 4401
_CLOSED_FORBIDDEN = 4403
_CLOSED_SLOW = 4408

ProtocolT = TypeVar("ProtocolT", bound=StreamProtocol)
Handler = Callable[[Event], Awaitable[None] | None]


class Stream(Generic[ProtocolT]):
    """One channel: iterate over it, or give `run` a handler.

    It connects when the first event is asked for, and connects again whenever the connection is
    lost. It ends when it is closed, or with an error that a new connection cannot mend.

    Example:
        >>> async with client.stream.trades("vaix") as trades:
        ...     async for event in trades:
        ...         print(event)

    Raises:
        APIError: the server refuses the channel (unknown symbol, wrong key …).
        ConnectionFailedError: the first connection cannot be made.
        SlowReaderError: events are read too slowly, again and again.
        StreamCorruptError: the book's checksum keeps failing.
    """

    def __init__(
        self,
        http: HttpTransport,
        path: str,
        protocol: ProtocolT,
        params: dict[str, str] | None = None,
    ) -> None:
        self.protocol = protocol
        self.connections = 0
        """How many connections there have been."""
        self._http = http
        self._path = path
        self._params = params or {}
        self._socket: aiohttp.ClientWebSocketResponse[Any] | None = None
        self._events: deque[Event] = deque()
        self._failures = 0
        self._renewed = False
        self._slow_at = -SLOW_AGAIN_S
        self._fault: Event | None = None
        self._closed = False

    def __aiter__(self) -> "Stream[ProtocolT]":
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            try:
                await self._advance()
            except EventTraderError:
                self._http.closers.discard(self.close)
                await self._drop()
                raise
        return self._events.popleft()

    async def __aenter__(self) -> "Stream[ProtocolT]":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the stream; whoever iterates over it comes to the end. Closing the client does it."""
        self._closed = True
        self._http.closers.discard(self.close)
        await self._drop()

    async def run(self, handler: Handler) -> None:
        """Call ``handler`` (a function or a coroutine function) with each event, until closed.

        Example:
            >>> stream = client.stream.bbo("vaix")
            >>> async def handler(event):
            ...     print(event["best_bid"])
            ...     await stream.close()
            >>> await stream.run(handler)
        """
        async for event in self:
            result = handler(event)
            if inspect.isawaitable(result):
                await result

    async def _advance(self) -> None:
        """Make one step: connect, or take one message."""
        if self._socket is None:
            try:
                await self._connect()
            except _PASSING:
                if not self.connections and self._failures >= self._http.max_retries:
                    raise
                await self._pause()
            return
        for frame in self.protocol.to_send():
            try:
                sent = self._socket.send_str(json.dumps(frame))
                await asyncio.wait_for(sent, self._http.timeout_s)
            except (asyncio.TimeoutError, OSError, RuntimeError):  # noqa: UP041 (3.10 has two)
                await self._lost(None)
                return
        await self._take(self._socket)

    async def _take(self, socket: "aiohttp.ClientWebSocketResponse[Any]") -> None:
        from aiohttp import WSMsgType

        try:
            message = await socket.receive(IDLE_MAX_S)
        except (asyncio.TimeoutError, OSError, RuntimeError):  # noqa: UP041 (3.10 has two)
            await self._lost(None)
            return
        if message.type is not WSMsgType.TEXT:
            await self._lost(socket.close_code)
            return
        frame = _read(message.data, self._path)
        if frame["type"] == "error":
            self._fault = frame
        events = self.protocol.receive(frame)
        # A server that answers is there: whatever cut the stream, do not stay away for long.
        self._failures = min(self._failures, 2)
        if events:
            self._failures, self._renewed = 0, False
            self._events.extend(events)
        await self._after_reconnect()
        if self.protocol.broken:
            await self._lost(None)

    async def _after_reconnect(self) -> None:
        protocol = self.protocol
        if isinstance(protocol, PrivateProtocol) and protocol.reconnected:
            try:
                body = await self._http.get("/api/v1/account/balances")
            except _PASSING:
                # They are read when the next connection stands.
                await self._lost(None)
                return
            self._events.extend(protocol.balances_read(member(body, "balances")))

    async def _connect(self) -> None:
        import aiohttp

        pool = await self._http.http()
        headers = await self._http.credentials(self._path)
        if not headers and isinstance(self.protocol, PrivateProtocol):
            # The exchange would wait ten seconds for one before it says so.
            said = "This channel needs an API key or a log-in."
            raise error_class(401, "UNAUTHENTICATED")(401, "UNAUTHENTICATED", said)
        try:
            socket = await asyncio.wait_for(
                pool.ws_connect(
                    self._http.base_url + self._path,
                    params=self._params,
                    headers=headers,
                    max_msg_size=FRAME_BYTES_MAX,
                ),
                self._http.timeout_s,
            )
        except aiohttp.WSServerHandshakeError as refusal:
            await self._refused(refusal)
            return
        except asyncio.TimeoutError as error:  # noqa: UP041 (3.10 has two of them)
            raise RequestTimeoutError(
                f"{self._path} did not open within {self._http.timeout_s} s"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailedError(
                f"cannot reach {self._http.base_url}: {reason_of(error)}; is the exchange running "
                "there, and is base_url right?"
            ) from error
        self._socket = socket
        self._http.closers.add(self.close)
        self.connections += 1
        self.protocol.opened()

    async def _refused(self, refusal: "aiohttp.WSServerHandshakeError") -> None:
        """Turn a refused handshake, which has no body, into the error it stands for."""
        if refusal.status in (429, 503):
            wait_s = max(1.0, retry_after_s(refusal.headers or {}))
            message = f"{self._path} was refused ({refusal.message})"
            code = "TOO_MANY_CONNECTIONS" if refusal.status == 429 else "UNAVAILABLE"
            raise error_class(refusal.status, code)(refusal.status, code, message, {}, "", wait_s)
        try:
            await self._http.get(self._path, params=self._params)
        except APIError as error:
            if error.code != "UPGRADE_REQUIRED":
                raise
        raise NotTandemError(
            f"{self._http.base_url}{self._path} refused to become a WebSocket (HTTP "
            f"{refusal.status}); check base_url, and proxies in between"
        ) from refusal

    async def _lost(self, code: int | None) -> None:
        """Let go of the connection; raise where another one would not help.

        Raises:
            APIError: the credential is not good, or not any more.
            SlowReaderError: it was closed for slowness before.
        """
        await self._drop()
        if self._closed:
            return
        if code in (_CLOSED_UNAUTHENTICATED, _CLOSED_FORBIDDEN):
            session = self._http.session
            if code == _CLOSED_FORBIDDEN or session is None or self._renewed:
                raise self._refusal(401 if code == _CLOSED_UNAUTHENTICATED else 403)
            self._renewed = True
            session.renew_at = 0.0
        elif code == _CLOSED_SLOW:
            now = time.monotonic()
            if now - self._slow_at < SLOW_AGAIN_S:
                raise SlowReaderError(
                    f"{self._path} was closed twice because it was read too slowly; do less "
                    "between two events, or hand them to another task"
                )
            self._slow_at = now
        else:
            await self._pause()

    def _refusal(self, status: int) -> EventTraderError:
        fault = self._fault or {"code": "UNAUTHENTICATED", "message": "The stream was closed."}
        kind = error_class(status, fault["code"])
        return (kind if issubclass(kind, APIError) else AuthenticationError)(
            status, fault["code"], fault["message"]
        )

    async def _pause(self) -> None:
        """Wait before the next connection: a moment at first, longer when it keeps failing."""
        self._failures += 1
        at_once = self._failures == 1 and self.connections
        jitter_s = random.random() / 10  # noqa: S311 - jitter needs no secrecy
        await asyncio.sleep(jitter_s if at_once else backoff_s(self._failures - 1))

    async def _drop(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()


class BookStream(Stream[BookProtocol]):
    """A book channel; `book` is the server's book at every event."""

    @property
    def book(self) -> LocalBook:
        """The book, as of the last event."""
        return self.protocol.book


class Streams:
    """The six channels; reached as ``client.stream``."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http

    def book(self, symbol: str, *, hybrid: bool = False, mode: str | None = None) -> BookStream:
        """Follow a book: ``snapshot`` and ``update`` frames, kept in the stream's ``book``.

        Args:
            symbol: base symbol, such as ``vaix``.
            hybrid: with the pools' depth; resting orders only otherwise.
            mode: ``live`` or ``paper``; None shows what the pair shows in public.

        Example:
            >>> stream = client.stream.book("vaix", hybrid=True)
            >>> async for _ in stream:
            ...     print(stream.book.best_bid, stream.book.best_ask)
        """
        params = {"hybrid": "true"} if hybrid else {}
        path = f"/ws/exchange/{pair_name(symbol)}/book"
        return BookStream(self._http, path, BookProtocol(), params | _mode(mode))

    def trades(self, symbol: str, *, mode: str | None = None) -> Stream[TradesProtocol]:
        """Follow the tape: a ``snapshot`` of the last 50, then each ``trade`` once.

        Example:
            >>> async for event in client.stream.trades("vaix"):
            ...     print(event)
        """
        path = f"/ws/exchange/{pair_name(symbol)}/trades"
        return Stream(self._http, path, TradesProtocol(), _mode(mode))

    def price(self, symbol: str, *, mode: str | None = None) -> Stream[StreamProtocol]:
        """Follow the last price: ``price`` frames, always the newest.

        Example:
            >>> async for event in client.stream.price("vaix"):
            ...     print(event["price"])
        """
        path = f"/ws/exchange/{pair_name(symbol)}/price"
        return Stream(self._http, path, StreamProtocol(), _mode(mode))

    def bbo(self, symbol: str, *, mode: str | None = None) -> Stream[StreamProtocol]:
        """Follow the best bid and offer: ``bbo`` frames, always the newest.

        Example:
            >>> async for event in client.stream.bbo("vaix"):
            ...     print(event["best_bid"], event["best_ask"])
        """
        path = f"/ws/exchange/{pair_name(symbol)}/bbo"
        return Stream(self._http, path, StreamProtocol(), _mode(mode))

    def markets(self, *, mode: str | None = None) -> Stream[StreamProtocol]:
        """Follow all markets: every one first, then those that changed.

        Example:
            >>> async for event in client.stream.markets():
            ...     print([row["symbol"] for row in event["markets"]])
        """
        return Stream(self._http, "/ws/exchange/markets", StreamProtocol(), _mode(mode))

    def private(self) -> Stream[PrivateProtocol]:
        """Follow the account: ``connected``, then orders, fills, balances, settlements.

        Every ``order_update`` and ``fill`` comes once and in order, also across reconnects.
        A ``balance_update`` is a state: after a reconnect you get those that changed meanwhile.
        Where events can be found no more (a very long absence), a ``gap`` says so: read orders
        and trades by REST then.

        Example:
            >>> async for event in client.stream.private():
            ...     if event["type"] == "fill":
            ...         print(event["price"], event["quantity"])
        """
        return Stream(self._http, "/ws/exchange/private", PrivateProtocol())


def _mode(mode: str | None) -> dict[str, str]:
    return {"mode": mode} if mode is not None else {}


def _read(text: str, path: str) -> Event:
    try:
        frame = json.loads(text)
    except ValueError:
        frame = None
    if not isinstance(frame, dict) or "type" not in frame:
        raise NotTandemError(f"{path} sent a frame that is not Tandem's; check base_url")
    return frame
