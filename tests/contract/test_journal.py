"""What every journal promises its writers and readers, on each implementation."""

from collections.abc import Iterator

import pytest

from actors.errors import (
    CorruptRecordError,
    FencedError,
    JournalUnavailableError,
    TrimmedError,
)
from actors.journal.memory import MemoryJournal
from actors.journal.record import EMPTY
from actors.journal.redis import RedisJournal, connect, key
from actors.journal.server import RedisUnsuitableError, check_server
from actors.ports import Journal
from tests.store import STORES, emptied_store

STREAM = "vaix.paper"


class Store:
    """A journal under test, and the ways to damage what it keeps."""

    def __init__(self, journal: Journal, url: str | None) -> None:
        self.journal = journal
        self.url = url

    def again(self) -> Journal:
        """A second incarnation's journal over the same store."""
        return self.journal if self.url is None else RedisJournal(self.url)

    def rewrite(self, stream: str, entries: dict[int, bytes]) -> None:
        """Replace the stored frames of a stream, its head left as it is."""
        if isinstance(self.journal, MemoryJournal):
            self.journal.streams[stream].entries = dict(entries)
            return
        assert self.url is not None
        with connect(self.url) as client:
            client.delete(key(stream, "journal"))
            for number, data in sorted(entries.items()):
                client.xadd(key(stream, "journal"), {b"r": data}, id=f"{number}-0")

    def entries(self, stream: str) -> dict[int, bytes]:
        """The stored frames of a stream, by number."""
        if isinstance(self.journal, MemoryJournal):
            return dict(self.journal.streams[stream].entries)
        assert self.url is not None
        with connect(self.url) as client:
            found = client.xrange(key(stream, "journal"))
        return {int(identity.split(b"-")[0]): fields[b"r"] for identity, fields in found}


@pytest.fixture(params=["memory", *STORES])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        yield Store(MemoryJournal(), None)
        return
    url = emptied_store(request, request.param)
    journal = RedisJournal(url)
    yield Store(journal, url)
    journal.close()


def test_stream_new_starts_empty_at_epoch_one(store: Store) -> None:
    """A stream nobody wrote to has no head and no records."""
    writer = store.journal.acquire(STREAM)
    assert (writer.epoch, writer.head) == (1, EMPTY)
    assert list(store.journal.reader(STREAM).read(0)) == []
    assert store.journal.reader(STREAM).head() == EMPTY


def test_append_several_bodies_numbers_them_from_one(store: Store) -> None:
    """Numbers are contiguous from 1, over calls."""
    writer = store.journal.acquire(STREAM)
    assert writer.append([b"a", b"b"]) == 2
    assert writer.append([b""]) == 3
    assert list(store.journal.reader(STREAM).read(0)) == [(1, b"a"), (2, b"b"), (3, b"")]
    assert store.journal.reader(STREAM).head() == writer.head


def test_append_nothing_changes_nothing(store: Store) -> None:
    """An empty batch is passed over."""
    writer = store.journal.acquire(STREAM)
    assert writer.append([]) == 0
    assert store.journal.reader(STREAM).head() == EMPTY


def test_append_many_writes_each_stream_on_its_own(store: Store) -> None:
    """Two markets of a pair share a round trip, not a chain."""
    paper, live = store.journal.acquire("vaix.paper"), store.journal.acquire("vaix.live")
    assert store.journal.append_many([(paper, [b"p1", b"p2"]), (live, [b"l1"])]) == [2, 1]
    assert store.journal.append_many([(paper, []), (live, [b"l2"])]) == [2, 2]
    assert list(store.journal.reader("vaix.live").read(0)) == [(1, b"l1"), (2, b"l2")]


def test_acquire_again_continues_where_the_stream_stands(store: Store) -> None:
    """The next incarnation has a higher epoch and the same head."""
    first = store.journal.acquire(STREAM)
    first.append([b"a"])
    second = store.again().acquire(STREAM)
    assert (second.epoch, second.head) == (2, first.head)
    assert second.append([b"b"]) == 2
    assert list(store.journal.reader(STREAM).read(0)) == [(1, b"a"), (2, b"b")]


def test_append_after_a_newer_acquire_is_fenced_for_ever(store: Store) -> None:
    """Of two incarnations only the newer one can write; the older one learns who owns it."""
    old = store.journal.acquire(STREAM)
    new = store.again().acquire(STREAM)
    for _ in range(2):
        with pytest.raises(FencedError) as caught:
            old.append([b"lost"])
        assert (caught.value.epoch, caught.value.current) == (1, 2)
    assert new.append([b"kept"]) == 1
    assert list(store.journal.reader(STREAM).read(0)) == [(1, b"kept")]


