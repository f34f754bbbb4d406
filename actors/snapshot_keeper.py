"""Keeps every stream's snapshots young, and its journal short; for the supervisor's one thread.

Each snapshot is a verified replay of what was written (`journal.recovery.SnapshotFollower`), made
beside the owner, who never stops for it. A market's stream is trimmed behind its snapshots and
behind the history writer; what account shards have not confirmed travels in the snapshot itself.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog

from actors.account_recovery import LedgerReplay, ShardName
from actors.engine.units import Mode
from actors.errors import CorruptRecordError, ReplayMismatchError, TrimmedError
from actors.journal.market_replay import MarketRebuild
from actors.journal.recovery import Policy, SnapshotFollower, trim_behind
from actors.journal.snapshots import SnapshotStore
from actors.listing import Listing, market_name, shard_stream
from actors.ports import Journal

_LOG = structlog.get_logger("tandem.snapshots")


class Due(NamedTuple):
    """When a stream gets a snapshot: whichever comes first."""

    records: int
    every_s: float
    """Only if anything was written since the last one."""
    now_s: Callable[[], float] = time.monotonic


class SnapshotKeeper:
    """Follows all streams of an exchange.

    Args:
        journal: the store's streams.
        snapshots: the store's snapshots.
        listing: names the streams.
        due: how young snapshots are kept.
        history_at: the last record of a market that is in the history; what lies behind may go.
    """

    def __init__(
        self,
        journal: Journal,
        snapshots: SnapshotStore,
        listing: Listing,
        due: Due,
        history_at: Callable[[str], int],
    ) -> None:
        self._snapshots = snapshots
        self._history_at = history_at
        self._due = due
        policy = Policy(records=due.records)
        shards = listing.shards
        rebuilds: dict[str, Any] = {
            market_name(spec.symbol, mode): MarketRebuild(
                market_name(spec.symbol, mode), spec, mode, shards
            )
            for spec in listing.pairs
            for mode in Mode
        }
        rebuilds |= {shard_stream(n): LedgerReplay(ShardName(n, shards)) for n in range(shards)}
        self._followers = [
            SnapshotFollower(stream, journal.reader(stream), snapshots, rebuild, policy)
            for stream, rebuild in rebuilds.items()
        ]
        self._markets = set(listing.markets())
        self._stored_s = {follower.stream: due.now_s() for follower in self._followers}
        self._trimmed = dict.fromkeys(self._stored_s, 0)
        self.broken: dict[str, str] = {}
        """Streams that cannot be replayed, and why: they get no snapshot, and are never trimmed."""

    def keep(self, stopping: Callable[[], bool]) -> None:
        """Look at every stream once: snapshot where one is due, trim where it may be.

        Raises:
            JournalUnavailableError: the store did not answer.
        """
        for follower in self._followers:
            if stopping():
                return
            if follower.stream in self.broken:
                continue
            try:
                self._follow(follower)
            except (CorruptRecordError, ReplayMismatchError, TrimmedError) as error:
                # Nothing of a stream that cannot be replayed is ever given up.
                _LOG.error("stream_broken", stream=follower.stream, detail=str(error))
                self.broken[follower.stream] = str(error)

    def _follow(self, follower: SnapshotFollower[Any]) -> None:
        stream = follower.stream
        old = self._due.now_s() - self._stored_s[stream] >= self._due.every_s
        done = follower.follow(force=old and follower.grown())
        if old or done.stored:
            self._stored_s[stream] = self._due.now_s()
        if done.stored:
            _LOG.info("snapshot_stored", stream=stream, number=done.stored)
        if done.trim_before > self._trimmed[stream]:
            self._trimmed[stream] = self._trim(stream, done.trim_before)

    def _trim(self, stream: str, before: int) -> int:
        readers = [self._history_at(stream)] if stream in self._markets else []
        return trim_behind(self._snapshots, stream, before, readers)
