"""A node that cannot be asked about the past answers from a later block than asked for."""

from actors.engine.pools.state import PoolState
from actors.engine.units import NS_PER_S
from chain_feeds.feed import ChainFeed, FeedLimits
from chain_feeds.inputs import Head, PoolEvent, Snapshot
from tests.unit.chain_feeds.chains import curve, pool

POOL = pool()


class Told:
    """A feed of one pool at slot 10, which was asked for a read."""

    def __init__(self, nodes: int = 1) -> None:
        self.now_ns = NS_PER_S
        self.feed = ChainFeed("solana", [POOL], FeedLimits(), self.now_ns, nodes)
        self.feed.receive_connected(self.now_ns)
        self.slot(10, "")
        asked = self.feed.take_snapshot_request(self.now_ns)
        assert asked is not None
        self.asked = asked

    def slot(self, number: int, parent: str) -> None:
        """Tell a slot."""
        self.feed.receive_head(Head(number, f"{number:#x}", parent, 1_000_000), self.now_ns)

    def event(self, slot: int, quote: int) -> None:
        """Tell a state of a slot."""
        told = PoolEvent(POOL.key, slot, f"{slot:#x}", slot, curve(1_000_000, quote))
        self.feed.receive_event(told, self.now_ns)

    def read(self, slot: int, quote: int) -> Snapshot:
        """The answer, from a later slot."""
        snapshot = Snapshot(slot, self.asked.hash, {POOL.key: curve(1_000_000, quote)})
        self.feed.receive_snapshot(snapshot, self.now_ns)
        return snapshot

    def said(self) -> list[PoolState]:
        """What is said now."""
        return [state for _, state in self.feed.take_updates(self.now_ns + NS_PER_S)]


def test_read_of_a_later_slot_is_dated_there() -> None:
    """Its block is the later one; of that one no hash is known."""
    told = Told()
    told.read(13, 3_010)
    (state,) = told.said()
    assert (state.block, state.block_hash) == (13, "")
    assert state.curve == curve(1_000_000, 3_010)


def test_event_of_a_slot_before_the_later_read_changes_nothing() -> None:
    """The read holds it; the state does not go back. One after it counts."""
    told = Told()
    told.read(13, 3_010)
    told.said()
    for slot in (12, 13):
        told.slot(slot, f"{10 if slot == 12 else 12:#x}")
        told.event(slot, 3_005)
    assert told.said() == []
    told.slot(15, f"{13:#x}")
    told.event(15, 3_020)
    (state,) = told.said()
    assert (state.block, state.curve) == (15, curve(1_000_000, 3_020))
    assert told.feed.missed_logs == 0
    assert told.feed.gaps == 0


def test_second_nodes_read_of_another_slot_contradicts_nothing() -> None:
    """States of different slots may differ."""
    told = Told(nodes=2)
    own = told.read(13, 3_010)
    other = Snapshot(12, own.block_hash, {POOL.key: curve(1_000_000, 3_000)})
    told.feed.receive_second_read(1, own, other, told.now_ns)
    assert {state.detail for state in told.said()} == {""}
    same = Snapshot(13, own.block_hash, {POOL.key: curve(1_000_000, 3_000)})
    told.feed.receive_second_read(1, own, same, told.now_ns)
    assert {state.detail for state in told.said()} != {""}


def test_read_that_confirms_what_an_event_said_is_not_said_again() -> None:
    """Event and read are of one slot and one state: one word to the pair, whatever came first."""
    told = Told()
    told.read(13, 3_010)
    told.said()
    told.slot(14, f"{10:#x}")
    told.event(14, 3_020)
    assert [state.block for state in told.said()] == [14]
    told.asked = Head(14, f"{14:#x}", "", 0)
    told.feed.receive_connected(told.now_ns)
    told.slot(14, "")
    assert told.feed.take_snapshot_request(told.now_ns) is not None
    told.read(14, 3_020)
    assert told.said() == []
    told.slot(15, f"{14:#x}")
    told.event(15, 3_020)
    assert [state.block for state in told.said()] == [15]