def test_append_many_with_one_fenced_stream_still_raises(store: Store) -> None:
    """A fence on one market ends the call; what the other market wrote stays written."""
    paper, live = store.journal.acquire("vaix.paper"), store.journal.acquire("vaix.live")
    store.again().acquire("vaix.paper")
    with pytest.raises(FencedError, match=r"vaix\.paper"):
        store.journal.append_many([(paper, [b"p"]), (live, [b"l"])])
    assert list(store.journal.reader("vaix.paper").read(0)) == []
    assert list(store.journal.reader("vaix.live").read(0)) == [(1, b"l")]


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [(0, 3, [1, 2, 3]), (2, None, [3, 4, 5]), (2, 4, [3, 4]), (5, None, []), (4, 9, [5])],
)
def test_read_between_numbers_yields_exactly_those(
    store: Store, after: int, until: int | None, expected: list[int]
) -> None:
    """``after`` is exclusive, ``until`` inclusive."""
    store.journal.acquire(STREAM).append([b"1", b"2", b"3", b"4", b"5"])
    found = list(store.journal.reader(STREAM).read(after, until))
    assert found == [(number, str(number).encode()) for number in expected]


def test_read_over_many_pages_yields_everything_once(store: Store) -> None:
    """Page borders are not seen from outside, whatever the records weigh."""
    writer = store.journal.acquire(STREAM)
    bodies = [bytes([n % 251]) * (n * 37 % 5_000) for n in range(400)]
    for start in range(0, 400, 50):
        writer.append(bodies[start : start + 50])
    assert [body for _, body in store.journal.reader(STREAM).read(0)] == bodies


def test_read_behind_a_known_seal_needs_that_very_record(store: Store) -> None:
    """A snapshot of another history is not continued with this one's records."""
    writer = store.journal.acquire(STREAM)
    writer.append([b"a"])
    seal = writer.head.seal
    writer.append([b"b"])
    reader = store.journal.reader(STREAM)
    assert list(reader.read(1, seal=seal)) == [(2, b"b")]
    with pytest.raises(CorruptRecordError):
        list(reader.read(1, seal=bytes(16)))


def test_read_behind_a_trimmed_record_checks_the_seal_all_the_same(store: Store) -> None:
    """Where the stream begins right behind the snapshot, the first link is still checked."""
    writer = store.journal.acquire(STREAM)
    writer.append([b"a"])
    seal = writer.head.seal
    writer.append([b"b", b"c"])
    entries = store.entries(STREAM)
    del entries[1]
    store.rewrite(STREAM, entries)
    reader = store.journal.reader(STREAM)
    assert list(reader.read(1, seal=seal)) == [(2, b"b"), (3, b"c")]
    with pytest.raises(CorruptRecordError) as caught:
        list(reader.read(1, seal=bytes(16)))
    assert caught.value.number == 2


def test_read_before_what_is_kept_raises_trimmed(store: Store) -> None:
    """A reader that is too far behind is told where the stream begins."""
    store.journal.acquire(STREAM).append([b"a", b"b", b"c", b"d"])
    entries = store.entries(STREAM)
    store.rewrite(STREAM, {n: data for n, data in entries.items() if n >= 3})
    with pytest.raises(TrimmedError) as caught:
        list(store.journal.reader(STREAM).read(1))
    assert (caught.value.after, caught.value.first) == (1, 3)
    assert [n for n, _ in store.journal.reader(STREAM).read(2)] == [3, 4]


@pytest.mark.parametrize("lost", [2, 3, 5])
def test_read_with_a_record_missing_stops_before_it(store: Store, lost: int) -> None:
    """A gap, the end included, is found by number and never stepped over."""
    store.journal.acquire(STREAM).append([b"1", b"2", b"3", b"4", b"5"])
    entries = store.entries(STREAM)
    del entries[lost]
    store.rewrite(STREAM, entries)
    seen: list[int] = []
    with pytest.raises(CorruptRecordError) as caught:
        seen.extend(number for number, _ in store.journal.reader(STREAM).read(0))
    assert caught.value.number == lost
    assert seen == list(range(1, lost))


def test_read_with_two_records_swapped_stops_at_the_first(store: Store) -> None:
    """A record under another's number is refused."""
    store.journal.acquire(STREAM).append([b"1", b"2", b"3", b"4"])
    entries = store.entries(STREAM)
    entries[2], entries[3] = entries[3], entries[2]
    store.rewrite(STREAM, entries)
    with pytest.raises(CorruptRecordError) as caught:
        list(store.journal.reader(STREAM).read(0))
    assert caught.value.number == 2


