"""A recording of pool states that replays in a loop, so that the first start needs no node.

The recording is played forward and then backward, with its original spacing: end and start meet
without a jump (on the way back a swap is its own opposite). Where the loop stands is read off the
clock, so block numbers grow for ever, across restarts too, and the chains stay in step. What is
published says ``source: recorded``.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from actors.engine.commands import PoolTraded, swap_id
from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import CurveState, PoolState, PoolStatus
from actors.engine.units import NS_PER_MS, Side
from chain_feeds.settings import FeedPool
from chain_feeds.sources.recording import Header, RecordedBlock, RecordedPool, RecordedSwap, read

DIRECTORY: Final = Path(__file__).resolve().parent.parent / "recordings"
SOURCE: Final = "recorded"

_EPOCH_MS: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000
_STEPS_AT_ONCE: Final = 100
"""Steps whose swaps are told after a pause; those before are left out."""


class Step(NamedTuple):
    """One moment of the loop: when, from its start, all pools' states, and the swaps before."""

    offset_ms: int
    curves: tuple[CurveState, ...]
    swaps: tuple[RecordedSwap, ...]


class Recording(NamedTuple):
    """A checked recording, unrolled forward and backward."""

    header: Header
    first_block: int
    steps: tuple[Step, ...]
    length_ms: int


def load(path: Path) -> Recording:
    """Read and check a recording.

    Raises:
        RecordingError: the file is missing, damaged, or says something impossible.
    """
    header, blocks = read(path)
    span_ms = header.to_ms - header.from_ms
    return Recording(header, blocks[0].number, _unroll(header, blocks, span_ms), 2 * span_ms)


def _unroll(header: Header, blocks: list[RecordedBlock], span_ms: int) -> tuple[Step, ...]:
    """Make the loop: at any time on the way back every chain shows what it showed on the way."""
    forward: list[Step] = []
    curves: dict[int, CurveState] = {}
    for block in blocks:
        curves |= dict(block.states)
        held = tuple(curves[pool] for pool in range(len(header.pools)))
        offset_ms = max(0, block.time_ms - header.from_ms) if forward else 0
        forward.append(Step(offset_ms, held, tuple(block.swaps) if forward else ()))
    backward = [
        Step(2 * span_ms - left.offset_ms, step.curves, tuple(map(_undone, reversed(left.swaps))))
        for step, left in zip(forward[-2::-1], forward[:0:-1], strict=True)
    ]
    return (*forward, *backward)


def _undone(swap: RecordedSwap) -> RecordedSwap:
    side = Side.SELL if swap.side is Side.BUY else Side.BUY
    return msgspec.structs.replace(swap, side=side)


class Position(NamedTuple):
    """Where the loop stands: the step, its block and time, and when the next one comes."""

    step: Step
    block: int
    time_ns: int
    next_ns: int


