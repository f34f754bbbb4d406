"""Where a follower of the journal stands: what it has, what is new, and what to ask for next.

Every append rings a bell, a message on a channel that has the name of the stream's key
(`redis.RedisJournal`). It says nothing but that there is news; what the news is, is read from the
stream. So a follower of many streams asks for those that changed, and a bell that was lost costs
time (`SWEEP_S`), never a record.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from actors.errors import JournalError
from actors.journal.record import Chain, begin
from actors.journal.redis import key, unpack_entries

SWEEP_S: Final = 1.0
"""How often all streams are read, whether a bell rang or not; also how soon a dead server shows."""
RECORDS_MAX: Final = 64
"""Records per stream and read: 64 full ones are about 6 MB."""

Batch = list[tuple[str, int, bytes]]
"""(stream, number, body), each stream's in order."""
Entries = list[tuple[bytes, dict[bytes, bytes]]]


class Cursor:
    """Where a tail stands in each of its streams, and the chains it verifies with. Does no I/O."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._swept_s = now_s()
        self._after: dict[str, int] = {}
        self._chains: dict[str, Chain] = {}
        self._streams: dict[bytes, str] = {}
        self._news: dict[str, None] = {}
        self._heard: set[bytes] = set()
        self._moved = True
        self._errors: list[JournalError] = []

    def add(self, stream: str, after: int) -> None:
        """Follow ``stream`` from behind record ``after``."""
        self._after[stream] = after
        self._chains.pop(stream, None)
        self._streams[channel(stream)] = stream
        self._news[stream] = None
        self._moved = True

    def drop(self, stream: str) -> None:
        """Follow ``stream`` no longer."""
        self._after.pop(stream, None)
        self._chains.pop(stream, None)
        self._news.pop(stream, None)
        self._streams.pop(channel(stream), None)
        self._moved = True

    def positions(self) -> dict[str, int]:
        """Per stream the number of the last record given out."""
        return dict(self._after)

    # Bells

    def connected(self) -> None:
        """Begin a connection that hears no bell yet; whatever rang before may have been missed."""
        self._heard.clear()
        self._moved = True
        self.sweep()

    def subscriptions(self) -> tuple[list[bytes], list[bytes]]:
        """Name the channels to subscribe to, and to unsubscribe from; each is named once."""
        if not self._moved:
            return [], []
        self._moved = False
        begun = [name for name in self._streams if name not in self._heard]
        ended = [name for name in self._heard if name not in self._streams]
        self._heard = set(self._streams)
        return begun, ended

    def ring(self, name: bytes) -> None:
        """Take note of a bell, or of a subscription's beginning, before which any may have rung."""
        stream = self._streams.get(name)
        if stream is not None:
            self._news[stream] = None

    def sweep(self) -> None:
        """Take every stream for one that has news."""
        self._swept_s = self._now_s()
        self._news = dict.fromkeys(self._after)

    def sweep_if_due(self) -> float:
        """Sweep where the last one was `SWEEP_S` ago; returns the seconds to the next."""
        left_s = self._swept_s + SWEEP_S - self._now_s()
        if left_s <= 0:
            self.sweep()
            return SWEEP_S
        return left_s

    # Reading

    @property
    def pending(self) -> bool:
        """Whether `wanted` has something to name, or to raise."""
        return bool(self._news or self._errors)

    def wanted(self) -> dict[str, str]:
        """Name what the next read asks for: keys, and the entry ids behind which to read.

        Before the first record of a stream is known, the one before it is asked for too: its seal
        ties what follows to what the follower already has.

        Raises:
            CorruptRecordError: in the last answer a record was torn, changed or missing.
            TrimmedError: in the last answer a stream began later than the follower needs.
        """
        if self._errors:
            raise self._errors.pop(0)
        news, self._news = self._news, {}
        wanted = {}
        for stream in news:
            after = self._after[stream]
            first = after if stream in self._chains else max(0, after - 1)
            wanted[key(stream, "journal")] = f"{first}-0"
        return wanted

    def take(self, answer: Iterable[tuple[bytes, Entries]]) -> Batch:
        """Verify a read's answer, and give out what is new; `wanted` raises what was wrong."""
        batch: Batch = []
        for name, entries in answer:
            stream = self._streams.get(name)
            if stream is None or not entries:
                continue  # dropped while the read was under way
            if len(entries) >= RECORDS_MAX:
                self._news[stream] = None
            try:
                self._take_stream(stream, entries, batch)
            except JournalError as error:
                self.drop(stream)
                self._errors.append(error)
        return batch

    def _take_stream(self, stream: str, entries: Entries, batch: Batch) -> None:
        frames = unpack_entries(stream, entries)
        chain = self._chains.get(stream)
        if chain is None:
            chain, frames = begin(stream, self._after[stream], None, frames)
            self._chains[stream] = chain
        for number, data in frames:
            batch.append((stream, number, chain.accept(number, data).body))
            self._after[stream] = number


def channel(stream: str) -> bytes:
    """Name the channel on which a stream's bell rings."""
    return key(stream, "journal").encode()
