"""The ``un_watch`` methods: letting go of what a ``watch`` method follows.

A call that still waits for it ends with ccxt's `UnsubscribeError`; the connection is closed when
nothing else is watched on it; the next ``watch`` begins anew.
"""

from typing import Any

from tandem_ccxt.connections import Connections
from tandem_ccxt.market_methods import Params


class Unwatching(Connections):
    """A mix-in with one method for each of the ``watch`` methods; each returns True."""

    async def un_watch_order_book(self, symbol: str, params: Params = None) -> Any:
        """Let go of a book; ``params`` as for ``watch_order_book``."""
        return await self.un_watch_order_book_for_symbols([symbol], params)

    async def un_watch_order_book_for_symbols(
        self: Any, symbols: list[str], params: Params = None
    ) -> Any:
        """Let go of these books."""
        return await self._unwatch_each(self.book_topic(params).name, symbols)

    async def un_watch_trades(self, symbol: str, params: Params = None) -> Any:
        """Let go of a market's trades."""
        return await self.un_watch_trades_for_symbols([symbol], params)

    async def un_watch_trades_for_symbols(
        self,
        symbols: list[str],
        params: Params = None,  # noqa: ARG002 (ccxt's signature)
    ) -> Any:
        """Let go of these markets' trades."""
        return await self._unwatch_each("trades", symbols)

    async def un_watch_ticker(self, symbol: str, params: Params = None) -> Any:
        """Let go of a market's figures, for `watch_tickers` of this market too."""
        return await self.un_watch_tickers([symbol], params)

    async def un_watch_tickers(self, symbols: Any = None, params: Params = None) -> Any:  # noqa: ARG002
        """Let go of these markets' figures; without symbols, of all."""
        return await self._unwatch_each("ticker", symbols, "tickers")

    async def un_watch_bids_asks(self, symbols: Any = None, params: Params = None) -> Any:  # noqa: ARG002
        """Let go of these markets' best quotes; without symbols, of all."""
        return await self._unwatch_each("bidask", symbols)

    async def un_watch_ohlcv(
        self, symbol: str, timeframe: str = "1m", params: Params = None
    ) -> Any:
        """Let go of a market's candles."""
        return await self.un_watch_ohlcv_for_symbols([[symbol, timeframe]], params)

    async def un_watch_ohlcv_for_symbols(
        self: Any,
        symbolsAndTimeframes: list[list[str]],  # noqa: N803 (ccxt's name)
        params: Params = None,  # noqa: ARG002 (ccxt's signature)
    ) -> Any:
        """Let go of these candles."""
        await self.load_markets()
        names = []
        for given, timeframe in symbolsAndTimeframes:
            symbol = self.market(given)["symbol"]
            names.append(f"ohlcv:{symbol}:{timeframe}")
            channel = (self.channels or {}).get(self._watched.get(names[-1]))
            if channel is not None:
                channel.candles.pop(timeframe)
                self.ohlcvs[symbol].pop(timeframe)
        return await self._unwatch(names)

    async def un_watch_orders(self, symbol: str | None = None, params: Params = None) -> Any:  # noqa: ARG002
        """Let go of the account's orders, or of those of one market."""
        return await self._unwatch_each("orders", [symbol] if symbol else None, "orders")

    async def un_watch_my_trades(self, symbol: str | None = None, params: Params = None) -> Any:  # noqa: ARG002
        """Let go of the account's trades, or of those of one market."""
        return await self._unwatch_each("myTrades", [symbol] if symbol else None, "myTrades")

    async def un_watch_balance(self, params: Params = None) -> Any:  # noqa: ARG002
        """Let go of the account's funds."""
        return await self._unwatch(["balance"])

    async def _unwatch_each(
        self: Any, topic: str, symbols: list[str] | None, whole: str = ""
    ) -> bool:
        """Let go of a topic of some markets; of all of them, and of ``whole``, without any."""
        await self.load_markets()
        if symbols:
            names = [f"{topic}:{self.market(symbol)['symbol']}" for symbol in symbols]
        else:
            names = [name for name in self._watched if name.startswith(f"{topic}:")]
            names += [whole] if whole else []
        gone: bool = await self._unwatch(names)
        return gone
