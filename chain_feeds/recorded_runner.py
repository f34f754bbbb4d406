"""Plays one chain's recording on the clock."""

from pathlib import Path

from actors.engine.pools.state import PoolState
from actors.engine.units import NS_PER_S
from chain_feeds.clock import Clock
from chain_feeds.feed_status import Progress
from chain_feeds.publisher import Publisher
from chain_feeds.settings import ChainSettings, FeedPool
from chain_feeds.sources.recorded import DIRECTORY, RecordedFeed, load

_WAIT_MIN_S = 0.05


class RecordedRunner:
    """Publishes a recording's states when their time comes."""

    def __init__(
        self,
        chain: ChainSettings,
        pools: tuple[FeedPool, ...],
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._chain = chain
        self._pools = pools
        self._publisher = publisher
        self._clock = clock
        self.block = 0
        self._block_ns = clock.monotonic_ns()

    def progress(self) -> Progress:
        """Say where the recording stands."""
        return Progress(self.block, self._clock.monotonic_ns() - self._block_ns)

    async def run(self) -> None:
        """Play for ever.

        Raises:
            RecordingError: the recording cannot be used.
        """
        given = self._chain.table.recording
        path = Path(given) if given else DIRECTORY / f"{self._chain.name}.jsonl.gz"
        feed = RecordedFeed(load(path), self._pools)
        while True:
            now_ns = self._clock.wall_ns()
            swaps, states = feed.advance(now_ns)
            for symbol, swap in swaps:
                self._publisher.trade(symbol, swap)
            self._publish(states)
            if feed.block != self.block:
                self.block = feed.block
                self._block_ns = self._clock.monotonic_ns()
            wait_s = (feed.next_ns - now_ns) / NS_PER_S
            await self._clock.sleep(max(_WAIT_MIN_S, wait_s))

    def _publish(self, changed: list[tuple[str, PoolState]]) -> None:
        for symbol, state in changed:
            self._publisher.publish(symbol, state)
