"""An order book kept from a stream's frames, checked against the server's checksum at every step.

Pure: frames in, levels out. Prices and sizes stay the strings that the server shows; they are
compared as decimals, so nothing depends on how many digits they are written with.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from event_trader.wire.checksum import book_checksum

Level = tuple[str, str]
"""(price, size) as shown."""


class _Side:
    """One side's levels, in ascending order of price."""

    def __init__(self, *, best_is_last: bool) -> None:
        self._best_is_last = best_is_last
        self._prices: list[Decimal] = []
        self._levels: dict[Decimal, Level] = {}

    def __len__(self) -> int:
        return len(self._prices)

    def __iter__(self) -> Iterator[Level]:
        """Give the levels, best first."""
        prices = reversed(self._prices) if self._best_is_last else iter(self._prices)
        return (self._levels[price] for price in prices)

    def replace(self, levels: Iterable[Iterable[str]]) -> None:
        self._levels = {Decimal(price): (price, size) for price, size in levels}
        self._prices = sorted(self._levels)

    def change(self, levels: Iterable[Iterable[str]]) -> None:
        for price, size in levels:
            key = Decimal(price)
            known = key in self._levels
            if size == "0":
                if known:
                    del self._levels[key]
                    del self._prices[bisect_left(self._prices, key)]
            else:
                self._levels[key] = (price, size)
                if not known:
                    insort(self._prices, key)


class LocalBook:
    """A book that follows a ``snapshot`` and its ``update`` frames.

    Example:
        >>> stream = client.stream.book("vaix")
        >>> async for _ in stream:
        ...     print(stream.book.best_bid, stream.book.best_ask)

    Attributes:
        sequence: of the newest change; -1 before the first snapshot.
        timestamp: of the newest change, RFC 3339.
    """

    def __init__(self) -> None:
        self.sequence = -1
        self.timestamp = ""
        self._bids = _Side(best_is_last=True)
        self._asks = _Side(best_is_last=False)

    @property
    def bids(self) -> list[Level]:
        """All bids as (price, size), best first."""
        return list(self._bids)

    @property
    def asks(self) -> list[Level]:
        """All asks as (price, size), best first."""
        return list(self._asks)

    @property
    def best_bid(self) -> Level | None:
        """The highest bid, or None."""
        return next(iter(self._bids), None)

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask, or None."""
        return next(iter(self._asks), None)

    @property
    def mid(self) -> Decimal | None:
        """The middle between the best bid and the best ask; None where a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return (Decimal(bid[0]) + Decimal(ask[0])) / 2 if bid and ask else None

    def checksum(self) -> int:
        """Compute the checksum of the best ten levels a side, as the server does."""
        return book_checksum(self._bids, self._asks)

    def apply(self, frame: Mapping[str, Any]) -> bool:
        """Apply a ``snapshot`` or an ``update``; tell whether the checksum agrees.

        The caller sees to it that an update follows the last frame (`follows`).
        """
        if frame["type"] == "snapshot":
            self._bids.replace(frame["bids"])
            self._asks.replace(frame["asks"])
        else:
            self._bids.change(frame["bids"])
            self._asks.change(frame["asks"])
        self.sequence = frame["sequence"]
        self.timestamp = frame["timestamp"]
        return bool(frame["checksum"] == self.checksum())

    def follows(self, frame: Mapping[str, Any]) -> bool:
        """Tell whether an update is the one after the last frame applied."""
        return bool(frame["previous_sequence"] == self.sequence)
