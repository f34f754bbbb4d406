"""Joins a chain's nodes to the feed's state machine: one connection after another, and the clock.

One node is followed. When its connection ends, the next one is; the others are asked what they say
of the same blocks, as far as they answer: a node that is slow or gone holds nothing up.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from actors.engine.units import NS_PER_S
from chain_feeds.clock import Clock
from chain_feeds.errors import SourceError, SourceLostError, WrongChainError
from chain_feeds.feed import ChainFeed, FeedLimits
from chain_feeds.feed_status import Progress
from chain_feeds.inputs import Head, Opinion, PoolEvent, Snapshot
from chain_feeds.missed import MissedSwap
from chain_feeds.node_source import Emit, NodeSource
from chain_feeds.pool_track import jump_bound_ppm
from chain_feeds.publisher import Publisher
from chain_feeds.settings import ChainSettings, FeedPool

_log = logging.getLogger(__name__)

_TICK_S = 0.2
_SETTLE_S = 0.0045
"""A little more than `FeedLimits.settle_ns`."""
_LAST_READ_S = 0.5
_CONFIRM_WITHIN_S = 2.0
"""How long a connection's first read waits for the other nodes."""
_RECHECK_S = 5.0
"""A contract that is not there may be deployed yet, or the node may not have come to its block."""
_WAITING_MAX = 20_000
"""More inputs than this waiting means that the feed cannot keep up: connect again and read."""


