"""`make bench` runs: each of its parts with a moment's work, so that none rots unseen.

What is measured here means nothing; that every part comes to its table is what counts.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from event_trader import EventTrader

from load_tests.exchange import _PASSWORD
from tests.running import RunningExchange

WITHIN_S: Final = 500.0
SIZES: Final[dict[str, dict[str, float]]] = {
    "load_tests.pair_stage": {"_SECONDS": 0.2, "_OPEN_ORDERS": 2_000},
    "load_tests.rest": {
        "_SECONDS": 0.2, "_ACCOUNTS": 2, "_PER_LANE": 400, "_FRAMES": 3, "_APPENDS": 3,
    },
    "load_tests.feeds": {
        "POOLS": 4, "PAIRS": 2, "_SWAPS": 3, "_SECONDS": 1, "_TOUCHED": 2, "_BLOCKS_PER_S": 2,
    },
    "load_tests.sdk": {"_IMPORTS": 1, "_WARM": 2, "_ROUNDS": 5, "_UPDATES": 50},
}  # fmt: skip
"""What replaces the sizes of the real thing; a name that is gone is an error."""
PROGRAM: Final = """
import contextlib, importlib, json, sys
from load_tests import bench
from load_tests.flow import SHAPES, Shape
sizes, port, *parts = sys.argv[1:]
prepare = bench.ray_runtime.prepare

def prepare_and_shrink(root):
    prepare(root)  # before anything imports Ray, as these modules do
    for module, smaller in json.loads(sizes).items():
        if module.rpartition(".")[2] not in {*parts, "pair_stage"}:
            continue
        names = vars(importlib.import_module(module))
        for name, size in smaller.items():
            names[name] = type(names[name])(size)
    if int(port):
        rest = importlib.import_module("load_tests.rest")
        rest.exchange = lambda _: contextlib.nullcontext(int(port))

bench.ray_runtime.prepare = prepare_and_shrink
SHAPES.clear()
SHAPES["small"] = Shape(3_000, 60, 150, 60, 3, 40)
sys.argv = ["bench", "--parts", *parts]
sys.exit(bench.main())
"""
"""Runs the bench's own `main` with these sizes, against an exchange that runs already."""


def bench(port: int, *parts: str) -> str:
    """Run parts of the bench; gives what was printed.

    Raises:
        AssertionError: a part failed.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(SIZES), str(port), *parts],
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def shared(running_exchange: RunningExchange) -> Iterator[RunningExchange]:
    """The exchange that runs already; what the bench leaves on its books is cancelled."""
    yield running_exchange
    for number in range(int(SIZES["load_tests.rest"]["_ACCOUNTS"])):
        asyncio.run(leave(running_exchange.base_url, f"bench{number}@example.com"))


async def leave(url: str, email: str) -> None:
    """Cancel all of an account's orders."""
    async with await EventTrader.from_credentials(email, _PASSWORD, base_url=url) as client:
        await client.clob.kill_switch()


@pytest.mark.ray
def test_every_part_of_the_bench_comes_to_its_table(shared: RunningExchange) -> None:
    """Matching with its checksum, a pair, its recovery, the gateway and the client."""
    told = bench(shared.port, "matching", "pair", "recovery", "rest", "sdk")
    for said in (
        "checksum agrees", "orders in batches of", "open orders, no snapshot",
        "order sent to private frame", "hybrid book, 128 connections", "every checksum agrees",
    ):  # fmt: skip
        assert said in told, told


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.chain
def test_feeds_part_of_the_bench_comes_to_its_table() -> None:
    """On a node of its own, with an exchange of its own."""
    told = bench(0, "feeds")
    assert "log notification to hybrid book frame" in told
    assert "4 of 4 pools live, 0 gaps, 0 missed logs" in told
