"""One chain's feed as a state machine: heads, logs and snapshots in, pool states out. No I/O.

Theory of operation. A *snapshot* is every pool's state, read from the contracts at one block's
hash; after it the logs of later blocks carry each pool's whole state. A log counts once its block
is known as part of the chain. Whenever the chain moves in a way that logs may not tell (the first
head, a gap, a reorganisation, a log taken back, a block whose bloom filter promises a log that
never came) the feed *loses* its states and asks for a snapshot at the newest block. Heads decide
what is a reorganisation: nodes do not always take logs back. Nothing is believed that no contract
can hold, nor a block of an impossible number or far behind the highest that was read; a price that
jumps is believed when a read confirms it. Where a chain has several nodes, those that are not
followed are asked for block hashes and states: while they contradict, nothing is LIVE.

The owner calls ``receive_*`` and `tick` with a monotonic clock, and after each collects what is
wanted: `take_snapshot_request` and with it `take_missed_request`, `take_comparison`,
`take_supply_request`, `take_resubscribe`, `take_swaps` and then `take_updates`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from actors.engine.commands import PoolTraded
from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import NS_PER_MS, NS_PER_S
from chain_feeds.heads import Heads, Verdict
from chain_feeds.inputs import Head, Opinion, PoolEvent, Snapshot
from chain_feeds.missed import Gap, MissedSwap
from chain_feeds.opinions import Witnesses
from chain_feeds.pool_track import Known, PoolTrack
from chain_feeds.settings import FeedPool
from chain_feeds.swaps import SwapTape

_RETRY_FIRST_NS: Final = 100 * NS_PER_MS
_RETRY_MAX_NS: Final = 2 * NS_PER_S
_DOUBLINGS_MAX: Final = 4
"""A silent node is connected to anew after 1, 2, 4 … 16 times the time that makes it stale."""
_FAILURES_MAX: Final = 8
"""After so many failed snapshots in a row (about 7 s) the connection is made anew."""
_SUPPLY_AGAIN: Final = 10
"""Blocks after which supplies that could not be read are asked for again."""
_NUMBER_MAX: Final = 2**63 - 1
_TIME_MAX_S: Final = 2**33
"""Block times beyond the year 2242 would not fit 64 bits of nanoseconds."""


class FeedLimits(msgspec.Struct, frozen=True):
    """The feed's times and bounds, nanoseconds where not said otherwise."""

    stale_after_ns: int = 5 * NS_PER_S
    jump_max_ppm: int = 300_000
    repeat_after_ns: int = 60 * NS_PER_S
    """Every state is read again, and said again, at least this often."""
    settle_ns: int = 4 * NS_PER_MS
    """A block's logs arrive in a burst; the state after the last is said once it is over.

    On a loopback node a block's logs arrive within a millisecond; a state that is said too early
    is followed by the right one.
    """
    bloom_grace_ns: int = 500 * NS_PER_MS
    """How long a log that a block's bloom filter promises may be missing."""
    poison_hold_ns: int = 10 * NS_PER_S
    """A pool that was told nonsense stays DOWN this long, and until a clean read after it."""
    reorg_max_blocks: int = 256
    """A block further below the highest one that was read is no reorganisation but nonsense."""
    supply_every_blocks: int = 300
    """The tokens' supplies are read again after so many blocks."""
    missed_blocks_max: int = 0
    """Swaps of at most so many blocks are asked for where they may not have been told."""


