"""The recordings that ship: complete, in step, and never crossed by more than their fees."""

import gzip
from pathlib import Path

import pytest

from actors.engine.pools.kinds import spot
from actors.engine.pools.state import Concentrated, CurveState
from actors.engine.units import PPM, Side
from chain_feeds.errors import RecordingError
from chain_feeds.sources.recorded import DIRECTORY, load, position_at
from chain_feeds.sources.recording import RecordedPool, read
from chain_feeds.venues import VENUES
from chain_feeds.venues.solana import SOLANA_VENUES

CHAINS = ("ethereum", "base", "arbitrum", "solana")


CROSSED_MAX = 0.002
"""By how much two pools' prices may be crossed: their traders come by every few seconds only."""


def quotes(pool: RecordedPool, curve: CurveState) -> tuple[float, float]:
    """A pool's marginal (bid, ask), its fee included, in whole units."""
    quote, base = spot(curve)
    price = quote / base * 10.0 ** (pool.base_decimals - pool.quote_decimals)
    return price * (1 - fee_of(curve, Side.SELL)), price / (1 - fee_of(curve, Side.BUY))


def fee_of(curve: CurveState, side: Side) -> float:
    """A pool's fee as a share of the input."""
    return curve.fee_of(side) / (PPM if isinstance(curve, Concentrated) else curve.fee_den)


def test_recordings_over_a_whole_loop_stay_in_step() -> None:
    """At every moment, on the way and back, all chains show prices of one market."""
    recordings = [load(DIRECTORY / f"{chain}.jsonl.gz") for chain in CHAINS]
    (length_ms,) = {recording.length_ms for recording in recordings}
    assert length_ms > 2 * 60 * 1_000
    start = 1_800_000_000
    for second in range(start, start + length_ms // 1_000, 3):
        best: dict[str, list[tuple[float, float]]] = {}
        for recording in recordings:
            curves = position_at(recording, second * 10**9).step.curves
            for pool, curve in zip(recording.header.pools, curves, strict=True):
                best.setdefault(pool.symbol, []).append(quotes(pool, curve))
        for prices in best.values():
            bid, ask = max(bid for bid, _ in prices), min(ask for _, ask in prices)
            assert bid < ask * (1 + CROSSED_MAX)


def test_recordings_hold_every_kind_of_pool_and_its_swaps() -> None:
    """What a first start shows: each venue that Tandem reads, on the chains they are at home."""
    kinds, swaps = set(), 0
    for chain in CHAINS:
        header, blocks = read(DIRECTORY / f"{chain}.jsonl.gz")
        kinds |= {pool.kind for pool in header.pools}
        swaps += sum(len(block.swaps) for block in blocks)
        assert all(int(pool.base_supply) > 0 for pool in header.pools)
        assert header.note
    assert kinds == {*VENUES, *SOLANA_VENUES}
    assert swaps > 500


def test_recording_positions_over_the_loop_never_go_back() -> None:
    """Block and time grow across the loop's end."""
    recording = load(DIRECTORY / "base.jsonl.gz")
    start = 1_800_000_000
    blocks = [position_at(recording, s * 10**9).block for s in range(start, start + 2_000)]
    assert blocks == sorted(blocks)
    assert len(set(blocks)) > 500


def test_recording_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    """A file without its last line is named as damaged."""
    lines = gzip.decompress((DIRECTORY / "base.jsonl.gz").read_bytes()).splitlines(keepends=True)
    short = tmp_path / "short.jsonl.gz"
    short.write_bytes(gzip.compress(b"".join(lines[:-1])))
    with pytest.raises(RecordingError, match=r"expected \d+ blocks"):
        load(short)
