"""What the streams have told, and how much of it each caller has seen.

ccxt wakes whoever waits at the moment when something comes, and forgets it. A bot waits only
between two pieces of its own work, though, and often in several tasks. So what came is kept here
until each caller has had it: a fill is never lost to a slow moment, a busy market does not hide a
quiet one, and who asks first for a market that stands still gets it as it is.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

KEPT_MAX = 1_000
"""Trades and orders kept for callers that have not seen them yet, per name."""

Caller = tuple[str, ...]
"""Who asks: the method, and the names it waits for. Tasks that ask for the same share a place."""


class Told(NamedTuple):
    """One piece of news: the newest state of something."""

    name: str
    number: int
    """Counts all news of all names, so that it says which came first."""
    value: Any
    source: Any
    """The connection it came on."""


class News:
    """The newest of every name, and each caller's place in it."""

    def __init__(self) -> None:
        self._count = 0
        self._newest: dict[str, Told] = {}
        self._rows: dict[str, deque[tuple[int, Any]]] = {}
        self._seen: dict[Caller, dict[str, int]] = {}

    def add(self, name: str, value: Any, source: Any, rows: Iterable[Any] = ()) -> Told:
        """Keep a piece of news; ``rows`` are the trades or orders that it adds."""
        self._count += 1
        told = self._newest[name] = Told(name, self._count, value, source)
        for row in rows:
            self._rows.setdefault(name, deque(maxlen=KEPT_MAX)).append((self._count, row))
        return told

    def unseen(self, caller: Caller, sources: dict[str, Any]) -> Told | None:
        """Find the oldest piece of news that a caller has not seen.

        Args:
            caller: who asks.
            sources: its names, each with the connection that serves it now or None. News from an
                older connection is none to a caller that asks for the first time.
        """
        seen = self._seen.setdefault(caller, {})
        found: list[Told] = []
        for name, source in sources.items():
            told = self._newest.get(name)
            if name not in seen:
                seen[name] = 0 if told is None or told.source is source else told.number
            if told is not None and told.number > seen[name]:
                found.append(told)
        return min(found, key=lambda told: told.number, default=None)

    def take(self, caller: Caller, told: Told) -> list[Any]:
        """Note that a caller has seen this; give the rows that are new to it, oldest first."""
        seen = self._seen.setdefault(caller, {})
        before = seen.get(told.name, 0)
        seen[told.name] = max(before, told.number)
        kept = self._rows.get(told.name, ())
        return [row for number, row in kept if before < number <= told.number]

    def forget(self, names: Sequence[str]) -> None:
        """Drop names, and every caller's place in them."""
        for name in names:
            self._newest.pop(name, None)
            self._rows.pop(name, None)
            for seen in self._seen.values():
                seen.pop(name, None)
