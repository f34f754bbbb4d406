"""The five public channels: book (resting or hybrid), trades, price, bbo, markets.

Each session is a cursor into feeds that `market` fills once for everybody. Readers that fall behind
are served as the contract says: books are merged to the newest state, prices and quotes skip to the
newest, and a reader that loses trades is closed with 4408 and may resume.
"""

from abc import abstractmethod
from typing import Any

from gateway.market import Market
from gateway.market_feeds import BookFeed, LatestFeed, RowsFeed, TradeFeed
from gateway.ws.protocol import (
    CLOSE_SLOW,
    Clock,
    Session,
    only,
    read_sequence,
    unknown_action,
)

TRADES_SHOWN = 50
"""Trades in the first frame of the trades channel."""

ACTIONS = "snapshot, resume"


class ChannelSession(Session):
    """A session with the two actions of every channel."""

    def action(self, name: str, message: dict[str, Any]) -> None:
        """Send the state again, or go on after a sequence."""
        if name == "snapshot":
            only(message, "action")
            self.snapshot()
        elif name == "resume":
            only(message, "action", "since_sequence")
            self.resume(read_sequence(message.get("since_sequence")))
        else:
            raise unknown_action(name, ACTIONS)
        self.wake()

    @abstractmethod
    def snapshot(self) -> None:
        """Send the whole state next."""

    @abstractmethod
    def resume(self, since: int) -> None:
        """Send what came after ``since``, or the whole state where that is not kept."""


class RingSession(ChannelSession):
    """A cursor into a feed that keeps its last frames by number."""

    def __init__(self, clock: Clock, market: Market, feed: BookFeed | TradeFeed) -> None:
        super().__init__(clock)
        self._market = market
        self._feed = feed
        self._cursor: int | None = None
        self._generation = -1

    def opened(self) -> None:
        """Be woken by the feed."""
        self._feed.readers.add(self.wake)

    def closed(self) -> None:
        """Leave the feed."""
        self._feed.readers.remove(self.wake)

    def sequence(self) -> int:
        """Give the number of the last frame sent."""
        return self._cursor or 0

    def snapshot(self) -> None:
        """Send the whole state next."""
        self._cursor = None

    def resume(self, since: int) -> None:
        """Go on after ``since`` where the ring still reaches back to it."""
        self._cursor = since if self._feed.covers(since) else None


class BookSession(RingSession):
    """``/ws/exchange/{symbol}/book``: a snapshot, then changed levels with a checksum."""

    def __init__(self, clock: Clock, market: Market, *, hybrid: bool) -> None:
        super().__init__(clock, market, market.hybrid if hybrid else market.book)
        self._hybrid = hybrid

    def opened(self) -> None:
        """Keep the feed running and be woken by it."""
        self._market.feed(hybrid=self._hybrid).readers.add(self.wake)

    def next_data(self) -> bytes | None:
        """Give a snapshot, the next update, or one merged update to a slow reader."""
        feed = self._feed
        cursor = self._cursor
        if cursor == feed.sequence and self._generation == feed.generation:
            return None
        if not self._market.ready:
            return None
        if cursor is not None and self._generation == feed.generation:
            following = feed.after(cursor)
            if following is not None:
                frame, self._cursor = following
                return frame
        self._generation = feed.generation
        self._cursor = feed.sequence
        return self._market.book_frame(hybrid=self._hybrid)


class TradesSession(RingSession):
    """``/ws/exchange/{symbol}/trades``: the last 50, then each."""

    def __init__(self, clock: Clock, market: Market, shown: int = TRADES_SHOWN) -> None:
        super().__init__(clock, market, market.trades)
        self._shown = shown
        self._generation = market.trades.generation
        self._cursor = None if shown else market.trades.sequence

    def next_data(self) -> bytes | None:
        """Give the last trades, or the next one; close a reader that lost some."""
        feed = self._feed
        if self._cursor == feed.sequence or not self._market.ready:
            return None
        if self._cursor is not None:
            following = feed.after(self._cursor)
            if following is not None:
                frame, self._cursor = following
                return frame
            if self._generation == feed.generation:
                self.close(CLOSE_SLOW, "trades were lost to slow reading; reconnect and resume")
                return None
        self._generation = feed.generation
        self._cursor = feed.sequence
        return self._market.trades_frame(self._shown) if self._shown else None


class LatestSession(ChannelSession):
    """``/price`` and ``/bbo``: always the newest, at most as often as the feed publishes."""

    def __init__(self, clock: Clock, market: Market, feed: LatestFeed) -> None:
        super().__init__(clock)
        self._market = market
        self._feed = feed
        self._version = 0

    def opened(self) -> None:
        """Bring the feed up to date, and be woken by it."""
        self._feed.readers.add(self.wake)
        self._market.refresh()

    def closed(self) -> None:
        """Leave the feed."""
        self._feed.readers.remove(self.wake)

    def sequence(self) -> int:
        """Give the hybrid book's sequence, which counts whatever can move a quote."""
        return self._market.sequence(hybrid=True)

    def snapshot(self) -> None:
        """Send the newest again."""
        self._version = 0

    def resume(self, since: int) -> None:
        """Send the newest: what came between is not a state any more."""
        del since
        self._version = 0

    def next_data(self) -> bytes | None:
        """Give the newest frame if it was not sent yet."""
        feed = self._feed
        if self._version == feed.version or not feed.frame:
            return None
        self._version = feed.version
        return feed.frame


class MarketsSession(ChannelSession):
    """``/ws/exchange/markets``: all rows, then those that changed."""

    def __init__(self, clock: Clock, rows: RowsFeed) -> None:
        super().__init__(clock)
        self._rows = rows
        self._cursor = -1

    def opened(self) -> None:
        """Bring the rows up to date, and be woken by them."""
        self._rows.readers.add(self.wake)
        self._rows.flush(self.clock.monotonic_ns())

    def closed(self) -> None:
        """Leave the rows."""
        self._rows.readers.remove(self.wake)

    def sequence(self) -> int:
        """Give the version of the rows sent, which counts changes at this gateway."""
        return max(0, self._cursor)

    def snapshot(self) -> None:
        """Send all rows next."""
        self._cursor = -1

    def resume(self, since: int) -> None:
        """Send all rows: versions are this gateway's own."""
        del since
        self._cursor = -1

    def next_data(self) -> bytes | None:
        """Give the rows that changed since the last frame."""
        rows = self._rows
        if self._cursor == rows.version:
            return None
        after = max(0, self._cursor)
        self._cursor = rows.version
        return rows.after(after)
