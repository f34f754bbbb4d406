"""What every tail promises its followers, on each implementation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from actors.errors import CorruptRecordError, TrimmedError
from actors.journal.cursor import RECORDS_MAX, Cursor, channel
from actors.journal.memory import MemoryJournal, MemoryTail
from actors.journal.redis import RedisJournal, connect, key
from actors.journal.tail import RedisTail, ThreadTail
from actors.ports import Journal
from tests.store import STORES, emptied_store

DEADLINE_S = 30.0


class Followed:
    """A journal, and a tail over it."""

    def __init__(self, journal: Journal, tail: RedisTail | MemoryTail, url: str = "") -> None:
        self.journal = journal
        self.tail = tail
        self.url = url

    async def take(self, positions: dict[str, int], count: int) -> list[tuple[str, int, bytes]]:
        """Follow until so many records came."""
        found = []
        async with asyncio.timeout(DEADLINE_S):
            async with contextlib.aclosing(self.tail.follow(positions)) as records:
                async for record in records:
                    found.append(record)
                    if len(found) == count:
                        break
        return found


@pytest.fixture(params=["memory", *STORES])
async def followed(request: pytest.FixtureRequest) -> AsyncIterator[Followed]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        memory = MemoryJournal()
        yield Followed(memory, memory.tail())
        return
    url = emptied_store(request, request.param)
    journal, tail = RedisJournal(url), RedisTail(url)
    yield Followed(journal, tail, url)
    await tail.close()
    journal.close()


async def test_tail_from_the_beginning_yields_what_is_there(followed: Followed) -> None:
    """A follower from 0 gets everything, in order."""
    followed.journal.acquire("vaix.paper").append([b"1", b"2"])
    assert await followed.take({"vaix.paper": 0}, 2) == [
        ("vaix.paper", 1, b"1"),
        ("vaix.paper", 2, b"2"),
    ]


async def test_tail_from_a_position_yields_only_what_follows(followed: Followed) -> None:
    """The record at the position itself is known already."""
    followed.journal.acquire("vaix.paper").append([b"1", b"2", b"3"])
    assert await followed.take({"vaix.paper": 2}, 1) == [("vaix.paper", 3, b"3")]


async def test_tail_waiting_at_the_head_gets_the_next_record(followed: Followed) -> None:
    """Nothing is missed between the position and the next append."""
    writer = followed.journal.acquire("vaix.paper")
    writer.append([b"1"])
    waiting = asyncio.create_task(followed.take({"vaix.paper": 1, "vaix.live": 0}, 2))
    await asyncio.sleep(0)
    await asyncio.to_thread(writer.append, [b"2"])
    await asyncio.to_thread(followed.journal.acquire("vaix.live").append, [b"l"])
    assert sorted(await waiting) == [("vaix.live", 1, b"l"), ("vaix.paper", 2, b"2")]


async def test_tail_given_another_stream_on_the_way_follows_both(followed: Followed) -> None:
    """A market listed later is followed by whoever is following already."""
    paper = followed.journal.acquire("vaix.paper")
    sbio = followed.journal.acquire("sbio.paper")
    paper.append([b"1"])
    sbio.append([b"s"])
    found = []
    async with asyncio.timeout(DEADLINE_S):
        async for record in followed.tail.follow({"vaix.paper": 0}):
            found.append(record)
            if len(found) == 1:
                followed.tail.add("sbio.paper", 0)
            else:
                break
    assert found == [("vaix.paper", 1, b"1"), ("sbio.paper", 1, b"s")]


async def test_tail_behind_a_trimmed_beginning_raises(followed: Followed) -> None:
    """A follower that is too far behind must rebuild instead."""
    followed.journal.acquire("vaix.paper").append([b"1", b"2", b"3", b"4"])
    if isinstance(followed.journal, MemoryJournal):
        followed.journal.stream("vaix.paper").trim(3)
    else:
        with connect(followed.url) as client:
            client.xtrim(key("vaix.paper", "journal"), minid="3-0", approximate=False)
    with pytest.raises(TrimmedError) as caught:
        await followed.take({"vaix.paper": 1}, 1)
    assert caught.value.first == 3
    assert [n for _, n, _ in await followed.take({"vaix.paper": 2}, 2)] == [3, 4]


async def test_tail_finding_a_gap_gives_out_what_precedes_it(store_url: str) -> None:
    """A missing record is an error of its stream; the other stream's records are not lost."""
    journal, tail = RedisJournal(store_url), RedisTail(store_url)
    journal.acquire("vaix.paper").append([b"1", b"2", b"3"])
    journal.acquire("vaix.live").append([b"l1"])
    with connect(store_url) as client:
        client.xdel(key("vaix.paper", "journal"), "2-0")
    found: list[tuple[str, int, bytes]] = []

    async def follow() -> None:
        async for item in tail.follow({"vaix.paper": 0, "vaix.live": 0}):
            found.append(item)  # noqa: PERF401 - it is what came before the error that counts

    with pytest.raises(CorruptRecordError, match=r"vaix\.paper, record 2"):
        await asyncio.wait_for(follow(), DEADLINE_S)
    assert sorted(found) == [("vaix.live", 1, b"l1"), ("vaix.paper", 1, b"1")]
    await tail.close()
    journal.close()


