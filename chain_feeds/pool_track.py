"""One pool inside a feed: what is believed of it, what is doubted, what was last said."""

from typing import Final, NamedTuple

from actors.engine.pools.kinds import impossible
from actors.engine.pools.state import CurveState, PoolState, PoolStatus
from actors.engine.units import NS_PER_S, PPM
from chain_feeds.inputs import FEE_READ, Applied, Head, PoolEvent, Snapshot
from chain_feeds.prices import jump_ppm
from chain_feeds.settings import FeedPool

_EVENTS_MAX: Final = 512
READ: Final = -1
"""The ``log_index`` of a state that was read from the contract rather than told by a log."""


class Known(NamedTuple):
    """A state at a block, after the log of that index, or `READ`."""

    curve: CurveState
    block: int
    block_hash: str
    time_ns: int
    log_index: int

    @classmethod
    def read(cls, snapshot: Snapshot, asked: Head, curve: CurveState) -> "Known":
        """Date a state that was read: at the block asked for, or later, where the node says so."""
        later = snapshot.block > asked.number
        number, block_hash = (snapshot.block, "") if later else (asked.number, asked.hash)
        return cls(curve, number, block_hash, asked.time_s * NS_PER_S, READ)

    def repeats(self, other: "Known") -> bool:
        """Tell whether both are one state at one block; a block of no known name may be any."""
        names = {self.block_hash, other.block_hash} - {""}
        return self.curve == other.curve and self.block == other.block and len(names) <= 1


