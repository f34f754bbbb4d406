"""The client without ``async``: the same methods, each waiting for its answer.

The async client does the work, in an event loop in a thread of its own. Several threads may share
one `SyncEventTrader`.
"""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from event_trader.book import LocalBook
from event_trader.client import DEFAULT_BASE_URL, EventTrader
from event_trader.loop_thread import LoopThread
from event_trader.stream_protocol import Event
from event_trader.streams import BookStream, Stream, Streams
from event_trader.sync_account import SyncAccount, SyncSystem
from event_trader.sync_clob import SyncClob


class SyncStream:
    """One channel, as a plain iterator; see `event_trader.streams.Stream`."""

    def __init__(self, stream: Stream[Any], loop: LoopThread) -> None:
        self._async = stream
        self._loop = loop

    @property
    def protocol(self) -> Any:
        """What keeps the stream's position."""
        return self._async.protocol

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return self._async.connections

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        try:
            return self._loop.run(self._next())
        except StopAsyncIteration:
            raise StopIteration from None

    async def _next(self) -> Event:
        return await self._async.__anext__()

    def __enter__(self) -> "SyncStream":  # noqa: PYI034 - Self is 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the stream."""
        self._loop.run(self._async.close())

    def run(self, handler: Callable[[Event], object]) -> None:
        """Call ``handler`` with each event, until the stream is closed.

        Example:
            >>> stream = client.stream.price("vaix")
            >>> stream.run(lambda event: stream.close())
        """
        for event in self:
            handler(event)


class SyncBookStream(SyncStream):
    """A book channel; `book` is the server's book at every event."""

    @property
    def book(self) -> LocalBook:
        """The book, as of the last event."""
        book: LocalBook = self._async.protocol.book
        return book


class SyncStreams:
    """The six channels; reached as ``client.stream``."""

    def __init__(self, target: Streams, loop: LoopThread) -> None:
        self._async = target
        self._loop = loop

    def book(self, symbol: str, *, hybrid: bool = False, mode: str | None = None) -> SyncBookStream:
        """Follow a book, kept in the stream's ``book``; see `Streams.book`.

        Example:
            >>> stream = client.stream.book("vaix", hybrid=True)
            >>> for _ in stream:
            ...     print(stream.book.best_bid, stream.book.best_ask)
            ...     break  # a program would go on
        """
        stream: BookStream = self._async.book(symbol, hybrid=hybrid, mode=mode)
        return SyncBookStream(stream, self._loop)

    def trades(self, symbol: str, *, mode: str | None = None) -> SyncStream:
        """Follow the tape; see `Streams.trades`.

        Example:
            >>> for event in client.stream.trades("vaix"):
            ...     print(event["sequence"])
            ...     break  # a program would go on
        """
        return SyncStream(self._async.trades(symbol, mode=mode), self._loop)

    def price(self, symbol: str, *, mode: str | None = None) -> SyncStream:
        """Follow the last price; see `Streams.price`.

        Example:
            >>> for event in client.stream.price("vaix"):
            ...     print(event["price"])
            ...     break  # a program would go on
        """
        return SyncStream(self._async.price(symbol, mode=mode), self._loop)

    def bbo(self, symbol: str, *, mode: str | None = None) -> SyncStream:
        """Follow the best bid and offer; see `Streams.bbo`.

        Example:
            >>> for event in client.stream.bbo("vaix"):
            ...     print(event["best_bid"], event["best_ask"])
            ...     break  # a program would go on
        """
        return SyncStream(self._async.bbo(symbol, mode=mode), self._loop)

    def markets(self, *, mode: str | None = None) -> SyncStream:
        """Follow all markets; see `Streams.markets`.

        Example:
            >>> for event in client.stream.markets():
            ...     print([row["symbol"] for row in event["markets"]])
            ...     break  # a program would go on
        """
        return SyncStream(self._async.markets(mode=mode), self._loop)

    def private(self) -> SyncStream:
        """Follow the account; see `Streams.private`.

        Example:
            >>> for event in client.stream.private():
            ...     print(event["type"])
            ...     break  # a program would go on
        """
        return SyncStream(self._async.private(), self._loop)


