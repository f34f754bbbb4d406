"""The recordings that ship: complete, in step, and never crossed by more than their fees."""

import gzip
from pathlib import Path

import pytest

from actors.engine.pools.kinds import spot
from chain_feeds.errors import RecordingError
from chain_feeds.sources.recorded import DIRECTORY, load, position_at

CHAINS = ("ethereum", "base", "arbitrum", "solana")


def test_recordings_over_a_whole_loop_offer_no_crossed_pools() -> None:
    """At every moment the dearest pool's bid is below the cheapest pool's ask."""
    recordings = [load(DIRECTORY / f"{chain}.jsonl.gz") for chain in CHAINS]
    for second in range(1_800_000_000, 1_800_000_000 + recordings[0].length_ms // 1_000):
        for pool in range(4):
            prices = []
            for recording in recordings:
                quote, base = spot(position_at(recording, second * 10**9).step.curves[pool])
                prices.append(quote / base)
            assert max(prices) * 0.9975 < min(prices) * 1.0025 * 1.0005


def test_recording_positions_over_the_loop_never_go_back() -> None:
    """Block and time grow across the loop's end."""
    recording = load(DIRECTORY / "base.jsonl.gz")
    start = 1_800_000_000
    blocks = [position_at(recording, s * 10**9).block for s in range(start, start + 2_000)]
    assert blocks == sorted(blocks)
    assert len(set(blocks)) >= 999


def test_recording_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    """A file without its last line is named as damaged."""
    lines = gzip.decompress((DIRECTORY / "base.jsonl.gz").read_bytes()).splitlines(keepends=True)
    short = tmp_path / "short.jsonl.gz"
    short.write_bytes(gzip.compress(b"".join(lines[:-1])))
    with pytest.raises(RecordingError, match="expected 240 blocks"):
        load(short)
