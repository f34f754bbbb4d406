"""The snapshot keeper: young snapshots, short journals, nothing given up that is still needed."""

import msgspec

from actors.engine.commands import PlaceOrder
from actors.engine.units import Mode, OrderType, Side, UserId
from actors.journal.market_replay import MarketRebuild
from actors.journal.recovery import recover
from actors.listing import Listing
from actors.snapshot_keeper import Due, SnapshotKeeper
from tests.unit.actors.pairs import SHARDS, SPEC, Bench, batch

STREAM = "vaix.paper"


class Kept:
    """A pair over a memory store, and the keeper beside it."""

    def __init__(self, records: int = 5, every_s: float = 100.0) -> None:
        self.bench = Bench()
        self.bench.grant("alice", USDC=10**12)
        self.now_s = 0.0
        self.history = 10**9
        self.pair = self.bench.boot()
        listing = Listing((SPEC,), SHARDS)
        due = Due(records, every_s, lambda: self.now_s)
        self.keeper = SnapshotKeeper(
            self.bench.journal, self.bench.snapshots, listing, due, lambda _: self.history
        )
        self._count = 0

    def write(self, records: int) -> None:
        """Write records, one order each."""
        for _ in range(records):
            self._count += 1
            self.bench.now_ns += 1_000_000
            order = PlaceOrder(
                command_id=f"c{self._count}",
                user=UserId("alice"),
                side=Side.BUY,
                order_type=OrderType.LIMIT,
                size_lots=1,
                price_ticks=100,
            )
            self.pair.submit(batch(order))

    def keep(self) -> list[int]:
        """Let the keeper look once; gives the market's snapshots."""
        self.keeper.keep(lambda: False)
        return self.bench.snapshots.numbers(STREAM)

    def first(self) -> int:
        """Say where the journal begins."""
        return min(self.bench.journal.stream(STREAM).entries)


def test_keeper_stores_when_enough_records_were_written() -> None:
    """Not before, and not again without new ones."""
    kept = Kept(records=5)
    kept.write(4)
    assert kept.keep() == []
    kept.write(1)
    assert kept.keep() == [5]
    assert kept.keep() == [5]
    kept.pair.stop()


def test_keeper_stores_by_time_only_what_has_grown() -> None:
    """A quiet market gets no second snapshot; a slow one gets one in time."""
    kept = Kept(records=1_000, every_s=60)
    kept.write(1)
    assert kept.keep() == []
    kept.now_s = 60
    assert kept.keep() == [1]
    kept.now_s = 180
    assert kept.keep() == [1]
    kept.write(1)
    kept.now_s = 200
    assert kept.keep() == [1]
    kept.now_s = 241
    assert kept.keep() == [2, 1]
    kept.pair.stop()


def test_keeper_trims_behind_the_older_snapshot_and_the_history() -> None:
    """What the history has not read stays, and goes once it has, without another snapshot."""
    kept = Kept(records=5)
    kept.history = 2
    kept.write(5)
    kept.keep()
    assert kept.first() == 1
    kept.write(5)
    assert kept.keep() == [10, 5]
    assert kept.first() == 2
    kept.history = 10
    kept.keep()
    assert kept.first() == 5
    kept.pair.stop()


def test_pair_recovers_from_the_snapshot_with_its_time() -> None:
    """Time does not run back behind the snapshot, though no record after it tells the time."""
    kept = Kept(records=5)
    kept.write(5)
    kept.keep()
    kept.pair.stop()
    rebuild = MarketRebuild(STREAM, SPEC, Mode.PAPER, SHARDS)
    reader = kept.bench.journal.reader(STREAM)
    found = recover(STREAM, reader, kept.bench.snapshots, rebuild)
    assert (found.snapshot_number, found.replayed) == (5, 0)
    assert found.state.time_ns == kept.bench.now_ns
    again = kept.bench.boot()
    assert again._now_ns == kept.bench.now_ns
    again.stop()


def test_keeper_of_a_stream_that_cannot_be_replayed_tells_and_leaves_it() -> None:
    """The others are kept on; the broken one is neither stored nor trimmed."""
    kept = Kept(records=5)
    kept.write(5)
    writer = kept.bench.journal.acquire(STREAM)
    writer.append([msgspec.msgpack.encode("not a record")])
    assert kept.keep() == []
    assert "not a market's" in kept.keeper.broken[STREAM]
    assert kept.first() == 1
    assert kept.keep() == []
