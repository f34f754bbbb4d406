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
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp

from devnet.anvil import Anvil, install
from devnet.contracts import UNIT, Market, Network
from load_tests.exchange import call, exchange
from load_tests.table import Row, quantile

POOLS: Final = 50
PAIRS: Final = 5
LONE: Final = "lone"
"""The pair with one pool, on which latency is measured."""
_SWAPS: Final = 100
_BLOCKS_PER_S: Final = 4
_TOUCHED: Final = 10
"""Pools that trade in each block of the second measurement."""
_SECONDS: Final = 15
_LIVE_WITHIN_S: Final = 60.0
_BY_HAND: Final = ("evm_setAutomine", False)
_AT_ONCE: Final = ("evm_setAutomine", True)
_DEADLINE: Final = 2**40
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
venue = "Uniswap"
kind = "uniswap_v2"
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
        markets = [Market(f"pool{number}", 0.003, 400_000.0) for number in range(POOLS)]
        network = Network(node.http_url, tuple(markets))
        config = directory / "exchange.toml"
        config.write_text(_config(network), encoding="utf-8")
        data = directory / "data"
        os.environ["TANDEM_RPC_ETHEREUM"] = node.ws_url
        try:
            with exchange(data, "--config", str(config)) as port:
                rows = asyncio.run(_measure(node, network, port, data))
        finally:
            del os.environ["TANDEM_RPC_ETHEREUM"]
    return f"Chain feeds: {POOLS} pools on one anvil node, one feed actor", rows


def _config(network: Network) -> str:
    """List one pool beside a pair of its own, and the others beside the other pairs in turn."""
    symbols = [LONE, *(f"pair{number}" for number in range(PAIRS))]
    text = _TABLES
    pools = list(network.pairs.values())
    for place, symbol in enumerate(symbols):
        text += _PAIR.format(symbol=symbol, name=symbol.upper())
        for pool in pools[:1] if symbol == LONE else pools[place::PAIRS]:
            text += _POOL.format(
                symbol=symbol,
                pool=pool.pair.address,
                base=pool.base.address,
                quote=pool.quote.address,
            )
    return text


async def _measure(node: Anvil, network: Network, port: int, data: Path) -> list[Row]:
    await _until_live(port)
    async with aiohttp.ClientSession() as session:
        latencies = await _log_to_book(node, network, port, session)
        share, status = await _cost(node, network, data, session)
    row = Row(
        f"log notification to hybrid book frame, {_SWAPS} swaps",
        f"p50 {quantile(latencies, 0.5) * 1e3:.1f} ms",
        f"p99 {quantile(latencies, 0.99) * 1e3:.1f} ms",
    )
    return [
        row,
        Row(
            f"feed actor, {_BLOCKS_PER_S} blocks/s, {_TOUCHED} of {POOLS} pools trade in each",
            f"{share:.2f} cores",
            f"{status['pools_live']} of {status['pools']} pools live, {status['gaps']} gaps, "
            f"{status['missed_logs']} missed logs",
        ),
    ]


async def _until_live(port: int) -> None:
    deadline = time.monotonic() + _LIVE_WITHIN_S
    symbols = [LONE, *(f"pair{number}" for number in range(PAIRS))]
    while symbols:
        rows = await asyncio.to_thread(call, port, f"/api/v1/exchange/{symbols[0]}/venues")
        if all(row["status"] == "live" for row in rows["venues"]):
            symbols.pop(0)
        elif time.monotonic() > deadline:
            raise TimeoutError(f"the pools of {symbols[0]} are not live: {rows}")
        else:
            await asyncio.sleep(0.1)


async def _log_to_book(
    node: Anvil, network: Network, port: int, session: aiohttp.ClientSession
) -> list[float]:
    """Swap one at a time; the node's log and the exchange's frame reach this same loop."""
    pool = network.pairs["pool0"]
    logs: asyncio.Queue[float] = asyncio.Queue()
    frames: asyncio.Queue[float] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(session.ws_connect(node.ws_url))
        await told.send_json(_rpc("eth_subscribe", "logs", {"address": pool.pair.address}))
        await told.receive_json()
        url = f"http://127.0.0.1:{port}/ws/exchange/{LONE}/book?hybrid=true"
        book = await stack.enter_async_context(session.ws_connect(url))
        await book.receive_json()
        listening = [
            asyncio.create_task(_note(told, logs, "eth_subscription")),
            asyncio.create_task(_note(book, frames, "")),
        ]
        latencies = []
        for turn in range(_SWAPS):
            await _post(node, session, [_swap(network, "pool0", buy=turn % 2 == 0)])
            logged = await asyncio.wait_for(logs.get(), 10)
            shown = await asyncio.wait_for(frames.get(), 10)
            while shown < logged:
                shown = await asyncio.wait_for(frames.get(), 10)
            latencies.append(shown - logged)
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
    node: Anvil, network: Network, data: Path, session: aiohttp.ClientSession
) -> tuple[float, dict[str, Any]]:
    """Mine blocks at a steady pace; returns the feed's share of a core, and what it says."""
    pid = (await asyncio.to_thread(_feed, data))["pid"]
    await _post(node, session, [_rpc(*_BY_HAND)])
    begun, used = time.perf_counter(), _cpu_s(pid)
    symbols = list(network.pairs)
    for block in range(_BLOCKS_PER_S * _SECONDS):
        first = block * _TOUCHED % POOLS
        batch = [
            _swap(network, symbol, buy=block % 2 == 0)
            for symbol in symbols[first : first + _TOUCHED]
        ]
        await _post(node, session, [*batch, _rpc("evm_mine")])
        ahead = begun + (block + 1) / _BLOCKS_PER_S - time.perf_counter()
        await asyncio.sleep(max(0.0, ahead))
    share = (_cpu_s(pid) - used) / (time.perf_counter() - begun)
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


def _swap(network: Network, symbol: str, *, buy: bool) -> dict[str, Any]:
    """Write a swap of about a thousandth of a pool as a request to the node."""
    pool = network.pairs[symbol]
    path = [pool.quote.address, pool.base.address]
    amount = int(pool.market.quote_depth * UNIT) // 1_000
    if not buy:
        path, amount = path[::-1], int(amount / pool.market.price)
    data = network.router.encode_abi(
        "swapExactTokensForTokens", args=[amount, 0, path, network.owner, _DEADLINE]
    )
    transaction = {"from": network.owner, "to": network.router.address, "data": data}
    return _rpc("eth_sendTransaction", {**transaction, "gas": hex(400_000)})


def _rpc(method: str, *params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def _post(node: Anvil, session: aiohttp.ClientSession, calls: list[dict[str, Any]]) -> None:
    numbered = [{**one, "id": number} for number, one in enumerate(calls)]
    async with session.post(node.http_url, json=numbered) as response:
        answers = await response.json(content_type=None)
    faults = [answer["error"] for answer in answers if "error" in answer]
    if faults:
        raise RuntimeError(f"the node refuses: {faults[0]}")
