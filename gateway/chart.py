"""A chart without holes, from candles that were kept only where something was traded."""

from bisect import bisect_left
from collections.abc import Sequence

from actors.engine.public_state import Candle


def without_holes(
    candles: Sequence[Candle], interval_s: int, limit: int, now_s: int
) -> list[Candle]:
    """Give the candles of the last ``limit`` intervals up to now, oldest first, without a hole.

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
