"""Impossible states, prices that jump, blocks that go back: nothing false is said."""

import pytest

from actors.engine.pools.state import ConstantProduct, CurveState, PoolState, PoolStatus
from actors.engine.units import NS_PER_MS, NS_PER_S
from chain_feeds.feed import ChainFeed, FeedLimits
from chain_feeds.inputs import Applied, Head, PoolEvent, Snapshot
from tests.unit.chain_feeds.chains import curve, pool

POOL = pool()
GOOD = curve(1_000_000, 3_000)


def head(number: int, fork: str = "a", parent: str | None = None) -> Head:
    """A block of a chain; its parent is the block before on the same fork."""
    return Head(number, f"{fork}{number}", parent or f"{fork}{number - 1}", 1_000_000 + number)


class Told:
    """A feed of one pool that was told one good state at block 10."""

    def __init__(self) -> None:
        self.now_ns = NS_PER_S
        self.feed = ChainFeed("ethereum", [POOL], FeedLimits(), self.now_ns)
        self.said: list[PoolState] = []
        self.feed.receive_connected(self.now_ns)
        self.feed.receive_head(head(10), self.now_ns)
        assert self.answer(GOOD)
        assert self.newest.status is PoolStatus.LIVE

    @property
    def newest(self) -> PoolState:
        """What was last said."""
        return self.said[-1]

    def answer(self, read: ConstantProduct | str) -> bool:
        """Answer the read that is wanted; False where none is."""
        request = self.feed.take_snapshot_request(self.now_ns)
        if request is not None:
            held = Snapshot(request.number, request.hash, {POOL.key: read})
            self.feed.receive_snapshot(held, self.now_ns)
        self.pass_time(50 * NS_PER_MS)
        return request is not None

    def block(self, number: int, told: ConstantProduct | None, problem: str = "") -> None:
        """Tell a block with one log of the pool."""
        block = head(number)
        self.feed.receive_head(block, self.now_ns)
        event = PoolEvent(POOL.key, number, block.hash, 0, told, problem)
        self.feed.receive_event(event, self.now_ns)
        self.pass_time(50 * NS_PER_MS)

    def pass_time(self, nanoseconds: int) -> None:
        """Let time pass, and collect what is said."""
        self.now_ns += nanoseconds
        self.feed.tick(self.now_ns)
        self.said += [state for _, state in self.feed.take_updates(self.now_ns)]


IMPOSSIBLE = [
    ConstantProduct.of(0, 10**21, 3, 1000),
    ConstantProduct.of(10**24, 0, 3, 1000),
    ConstantProduct.of(2**112, 10**21, 3, 1000),
    ConstantProduct.of(10**24, 2**112, 3, 1000),
]


@pytest.mark.parametrize("bad", IMPOSSIBLE)
def test_log_of_an_impossible_state_takes_the_pool_down(bad: ConstantProduct) -> None:
    """Zero and more than uint112: DOWN at once with a reason, and the bad reserves are not said."""
    told = Told()
    told.block(11, bad)
    assert told.newest.status is PoolStatus.DOWN
    assert told.newest.detail
    assert told.newest.curve == GOOD


@pytest.mark.parametrize("bad", [*IMPOSSIBLE, "the contract refused to tell its state"])
def test_read_of_an_impossible_state_takes_the_pool_down(bad: ConstantProduct | str) -> None:
    """A contract that answers nonsense is no pool, whoever asks."""
    told = Told()
    told.feed.receive_head(head(15), told.now_ns)  # a gap: the contract is read again
    assert told.answer(bad)
    assert told.newest.status is PoolStatus.DOWN
    assert told.newest.curve == GOOD


def test_log_that_cannot_be_decoded_takes_the_pool_down_with_its_reason() -> None:
    """The decoder's line is shown."""
    told = Told()
    told.block(11, None, "a Sync log has 3 bytes, expected 64")
    assert told.newest.status is PoolStatus.DOWN
    assert told.newest.detail == "a Sync log has 3 bytes, expected 64"


def test_pool_that_was_told_nonsense_is_live_after_the_hold_and_a_clean_read() -> None:
    """It stays DOWN for ten seconds whatever logs say, then a read of the contract frees it."""
    told = Told()
    told.block(11, None, "nonsense")
    for number in range(12, 21):
        told.pass_time(NS_PER_S)
        told.block(number, GOOD)
        told.answer(GOOD)
        assert told.newest.status is PoolStatus.DOWN
    for number in range(21, 25):
        told.pass_time(5 * NS_PER_S)
        told.block(number, GOOD)
        told.answer(GOOD)
    assert told.newest.status is PoolStatus.LIVE
    assert told.newest.detail == ""


