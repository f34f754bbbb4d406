"""A long market journal replayed again and again: the same state and the same events each time.

The journal is written as a pair writes it (`MarketWriter` over real frames, holds asked of real
ledgers); the snapshots are made as the supervisor makes them, by a follower behind the pair.
"""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random

import msgspec
import pytest

from actors.engine.commands import (
    AmendOrder,
    AnyCommand,
    CancelOrder,
    ClockTick,
    PlaceOrder,
    PoolUpdated,
    SetMarketStatus,
    TwapSlice,
)
from actors.engine.events import AnyEvent
from actors.engine.ledger_commands import shard_of
from actors.engine.market_api import AnyReply, RefusedReply
from actors.engine.pair_engine import PairEngine
from actors.engine.pools.state import PoolStatus
from actors.engine.units import NS_PER_S, MarketStatus, Mode
from actors.journal.market_replay import MarketRebuild, ReplayedMarket
from actors.journal.memory import MemoryJournal
from actors.journal.recovery import Recovered, SnapshotFollower, recover
from actors.journal.snapshots import MemorySnapshots, Snapshot
from actors.market_writer import MarketWriter
from actors.shard_link import Patience, ShardLink
from tests.markets import POOLS, START_NS, USERS, Market, make_spec, pool_at, random_command
from tests.unit.actors.pairs import SHARDS, Bench

STREAM = "vaix.paper"
COMMANDS = 200_000 if os.environ.get("TANDEM_LONG") else 20_000
BATCH_MAX = 24
SNAPSHOTS = 10
REPLAYS = 3
FUNDS = {"VAIX": 10**11, "USDC": 10**11}


