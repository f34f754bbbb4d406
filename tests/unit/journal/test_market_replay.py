"""A market replayed from its journal is the market that wrote it, or the replay says where not."""

import msgspec
import pytest

from actors.engine.units import Mode
from actors.errors import CorruptRecordError, ReplayMismatchError
from actors.journal.market_record import MarketRecord
from actors.journal.market_replay import MarketRebuild, replay_market
from actors.journal.memory import MemoryJournal
from actors.journal.recovery import Policy, SnapshotFollower, recover, trim_behind
from actors.journal.snapshots import MemorySnapshots
from tests.unit.journal.market_flow import SHARDS, SPEC, STREAM, Market

REBUILD = MarketRebuild(STREAM, SPEC, Mode.PAPER, SHARDS)


def test_replay_from_empty_gives_the_same_state_and_debts() -> None:
    """State hash, settlement numbers and what is outstanding come out as they were."""
    market = Market(seed=1)
    records = [(n, market.record()) for n in range(1, 101)]
    replayed = replay_market(REBUILD, None, records)
    assert replayed.number == 100
    assert replayed.engine.state_hash() == market.engine.state_hash()
    assert replayed.heads == market.heads
    last = msgspec.msgpack.decode(records[-1][1], type=MarketRecord)
    for shard, waiting in enumerate(replayed.outstanding):
        numbers = [settlement.number for settlement in waiting]
        expected = range(last.settlement_acks[shard] + 1, market.heads[shard] + 1)
        assert numbers == list(expected)


def test_replay_until_a_record_stops_there() -> None:
    """An auditor sees the market as it was at any record."""
    market = Market(seed=2)
    records = [(n, market.record()) for n in range(1, 31)]
    hash_at_30 = market.engine.state_hash()
    records += [(n, market.record()) for n in range(31, 41)]
    replayed = replay_market(REBUILD, None, records, until=30)
    assert (replayed.number, replayed.engine.state_hash()) == (30, hash_at_30)


@pytest.mark.parametrize("stop", [1, 17, 64, 99])
def test_recover_from_any_snapshot_gives_the_same_state(stop: int) -> None:
    """Snapshot and tail lead where the whole journal leads, debts included."""
    journal = MemoryJournal()
    snapshots = MemorySnapshots(journal)
    writer, market = journal.acquire(STREAM), Market(seed=3)
    follower = SnapshotFollower(STREAM, journal.reader(STREAM), snapshots, REBUILD)
    writer.append([market.record() for _ in range(stop)])
    assert follower.follow(force=True).stored == stop
    writer.append([market.record() for _ in range(120 - stop)])
    found = recover(STREAM, journal.reader(STREAM), snapshots, REBUILD)
    whole = recover(STREAM, journal.reader(STREAM), MemorySnapshots(journal), REBUILD)
    assert (found.number, found.snapshot_number, found.replayed) == (120, stop, 120 - stop)
    assert (whole.number, whole.snapshot_number, whole.replayed) == (120, 0, 120)
    assert found.state.engine.state_hash() == market.engine.state_hash()
    assert whole.state.engine.state_hash() == market.engine.state_hash()
    assert found.state.outstanding == whole.state.outstanding
    assert found.state.heads == market.heads


def test_recover_with_a_broken_snapshot_takes_the_older_one() -> None:
    """A snapshot whose state hash does not come out is passed over, not believed."""
    journal = MemoryJournal()
    snapshots = MemorySnapshots(journal)
    writer, market = journal.acquire(STREAM), Market(seed=4)
    follower = SnapshotFollower(STREAM, journal.reader(STREAM), snapshots, REBUILD)
    for _ in range(2):
        writer.append([market.record() for _ in range(20)])
        follower.follow(force=True)
    broken = msgspec.structs.replace(snapshots.kept[STREAM][40], state_hash="0" * 64)
    snapshots.kept[STREAM][40] = broken
    found = recover(STREAM, journal.reader(STREAM), snapshots, REBUILD)
    assert (found.snapshot_number, found.number) == (20, 40)
    assert found.state.engine.state_hash() == market.engine.state_hash()


