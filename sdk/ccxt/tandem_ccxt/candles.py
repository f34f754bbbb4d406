"""Candles that follow a market's tape: begun with the exchange's own, carried on trade by trade.

The chart does not say which trade was its last, so it is read together with the tape's end: where
no trade came in between, every later one can be counted exactly once. Where one did, the candles
are read again with a later trade.
"""

from typing import Any

from ccxt.async_support.base.ws.cache import ArrayCacheByTimestamp
from ccxt.base.precise import Precise

from tandem_ccxt.market_methods import CANDLES_MAX
from tandem_ccxt.parsing import serial_number

TRIES = 3
"""Readings at once, before the candles are shown as they are."""
AGAIN_MS = 10_000
"""Between two rounds of readings."""

Row = list[Any]
"""Time in milliseconds, open, high, low, close, volume."""


class Candles:
    """One market's candles of one length.

    Args:
        symbol: ccxt's symbol of the market.
        timeframe: a key of the exchange's ``timeframes``.
        length_ms: of one candle.
    """

    def __init__(self, symbol: str, timeframe: str, length_ms: int) -> None:
        self.rows = ArrayCacheByTimestamp(CANDLES_MAX)
        self._symbol = symbol
        self._timeframe = timeframe
        self._length_ms = length_ms
        self._number = -1
        """The last trade counted; -1 before the first reading."""
        self._traded_ms = 0
        """Start of the newest candle that has a trade."""
        self._later: list[Any] = []
        self._exact = self._reading = False
        self._read_ms = -AGAIN_MS

    @property
    def name(self) -> str:
        """What the news of these candles is called."""
        return f"ohlcv:{self._symbol}:{self._timeframe}"

    def take(self, exchange: Any, client: Any, trades: list[Any]) -> None:
        """Count the trades that are new, and read the chart where that is due."""
        self._later += trades
        if not self._exact and exchange.milliseconds() - self._read_ms >= AGAIN_MS:
            self.read(exchange, client)
        if not self._reading and self._number >= 0:
            self._tell(exchange, client, self._count(exchange))

    def begin(self, exchange: Any, client: Any) -> None:
        """Read the chart if that has not been done yet, or could not be."""
        if self._number < 0:
            self.read(exchange, client)

    def read(self, exchange: Any, client: Any) -> None:
        """Begin to read the chart, unless that is under way."""
        if not self._reading:
            self._later.clear()
            self._reading, self._read_ms = True, exchange.milliseconds()
            exchange.spawn(self._read, exchange, client)

    def missed(self) -> None:
        """Note that trades were lost: the chart is read again with the next one."""
        self._exact, self._read_ms = False, -AGAIN_MS

    async def _read(self, exchange: Any, client: Any) -> None:
        market_id = exchange.market(self._symbol)["id"]
        try:
            for _ in range(TRIES):
                before = await _end_of_tape(exchange, market_id)
                rows = await exchange.fetch_ohlcv(self._symbol, self._timeframe, None, CANDLES_MAX)
                after = await _end_of_tape(exchange, market_id)
                self._exact = before == after
                if self._exact:
                    break
        except Exception as error:  # noqa: BLE001 (whoever waits for candles gets it)
            exchange.fail(client, "ohlcv", error)
            return
        finally:
            self._reading = False
        self._number = after
        self.rows.clear()
        for row in rows:
            self.rows.append(row)
        self._traded_ms = max((row[0] for row in rows if row[5]), default=0)
        self._count(exchange)
        self._tell(exchange, client, list(self.rows))

    def _count(self, exchange: Any) -> list[Row]:
        """Bring the trades that wait into the candles; give those that changed."""
        trades, self._later = self._later, []
        changed: dict[int, Row] = {}
        for trade in trades:
            number = serial_number(trade["id"])
            if number > self._number:
                if number > self._number + 1:
                    self.missed()
                self._number = number
                changed.update((row[0], row) for row in self._add(exchange, trade))
        return list(changed.values())

    def _add(self, exchange: Any, trade: Any) -> list[Row]:
        price, length = trade["price"], self._length_ms
        # As the exchange does: a time before the newest traded candle counts in that one.
        start = self._traded_ms = max(trade["timestamp"] // length * length, self._traded_ms)
        newest = self.rows[-1][0] if len(self.rows) else start - length
        changed = []
        for empty in range(max(newest + length, start - CANDLES_MAX * length), start, length):
            close = self.rows[-1][4]
            changed.append([empty, close, close, close, close, 0.0])
            self.rows.append(changed[-1])
        row = self.rows.hashmap.get(start)
        if row is None or not row[5]:
            row = [start, price, price, price, price, trade["amount"]]
        else:
            volume = Precise.string_add(
                exchange.number_to_string(row[5]), exchange.number_to_string(trade["amount"])
            )
            high, low = max(row[2], price), min(row[3], price)
            row = [start, row[1], high, low, price, exchange.parse_number(volume)]
        self.rows.append(row)
        changed.append(self.rows.hashmap[start])
        for later in range(start + length, newest + length, length):
            self.rows.append([later, price, price, price, price, 0.0])
            changed.append(self.rows.hashmap[later])
        return changed

    def _tell(self, exchange: Any, client: Any, changed: list[Row]) -> None:
        if changed:
            exchange.tell(client, self.name, (self._symbol, self._timeframe, self.rows), changed)


async def _end_of_tape(exchange: Any, market_id: str) -> int:
    """Give the number of the market's last trade; 0 before the first."""
    request = {"symbol": market_id, "limit": 1}
    mode = exchange.options.get("mode")
    answer = await exchange.public_get_symbol_trades(
        {**request, **({"mode": mode} if mode else {})}
    )
    return max((serial_number(row["trade_id"]) for row in answer["trades"]), default=0)