def test_read_with_a_record_of_another_stream_refuses_it(store: Store) -> None:
    """A valid record in the wrong stream is no record."""
    store.journal.acquire(STREAM).append([b"1", b"2"])
    store.journal.acquire("vaix.live").append([b"1", b"2"])
    store.rewrite(STREAM, {**store.entries(STREAM), 2: store.entries("vaix.live")[2]})
    with pytest.raises(CorruptRecordError) as caught:
        list(store.journal.reader(STREAM).read(0))
    assert caught.value.number == 2


def test_read_with_a_forged_history_finds_the_broken_link(store: Store) -> None:
    """A record rewritten with a valid seal of its own does not fit its successor."""
    store.journal.acquire(STREAM).append([b"1", b"2", b"3"])
    forger = MemoryJournal()
    forger.acquire(STREAM).append([b"1", b"forged"])
    entries = store.entries(STREAM)
    entries[2] = forger.streams[STREAM].entries[2]
    store.rewrite(STREAM, entries)
    with pytest.raises(CorruptRecordError) as caught:
        list(store.journal.reader(STREAM).read(0))
    assert caught.value.number == 3


def test_redis_writer_after_the_scripts_were_flushed_goes_on(store_url: str) -> None:
    """A server that forgot the script says so before it runs anything; the append is made whole."""
    journal = RedisJournal(store_url)
    paper, live = journal.acquire("vaix.paper"), journal.acquire("vaix.live")
    with connect(store_url) as client:
        client.script_flush()
    assert journal.append_many([(paper, [b"p"]), (live, [b"l"])]) == [1, 1]
    assert journal.append_many([(paper, [b"p"]), (live, [b"l"])]) == [2, 2]
    journal.close()


def test_redis_writer_without_an_answer_in_time_never_writes_again(store_url: str) -> None:
    """A silent server's outcome is unknown; the writer ends there and its successor reads on."""
    journal = RedisJournal(store_url, timeout_s=2.0)
    writer = journal.acquire(STREAM)
    with connect(store_url) as client:
        client.client_pause(60_000, all=False)
        with pytest.raises(JournalUnavailableError, match="Timeout"):
            writer.append([b"perhaps"])
        client.client_unpause()
    with pytest.raises(JournalUnavailableError):
        writer.append([b"never"])
    successor = RedisJournal(store_url).acquire(STREAM)
    kept = [body for _, body in journal.reader(STREAM).read(0)]
    assert kept in ([], [b"perhaps"])
    assert successor.head.number == len(kept)
    journal.close()


def test_redis_acquire_with_head_and_stream_apart_refuses(store_url: str) -> None:
    """A stream whose end was lost is not continued over the hole."""
    journal = RedisJournal(store_url)
    journal.acquire(STREAM).append([b"a", b"b"])
    with connect(store_url) as client:
        client.xdel(key(STREAM, "journal"), "2-0")
    with pytest.raises(CorruptRecordError, match="the head says 2, the stream 1"):
        journal.acquire(STREAM)
    journal.close()


def test_redis_user_without_config_permission_works_and_is_warned(store_url: str) -> None:
    """A restricted user's journal works; that its durability was not checked is said."""
    with connect(store_url) as client:
        client.acl_setuser(
            "clerk",
            enabled=True,
            nopass=True,
            keys=["tandem:*"],
            reset_channels=True,
            channels=["tandem:*"],
            commands=["+@all", "-config"],
        )
    restricted = store_url.replace("unix://", "unix://clerk:any@")
    with connect(restricted) as client:
        (warning,) = check_server(client).warnings
    journal = RedisJournal(restricted)
    assert journal.acquire(STREAM).append([b"a"]) == 1
    assert list(journal.reader(STREAM).read(0)) == [(1, b"a")]
    journal.close()
    with connect(store_url) as client:
        client.acl_deluser("clerk")
    assert "could not be checked" in warning


def test_redis_user_without_channels_is_refused_with_the_rule_it_lacks(store_url: str) -> None:
    """A server whose followers would hear of nothing is told of at the start; appends stand."""
    with connect(store_url) as client:
        client.acl_setuser(
            "mute", enabled=True, nopass=True, keys=["tandem:*"], commands=["+@all"],
            reset_channels=True,
        )  # fmt: skip
    restricted = store_url.replace("unix://", "unix://mute:any@")
    journal = RedisJournal(restricted)
    try:
        with connect(restricted) as client, pytest.raises(RedisUnsuitableError, match="&tandem:"):
            check_server(client)
        assert journal.acquire(STREAM).append([b"a"]) == 1
    finally:
        journal.close()
        with connect(store_url) as client:
            client.acl_deluser("mute")
