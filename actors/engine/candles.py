"""Candles of six intervals, built trade by trade, and read without gaps.

Only intervals that traded are kept; the empty ones between are made when a series is read, each
repeating the close before it with volume 0. Nothing stands before the first trade.
"""

from typing import Final

from msgspec.structs import replace

from actors.engine.invariants import invariant
from actors.engine.public_state import CANDLES_KEPT, Candle
from actors.engine.units import NS_PER_S

INTERVALS_S: Final = (60, 300, 900, 3_600, 14_400, 86_400)
"""1m, 5m, 15m, 1h, 4h, 1d; each starts at a multiple of itself in Unix time."""

_MINUTE_S: Final = INTERVALS_S[0]
_KEPT_MOST: Final = CANDLES_KEPT + 256
"""Candles fall out in batches: cutting a list for every new one would copy it each time."""


class Candles:
    """The candles of one market. Trades come in the order of their times."""

    __slots__ = ("_minute", "_series")

    def __init__(self) -> None:
        self._series: dict[int, list[Candle]] = {interval: [] for interval in INTERVALS_S}
        self._minute: Candle | None = None
        """What the newest minute's trades came to and the series do not hold yet (`_fold`)."""

    def add(self, time_ns: int, price_ticks: int, size_lots: int, quote_raw: int) -> None:
        """Count one trade into all six intervals. A time before the newest candle counts in it."""
        prices = (price_ticks, price_ticks, price_ticks, price_ticks)
        self.merge(time_ns, prices, size_lots, quote_raw, 1)

    def merge(
        self,
        time_ns: int,
        prices: tuple[int, int, int, int],
        size_lots: int,
        quote_raw: int,
        trades: int,
    ) -> None:
        """Count several trades of one moment at once: as `add` for each, in less time.

        ``prices`` are those of the first, the highest, the lowest and the last of them.
        """
        first, high, low, last = prices
        time_s = time_ns // NS_PER_S
        minute, start = self._minute, time_s - time_s % _MINUTE_S
        if minute is None or minute.start_s < start:
            self._fold()
            self._minute = Candle(start, first, high, low, last, size_lots, quote_raw, trades)
        else:
            _extend(minute, Candle(start, first, high, low, last, size_lots, quote_raw, trades))

    def _fold(self) -> dict[int, list[Candle]]:
        """Count the newest minute's trades into the series, which are complete then."""
        minute, self._minute = self._minute, None
        if minute is None:
            return self._series
        for interval, candles in self._series.items():
            start = minute.start_s - minute.start_s % interval
            if candles and candles[-1].start_s >= start:
                _extend(candles[-1], minute)
                continue
            candles.append(replace(minute, start_s=start))
            if len(candles) > _KEPT_MOST:
                del candles[:-CANDLES_KEPT]
        return self._series

    def series(self, interval_s: int, limit: int, now_s: int) -> list[Candle]:
        """Return the newest ``limit`` candles up to the one of ``now_s``, oldest first, no gaps.

        Fewer come back where the market is younger; none before the first trade. The candles are
        shared with this object: read them, or copy.

        Raises:
            InvariantError: ``interval_s`` is none of `INTERVALS_S`.
        """
        invariant(interval_s in self._series, f"no candles of {interval_s} seconds are kept")
        kept = self._fold()[interval_s][-CANDLES_KEPT:]
        if not kept or limit <= 0:
            return []
        start = max(now_s - now_s % interval_s, kept[-1].start_s)
        at = len(kept) - 1
        found: list[Candle] = []
        while len(found) < limit and start >= kept[0].start_s:
            while kept[at].start_s > start:
                at -= 1
            known = kept[at]
            found.append(known if known.start_s == start else _empty(start, known.close_ticks))
            start -= interval_s
        found.reverse()
        return found

    def since(self, interval_s: int, start_s: int) -> list[Candle]:
        """Return the candles that traded and start at or after ``start_s``, oldest first."""
        kept = self._fold()[interval_s]
        at = len(kept)
        while at and kept[at - 1].start_s >= start_s:
            at -= 1
        return kept[at:]

    def last_before(self, interval_s: int, start_s: int) -> Candle | None:
        """Return the newest candle that starts before ``start_s``, or None."""
        for candle in reversed(self._fold()[interval_s]):
            if candle.start_s < start_s:
                return candle
        return None

    def dump(self) -> dict[int, list[Candle]]:
        """Return a copy for `PublicState.candles` or a snapshot, at most CANDLES_KEPT each."""
        return {
            interval: [replace(one) for one in candles[-CANDLES_KEPT:]]
            for interval, candles in self._fold().items()
        }

    @classmethod
    def load(cls, dumped: dict[int, list[Candle]]) -> "Candles":
        """Make candles again from `dump`; takes the lists over."""
        made = cls()
        for interval in INTERVALS_S:
            made._series[interval] = list(dumped.get(interval, []))
        return made


def _empty(start_s: int, close_ticks: int) -> Candle:
    return Candle(start_s, close_ticks, close_ticks, close_ticks, close_ticks, 0, 0, 0)


def _extend(candle: Candle, later: Candle) -> None:
    """Count the trades of a candle into the one that they belong to as well."""
    if later.high_ticks > candle.high_ticks or later.low_ticks < candle.low_ticks:
        candle.high_ticks = max(candle.high_ticks, later.high_ticks)
        candle.low_ticks = min(candle.low_ticks, later.low_ticks)
    candle.close_ticks = later.close_ticks
    candle.volume_lots += later.volume_lots
    candle.quote_raw += later.quote_raw
    candle.trades += later.trades
