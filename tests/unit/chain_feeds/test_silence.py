"""A chain that says nothing: its depth ends at the bound, to the nanosecond, and is said once."""

from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import NS_PER_MS, NS_PER_S
from chain_feeds.feed import ChainFeed, FeedLimits
from tests.unit.chain_feeds.chains import FakeChain, pool

POOLS = [pool(0), pool(1)]


class Listener:
    """A feed on a chain that is followed until it falls silent."""

    def __init__(self) -> None:
        self.chain = FakeChain(POOLS, seed=1)
        self.now_ns = NS_PER_S
        self.feed = ChainFeed("ethereum", POOLS, FeedLimits(), self.now_ns, 1)
        self.feed.receive_connected(self.now_ns)
        self.feed.receive_head(self.chain.tip, self.now_ns)
        asked = self.feed.take_snapshot_request(self.now_ns)
        assert asked is not None
        snapshot = self.chain.snapshot(asked)
        assert snapshot is not None
        self.feed.receive_snapshot(snapshot, self.now_ns)

    def after(self, nanoseconds: int) -> list[PoolState]:
        """Let time pass; gives what is said then."""
        self.now_ns += nanoseconds
        self.feed.tick(self.now_ns)
        return [state for _, state in self.feed.take_updates(self.now_ns)]


def test_feed_without_a_block_is_live_up_to_the_bound_and_stale_from_it_on() -> None:
    """Five seconds after the last block, not one nanosecond later; every pool once."""
    listener = Listener()
    said = listener.after(NS_PER_S)
    assert [state.status for state in said] == [PoolStatus.LIVE] * len(POOLS)
    assert listener.after(4 * NS_PER_S - 1) == []
    said = listener.after(1)
    assert [state.status for state in said] == [PoolStatus.STALE] * len(POOLS)
    assert {state.detail for state in said} == {"no block of ethereum for 5 s"}
    for _ in range(40):
        assert listener.after(100 * NS_PER_MS) == []


def test_next_block_after_the_silence_makes_pools_live() -> None:
    """With what it tells, as if nothing had been."""
    listener = Listener()
    listener.after(6 * NS_PER_S)
    head, events = listener.chain.mine()
    listener.feed.receive_head(head, listener.now_ns)
    for event in events:
        listener.feed.receive_event(event, listener.now_ns)
    said = {state.pool_id: state for state in listener.after(NS_PER_S)}
    assert {state.status for state in said.values()} == {PoolStatus.LIVE}
    assert set(said) == {item.spec.pool_id for item in POOLS}
