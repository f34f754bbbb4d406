"""The file format of recordings: pool states and swaps of one chain, block by block, as they were.

gzip, JSON lines. The first line is the `Header`, every further one a `RecordedBlock` with the pools
that changed in it; the first has all of them. Curves are the engine's own wire form
(`actors.engine.pools.state`), amounts the pools' raw units. What is read is checked: order of
blocks, states that no contract can hold, and that no price jumps.
"""

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from actors.engine.pools.kinds import impossible
from actors.engine.pools.state import CurveState
from actors.engine.units import Side
from chain_feeds.errors import RecordingError
from chain_feeds.prices import jump_ppm

FORMAT: Final = "tandem-pool-recording/2"

_BYTES_MAX: Final = 256 * 1024 * 1024
_AMOUNT_MAX: Final = 2**128 - 1
_JUMP_MAX_PPM: Final = 100_000
"""A block of a recording that moves a price by more than 10 % is taken for damage."""


class RecordedPool(msgspec.Struct, frozen=True):
    """A pool in a recording's header, as it was listed; ``base_supply`` 0 where it is not known."""

    symbol: str
    venue: str
    kind: str
    address: str
    base_address: str
    quote_address: str
    base_decimals: int
    quote_decimals: int
    fee_ppm: int
    base_supply: str = "0"


class Header(msgspec.Struct, frozen=True):
    """A recording's first line: its provenance, and the pools that its blocks count through."""

    format: str
    chain: str
    chain_id: int
    node: str
    """What the node calls itself."""
    note: str
    """What it was, in words."""
    recorded_at: str
    blocks: int
    from_ms: int
    """With ``to_ms``, the time that is recorded, Unix time; the same for all chains of one take."""
    to_ms: int
    pools: list[RecordedPool]


class RecordedSwap(msgspec.Struct, frozen=True, array_like=True):
    """A swap that somebody made: position of the pool, side, raw amounts as decimal strings."""

    pool: int
    side: Side
    base: str
    quote: str

    @property
    def amounts(self) -> tuple[int, int]:
        """The raw (base, quote) amounts."""
        return int(self.base), int(self.quote)


class RecordedBlock(msgspec.Struct, frozen=True, array_like=True):
    """A further line: what changed in a block, and the swaps that did it."""

    number: int
    time_ms: int
    states: list[tuple[int, CurveState]]
    swaps: list[RecordedSwap] = []


# Made here and not where they are used: msgspec 0.22 crashes (SIGSEGV) where two threads make the
# first decoder of a type at once, and each chain's feed has a thread.
_HEADER: Final = msgspec.json.Decoder(Header)
_BLOCK: Final = msgspec.json.Decoder(RecordedBlock)


def read(path: Path) -> tuple[Header, list[RecordedBlock]]:
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
        header = _HEADER.decode(first)
        blocks = [_BLOCK.decode(line) for line in rest]
    except msgspec.MsgspecError as error:
        raise RecordingError(str(path), f"expected format {FORMAT} ({error})") from None
    problem = _problem(header, blocks)
    if problem:
        raise RecordingError(str(path), problem)
    return header, blocks


def write(path: Path, header: Header, blocks: list[RecordedBlock]) -> None:
    """Write a recording, and read it back as a check.

    Raises:
        RecordingError: what was recorded says something impossible.
    """
    lines = [msgspec.json.encode(line) for line in (header, *blocks)]
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n", mtime=0))
    read(path)


def _problem(header: Header, blocks: list[RecordedBlock]) -> str:
    """Say what is wrong with a recording, "" for nothing."""
    if header.format != FORMAT:
        return f"expected format {FORMAT}, was {header.format!r}"
    if len(blocks) != header.blocks or len(blocks) < 3:
        return f"expected {header.blocks} blocks (at least 3), was {len(blocks)}"
    pools = len(header.pools)
    if {pool for pool, _ in blocks[0].states} != set(range(pools)):
        return "expected the first block to hold every pool"
    if not header.from_ms <= blocks[1].time_ms <= blocks[-1].time_ms <= header.to_ms:
        return "expected the second and the last block within the time that is recorded"
    if header.from_ms == header.to_ms:
        return "expected some time to be recorded"
    for before, after in pairwise(blocks):
        if after.number <= before.number or after.time_ms < before.time_ms:
            return f"block {after.number} does not come after block {before.number}"
    newest: dict[int, CurveState] = {}
    for block in blocks:
        problem = _block_problem(block, newest, pools)
        if problem:
            return f"block {block.number} {problem}"
    return ""


def _block_problem(block: RecordedBlock, newest: dict[int, CurveState], pools: int) -> str:
    for pool, curve in block.states:
        if not 0 <= pool < pools:
            return f"names pool {pool}, the header has {pools}"
        if why := impossible(curve):
            return f"has a state that cannot be: {why}"
        jump = jump_ppm(newest.get(pool, curve), curve)
        if jump > _JUMP_MAX_PPM:
            return f"moves the price of pool {pool} by {jump / 10_000:.1f} %"
        newest[pool] = curve
    for swap in block.swaps:
        plain = swap.base.isdecimal() and swap.quote.isdecimal()
        if not 0 <= swap.pool < pools or not plain:
            return "has a swap of an unknown pool, or amounts that are no numbers"
        if not all(0 < amount <= _AMOUNT_MAX for amount in swap.amounts):
            return "has a swap of an impossible amount"
    return ""
