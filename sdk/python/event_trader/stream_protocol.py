"""What a client must do on each channel, as state machines that do no I/O.

A shell (`streams`) tells a protocol of each new connection (`opened`) and of each frame
(`receive`), hands the events that come out to the user, and sends what `to_send` gives. Sequences
live here, so a protocol outlives its connections: that is how nothing is lost or seen twice.
"""

from collections.abc import Mapping
from typing import Any

from event_trader.book import LocalBook
from event_trader.errors import StreamCorruptError

Event = dict[str, Any]

CHECKSUM_FAILURES_MAX = 3
"""Snapshots in a row whose book does not have the checksum they came with."""

AHEAD_MAX = 10_000
"""A market this far behind what was seen before has started anew."""


class StreamProtocol:
    """What the channels share; by itself it fits ``price``, ``bbo`` and ``markets``."""

    def __init__(self) -> None:
        self.broken = False
        """The connection is of no use any more: open another one."""
        self._to_send: list[Event] = []

    def opened(self) -> None:
        """A new connection stands."""
        self.broken = False
        self._to_send.clear()

    def receive(self, frame: Event) -> list[Event]:
        """Take a frame; give what the user should see of it."""
        return [] if frame["type"] in ("heartbeat", "error") else [frame]

    def to_send(self) -> list[Event]:
        """Give what must be sent, once."""
        sent, self._to_send = self._to_send, []
        return sent

    def _ask(self, action: str, **fields: Any) -> None:
        self._to_send.append({"action": action, **fields})


class BookProtocol(StreamProtocol):
    """A book channel: every event leaves `book` equal to the server's book.

    Raises:
        StreamCorruptError: (from `receive`) the checksum keeps failing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.book = LocalBook()
        self.mismatches = 0
        """Checksums that did not agree, since the beginning."""
        self._failures = 0
        self._asked = False

    def opened(self) -> None:
        """Wait for the snapshot that begins every connection."""
        super().opened()
        self._asked = True

    def receive(self, frame: Event) -> list[Event]:
        """Apply a snapshot or the next update; ask again after a gap or a wrong checksum."""
        kind = frame["type"]
        if kind == "snapshot":
            self._asked = False
            return self._applied(frame)
        if kind == "update":
            if self.book.follows(frame):
                self._asked = False
                return self._applied(frame)
            if frame["sequence"] > self.book.sequence:
                self._gap()
        elif kind == "heartbeat" and frame["sequence"] > self.book.sequence:
            self._gap()
        return []

    def _gap(self) -> None:
        if not self._asked:
            self._asked = True
            self._ask("resume", since_sequence=max(0, self.book.sequence))

    def _applied(self, frame: Event) -> list[Event]:
        if self.book.apply(frame):
            self._failures = 0
            return [frame]
        self.mismatches += 1
        if frame["type"] == "snapshot":
            self._failures += 1
        if self._failures >= CHECKSUM_FAILURES_MAX:
            raise StreamCorruptError(
                f"{self._failures} snapshots of the book in a row did not have their checksum; "
                "upgrade this client, or report it to the operator of the exchange"
            )
        self.book.sequence = -1
        self._asked = True
        self._ask("snapshot")
        return []


class TradesProtocol(StreamProtocol):
    """The trades channel: every trade once, in order, also across connections.

    Trades that can be found no more are told of by an event of type ``gap``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sequence = -1
        """Number of the last trade seen; -1 before the first frame."""
        self._asked = False

    def opened(self) -> None:
        """Wait for the snapshot that begins every connection."""
        super().opened()
        self._asked = False

    def receive(self, frame: Event) -> list[Event]:
        """Let the next trade through; find those that were missed."""
        if frame["type"] == "snapshot":
            return self._snapshot(frame)
        if frame["type"] != "trade" or frame["sequence"] <= self.sequence:
            return []
        if frame["sequence"] == self.sequence + 1:
            self.sequence += 1
            self._asked = False
            return [frame]
        self._resume()
        return []

    def _resume(self) -> None:
        if not self._asked:
            self._asked = True
            self._ask("resume", since_sequence=max(0, self.sequence))

    def _snapshot(self, frame: Event) -> list[Event]:
        newest = frame["sequence"]
        first, self.sequence = self.sequence == -1, max(self.sequence, 0)
        if first or newest < self.sequence:
            self.sequence = newest
            return [frame]
        missed = newest - self.sequence
        shown = frame["trades"][:missed]
        if len(shown) < missed and not self._asked:
            self._resume()
            return []
        events: list[Event] = []
        if len(shown) < missed:
            events.append({"type": "gap", "missed": missed - len(shown)})
        place = {"symbol": frame["symbol"]}
        for back, trade in reversed(list(enumerate(shown))):
            events.append({"type": "trade", **place, **trade, "sequence": newest - back})
        self.sequence = newest
        self._asked = False
        return events


