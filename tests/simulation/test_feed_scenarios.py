"""Feeds on make-believe chains where everything goes wrong: in the end the book is the truth."""

import os
from random import Random

import pytest

from actors.engine.hybrid import HybridDepth, HybridLevel
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import NS_PER_MS, NS_PER_S, Side
from chain_feeds.feed import ChainFeed, FeedLimits
from chain_feeds.inputs import Head, Opinion, PoolEvent
from chain_feeds.missed import Gap
from tests.unit.chain_feeds.chains import FakeChain, pool

SEEDS = 500 if os.environ.get("TANDEM_LONG") else 60
POOLS = [pool(0), pool(1), pool(2)]
PAIR = PairSpec(
    symbol="vaix",
    base=AssetSpec("VAIX", 6),
    quote=AssetSpec("USDC", 6),
    tick_size="0.000001",
    lot_size="1",
    pools=tuple(item.spec for item in POOLS),
)


class World:
    """A feed, its nodes, and a network between them that loses, repeats, delays and reorders.

    With two nodes, one is followed until its connection breaks, then the other; each may come to
    believe in another chain for a while.
    """

    def __init__(self, seed: int, nodes: int = 1) -> None:
        self.random = Random(seed)
        # One pool in three tells only what changed, as minted and burned liquidity is told.
        self.views = [FakeChain(POOLS, seed, [POOLS[1].key])] * nodes
        self.followed = 0
        self.contradicted = False
        """Whether the node that is not followed contradicted when it was last asked."""
        self.disputes = 0
        self.now_ns = NS_PER_S
        limits = FeedLimits(missed_blocks_max=1_000)
        self.feed = ChainFeed("ethereum", POOLS, limits, self.now_ns, nodes)
        self.said: dict[str, PoolState] = {}
        self.told: list[str | int] = []
        """Swaps by their names, and the blocks of the states said LIVE, in the order of telling."""
        self.answers: list[tuple[Head, Gap | None]] = []
        self.unanswered = 0
        self.unanswered_share = 0.3
        """How often the node does not tell what swaps were missed."""
        self.connected = False

    @property
    def chain(self) -> FakeChain:
        """The chain as the followed node sees it."""
        return self.views[self.followed]

    @property
    def other(self) -> FakeChain:
        """The chain as the other node sees it."""
        return self.views[self.followed - 1]

    def connect(self) -> None:
        """Connect to the next node and learn the newest block, as a source does."""
        self.connected = True
        self.followed = (self.followed + 1) % len(self.views)
        self.contradicted = False
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
                self.answers.append((request, self.feed.take_missed_request()))
            if self.answers and self.random.random() < 0.7:
                self.answer(*self.answers.pop(0))
            if self.connected:
                self.compare()
            self.told += [swap.command_id for _, swap in self.feed.take_swaps()]
            for _, state in self.feed.take_updates(self.now_ns):
                self.said[state.pool_id] = state
                self.told += [state.block] if state.status is PoolStatus.LIVE else []
            if self.contradicted:
                assert all(s.status is not PoolStatus.LIVE for s in self.said.values())

    def compare(self) -> None:
        """Let the other node say what it knows of a block; sometimes it does not answer."""
        head = self.feed.take_comparison(self.now_ns)
        if head is None or self.random.random() < 0.2:
            return
        theirs = self.other.hash_at(head.number)
        self.feed.receive_opinion(Opinion(self.followed ^ 1, head.number, theirs), self.now_ns)
        ours = self.chain.hash_at(head.number)
        if theirs and ours == head.hash:
            self.disputes += theirs != ours and not self.contradicted
            self.contradicted = theirs != ours

    def answer(self, head: Head, gap: Gap | None) -> None:
        """Answer a read from the chain as it is by now, after the swaps that were missed."""
        if gap is not None:
            # Given up after five times in a row, which would be no fault of the feed's.
            fails = self.random.random() < self.unanswered_share
            self.unanswered = (self.unanswered + 1) % 4 if fails else 0
            told = None if self.unanswered else self.chain.missed(gap)
            self.feed.receive_missed(told, self.now_ns)
        snapshot = self.chain.snapshot(head)
        if snapshot is None or self.random.random() < 0.1:
            self.feed.receive_snapshot_failure(head.hash, self.now_ns)
        else:
            second = self.other.snapshot(head)
            if second is not None and len(self.views) > 1:
                node = self.followed ^ 1
                self.feed.receive_second_read(node, snapshot, second, self.now_ns)
            self.feed.receive_snapshot(snapshot, self.now_ns)

    def split_or_heal(self) -> None:
        """Let one node believe in another chain, or both in one again."""
        node = self.random.randrange(2)
        if self.views[0] is self.views[1]:
            seed, depth = self.random.randrange(1_000), self.random.randint(1, 5)
            self.views[node] = self.views[node].split(seed, depth)
        else:
            self.views[node] = self.views[node - 1]
        self.tell(*self.chain.mine(), faulty=True)

    def step(self) -> None:
        """One thing happens."""
        if self.other is not self.chain:
            self.other.mine()
        chance = self.random.random()
        if chance < 0.03 and self.connected:
            self.disconnect()
        elif not self.connected:
            self.chain.mine()
            if chance < 0.5:
                self.connect()
        elif chance > 0.95 and len(self.views) > 1:
            self.split_or_heal()
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


