"""Recordings written and read: what is damaged is named; the loop undoes what it did."""

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.engine.pools.state import (
    Concentrated,
    ConcentratedTerms,
    ConstantProduct,
    Stable,
    TickWindow,
)
from actors.engine.pools.tick_math import tick_at
from actors.engine.units import Side
from chain_feeds.errors import RecordingError
from chain_feeds.settings import FeedPool
from chain_feeds.sources.recorded import RecordedFeed, load, position_at
from chain_feeds.sources.recording import (
    FORMAT,
    Header,
    RecordedBlock,
    RecordedPool,
    RecordedSwap,
    read,
    write,
)
from tests.unit.chain_feeds.chains import pool

WHOLE = 10**18
START_S = 1_800_000_000


def listed(number: int) -> RecordedPool:
    """A pool as a header names it."""
    spec = pool(number).spec
    return RecordedPool("vaix", spec.venue, spec.kind, spec.address, spec.base_address,
                        spec.quote_address, 18, 18, 3_000, str(10**27))  # fmt: skip


def product(quote: int) -> ConstantProduct:
    """Reserves of whole tokens."""
    return ConstantProduct.of(10**6 * WHOLE, quote * WHOLE, 3, 1000)


def stable(quote: int) -> Stable:
    """A stable pool."""
    return Stable.of((10**24, quote * 10**18), (18, 18), 5, 10_000)


def ticks(step: int) -> Concentrated:
    """A concentrated pool whose price moved by some steps."""
    window = TickWindow(-600, 600, [(-600, 10**20), (-60, -7), (600, 7 - 10**20)])
    root = (1 << 96) + step * (1 << 80)
    terms = ConcentratedTerms(60, 3_000, base_is_token0=True)
    return Concentrated.of(root, 10**20, tick_at(root), window, terms)


POOLS = [listed(0), listed(1), listed(2)]
BLOCKS = [
    RecordedBlock(50, 1_000, [(0, product(3_000)), (1, stable(10**6)), (2, ticks(0))]),
    RecordedBlock(51, 2_000, [(0, product(3_003))], [RecordedSwap(0, Side.BUY, "997", "3")]),
    RecordedBlock(52, 2_000, [(1, stable(999_000)), (2, ticks(5))],
                  [RecordedSwap(2, Side.SELL, "5", "6"), RecordedSwap(1, Side.BUY, "7", "8")]),
    RecordedBlock(54, 4_500, [(2, ticks(-5))], [RecordedSwap(2, Side.BUY, str(2**127), "9")]),
]  # fmt: skip


def header(**changes: Any) -> Header:
    """The header of `BLOCKS`."""
    made = Header(
        FORMAT, "ethereum", 1, "a node", "a note", "2026-11-28T00:00:00Z", 4, 1_500, 5_000, POOLS
    )
    return msgspec.structs.replace(made, **changes)


def kept(tmp_path: Path, head: Header, blocks: list[RecordedBlock]) -> Path:
    """Write the lines without any check."""
    path = tmp_path / "made.jsonl.gz"
    lines = [msgspec.json.encode(line) for line in (head, *blocks)]
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    return path