class PoolTrack:
    """One pool's states and doubts. The feed decides what is asked and when it is said.

    Args:
        pool: the pool and its pair.
        jump_max_ppm: a price that moves further at once needs a second read.
        poison_hold_ns: how long a pool that was told nonsense stays DOWN at least.
    """

    def __init__(self, pool: FeedPool, jump_max_ppm: int, poison_hold_ns: int) -> None:
        self.pool = pool
        self.known: Known | None = None
        self.fault = ""
        """Why the contract is not the pool that was listed; stands until a check finds it right."""
        self.poison = ""
        """Why what was last told cannot be believed; stands until a clean read."""
        self.unsure_since_ns: int | None = 0
        """Since when the state may be outdated; None while it is certain."""
        self.touched_ns = 0
        self.dirty = False
        self.events: list[PoolEvent] = []
        """Told, newer than the last read, oldest first."""
        self._jump_max_ppm = jump_max_ppm
        self._poison_hold_ns = poison_hold_ns
        self._poisoned_ns = 0
        self._suspect: tuple[CurveState, int] | None = None
        self._lost = True
        self._owed_block = 0
        """A log of this block changed a state that was not known: no older read will do."""
        self._read_block = -1
        self._applied: set[tuple[str, int]] = set()
        """The logs, by block and index, that the state holds since the block of the last read."""
        self._said: tuple[PoolStatus, str] | None = None

    @property
    def suspected(self) -> bool:
        """True while a price that jumped waits for the read that confirms or denies it."""
        return self._suspect is not None

    def remember(self, event: PoolEvent) -> None:
        """Keep an event until its block is known, or a read is older than it."""
        self.events.append(event)
        del self.events[:-_EVENTS_MAX]

    def forget_before(self, block: int) -> None:
        """Drop events up to and including a block."""
        self.events = [event for event in self.events if event.block > block]

    def told(self, event: PoolEvent, time_ns: int, now_ns: int) -> bool:
        """Take in an event of a block that is part of the chain.

        Returns:
            True when the contract must be read to settle a doubt.
        """
        if event.log_index == FEE_READ:
            self._told_fee(event, now_ns)
            return False
        if not self._newer(event):
            return self._comes_late(event, now_ns)
        applied = Applied(event.curve)
        if event.change is not None and not event.problem:
            if self.known is None or self._lost:
                self._owed_block = max(self._owed_block, event.block)
                return True
            applied = event.change(self.known.curve)
            if applied.curve is None:
                self.lose(now_ns)
                self._owed_block = event.block
                return True
        curve = applied.curve
        problem = event.problem or _impossible(curve)
        if problem or curve is None:
            self._doubt(problem, now_ns)
            return False
        if self._jumps(curve):
            self._suspect = (curve, event.block)
            self.unsure_since_ns = now_ns
            return True
        self._believe(Known(curve, event.block, event.block_hash, time_ns, event.log_index), now_ns)
        self._applied.add((event.block_hash, event.log_index))
        self._suspect = None
        return applied.read_again

    def read(self, curve: CurveState | str, at: Known | None, now_ns: int) -> bool:
        """Take in what the contract answered at a block; ``at`` is that, None for a failure.

        Returns:
            True when the contract must be read once more to settle a doubt.
        """
        if isinstance(curve, str) or at is None:
            self._doubt(curve if isinstance(curve, str) else "the contract gave no state", now_ns)
            return False
        problem = _impossible(curve)
        if problem:
            self._doubt(problem, now_ns)
            return False
        if at.block < self._owed_block:
            return True
        suspect, self._suspect = self._suspect, None
        if self._jumps(curve) and not (suspect and self._near(suspect[0], curve)):
            self._suspect = (curve, at.block)
            self.unsure_since_ns = now_ns
            return True
        if suspect and suspect[1] == at.block and not self._near(suspect[0], curve):
            self._doubt(f"a log of block {at.block} contradicts the contract's reserves", now_ns)
            return False
        if self.poison and now_ns - self._poisoned_ns >= self._poison_hold_ns:
            self.poison = ""
            self.dirty = True
        self.unsure_since_ns = None
        if self._lost or self.known is None or self.known.block <= at.block:
            self._believe(at, now_ns)
            self._applied.clear()
            self._read_block = at.block
        return False

    def lose(self, now_ns: int) -> None:
        """The chain changed under the state: it is uncertain until the contract is read."""
        if self.unsure_since_ns is None:
            self.unsure_since_ns = now_ns
        self._lost = True
        self._owed_block = 0

    def say(self, status: PoolStatus, detail: str, now_ns: int, settle_ns: int) -> PoolState | None:
        """Return what must be published now, None for nothing new."""
        changed = self._said != (status, detail)
        news = self.dirty and status is PoolStatus.LIVE and now_ns - self.touched_ns >= settle_ns
        if not changed and not news:
            return None
        if status is PoolStatus.LIVE and self.known is None:
            return None
        self._said = (status, detail)
        if status is PoolStatus.LIVE:
            self.dirty = False
        known = self.known
        return PoolState(
            pool_id=self.pool.spec.pool_id,
            status=status,
            curve=known.curve if known else None,
            block=max(0, known.block) if known else 0,
            block_time_ns=known.time_ns if known else 0,
            source="node",
            detail=detail,
            block_hash=known.block_hash if known else "",
        )

    def _told_fee(self, event: PoolEvent, now_ns: int) -> None:
        """Take in a fee that was read at a block; the logs of that block may still be to come."""
        known = self.known
        if known is None or self._lost or event.change is None or event.block < known.block:
            return
        curve = event.change(known.curve).curve
        if curve is None or curve == known.curve:
            return
        if problem := _impossible(curve):
            self._doubt(problem, now_ns)
            return
        self._believe(known._replace(curve=curve), now_ns)

    def _newer(self, event: PoolEvent) -> bool:
        """Tell whether an event comes after what is known: a read holds its whole block."""
        known = self.known
        if known is None or self._lost:
            return True
        if known.log_index == READ:
            return event.block > known.block
        return (event.block, event.log_index) > (known.block, known.log_index)

    def _comes_late(self, event: PoolEvent, now_ns: int) -> bool:
        """Ask for a read where a change was overtaken by a later log, and so is in no state."""
        if (
            event.change is None
            or event.block <= self._read_block
            or (event.block_hash, event.log_index) in self._applied
        ):
            return False
        self.lose(now_ns)
        self._owed_block = event.block
        return True

    def _believe(self, known: Known, now_ns: int) -> None:
        """Hold a state, and have it said, unless it is what was held: a read often confirms it."""
        news = self.known is None or not known.repeats(self.known)
        self.known = known
        self._lost = False
        if news:
            self.touched_ns = now_ns
            self.dirty = True

    def _doubt(self, problem: str, now_ns: int) -> None:
        self.poison = problem or "the log holds no state"
        self._poisoned_ns = now_ns
        self._suspect = None

    def _jumps(self, curve: CurveState) -> bool:
        return self.known is not None and not self._near(self.known.curve, curve)

    def _near(self, one: CurveState, other: CurveState) -> bool:
        return jump_ppm(one, other) <= self._jump_max_ppm


def jump_bound_ppm(percent: int) -> int:
    """Turn the configured percentage into parts per million."""
    return percent * PPM // 100


def _impossible(curve: CurveState | None) -> str:
    """Say why no pool can have this state, "" if it can."""
    return "a log could not be read" if curve is None else impossible(curve)
