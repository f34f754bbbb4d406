"""`tandem record`: follow the configured nodes for a while, and keep what their feeds say.

The feeds are those of a running exchange; only the sink is another: it keeps the last state of each
pool in each block, and the swaps. What comes out is what the `recorded` source plays.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp

from actors.engine.commands import PoolTraded
from actors.engine.pools.state import CurveState, PoolState, PoolStatus
from actors.engine.units import NS_PER_MS
from actors.errors import TandemError
from chain_feeds.errors import FeedError
from chain_feeds.runner import Feed, FeedThread
from chain_feeds.settings import ChainSettings, FeedPool, pools_of
from chain_feeds.sources.json_rpc import JsonRpc
from chain_feeds.sources.recording import (
    FORMAT,
    Header,
    RecordedBlock,
    RecordedPool,
    RecordedSwap,
    write,
)
from tandem.settings import Settings

READY_WITHIN_S: Final = 120.0
_NAME_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.5


class RecordError(TandemError):
    """Nothing could be recorded; the argument says why, and what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


class Tape:
    """Keeps one chain's blocks: a sink for its feed, called from the feed's thread.

    Args:
        pools: the listed pools of the chain.
    """

    def __init__(self, pools: tuple[FeedPool, ...]) -> None:
        self._pools = pools
        self._places = {(pool.symbol, pool.spec.pool_id): at for at, pool in enumerate(pools)}
        self._states: dict[int, dict[int, CurveState]] = {}
        self._swaps: dict[int, dict[str, RecordedSwap]] = {}
        self._times_ms: dict[int, int] = {}
        self._supplies = ["0"] * len(pools)
        self._problems: dict[int, str] = {}
        self._lock = threading.Lock()

    def publish(self, symbol: str, state: PoolState) -> None:
        """Keep a state under its block; what is not LIVE is only noted."""
        place = self._places[symbol, state.pool_id]
        with self._lock:
            self._problems[place] = state.detail
            if state.status is not PoolStatus.LIVE or state.curve is None:
                return
            self._states.setdefault(state.block, {})[place] = state.curve
            self._times_ms[state.block] = state.block_time_ns // NS_PER_MS
            if state.base_supply:
                self._supplies[place] = str(state.base_supply)

    def trade(self, symbol: str, swap: PoolTraded) -> None:
        """Keep a swap under its block."""
        place = self._places[symbol, swap.pool_id]
        kept = RecordedSwap(place, swap.side, str(swap.base_raw), str(swap.quote_raw))
        with self._lock:
            self._swaps.setdefault(swap.block, {})[swap.command_id] = kept

    def waits_for(self) -> list[str]:
        """Name the pools that were never LIVE, each with what its feed says."""
        with self._lock:
            live = {place for states in self._states.values() for place in states}
            return [
                f"{pool.symbol} {pool.spec.venue}: {self._problems.get(at) or 'nothing said yet'}"
                for at, pool in enumerate(self._pools)
                if at not in live
            ]

    def span(self) -> tuple[int, int]:
        """Give the times of the first block at which every pool is known, and of the last."""
        blocks = self.blocks()
        return blocks[0].time_ms, blocks[-1].time_ms

    def blocks(self, from_ms: int = 0, to_ms: int = 2**63) -> list[RecordedBlock]:
        """Give the blocks of a time: the first holds every pool's state as it was at its begin."""
        with self._lock:
            known: dict[int, CurveState] = {}
            blocks: list[RecordedBlock] = []
            for number in sorted(self._states):
                time_ms = self._times_ms[number]
                if time_ms > to_ms:
                    break
                known |= self._states[number]
                if len(known) < len(self._pools):
                    continue
                if not blocks or time_ms < from_ms:
                    blocks = [RecordedBlock(number, time_ms, sorted(known.items()))]
                    continue
                states = sorted(self._states[number].items())
                swaps = list(self._swaps.get(number, {}).values())
                blocks.append(RecordedBlock(number, time_ms, states, swaps))
            return blocks

    def listed(self) -> list[RecordedPool]:
        """Give the pools as the header names them."""
        return [
            RecordedPool(
                pool.symbol,
                pool.spec.venue,
                pool.spec.kind,
                pool.spec.address,
                pool.spec.base_address,
                pool.spec.quote_address,
                pool.spec.base_decimals,
                pool.spec.quote_decimals,
                pool.spec.fee_ppm,
                supply,
            )
            for pool, supply in zip(self._pools, self._supplies, strict=True)
        ]


