"""Blocks whose swaps may not have been told: while no node answered, or where one left some out.

Swaps are told by logs alone, so those of such blocks must be asked for. No I/O.
"""

from typing import Final, NamedTuple

from chain_feeds.inputs import PoolEvent

_OVERLAP: Final = 16
"""Blocks before the last that was told, which others may have replaced meanwhile."""
_TRIES: Final = 5


class Gap(NamedTuple):
    """A run of blocks, both ends included."""

    first: int
    last: int
    left_out: int = 0
    """Blocks before it that are too far back to be asked for."""


class MissedSwap(NamedTuple):
    """A log that tells of a swap, and the time of its block in seconds."""

    event: PoolEvent
    time_s: int


class MissedBlocks:
    """What is owed of the past, and when it is given up.

    Args:
        blocks_max: how many blocks are asked for at most; 0 asks for none.
    """

    def __init__(self, blocks_max: int) -> None:
        self._blocks_max = blocks_max
        self._begun: int | None = None
        """The first block that a feed ever heard of; swaps up to it are nobody's business."""
        self._owed: int | None = None
        self._asked: Gap | None = None
        self._failures = 0

    @property
    def are_owed(self) -> bool:
        """True until what is missing was told, or given up: newer swaps wait for it."""
        return self._owed is not None or self._asked is not None

    @property
    def failures(self) -> int:
        """How often in a row the node did not answer."""
        return self._failures

    def begin(self, block: int) -> None:
        """Note a block; the first one counts."""
        if self._begun is None:
            self._begun = block

    def owe(self, block: int) -> None:
        """Whatever came around that block or after it may not have been told."""
        if self._begun is None or not self._blocks_max:
            return
        first = max(self._begun + 1, block - _OVERLAP)
        self._owed = first if self._owed is None else min(first, self._owed)

    def start_over(self) -> None:
        """No answer will come any more to what was asked."""
        if self._asked is not None:
            self.owe(self._asked.first + _OVERLAP)
            self._asked = None

    def ask(self, newest: int) -> Gap | None:
        """Return the blocks to be asked for now, up to the newest one; None for nothing."""
        if self._owed is None or self._asked is not None:
            return None
        owed, self._owed = self._owed, None
        if owed > newest:  # the node has not come further: the rest will be told
            return None
        first = max(owed, newest - self._blocks_max + 1)
        self._asked = Gap(first, newest, first - owed)
        return self._asked

    def answered(self) -> None:
        """What was asked for was told."""
        self._asked = None
        self._failures = 0

    def failed(self) -> bool:
        """The node did not answer; returns whether it is worth another try."""
        self._failures += 1
        if self._failures < _TRIES:
            self.start_over()
            return True
        self.answered()
        return False