def position_at(recording: Recording, now_ns: int) -> Position:
    """Find where a recording's loop stands at a time."""
    loops, offset_ms = divmod(now_ns // NS_PER_MS - _EPOCH_MS, recording.length_ms)
    index = bisect_right(recording.steps, offset_ms, key=lambda step: step.offset_ms) - 1
    return _position(recording, loops * len(recording.steps) + index)


def _position(recording: Recording, steps_done: int) -> Position:
    """Describe the step after so many steps since the epoch."""
    steps = recording.steps
    loops, index = divmod(steps_done, len(steps))
    start_ms = _EPOCH_MS + loops * recording.length_ms
    last = index + 1 == len(steps)
    next_ms = start_ms + (recording.length_ms if last else steps[index + 1].offset_ms)
    return Position(
        step=steps[index],
        block=recording.first_block + steps_done,
        time_ns=(start_ms + steps[index].offset_ms) * NS_PER_MS,
        next_ns=next_ms * NS_PER_MS,
    )


class RecordedFeed:
    """Where a recording's loop stands, and what it publishes: no clock, no sleep.

    Args:
        recording: what `load` gave.
        pools: the listed pools of its chain; one the recording does not hold is DOWN.
    """

    def __init__(self, recording: Recording, pools: Sequence[FeedPool]) -> None:
        self._recording = recording
        held = {_place(pool): at for at, pool in enumerate(recording.header.pools)}
        self._found: list[tuple[FeedPool, int]] = []
        self._missing: list[tuple[FeedPool, str]] = []
        for pool in pools:
            position = held.get(_place(pool.spec))
            problem = self._mismatch(pool, position)
            if position is None or problem:
                self._missing.append((pool, problem))
            else:
                self._found.append((pool, position))
        self._shown: dict[str, CurveState] = {}
        self.block = 0
        self.next_ns = 0
        """When the loop moves on, Unix time; 0 before the first `advance`."""

    def advance(
        self, now_ns: int
    ) -> tuple[list[tuple[str, PoolTraded]], list[tuple[str, PoolState]]]:
        """Return (pair, swap) since the last call, and (pair, state) of the pools that changed.

        At first the states are those of all pools, and the swaps those of the present block.
        """
        here = position_at(self._recording, now_ns)
        swaps = self._swaps(here.block)
        self.block, self.next_ns = here.block, here.next_ns
        changed: list[tuple[str, PoolState]] = []
        if not self._shown:
            changed += [(pool.symbol, _down(pool, problem)) for pool, problem in self._missing]
        for pool, position in self._found:
            curve = here.step.curves[position]
            if self._shown.get(pool.key) != curve:
                self._shown[pool.key] = curve
                changed.append((pool.symbol, self._state(pool, position, here)))
        return swaps, changed

    def _swaps(self, block: int) -> list[tuple[str, PoolTraded]]:
        first = max(self.block + 1 if self.block else block, block - _STEPS_AT_ONCE)
        told = []
        for number in range(first, block + 1):
            there = _position(self._recording, number - self._recording.first_block)
            name = f"{SOURCE}-{self._recording.header.chain}-{number}"
            for at, swap in enumerate(there.step.swaps):
                for pool in (pool for pool, position in self._found if position == swap.pool):
                    traded = PoolTraded.of(
                        swap_id(name, at), pool.spec.pool_id, swap.side, swap.amounts, number
                    )
                    traded = msgspec.structs.replace(traded, block_time_ns=there.time_ns)
                    told.append((pool.symbol, traded))
        return told

    def _state(self, pool: FeedPool, position: int, here: Position) -> PoolState:
        state = PoolState(
            pool_id=pool.spec.pool_id,
            status=PoolStatus.LIVE,
            curve=here.step.curves[position],
            block=here.block,
            block_time_ns=here.time_ns,
            source=SOURCE,
        )
        return state.with_supply(int(self._recording.header.pools[position].base_supply))

    def _mismatch(self, pool: FeedPool, position: int | None) -> str:
        chain, spec = self._recording.header.chain, pool.spec
        if position is None:
            return f"the recording of {chain} has no pool {spec.address} with that base token"
        held = self._recording.header.pools[position]
        for what, there, listed in (
            ("kind", held.kind, spec.kind),
            ("quote token", held.quote_address.lower(), spec.quote_address.lower()),
            ("decimals", _decimals(held), _decimals(spec)),
        ):
            if there != listed:
                return f"the recording of {chain} has {what} {there}, listed is {listed}"
        return ""


def _place(pool: RecordedPool | PoolSpec) -> tuple[str, str]:
    """Tell pools apart, and one pool beside two pairs: address and base token."""
    return pool.address.lower(), pool.base_address.lower()


def _decimals(pool: RecordedPool | PoolSpec) -> str:
    return f"{pool.base_decimals}/{pool.quote_decimals}"


def _down(pool: FeedPool, problem: str) -> PoolState:
    return PoolState(pool.spec.pool_id, PoolStatus.DOWN, None, 0, 0, SOURCE, problem)
