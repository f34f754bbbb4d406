"""What a further head means next to the last one."""

from chain_feeds.heads import Heads, Verdict
from chain_feeds.inputs import Head


def test_head_of_the_last_ones_child_is_next_whatever_its_number() -> None:
    """Solana leaves numbers out: a slot can pass without a block."""
    heads = Heads()
    assert heads.accept(Head(7, "0x7", "", 0)) is Verdict.FIRST
    assert heads.accept(Head(9, "0x9", "0x7", 0)) is Verdict.NEXT
    assert heads.holds(7, "0x7")
    assert heads.holds(9, "0x9")
    assert not heads.holds(8, "0x8")


def test_head_further_on_with_another_parent_is_a_gap() -> None:
    """What lies between was never told."""
    heads = Heads()
    heads.accept(Head(7, "0x7", "", 0))
    assert heads.accept(Head(9, "0x9", "0x8", 0)) is Verdict.GAP
    assert not heads.holds(7, "0x7")
