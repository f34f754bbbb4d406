"""The newest blocks of a chain as a node told them, and what a further one means."""

from enum import Enum, auto

from chain_feeds.inputs import Head

_KEPT = 256
"""Deeper reorganisations are not looked into: the whole state is read again anyway."""


class Verdict(Enum):
    """What a head is, next to those before it."""

    FIRST = auto()
    NEXT = auto()
    SAME = auto()
    """Known already: repeated, or from a node that lags behind the one that spoke before."""
    GAP = auto()
    """Blocks between the last one and this one were never told."""
    REORG = auto()
    """Blocks that were told are no longer part of the chain."""


class Heads:
    """The chain from the oldest block kept to the newest, without a gap."""

    def __init__(self) -> None:
        self._by_number: dict[int, Head] = {}
        self.newest: Head | None = None

    def clear(self) -> None:
        """Forget everything."""
        self._by_number.clear()
        self.newest = None

    def accept(self, head: Head) -> Verdict:
        """Take a head in, and say what it means."""
        last = self.newest
        if last is None:
            verdict = Verdict.FIRST
        elif self.holds(head.number, head.hash):
            return Verdict.SAME
        elif head.number > last.number and head.parent_hash == last.hash:
            # Numbers may be left out: on Solana a slot can pass without a block.
            verdict = Verdict.NEXT
        elif head.number > last.number + 1:
            verdict = Verdict.GAP
            self._by_number.clear()
        else:
            verdict = Verdict.REORG
            self._cut(head)
        self._by_number[head.number] = head
        self._by_number.pop(head.number - _KEPT, None)
        self.newest = head
        return verdict

    def holds(self, number: int, block_hash: str) -> bool:
        """Tell whether a block is part of the chain as last told."""
        known = self._by_number.get(number)
        return known is not None and known.hash == block_hash

    def at(self, number: int) -> Head | None:
        """Return the block of a number, where it is kept."""
        return self._by_number.get(number)

    def _cut(self, head: Head) -> None:
        """Drop what a head replaces: blocks from its number on, or all without its parent."""
        if not self.holds(head.number - 1, head.parent_hash):
            self._by_number.clear()
        for number in [number for number in self._by_number if number >= head.number]:
            del self._by_number[number]