@pytest.mark.parametrize("after", [curve(1_000_000, 6_000), curve(1_000_000, 1_000)])
def test_price_that_jumps_is_said_when_a_read_confirms_it(after: ConstantProduct) -> None:
    """A doubled price, or a third of it, is doubted until the contract says the same."""
    told = Told()
    told.block(11, after)
    assert (told.newest.status, told.newest.curve) == (PoolStatus.STALE, GOOD)
    assert told.answer(after)
    assert told.newest.curve == after
    assert told.newest.status is PoolStatus.LIVE


def test_price_that_jumps_and_is_denied_takes_the_pool_down() -> None:
    """A log that its own block's state contradicts is poison."""
    told = Told()
    told.block(11, curve(1_000_000, 9_000))
    assert told.answer(GOOD)
    assert told.newest.status is PoolStatus.DOWN
    assert "contradicts" in told.newest.detail
    assert told.newest.curve == GOOD


def test_log_of_an_earlier_block_changes_nothing() -> None:
    """Late and repeated logs never take a pool back."""
    told = Told()
    newer = curve(1_010_000, 2_971)
    told.block(11, newer)
    said = len(told.said)
    told.feed.receive_event(PoolEvent(POOL.key, 10, "a10", 5, GOOD), told.now_ns)
    told.pass_time(50 * NS_PER_MS)
    assert len(told.said) == said
    assert told.newest.curve == newer


def test_head_that_goes_back_is_a_reorganisation_and_is_read() -> None:
    """A block of a smaller number with another hash: the old states count for nothing."""
    told = Told()
    told.block(11, curve(1_010_000, 2_971))
    told.feed.receive_head(head(9, fork="b"), told.now_ns)
    assert told.feed.reorgs == 1
    elder = curve(990_000, 3_031)
    assert told.answer(elder)
    assert told.newest.curve == elder
    assert told.newest.block == 9


def impossible(number: int = 11, time_s: int = 1_000_011) -> Head:
    """A block of numbers that no chain has."""
    return Head(number, "evil", "a10", time_s)


@pytest.mark.parametrize(
    "bad", [impossible(10**77), impossible(2**63), impossible(-1), impossible(time_s=2**34)]
)
def test_block_of_impossible_numbers_takes_the_pool_down_until_a_good_one(bad: Head) -> None:
    """What 64 bits cannot hold never reaches a pair; the node is left for another one."""
    told = Told()
    told.feed.receive_head(bad, told.now_ns)
    told.pass_time(50 * NS_PER_MS)
    assert (told.newest.status, told.newest.block) == (PoolStatus.DOWN, 10)
    assert told.newest.detail == "the node tells of an impossible block"
    assert told.feed.take_resubscribe() == told.newest.detail
    told.feed.receive_connected(told.now_ns)
    told.feed.receive_head(head(11), told.now_ns)
    assert told.answer(GOOD)
    assert told.newest.status is PoolStatus.LIVE


def test_height_that_goes_back_further_than_any_reorganisation_is_not_believed() -> None:
    """DOWN with both numbers, on new connections too, until the node has caught up."""
    told = Told()
    told.feed.receive_head(head(1_000), told.now_ns)
    assert told.answer(GOOD)
    for number in (700, 701):
        told.feed.receive_connected(told.now_ns)
        told.feed.receive_head(head(number, fork="b"), told.now_ns)
        assert not told.answer(curve(1, 1))
        assert (told.newest.status, told.newest.block) == (PoolStatus.DOWN, 1_000)
        assert told.newest.detail == "the node went back from block 1000 to 700"
        assert told.feed.take_resubscribe()
    told.feed.receive_head(head(744, fork="c"), told.now_ns)
    assert told.newest.status is PoolStatus.DOWN
    assert told.answer(GOOD)
    assert (told.newest.status, told.newest.block) == (PoolStatus.LIVE, 744)


def test_log_of_a_pool_that_is_not_listed_is_ignored() -> None:
    """A node that sends too much does no harm."""
    told = Told()
    said = len(told.said)
    told.feed.receive_event(PoolEvent("vaix/ethereum:0x0", 10, "a10", 0, GOOD), told.now_ns)
    told.pass_time(50 * NS_PER_MS)
    assert len(told.said) == said


