"""Feeds outlive what goes wrong in them, say so, and end when told."""

import threading
import time
from pathlib import Path

import pytest

from actors.engine.commands import PoolTraded
from actors.engine.pools.state import PoolState, PoolStatus
from chain_feeds.runner import Feed, FeedThread, backoff_s
from chain_feeds.settings import ChainSettings, ChainTable, NodeUrls
from tests.running import free_port
from tests.unit.chain_feeds.chains import pool

STOPPED_WITHIN_S = 15.0


class Sink:
    """Keeps what was said, and wakes who waits for it."""

    def __init__(self) -> None:
        self.said: list[PoolState] = []
        self.told = threading.Event()
        self.changed = threading.Event()

    def publish(self, symbol: str, state: PoolState) -> None:  # noqa: ARG002 -- as a sink is called
        """Keep a state."""
        self.said.append(state)
        self.told.set()

    def trade(self, symbol: str, swap: PoolTraded) -> None:
        """Take a swap."""


def test_feed_on_a_missing_recording_is_down_and_stops(tmp_path: Path) -> None:
    """The pool says DOWN with the reason; the thread ends when told."""
    table = ChainTable(recording=str(tmp_path / "none.jsonl.gz"))
    sink = Sink()
    thread = FeedThread(Feed(ChainSettings("ethereum", table), [pool()], sink))
    thread.start()
    assert sink.told.wait(30)
    assert sink.said[0].status is PoolStatus.DOWN
    assert "cannot be read" in sink.said[0].detail
    assert thread.status().problem == sink.said[0].detail
    assert thread.status().pools_live == 0
    stopped(thread)


def test_feed_on_nodes_that_are_not_there_is_down_tries_each_and_stops() -> None:
    """Nobody listens: DOWN with the host, never the path, which may hold a key."""
    first, second = (f"127.0.0.1:{free_port()}/KEY" for _ in range(2))
    fallback = NodeUrls(f"ws://{second}", f"http://{second}")
    chain = ChainSettings("ethereum", ChainTable(), f"ws://{first}", f"http://{first}", (fallback,))
    sink = Sink()
    thread = FeedThread(Feed(chain, [pool()], sink))
    thread.start()
    deadline = time.monotonic() + 30
    tried: set[str] = set()
    while len(tried) < 2:
        assert time.monotonic() < deadline, thread.status()
        status = thread.status()
        tried |= {host for host in (first, second) if host.partition("/")[0] in status.problem}
        sink.changed.wait(0.05)
    assert (status.nodes, status.venues[0].status) == (2, "down")
    assert status.venues[0].detail.startswith("no connection to 127.0.0.1:")
    assert sink.said[-1].status is PoolStatus.DOWN
    assert sink.said[-1].curve is None
    assert "KEY" not in str(thread.status())
    assert all("KEY" not in state.detail for state in sink.said)
    stopped(thread)


def stopped(thread: FeedThread) -> None:
    """Stop a feed, and make sure that it ends in time."""
    begun = time.monotonic()
    thread.stop()
    assert time.monotonic() - begun < STOPPED_WITHIN_S
    assert not thread._thread.is_alive()


@pytest.mark.parametrize("attempt", [0, 1, 5, 20, 1_000_000])
def test_backoff_of_any_attempt_is_bounded(attempt: int) -> None:
    """It doubles from a quarter of a second to 15 s, and is spread over the upper half."""
    longest = min(15.0, 0.25 * 2.0 ** min(attempt, 10))
    assert all(longest / 2 <= backoff_s(attempt) <= longest for _ in range(50))
