"""How a pair comes back: the only way it ever starts.

Per market: raise the epoch (which fences the former incarnation), rebuild from the newest snapshot
and the tail, open at every shard, deliver what is still owed, and state what open orders justify.
Replaying is `journal.market_replay`'s; when this runs, and what callers are told meanwhile, is
`pair_runtime`'s.
"""

import gc
import time
from collections.abc import Callable, Sequence
from typing import Final

from actors.engine.ledger_commands import shard_of
from actors.engine.pair_spec import PairSpec
from actors.engine.units import Mode, UserId
from actors.errors import CorruptRecordError, JournalUnavailableError, ShardUnavailableError
from actors.journal.market_replay import MarketRebuild, ReplayedMarket
from actors.journal.recovery import recover
from actors.journal.snapshots import SnapshotStore
from actors.listing import market_name
from actors.market_writer import MarketWriter
from actors.pair_runtime import Recovery
from actors.ports import BlockingAccountPort, Journal, JournalWriter
from actors.shard_link import Patience, ShardLink

RETRY_S: Final = 0.25
"""Pause before a silent store or shard is asked again; both come back by themselves."""


class PairRecovery:
    """Recovers one pair; called by its runtime's writer thread.

    Args:
        spec: the pair.
        shards: the ways to all account shards, by number.
        snapshots: where the markets' snapshots are.
        patience: how long a shard may be silent in one round.
        sleep: waits before trying again.
    """

    def __init__(
        self,
        spec: PairSpec,
        shards: Sequence[BlockingAccountPort],
        snapshots: SnapshotStore,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spec = spec
        self._shards = shards
        self._snapshots = snapshots
        self._patience = patience or Patience()
        self._sleep = sleep

    def __call__(self, journal: Journal) -> Recovery:
        """Make both markets ready to trade, however long store and shards take to answer.

        Raises:
            CorruptRecordError, TrimmedError, ReplayMismatchError: a journal cannot be replayed; a
                person has to look.
            FencedError: a newer incarnation is there already.
        """
        while True:
            try:
                recovered = [self._recover(journal, mode) for mode in Mode]
            except (JournalUnavailableError, ShardUnavailableError):
                self._sleep(RETRY_S)
            else:
                break
        gc.collect()
        gc.freeze()  # what was rebuilt stays: the collector need not walk it again
        last_ns = max(replayed.time_ns for _, replayed in recovered)
        return Recovery([market for market, _ in recovered], last_ns)

    def _recover(self, journal: Journal, mode: Mode) -> tuple[MarketWriter, ReplayedMarket]:
        stream = market_name(self._spec.symbol, mode)
        writer = journal.acquire(stream)
        rebuild = MarketRebuild(stream, self._spec, mode, len(self._shards))
        found = recover(stream, journal.reader(stream), self._snapshots, rebuild)
        if found.number != writer.head.number:
            detail = f"replayed to {found.number}, but the stream stands at {writer.head.number}"
            raise CorruptRecordError(stream, found.number + 1, detail)
        found.state.engine.validate()
        links = self._open(stream, writer, found.state)
        return MarketWriter(found.state.engine, writer, links), found.state

    def _open(
        self, stream: str, writer: JournalWriter, replayed: ReplayedMarket
    ) -> list[ShardLink]:
        """Introduce this incarnation to every shard, and settle and reconcile with each."""
        links = [
            ShardLink(stream, number, port, self._patience)
            for number, port in enumerate(self._shards)
        ]
        holds: list[list[tuple[UserId, int, int]]] = [[] for _ in links]
        for (user, side), total_raw in replayed.engine.open_holds().items():
            holds[shard_of(user, len(links))].append((user, side, total_raw))
        for link in links:
            link.open(writer.epoch, self._spec.base.symbol, self._spec.quote.symbol)
            link.resume(replayed.heads[link.shard], list(replayed.outstanding[link.shard]))
            link.reconcile(holds[link.shard])
        return links
