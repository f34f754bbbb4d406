"""A recording of pool states that replays in a loop, so that the first start needs no node.

The recording is played forward and then backward, with its original spacing: end and start meet
without a jump. Where the loop stands is read off the clock, so block numbers grow for ever, across
restarts too, and the chains stay in step. What is published says ``source: recorded``.
"""

import gzip
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from actors.engine.pools.state import ConstantProduct, PoolState, PoolStatus
from actors.engine.units import NS_PER_S
from chain_feeds.errors import RecordingError
from chain_feeds.prices import jump_ppm
from chain_feeds.settings import FeedPool
from chain_feeds.venues.uniswap_v2 import curve_of

FORMAT: Final = "tandem-pool-recording/1"
DIRECTORY: Final = Path(__file__).resolve().parent.parent / "recordings"
SOURCE: Final = "recorded"

_EPOCH_S: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
_BYTES_MAX: Final = 64 * 1024 * 1024
_RESERVE_MAX: Final = 2**112 - 1
_JUMP_MAX_PPM: Final = 100_000
"""A step of a recording that moves a price by more than 10 % is taken for damage."""


class RecordedPool(msgspec.Struct, frozen=True):
    """A pool in a recording's header."""

    symbol: str
    venue: str
    address: str
    base_address: str
    quote_address: str
    base_decimals: int
    quote_decimals: int
    fee_bps: int


class Header(msgspec.Struct, frozen=True):
    """A recording's first line: its provenance, and the pools its blocks count through."""

    format: str
    chain: str
    chain_id: int
    node: str
    contracts: str
    recorded_at: str
    blocks: int
    pools: list[RecordedPool]


class RecordedBlock(msgspec.Struct, frozen=True, array_like=True):
    """A further line: the pools that changed, (position in the header, base, quote reserve)."""

    number: int
    time_s: int
    states: list[tuple[int, int, int]]


class Step(NamedTuple):
    """One moment of the loop: when, seconds from its start, and the reserves of all pools."""

    offset_s: int
    reserves: tuple[tuple[int, int], ...]


class Recording(NamedTuple):
    """A checked recording, unrolled forward and backward."""

    header: Header
    first_block: int
    steps: tuple[Step, ...]
    length_s: int


def load(path: Path) -> Recording:
    """Read and check a recording.

    Raises:
        RecordingError: the file is missing, damaged, or says something impossible.
    """
    try:
        with gzip.open(path) as file:
            text = file.read(_BYTES_MAX + 1)
    except (OSError, EOFError) as error:
        raise RecordingError(str(path), f"cannot be read ({error})") from None
    if len(text) > _BYTES_MAX:
        raise RecordingError(str(path), f"expected at most {_BYTES_MAX} bytes when unpacked")
    first, *rest = text.splitlines() or [b""]
    try:
        header = msgspec.json.decode(first, type=Header)
        blocks = [msgspec.json.decode(line, type=RecordedBlock) for line in rest]
    except msgspec.MsgspecError as error:
        raise RecordingError(str(path), f"expected format {FORMAT} ({error})") from None
    problem = _problem(header, blocks)
    if problem:
        raise RecordingError(str(path), problem)
    steps = _unroll(blocks, len(header.pools))
    jump = _largest_jump(steps)
    if jump > _JUMP_MAX_PPM:
        raise RecordingError(str(path), f"a price moves by {jump / 10_000:.1f} % in one block")
    back = blocks[1].time_s - blocks[0].time_s
    return Recording(header, blocks[0].number, steps, steps[-1].offset_s + back)


def _problem(header: Header, blocks: list[RecordedBlock]) -> str:
    """Say what is wrong with a recording, "" for nothing."""
    if header.format != FORMAT:
        return f"expected format {FORMAT}, was {header.format!r}"
    if len(blocks) != header.blocks or len(blocks) < 3:
        return f"expected {header.blocks} blocks (at least 3), was {len(blocks)}"
    if {pool for pool, _, _ in blocks[0].states} != set(range(len(header.pools))):
        return "expected the first block to hold every pool"
    for before, after in pairwise(blocks):
        if after.number <= before.number or after.time_s <= before.time_s:
            return f"block {after.number} does not come after block {before.number}"
    for block in blocks:
        for pool, base, quote in block.states:
            if not 0 <= pool < len(header.pools):
                return f"block {block.number} names pool {pool}, the header has {len(header.pools)}"
            if not (0 < base <= _RESERVE_MAX and 0 < quote <= _RESERVE_MAX):
                return f"block {block.number} has reserves outside 1 … 2^112-1"
    return ""


