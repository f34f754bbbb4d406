"""The gateway under load: orders and market data over HTTP beside a bare echo, and order to frame.

Every order is authenticated, held, matched, journaled with fsync, and answered; limits are off.
Accounts buy and sell in turn at one price on the order book, so nearly every second order trades.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import aiohttp
import uvloop

from actors.journal.redis import connect
from load_tests.exchange import call, echo, exchange, register
from load_tests.http_load import Load, request, run
from load_tests.table import Row, quantile
from tandem.valkey import EmbeddedValkey

_ACCOUNTS: Final = 16
_SECONDS: Final = 3.0
_PER_LANE: Final = 40_000
_FRAMES: Final = 200
_APPENDS: Final = 500
_RECORD_BYTES: Final = 400
_ORDERS_OF: Final = "/api/v1/exchange/{}/orders"
_ORDERS: Final = _ORDERS_OF.format("vaix")
_BOOK: Final = "/api/v1/exchange/vaix/book/hybrid?depth=30"
_PRICE: Final = "0.002000"


def measure_rest(directory: Path) -> tuple[str, list[Row]]:
    """Measure orders and market data at 1 and 128 connections, and order to WebSocket frame."""
    with exchange(directory / "data") as port:
        tokens = [register(port, number) for number in range(_ACCOUNTS)]
        book = json.dumps(call(port, _BOOK)).encode()
        with echo(directory, book) as echo_port:
            rows = uvloop.run(_measure(port, echo_port, tokens))
    rows.append(_bare_appends(directory / "bare"))
    return "REST, durable and authenticated, beside a bare aiohttp echo", rows


async def _measure(port: int, echo_port: int, tokens: list[str]) -> list[Row]:
    rows = []
    for connections in (1, 128):
        bare = await run(echo_port, order_lanes([], connections), _SECONDS)
        loaded = await run(port, order_lanes(tokens, connections), _SECONDS)
        rows += _pair_of_rows(f"orders, {connections} connections", loaded, bare)
    ask, answer = [request("GET", _BOOK)] * _PER_LANE, [request("GET", "/")] * _PER_LANE
    for connections in (1, 128):
        bare = await run(echo_port, [answer] * connections, _SECONDS)
        loaded = await run(port, [ask] * connections, _SECONDS)
        rows += _pair_of_rows(f"hybrid book, {connections} connections", loaded, bare)
    rows.append(await _order_to_frame(port, tokens[0]))
    return rows


def _bare_appends(directory: Path) -> Row:
    """Measure what a record costs that nobody thought about: an order waits for two of them."""
    record = "x" * _RECORD_BYTES
    took = []
    with EmbeddedValkey(directory) as store, closing(connect(store.url)) as client:
        for _ in range(_APPENDS):
            begin = time.perf_counter()
            client.append("bare", record)
            took.append(time.perf_counter() - begin)
    took.sort()
    return Row(
        f"bare append of {_RECORD_BYTES} bytes, fsynced",
        f"p50 {quantile(took, 0.5) * 1e3:.2f} ms",
        f"p99 {quantile(took, 0.99) * 1e3:.2f} ms; an order waits for two, one after the other",
    )


def _pair_of_rows(what: str, loaded: Load, bare: Load) -> list[Row]:
    share = loaded.per_second / bare.per_second
    return [
        Row(what, f"{loaded.per_second:,.0f}/s", f"{loaded.text()}; {share:.2f} of the echo"),
        Row("  bare echo, same body", f"{bare.per_second:,.0f}/s", bare.text()),
    ]


def order_lanes(
    tokens: list[str], connections: int, symbols: Sequence[str] = ("vaix",), *, stay: bool = False
) -> list[list[bytes]]:
    """Prepare orders, buying and selling in turn; without tokens the same bodies for the echo.

    Args:
        tokens: whose orders; lanes take them in turn.
        connections: how many lanes.
        symbols: the pairs. A lane goes round them two orders at a time, each from another one on.
        stay: each lane stays at the pair where it begins.
    """
    bodies = [
        json.dumps(
            {
                "side": side,
                "quantity": "10",
                "price": _PRICE,
                "order_type": "limit",
                "mode": "paper",
                "route_mode": "cex",
                "stp_mode": "cancel_resting",
            }
        ).encode()
        for side in ("buy", "sell")
    ]
    if not tokens:
        return [[request("POST", "/", body) for body in bodies] * (_PER_LANE // 2)] * connections
    steps = 1 if stay else len(symbols)
    rounds = -(-_PER_LANE // (2 * steps))
    return [
        [
            request("POST", _ORDERS_OF.format(symbols[(lane + step) % len(symbols)]), body, token)
            for step in range(steps)
            for body in turn
        ]
        * rounds
        for lane in range(connections)
        for turn in [bodies if lane % 2 else bodies[::-1]]
        for token in [tokens[(lane + (lane // len(symbols) if stay else 0)) % len(tokens)]]
    ]


async def _order_to_frame(port: int, token: str) -> Row:
    """Measure from sending an order to its answer, and to its frame on the private channel."""
    body = {"side": "buy", "quantity": "10", "price": "0.001000", "mode": "paper"}
    sent: dict[str, float] = {}
    answers: dict[str, float] = {}
    frames: dict[str, float] = {}
    base = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"{base}/ws/exchange/private") as socket,
    ):
        await socket.receive_json()

        async def listen() -> None:
            while len(frames) < _FRAMES:
                frame = await socket.receive_json()
                if frame["type"] == "order_update":
                    frames.setdefault(frame["order_id"], time.perf_counter())

        listening = asyncio.create_task(listen())
        for _ in range(_FRAMES):
            begin = time.perf_counter()
            async with session.post(base + _ORDERS, json=body) as response:
                order_id = (await response.json())["order_id"]
            sent[order_id], answers[order_id] = begin, time.perf_counter()
            async with session.delete(f"{base}{_ORDERS}/{order_id}"):
                pass
        await asyncio.wait_for(listening, 10.0)
    to_frame = sorted(frames[order] - at for order, at in sent.items())
    to_answer = sorted(answers[order] - at for order, at in sent.items())
    return Row(
        "order sent to private frame",
        f"p50 {quantile(to_frame, 0.5) * 1e3:.2f} ms",
        f"p99 {quantile(to_frame, 0.99) * 1e3:.2f} ms; "
        f"to its answer p50 {quantile(to_answer, 0.5) * 1e3:.2f} ms",
    )
