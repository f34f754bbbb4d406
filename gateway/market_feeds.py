"""What one market publishes: bounded rings of encoded updates that any number of readers share.

A reader owns only a cursor (the last sequence it was sent). It asks a feed for what comes after its
cursor, and gets bytes that were encoded once, whoever else reads them. No reader can make a feed
grow: a ring has a fixed length, and whoever falls behind it starts from a snapshot or is closed.

Knows no sockets, no clock and no replica; `market_data` fills the feeds, `ws` reads them.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

Wake = Callable[[], None]
"""Tells one reader that a feed it reads has something new; must not block or raise."""

LevelText = tuple[str, str]
"""(price, size) as shown."""

BOOK_RING = 1_024
"""Book updates kept for resume: at 20 a second, about 50 seconds."""
TRADE_RING = 1_024
"""Trade frames kept for resume and for readers that lag."""
CONFLATE_AFTER = 32
"""A reader further behind than this gets one merged update instead of each."""


class BookDelta(NamedTuple):
    """One change of a book. ``bids`` and ``asks`` map a shown price to its shown new size."""

    sequence: int
    previous: int
    time_ns: int
    number: int
    """The journal record that holds the change."""
    bids: dict[str, str]
    asks: dict[str, str]
    checksum: int


class Readers:
    """The readers of one feed, woken together."""

    def __init__(self) -> None:
        self._wakes: set[Wake] = set()

    def __len__(self) -> int:
        return len(self._wakes)

    def add(self, wake: Wake) -> None:
        """Wake this reader from now on."""
        self._wakes.add(wake)

    def remove(self, wake: Wake) -> None:
        """Forget a reader; unknown ones are ignored."""
        self._wakes.discard(wake)

    def wake(self) -> None:
        """Tell every reader."""
        for wake in tuple(self._wakes):
            wake()


class BookFeed:
    """The updates of one book (resting or hybrid), each encoded once, when it is first read.

    Merged updates are kept too, so that many readers equally far behind share one.
    """

    def __init__(self, encode: Callable[[BookDelta], bytes], ring: int = BOOK_RING) -> None:
        self.readers = Readers()
        self.sequence = 0
        """The sequence of the newest published state."""
        self.generation = 0
        """Raised whenever the book starts anew and older cursors mean nothing."""
        self._deltas: deque[BookDelta] = deque(maxlen=ring)
        self._encode = encode
        self._frames: dict[int, bytes] = {}
        self._merged: dict[int, bytes] = {}

    def restart(self, sequence: int) -> None:
        """Begin again from a snapshot at ``sequence``: every reader will be sent a new one."""
        self.sequence = sequence
        self.generation += 1
        self._deltas.clear()
        self._frames.clear()
        self._merged.clear()

    def publish(self, delta: BookDelta) -> None:
        """Append a change; ``delta.previous`` must be the feed's sequence."""
        if len(self._deltas) == self._deltas.maxlen:
            self._frames.pop(self._deltas[0].sequence, None)
        self._deltas.append(delta)
        self.sequence = delta.sequence
        self._merged.clear()

    def covers(self, cursor: int) -> bool:
        """Tell whether a reader at ``cursor`` can go on without a snapshot."""
        if cursor == self.sequence:
            return True
        return bool(self._deltas) and self._deltas[0].previous <= cursor < self.sequence

    def after(self, cursor: int) -> tuple[bytes, int] | None:
        """Give the frame that follows ``cursor``, and the cursor after it.

        Returns:
            None where the ring no longer reaches back to ``cursor``: send a snapshot. The frame is
            the next single update, or one merged up to the newest for a reader far behind.
        """
        deltas = self._deltas
        behind = self._position(cursor)
        if behind is None:
            return None
        if len(deltas) - behind > CONFLATE_AFTER:
            return self._merge(cursor, behind), self.sequence
        delta = deltas[behind]
        frame = self._frames.get(delta.sequence)
        if frame is None:
            frame = self._frames[delta.sequence] = self._encode(delta)
        return frame, delta.sequence

    def _position(self, cursor: int) -> int | None:
        """Find the index of the delta whose ``previous`` is ``cursor``, newest first."""
        deltas = self._deltas
        if not deltas or not deltas[0].previous <= cursor < self.sequence:
            return None
        for index in range(len(deltas) - 1, -1, -1):
            if deltas[index].previous <= cursor:
                return index if deltas[index].previous == cursor else None
        return None

    def _merge(self, cursor: int, position: int) -> bytes:
        frame = self._merged.get(cursor)
        if frame is not None:
            return frame
        bids: dict[str, str] = {}
        asks: dict[str, str] = {}
        deltas = self._deltas
        for index in range(position, len(deltas)):
            bids.update(deltas[index].bids)
            asks.update(deltas[index].asks)
        newest = deltas[-1]._replace(previous=cursor, bids=bids, asks=asks)
        frame = self._merged[cursor] = self._encode(newest)
        return frame


