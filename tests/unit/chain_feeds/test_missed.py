"""Blocks whose swaps may not have been told: how far back they are asked for, and how often."""

from chain_feeds.missed import Gap, MissedBlocks


def begun(blocks_max: int = 100) -> MissedBlocks:
    """Blocks of a feed that first heard of block 1,000."""
    missed = MissedBlocks(blocks_max)
    missed.begin(1_000)
    missed.begin(1_500)
    return missed


def test_missed_blocks_begin_a_little_before_the_last_that_was_told() -> None:
    """A reorganisation may have replaced those; the feed's first block and older are not owed."""
    missed = begun()
    missed.owe(1_050)
    assert missed.ask(1_060) == Gap(1_034, 1_060)
    assert missed.are_owed
    assert missed.ask(1_060) is None
    missed.answered()
    assert not missed.are_owed
    missed.owe(1_005)
    assert missed.ask(1_060) == Gap(1_001, 1_060)


def test_missed_blocks_too_far_back_are_left_out_and_counted() -> None:
    """The newest are asked for."""
    missed = begun()
    missed.owe(1_050)
    assert missed.ask(2_033) == Gap(1_934, 2_033, 900)


def test_missed_blocks_of_a_node_that_lags_are_nothing() -> None:
    """Whatever it has was told, and the rest is to come."""
    missed = begun()
    missed.owe(1_050)
    assert missed.ask(1_020) is None
    assert not missed.are_owed


def test_missed_blocks_are_asked_for_again_on_a_new_connection() -> None:
    """No answer comes from the old one; a gap that was told of meanwhile is included."""
    missed = begun()
    missed.owe(1_050)
    missed.ask(1_060)
    missed.start_over()
    missed.owe(1_030)
    assert missed.ask(1_070) == Gap(1_014, 1_070)


def test_missed_blocks_that_nobody_tells_are_given_up_after_five_tries() -> None:
    """Newer swaps wait no longer; an answer in between begins the count anew."""
    missed = begun()
    missed.owe(1_050)
    for tries in (4, 5):
        for _ in range(tries - 1):
            assert missed.ask(1_060) == Gap(1_034, 1_060)
            assert missed.failed()
        assert missed.ask(1_060) is not None
        if tries == 4:
            missed.answered()
            missed.owe(1_050)
        else:
            assert not missed.failed()
    assert not missed.are_owed


def test_missed_blocks_are_never_owed_where_none_are_asked_for() -> None:
    """On Solana, or where the configuration says so; and before the first block."""
    missed = begun(0)
    missed.owe(1_050)
    assert not missed.are_owed
    fresh = MissedBlocks(100)
    fresh.owe(5)
    assert not fresh.are_owed
