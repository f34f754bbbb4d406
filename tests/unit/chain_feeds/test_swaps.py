"""Swaps that others made: told once each, by names that a reorganisation does not change."""

import pytest

from actors.engine.commands import PoolTraded
from actors.engine.units import NS_PER_S, Side
from chain_feeds.feed import ChainFeed, FeedLimits
from chain_feeds.inputs import Head, PoolEvent, Snapshot, Swap
from tests.unit.chain_feeds.chains import curve, pool

POOLS = [pool(0), pool(1)]
GOOD = curve(1_000_000, 3_000)


class Told:
    """A feed of two pools of one pair, read at block 10."""

    def __init__(self) -> None:
        self.now_ns = NS_PER_S
        self.feed = ChainFeed("ethereum", POOLS, FeedLimits(), self.now_ns)
        self.feed.receive_connected(self.now_ns)
        self.block(10)
        self.read()

    def block(self, number: int, fork: str = "a", parent: str | None = None) -> Head:
        """Tell a block."""
        parent = parent or f"{fork}{number - 1}"
        told = Head(number, f"{fork}{number}", parent, 1_000_000 + number)
        self.feed.receive_head(told, self.now_ns)
        return told

    def read(self) -> None:
        """Answer the read that is wanted."""
        asked = self.feed.take_snapshot_request(self.now_ns)
        assert asked is not None
        curves = {item.key: GOOD for item in POOLS}
        self.feed.receive_snapshot(Snapshot(asked.number, asked.hash, curves), self.now_ns)

    def swap(
        self, at: Head, index: int, transaction: str, *, base: int = 5, number: int = 0
    ) -> PoolEvent:
        """Tell a swap in a pool, and return the log."""
        swapped = Swap(Side.BUY, base, 7, transaction)
        event = PoolEvent(POOLS[number].key, at.number, at.hash, index, None, swap=swapped)
        self.feed.receive_event(event, self.now_ns)
        return event

    def ids(self) -> list[str]:
        """Take the swaps that were not taken yet, by their names."""
        return [swap.command_id for _, swap in self.feed.take_swaps()]


def test_swap_in_a_block_of_the_chain_is_told_once_with_everything() -> None:
    """Repeated logs are one swap; the pool's state and status are not touched by it."""
    told = Told()
    told.feed.take_updates(told.now_ns + NS_PER_S)
    head = told.block(11)
    event = told.swap(head, 3, "0xabc")
    told.feed.receive_event(event, told.now_ns)
    ((symbol, swap),) = told.feed.take_swaps()
    assert symbol == "vaix"
    assert swap == PoolTraded("swap/abc/0", POOLS[0].spec.pool_id, Side.BUY, 0, 5, 0, 7,
                              11, 1_000_011 * NS_PER_S)  # fmt: skip
    assert told.ids() == []
    assert told.feed.take_updates(told.now_ns + NS_PER_S) == []


def test_swap_waits_for_its_block() -> None:
    """A log that comes before its block counts when the block does."""
    told = Told()
    future = Head(11, "a11", "a10", 1_000_011)
    told.swap(future, 0, "0xabc")
    assert told.ids() == []
    told.block(11)
    assert told.ids() == ["swap/abc/0"]


def test_swaps_of_one_transaction_have_names_of_their_own() -> None:
    """Twice through one pool, once through the other, and another transaction."""
    told = Told()
    head = told.block(11)
    told.swap(head, 0, "0xabc")
    told.swap(head, 4, "0xabc")
    told.swap(head, 2, "0xabc", number=1)
    told.swap(head, 9, "0xdef")
    assert told.ids() == ["swap/abc/0", "swap/abc/1", "swap/abc/1000", "swap/def/0"]


def test_swap_in_a_block_that_replaces_another_keeps_its_name() -> None:
    """The pair knows it by that; a swap that is new in the other block has a new one."""
    told = Told()
    told.swap(told.block(11), 5, "0xabc")
    other = told.block(11, fork="b", parent="a10")
    told.swap(other, 0, "0xdef")
    told.swap(other, 2, "0xabc")
    assert told.ids() == ["swap/abc/0", "swap/def/0", "swap/abc/0"]


def test_swap_in_a_block_that_is_not_the_chains_is_not_told() -> None:
    """A log of a block that nobody confirmed is dropped with it."""
    told = Told()
    told.swap(Head(11, "evil", "a10", 0), 0, "0xabc")
    told.block(11)
    told.block(12)
    assert told.ids() == []


@pytest.mark.parametrize("amount", [0, -5, 2**128, 10**77])
def test_swap_of_an_impossible_amount_is_not_told(amount: int) -> None:
    """What no pool can pay never reaches a tape."""
    told = Told()
    told.swap(told.block(11), 0, "0xabc", base=amount)
    assert told.ids() == []