class Pair:
    """Plays the pair's writer thread: rounds of random commands, each one record."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.bench = Bench()
        for user in USERS:
            self.bench.grant(user, **FUNDS)
        self.spec = make_spec()
        self.market = Market(PairEngine(self.spec, Mode.PAPER, SHARDS))
        journal = self.bench.journal.acquire(STREAM)
        links = [ShardLink(STREAM, n, port, Patience()) for n, port in enumerate(self.bench.shards)]
        for link in links:
            link.open(journal.epoch, self.spec.base.symbol, self.spec.quote.symbol)
            link.resume(0, [])
            link.reconcile([])
        self.writer = MarketWriter(self.market.engine, journal, links)
        self.kinds: Counter[str] = Counter()
        self.refused = 0
        self.commands = 0
        self._now_ns = START_NS

    def round(self) -> None:
        """Run one batch as a pair does: hold, apply, write, deliver."""
        draw = self.random
        self._now_ns += draw.choice([1, 1, 1_000_000, NS_PER_S])
        asked = [self._command() for _ in range(draw.randint(1, BATCH_MAX))]
        commands = [*self.market.engine.due(self._now_ns), *asked]
        turn = self.writer.plan(commands, self._now_ns)
        self.writer.ask(turn)
        self.writer.collect(turn)
        self.writer.apply(turn, self._now_ns)
        if turn.body is not None:
            self.writer.journal.append([turn.body])
        self.writer.deliver(idle=draw.random() < 0.3)
        self.kinds.update(map(_kind, commands))
        self.refused += sum(isinstance(reply, RefusedReply) for reply in turn.replies)
        self.commands += len(commands)

    def _command(self) -> AnyCommand:
        """Draw what tests of the engine draw, and what only feeds and operators send."""
        roll = self.random.random()
        if roll < 0.001:
            return SetMarketStatus(self.market.next_id(), MarketStatus.HALTED)
        if roll < 0.02:
            return SetMarketStatus(self.market.next_id(), MarketStatus.TRADING)
        if roll < 0.03:
            pool = pool_at(self.random.choice(POOLS), 100, 3_000)
            status = self.random.choice([PoolStatus.STALE, PoolStatus.DOWN])
            lost = msgspec.structs.replace(pool, status=status, detail="silent for 30 s")
            return PoolUpdated(self.market.next_id(), lost)
        if roll < 0.035:
            return ClockTick(self.market.next_id())
        return random_command(self.random, self.market)


class EventHashes:
    """Hashes the events each record makes, as an engine makes them now."""

    def __init__(self) -> None:
        self.by_record: dict[int, bytes] = {}
        self.events = 0
        self._encoder = msgspec.msgpack.Encoder()

    def watch(self, engine: PairEngine) -> PairEngine:
        """Listen to an engine."""
        begin, apply_all = engine.begin, engine.apply_all
        sequence = 0

        def begun(time_ns: int, number: int) -> None:
            nonlocal sequence
            sequence = number
            begin(time_ns, number)

        def heard(
            commands: Iterable[AnyCommand],
            held: Iterable[int],
            replies: list[AnyReply] | None = None,
        ) -> list[list[AnyEvent]]:
            made = apply_all(commands, held, replies)
            for events in made:
                if events:  # a command that does nothing, such as a tick, need not be recorded
                    told = self.by_record.get(sequence, b"") + self._encoder.encode(events)
                    self.by_record[sequence] = hashlib.sha256(told).digest()
                    self.events += len(events)
            return made

        engine.begin = begun  # type: ignore[method-assign]
        engine.apply_all = heard  # type: ignore[method-assign]
        return engine

    def after(self, number: int) -> str:
        """Give one hash over all records behind ``number``."""
        whole = hashlib.sha256()
        for at in sorted(self.by_record):
            if at > number:
                whole.update(at.to_bytes(8) + self.by_record[at])
        return whole.hexdigest()


class HeardRebuild(MarketRebuild):
    """A rebuild whose engines are listened to."""

    def __init__(self, pair: Pair) -> None:
        super().__init__(STREAM, pair.spec, Mode.PAPER, SHARDS)
        self.heard = EventHashes()

    def empty(self) -> ReplayedMarket:
        """Begin before the first record."""
        return self._listen(super().empty())

    def restore(self, snapshot: Snapshot) -> ReplayedMarket:
        """Begin at a snapshot."""
        return self._listen(super().restore(snapshot))

    def _listen(self, market: ReplayedMarket) -> ReplayedMarket:
        self.heard.watch(market.engine)
        return market


def _kind(command: AnyCommand) -> str:
    if isinstance(command, PlaceOrder):
        iceberg = "iceberg " if command.display_lots else ""
        timed = "timed " if command.time_in_force_ms else ""
        return f"{timed}{iceberg}{command.order_type.name.lower()}"
    return type(command).__name__


def _write(pair: Pair) -> Iterator[Snapshot]:
    """Run the pair to `COMMANDS`; yield snapshots taken at random records on the way."""
    snapshots = MemorySnapshots(pair.bench.journal)
    rebuild = MarketRebuild(STREAM, pair.spec, Mode.PAPER, SHARDS)
    follower = SnapshotFollower(STREAM, pair.bench.journal.reader(STREAM), snapshots, rebuild)
    due = sorted(pair.random.randrange(1, COMMANDS) for _ in range(SNAPSHOTS))
    while pair.commands < COMMANDS:
        pair.round()
        if due and pair.commands >= due[0]:
            due = [at for at in due if at > pair.commands]
            follower.follow(force=True)
            yield next(snapshots.load(STREAM))
    pair.writer.settle()


def _replay(
    journal: MemoryJournal, pair: Pair, snapshot: Snapshot | None
) -> tuple[Recovered[ReplayedMarket], EventHashes]:
    """Recover as a pair does, from one snapshot or from empty."""
    kept = MemorySnapshots(journal)
    if snapshot is not None:
        kept.store(snapshot)
    rebuild = HeardRebuild(pair)
    found = recover(STREAM, journal.reader(STREAM), kept, rebuild)
    found.state.engine.validate()
    assert found.snapshot_number == (snapshot.number if snapshot else 0)
    return found, rebuild.heard


@pytest.mark.timeout(3_600)
def test_journal_replayed_from_anywhere_gives_one_state_and_one_event_stream() -> None:
    """Three replays from empty and one from each of ten snapshots end in the pair's own hashes."""
    seed = int(os.environ.get("TANDEM_SEED", "20260201"))
    pair = Pair(seed)
    heard = EventHashes()
    heard.watch(pair.market.engine)
    began = time.monotonic()
    snapshots = list(_write(pair))
    wrote_s = time.monotonic() - began
    journal, engine = pair.bench.journal, pair.market.engine
    engine.validate()
    pair.bench.validate()
    state_hash, head = engine.state_hash(), journal.stream(STREAM).head.number
    assert len(heard.by_record) > head // 2, "the listener missed the records it was to hear"
    began = time.monotonic()
    for snapshot in [None] * REPLAYS + snapshots:
        start = snapshot.number if snapshot else 0
        note = f"seed {seed}, from record {start} of {head}"
        found, again = _replay(journal, pair, snapshot)
        assert found.number == head, note
        assert found.replayed == head - start, note
        assert found.state.engine.state_hash() == state_hash, note
        assert again.after(0) == heard.after(start), note
        assert found.state.heads == pair.writer.settlement_heads, note
    replayed_s = time.monotonic() - began
    held = _held(pair)
    assert held == {key: raw for key, raw in engine.open_holds().items() if raw}
    print(
        f"\nseed {seed}: {pair.commands:,} commands ({pair.refused:,} refused) in {head:,} records "
        f"made {heard.events:,} events in {wrote_s:.1f} s; {REPLAYS} replays from empty and "
        f"{len(snapshots)} from snapshots at {[s.number for s in snapshots]} took "
        f"{replayed_s:.1f} s: state {state_hash[:16]}, events {heard.after(0)[:16]} each time"
    )
    print(", ".join(f"{count:,} {kind}" for kind, count in sorted(pair.kinds.items())))
    assert len(snapshots) >= SNAPSHOTS - 2
    assert min(pair.kinds[k] for k in ("ioc", "fok", "post_only", "stop_limit", "market")) > 0
    assert min(pair.kinds[k.__name__] for k in (TwapSlice, AmendOrder, CancelOrder)) > 0


def _held(pair: Pair) -> dict[tuple[str, int], int]:
    """Read from the ledgers what they hold for the market, per user and side."""
    held = {}
    for user in USERS:
        ledger = pair.bench.shards[shard_of(user, SHARDS)].ledger
        position = ledger.markets[STREAM].positions.get(user)
        for side, raw in enumerate((position.held_buy, position.held_sell) if position else ()):
            if raw:
                held[user, side] = raw
    return held