def test_recording_of_every_kind_of_curve_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nothing is lost: 128-bit amounts and signed liquidity included."""
    path = tmp_path / "made.jsonl.gz"
    write(path, header(), BLOCKS)
    assert read(path) == (header(), BLOCKS)


@pytest.mark.parametrize(
    ("changes", "block", "reason"),
    [
        ({"format": "tandem-pool-recording/1"}, None, "expected format"),
        ({"blocks": 5}, None, "expected 5 blocks"),
        ({"pools": POOLS[:2]}, None, "expected the first block to hold every pool"),
        ({}, RecordedBlock(55, 5_001, []), "within the time that is recorded"),
        ({"from_ms": 2_001}, None, "within the time that is recorded"),
        ({}, RecordedBlock(52, 5_000, []), "block 52 does not come after block 54"),
        ({}, RecordedBlock(55, 4_499, []), "block 55 does not come after block 54"),
        ({}, RecordedBlock(55, 5_000, [(3, product(1))]), "block 55 names pool 3"),
        ({}, RecordedBlock(55, 5_000, [(0, product(0))]), "has a state that cannot be"),
        ({}, RecordedBlock(55, 5_000, [(0, product(4_000))]), "moves the price of pool 0 by 33.2"),
        ({}, RecordedBlock(55, 5_000, [], [RecordedSwap(3, Side.BUY, "1", "1")]), "unknown pool"),
        ({}, RecordedBlock(55, 5_000, [], [RecordedSwap(0, Side.BUY, "-1", "1")]), "no numbers"),
        ({}, RecordedBlock(55, 5_000, [], [RecordedSwap(0, Side.BUY, "0", "1")]), "impossible"),
        ({}, RecordedBlock(55, 5_000, [], [RecordedSwap(0, Side.BUY, "1", str(2**128))]), "impos"),
    ],
)
def test_recording_that_cannot_be_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, object], block: RecordedBlock | None, reason: str
) -> None:
    """The file and what is wrong with it are named."""
    blocks = BLOCKS if block is None else [*BLOCKS, block]
    head = header(**{"blocks": len(blocks), **changes})
    with pytest.raises(RecordingError, match=reason):
        read(kept(tmp_path, head, blocks))


@pytest.mark.parametrize("text", [b"", b"{}", b"[1,2]\n", b"\xff\xfe"])
def test_recording_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    """Whatever else is in the file, it is one error of one kind."""
    path = tmp_path / "made.jsonl.gz"
    path.write_bytes(gzip.compress(text))
    with pytest.raises(RecordingError, match="expected format"):
        read(path)


def playing(tmp_path: Path) -> tuple[RecordedFeed, int]:
    """A feed of the recording, and a moment at which its loop begins, nanoseconds."""
    path = tmp_path / "made.jsonl.gz"
    write(path, header(), BLOCKS)
    recording = load(path)
    feed = RecordedFeed(recording, [pool(number) for number in range(3)])
    begin = START_S * 10**9
    while position_at(recording, begin).block % len(recording.steps) != 50 % len(recording.steps):
        begin += 10**6
    return feed, begin


def test_recording_over_a_loop_undoes_every_swap_with_names_of_its_own(tmp_path: Path) -> None:
    """Forward 1,2,3 and back: what was bought is sold, no name comes twice, times grow."""
    feed, begin = playing(tmp_path)
    told = []
    for millisecond in range(0, 18_000, 100):
        told += feed.advance(begin + millisecond * 10**6)[0]
    swaps = [swap for _, swap in told]
    names = [swap.command_id for swap in swaps]
    assert len(names) == len(set(names))
    assert all(len(name) <= 64 for name in names)
    times = [swap.block_time_ns for swap in swaps]
    assert times == sorted(times)
    for spec in (pool(number).spec for number in range(3)):
        ours = [swap for swap in swaps if swap.pool_id == spec.pool_id]
        bought = sum(1 if swap.side is Side.BUY else -1 for swap in ours)
        assert len(ours) >= 4
        assert abs(bought) <= 1


def test_recording_tells_states_with_supply_and_only_when_they_change(tmp_path: Path) -> None:
    """All pools at first, then those of the block; a pause tells the swaps in between."""
    feed, begin = playing(tmp_path)
    states = feed.advance(begin)[1]
    assert [state.pool_id for _, state in states] == [pool(n).spec.pool_id for n in range(3)]
    assert {state.base_supply for _, state in states} == {10**27}
    swaps, states = feed.advance(begin + 10**9)
    assert len(swaps) == 3
    assert len(states) == 3
    assert feed.advance(begin + 10**9 + 1) == ([], [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "uniswap_v3"}, "has kind uniswap_v2, listed is uniswap_v3"),
        ({"base_decimals": 6}, "has decimals 18/18, listed is 6/18"),
        ({"quote_address": "0x" + "1" * 40}, "has quote token"),
        ({"base_address": "0x" + "1" * 40}, "has no pool"),
        ({"address": "0x" + "1" * 40}, "has no pool"),
    ],
)
def test_pool_listed_otherwise_than_recorded_is_down(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    """One line says what the recording has."""
    path = tmp_path / "made.jsonl.gz"
    write(path, header(), BLOCKS)
    wrong = FeedPool("vaix", msgspec.structs.replace(pool(0).spec, **changes))
    _, ((_, state),) = RecordedFeed(load(path), [wrong]).advance(START_S * 10**9)
    assert reason in state.detail
    assert state.curve is None


CHAINS_AT_ONCE = """
import importlib, pathlib, sys, threading
from chain_feeds.sources import recording
sys.setswitchinterval(1e-6)
for _ in range(40):
    importlib.reload(recording)  # new types, that nothing was decoded to
    gate = threading.Barrier(4)
    def play():
        gate.wait()
        recording.read(pathlib.Path(sys.argv[1]))
    threads = [threading.Thread(target=play) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_recordings_read_by_several_threads_at_once_are_read(tmp_path: Path) -> None:
    """Each chain has a thread, and all of them begin together; in a process of its own."""
    path = kept(tmp_path, header(), BLOCKS)
    command = [sys.executable, "-c", CHAINS_AT_ONCE, str(path)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
