"""Figures over a market's candles: the last 24 hours, and a chart without holes.

Integers in, integers out (ticks, lots, raw quote units); what they look like is `rendering`'s.
"""

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from actors.engine.public_state import Candle

DAY_S = 86_400


class DayStats(msgspec.Struct, frozen=True):
    """A market's last 24 hours; all zero while nothing was ever traded.

    ``open_ticks`` is the price 24 hours ago: the last trade before then, or the first one since.
    Times are whole minutes, so the window is between 24 h and 24 h + 1 min long.
    """

    last_ticks: int = 0
    open_ticks: int = 0
    high_ticks: int = 0
    low_ticks: int = 0
    volume_lots: int = 0
    quote_raw: int = 0
    trades: int = 0


def day_stats(minutes: Sequence[Candle], now_s: int) -> DayStats:
    """Sum up the candles of the last 24 hours.

    Args:
        minutes: one-minute candles, oldest first, without those nothing was traded in.
        now_s: Unix seconds.
    """
    if not minutes:
        return DayStats()
    begin = bisect_left(minutes, now_s - DAY_S - now_s % 60, key=lambda candle: candle.start_s)
    day = minutes[begin:]
    last = minutes[-1].close_ticks
    if not day:
        return DayStats(last, last, last, last)
    return DayStats(
        last_ticks=last,
        open_ticks=minutes[begin - 1].close_ticks if begin else day[0].open_ticks,
        high_ticks=max(candle.high_ticks for candle in day),
        low_ticks=min(candle.low_ticks for candle in day),
        volume_lots=sum(candle.volume_lots for candle in day),
        quote_raw=sum(candle.quote_raw for candle in day),
        trades=sum(candle.trades for candle in day),
    )


def chart(candles: Sequence[Candle], interval_s: int, limit: int, now_s: int) -> list[Candle]:
    """Give the last ``limit`` intervals up to now, oldest first, without a hole.

    An interval nothing was traded in repeats the close before it with volume 0. Nothing is shown
    from before the first candle.
    """
    if not candles:
        return []
    end = max(now_s // interval_s * interval_s, candles[-1].start_s)
    start = max(end - (limit - 1) * interval_s, candles[0].start_s)
    at = bisect_left(candles, start, key=lambda candle: candle.start_s)
    close = candles[at - 1].close_ticks if at else candles[0].open_ticks
    shown: list[Candle] = []
    for begin in range(start, end + interval_s, interval_s):
        if at < len(candles) and candles[at].start_s == begin:
            shown.append(candles[at])
            close = candles[at].close_ticks
            at += 1
        else:
            shown.append(Candle(begin, close, close, close, close, 0, 0, 0))
    return shown