def book(states: list[PoolState]) -> list[list[HybridLevel]]:
    """Draw both sides of the hybrid book that these states make."""
    depth = HybridDepth(PAIR)
    for state in states:
        depth.update(state)
    return [depth.levels(side, ()) for side in Side]


def fresh(chain: FakeChain) -> list[PoolState]:
    """Read every pool at the newest block."""
    tip = chain.tip
    return [
        PoolState(item.spec.pool_id, PoolStatus.LIVE, chain.truth[item.key], tip.number, 0)
        for item in POOLS
    ]


@pytest.mark.parametrize("nodes", [1, 2])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_feed_after_random_faults_makes_the_book_of_a_fresh_snapshot(seed: int, nodes: int) -> None:
    """After losses, gaps, reorganisations, reconnections and quarrels, two good blocks do."""
    world = World(seed, nodes)
    world.connect()
    for _ in range(120):
        world.step()
    world.views = [world.chain] * nodes
    if not world.connected:
        world.connect()
    for _ in range(2):
        world.tell(*world.chain.mine(), faulty=False)
        world.pass_time(2_600)
    said = [world.said[item.spec.pool_id] for item in POOLS]
    assert [state.status for state in said] == [PoolStatus.LIVE] * len(POOLS), said
    bids, asks = book(said)
    assert min(len(bids), len(asks)) >= 40
    assert [bids, asks] == book(fresh(world.chain))
    swaps = [told for told in world.told if isinstance(told, str)]
    assert len(set(swaps)) == len(swaps)
    # Two nodes may have been on two chains for longer than a feed looks back.
    assert nodes > 1 or set(swaps) >= set(world.chain.swap_names())


@pytest.mark.parametrize("seed", range(20))
def test_swaps_made_while_no_node_answered_are_told_in_order_before_the_state(seed: int) -> None:
    """Connections break and come back; every swap is told once, and no state before its swaps."""
    world = World(seed)
    world.unanswered_share = 0.0
    world.connect()
    for _ in range(60):
        if world.connected and world.random.random() < 0.2:
            world.disconnect()
        elif not world.connected and world.random.random() < 0.3:
            world.connect()
            world.pass_time(3_000)
        world.tell(*world.chain.mine(), faulty=False)
        world.pass_time(world.random.choice([10, 30, 900]))
    if not world.connected:
        world.connect()
    world.pass_time(9_000)
    swaps: list[str] = []
    for told in world.told:
        if isinstance(told, str):
            swaps.append(told)
        else:
            assert len(swaps) >= sum(len(logs) for logs in world.chain.logs[: told + 1])
    assert swaps == world.chain.swap_names()


def test_scenarios_of_two_nodes_have_quarrels() -> None:
    """The scenarios above would be worth little if the nodes never disagreed."""
    disputes = 0
    for seed in range(10):
        world = World(seed, nodes=2)
        world.connect()
        for _ in range(120):
            world.step()
        disputes += world.disputes
    assert disputes >= 10


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