class TradeFeed:
    """Trade frames by trade number, contiguous, each encoded once."""

    def __init__(self, ring: int = TRADE_RING) -> None:
        self.readers = Readers()
        self.sequence = 0
        self.generation = 0
        self._frames: deque[bytes] = deque(maxlen=ring)

    def restart(self, sequence: int) -> None:
        """Begin again at ``sequence``: the frames kept so far are forgotten."""
        self.sequence = sequence
        self.generation += 1
        self._frames.clear()

    def publish(self, frame: bytes) -> None:
        """Append the next trade's frame."""
        self._frames.append(frame)
        self.sequence += 1

    def covers(self, cursor: int) -> bool:
        """Tell whether every trade after ``cursor`` is still here."""
        return self.sequence - len(self._frames) <= cursor <= self.sequence

    def after(self, cursor: int) -> tuple[bytes, int] | None:
        """Give the frame of the trade after ``cursor``, and the cursor after it; None if gone."""
        if cursor >= self.sequence or not self.covers(cursor):
            return None
        return self._frames[cursor - self.sequence], cursor + 1


class LatestFeed:
    """Only the newest frame counts (bbo, price), published at most every ``interval_ns``.

    Changes go through `offer`; `flush` publishes what is pending. The caller owns the timer: `due`
    says when the next flush makes sense.
    """

    def __init__(self, interval_ns: int) -> None:
        self.readers = Readers()
        self.version = 0
        self.frame = b""
        """The newest; empty before the first."""
        self._interval_ns = interval_ns
        self.marked = False
        """The subject changed since the last frame was made."""
        self._published_ns = -interval_ns

    def mark(self) -> None:
        """Say that the subject changed; the frame is made when it is published."""
        self.marked = True

    def due(self) -> int | None:
        """Give the time (monotonic ns) from which `flush` may publish; None if nothing waits."""
        if not self.marked or not len(self.readers):
            return None
        return self._published_ns + self._interval_ns

    def flush(self, now_ns: int, encode: Callable[[], bytes]) -> bool:
        """Publish the newest state if somebody reads it and the interval has passed.

        Returns:
            Whether there is a new frame.
        """
        due = self.due()
        if due is None or now_ns < due:
            return False
        self._published_ns = now_ns
        return self.publish(encode())

    def publish(self, frame: bytes) -> bool:
        """Make this the newest frame at once; false when it says nothing new."""
        self.marked = False
        if frame == self.frame:
            return False
        self.frame = frame
        self.version += 1
        return True


class RowsFeed:
    """Rows of a table, one per subject; a reader is sent the rows that changed since its cursor.

    Published at most every ``interval_ns``, and only where a row's text really changed.
    """

    def __init__(self, interval_ns: int) -> None:
        self.readers = Readers()
        self.version = 0
        self._interval_ns = interval_ns
        self._published_ns = -interval_ns
        self._dirty: dict[str, Callable[[], bytes]] = {}
        self._rows: dict[str, tuple[int, bytes]] = {}
        self._frames: dict[int, bytes] = {}

    def mark(self, name: str, row: Callable[[], bytes]) -> None:
        """Say that a row may have changed; ``row`` encodes it when it is published."""
        self._dirty[name] = row

    def due(self) -> int | None:
        """Give the time (monotonic ns) from which `flush` may publish; None if nothing waits."""
        return self._published_ns + self._interval_ns if self._dirty else None

    def flush(self, now_ns: int) -> int | None:
        """Publish the changed rows if somebody reads them and the interval has passed.

        Returns:
            The time of the next flush that makes sense, or None.
        """
        due = self.due()
        if due is None or not len(self.readers):
            return None
        if now_ns < due:
            return due
        self._published_ns = now_ns
        changed = {name: row() for name, row in self._dirty.items()}
        self._dirty.clear()
        version = self.version + 1
        for name, row in changed.items():
            if name not in self._rows or self._rows[name][1] != row:
                self._rows[name] = (version, row)
                self.version = version
        if self.version == version:
            self._frames.clear()
            self.readers.wake()
        return None

    def after(self, cursor: int) -> bytes:
        """Encode the rows changed after ``cursor``; 0 gives all."""
        frame = self._frames.get(cursor)
        if frame is None:
            rows = [row for version, row in self._rows.values() if version > cursor]
            frame = b'{"type":"markets","markets":[' + b",".join(rows) + b"]}"
            self._frames[cursor] = frame
        return frame