def test_pool_whose_fault_is_over_is_read_and_live() -> None:
    """A contract that was not there counts as soon as it was found and read."""
    told = Told()
    told.feed.receive_fault(POOL.key, "no contract at 0xa0")
    told.pass_time(50 * NS_PER_MS)
    assert (told.newest.status, told.newest.detail) == (PoolStatus.DOWN, "no contract at 0xa0")
    told.feed.receive_fault_over(POOL.key, told.now_ns)
    after = curve(1_010_000, 2_971)
    assert told.answer(after)
    assert told.newest.status is PoolStatus.LIVE
    assert told.newest.curve == after


def grow(base: int) -> PoolEvent:
    """A log of block 11 that says only that the reserve of base tokens grew."""

    def grown(before: CurveState) -> Applied:
        assert isinstance(before, ConstantProduct)
        return Applied(before.with_reserves(before.reserve_base + base, before.reserve_quote))

    return PoolEvent(POOL.key, 11, "a11", 0, None, change=grown)


def test_log_that_says_only_a_change_is_applied_once_to_what_is_known() -> None:
    """A repetition changes nothing more."""
    told = Told()
    told.feed.receive_head(head(11), told.now_ns)
    for _ in range(2):
        told.feed.receive_event(grow(10**18), told.now_ns)
        told.pass_time(50 * NS_PER_MS)
    assert told.newest.curve == GOOD.with_reserves(GOOD.reserve_base + 10**18, GOOD.reserve_quote)
    assert told.newest.block == 11


def test_log_that_says_only_a_change_is_not_applied_to_a_state_that_was_lost() -> None:
    """The contract is read instead, at a block that holds the change."""
    told = Told()
    told.feed.receive_connected(told.now_ns)
    told.feed.receive_head(head(10), told.now_ns)
    told.feed.receive_head(head(11), told.now_ns)
    told.feed.receive_event(grow(10**18), told.now_ns)
    after = GOOD.with_reserves(GOOD.reserve_base + 10**18, GOOD.reserve_quote)
    assert told.answer(after)
    assert told.newest.curve == after


def test_change_to_an_impossible_state_takes_the_pool_down() -> None:
    """What was known stays what is said."""
    told = Told()
    told.feed.receive_head(head(11), told.now_ns)
    told.feed.receive_event(grow(-GOOD.reserve_base), told.now_ns)
    told.pass_time(50 * NS_PER_MS)
    assert (told.newest.status, told.newest.curve) == (PoolStatus.DOWN, GOOD)


def test_log_that_says_nothing_changes_nothing() -> None:
    """A flash swap that was paid back in its own token trades nothing, and is no poison."""
    told = Told()
    said = len(told.said)
    told.block(11, None)
    assert len(told.said) == said
    assert told.newest.status is PoolStatus.LIVE


def test_change_that_comes_after_a_later_log_of_its_block_is_read_instead() -> None:
    """It is in no state: the contract is asked; a repetition of what was applied is not."""
    told = Told()
    told.feed.receive_head(head(11), told.now_ns)
    told.feed.receive_event(grow(10**18)._replace(log_index=5), told.now_ns)
    told.feed.receive_event(grow(10**18)._replace(log_index=5), told.now_ns)
    assert not told.answer(GOOD)
    told.feed.receive_event(grow(10**18)._replace(log_index=2), told.now_ns)
    after = GOOD.with_reserves(GOOD.reserve_base + 2 * 10**18, GOOD.reserve_quote)
    assert told.answer(after)
    assert told.newest.curve == after


def test_log_that_a_block_promised_is_missed_whatever_other_blocks_bring() -> None:
    """Neither an old log that is repeated nor the next block's stands for it."""
    told = Told()
    first, second = (head(n)._replace(touched=frozenset({POOL.key})) for n in (11, 12))
    told.feed.receive_head(first, told.now_ns)
    told.feed.receive_event(PoolEvent(POOL.key, 10, "a10", 5, GOOD), told.now_ns)
    told.feed.receive_head(second, told.now_ns)
    told.feed.receive_event(PoolEvent(POOL.key, 12, "a12", 0, GOOD), told.now_ns)
    told.pass_time(600 * NS_PER_MS)
    assert told.answer(GOOD)
    told.pass_time(600 * NS_PER_MS)
    assert not told.answer(GOOD)
