"""Whose settlements may still be on their way to the balances, as one process has been told.

A trade is answered once it is in the market's journal; its money reaches the account shard a few
milliseconds later. An order of the same user in the same market always comes behind it. One in
another market could overtake it and find the funds not there yet. So it names what its user has
been shown of other markets (`Request.after`), and only where funds are short is that waited for.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from actors.engine.ledger_commands import Settlement
from actors.engine.units import UserId

KEPT_S: Final = 1.0
"""How long a settlement is remembered, and at most twice that: it takes a few milliseconds."""


class Unsettled:
    """The newest settlements of each user, per market; belongs to one asyncio loop."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._newer: dict[UserId, dict[str, int]] = {}
        self._older: dict[UserId, dict[str, int]] = {}
        self._turned_s = now_s()

    def note(self, user: UserId, market: str, number: int) -> None:
        """Note that a market issued settlement ``number`` to this user's shard."""
        self._turn()
        mine = self._newer.setdefault(user, {})
        mine[market] = max(number, mine.get(market, 0))

    def note_record(self, market: str, settlements: Iterable[tuple[int, Settlement]]) -> None:
        """Note what one record of a market issued, as it tells it: shard and settlement."""
        for _, settlement in settlements:
            for user in {posting.user for posting in settlement.postings}:
                self.note(user, market, settlement.number)

    def elsewhere(self, user: UserId, market: str) -> dict[str, int]:
        """Name the user's newest settlements of all markets but this one."""
        self._turn()
        found = {**self._older.get(user, {}), **self._newer.get(user, {})}
        found.pop(market, None)
        return found

    def _turn(self) -> None:
        """Forget what is old, a generation at a time."""
        now_s = self._now_s()
        if now_s < self._turned_s + KEPT_S:
            return
        long_ago = now_s >= self._turned_s + 2 * KEPT_S
        self._older = {} if long_ago else self._newer
        self._newer = {}
        self._turned_s = now_s
