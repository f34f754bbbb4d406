"""What every snapshot store promises, on each implementation."""

import os
from collections.abc import Iterator

import pytest

from actors.journal.memory import MemoryJournal
from actors.journal.redis import RedisJournal, connect, key
from actors.journal.snapshots import MemorySnapshots, RedisSnapshots, Snapshot, SnapshotStore
from actors.ports import Journal
from tests.store import STORES, emptied_store

STREAM = "vaix.paper"


@pytest.fixture(params=["memory", *STORES])
def store(request: pytest.FixtureRequest) -> Iterator[tuple[Journal, SnapshotStore]]:
    """Each implementation in turn, empty, with a journal of ten records."""
    if request.param == "memory":
        memory = MemoryJournal()
        memory.acquire(STREAM).append([b"%d" % n for n in range(1, 11)])
        yield memory, MemorySnapshots(memory)
        return
    url = emptied_store(request, request.param)
    journal, snapshots = RedisJournal(url), RedisSnapshots(url)
    journal.acquire(STREAM).append([b"%d" % n for n in range(1, 11)])
    yield journal, snapshots
    snapshots.close()
    journal.close()


def snapshot(number: int, blob: bytes = b"state") -> Snapshot:
    """Make a snapshot that stands at a record."""
    return Snapshot(STREAM, number, bytes([number]) * 16, 1, f"hash-{number}", blob)


def test_load_of_a_stream_without_snapshots_gives_none(
    store: tuple[Journal, SnapshotStore],
) -> None:
    """A new stream starts from empty."""
    assert list(store[1].load("sbio.paper")) == []


def test_store_keeps_the_newest_two_newest_first(store: tuple[Journal, SnapshotStore]) -> None:
    """The third snapshot takes the place of the first."""
    _, snapshots = store
    for number in (3, 5, 9):
        snapshots.store(snapshot(number))
    assert snapshots.numbers(STREAM) == [9, 5]
    assert list(snapshots.load(STREAM)) == [snapshot(9), snapshot(5)]


def test_store_of_a_large_blob_gives_the_same_bytes(store: tuple[Journal, SnapshotStore]) -> None:
    """What does not fit one piece, and does not compress, comes back whole."""
    blob = os.urandom(3_000_000)
    store[1].store(snapshot(4, blob))
    assert next(store[1].load(STREAM)).blob == blob


def test_trim_gives_up_what_lies_before_and_never_the_last(
    store: tuple[Journal, SnapshotStore],
) -> None:
    """The head's own record stays, whatever is asked for."""
    journal, snapshots = store
    snapshots.trim(STREAM, 4)
    assert [n for n, _ in journal.reader(STREAM).read(4)] == list(range(5, 11))
    snapshots.trim(STREAM, 1_000)
    assert list(journal.reader(STREAM).read(9)) == [(10, b"10")]
    assert journal.acquire(STREAM).append([b"11"]) == 11


def test_trim_of_an_unknown_stream_does_nothing(store: tuple[Journal, SnapshotStore]) -> None:
    """A market without records has nothing to trim."""
    store[1].trim("sbio.paper", 100)


def test_load_with_a_damaged_piece_gives_the_older_one(store_url: str) -> None:
    """A snapshot whose bytes changed is passed over."""
    snapshots = RedisSnapshots(store_url)
    snapshots.store(snapshot(3))
    snapshots.store(snapshot(5))
    with connect(store_url) as client:
        client.hset(key(STREAM, "snapshot:5"), "0", b"something else")
    assert [found.number for found in snapshots.load(STREAM)] == [3]
    snapshots.close()


def test_store_after_a_crash_in_the_middle_clears_the_pieces_away(store_url: str) -> None:
    """Pieces without a manifest are not kept for ever."""
    snapshots = RedisSnapshots(store_url)
    with connect(store_url) as client:
        client.hset(key(STREAM, "snapshot"), "pending", "7")
        client.hset(key(STREAM, "snapshot:7"), "0", b"half a snapshot")
        snapshots.store(snapshot(9))
        assert client.exists(key(STREAM, "snapshot:7")) == 0
    assert snapshots.numbers(STREAM) == [9]
    snapshots.close()