class NodeRunner:
    """One chain's node, feed and publisher.

    Args:
        chain: the chain with its node.
        pools: its listed pools.
        publisher: where states go.
        clock: the clock.
    """

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
        limits = FeedLimits(
            stale_after_ns=int(chain.table.stale_after_s * NS_PER_S),
            jump_max_ppm=jump_bound_ppm(chain.table.max_jump_pct),
            repeat_after_ns=int(chain.table.repeat_after_s * NS_PER_S),
            reorg_max_blocks=chain.table.max_reorg_blocks,
            supply_every_blocks=chain.table.supply_every_blocks,
            missed_blocks_max=chain.table.backfill_blocks if chain.table.family == "evm" else 0,
        )
        self.feed = ChainFeed(chain.name, pools, limits, clock.monotonic_ns(), chain.nodes)
        self.node = 0
        """Which node is followed, counted from 0."""
        self._publish()

    def progress(self) -> Progress:
        """Say where the feed stands."""
        feed = self.feed
        age_ns = feed.age_ns(self._now())
        return Progress(feed.block, age_ns, self.node, feed.reorgs, feed.gaps, feed.missed_logs)

    async def run(self) -> None:
        """Hold one connection until it ends; the next call follows the next node.

        Raises:
            SourceError: why it ended.
        """
        inputs: asyncio.Queue[Head | PoolEvent] = asyncio.Queue()
        source = open_source(self._chain.at(self.node), self._pools, inputs.put_nowait)
        others = {
            node: open_source(self._chain.at(node), self._pools, _ignore)
            for node in range(self._chain.nodes)
            if node != self.node
        }
        try:
            faults = await source.check()
            self.feed.receive_connected(self._now())
            for pool, fault in faults.items():
                self.feed.receive_fault(pool, fault)
            self._publish()
            beside = [
                asyncio.create_task(self._recheck(source, faults)),
                asyncio.create_task(self._compare(others)),
            ]
            try:
                await self._follow(source, others, inputs)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)
        except WrongChainError as error:
            for listed in self._pools:
                self.feed.receive_fault(listed.key, error.problem)
            raise
        except SourceError as error:
            self.feed.receive_disconnected(error.problem, self._now())
            raise
        except Exception:
            self.feed.receive_disconnected("the feed failed and starts again", self._now())
            raise
        finally:
            self.node = (self.node + 1) % self._chain.nodes
            self._publish()
            await asyncio.gather(source.close(), *(other.close() for other in others.values()))

    async def tick_forever(self) -> None:
        """Let the feed see time pass, whether a connection stands or not."""
        while True:
            await self._clock.sleep(_TICK_S)
            self.feed.tick(self._now())
            self._publish()

    async def _follow(
        self,
        source: NodeSource,
        others: dict[int, NodeSource],
        inputs: "asyncio.Queue[Head | PoolEvent]",
    ) -> None:
        following = asyncio.create_task(source.follow())
        reading: asyncio.Task[None] | None = None
        counting: asyncio.Task[None] | None = None
        try:
            while not following.done():
                await self._take_in(inputs, following)
                if reason := self.feed.take_resubscribe():
                    raise SourceLostError(self._chain.name, reason)
                if reading is None or reading.done():
                    head = self.feed.take_snapshot_request(self._now())
                    if head is not None:
                        reading = asyncio.create_task(self._read(source, others, head))
                if counting is None or counting.done():
                    head = self.feed.take_supply_request()
                    if head is not None:
                        counting = asyncio.create_task(self._count(source, head))
                self._publish()
            following.result()
        finally:
            following.cancel()
            tasks = [following]
            if counting is not None:
                counting.cancel()
                tasks.append(counting)
            if reading is not None:
                # A request that is cancelled while it connects may leave its socket behind.
                await asyncio.wait({reading}, timeout=_LAST_READ_S)
                reading.cancel()
                tasks.append(reading)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _recheck(self, source: NodeSource, faults: dict[str, str]) -> None:
        """Look again at the contracts that were not what was listed, until all are."""
        while faults:
            await self._clock.sleep(_RECHECK_S)
            try:
                found = await source.check()
            except SourceError:
                continue
            for pool in faults.keys() - found.keys():
                self.feed.receive_fault_over(pool, self._now())
            for pool, fault in found.items():
                self.feed.receive_fault(pool, fault)
            faults = found

    async def _take_in(
        self, inputs: "asyncio.Queue[Head | PoolEvent]", following: "asyncio.Task[None]"
    ) -> None:
        """Wait for inputs, a little at most, and pass all of them on."""
        if inputs.qsize() > _WAITING_MAX:
            raise SourceLostError(self._chain.name, "the node tells more than can be followed")
        wait_s = _SETTLE_S if self.feed.is_settling else _TICK_S
        getting = asyncio.create_task(inputs.get())
        try:
            await asyncio.wait({getting, following}, timeout=wait_s, return_when="FIRST_COMPLETED")
        finally:
            if not getting.done():
                getting.cancel()
        if getting.done() and not getting.cancelled():
            self._receive(getting.result())
        while not inputs.empty():
            self._receive(inputs.get_nowait())

    def _receive(self, told: Head | PoolEvent) -> None:
        if isinstance(told, Head):
            self.feed.receive_head(told, self._now())
        else:
            self.feed.receive_event(told, self._now())

    async def _read(self, source: NodeSource, others: dict[int, NodeSource], head: Head) -> None:
        """Read every pool; the other nodes' answers come before it counts only at the start.

        Swaps that were missed come before it too, unless they take long.
        """
        filling = asyncio.create_task(self._fill(source))
        seconds = asyncio.gather(*(self._second_read(other, head) for other in others.values()))
        asking = asyncio.create_task(self._ask(others, head))
        try:
            try:
                snapshot = await source.read(head)
            except SourceError:
                self.feed.receive_snapshot_failure(head.hash, self._now())
                await asyncio.wait({filling}, timeout=_CONFIRM_WITHIN_S)
                return
            first = self.feed.awaits_confirmation
            if first:
                confirming: list[asyncio.Future[Any]] = [seconds, asking]
                await asyncio.wait(confirming, timeout=_CONFIRM_WITHIN_S)
                self._take_seconds(others, snapshot, seconds)
            await asyncio.wait({filling}, timeout=_CONFIRM_WITHIN_S)
            self.feed.receive_snapshot(snapshot, self._now())
            self._publish()
            await filling
            if not first:
                await asyncio.wait({seconds}, timeout=_CONFIRM_WITHIN_S)
                self._take_seconds(others, snapshot, seconds)
        finally:
            beside: list[asyncio.Future[Any]] = [filling, seconds, asking]
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _fill(self, source: NodeSource) -> None:
        """Ask for the swaps that were missed; a node that does not answer is asked again later."""
        gap = self.feed.take_missed_request()
        if gap is None:
            return
        if gap.left_out:
            _log.warning(
                "feed %s: the swaps of %d blocks before %d are too far back to be asked for",
                self._chain.name, gap.left_out, gap.first,
            )  # fmt: skip
        told: list[MissedSwap] | None = None
        try:
            told = await source.missed(gap)
        except SourceError as error:
            _log.warning("feed %s: no swaps of blocks %d to %d: %s",
                         self._chain.name, gap.first, gap.last, error.problem)  # fmt: skip
        finally:  # cancelled too: newer swaps wait for the answer
            self.feed.receive_missed(told, self._now())

    async def _count(self, source: NodeSource, head: Head) -> None:
        try:
            supplies = await source.supplies(head)
        except SourceError:
            supplies = {}
        self.feed.receive_supplies(supplies)

    async def _second_read(self, other: NodeSource, head: Head) -> Snapshot | None:
        try:
            return await other.read(head)
        except SourceError:
            return None

    def _take_seconds(
        self,
        others: dict[int, NodeSource],
        own: Snapshot,
        seconds: "asyncio.Future[list[Snapshot | None]]",
    ) -> None:
        if not seconds.done():
            return
        for node, snapshot in zip(others, seconds.result(), strict=True):
            if snapshot is not None:
                self.feed.receive_second_read(node, own, snapshot, self._now())

    async def _compare(self, others: dict[int, NodeSource]) -> None:
        """Ask the other nodes for a block's hash whenever the feed wants one compared."""
        while others:
            await self._clock.sleep(_TICK_S)
            head = self.feed.take_comparison(self._now())
            if head is not None:
                await self._ask(others, head)

    async def _ask(self, others: dict[int, NodeSource], head: Head) -> None:
        asked = [self._opinion(node, other, head) for node, other in others.items()]
        for opinion in await asyncio.gather(*asked):
            self.feed.receive_opinion(opinion, self._now())

    async def _opinion(self, node: int, other: NodeSource, head: Head) -> Opinion:
        try:
            return Opinion(node, head.number, await other.hash_at(head.number))
        except SourceError:
            return Opinion(node, head.number, "")

    def _publish(self) -> None:
        for symbol, swap in self.feed.take_swaps():
            self._publisher.trade(symbol, swap)
        for symbol, state in self.feed.take_updates(self._now()):
            self._publisher.publish(symbol, state)

    def _now(self) -> int:
        return self._clock.monotonic_ns()


def _ignore(_: Head | PoolEvent) -> None:
    """Take what a node says that is only asked, never followed."""


def open_source(chain: ChainSettings, pools: Sequence[FeedPool], emit: Emit) -> NodeSource:
    """Make the source of a chain's first node."""
    # Imported only where it is needed: web3 costs a second and 30 MB.
    if chain.table.family == "solana":
        from chain_feeds.sources.solana import SolanaSource

        return SolanaSource(chain, pools, emit)
    from chain_feeds.sources.evm import EvmSource

    return EvmSource(chain, pools, emit)
