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
    """The last TRADES_KEPT public trades of a market."""

    __slots__ = ("_trades",)

    def __init__(self) -> None:
        self._trades: deque[PublicTrade] = deque(maxlen=TRADES_KEPT)

    def add(self, trade: PublicTrade) -> None:
        """Append the newest trade; the oldest falls out where there are too many."""
        self._trades.append(trade)

    def extend(self, trades: list[PublicTrade]) -> None:
        """Append several trades, oldest first."""
        self._trades.extend(trades)

    def newest(self, limit: int) -> list[PublicTrade]:
        """Return at most ``limit`` trades, newest first."""
        count = min(max(limit, 0), len(self._trades))
        return [self._trades[-at] for at in range(1, count + 1)]

    @property
    def last_price_ticks(self) -> int:
        """The last trade's price; 0 before the first."""
        return self._trades[-1].price_ticks if self._trades else 0

    def dump(self) -> list[PublicTrade]:
        """Return the tape for `PublicState.trades` or a snapshot, oldest first."""
        return list(self._trades)

    @classmethod
    def load(cls, dumped: list[PublicTrade]) -> "TradeTape":
        """Make the tape again from `dump`."""
        made = cls()
        made._trades.extend(dumped)
        return made
