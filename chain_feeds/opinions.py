"""What a chain's other nodes say of what the followed one said: who confirms, who contradicts.

A *subject* is the chain's blocks, or a pool's state. What is said of it counts until the same node
says otherwise, or has said nothing for a while. No I/O.
"""

from typing import Final, NamedTuple

from actors.engine.units import NS_PER_MS, NS_PER_S
from chain_feeds.heads import Heads
from chain_feeds.inputs import Head, Opinion, Snapshot

CHAIN: Final = ""
"""The subject of block hashes; a pool's is its `FeedPool.key`."""

_COUNTS_FOR_NS: Final = 90 * NS_PER_S
"""Longer than the 60 s after which every state is read, and compared, again."""


_COMPARE_EVERY_NS: Final = 500 * NS_PER_MS
_COMPARE_WITHIN: Final = 16
"""A block that the other nodes still do not know after so many further ones is given up."""


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


class Witnesses:
    """The nodes that are not followed: what they must be asked, and what came of it.

    Args:
        chain: the chain's name.
        nodes: how many nodes it has, the followed one included.
        now_ns: the monotonic clock.
    """

    def __init__(self, chain: str, nodes: int, now_ns: int) -> None:
        self._chain = chain
        self._nodes = nodes
        self._opinions = Opinions()
        self._compared = ""
        self._comparing: Head | None = None
        self._ask_at_ns = now_ns
        self._confirmed = False

    @property
    def are_awaited(self) -> bool:
        """True until a connection's first read, which they ought to confirm before it counts."""
        return self._nodes > 1 and not self._confirmed

    def start_over(self) -> None:
        """Another node is followed: what was said of the last one's words counts no more."""
        self._opinions.clear()
        self._compared, self._comparing, self._confirmed = "", None, False

    def first_read_done(self) -> None:
        """The connection's first read counts by now."""
        self._confirmed = True

    def question(self, heads: Heads, now_ns: int) -> Head | None:
        """Return the block whose hash they must be asked for; now and then only."""
        newest = heads.newest
        if self._nodes < 2 or newest is None or now_ns < self._ask_at_ns:
            return None
        asked = self._comparing
        if (
            asked is None
            or not heads.holds(asked.number, asked.hash)
            or newest.number - asked.number > _COMPARE_WITHIN
        ):
            asked = newest
        if asked.hash == self._compared and self._opinions.dispute(CHAIN, now_ns) is None:
            return None
        self._comparing = asked
        self._ask_at_ns = now_ns + _COMPARE_EVERY_NS
        return asked

    def hear(self, own: Head, opinion: Opinion, now_ns: int) -> tuple[bool, bool]:
        """Compare what a node says of a block with what the followed one said.

        Returns:
            Whether this ended a dispute, and whether the followed node is outvoted now.
        """
        self._compared, self._comparing = own.hash, None
        disputed = self._opinions.dispute(CHAIN, now_ns) is not None
        agrees = own.hash == opinion.hash
        self._opinions.note(CHAIN, opinion.node, agrees=agrees, block=own.number, now_ns=now_ns)
        disputes = self._opinions.dispute(CHAIN, now_ns) is not None
        return disputed and not disputes, disputes and self._nodes > 2

    def hear_read(self, node: int, own: Snapshot, other: Snapshot, now_ns: int) -> None:
        """Compare what a node reads at a block with what the followed one read there."""
        if own.block != other.block:
            return
        for pool, curve in own.curves.items():
            theirs = other.curves.get(pool, "")
            if not isinstance(curve, str) and not isinstance(theirs, str):
                agrees = curve == theirs
                self._opinions.note(pool, node, agrees=agrees, block=own.block, now_ns=now_ns)

    def disputes_state(self, pool: str, now_ns: int) -> bool:
        """Tell whether a pool's state is contradicted."""
        return self._opinions.dispute(pool, now_ns) is not None

    def problem(self, pool: str, now_ns: int) -> str:
        """Say in one line who contradicts what of a pool, "" while nobody does."""
        if self._nodes < 2:
            return ""
        if found := self._opinions.dispute(CHAIN, now_ns):
            return f"node {found[0]} of {self._chain} contradicts block {found[1]}"
        if found := self._opinions.dispute(pool, now_ns):
            return f"node {found[0]} of {self._chain} reads another state in block {found[1]}"
        return ""
