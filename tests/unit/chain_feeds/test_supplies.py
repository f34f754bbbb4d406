"""Tokens' supplies: read at the start and every so many blocks, said with the pools' states."""

from actors.engine.pools.state import PoolState
from actors.engine.units import NS_PER_S
from chain_feeds.feed import ChainFeed, FeedLimits
from chain_feeds.inputs import Head, Snapshot
from tests.unit.chain_feeds.chains import curve, pool

POOL = pool()
SUPPLY = 10**27


class Told:
    """A feed of one pool at block 10, its state said without a supply."""

    def __init__(self) -> None:
        self.now_ns = NS_PER_S
        self.feed = ChainFeed("ethereum", [POOL], FeedLimits(supply_every_blocks=100), self.now_ns)
        assert self.feed.take_supply_request() is None
        self.feed.receive_connected(self.now_ns)
        self.block(10)
        asked = self.feed.take_snapshot_request(self.now_ns)
        assert asked is not None
        read = Snapshot(asked.number, asked.hash, {POOL.key: curve(1_000_000, 3_000)})
        self.feed.receive_snapshot(read, self.now_ns)
        assert [state.base_supply for state in self.said()] == [0]

    def block(self, number: int) -> None:
        """Tell a block."""
        head = Head(number, f"a{number}", f"a{number - 1}", 1_000_000 + number)
        self.feed.receive_head(head, self.now_ns)

    def asked_at(self) -> int:
        """The block at which supplies are wanted, 0 for none."""
        asked = self.feed.take_supply_request()
        return asked.number if asked else 0

    def said(self) -> list[PoolState]:
        """What is said now."""
        return [state for _, state in self.feed.take_updates(self.now_ns + NS_PER_S)]


def test_supply_is_asked_for_at_the_first_block_and_after_so_many() -> None:
    """Not in between; and again on every new connection."""
    told = Told()
    assert [told.asked_at(), told.asked_at()] == [10, 0]
    told.feed.receive_supplies({POOL.key: SUPPLY})
    told.block(109)
    assert told.asked_at() == 0
    told.block(110)
    assert told.asked_at() == 110
    told.feed.receive_connected(told.now_ns)
    told.block(111)
    assert told.asked_at() == 111


def test_supply_that_changes_is_said_with_the_pools_state() -> None:
    """Once; the same supply again is no news."""
    told = Told()
    told.asked_at()
    told.feed.receive_supplies({POOL.key: SUPPLY})
    assert [state.base_supply for state in told.said()] == [SUPPLY]
    told.feed.receive_supplies({POOL.key: SUPPLY})
    assert told.said() == []


def test_supply_that_could_not_be_read_is_asked_for_again_soon() -> None:
    """Ten blocks later, not at once."""
    told = Told()
    told.asked_at()
    told.feed.receive_supplies({})
    told.block(19)
    assert told.asked_at() == 0
    told.block(20)
    assert told.asked_at() == 20


def test_supply_that_no_token_can_have_is_unknown() -> None:
    """A contract that answers 2^128 or more says nothing usable; the pool goes on."""
    told = Told()
    told.asked_at()
    told.feed.receive_supplies({POOL.key: 10**77})
    assert [state.base_supply for state in told.said()] == [0]