class PrivateProtocol(StreamProtocol):
    """The private channel: every ``order_update`` and ``fill`` once, in order.

    The position in a market is the record seen last and how many of its frames were seen, because
    a connection may end between two frames of one record. A reconnected client asks for everything
    from that record on; what comes live meanwhile waits until the replay has reached it.
    Events that can be found no more are told of by an event of type ``gap``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reconnected = False
        """The account's balances may have changed unseen: read them, and call `balances_read`."""
        self._seen: dict[str, tuple[int, int]] = {}
        self._skip: dict[str, int] = {}
        self._held: dict[str, list[Event]] = {}
        self._began: dict[str, int] = {}
        self._known = False
        self._balances: dict[tuple[str, str], tuple[str, ...]] = {}

    def opened(self) -> None:
        """Forget what the old connection had under way."""
        super().opened()
        self._held.clear()
        self._began.clear()
        self._skip.clear()

    def receive(self, frame: Event) -> list[Event]:
        """Let each event through once, in order."""
        kind = frame["type"]
        if kind == "connected":
            return self._connected(frame)
        if kind == "resumed":
            return self._resumed(_market(frame), frame["sequence"])
        if kind == "error":
            return self._refused(frame)
        if kind == "balance_update":
            return self._balance(frame)
        if kind in ("order_update", "fill"):
            return self._ordered(frame)
        return [] if kind == "heartbeat" else [frame]

    def balances_read(self, rows: list[Event]) -> list[Event]:
        """Take the balances read after a reconnect; give those that changed unseen."""
        self.reconnected = False
        changed: list[Event] = []
        for row in rows:
            if (row["asset"], row["mode"]) in self._balances:
                changed += self._balance({"type": "balance_update", **row})
        return changed

    def _balance(self, frame: Event) -> list[Event]:
        key = (frame["asset"], frame["mode"])
        now = (frame["available"], frame["locked"], frame["total"])
        if self._balances.get(key) == now:
            return []
        self._balances[key] = now
        return [frame]

    def _connected(self, frame: Event) -> list[Event]:
        standing: dict[str, int] = frame["sequences"]
        gaps: list[Event] = []
        since: dict[str, int] = {}
        for market, newest in standing.items():
            number, frames = self._seen.get(market, (newest, 0))
            if number > newest + AHEAD_MAX:
                number, frames = newest, 0
                gaps.append(_gap(market))
            self._seen[market] = (number, frames)
            if self._known:
                # Part of a record may have been seen, so that record is asked for once more.
                since[market] = number - 1 if frames else number
                self._skip[market] = frames
                self._held[market] = []
                self._began[market] = newest
        if since:
            self._ask("resume", since=since)
        if not self._known:
            self._known = True
            return [frame]
        self.reconnected = True
        return gaps

    def _ordered(self, frame: Event) -> list[Event]:
        market, number = _market(frame), frame["sequence"]
        if market not in self._seen:
            self._seen[market] = (number, 0)
        held = self._held.get(market)
        if held is not None and number > self._began[market]:
            held.append(frame)
            return []
        return self._pass(market, frame)

    def _pass(self, market: str, frame: Event) -> list[Event]:
        """Let a frame through unless it was seen before the connection was lost."""
        number = frame["sequence"]
        last, frames = self._seen[market]
        if number < last:
            return []
        if number == last and self._skip.get(market):
            self._skip[market] -= 1
            return []
        self._seen[market] = (number, frames + 1 if number == last else 1)
        return [frame]

    def _resumed(self, market: str, newest: int) -> list[Event]:
        held = self._held.pop(market, [])
        events = [event for frame in held for event in self._pass(market, frame)]
        number, _ = self._seen.get(market, (0, 0))
        if newest > number:
            self._seen[market] = (newest, 0)
        return events

    def _refused(self, frame: Event) -> list[Event]:
        if "symbol" not in frame:
            self.broken = bool(self._held)
            return []
        market = _market(frame)
        if frame["code"] != "HISTORY_TRIMMED":
            self.broken = True
            return []
        self._skip.pop(market, None)
        self._seen[market] = (self._began.get(market, 0), 0)
        return [_gap(market), *self._resumed(market, 0)]


def _market(frame: Mapping[str, Any]) -> str:
    return f"{frame['symbol']}.{frame['mode']}"


def _gap(market: str) -> Event:
    symbol, _, mode = market.partition(".")
    return {"type": "gap", "symbol": symbol, "mode": mode}
