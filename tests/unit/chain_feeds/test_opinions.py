"""Nodes that are not followed: what they confirm, what they contradict, and what comes of it."""

import pytest

from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import NS_PER_S
from chain_feeds.feed import ChainFeed, FeedLimits
from chain_feeds.inputs import Head, Opinion, Snapshot
from chain_feeds.opinions import CHAIN, Opinions
from tests.unit.chain_feeds.chains import curve, pool

POOL = pool()
GOOD = curve(1_000_000, 3_000)
OTHER = curve(1_000_000, 3_001)


def head(number: int, fork: str = "a") -> Head:
    """A block of a chain."""
    return Head(number, f"{fork}{number}", f"{fork}{number - 1}", 1_000_000 + number)


class Followed:
    """A feed that follows one of several nodes and was told one good state at block 10."""

    def __init__(self, nodes: int = 2) -> None:
        self.now_ns = NS_PER_S
        self.feed = ChainFeed("base", [POOL], FeedLimits(), self.now_ns, nodes)
        self.newest: PoolState | None = None
        self.feed.receive_connected(self.now_ns)
        self.tell(10)

    def tell(self, number: int) -> None:
        """Tell a block; a read that is wanted is answered, and the other node reads the same."""
        self.feed.receive_head(head(number), self.now_ns)
        self.read(GOOD)

    def read(self, theirs: object) -> None:
        """Answer the read that is wanted, after what another node reads."""
        asked = self.feed.take_snapshot_request(self.now_ns)
        if asked is not None:
            own = Snapshot(asked.number, asked.hash, {POOL.key: GOOD})
            second = Snapshot(asked.number, asked.hash, {POOL.key: theirs})  # type: ignore[dict-item]
            self.feed.receive_second_read(1, own, second, self.now_ns)
            self.feed.receive_snapshot(own, self.now_ns)
        self.pass_time(0.1)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and collect what is said."""
        self.now_ns += int(seconds * NS_PER_S)
        self.feed.tick(self.now_ns)
        for _, state in self.feed.take_updates(self.now_ns):
            self.newest = state

    def opine(self, node: int, fork: str) -> None:
        """Answer the comparison that is wanted now, as a node on a fork does."""
        self.pass_time(1)
        asked = self.feed.take_comparison(self.now_ns)
        assert asked is not None
        answer = f"{fork}{asked.number}" if fork else ""
        self.feed.receive_opinion(Opinion(node, asked.number, answer), self.now_ns)
        self.pass_time(0.1)

    @property
    def status(self) -> PoolStatus:
        """The status last said."""
        assert self.newest is not None
        return self.newest.status


def test_block_that_another_node_contradicts_takes_the_pool_down_until_it_agrees() -> None:
    """DOWN with node and block in one line; LIVE again after agreement, and only after a read."""
    world = Followed()
    world.opine(1, "a")
    assert world.status is PoolStatus.LIVE
    world.tell(11)
    world.opine(1, "b")
    assert world.status is PoolStatus.DOWN
    assert world.newest is not None
    assert world.newest.detail == "node 1 of base contradicts block 11"
    world.tell(12)
    assert world.status is PoolStatus.DOWN
    world.opine(1, "a")
    assert world.status is PoolStatus.STALE
    world.read(GOOD)
    assert world.status is PoolStatus.LIVE


def test_block_that_another_node_does_not_know_yet_is_asked_for_again() -> None:
    """No word is neither agreement nor contradiction."""
    world = Followed()
    world.opine(1, "")
    world.tell(11)
    world.pass_time(1)
    asked = world.feed.take_comparison(world.now_ns)
    assert asked == head(10)
    assert world.status is PoolStatus.LIVE


def test_block_compared_once_is_not_asked_for_again() -> None:
    """A quiet chain costs nothing."""
    world = Followed()
    world.opine(1, "a")
    world.pass_time(1)
    assert world.feed.take_comparison(world.now_ns) is None


def test_feed_of_one_node_compares_nothing() -> None:
    """There is nobody to ask."""
    world = Followed(nodes=1)
    world.pass_time(2)
    assert world.feed.take_comparison(world.now_ns) is None


def test_state_that_another_node_reads_differently_takes_the_pool_down() -> None:
    """The same block with other reserves: DOWN until both read the same."""
    world = Followed()
    world.feed.receive_head(head(15), world.now_ns)  # a gap: the contracts are read again
    world.read(OTHER)
    assert world.status is PoolStatus.DOWN
    assert world.newest is not None
    assert world.newest.detail == "node 1 of base reads another state in block 15"
    world.tell(16)
    assert world.status is PoolStatus.DOWN
    world.pass_time(11)
    world.tell(17)  # by now a read is due again
    assert world.status is PoolStatus.LIVE


@pytest.mark.parametrize("theirs", ["the contract refused to tell its state"])
def test_state_that_another_node_cannot_read_is_no_contradiction(theirs: str) -> None:
    """A node that is broken for itself denies nothing."""
    world = Followed()
    world.feed.receive_head(head(15), world.now_ns)
    world.read(theirs)
    assert world.status is PoolStatus.LIVE


def test_node_that_most_others_contradict_is_left() -> None:
    """Of three, one contradiction is outvoted; two end the connection."""
    world = Followed(nodes=3)
    world.feed.receive_opinion(Opinion(2, 10, "a10"), world.now_ns)
    world.feed.receive_opinion(Opinion(1, 10, "b10"), world.now_ns)
    world.pass_time(0.1)
    assert world.status is PoolStatus.LIVE
    assert world.feed.take_resubscribe() == ""
    world.feed.receive_opinion(Opinion(2, 10, "b10"), world.now_ns)
    world.pass_time(0.1)
    assert world.status is PoolStatus.DOWN
    assert "contradict" in world.feed.take_resubscribe()


def test_contradiction_of_a_node_that_fell_silent_counts_for_90_s() -> None:
    """A node that is gone cannot keep a venue down for ever."""
    opinions = Opinions()
    opinions.note(CHAIN, 1, agrees=False, block=7, now_ns=0)
    assert opinions.dispute(CHAIN, 89 * NS_PER_S) == (1, 7)
    assert opinions.dispute(CHAIN, 90 * NS_PER_S) is None


def test_other_node_is_waited_for_before_the_first_read_only() -> None:
    """So that a lie at the start never reaches the book; later reads are quick."""
    world = Followed()
    assert not world.feed.awaits_confirmation
    world.feed.receive_connected(world.now_ns)
    assert world.feed.awaits_confirmation
    world.tell(11)
    assert not world.feed.awaits_confirmation
