"""One market (a pair in one mode) as a gateway holds it: a replica, its feeds, its cached answers.

Everything here is synchronous and driven by records; `market_data` brings them and owns the timers.
Answers are encoded by `rendering`, frames by `frames`, each at most once per change.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from event_trader.wire.checksum import CHECKSUM_LEVELS, book_checksum

from actors.engine.commands import PoolUpdated
from actors.engine.hybrid import HybridLevel
from actors.engine.pair_spec import PairSpec, PoolSpec
from actors.engine.pools.state import PoolState
from actors.engine.public_state import Candle, PublicState, PublicTrade
from actors.engine.replica import MarketReplica
from actors.engine.statistics import DayStatistics
from actors.engine.units import NS_PER_MS, NS_PER_S, MarketStatus, Mode
from actors.journal.market_record import MarketRecord
from actors.listing import market_name
from gateway import frames
from gateway.codec import format_price, format_size
from gateway.market_feeds import BookDelta, BookFeed, LatestFeed, LevelText, TradeFeed

BBO_INTERVAL_NS = 50 * NS_PER_MS
PRICE_INTERVAL_NS = 50 * NS_PER_MS
KEEP_ACTIVE_S = 60
"""A book feed goes on this long after its last reader left, so that a reconnect can resume."""

_TEXT_KEPT = 50_000
_MINUTE_NS = 60 * NS_PER_S


class Quote(NamedTuple):
    """One side's best: from the order book, or from the hybrid book where that side is empty."""

    price_ticks: int
    size_lots: int
    source: str
    """``clob``, ``hybrid``, or "" where nothing is offered (then both numbers are 0)."""


NO_QUOTE = Quote(0, 0, "")


