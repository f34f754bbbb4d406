"""The class ``ccxt.pro.tandem``: the async class with the ``watch`` methods.

A market and channel has a connection of its own, as the exchange serves them; it lets an address
have five per channel. After a lost connection ccxt raises a NetworkError where one waits; the next
``watch`` call connects again and goes on where the last one was. What comes between two calls is
given by the next one at once, so a fill never waits for the one after it.
"""

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from ccxt.async_support.base.ws.future import Future
from ccxt.base.errors import ArgumentsRequired, ChecksumError, NetworkError
from event_trader.errors import StreamCorruptError
from event_trader.stream_protocol import PrivateProtocol

from tandem_ccxt.channels import (
    HYBRID,
    ORDERS_ONLY,
    BookChannel,
    Channel,
    PrivateChannel,
    QuotesChannel,
    TickersChannel,
    TradesChannel,
)
from tandem_ccxt.described import PRO_HAS
from tandem_ccxt.exchanges import AsyncTandem
from tandem_ccxt.market_methods import Params

_REFUSED_STATUS = 401


class Wait(NamedTuple):
    """What to wait for: a connection, the news' name, and what to say when it is opened."""

    url: str
    name: str
    message: Any = None
    subscription: str = "open"


class ProTandem(AsyncTandem):
    """Tandem for ccxt, with streams.

    Example:
        >>> exchange = ccxt.pro.tandem({"apiKey": "evt_..."})
        >>> while True:
        ...     book = await exchange.watch_order_book("VAIX/USDC")
        ...     print(book["bids"][0], book["asks"][0])
    """

    channels: dict[str, Channel] | None = None

    def __init__(self, config: Any = None) -> None:
        self._unseen: dict[str, Any] = {}
        self._waited: Counter[str] = Counter()
        super().__init__(config or {})

    def describe(self) -> Any:
        """Give the async class's description with the streams."""
        return self.deep_extend(super().describe(), {"pro": True, "has": PRO_HAS})

    # Public channels.

    async def watch_order_book(
        self, symbol: str, limit: int | None = None, params: Params = None
    ) -> Any:
        """Wait for the next state of a book; ``params`` may have ``hybrid: False``."""
        return await self.watch_order_book_for_symbols([symbol], limit, params)

    async def watch_order_book_for_symbols(
        self, symbols: list[str], limit: int | None = None, params: Params = None
    ) -> Any:
        """Wait for the next state of any of these books."""
        hybrid = (params or {}).get("hybrid", self.options["hybridBook"])
        name, query = (HYBRID, {"hybrid": "true"}) if hybrid else (ORDERS_ONLY, {})
        make = functools.partial(BookChannel, name=name)
        book = await self._watch_each(symbols, "book", name, make, query)
        if limit is None:
            return book
        shown = dict(book)
        shown["bids"], shown["asks"] = list(book["bids"][:limit]), list(book["asks"][:limit])
        return shown

    async def watch_trades(
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,
    ) -> Any:
        """Wait for the next trades of a market; the last 50 come first."""
        return await self.watch_trades_for_symbols([symbol], since, limit, params)

    async def watch_trades_for_symbols(
        self,
        symbols: list[str],
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,  # noqa: ARG002 (ccxt's signature)
    ) -> Any:
        """Wait for the next trades of any of these markets."""
        tape = await self._watch_each(symbols, "trades", "trades", TradesChannel)
        if self.newUpdates:
            limit = tape.getLimit(tape[-1]["symbol"], limit)
        return self.filter_by_since_limit(tape, since, limit, "timestamp", True)

    async def watch_ticker(self, symbol: str, params: Params = None) -> Any:
        """Wait for the next figures of a market."""
        market = await self._market(symbol)
        return (await self.watch_tickers([market["symbol"]], params))[market["symbol"]]

    async def watch_tickers(self, symbols: Any = None, params: Params = None) -> Any:  # noqa: ARG002
        """Wait for the next change of any market's figures; gives those that were asked for."""
        await self.load_markets()
        wanted = self.market_symbols(symbols)
        names = [f"ticker:{symbol}" for symbol in wanted] if wanted else ["tickers"]
        url = self._channel("markets", TickersChannel)
        await self._wait([Wait(url, name) for name in names])
        return self.filter_by_array(self.tickers, "symbol", wanted)

    async def watch_bids_asks(self, symbols: Any = None, params: Params = None) -> Any:  # noqa: ARG002
        """Wait for the next change of a best quote; without symbols, of every market."""
        await self.load_markets()
        wanted = self.market_symbols(symbols) or list(self.markets)
        quote = await self._watch_each(wanted, "bbo", "bidask", QuotesChannel)
        if self.newUpdates:
            return {quote["symbol"]: quote}
        return self.filter_by_array(self.bidsasks, "symbol", wanted)

    # The private channel.

    async def watch_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,
    ) -> Any:
        """Wait for the next change of the account's orders."""
        orders = await self._watch_private("orders", symbol, params)
        if self.newUpdates:
            limit = orders.getLimit(symbol, limit)
        found = self.filter_by_symbol_since_limit(orders, symbol, since, limit, True)
        return self.sort_by(found, "timestamp")

    async def watch_my_trades(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,
    ) -> Any:
        """Wait for the account's next trades."""
        trades = await self._watch_private("myTrades", symbol, params)
        if self.newUpdates:
            limit = trades.getLimit(symbol, limit)
        return self.filter_by_symbol_since_limit(trades, symbol, since, limit, True)

    async def watch_balance(self, params: Params = None) -> Any:
        """Wait for the next change of the account's funds; they come as they are first."""
        return await self._watch_private("balance", None, params)

    # Connections.

    async def _market(self, symbol: str) -> Any:
        await self.load_markets()
        return self.market(symbol)

    async def _watch_each(
        self,
        symbols: list[str],
        path: str,
        name: str,
        make: Callable[[str], Channel],
        query: dict[str, str] | None = None,
    ) -> Any:
        """Wait for the first news of any of these markets' channels."""
        await self.load_markets()
        if not symbols:
            raise ArgumentsRequired(f"{self.id} give at least one symbol")
        waits = []
        for market in (self.market(symbol) for symbol in symbols):
            symbol = market["symbol"]
            url = self._channel(f"{market['id']}/{path}", lambda of=symbol: make(of), query)
            waits.append(Wait(url, f"{name}:{symbol}"))
        return await self._wait(waits)

    async def _wait(self, waits: list[Wait]) -> Any:
        """Give the first of these news, at once where one came since the last call."""
        for wait in waits:
            if wait.name in self._unseen:
                return self._unseen.pop(wait.name)
        names = [wait.name for wait in waits]
        self._waited.update(names)
        futures = [
            self.watch(wait.url, wait.name, wait.message, wait.subscription) for wait in waits
        ]
        try:
            news = await (futures[0] if len(futures) == 1 else Future.race(futures))
        finally:
            self._waited.subtract(names)
        for name, future in zip(names, futures, strict=True):
            came = future.done() and not future.cancelled() and future.exception() is None
            if came and future.result() is not news:
                self._unseen[name] = future.result()
        return news

    def tell(self, client: Any, news: Any, name: str) -> None:
        """Wake who waits for this, or keep it for who asks next."""
        if self._waited[name] and name in client.futures and not client.futures[name].done():
            client.resolve(news, name)
        else:
            self._unseen[name] = news

    async def _watch_private(self, name: str, symbol: str | None, params: Params) -> Any:
        self.check_required_credentials()
        if symbol is not None:
            symbol = (await self._market(symbol))["symbol"]
        await self.load_markets()
        url = self._channel("private", lambda: PrivateChannel(""))
        channel: Any = self.channels[url] if self.channels else None
        if not channel.mode:
            channel.mode = await self.fetch_mode(params)
        message_hash = f"{name}:{symbol}" if symbol else name
        auth = {"type": "auth", "token": self.apiKey}
        return await self._wait([Wait(url, message_hash, auth)])

    def _channel(
        self, path: str, make: Callable[..., Channel], query: dict[str, str] | None = None
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

    def handle_message(self, client: Any, message: Any) -> None:
        """Take one frame; ccxt calls this."""
        channel = (self.channels or {}).get(client.url)
        if channel is None or not isinstance(message, dict) or "type" not in message:
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
            self.spawn(channel.catch_up, self, client)
        if protocol.broken:
            client.on_error(NetworkError(f"{self.id} the stream has to connect again"))
