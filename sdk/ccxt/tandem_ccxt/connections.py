"""The connections behind the ``watch`` methods: one per market and channel, as Tandem has them."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ccxt.async_support.base.ws.future import Future
from ccxt.base.errors import (
    ArgumentsRequired,
    BadResponse,
    ChecksumError,
    NetworkError,
    UnsubscribeError,
)
from event_trader.errors import StreamCorruptError
from event_trader.stream_protocol import PrivateProtocol

from tandem_ccxt.channels import Channel, PrivateChannel
from tandem_ccxt.lost import stream_error
from tandem_ccxt.market_methods import Params
from tandem_ccxt.news import Caller, News

_REFUSED_STATUS = 401


class Wait(NamedTuple):
    """What to wait for: a connection, the news' name, and what to say when it is opened."""

    url: str
    name: str
    message: Any = None


class Heard(NamedTuple):
    """What a call of a ``watch`` method got: the state, and the rows it had not seen before."""

    name: str
    value: Any
    rows: list[Any]


class Topic(NamedTuple):
    """A public channel that each market has.

    Args:
        path: below the market's.
        name: of its news, before ``:`` and the symbol.
        make: gives the channel of a symbol.
        query: what its URL has besides the mode.
    """

    path: str
    name: str
    make: Callable[[str], Channel]
    query: dict[str, str]


class Connections:
    """A mix-in for ccxt's async class: it opens channels, hears them, and lets callers wait."""

    channels: dict[str, Channel] | None = None

    def __init__(self, config: Any = None) -> None:
        self.news = News()
        self._watched: dict[str, str] = {}
        """The URL behind each name that somebody watches."""
        super().__init__(config or {})  # type: ignore[call-arg]  # ccxt's class comes after this

    def tell(self: Any, client: Any, name: str, value: Any, rows: Any = ()) -> None:
        """Keep news for who asks next, and wake who waits for it."""
        client = self._now_serving(client)
        told = self.news.add(name, value, client, rows)
        if name in client.futures and not client.futures[name].done():
            client.resolve(told, name)

    def fail(self: Any, client: Any, topic: str, error: Exception) -> None:
        """Give an error to who waits for a topic, of any market."""
        futures = self._now_serving(client).futures
        for name in [name for name in futures if name.split(":")[0] == topic]:
            futures.pop(name).reject(error)

    def _now_serving(self: Any, client: Any) -> Any:
        """Give the connection that has taken a lost one's place."""
        return (self.clients or {}).get(client.url, client)

    async def _watch_each(self: Any, method: str, symbols: list[str], topic: Topic) -> Heard:
        """Wait for the first news of any of these markets' channels."""
        await self.load_markets()
        if not symbols:
            raise ArgumentsRequired(f"{self.id} give at least one symbol")
        waits = [
            Wait(self._topic_url(market, topic), f"{topic.name}:{market['symbol']}")
            for market in map(self.market, symbols)
        ]
        heard: Heard = await self._hear(method, waits)
        return heard

    def _topic_url(self: Any, market: Any, topic: Topic) -> str:
        def make() -> Channel:
            return topic.make(market["symbol"])

        url: str = self._channel(f"{market['id']}/{topic.path}", make, topic.query)
        return url

    async def _watch_private(self: Any, name: str, symbol: str | None, params: Params) -> Heard:
        self.check_required_credentials()
        await self.load_markets()
        url = self._channel("private", lambda: PrivateChannel(""))
        channel: Any = self.channels[url]
        if not channel.mode:
            channel.mode = await self.fetch_mode(params)
        message_hash = f"{name}:{self.market(symbol)['symbol']}" if symbol else name
        if url in (self.clients or {}):
            channel.go_on(self, self.clients[url])
        auth = {"type": "auth", "token": self.apiKey}
        heard: Heard = await self._hear(name, [Wait(url, message_hash, auth)])
        return heard

    async def _hear(self: Any, method: str, waits: list[Wait]) -> Heard:
        """Give the oldest of these news that this caller has not seen, or wait for the next."""
        caller: Caller = (method, *(wait.name for wait in waits))
        self._watched.update((wait.name, wait.url) for wait in waits)
        clients = self.clients or {}
        told = self.news.unseen(caller, {wait.name: clients.get(wait.url) for wait in waits})
        if told is None:
            # A race leaves the futures alone when its caller is cancelled: others wait for them.
            futures = [self.watch(wait.url, wait.name, wait.message, "open") for wait in waits]
            try:
                told = await Future.race(futures)
            except NetworkError as error:
                ended = [one.done() and one.exception() is error for one in futures]
                url = waits[ended.index(True) if any(ended) else 0].url
                raise stream_error(self.id, url, error) from error
        return Heard(told.name, told.value, self.news.take(caller, told))

    async def _unwatch(self: Any, names: list[str]) -> bool:
        """Let go of these news; a call that waits for one ends with `UnsubscribeError`."""
        urls = {self._watched.pop(name) for name in names if name in self._watched}
        self.news.forget(names)
        clients = self.clients or {}
        for client in [clients[url] for url in urls if url in clients]:
            for name in names:
                if name in client.futures:
                    client.reject(UnsubscribeError(f"{self.id} {name} is watched no more"), name)
        for url in urls - set(self._watched.values()):
            if self.channels is not None and url in self.channels:
                self.channels.pop(url).forget(self)
            client = clients.pop(url, None)
            if client is not None:
                await client.close()
        return True

    def _channel(
        self: Any, path: str, make: Callable[..., Channel], query: dict[str, str] | None = None
    ) -> str:
        """Give a channel's URL, and see that its state exists."""
        mode = self.options.get("mode")
        chosen = {**(query or {}), **({"mode": mode} if mode and path != "private" else {})}
        api = self.urls["api"]
        base = api.get("ws") if isinstance(api, dict) else None
        url = str(base or "ws" + self.rest_url().removeprefix("http")).rstrip("/")
        url += f"/ws/exchange/{path}"
        if chosen:
            url += "?" + self.urlencode(chosen)
        self.channels = {} if self.channels is None else self.channels
        if url not in self.channels:
            self.channels[url] = make()
        return url

    def handle_message(self: Any, client: Any, message: Any) -> None:
        """Take one frame; ccxt calls this."""
        channel = (self.channels or {}).get(client.url)
        if channel is None:
            return
        if not isinstance(message, dict) or "type" not in message:
            where = f"{self.id} {client.url} sent a frame that is not Tandem's"
            client.on_error(BadResponse(f"{where}: check urls, and proxies in between"))
            return
        if message["type"] == "error" and "symbol" not in message:
            client.reject(self.failure(_REFUSED_STATUS, message))
        try:
            events = channel.events(client, message)
        except StreamCorruptError as error:
            client.reject(ChecksumError(f"{self.id} {error}"))
            return
        for frame in channel.protocol.to_send():
            self.spawn(client.send, frame)
        for event in events:
            channel.take(self, client, event)
        protocol = channel.protocol
        if isinstance(protocol, PrivateProtocol) and protocol.reconnected:
            protocol.reconnected = False
            channel.catch_up(self, client)
        if protocol.broken:
            client.on_error(NetworkError(f"{self.id} the stream has to connect again"))
