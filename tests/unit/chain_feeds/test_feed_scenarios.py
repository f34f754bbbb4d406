"""Feeds on make-believe chains where everything goes wrong: in the end they say the truth."""

from random import Random

import pytest

from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import NS_PER_MS, NS_PER_S
from chain_feeds.feed import ChainFeed, FeedLimits
from chain_feeds.inputs import Head, PoolEvent
from tests.unit.chain_feeds.chains import FakeChain, pool

POOLS = [pool(0), pool(1), pool(2)]


class World:
    """A feed, its chain, and a network between them that loses, repeats, delays and reorders."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.chain = FakeChain(POOLS, seed)
        self.now_ns = NS_PER_S
        self.feed = ChainFeed("ethereum", POOLS, FeedLimits(), self.now_ns)
        self.said: dict[str, PoolState] = {}
        self.answers: list[Head] = []
        self.connected = False

    def connect(self) -> None:
        """Connect and learn the newest block, as a source does."""
        self.connected = True
        self.feed.receive_connected(self.now_ns)
        self.feed.receive_head(self.chain.tip, self.now_ns)

    def disconnect(self) -> None:
        """Lose the connection, and every answer that was on its way."""
        self.connected = False
        self.answers.clear()
        self.feed.receive_disconnected("the connection broke", self.now_ns)

    def tell(self, head: Head, logs: list[PoolEvent], *, faulty: bool) -> None:
        """Deliver a block and its logs, in any order, with losses and repetitions if faulty."""
        if not self.connected:
            return
        messages: list[Head | PoolEvent] = [head, *logs]
        if faulty:
            self.random.shuffle(messages)
            if self.random.random() < 0.1:
                messages.append(self.random.choice(messages))
            if self.random.random() < 0.1:
                self.lose(messages)
            if self.random.random() < 0.05 and len(self.chain.logs) > 3:
                messages += self.random.choice(self.chain.logs)
        for message in messages:
            if isinstance(message, Head):
                self.feed.receive_head(message, self.now_ns)
            else:
                self.feed.receive_event(message, self.now_ns)

    def lose(self, messages: list[Head | PoolEvent]) -> None:
        """Drop the head, or all logs of one pool: a block's filter cannot tell one from two."""
        lost = self.random.choice(messages)
        for message in list(messages):
            if message is lost or (
                isinstance(message, PoolEvent)
                and isinstance(lost, PoolEvent)
                and message.pool == lost.pool
            ):
                messages.remove(message)

    def take_back(self, logs: list[PoolEvent]) -> None:
        """Deliver logs as removed, which some nodes do and others do not."""
        for log in logs:
            self.feed.receive_event(log._replace(removed=True), self.now_ns)

    def pass_time(self, milliseconds: int) -> None:
        """Let time pass in small steps; reads are answered, some late, some never."""
        for _ in range(max(1, milliseconds // 10)):
            self.now_ns += 10 * NS_PER_MS
            self.feed.tick(self.now_ns)
            if self.connected and self.feed.take_resubscribe():
                self.disconnect()
                self.connect()
            request = self.feed.take_snapshot_request(self.now_ns)
            if request is not None:
                self.answers.append(request)
            if self.answers and self.random.random() < 0.7:
                self.answer(self.answers.pop(0))
            for _, state in self.feed.take_updates(self.now_ns):
                self.said[state.pool_id] = state

    def answer(self, head: Head) -> None:
        """Answer a read from the chain as it is by now."""
        snapshot = self.chain.snapshot(head)
        if snapshot is None or self.random.random() < 0.1:
            self.feed.receive_snapshot_failure(head.hash, self.now_ns)
        else:
            self.feed.receive_snapshot(snapshot, self.now_ns)

    def step(self) -> None:
        """One thing happens."""
        chance = self.random.random()
        if chance < 0.03 and self.connected:
            self.disconnect()
        elif not self.connected:
            self.chain.mine()
            if chance < 0.5:
                self.connect()
        elif chance < 0.13:
            depth = self.random.randint(1, 5)
            dropped = [log for logs in self.chain.logs[-depth:] for log in logs]
            self.chain.fork(depth)
            if self.random.random() < 0.5:
                self.take_back(dropped)
            for _ in range(self.random.randint(1, depth + 1)):
                self.tell(*self.chain.mine(), faulty=True)
        elif chance < 0.18:
            self.chain.mine()  # a block nobody is told about
        else:
            self.tell(*self.chain.mine(), faulty=True)
        self.pass_time(self.random.choice([10, 30, 300, 900]))


@pytest.mark.parametrize("seed", range(60))
def test_feed_after_random_faults_says_the_truth(seed: int) -> None:
    """After losses, repetitions, gaps, reorganisations and reconnections, two good blocks do."""
    world = World(seed)
    world.connect()
    for _ in range(120):
        world.step()
    if not world.connected:
        world.connect()
    for _ in range(2):
        world.tell(*world.chain.mine(), faulty=False)
        world.pass_time(2_600)
    for item in POOLS:
        said = world.said[item.spec.pool_id]
        assert said.status is PoolStatus.LIVE, said.detail
        assert said.curve == world.chain.truth[item.key]


@pytest.mark.parametrize("seed", range(20))
def test_feed_without_faults_reads_the_contracts_once(seed: int) -> None:
    """On a quiet network logs suffice: one read at the start, then only the truth is said."""
    world = World(seed)
    world.connect()
    world.pass_time(500)
    for _ in range(50):
        world.tell(*world.chain.mine(), faulty=False)
        world.now_ns += 100 * NS_PER_MS
        assert world.feed.take_snapshot_request(world.now_ns) is None
        for symbol, state in world.feed.take_updates(world.now_ns):
            assert state.curve == world.chain.truth[f"{symbol}/{state.pool_id}"]
            assert state.block == world.chain.tip.number
            assert state.block_time_ns == world.chain.tip.time_s * NS_PER_S
    assert world.feed.missed_logs == 0
