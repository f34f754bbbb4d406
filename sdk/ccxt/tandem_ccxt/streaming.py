"""The class ``ccxt.pro.tandem``: the async class with the ``watch`` methods.

A market and channel has a connection of its own, as the exchange serves them; it lets an address
have five per channel. After a lost connection ccxt raises a NetworkError where one waits; the next
``watch`` call connects again and goes on where the last one was. What comes between two calls is
given by the next one at once, so a fill never waits for the one after it (`news`).
"""

import functools
from typing import Any

from ccxt.base.errors import BadRequest

from tandem_ccxt.candles import Candles
from tandem_ccxt.channels import (
    HYBRID,
    ORDERS_ONLY,
    BookChannel,
    QuotesChannel,
    TickersChannel,
    TradesChannel,
)
from tandem_ccxt.connections import Heard, Topic, Wait
from tandem_ccxt.described import PRO_HAS
from tandem_ccxt.exchanges import AsyncTandem
from tandem_ccxt.market_methods import Params
from tandem_ccxt.unwatching import Unwatching

_TRADES = Topic("trades", "trades", TradesChannel, {})
_QUOTES = Topic("bbo", "bidask", QuotesChannel, {})
_BOOKS = {
    True: Topic("book", HYBRID, functools.partial(BookChannel, name=HYBRID), {"hybrid": "true"}),
    False: Topic("book", ORDERS_ONLY, functools.partial(BookChannel, name=ORDERS_ONLY), {}),
}