class SyncHttp:
    """The transport without ``async``: any path of the API, by method."""

    def __init__(self, client: EventTrader, loop: LoopThread) -> None:
        self._async = client._http  # noqa: SLF001 (the two clients are one package)
        self._loop = loop

    def request(self, method: str, path: str, **options: Any) -> Any:
        """See `HttpTransport.request`."""
        return self._loop.run(self._async.request(method, path, **options))

    def get(self, path: str, params: Any = None) -> Any:
        """See `HttpTransport.get`."""
        return self.request("GET", path, params=params)

    def post(
        self, path: str, params: Any = None, json: Any = None, *, idempotency_key: str | None = None
    ) -> Any:
        """See `HttpTransport.post`."""
        return self.request("POST", path, params=params, json=json, idempotency_key=idempotency_key)

    def put(self, path: str, params: Any = None, json: Any = None) -> Any:
        """See `HttpTransport.put`."""
        return self.request("PUT", path, params=params, json=json)

    def patch(self, path: str, params: Any = None, json: Any = None) -> Any:
        """See `HttpTransport.patch`."""
        return self.request("PATCH", path, params=params, json=json)

    def delete(self, path: str, params: Any = None, json: Any = None) -> Any:
        """See `HttpTransport.delete`."""
        return self.request("DELETE", path, params=params, json=json)


class SyncEventTrader:
    """Talk to a Tandem exchange, without ``async``.

    Example:
        >>> with SyncEventTrader(api_key="evt_...") as client:
        ...     book = client.clob.orderbook("vaix")

    Args:
        api_key: an ``evt_…`` key; None for public market data only.
        base_url: where the gateway listens.
        timeout: seconds that one try of a request may take.
        max_retries: further tries where a repetition is safe.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str = DEFAULT_BASE_URL,
        timeout: float = 30.0,
        max_retries: int = 3,
    ) -> None:
        options: dict[str, Any] = {"timeout": timeout, "max_retries": max_retries}
        self._open(EventTrader(api_key, base_url=base_url, **options), LoopThread())

    def _open(self, client: EventTrader, loop: LoopThread) -> None:
        self._async = client
        self._loop = loop
        self._http = SyncHttp(client, loop)
        self.clob = SyncClob(client.clob, loop)
        self.account = SyncAccount(client.account, loop)
        self.stream = SyncStreams(client.stream, loop)
        self.system = SyncSystem(client.system, loop)

    @classmethod
    def from_credentials(cls, email: str, password: str, **options: Any) -> "SyncEventTrader":
        """Log in; see `EventTrader.from_credentials`.

        Example:
            >>> client = SyncEventTrader.from_credentials("ada@example.com", "a password")
            >>> client.close()
        """
        return cls._opened(EventTrader.from_credentials, email, password, **options)

    @classmethod
    def register(
        cls, email: str, username: str, password: str, **options: Any
    ) -> "SyncEventTrader":
        """Open an account; see `EventTrader.register`.

        Example:
            >>> client = SyncEventTrader.register("ada@example.com", "ada", "a password")
            >>> client.close()
        """
        return cls._opened(EventTrader.register, email, username, password, **options)

    @classmethod
    def create_api_key(
        cls, email: str, password: str, key_name: str = "default", **options: Any
    ) -> str:
        """Make an API key from a name and a password; see `EventTrader.create_api_key`.

        Example:
            >>> key = SyncEventTrader.create_api_key("ada@example.com", "a password", "bot")
        """
        loop = LoopThread()
        try:
            return loop.run(EventTrader.create_api_key(email, password, key_name, **options))
        finally:
            loop.stop()

    @classmethod
    def _opened(cls, enter: Callable[..., Any], *names: str, **options: Any) -> "SyncEventTrader":
        loop = LoopThread()
        try:
            client: EventTrader = loop.run(enter(*names, **options))
        except BaseException:
            loop.stop()
            raise
        made = cls.__new__(cls)
        made._open(client, loop)  # noqa: SLF001 (its own)
        return made

    def close(self) -> None:
        """Close the connections and end the thread; calling it again does nothing."""
        if self._loop.alive:
            self._loop.run(self._async.close())
            self._loop.stop()

    def __enter__(self) -> "SyncEventTrader":  # noqa: PYI034 - Self is 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
