"""What ``market_data`` does, without ``async``. Made by ``make_sync.py``; change the other."""

from event_trader.bodies import Json
from event_trader.loop_thread import LoopThread
from event_trader.market_data import MarketData


class SyncMarketData:
    """What `MarketData` does, waiting for each answer."""

    def __init__(self, target: MarketData, loop: LoopThread) -> None:
        self._market_data = target
        self._loop = loop

    def list_pairs(self) -> list[Json]:
        """List the pairs with their ticks, lots, fees and pools.

        Example:
            >>> for pair in client.clob.list_pairs():
            ...     print(pair["symbol"], pair["tick_size"], pair["lot_size"])
        """
        return self._loop.run(self._market_data.list_pairs())

    def markets(self, *, mode: str | None = None) -> list[Json]:
        """List the markets with price, 24-hour figures and liquidity.

        Example:
            >>> for market in client.clob.markets():
            ...     print(market["pair"], market["price"], market["change_24h"])
        """
        return self._loop.run(self._market_data.markets(mode=mode))

    def stats(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read price, supply, market capitalisation and 24-hour figures.

        Example:
            >>> client.clob.stats("vaix")["volume_24h"]
        """
        return self._loop.run(self._market_data.stats(symbol, mode=mode))

    def chart(
        self, symbol: str, interval: str = "1h", limit: int = 100, *, mode: str | None = None
    ) -> Json:
        """Read candles, oldest first; ``interval`` is 1m, 5m, 15m, 1h, 4h or 1d.

        Example:
            >>> chart = client.clob.chart("vaix", "5m", limit=12)
            >>> [candle["close"] for candle in chart["candles"]]
        """
        return self._loop.run(self._market_data.chart(symbol, interval, limit, mode=mode))

    def venues(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read each venue's price, liquidity and state.

        Example:
            >>> for venue in client.clob.venues("vaix")["venues"]:
            ...     print(venue["venue"], venue["chain"], venue["price"], venue["status"])
        """
        return self._loop.run(self._market_data.venues(symbol, mode=mode))

    def orderbook(self, symbol: str, depth: int = 30, *, mode: str | None = None) -> Json:
        """Read the hybrid book: resting orders and pools, with the sources of each level.

        Example:
            >>> book = client.clob.orderbook("vaix")
            >>> book["best_bid"], book["best_ask"], book["ask_sources"][0]
        """
        return self._loop.run(self._market_data.orderbook(symbol, depth, mode=mode))

    def book(self, symbol: str, depth: int = 30, *, mode: str | None = None) -> Json:
        """Read the book of resting orders only.

        Example:
            >>> client.clob.book("vaix", depth=5)["bids"]
        """
        return self._loop.run(self._market_data.book(symbol, depth, mode=mode))

    def bbo(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read the best bid and offer.

        Example:
            >>> client.clob.bbo("vaix")["spread_bps"]
        """
        return self._loop.run(self._market_data.bbo(symbol, mode=mode))

    def ticker(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read last price and 24-hour figures.

        Example:
            >>> client.clob.ticker("vaix")["change_pct_24h"]
        """
        return self._loop.run(self._market_data.ticker(symbol, mode=mode))

    def recent_trades(self, symbol: str, limit: int = 50, *, mode: str | None = None) -> list[Json]:
        """Read the public tape, newest first.

        Example:
            >>> for trade in client.clob.recent_trades("vaix", limit=5):
            ...     print(trade["side"], trade["quantity"], trade["price"], trade["venue"])
        """
        return self._loop.run(self._market_data.recent_trades(symbol, limit, mode=mode))

    def time(self) -> Json:
        """Read the server's clock.

        Example:
            >>> client.clob.time()["epoch_ms"]
        """
        return self._loop.run(self._market_data.time())

    def fee_schedule(self) -> Json:
        """Read the fees of every tier.

        Example:
            >>> client.clob.fee_schedule()
        """
        return self._loop.run(self._market_data.fee_schedule())

    def metrics(self) -> Json:
        """Read the engine's latency and depth per pair.

        Example:
            >>> client.clob.metrics()["pairs"][0]["latency"]
        """
        return self._loop.run(self._market_data.metrics())
