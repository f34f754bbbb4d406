"""Chain feeds on a real node: from its log notification to a client's hybrid book, and their cost.

Everything is real: anvil with the published contracts, `tandem up`, a WebSocket client. The node,
the exchange and the client share this machine's cores.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import aiohttp

from actors.engine.units import Side
from devnet.anvil import Anvil, install
from devnet.pools import ROOT_MAX, ROOT_MIN, Builder, Deposit, MadePool
from devnet.workshop import Workshop
from load_tests.exchange import call, exchange
from load_tests.table import Row, quantile

KINDS: Final = (
    "uniswap_v2", "uniswap_v3", "aerodrome_volatile", "slipstream", "camelot_v2",
    "algebra_v1", "camelot_v3", "algebra_integral", "uniswap_v2", "uniswap_v3",
)  # fmt: skip
"""The kinds of ten pools: six of them have ticks, three have a fee that is asked at every block."""
POOLS: Final = 50
PAIRS: Final = 5
LONE: Final = {"lone": 0, "ticks": 1}
"""The pairs with one pool, on which latency is measured: of reserves, and of ticks."""
_SWAPS: Final = 100
_BLOCKS_PER_S: Final = 4
_TOUCHED: Final = 10
"""Pools that trade in each block of the second measurement."""
_SECONDS: Final = 15
_LIVE_WITHIN_S: Final = 60.0
_BY_HAND: Final = ("evm_setAutomine", False)
_AT_ONCE: Final = ("evm_setAutomine", True)
_UNIT: Final = 10**18
_PRICE: Final = Fraction(3, 1000)
_DEPTH: Final = 400_000 * _UNIT
_GAS: Final = 2_000_000
_TABLES: Final = """
[exchange]
account_shards = 1
[assets.USDC]
decimals = 6
[chains.ethereum]
chain_id = 1
stale_after_s = 600
"""
_PAIR: Final = """
[assets.{name}]
decimals = 6
[pairs.{symbol}]
base = "{name}"
tick_size = "0.000001"
lot_size = "1"
"""
_POOL: Final = """
[[pairs.{symbol}.pools]]
chain = "ethereum"
venue = "{venue}"
kind = "{kind}"
address = "{pool}"
base_address = "{base}"
quote_address = "{quote}"
base_decimals = 18
quote_decimals = 18
fee_bps = 30
"""


def measure_feeds(directory: Path) -> tuple[str, list[Row]]:
    """Measure the time from a log to a book on a client, and what 50 pools cost a feed."""
    install()
    with Anvil() as node:
        pools = _deploy(node)
        config = directory / "exchange.toml"
        config.write_text(_config(pools), encoding="utf-8")
        data = directory / "data"
        os.environ["TANDEM_RPC_ETHEREUM"] = node.ws_url
        try:
            with exchange(data, "--config", str(config)) as port:
                rows = asyncio.run(_measure(node, pools, port, data))
        finally:
            del os.environ["TANDEM_RPC_ETHEREUM"]
    ticks = sum(pool.has_ticks for pool in pools)
    return f"Chain feeds: {POOLS} pools ({ticks} of ticks) on one anvil node, one feed actor", rows


def _deploy(node: Anvil) -> list[MadePool]:
    """Make the pools, each of a base token of its own."""
    shop = Workshop(node.http_url)
    builder = Builder(shop)
    usdc, deposit = shop.token("USDC", 18), Deposit(_PRICE, _DEPTH)
    kinds = [KINDS[number % len(KINDS)] for number in range(POOLS)]
    return [builder.make(kind, shop.token("BASE", 18), usdc, deposit) for kind in kinds]


def _symbols() -> list[str]:
    return [*LONE, *(f"pair{number}" for number in range(PAIRS))]


def _config(pools: Sequence[MadePool]) -> str:
    """List two pools beside pairs of their own, and the others beside the other pairs in turn."""
    text = _TABLES
    others = pools[len(LONE) :]
    for symbol in _symbols():
        text += _PAIR.format(symbol=symbol, name=symbol.upper())
        lone = LONE.get(symbol)
        place = int(symbol.removeprefix("pair")) if lone is None else 0
        for pool in others[place::PAIRS] if lone is None else [pools[lone]]:
            text += _POOL.format(
                symbol=symbol,
                venue=pool.venue,
                kind=pool.kind,
                pool=pool.contract.address,
                base=pool.base.address,
                quote=pool.quote.address,
            )
    return text


async def _measure(node: Anvil, pools: list[MadePool], port: int, data: Path) -> list[Row]:
    await _until_live(port)
    rows = []
    async with aiohttp.ClientSession() as session:
        for symbol, number in LONE.items():
            latencies = await _log_to_book(node, pools[number], port, symbol, session)
            what = f"log notification to hybrid book frame, {_SWAPS} swaps, {pools[number].kind}"
            p50, p99 = (f"{quantile(latencies, share) * 1e3:.1f} ms" for share in (0.5, 0.99))
            rows.append(Row(what, f"p50 {p50}", f"p99 {p99}"))
        share, status = await _cost(node, pools, data, session)
    return [
        *rows,
        Row(
            f"feed actor, {_BLOCKS_PER_S} blocks/s, {_TOUCHED} of {POOLS} pools trade in each",
            f"{share:.2f} cores",
            f"{status['pools_live']} of {status['pools']} pools live, {status['gaps']} gaps, "
            f"{status['missed_logs']} missed logs",
        ),
    ]


async def _until_live(port: int) -> None:
    deadline = time.monotonic() + _LIVE_WITHIN_S
    symbols = _symbols()
    while symbols:
        rows = await asyncio.to_thread(call, port, f"/api/v1/exchange/{symbols[0]}/venues")
        if all(row["status"] == "live" for row in rows["venues"]):
            symbols.pop(0)
        elif time.monotonic() > deadline:
            raise TimeoutError(f"the pools of {symbols[0]} are not live: {rows}")
        else:
            await asyncio.sleep(0.1)


async def _log_to_book(
    node: Anvil, pool: MadePool, port: int, symbol: str, session: aiohttp.ClientSession
) -> list[float]:
    """Swap one at a time; the node's log and the exchange's frame reach this same loop."""
    logs: asyncio.Queue[float] = asyncio.Queue()
    frames: asyncio.Queue[float] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(session.ws_connect(node.ws_url))
        await told.send_json(_rpc("eth_subscribe", "logs", {"address": pool.contract.address}))
        await told.receive_json()
        url = f"http://127.0.0.1:{port}/ws/exchange/{symbol}/book?hybrid=true"
        book = await stack.enter_async_context(session.ws_connect(url))
        await book.receive_json()
        listening = [
            asyncio.create_task(_note(told, logs, "eth_subscription")),
            asyncio.create_task(_note(book, frames, "")),
        ]
        latencies = []
        for turn in range(_SWAPS):
            await _post(node, session, [_swap(pool, (Side.BUY, Side.SELL)[turn % 2])])
            logged = await asyncio.wait_for(logs.get(), 10)
            shown = await asyncio.wait_for(frames.get(), 10)
            latencies.append(max(0.0, shown - logged))  # where this loop read both at once
            await asyncio.sleep(0.1)  # a block's further logs, and frames of nothing else
            while not logs.empty():
                logs.get_nowait()
            while not frames.empty():
                frames.get_nowait()
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    return sorted(latencies)


async def _note(
    socket: aiohttp.ClientWebSocketResponse, arrivals: "asyncio.Queue[float]", method: str
) -> None:
    """Note when each frame came: the node's notifications, or book updates."""
    async for message in socket:
        now = time.perf_counter()
        frame = json.loads(message.data)
        if frame.get("method", "") == method and frame.get("type") not in {"heartbeat", "pong"}:
            arrivals.put_nowait(now)


