"""The Python client: what importing it costs, and what it adds to a bare aiohttp request.

Requests go to the bare echo, in turns by a bare `aiohttp.ClientSession` and by the client, so both
meet the same server and the same neighbours; what is compared is the median of each.
"""

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
from event_trader import EventTrader, LocalBook
from event_trader.wire.checksum import book_checksum

from load_tests.exchange import echo
from load_tests.table import Row, quantile

IMPORT_MAX_S: Final = 0.3
ADDED_MAX_S: Final = 0.0003
_IMPORTS: Final = 11
_WARM: Final = 200
_ROUNDS: Final = 2_000
_UPDATES: Final = 20_000
_LEVELS: Final = 400
_PROGRAM: Final = """
import time
wall, used = time.perf_counter(), time.process_time()
import event_trader
event_trader.EventTrader, event_trader.SyncEventTrader
print(time.perf_counter() - wall, time.process_time() - used)
"""
_ORDER: Final = {"side": "buy", "quantity": "1000", "price": "0.003", "order_type": "limit"}

Ask = Callable[[], Awaitable[object]]


def measure_sdk(directory: Path) -> tuple[str, list[Row]]:
    """Measure the import, a read, an order, and the local book."""
    body = json.dumps({"bids": [["0.003000", "1000"]] * 30, "asks": []}).encode()
    with echo(directory, body) as port:
        rows = [_import(), *asyncio.run(_requests(f"http://127.0.0.1:{port}"))]
    return "The Python client, beside bare aiohttp", [*rows, _book()]


def _import() -> Row:
    walls, used = [], []
    for _ in range(_IMPORTS):
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
        )
        wall_s, used_s = (float(word) for word in done.stdout.split())
        walls.append(wall_s)
        used.append(used_s)
    return Row(
        "import event_trader, a fresh interpreter",
        f"{statistics.median(walls) * 1e3:.0f} ms",
        f"processor {statistics.median(used) * 1e3:.0f} ms, quickest {min(walls) * 1e3:.0f} ms; "
        f"{_within(min(walls), 'import')}",
    )


def _within(seconds: float, what: str) -> str:
    bound_s = IMPORT_MAX_S if what == "import" else ADDED_MAX_S
    told = "within" if seconds < bound_s else "NOT WITHIN"
    return f"{told} {bound_s * 1e3:g} ms"


async def _requests(url: str) -> list[Row]:
    async with aiohttp.ClientSession() as bare, EventTrader("evt_bench", base_url=url) as client:

        async def bare_read() -> None:
            async with bare.get(url + "/") as answer:
                await answer.json()

        async def bare_order() -> None:
            async with bare.post(url + "/", json=_ORDER) as answer:
                await answer.json()

        return [
            await _beside("a read", bare_read, lambda: client._http.get("/")),  # noqa: SLF001
            await _beside(
                "an order",
                bare_order,
                lambda: client._http.post("/", json=_ORDER),  # noqa: SLF001
            ),
        ]


async def _beside(what: str, bare: Ask, ours: Ask) -> Row:
    """Ask in turns; the one that goes first changes, so that neither gains by it."""
    taken: dict[Ask, list[float]] = {bare: [], ours: []}
    for at in range(_WARM + _ROUNDS):
        for ask in (bare, ours) if at % 2 else (ours, bare):
            begun = time.perf_counter()
            await ask()
            if at >= _WARM:
                taken[ask].append(time.perf_counter() - begun)
    bare_s, ours_s = (statistics.median(taken[ask]) for ask in (bare, ours))
    added_s = ours_s - bare_s
    return Row(
        f"{what}: added by the client",
        f"{added_s * 1e6:.0f} us",
        f"{ours_s * 1e6:.0f} us beside {bare_s * 1e6:.0f} us bare, p99 "
        f"{quantile(sorted(taken[ours]), 0.99) * 1e6:.0f} beside "
        f"{quantile(sorted(taken[bare]), 0.99) * 1e6:.0f}; {_within(added_s, 'request')}",
    )


def _book() -> Row:
    """Apply updates to a deep local book, checking every checksum as a stream does."""
    frames, book = _frames(random.Random(7)), LocalBook()
    begun = time.perf_counter()
    agreed = sum(book.apply(frame) for frame in frames)
    seconds = time.perf_counter() - begun
    told = "every checksum agrees" if agreed == len(frames) else "CHECKSUMS DIFFER"
    return Row(
        f"local book of {2 * _LEVELS} levels, updates",
        f"{len(frames) / seconds:,.0f}/s",
        told,
    )


def _frames(rng: random.Random) -> list[dict[str, Any]]:
    sides = [{10_000 - n: 1 for n in range(_LEVELS)}, {10_001 + n: 1 for n in range(_LEVELS)}]
    shown = [[(str(price), str(size)) for price, size in side.items()] for side in sides]
    made = [_frame("snapshot", 0, shown, shown)]
    for sequence in range(1, _UPDATES + 1):
        at = rng.randint(0, 1)
        price = rng.choice(list(sides[at]))
        sides[at][price] = rng.randint(1, 10**6)
        changed: list[list[tuple[str, str]]] = [[], []]
        changed[at] = [(str(price), str(sides[at][price]))]
        best = [sorted(side.items(), reverse=not n)[:10] for n, side in enumerate(sides)]
        made.append(
            _frame("update", sequence, changed, [[(str(p), str(s)) for p, s in b] for b in best])
        )
    return made


def _frame(
    kind: str,
    sequence: int,
    levels: list[list[tuple[str, str]]],
    best: list[list[tuple[str, str]]],
) -> dict[str, Any]:
    return {
        "type": kind,
        "sequence": sequence,
        "previous_sequence": sequence - 1,
        "bids": levels[0],
        "asks": levels[1],
        "timestamp": "",
        "checksum": book_checksum(*best),
    }
