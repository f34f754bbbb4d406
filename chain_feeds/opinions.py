"""What a chain's other nodes say of what the followed one said: who confirms, who contradicts.

A *subject* is a block or a pool's state. What is said of it counts until the same node says
otherwise, or has said nothing for a while. No I/O, no hashes: who compares decides what agrees.
"""

from typing import Final, NamedTuple

from actors.engine.units import NS_PER_S

CHAIN: Final = ""
"""The subject of block hashes; a pool's is its `FeedPool.key`."""

_COUNTS_FOR_NS: Final = 90 * NS_PER_S
"""Longer than the 60 s after which every state is read, and compared, again."""


class _Word(NamedTuple):
    agrees: bool
    block: int
    said_ns: int


class Opinions:
    """The newest word of each other node on each subject."""

    def __init__(self) -> None:
        self._words: dict[str, dict[int, _Word]] = {}

    def clear(self) -> None:
        """Forget everything: another node is followed, and it is compared anew."""
        self._words.clear()

    def note(self, subject: str, node: int, *, agrees: bool, block: int, now_ns: int) -> None:
        """Take in what a node says of a subject at a block."""
        self._words.setdefault(subject, {})[node] = _Word(agrees, block, now_ns)

    def dispute(self, subject: str, now_ns: int) -> tuple[int, int] | None:
        """Return (node, block) of the newest contradiction, None while a majority confirms.

        The followed node confirms itself: of two nodes a contradiction is always a dispute, of
        three it is one only when both others contradict.
        """
        words = self._words.get(subject)
        if not words:
            return None
        valid = {n: w for n, w in words.items() if now_ns - w.said_ns < _COUNTS_FOR_NS}
        against = [(word.said_ns, node, word.block) for node, word in valid.items()
                   if not word.agrees]  # fmt: skip
        if not against or len(against) < 1 + len(valid) - len(against):
            return None
        _, node, block = max(against)
        return node, block
