"""`make load`: many readers of one book while it changes, on a freshly started exchange.

A trader moves the best bid so many times a second; every subscriber of the book channel should see
each change soon after the order was sent, and miss none. Client and exchange share the cores, so
the figures include the cost of reading the frames.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import msgspec
import uvloop

from load_tests.exchange import exchange, register
from load_tests.table import Row, quantile, show

_ORDERS = "/api/v1/exchange/vaix/orders"
_BOOK = "/ws/exchange/vaix/book?mode=paper"
_LOWEST, _PRICES = 1_000, 1_000
"""Bids go round from 0.001000 to 0.001999 USDC, each change at a price of its own."""
_DRAIN_S = 3.0


class _Frame(msgspec.Struct):
    """What is read of a frame of the book channel."""

    type: str
    sequence: int = 0
    previous_sequence: int = 0
    bids: list[tuple[str, str]] = []


class _Readers:
    """All subscribers: when each change reached each of them, and what was missed."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.delays: list[float] = []
        self.gaps = 0
        self._decode = msgspec.json.Decoder(_Frame).decode

    async def read(self, socket: aiohttp.ClientWebSocketResponse, ready: asyncio.Event) -> None:
        """Follow one subscription until its socket closes."""
        sequence = 0
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = self._decode(message.data)
            if frame.type == "snapshot":
                sequence = frame.sequence
                ready.set()
            elif frame.type == "update":
                self.gaps += frame.previous_sequence != sequence
                sequence = frame.sequence
                now = time.perf_counter()
                self.delays += [
                    now - self.sent[price]
                    for price, size in frame.bids
                    if size != "0" and price in self.sent
                ]


async def _run(port: int, token: str, options: argparse.Namespace) -> list[Row]:
    base = f"http://127.0.0.1:{port}"
    readers = _Readers()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        sockets = [await session.ws_connect(base + _BOOK) for _ in range(options.subscribers)]
        ready = [asyncio.Event() for _ in sockets]
        tasks = [
            asyncio.create_task(readers.read(socket, event))
            for socket, event in zip(sockets, ready, strict=True)
        ]
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready)), 60.0)
        changes = await _trade(session, base, token, readers, options)
        expected = changes * options.subscribers
        await asyncio.sleep(_DRAIN_S)
        for socket in sockets:
            await socket.close()
        await asyncio.gather(*tasks)
    delays = sorted(readers.delays) or [0.0]
    return [
        Row("changes", f"{changes:,}", f"{options.rate} a second wanted"),
        Row("frames seen", f"{len(readers.delays):,}", f"of {expected:,}, {readers.gaps} gaps"),
        Row(
            "order sent to frame read",
            f"p50 {quantile(delays, 0.5) * 1e3:.1f} ms",
            f"p99 {quantile(delays, 0.99) * 1e3:.1f} ms",
        ),
    ]


async def _trade(
    session: aiohttp.ClientSession,
    base: str,
    token: str,
    readers: _Readers,
    options: argparse.Namespace,
) -> int:
    """Place one bid after the other at the wanted rate, cancelling the one before; count them."""
    headers = {"Authorization": f"Bearer {token}"}
    begin, before = time.perf_counter(), ""
    changes = 0
    while (elapsed := time.perf_counter() - begin) < options.seconds and changes < _PRICES:
        if changes > elapsed * options.rate:
            await asyncio.sleep(1 / options.rate / 4)
            continue
        price = f"0.{_LOWEST + changes:06d}"
        body = {"side": "buy", "quantity": "10", "price": price, "mode": "paper"}
        readers.sent[price] = time.perf_counter()
        async with session.post(base + _ORDERS, json=body, headers=headers) as response:
            placed = await response.json()
            response.raise_for_status()
        changes += 1
        if before:
            await (await session.delete(f"{base}{_ORDERS}/{before}", headers=headers)).release()
        before = str(placed["order_id"])
    return changes


def main() -> int:
    """Start an exchange, load it, print the table; returns 1 where a subscriber missed a frame."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=20, help="changes of the book a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tandem-load-") as root,
        exchange(Path(root, "data")) as port,
    ):
        rows = uvloop.run(_run(port, register(port, 0), options))
    print(show(f"{options.subscribers:,} subscribers of one book", rows))
    return 1 if "0 gaps" not in rows[1].beside.split(", ")[1] else 0


if __name__ == "__main__":
    sys.exit(main())
