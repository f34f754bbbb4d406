"""Keeps every stream's snapshots young, and its journal short; for the supervisor's one thread.

Each snapshot is a verified replay of what was written (`journal.recovery.SnapshotFollower`), made
beside the owner, who never stops for it. A market's stream is trimmed behind its snapshots and
behind the history writer; what account shards have not confirmed travels in the snapshot itself.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog

from actors.account_recovery import LedgerReplay, ShardName
from actors.engine.units import Mode
from actors.errors import CorruptRecordError, ReplayMismatchError, TrimmedError
from actors.journal.history import positions
from actors.journal.market_replay import MarketRebuild
from actors.journal.recovery import Policy, SnapshotFollower, trim_behind
from actors.journal.redis import RedisJournal, connect
from actors.journal.snapshots import RedisSnapshots
from actors.listing import Listing, market_name, shard_stream

_LOG = structlog.get_logger("tandem.snapshots")


class SnapshotKeeper:
    """Follows all streams of an exchange.

    Args:
        redis_url: the store.
        listing: names the streams.
        due: a stream gets a snapshot after so many records, or so many seconds if anything was
            written in them.
        now_s: a clock that never runs back.
    """

    def __init__(
        self,
        redis_url: str,
        listing: Listing,
        due: tuple[int, float],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = redis_url
        self._snapshots = RedisSnapshots(redis_url)
        journal = RedisJournal(redis_url)
        records, self._every_s = due
        policy = Policy(records=records)
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
            SnapshotFollower(stream, journal.reader(stream), self._snapshots, rebuild, policy)
            for stream, rebuild in rebuilds.items()
        ]
        self._markets = set(listing.markets())
        self._now_s = now_s
        self._stored_s = {follower.stream: now_s() for follower in self._followers}
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
        old = self._now_s() - self._stored_s[stream] >= self._every_s
        done = follower.follow(force=old and follower.grown())
        if old or done.stored:
            self._stored_s[stream] = self._now_s()
        if done.stored:
            _LOG.info("snapshot_stored", stream=stream, number=done.stored)
        if done.trim_before > self._trimmed[stream]:
            self._trimmed[stream] = self._trim(stream, done.trim_before)

    def _trim(self, stream: str, before: int) -> int:
        readers: list[int] = []
        if stream in self._markets:
            with connect(self._url) as client:
                readers = [positions(client).get(stream, 0)]
        return trim_behind(self._snapshots, stream, before, readers)