async def _cost(
    node: Anvil, pools: list[MadePool], data: Path, session: aiohttp.ClientSession
) -> tuple[float, dict[str, Any]]:
    """Mine blocks at a steady pace; returns the feed's share of a core at it, and what it says."""
    pid = (await asyncio.to_thread(_feed, data))["pid"]
    await _post(node, session, [_rpc(*_BY_HAND)])
    begun, used = time.perf_counter(), _cpu_s(pid)
    for block in range(_BLOCKS_PER_S * _SECONDS):
        first = block * _TOUCHED % POOLS
        # Each pool's turn comes every fifth block, so that it is bought from and sold to in turn.
        side = (Side.BUY, Side.SELL)[block % 2]
        batch = [_swap(pool, side) for pool in pools[first : first + _TOUCHED]]
        await _post(node, session, [*batch, _rpc("evm_mine")])
        ahead = begun + (block + 1) / _BLOCKS_PER_S - time.perf_counter()
        await asyncio.sleep(max(0.0, ahead))
    # By the time these blocks should take: a machine too busy for that makes no feed look cheap.
    share = (_cpu_s(pid) - used) / _SECONDS
    await _post(node, session, [_rpc(*_AT_ONCE)])
    await asyncio.sleep(6)  # the supervisor publishes every five seconds
    status: dict[str, Any] = (await asyncio.to_thread(_feed, data))["ethereum"]
    return share, status


def _feed(data: Path) -> dict[str, Any]:
    """Ask for what the feed's actor says of itself."""
    command = [sys.executable, "-m", "tandem", "status", "--json", "--data-dir", str(data)]
    deadline = time.monotonic() + 30
    while True:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        told: dict[str, Any] = json.loads(done.stdout)["actors"].get("feed:ethereum", {})
        if "ethereum" in told:
            return told
        if time.monotonic() > deadline:
            raise TimeoutError("the feed's status is not published")
        time.sleep(0.5)


def _cpu_s(pid: int) -> float:
    """Read the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _swap(pool: MadePool, side: Side) -> dict[str, Any]:
    """Write a swap of about a thousandth of a pool as a request to the node."""
    shop, buy = pool.workshop, side is Side.BUY
    paid = _DEPTH // 1_000 if buy else int(_DEPTH / _PRICE) // 1_000
    zero_for_one = buy is not pool.base_is_token0
    if pool.has_ticks:
        limit = ROOT_MIN if zero_for_one else ROOT_MAX
        data = shop.hand.encode_abi(
            "swapTicks", args=[pool.contract.address, zero_for_one, paid, limit]
        )
    else:
        token = pool.quote if buy else pool.base
        out = pool.out_of(buy=buy, paid=paid)
        outs = (0, out) if zero_for_one else (out, 0)
        arguments = [pool.contract.address, token.address, paid, *outs]
        data = shop.hand.encode_abi("swapReserves", args=arguments)
    transaction = {"from": shop.owner, "to": shop.hand.address, "data": data}
    return _rpc("eth_sendTransaction", {**transaction, "gas": hex(_GAS)})


def _rpc(method: str, *params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def _post(node: Anvil, session: aiohttp.ClientSession, calls: list[dict[str, Any]]) -> None:
    numbered = [{**one, "id": number} for number, one in enumerate(calls)]
    async with session.post(node.http_url, json=numbered) as response:
        answers = await response.json(content_type=None)
    faults = [answer["error"] for answer in answers if "error" in answer]
    if faults:
        raise RuntimeError(f"the node refuses: {faults[0]}")
