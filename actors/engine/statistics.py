"""The last 24 hours of a market in figures, and its public trade tape.

The window is counted in whole minutes, from the minute candles: it holds the minute of ``now`` and
the 1,439 minutes before it. So a trade counts from its own moment on and leaves with its minute,
after 23:59:00 to 24:00:00 hours; figures change at most once a minute without trades.

* ``open``: the close of the last minute before the window, so that the change is against the price
  that stood 24 hours ago; the first trade's price where the market is younger;
* ``high``, ``low``: over trades within the window; the last price where nothing was traded in it;
* ``volume``, ``quote volume``, ``trades``: sums over the window;
* ``change``: last minus open.
"""

from collections import deque
from typing import Final

import msgspec

from actors.engine.candles import Candles
from actors.engine.events import Traded
from actors.engine.public_state import TRADES_KEPT, PublicTrade

_MINUTE_S: Final = 60
_WINDOW_MINUTES: Final = 1_440


class DayStatistics(msgspec.Struct, frozen=True, gc=False):
    """24 hours in figures; every field is 0 before a market's first trade."""

    last_ticks: int = 0
    open_ticks: int = 0
    high_ticks: int = 0
    low_ticks: int = 0
    volume_lots: int = 0
    quote_raw: int = 0
    trades: int = 0

    @property
    def change_ticks(self) -> int:
        """Last price minus the price 24 hours ago."""
        return self.last_ticks - self.open_ticks


def day_statistics(candles: Candles, now_s: int) -> DayStatistics:
    """Count the 24 hours up to ``now_s`` by the rules at the head of this module."""
    start_s = now_s - now_s % _MINUTE_S - (_WINDOW_MINUTES - 1) * _MINUTE_S
    before = candles.last_before(_MINUTE_S, start_s)
    window = candles.since(_MINUTE_S, start_s)
    if not window:
        if before is None:
            return DayStatistics()
        last = before.close_ticks
        return DayStatistics(last, last, last, last)
    return DayStatistics(
        last_ticks=window[-1].close_ticks,
        open_ticks=before.close_ticks if before else window[0].open_ticks,
        high_ticks=max(candle.high_ticks for candle in window),
        low_ticks=min(candle.low_ticks for candle in window),
        volume_lots=sum(candle.volume_lots for candle in window),
        quote_raw=sum(candle.quote_raw for candle in window),
        trades=sum(candle.trades for candle in window),
    )


class TradeTape:
    """The last TRADES_KEPT public trades of a market.

    An engine tells its trades as it made them (`tell`), and they become public ones when somebody
    reads: that is far seldomer.
    """

    __slots__ = ("_told", "_told_count", "_trades")

    def __init__(self) -> None:
        self._trades: deque[PublicTrade] = deque(maxlen=TRADES_KEPT)
        # Told since somebody read last, each list with its time; no list that is older than needed.
        self._told: deque[tuple[int, list[Traded]]] = deque()
        self._told_count = 0

    def add(self, trade: PublicTrade) -> None:
        """Append the newest trade; the oldest falls out where there are too many."""
        self._read().append(trade)

    def tell(self, time_ns: int, trades: list[Traded]) -> None:
        """Append the trades of one moment, oldest first; the list is kept."""
        told = self._told
        told.append((time_ns, trades))
        self._told_count += len(trades)
        while self._told_count - len(told[0][1]) >= TRADES_KEPT:
            self._told_count -= len(told.popleft()[1])

    def _read(self) -> deque[PublicTrade]:
        trades = self._trades
        for time_ns, told in self._told:
            trades.extend(_public(one, time_ns) for one in told)
        self._told.clear()
        self._told_count = 0
        return trades

    def newest(self, limit: int) -> list[PublicTrade]:
        """Return at most ``limit`` trades, newest first."""
        trades = self._read()
        count = min(max(limit, 0), len(trades))
        return [trades[-at] for at in range(1, count + 1)]

    @property
    def last_price_ticks(self) -> int:
        """The last trade's price; 0 before the first."""
        trades = self._read()
        return trades[-1].price_ticks if trades else 0

    def dump(self) -> list[PublicTrade]:
        """Return the tape for `PublicState.trades` or a snapshot, oldest first."""
        return list(self._read())

    @classmethod
    def load(cls, dumped: list[PublicTrade]) -> "TradeTape":
        """Make the tape again from `dump`."""
        made = cls()
        made._trades.extend(dumped)
        return made


def _public(trade: Traded, time_ns: int) -> PublicTrade:
    return PublicTrade(
        trade.trade_no,
        trade.price_ticks,
        trade.size_lots,
        trade.quote_raw,
        trade.side,
        trade.venue,
        time_ns,
    )
