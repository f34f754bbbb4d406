"""A pool whose logs only change its state: nothing is applied to what is not known."""

from actors.engine.pools.state import ConstantProduct, CurveState
from chain_feeds.inputs import FEE_READ, Applied, Change, PoolEvent
from chain_feeds.pool_track import READ, Known, PoolTrack
from tests.unit.chain_feeds.chains import pool

TOLD_NS = 1_000


def track() -> PoolTrack:
    """A pool of which nothing is known."""
    return PoolTrack(pool(), 300_000, 0)


def known(base: int, quote: int, block: int) -> Known:
    """A state read at a block."""
    return Known(ConstantProduct.of(base, quote, 3, 1000), block, f"0x{block}", 0, READ)


def more(base: int, *, read_again: bool = False) -> Change:
    """A change that adds base."""

    def change(before: CurveState) -> Applied:
        assert isinstance(before, ConstantProduct)
        after = before.with_reserves(before.reserve_base + base, before.reserve_quote)
        return Applied(after, read_again)

    return change


def event(block: int, change: Change, index: int = 0) -> PoolEvent:
    """A log that makes a change."""
    return PoolEvent("p", block, f"0x{block}", index, None, change=change)


def read(of: PoolTrack, at: Known) -> bool:
    """Let a track read a state."""
    return of.read(at.curve, at, TOLD_NS)


def base_of(of: PoolTrack) -> int:
    """The base that a track knows."""
    assert of.known is not None
    assert isinstance(of.known.curve, ConstantProduct)
    return of.known.curve.reserve_base


def test_changes_are_applied_in_order_and_each_once() -> None:
    """A log of the block that was read is in the read; one that comes twice counts once."""
    one = track()
    assert not read(one, known(1_000, 1_000, 5))
    for change in (event(5, more(7)), event(6, more(10)), event(6, more(10)), event(6, more(1), 1)):
        assert not one.told(change, 0, TOLD_NS)
    assert base_of(one) == 1_011


def test_change_before_anything_is_known_asks_for_a_read_of_its_block_or_later() -> None:
    """An older read would be without it."""
    one = track()
    assert one.told(event(7, more(10)), 0, TOLD_NS)
    assert read(one, known(1_000, 1_000, 6))
    assert one.known is None
    assert not read(one, known(1_010, 1_000, 7))
    assert base_of(one) == 1_010


def test_change_that_does_not_tell_enough_asks_for_a_read() -> None:
    """Until then the state is uncertain."""
    one = track()
    read(one, known(1_000, 1_000, 5))
    assert one.told(event(6, lambda _: Applied(None)), 0, TOLD_NS)
    assert one.unsure_since_ns == TOLD_NS
    assert read(one, known(1_000, 1_000, 5))
    assert not read(one, known(900, 1_000, 6))
    assert one.unsure_since_ns is None


def test_state_whose_ticks_end_near_counts_and_asks_for_a_read() -> None:
    """It is right, and soon will not do."""
    one = track()
    read(one, known(1_000, 1_000, 5))
    assert one.told(event(6, more(10, read_again=True)), 0, TOLD_NS)
    assert base_of(one) == 1_010
    assert one.unsure_since_ns is None


def test_chain_that_changes_forgets_what_a_log_of_it_asked_for() -> None:
    """The new chain may be shorter than the block of that log."""
    one = track()
    one.told(event(9, more(10)), 0, TOLD_NS)
    one.lose(TOLD_NS)
    assert not read(one, known(1_000, 1_000, 6))


def test_fee_of_a_block_leaves_room_for_the_logs_of_that_block() -> None:
    """It may be told before them, and changes no position in the chain."""
    one = track()
    read(one, known(1_000, 1_000, 5))
    assert not one.told(event(6, more(100), FEE_READ), 0, TOLD_NS)
    assert not one.told(event(6, more(10)), 0, TOLD_NS)
    assert base_of(one) == 1_110
    one.dirty = False
    one.told(event(4, more(1), FEE_READ), 0, TOLD_NS)
    one.told(event(7, more(0), FEE_READ), 0, TOLD_NS)
    assert (base_of(one), one.dirty) == (1_110, False)