class Market:
    """A market's public side at one gateway.

    Args:
        spec: the pair.
        mode: paper or live.
    """

    def __init__(self, spec: PairSpec, mode: Mode) -> None:
        self.spec = spec
        self.mode = mode
        self.name = market_name(spec.symbol, mode)
        self.pool_specs: dict[str, PoolSpec] = {pool.pool_id: pool for pool in spec.pools}
        self.ready_event = asyncio.Event()
        self.number = 0
        """The number of the last record applied: the market's private sequence."""
        self.time_ns = 0
        """The time of that record."""
        self.settlement_heads: list[int] = []
        self.book = BookFeed(frames.book_update)
        self.hybrid = BookFeed(frames.book_update)
        self.trades = TradeFeed()
        self.bbo = LatestFeed(BBO_INTERVAL_NS)
        self.price = LatestFeed(PRICE_INTERVAL_NS)
        self._replica = MarketReplica(spec, mode)
        self._active_until_s = {True: 0.0, False: 0.0}
        self._hybrid_shown: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._pool_seen_ns: dict[str, int] = {}
        self._quotes_shown = (NO_QUOTE, NO_QUOTE)
        self._price_shown = ("", "")
        self._merged: tuple[list[HybridLevel], list[HybridLevel]] | None = None
        self._day_key = (-1, -1)
        self._day = DayStatistics()
        self._cache: dict[object, bytes] = {}
        self._price_texts: dict[int, str] = {}

    # State

    @property
    def ready(self) -> bool:
        """True once the replica was started, and until it has to be started anew."""
        return self.ready_event.is_set()

    @property
    def status(self) -> MarketStatus:
        """Whether the market takes orders."""
        return self._replica.status

    def sequence(self, *, hybrid: bool) -> int:
        """Give what the book's (or the hybrid book's) channel calls its sequence."""
        return self._replica.hybrid_seq if hybrid else self._replica.book_seq

    @property
    def trade_sequence(self) -> int:
        """Give the number of the last trade."""
        return self._replica.trade_seq

    def levels(
        self, *, hybrid: bool, depth: int | None = None
    ) -> tuple[list[HybridLevel], list[HybridLevel]]:
        """Give (bids, asks), best first; all of them, or ``depth`` a side where there are."""
        if hybrid:
            sides = self._hybrid_sides(depth)
        else:
            bids, asks = self._replica.levels(depth)
            return _own(bids), _own(asks)
        return (sides[0], sides[1]) if depth is None else (sides[0][:depth], sides[1][:depth])

    def _hybrid_sides(self, depth: int | None) -> tuple[list[HybridLevel], list[HybridLevel]]:
        """Merge once per change; a depth beyond the pools' ladders is made on demand."""
        if depth is not None and depth > self.spec.ladder_levels:
            return self._replica.hybrid_levels(depth)
        if self._merged is None:
            self._merged = self._replica.hybrid_levels(None)
        return self._merged

    def quotes(self) -> tuple[Quote, Quote]:
        """Give the best bid and ask: the order book's, or the hybrid's where a side is empty."""
        bids, asks = self._replica.levels(1)
        return self._quote(bids, 0), self._quote(asks, 1)

    def _quote(self, own: Sequence[tuple[int, int]], side: int) -> Quote:
        if own:
            return Quote(own[0][0], own[0][1], "clob")
        if not self.pool_specs:
            return NO_QUOTE
        other = self._hybrid_sides(1)[side]
        return Quote(other[0][0], other[0][1], "hybrid") if other else NO_QUOTE

    def tape(self, limit: int) -> list[PublicTrade]:
        """Give the last ``limit`` trades, newest first."""
        trades = self._replica.trades
        return [trades[at] for at in range(len(trades) - 1, max(-1, len(trades) - 1 - limit), -1)]

    def candles(self, interval_s: int) -> Sequence[Candle]:
        """Give the candles of an interval, oldest first, without the empty ones."""
        return self._replica.candles(interval_s)

    def day(self, now_ns: int) -> DayStatistics:
        """Sum up the last 24 hours; once per trade and minute.

        Before a market's first trade its price is the middle of the hybrid book, and has not moved.
        """
        key = (self.trade_sequence, now_ns // _MINUTE_NS)
        if self._day_key != key:
            self._day_key = key
            self._day = self._replica.day(now_ns)
        if self._day.last_ticks:
            return self._day
        price = self._untraded_price()
        return DayStatistics(price, price, price, price)

    def _untraded_price(self) -> int:
        bids, asks = self._hybrid_sides(1)
        if bids and asks:
            return (bids[0][0] + asks[0][0]) // 2
        side = bids or asks
        return side[0][0] if side else 0

    def pools(self) -> list[PoolState]:
        """Give each pool's virtual state, in listing order."""
        return self._replica.pools

    def pool_seen_ns(self, pool_id: str) -> int:
        """Give the time of the chain feed's last word on a pool, as recorded."""
        return self._pool_seen_ns.get(pool_id, 0)

    def quote_text(self, quote: Quote) -> tuple[str | None, str | None]:
        """Show a quote's price and size; two None where nothing is offered."""
        if not quote.source:
            return None, None
        return self.price_text(quote.price_ticks), self.size_text(quote.size_lots)

    def price_text(self, ticks: int) -> str:
        """Show a price; remembered, because levels repeat."""
        text = self._price_texts.get(ticks)
        if text is None:
            if len(self._price_texts) >= _TEXT_KEPT:
                self._price_texts.clear()
            text = self._price_texts[ticks] = format_price(self.spec, ticks)
        return text

    def size_text(self, lots: int) -> str:
        """Show a size."""
        return format_size(self.spec, lots)

    def shown(self, levels: Sequence[HybridLevel]) -> list[LevelText]:
        """Show levels as ``(price, size)``."""
        return [(self.price_text(level[0]), self.size_text(level[1])) for level in levels]

    def cached(self, key: object, build: Callable[[], bytes]) -> bytes:
        """Give the answer kept under ``key``, or build and keep it until the next record."""
        answer = self._cache.get(key)
        if answer is None:
            answer = self._cache[key] = build()
        return answer

    # Feeds

    def feed(self, *, hybrid: bool) -> BookFeed:
        """Give the book's or the hybrid book's feed, running: it goes on while it is read."""
        feed = self.hybrid if hybrid else self.book
        if not self._active_until_s[hybrid] and self.ready:
            self._begin(hybrid=hybrid)
        self._active_until_s[hybrid] = self.time_ns / 1e9 + KEEP_ACTIVE_S
        return feed

    def book_frame(self, *, hybrid: bool) -> bytes:
        """Encode the snapshot frame of the running feed, at the feed's own sequence."""

        def build() -> bytes:
            bids, asks = (self.shown(side) for side in self.levels(hybrid=hybrid))
            return frames.book_snapshot(
                self.spec.symbol,
                self.sequence(hybrid=hybrid),
                bids,
                asks,
                self.time_ns,
                book_checksum(bids, asks),
            )

        return self.cached(("book_frame", hybrid), build)

    def trades_frame(self, limit: int) -> bytes:
        """Encode the trades channel's first frame."""

        def build() -> bytes:
            shown = [frames.trade_fields(self.spec, self.mode, one) for one in self.tape(limit)]
            return frames.trades_snapshot(
                self.spec.symbol, shown, self.trade_sequence, self.time_ns
            )

        return self.cached(("trades_frame", limit), build)

    def refresh(self) -> None:
        """Bring the throttled feeds up to date for a reader that has just come."""
        if self.ready:
            for feed, encode in ((self.bbo, self._bbo_frame), (self.price, self._price_frame)):
                if feed.marked and feed.publish(encode()):
                    feed.readers.wake()

    def suspend(self) -> None:
        """Stop showing the market until it is restored."""
        self.ready_event.clear()
        self._cache.clear()

    def restore(self, state: PublicState) -> None:
        """Start from a pair's public state; every reader gets a new snapshot."""
        self._replica.restore(state)
        self._merged = None
        self._day_key = (-1, -1)
        self.number = state.sequence
        self.time_ns = self._replica.time_ns
        self.settlement_heads = list(state.settlement_heads)
        self._cache.clear()
        self.trades.restart(state.trade_seq - len(state.trades))
        for trade in state.trades:
            self.trades.publish(frames.trade(self.spec, self.mode, trade))
        self._pool_seen_ns = {pool.pool_id: pool.block_time_ns for pool in state.pools}
        for hybrid in (False, True):
            if self._active_until_s[hybrid]:
                self._begin(hybrid=hybrid)
        self.ready_event.set()
        self.bbo.mark()
        self.price.mark()
        for feed in (self.book, self.hybrid, self.trades):
            feed.readers.wake()

    def apply(self, number: int, record: MarketRecord) -> None:
        """Apply the next record and publish what it changed (throttled feeds at `flush`)."""
        change = self._replica.apply(number, record)
        self.number = number
        self.time_ns = record.time_ns
        self.settlement_heads = record.settlement_heads
        self._cache.clear()
        if change.pools_changed or record.levels:
            self._merged = None
        if self.pool_specs:
            for step in record.steps:
                if isinstance(step.command, PoolUpdated):
                    self._pool_seen_ns[step.command.pool.pool_id] = record.time_ns
        for trade in change.trades:
            self.trades.publish(frames.trade(self.spec, self.mode, trade))
        if change.trades:
            self.price.mark()
            self.trades.readers.wake()
        if record.levels and self._keeps_running(hybrid=False):
            self._publish_book(record)
        if record.hybrid_seq != self.hybrid.sequence and self._keeps_running(hybrid=True):
            self._publish_hybrid(record)
        self.bbo.mark()

    def flush(self, now_ns: int) -> int | None:
        """Publish the throttled feeds where their interval has passed.

        Returns:
            The monotonic time of the next flush that makes sense, or None.
        """
        if not self.ready:
            return None
        if self.bbo.flush(now_ns, self._bbo_frame):
            self.bbo.readers.wake()
        if self.price.flush(now_ns, self._price_frame):
            self.price.readers.wake()
        dues = [due for due in (self.bbo.due(), self.price.due()) if due is not None]
        return min(dues, default=None)

    def _bbo_frame(self) -> bytes:
        bid, ask = quotes = self.quotes()
        if quotes == self._quotes_shown and self.bbo.frame:
            return self.bbo.frame
        self._quotes_shown = quotes
        return frames.bbo(
            self.spec.symbol,
            (self.quote_text(bid), self.quote_text(ask)),
            self.sequence(hybrid=True),
            self.time_ns,
        )

    def _price_frame(self) -> bytes:
        day = self.day(self.time_ns)
        price = self.price_text(day.last_ticks)
        change = format_price(self.spec, day.change_ticks)
        if (price, change) == self._price_shown and self.price.frame:
            return self.price.frame
        self._price_shown = (price, change)
        return frames.price(self.spec.symbol, price, change, self.time_ns)

    def _begin(self, *, hybrid: bool) -> None:
        feed = self.hybrid if hybrid else self.book
        feed.restart(self.sequence(hybrid=hybrid))
        if hybrid:
            self._hybrid_shown = self._hybrid_sizes()

    def _keeps_running(self, *, hybrid: bool) -> bool:
        """Stop a feed nobody has read for a while; its next reader starts it again."""
        until_s = self._active_until_s[hybrid]
        if not until_s:
            return False
        feed = self.hybrid if hybrid else self.book
        now_s = self.time_ns / 1e9
        if len(feed.readers):
            self._active_until_s[hybrid] = now_s + KEEP_ACTIVE_S
        elif now_s > until_s:
            self._active_until_s[hybrid] = 0.0
            return False
        return True

    def _publish_book(self, record: MarketRecord) -> None:
        sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
        for level in record.levels:
            size = self.size_text(level.size_lots) if level.size_lots else "0"
            sides[level.side][self.price_text(level.price_ticks)] = size
        top = [self.shown(s) for s in self.levels(hybrid=False, depth=CHECKSUM_LEVELS)]
        self.book.publish(self._delta(self.book, record.book_seq, sides, top))
        self.book.readers.wake()

    def _publish_hybrid(self, record: MarketRecord) -> None:
        before, after = self._hybrid_shown, self._hybrid_sizes()
        self._hybrid_shown = after
        sides = tuple(
            {
                self.price_text(ticks): self.size_text(now[ticks]) if ticks in now else "0"
                for ticks in now.keys() | was.keys()
                if now.get(ticks) != was.get(ticks)
            }
            for was, now in zip(before, after, strict=True)
        )
        top = [self.shown(s) for s in self.levels(hybrid=True, depth=CHECKSUM_LEVELS)]
        self.hybrid.publish(self._delta(self.hybrid, record.hybrid_seq, sides, top))
        self.hybrid.readers.wake()

    def _delta(
        self,
        feed: BookFeed,
        sequence: int,
        sides: tuple[dict[str, str], ...],
        top: list[list[LevelText]],
    ) -> BookDelta:
        return BookDelta(
            sequence,
            feed.sequence,
            self.time_ns,
            self.number,
            sides[0],
            sides[1],
            book_checksum(top[0], top[1]),
        )

    def _hybrid_sizes(self) -> tuple[dict[int, int], dict[int, int]]:
        bids, asks = self.levels(hybrid=True)
        return (
            {price_ticks: size_lots for price_ticks, size_lots, _ in bids},
            {price_ticks: size_lots for price_ticks, size_lots, _ in asks},
        )


def _own(levels: Sequence[tuple[int, int]]) -> list[HybridLevel]:
    """Give the order book's levels the form of hybrid ones."""
    return [(price_ticks, size_lots, (("", size_lots),)) for price_ticks, size_lots in levels]
