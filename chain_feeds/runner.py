"""Runs one chain's feed for ever: its parts are restarted with back-off, and nothing raises out.

`FeedThread` gives it a loop and thread of its own. What a feed does lives in `feed`, `sources` and
`venues`.
"""

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import NS_PER_MS
from chain_feeds.clock import Clock, SystemClock
from chain_feeds.errors import FeedError
from chain_feeds.feed_status import FeedStatus, VenueStatus
from chain_feeds.publisher import PoolSink, Publisher
from chain_feeds.recorded_runner import RecordedRunner
from chain_feeds.settings import ChainSettings, FeedPool

if TYPE_CHECKING:
    from chain_feeds.node_runner import NodeRunner

_log = logging.getLogger(__name__)

_BACKOFF_FIRST_S = 0.25
_BACKOFF_MAX_S = 15.0
_HEALTHY_AFTER_S = 30.0
_THREAD_STOP_S = 5.0


class Feed:
    """One chain's feed.

    Args:
        chain: the chain; with a node or without.
        pools: the listed pools of the chain.
        sink: where states go.
        clock: the machine's, unless a test holds it.
    """

    def __init__(
        self,
        chain: ChainSettings,
        pools: Sequence[FeedPool],
        sink: PoolSink,
        clock: Clock | None = None,
    ) -> None:
        self._chain = chain
        self._pools = tuple(pools)
        self._clock = clock or SystemClock()
        self._publisher = Publisher(sink)
        self._reconnects = 0
        self._problem = ""
        self._part: NodeRunner | RecordedRunner
        self._ticks: Callable[[], Awaitable[None]] | None = None
        if chain.has_node:
            # Imported only where there is a node: web3 costs a second and 30 MB.
            from chain_feeds import node_runner

            self._part = node = node_runner.NodeRunner(
                chain, self._pools, self._publisher, self._clock
            )
            self._ticks = node.tick_forever
        else:
            self._part = RecordedRunner(chain, self._pools, self._publisher, self._clock)

    async def run(self) -> None:
        """Run until cancelled."""
        # A group waits for every part when it is cancelled: connections are closed by then.
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._forever(self._part.run))
            if self._ticks is not None:
                parts.create_task(self._forever(self._ticks))

    def status(self) -> FeedStatus:
        """Say what the feed is doing; safe from any thread."""
        chain, progress = self._chain, self._part.progress()
        venues = [self._venue(pool) for pool in self._pools]
        return FeedStatus(
            chain=chain.name,
            source="node" if chain.has_node else "recorded",
            host=chain.at(progress.node).shown_host,
            node=progress.node,
            nodes=chain.nodes,
            block=progress.block,
            age_ms=progress.age_ns // NS_PER_MS,
            pools_live=sum(venue.status == "live" for venue in venues),
            pools=len(venues),
            published=self._publisher.published,
            reconnects=self._reconnects,
            reorgs=progress.reorgs,
            gaps=progress.gaps,
            missed_logs=progress.missed_logs,
            problem=self._problem,
            venues=venues,
        )

    def _venue(self, pool: FeedPool) -> VenueStatus:
        spec = pool.spec
        said = self._publisher.newest.get((pool.symbol, spec.pool_id))
        return VenueStatus(
            pair=pool.symbol,
            venue=spec.venue,
            pool=spec.address,
            status=said.status.name.lower() if said else "stale",
            block=said.block if said else 0,
            detail=said.detail if said else "nothing was said of it yet",
        )

    async def _forever(self, part: Callable[[], Awaitable[None]]) -> None:
        attempt = 0
        while True:
            started_ns = self._clock.monotonic_ns()
            try:
                await part()
                self._problem = "ended"
            except FeedError as error:
                self._note(str(error))
            except Exception as error:  # noqa: BLE001 -- a feed never ends by itself
                _log.exception("the feed of %s failed", self._chain.name)
                self._note(f"the feed failed ({type(error).__name__})")
            self._reconnects += 1
            if self._clock.monotonic_ns() - started_ns > _HEALTHY_AFTER_S * 1e9:
                attempt = 0
            # Every node of the chain is tried before the wait grows.
            await self._clock.sleep(backoff_s(attempt // max(1, self._chain.nodes)))
            attempt += 1

    def _note(self, problem: str) -> None:
        if problem != self._problem:
            _log.warning("feed %s: %s", self._chain.name, problem)
        self._problem = problem
        if not self._chain.has_node:
            for pool in self._pools:
                down = PoolState(
                    pool.spec.pool_id, PoolStatus.DOWN, None, 0, 0, "recorded", problem
                )
                self._publisher.publish(pool.symbol, down)


def backoff_s(attempt: int) -> float:
    """Return how long to wait before another try: doubling, bounded, with jitter of a half."""
    longest = min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * float(2 ** min(attempt, 16)))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 -- spreads reconnections, no secret


class FeedThread:
    """A feed with a thread and an asyncio loop of its own, for a Ray shell."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, name="feed", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Cancel the feed, and wait until its connections are closed."""
        if self._thread.is_alive() and self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just closed by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_THREAD_STOP_S)

    def status(self) -> FeedStatus:
        """Say what the feed is doing."""
        return self._feed.status()

    def _main(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._ready.set()
        task = asyncio.create_task(self._feed.run())
        await asyncio.wait(
            {task, asyncio.create_task(self._stopping.wait())},
            return_when=asyncio.FIRST_COMPLETED,
        )
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