def run(settings: Settings, out: Path, blocks: int, note: str) -> int:
    """Record every chain that has a node, all at the same time; returns the exit status.

    Raises:
        RecordError: no chain has a node, a pool does not come to life, or what was recorded cannot
            be played.
    """
    chains = [chain for chain in settings.chains if chain.has_node]
    followed = [(chain, pools) for chain in chains if (pools := _pools(chain, settings))]
    if not followed:
        raise RecordError(
            "no chain with listed pools has a node; set ws_url in [chains.NAME], or TANDEM_RPC_NAME"
        )
    tapes = [Tape(pools) for _, pools in followed]
    threads = [
        FeedThread(Feed(chain, pools, tape))
        for (chain, pools), tape in zip(followed, tapes, strict=True)
    ]
    try:
        for thread in threads:
            thread.start()
        _wait_until_live(tapes)
        _say(f"All pools are live; recording {blocks} blocks of each chain ...")
        _wait(lambda: min(len(tape.blocks()) for tape in tapes) >= blocks)
    finally:
        for thread in threads:
            thread.stop()
    out.mkdir(parents=True, exist_ok=True)
    spans = [tape.span() for tape in tapes]
    span = max(first for first, _ in spans), min(last for _, last in spans)
    for (chain, _), tape, thread in zip(followed, tapes, threads, strict=True):
        path = out / f"{chain.name}.jsonl.gz"
        count = _write(path, chain, tape, (note or f"recorded from {thread.status().host}", span))
        _say(f"{path}: {count} blocks, {len(tape.listed())} pools")
    return 0


def _pools(chain: ChainSettings, settings: Settings) -> tuple[FeedPool, ...]:
    return pools_of(chain.name, settings.listing.pairs)


def _wait_until_live(tapes: list[Tape]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S

    def ready() -> bool:
        waiting = [line for tape in tapes for line in tape.waits_for()]
        if waiting and time.monotonic() > deadline:
            raise RecordError("not every pool is live: " + "; ".join(waiting))
        return not waiting

    _wait(ready)


def _wait(met: Callable[[], bool]) -> None:
    while not met():
        time.sleep(_POLL_S)


def _write(path: Path, chain: ChainSettings, tape: Tape, take: tuple[str, tuple[int, int]]) -> int:
    """Write what a tape holds of a take (its note and time); returns how many blocks."""
    note, (from_ms, to_ms) = take
    recorded = tape.blocks(from_ms, to_ms)
    header = Header(
        format=FORMAT,
        chain=chain.name,
        chain_id=chain.table.chain_id,
        node=asyncio.run(_name_of(chain)),
        note=note,
        recorded_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        blocks=len(recorded),
        from_ms=from_ms,
        to_ms=to_ms,
        pools=tape.listed(),
    )
    try:
        write(path, header, recorded)
    except FeedError as error:
        raise RecordError(str(error)) from None
    return len(recorded)


async def _name_of(chain: ChainSettings) -> str:
    """Ask a node what it calls itself."""
    method = "getVersion" if chain.table.family == "solana" else "web3_clientVersion"
    client = JsonRpc(chain.http_url, _NAME_TIMEOUT_S)
    try:
        (answer,) = await client.batch([(method, [])])
    except (OSError, TimeoutError, ValueError, aiohttp.ClientError):
        return "unknown"
    finally:
        await client.close()
    told = answer.get("result")
    return f"solana-core {told.get('solana-core')}" if isinstance(told, dict) else str(told)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
