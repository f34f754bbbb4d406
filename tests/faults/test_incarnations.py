"""Several incarnations of one writer at once, and followers while the store is killed."""

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

from actors.errors import FencedError, JournalUnavailableError
from actors.journal.redis import RedisJournal, RedisWriter
from actors.journal.tail import RedisTail
from tandem.valkey import EmbeddedValkey

STREAM = "vaix.paper"
INCARNATIONS = 4
ROUNDS = 12
KILLS = 4
DEADLINE_S = 120.0


def test_incarnations_fencing_each_other_write_each_record_once(tmp_path: Path) -> None:
    """What was acknowledged is there under its number, once; what was refused is nowhere."""
    acknowledged: dict[int, bytes] = {}
    refused: list[bytes] = []

    def live(name: int, url: str) -> None:
        journal = RedisJournal(url)
        for life in range(ROUNDS):
            writer = journal.acquire(STREAM)
            for n in range(1_000):
                body = b"%d/%d/%d" % (name, life, n)
                try:
                    number = writer.append([body])
                except FencedError:
                    refused.append(body)
                    break
                assert number not in acknowledged
                acknowledged[number] = body
                if n >= 5 and life == ROUNDS - 1:
                    break
        journal.close()

    with EmbeddedValkey(tmp_path) as server:
        threads = [
            threading.Thread(target=live, args=(name, server.url)) for name in range(INCARNATIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()
        journal = RedisJournal(server.url)
        written = dict(journal.reader(STREAM).read(0))
        journal.close()
    assert written == acknowledged
    assert len(refused) >= INCARNATIONS
    assert not set(refused) & set(written.values())


async def test_tail_over_kills_of_the_store_sees_every_record_once(tmp_path: Path) -> None:
    """A follower resumes by itself: no record twice, none missing, none out of order."""
    acknowledged: list[bytes] = []
    finished = threading.Event()

    def write(server: EmbeddedValkey) -> None:
        for life in range(KILLS + 1):
            writer = _acquire(server.url)
            for n in range(60):
                if n == 40 and life < KILLS:
                    os.kill(server.pid, signal.SIGKILL)
                body = b"%d/%d" % (life, n)
                try:
                    writer.append([body])
                except JournalUnavailableError:
                    break
                acknowledged.append(body)
        finished.set()

    with EmbeddedValkey(tmp_path) as server:
        tail = RedisTail(server.url)
        thread = threading.Thread(target=write, args=(server,))
        thread.start()
        seen: list[tuple[int, bytes]] = []
        async with asyncio.timeout(DEADLINE_S):
            async for _, number, body in tail.follow({STREAM: 0}):
                seen.append((number, body))
                if body == b"%d/59" % KILLS:
                    break
        thread.join(DEADLINE_S)
        await tail.close()
        assert server.restarts == KILLS
    assert finished.is_set()
    assert [number for number, _ in seen] == list(range(1, len(seen) + 1))
    bodies = [body for _, body in seen]
    assert set(acknowledged) <= set(bodies)
    assert max(Counter(bodies).values()) == 1


def _acquire(url: str) -> RedisWriter:
    """Acquire the stream as soon as the server answers again."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return RedisJournal(url).acquire(STREAM)
        except JournalUnavailableError:
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.01)