def _unroll(blocks: list[RecordedBlock], pools: int) -> tuple[Step, ...]:
    forward: list[Step] = []
    reserves = [(0, 0)] * pools
    for block in blocks:
        for pool, base, quote in block.states:
            reserves[pool] = (base, quote)
        forward.append(Step(block.time_s - blocks[0].time_s, tuple(reserves)))
    end_s = forward[-1].offset_s
    backward = [Step(2 * end_s - step.offset_s, step.reserves) for step in forward[-2:0:-1]]
    return (*forward, *backward)


def _largest_jump(steps: tuple[Step, ...]) -> int:
    return max(
        jump_ppm(ConstantProduct.of(*one, 0, 1), ConstantProduct.of(*other, 0, 1))
        for before, after in zip(steps, (*steps[1:], steps[0]), strict=True)
        for one, other in zip(before.reserves, after.reserves, strict=True)
    )


class Position(NamedTuple):
    """Where the loop stands: the step, its block and time, and when the next one comes."""

    step: Step
    block: int
    time_ns: int
    next_ns: int


def position_at(recording: Recording, now_ns: int) -> Position:
    """Find where a recording's loop stands at a time."""
    steps = recording.steps
    loops, offset_s = divmod(now_ns // NS_PER_S - _EPOCH_S, recording.length_s)
    index = bisect_right(steps, offset_s, key=lambda step: step.offset_s) - 1
    start_s = _EPOCH_S + loops * recording.length_s
    last = index + 1 == len(steps)
    next_s = start_s + (recording.length_s if last else steps[index + 1].offset_s)
    return Position(
        step=steps[index],
        block=recording.first_block + loops * len(steps) + index,
        time_ns=(start_s + steps[index].offset_s) * NS_PER_S,
        next_ns=next_s * NS_PER_S,
    )


class RecordedFeed:
    """Where a recording's loop stands, and what it publishes: no clock, no sleep.

    Args:
        recording: what `load` gave.
        pools: the listed pools of its chain; one the recording does not hold is DOWN.
    """

    def __init__(self, recording: Recording, pools: Sequence[FeedPool]) -> None:
        self._recording = recording
        positions = {pool.address.lower(): at for at, pool in enumerate(recording.header.pools)}
        self._found: list[tuple[FeedPool, int]] = []
        self._missing: list[tuple[FeedPool, str]] = []
        for pool in pools:
            position = positions.get(pool.spec.address.lower())
            problem = self._mismatch(pool, position)
            if position is None or problem:
                self._missing.append((pool, problem))
            else:
                self._found.append((pool, position))
        self._shown: dict[str, tuple[int, int]] = {}
        self.block = 0
        self.next_ns = 0
        """When the loop moves on, Unix time; 0 before the first `advance`."""

    def advance(self, now_ns: int) -> list[tuple[str, PoolState]]:
        """Return (pair, state) of the pools that changed until ``now_ns``; at first, of all."""
        here = position_at(self._recording, now_ns)
        self.block, self.next_ns = here.block, here.next_ns
        changed: list[tuple[str, PoolState]] = []
        if not self._shown:
            changed += [(pool.symbol, _down(pool, problem)) for pool, problem in self._missing]
        for pool, position in self._found:
            reserves = here.step.reserves[position]
            if self._shown.get(pool.key) != reserves:
                self._shown[pool.key] = reserves
                changed.append((pool.symbol, self._state(pool, reserves, here.time_ns)))
        return changed

    def _state(self, pool: FeedPool, reserves: tuple[int, int], time_ns: int) -> PoolState:
        return PoolState(
            pool_id=pool.spec.pool_id,
            status=PoolStatus.LIVE,
            curve=curve_of(pool.spec, *reserves),
            block=self.block,
            block_time_ns=time_ns,
            source=SOURCE,
        )

    def _mismatch(self, pool: FeedPool, position: int | None) -> str:
        chain = self._recording.header.chain
        if position is None:
            return f"the recording of {chain} has no pool {pool.spec.address}"
        held = self._recording.header.pools[position]
        listed = (pool.spec.base_decimals, pool.spec.quote_decimals)
        if (held.base_decimals, held.quote_decimals) != listed:
            return (
                f"the recording has decimals {held.base_decimals}/{held.quote_decimals}, "
                f"listed are {listed[0]}/{listed[1]}"
            )
        return ""


def _down(pool: FeedPool, problem: str) -> PoolState:
    return PoolState(pool.spec.pool_id, PoolStatus.DOWN, None, 0, 0, SOURCE, problem)