def test_recover_with_less_journal_than_snapshot_refuses() -> None:
    """A journal that ends before the snapshot has lost acknowledged records."""
    journal = MemoryJournal()
    snapshots = MemorySnapshots(journal)
    writer, market = journal.acquire(STREAM), Market(seed=5)
    writer.append([market.record() for _ in range(5)])
    SnapshotFollower(STREAM, journal.reader(STREAM), snapshots, REBUILD).follow(force=True)
    emptied = MemoryJournal()
    with pytest.raises(CorruptRecordError, match="snapshot stands at 5"):
        recover(STREAM, emptied.reader(STREAM), snapshots, REBUILD)


def test_follower_with_little_news_stores_nothing() -> None:
    """A snapshot is made by record count or bytes, whichever comes first."""
    journal = MemoryJournal()
    snapshots = MemorySnapshots(journal)
    writer, market = journal.acquire(STREAM), Market(seed=6)
    reader = journal.reader(STREAM)
    by_count = SnapshotFollower(STREAM, reader, snapshots, REBUILD, Policy(10, 1 << 40))
    by_bytes = SnapshotFollower(STREAM, reader, snapshots, REBUILD, Policy(1_000, 4_000))
    assert not by_count.due()
    writer.append([market.record()])
    assert not by_count.due()
    assert not by_bytes.due()
    writer.append([market.record() for _ in range(9)])
    assert by_count.due()
    assert by_bytes.due()
    assert by_count.follow().stored == 10
    assert not by_bytes.due()


def test_trim_behind_the_older_snapshot_and_every_reader_still_recovers() -> None:
    """What is trimmed is needed by nobody: neither snapshot, nor the slowest reader."""
    journal = MemoryJournal()
    snapshots = MemorySnapshots(journal)
    writer, market = journal.acquire(STREAM), Market(seed=7)
    reader = journal.reader(STREAM)
    follower = SnapshotFollower(STREAM, reader, snapshots, REBUILD)
    writer.append([market.record() for _ in range(10)])
    assert follower.follow(force=True).trim_before == 0
    writer.append([market.record() for _ in range(10)])
    result = follower.follow(force=True)
    assert (result.stored, result.trim_before) == (20, 10)
    assert trim_behind(snapshots, STREAM, result.trim_before, [7, 15]) == 7
    assert next(iter(reader.read(7)))[0] == 8
    assert trim_behind(snapshots, STREAM, result.trim_before, [20]) == 10
    writer.append([market.record() for _ in range(5)])
    for lost in ((), (20,)):
        for number in lost:
            del snapshots.kept[STREAM][number]
        found = recover(STREAM, reader, snapshots, REBUILD)
        assert found.state.engine.state_hash() == market.engine.state_hash()


def _changed(body: bytes, **changes: object) -> bytes:
    record = msgspec.msgpack.decode(body, type=MarketRecord)
    return msgspec.msgpack.encode(msgspec.structs.replace(record, **changes))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("levels", [], "levels"),
        ("settlements", [], "settlements"),
        ("book_seq", 9_999, "sequence"),
        ("settlement_heads", [9, 9], "settlement numbers"),
    ],
)
def test_replay_of_a_record_that_says_something_else_names_it(
    field: str, value: object, named: str
) -> None:
    """The first difference ends the replay, with the record's number."""
    market = Market(seed=8)
    records = [(n, market.record()) for n in range(1, 11)]
    records[6] = (7, _changed(records[6][1], **{field: value}))
    with pytest.raises(ReplayMismatchError, match=named) as caught:
        replay_market(REBUILD, None, records)
    assert caught.value.number == 7


def test_replay_of_another_event_names_step_and_values() -> None:
    """A changed event is found even where every number around it still fits."""
    market = Market(seed=9)
    records = [(n, market.record()) for n in range(1, 4)]
    record = msgspec.msgpack.decode(records[1][1], type=MarketRecord)
    step = next(n for n, step in enumerate(record.steps) if step.events)
    steps = list(record.steps)
    steps[step] = msgspec.structs.replace(steps[step], events=[])
    records[1] = (2, _changed(records[1][1], steps=steps))
    with pytest.raises(ReplayMismatchError, match=f"step {step}") as caught:
        replay_market(REBUILD, None, records)
    assert caught.value.number == 2


def test_replay_of_something_that_is_no_record_says_so() -> None:
    """A body of another kind is refused before anything is applied."""
    with pytest.raises(CorruptRecordError, match="not a market's"):
        replay_market(REBUILD, None, [(1, b"\x93\x01\x02\x03")])