class ProTandem(Unwatching, AsyncTandem):
    """Tandem for ccxt, with streams.

    Example:
        >>> exchange = ccxt.pro.tandem({"apiKey": "evt_..."})
        >>> while True:
        ...     book = await exchange.watch_order_book("VAIX/USDC")
        ...     print(book["bids"][0], book["asks"][0])
    """

    def describe(self) -> Any:
        """Give the async class's description with the streams."""
        return self.deep_extend(super().describe(), {"pro": True, "has": PRO_HAS})

    # Public channels.

    def book_topic(self, params: Params) -> Topic:
        """Give the channel of the book that is asked for: with the pools' depth, or orders only."""
        return _BOOKS[bool((params or {}).get("hybrid", self.options["hybridBook"]))]

    async def watch_order_book(
        self, symbol: str, limit: int | None = None, params: Params = None
    ) -> Any:
        """Wait for the next state of a book; ``params`` may have ``hybrid: False``."""
        return await self._watch_books("watchOrderBook", [symbol], limit, params)

    async def watch_order_book_for_symbols(
        self, symbols: list[str], limit: int | None = None, params: Params = None
    ) -> Any:
        """Wait for the next state of any of these books."""
        return await self._watch_books("watchOrderBookForSymbols", symbols, limit, params)

    async def _watch_books(
        self, method: str, symbols: list[str], limit: int | None, params: Params
    ) -> Any:
        book = (await self._watch_each(method, symbols, self.book_topic(params))).value
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
        params: Params = None,  # noqa: ARG002 (ccxt's signature)
    ) -> Any:
        """Wait for the next trades of a market; the last 50 come first."""
        return await self._watch_tapes("watchTrades", [symbol], since, limit)

    async def watch_trades_for_symbols(
        self,
        symbols: list[str],
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,  # noqa: ARG002 (ccxt's signature)
    ) -> Any:
        """Wait for the next trades of any of these markets."""
        return await self._watch_tapes("watchTradesForSymbols", symbols, since, limit)

    async def _watch_tapes(
        self, method: str, symbols: list[str], since: int | None, limit: int | None
    ) -> Any:
        heard = await self._watch_each(method, symbols, _TRADES)
        tape = heard.rows if self.newUpdates else heard.value
        return self.filter_by_since_limit(tape, since, limit, "timestamp", True)

    async def watch_ticker(self, symbol: str, params: Params = None) -> Any:  # noqa: ARG002
        """Wait for the next figures of a market."""
        symbol = (await self._market(symbol))["symbol"]
        return (await self._watch_tickers("watchTicker", [symbol]))[symbol]

    async def watch_tickers(self, symbols: Any = None, params: Params = None) -> Any:  # noqa: ARG002
        """Wait for the next change of any market's figures; gives those that were asked for."""
        await self.load_markets()
        return await self._watch_tickers("watchTickers", self.market_symbols(symbols))

    async def _watch_tickers(self, method: str, wanted: list[str] | None) -> Any:
        names = [f"ticker:{symbol}" for symbol in wanted] if wanted else ["tickers"]
        url = self._channel("markets", TickersChannel)
        await self._hear(method, [Wait(url, name) for name in names])
        return self.filter_by_array(self.tickers, "symbol", wanted)

    async def watch_bids_asks(self, symbols: Any = None, params: Params = None) -> Any:  # noqa: ARG002
        """Wait for the next change of a best quote; without symbols, of every market."""
        await self.load_markets()
        wanted = self.market_symbols(symbols) or list(self.markets)
        quote = (await self._watch_each("watchBidsAsks", wanted, _QUOTES)).value
        if self.newUpdates:
            return {quote["symbol"]: quote}
        return self.filter_by_array(self.bidsasks, "symbol", wanted)

    async def watch_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,  # noqa: ARG002 (ccxt's signature)
    ) -> Any:
        """Wait for the next change of a market's candles; the last 1,000 come first."""
        heard = await self._watch_candles("watchOHLCV", [(symbol, timeframe)])
        return self._shown_candles(heard, since, limit)

    async def watch_ohlcv_for_symbols(
        self,
        symbolsAndTimeframes: list[list[str]],  # noqa: N803 (ccxt's name)
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,  # noqa: ARG002 (ccxt's signature)
    ) -> Any:
        """Wait for the next change of any of these candles: ``{symbol: {timeframe: candles}}``."""
        wanted = [(symbol, timeframe) for symbol, timeframe in symbolsAndTimeframes]
        heard = await self._watch_candles("watchOHLCVForSymbols", wanted)
        symbol, timeframe, _ = heard.value
        shown = self._shown_candles(heard, since, limit)
        return self.create_ohlcv_object(symbol, timeframe, shown)

    async def _watch_candles(self, method: str, wanted: list[tuple[str, str]]) -> Heard:
        await self.load_markets()
        waits = []
        for name, timeframe in wanted:
            market = self.market(name)
            if timeframe not in self.timeframes:
                known = ", ".join(self.timeframes)
                raise BadRequest(f"{self.id} timeframe must be one of {known}, was {timeframe!r}")
            url = self._topic_url(market, _TRADES)
            tape: Any = (self.channels or {})[url]
            series = tape.candles
            if timeframe not in series:
                length_ms = self.parse_timeframe(timeframe) * 1_000
                candles = series[timeframe] = Candles(market["symbol"], timeframe, length_ms)
                self.ohlcvs.setdefault(market["symbol"], {})[timeframe] = candles.rows
            series[timeframe].begin(self, self.client(url))
            waits.append(Wait(url, series[timeframe].name))
        return await self._hear(method, waits)

    def _shown_candles(self, heard: Heard, since: int | None, limit: int | None) -> Any:
        changed = {row[0]: row for row in heard.rows}
        rows = list(changed.values()) if self.newUpdates else heard.value[2]
        return self.filter_by_since_limit(rows, since, limit, 0, True)

    # The private channel.

    async def watch_orders(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,
    ) -> Any:
        """Wait for the next change of the account's orders; each as it stands now, once."""
        heard = await self._watch_private("orders", symbol, params)
        if not self.newUpdates:
            only = self.market(symbol)["symbol"] if symbol else None
            return self.filter_by_symbol_since_limit(heard.value, only, since, limit, True)
        changed = list({order["id"]: order for order in heard.rows}.values())
        return self.filter_by_since_limit(
            self.sort_by(changed, "timestamp"), since, limit, "timestamp", True
        )

    async def watch_my_trades(
        self,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,
    ) -> Any:
        """Wait for the account's next trades; each is given once."""
        heard = await self._watch_private("myTrades", symbol, params)
        if not self.newUpdates:
            only = self.market(symbol)["symbol"] if symbol else None
            return self.filter_by_symbol_since_limit(heard.value, only, since, limit, True)
        return self.filter_by_since_limit(heard.rows, since, limit, "timestamp", True)

    async def watch_balance(self, params: Params = None) -> Any:
        """Wait for the next change of the account's funds; they come as they are first."""
        return (await self._watch_private("balance", None, params)).value

    async def _market(self, symbol: str) -> Any:
        await self.load_markets()
        return self.market(symbol)
