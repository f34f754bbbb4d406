"""Public market data, one short method for each route; nothing here needs a credential.

Every method takes ``mode``: ``live`` or ``paper``. None, the default, shows what the pair shows in
public (an account in simulation mode always sees paper).
"""

from typing import Any

from event_trader.bodies import PREFIX, Json, member, pair_path
from event_trader.transport import HttpTransport


class MarketData:
    """The public part of ``client.clob``."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http

    async def list_pairs(self) -> list[Json]:
        """List the pairs with their ticks, lots, fees and pools.

        Example:
            >>> for pair in await client.clob.list_pairs():
            ...     print(pair["symbol"], pair["tick_size"], pair["lot_size"])
        """
        pairs: list[Json] = member(await self._http.get(f"{PREFIX}/pairs"), "pairs")
        return pairs

    async def markets(self, *, mode: str | None = None) -> list[Json]:
        """List the markets with price, 24-hour figures and liquidity.

        Example:
            >>> for market in await client.clob.markets():
            ...     print(market["pair"], market["price"], market["change_24h"])
        """
        body = await self._http.get(f"{PREFIX}/markets", params={"mode": mode})
        markets: list[Json] = member(body, "markets")
        return markets

    async def stats(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read price, supply, market capitalisation and 24-hour figures.

        Example:
            >>> (await client.clob.stats("vaix"))["volume_24h"]
        """
        return await self._read(symbol, "stats", mode=mode)

    async def chart(
        self, symbol: str, interval: str = "1h", limit: int = 100, *, mode: str | None = None
    ) -> Json:
        """Read candles, oldest first; ``interval`` is 1m, 5m, 15m, 1h, 4h or 1d.

        Example:
            >>> chart = await client.clob.chart("vaix", "5m", limit=12)
            >>> [candle["close"] for candle in chart["candles"]]
        """
        return await self._read(symbol, "chart", interval=interval, limit=limit, mode=mode)

    async def venues(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read each venue's price, liquidity and state.

        Example:
            >>> for venue in (await client.clob.venues("vaix"))["venues"]:
            ...     print(venue["venue"], venue["chain"], venue["price"], venue["status"])
        """
        return await self._read(symbol, "venues", mode=mode)

    async def orderbook(self, symbol: str, depth: int = 30, *, mode: str | None = None) -> Json:
        """Read the hybrid book: resting orders and pools, with the sources of each level.

        Example:
            >>> book = await client.clob.orderbook("vaix")
            >>> book["best_bid"], book["best_ask"], book["ask_sources"][0]
        """
        return await self._read(symbol, "book/hybrid", depth=depth, mode=mode)

    async def book(self, symbol: str, depth: int = 30, *, mode: str | None = None) -> Json:
        """Read the book of resting orders only.

        Example:
            >>> (await client.clob.book("vaix", depth=5))["bids"]
        """
        return await self._read(symbol, "book", depth=depth, mode=mode)

    async def bbo(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read the best bid and offer.

        Example:
            >>> (await client.clob.bbo("vaix"))["spread_bps"]
        """
        return await self._read(symbol, "bbo", mode=mode)

    async def ticker(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read last price and 24-hour figures.

        Example:
            >>> (await client.clob.ticker("vaix"))["change_pct_24h"]
        """
        return await self._read(symbol, "ticker", mode=mode)

    async def recent_trades(
        self, symbol: str, limit: int = 50, *, mode: str | None = None
    ) -> list[Json]:
        """Read the public tape, newest first.

        Example:
            >>> for trade in await client.clob.recent_trades("vaix", limit=5):
            ...     print(trade["side"], trade["quantity"], trade["price"], trade["venue"])
        """
        body = await self._read(symbol, "trades", limit=limit, mode=mode)
        trades: list[Json] = member(body, "trades")
        return trades

    async def time(self) -> Json:
        """Read the server's clock.

        Example:
            >>> (await client.clob.time())["epoch_ms"]
        """
        body: Json = await self._http.get(f"{PREFIX}/time")
        return body

    async def fee_schedule(self) -> Json:
        """Read the fees of every tier.

        Example:
            >>> await client.clob.fee_schedule()
        """
        result: Json = await self._http.get(f"{PREFIX}/fee-schedule")
        return result

    async def metrics(self) -> Json:
        """Read the engine's latency and depth per pair.

        Example:
            >>> (await client.clob.metrics())["pairs"][0]["latency"]
        """
        result: Json = await self._http.get(f"{PREFIX}/metrics")
        return result

    async def _read(self, symbol: str, what: str, **params: Any) -> Json:
        body: Json = await self._http.get(f"{pair_path(symbol)}/{what}", params=params)
        return body