def test_thread_tail_reads_in_batches_and_waits_in_between(store_url: str) -> None:
    """The threaded form gives the same records, and an empty batch when nothing comes."""
    journal, tail = RedisJournal(store_url), ThreadTail(store_url)
    journal.acquire("vaix.paper").append([b"1", b"2"])
    tail.add("vaix.paper", 1)
    assert tail.read() == [("vaix.paper", 2, b"2")]
    assert tail.read(block_ms=1) == []
    assert tail.positions() == {"vaix.paper": 2}
    tail.close()
    journal.close()


async def test_tail_whose_bells_never_ring_looks_by_itself(store_url: str) -> None:
    """A bell that is lost costs a moment, never a record."""
    journal, tail = RedisJournal(store_url), RedisTail(store_url)
    writer = journal.acquire("vaix.paper")
    with connect(store_url) as client:
        client.acl_setuser(
            "mute", enabled=True, nopass=True, keys=["tandem:*"], commands=["+@all"],
            reset_channels=True,
        )  # fmt: skip
    mute = RedisJournal(store_url.replace("unix://", "unix://mute:any@"))
    try:
        writer.append([b"1"])
        silent = mute.acquire("vaix.paper")
        found: list[tuple[str, int, bytes]] = []
        async with (
            asyncio.timeout(DEADLINE_S),
            contextlib.aclosing(tail.follow({"vaix.paper": 0})) as records,
        ):
            async for record in records:
                found.append(record)
                if len(found) == 2:
                    break
                await asyncio.to_thread(silent.append, [b"2"])
        assert found == [("vaix.paper", 1, b"1"), ("vaix.paper", 2, b"2")]
    finally:
        await tail.close()
        journal.close()
        mute.close()
        with connect(store_url) as client:
            client.acl_deluser("mute")


def test_cursor_sweeps_once_a_second_however_often_bells_ring() -> None:
    """A bell that was lost is made up for on a busy exchange, too, where one always rings."""
    now = 0.0
    cursor = Cursor(lambda: now)
    cursor.add("vaix.paper", 0)
    cursor.add("vaix.live", 0)
    read = []
    while now < 3.0:
        cursor.ring(channel("vaix.live"))
        cursor.sweep_if_due()
        read.append(len(cursor.wanted()))
        now += 0.25
    assert read == [2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1]


async def test_tail_cut_off_from_its_bells_hears_again(store_url: str) -> None:
    """Whatever was written while the connections were gone is read once they are back."""
    journal, tail = RedisJournal(store_url), RedisTail(store_url)
    writer = journal.acquire("vaix.paper")
    writer.append([b"1"])
    found: list[bytes] = []
    async with (
        asyncio.timeout(DEADLINE_S),
        contextlib.aclosing(tail.follow({"vaix.paper": 0})) as records,
    ):
        async for _, _, body in records:
            found.append(body)
            if len(found) == 1:
                with connect(store_url) as client:
                    client.client_kill_filter(_type="pubsub")
                await asyncio.to_thread(writer.append, [b"2", b"3"])
            if len(found) == 3:
                break
    assert found == [b"1", b"2", b"3"]
    await tail.close()
    journal.close()


async def test_tail_takes_a_long_past_in_pages(store_url: str) -> None:
    """More records than one read brings are all brought, without another bell."""
    journal, tail = RedisJournal(store_url), RedisTail(store_url)
    journal.acquire("vaix.paper").append([b"%d" % number for number in range(3 * RECORDS_MAX + 1)])
    followed = Followed(journal, tail)
    found = await followed.take({"vaix.paper": 0}, 3 * RECORDS_MAX + 1)
    assert [number for _, number, _ in found] == list(range(1, 3 * RECORDS_MAX + 2))
    await tail.close()
    journal.close()


async def test_tail_that_dropped_a_stream_hears_of_it_no_more(store_url: str) -> None:
    """Its subscription ends with it, so a stream nobody follows costs its followers nothing."""
    journal, tail = RedisJournal(store_url), RedisTail(store_url)
    paper, live = journal.acquire("vaix.paper"), journal.acquire("vaix.live")
    paper.append([b"1"])
    live.append([b"l1"])
    found: list[tuple[str, int, bytes]] = []
    async with (
        asyncio.timeout(DEADLINE_S),
        contextlib.aclosing(tail.follow({"vaix.paper": 0, "vaix.live": 0})) as records,
    ):
        async for record in records:
            found.append(record)
            if len(found) == 2:
                tail.drop("vaix.live")
                await asyncio.to_thread(live.append, [b"l2"])
                await asyncio.to_thread(paper.append, [b"2"])
            if len(found) == 3:
                with connect(store_url) as client:
                    names = client.pubsub_channels()
                break
    assert found[-1] == ("vaix.paper", 2, b"2")
    assert names == [channel("vaix.paper")]
    await tail.close()
    journal.close()


async def test_tail_that_follows_nothing_yet_waits_for_the_first_stream(store_url: str) -> None:
    """A gateway whose markets all recover follows none; the first one is added on the way."""
    journal, tail = RedisJournal(store_url), RedisTail(store_url)
    journal.acquire("vaix.paper").append([b"1"])
    waiting = asyncio.create_task(Followed(journal, tail).take({}, 1))
    await asyncio.sleep(0.05)
    tail.add("vaix.paper", 0)
    assert await waiting == [("vaix.paper", 1, b"1")]
    await tail.close()
    journal.close()