class ChainFeed:
    """The state machine of one chain.

    Args:
        chain: the chain's name, for details that people read.
        pools: its listed pools.
        limits: times and bounds.
        now_ns: the monotonic clock at the start.
        nodes: how many nodes the chain has, the followed one included.
    """

    def __init__(
        self,
        chain: str,
        pools: Sequence[FeedPool],
        limits: FeedLimits,
        now_ns: int,
        nodes: int = 1,
    ) -> None:
        self._chain = chain
        self._limits = limits
        self._tracks = {
            pool.key: PoolTrack(pool, limits.jump_max_ppm, limits.poison_hold_ns) for pool in pools
        }
        for track in self._tracks.values():
            track.unsure_since_ns = now_ns
        self._heads = Heads()
        self._last_head_ns = now_ns
        self._silent = True
        self._newest_hash = ""
        """Outlives connections: the same block from a new connection is no sign of life."""
        self._problem = ""
        self._stale_detail = f"waiting for the first block of {chain}"
        self._wanted = False
        self._in_flight: Head | None = None
        self._retry_at_ns = 0
        self._failures = 0
        self._last_read_ns = now_ns
        self._unwary_until = -1
        self._highest = 0
        self._distrust = ""
        """Why the node's blocks are not believed."""
        self._distrusted_here = False
        self._witnesses = Witnesses(chain, nodes, now_ns)
        self._tape = SwapTape(pools, limits.missed_blocks_max)
        self._supplies: dict[str, int] = {}
        self._supply_block: int | None = None
        self._promised: dict[tuple[str, str], tuple[Head, int]] = {}
        """By pool and block hash: what a bloom filter promised, and until when it may come."""
        self._resubscribe = ""
        self._resubscribed_ns = now_ns
        self._resubscribes = 0
        self.reorgs = 0
        self.gaps = 0
        self.missed_logs = 0

    @property
    def block(self) -> int:
        """The newest block's number, 0 before the first."""
        return self._heads.newest.number if self._heads.newest else 0

    @property
    def is_settling(self) -> bool:
        """True while something is about to be said, or was promised: look again soon."""
        return self._wanted or any(track.dirty or track.events for track in self._tracks.values())

    @property
    def awaits_confirmation(self) -> bool:
        """True until a connection's first read, which other nodes ought to confirm before."""
        return self._witnesses.are_awaited

    def age_ns(self, now_ns: int) -> int:
        """Return how long ago the newest block was told, or how long none was."""
        return now_ns - self._last_head_ns

    # ---- what the source tells

    def receive_connected(self, now_ns: int) -> None:
        """A new connection: nothing of the old one is relied on, but the prices it knew."""
        self._tape.missed.start_over()
        if self._heads.newest is not None:
            self._tape.missed.owe(self.block)
        self._heads.clear()
        self._promised.clear()
        self._in_flight = None
        self._wanted = False
        self._failures = 0
        self._retry_at_ns = 0
        self._resubscribe = ""
        self._resubscribed_ns = now_ns
        self._unwary_until = -1
        self._witnesses.start_over()
        self._supply_block = None
        self._distrusted_here = False
        for track in self._tracks.values():
            track.events.clear()
            track.fault = ""
            track.lose(now_ns)

    def receive_disconnected(self, problem: str, now_ns: int) -> None:
        """The connection ended; ``problem`` is one line for people, without URLs."""
        self._problem = problem
        if not self._newest_hash:
            self._stale_detail = problem
        self._in_flight = None
        self._wanted = False
        self._lose(now_ns)

    def receive_fault(self, pool: str, problem: str) -> None:
        """A pool's contract is not what was listed: it is DOWN until that is over."""
        self._tracks[pool].fault = problem

    def receive_fault_over(self, pool: str, now_ns: int) -> None:
        """A pool's contract is by now what was listed: it is read, and counts from then on."""
        track = self._tracks[pool]
        track.fault = ""
        track.lose(now_ns)
        self._want()

    def receive_head(self, head: Head, now_ns: int) -> None:
        """A newest block."""
        if not self._trusts(head, now_ns):
            return
        before = self.block
        self._tape.missed.begin(head.number)
        verdict = self._heads.accept(head)
        if verdict is Verdict.SAME:
            return
        if head.hash != self._newest_hash:
            self._note_life(head, now_ns)
        if verdict is Verdict.REORG:
            self.reorgs += 1
            self._unwary_until = before
        elif verdict is Verdict.GAP:
            self.gaps += 1
        if verdict in {Verdict.REORG, Verdict.GAP}:
            self._tape.missed.owe(min(before, head.number))
        if verdict is not Verdict.NEXT:
            self._lose(now_ns)
            self._want()
        elif head.number <= self._unwary_until or self._any_unsure():
            self._want()
        self._expect(head, now_ns)
        for track in self._tracks.values():
            self._settle_events(track, now_ns)

    def receive_event(self, event: PoolEvent, now_ns: int) -> None:
        """A log of one of the pools, in any order, perhaps twice."""
        track = self._tracks.get(event.pool)
        if track is None:
            return
        if event.removed:
            self._take_back(event, now_ns)
            return
        track.remember(event)
        self._promised.pop((event.pool, event.block_hash), None)
        self._settle_events(track, now_ns)

    def receive_snapshot(self, snapshot: Snapshot, now_ns: int) -> None:
        """The answer to `take_snapshot_request`."""
        asked = self._in_flight
        if asked is None or asked.hash != snapshot.block_hash:
            return
        self._in_flight = None
        if not self._heads.holds(asked.number, asked.hash):
            self._want()
            return
        self._failures = 0
        self._retry_at_ns = 0
        self._last_read_ns = now_ns
        self._witnesses.first_read_done()
        self._highest = max(self._highest, asked.number)
        again = False
        for pool, track in self._tracks.items():
            if track.fault:
                continue
            curve = snapshot.curves.get(pool, "the snapshot does not hold this pool")
            at = None
            if not isinstance(curve, str):
                at = Known.read(snapshot, asked, curve)
            if snapshot.block == asked.number:
                self._count_missed(track, at)
            again |= track.read(curve, at, now_ns)
            track.forget_before(asked.number)
            self._settle_events(track, now_ns)
        if again or self._unwary_until > asked.number:
            self._want()

    def receive_snapshot_failure(self, block_hash: str, now_ns: int) -> None:
        """A snapshot could not be read: the node does not answer, or not yet know the block."""
        if self._in_flight is None or self._in_flight.hash != block_hash:
            return
        self._in_flight = None
        self._failures += 1
        wait_ns = min(_RETRY_MAX_NS, _RETRY_FIRST_NS * 2 ** min(self._failures, 8))
        self._retry_at_ns = now_ns + wait_ns
        self._want()
        if self._failures >= _FAILURES_MAX:
            self._failures = 0
            self._ask_resubscribe("the node does not answer reads", now_ns)

    def receive_missed(self, told: Sequence[MissedSwap] | None, now_ns: int) -> None:
        """The answer to `take_missed_request`; None where the node gave none."""
        missed = self._tape.missed
        if told is not None:
            self._tape.fill(told)
        elif missed.failed():
            self._retry_at_ns = now_ns + _RETRY_FIRST_NS * 2**missed.failures
            self._want()

    def receive_opinion(self, opinion: Opinion, now_ns: int) -> None:
        """The answer of another node to `take_comparison`."""
        own = self._heads.at(opinion.number)
        if own is None or not opinion.hash:
            return
        settled, outvoted = self._witnesses.hear(own, opinion, now_ns)
        if settled:
            self._disown(now_ns)
        if outvoted:
            self._ask_resubscribe("most of the other nodes contradict this one", now_ns)

    def receive_second_read(self, node: int, own: Snapshot, other: Snapshot, now_ns: int) -> None:
        """What another node reads at the block of a snapshot, beside what this one read."""
        self._witnesses.hear_read(node, own, other, now_ns)

    def receive_supplies(self, supplies: Mapping[str, int]) -> None:
        """The answer to `take_supply_request`, by pool; without any it is asked for again soon."""
        if not supplies and self._supply_block is not None:
            self._supply_block += _SUPPLY_AGAIN - self._limits.supply_every_blocks
        for pool, supply in supplies.items():
            if self._supplies.get(pool) != supply:
                self._supplies[pool] = supply
                self._tracks[pool].dirty = True

    def tick(self, now_ns: int) -> None:
        """Let time pass: silence, promises of bloom filters, reads that are due."""
        limits = self._limits
        if now_ns - self._last_head_ns >= limits.stale_after_ns:
            if not self._silent:
                seconds = limits.stale_after_ns / NS_PER_S
                silence = f"no block of {self._chain} for {seconds:g} s"
                self._stale_detail = self._problem or silence
                self._silent = True
            pause_ns = limits.stale_after_ns * 2 ** min(self._resubscribes, _DOUBLINGS_MAX)
            if now_ns - self._resubscribed_ns >= pause_ns and self._heads.newest:
                self._resubscribes += 1
                self._ask_resubscribe(self._stale_detail, now_ns)
        for promise, (head, deadline_ns) in list(self._promised.items()):
            if now_ns >= deadline_ns:
                del self._promised[promise]
                if self._heads.holds(head.number, head.hash):
                    self._tape.missed.owe(head.number)
                    self._want()
        due_ns = limits.repeat_after_ns
        if any(
            track.poison or self._witnesses.disputes_state(pool, now_ns)
            for pool, track in self._tracks.items()
        ):
            due_ns = min(due_ns, limits.poison_hold_ns)
        if self._heads.newest is not None and now_ns - self._last_read_ns >= due_ns:
            self._last_read_ns = now_ns
            self._want()

    # ---- what the owner collects

    def take_snapshot_request(self, now_ns: int) -> Head | None:
        """Return the block at which every pool must be read now; at most one at a time."""
        newest = self._heads.newest
        if not self._wanted or self._in_flight is not None or newest is None:
            return None
        if now_ns < self._retry_at_ns:
            return None
        self._wanted = False
        self._in_flight = newest
        return newest

    def take_missed_request(self) -> Gap | None:
        """Return the blocks whose swaps must be asked for, before the snapshot counts."""
        return self._tape.missed.ask(self.block)

    def take_supply_request(self) -> Head | None:
        """Return the block at which the tokens' supplies must be read: the first, and seldom."""
        newest, last = self._heads.newest, self._supply_block
        if newest is None or (
            last is not None and newest.number < last + self._limits.supply_every_blocks
        ):
            return None
        self._supply_block = newest.number
        return newest

    def take_comparison(self, now_ns: int) -> Head | None:
        """Return the block whose hash the other nodes must be asked for; now and then only."""
        return self._witnesses.question(self._heads, now_ns)

    def take_resubscribe(self) -> str:
        """Return why the connection must be made anew, "" while it need not."""
        reason, self._resubscribe = self._resubscribe, ""
        return reason

    def take_swaps(self) -> list[tuple[str, PoolTraded]]:
        """Return the (pair, swap) that others made, each once, before the states after them."""
        return self._tape.take()

    def take_updates(self, now_ns: int) -> list[tuple[str, PoolState]]:
        """Return the (pair, state) that must be published, each once."""
        updates: list[tuple[str, PoolState]] = []
        for track in self._tracks.values():
            status, detail = self._status(track, now_ns)
            state = track.say(status, detail, now_ns, self._limits.settle_ns)
            if state is not None:
                supply = self._supplies.get(track.pool.key, 0)
                updates.append((track.pool.symbol, state.with_supply(supply)))
        return updates

    # ---- inside

    def _status(self, track: PoolTrack, now_ns: int) -> tuple[PoolStatus, str]:
        if track.fault or track.poison:
            return PoolStatus.DOWN, track.fault or track.poison
        if problem := self._distrust or self._witnesses.problem(track.pool.key, now_ns):
            return PoolStatus.DOWN, problem
        if self._silent:
            reached = bool(self._newest_hash) or not self._problem
            return PoolStatus.STALE if reached else PoolStatus.DOWN, self._stale_detail
        if track.suspected:
            return PoolStatus.STALE, "the price moved too far at once; waiting for a second read"
        unsure_ns = 0 if track.unsure_since_ns is None else now_ns - track.unsure_since_ns
        if track.known is None or unsure_ns >= self._limits.stale_after_ns:
            return PoolStatus.STALE, f"waiting for the node to confirm the state on {self._chain}"
        return PoolStatus.LIVE, ""

    def _trusts(self, head: Head, now_ns: int) -> bool:
        """Tell whether a block can be the chain's; what cannot be is no sign of life either."""
        problem = ""
        if not (0 <= head.number <= _NUMBER_MAX and 0 <= head.time_s <= _TIME_MAX_S):
            problem = "the node tells of an impossible block"
        elif head.number < self._highest - self._limits.reorg_max_blocks:
            problem = f"the node went back from block {self._highest} to {head.number}"
        if problem and not self._distrusted_here:
            self._distrusted_here = True
            self._distrust = self._distrust or problem
            self._ask_resubscribe(problem, now_ns)
        if self._distrust and not problem:
            self._distrust = ""
            self._disown(now_ns)
        return not problem

    def _note_life(self, head: Head, now_ns: int) -> None:
        self._newest_hash = head.hash
        self._last_head_ns = now_ns
        self._silent = False
        self._problem = ""
        self._resubscribes = 0

    def _settle_events(self, track: PoolTrack, now_ns: int) -> None:
        """Apply the events whose blocks are part of the chain by now."""
        waiting: list[PoolEvent] = []
        ready: list[PoolEvent] = []
        for event in track.events:
            known = self._heads.holds(event.block, event.block_hash)
            (ready if known else waiting).append(event)
        for event in sorted(ready, key=lambda event: (event.block, event.log_index)):
            block = self._heads.at(event.block)
            time_ns = block.time_s * NS_PER_S if block else 0
            if event.swap is not None:
                self._tape.print(event, event.swap, time_ns)
            if event.has_state and track.told(event, time_ns, now_ns):
                self._want()
        newest = self.block
        track.events = [event for event in waiting if event.block >= newest - 1]

    def _take_back(self, event: PoolEvent, now_ns: int) -> None:
        track = self._tracks[event.pool]
        track.events = [held for held in track.events if held.block_hash != event.block_hash]
        if self._heads.holds(event.block, event.block_hash) or (
            track.known is not None and track.known.block_hash == event.block_hash
        ):
            self._lose(now_ns)
            self._want()

    def _expect(self, head: Head, now_ns: int) -> None:
        """Note which pools a block's bloom filter names, unless their logs are here already."""
        for pool in head.touched or ():
            track = self._tracks.get(pool)
            if track is None or any(event.block_hash == head.hash for event in track.events):
                continue
            self._promised[pool, head.hash] = (head, now_ns + self._limits.bloom_grace_ns)

    def _count_missed(self, track: PoolTrack, at: Known | None) -> None:
        known = track.known
        if (
            at is not None
            and known is not None
            and track.unsure_since_ns is None
            and known.block <= at.block
            and known.curve != at.curve
        ):
            self.missed_logs += 1

    def _any_unsure(self) -> bool:
        return any(
            track.unsure_since_ns is not None and not track.fault for track in self._tracks.values()
        )

    def _lose(self, now_ns: int) -> None:
        self._promised.clear()
        for track in self._tracks.values():
            track.lose(now_ns)

    def _disown(self, now_ns: int) -> None:
        """Count no state as LIVE any more until the contracts are read again."""
        self._lose(now_ns)
        for track in self._tracks.values():
            track.unsure_since_ns = now_ns - self._limits.stale_after_ns
        self._want()

    def _want(self) -> None:
        self._wanted = True

    def _ask_resubscribe(self, reason: str, now_ns: int) -> None:
        self._resubscribe = reason
        self._resubscribed_ns = now_ns
