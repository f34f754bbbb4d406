"""The TypeScript client: built, checked, and run against a whole exchange. Needs Node."""

import asyncio
import contextlib
import functools
import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from event_trader import EventTrader

from tests.clients import new_key
from tests.integration.test_sdk_streams import (
    LONGEST_S,
    SLICE_S,
    churn,
    collect,
    cut_again_and_again,
    ends_with,
    until,
)
from tests.proxies import CuttingProxy
from tests.running import RunningExchange

SDK = Path(__file__).parents[2] / "sdk" / "typescript"
WITHIN_S = 400.0
SEED = int(os.environ.get("TANDEM_SEED", "20260103"))
CUTS = 100
UPDATES = 300
UPDATES_LONG = 100_000
"""Book changes at least; the long form is run by make sim, which has more changes made at once."""
ORDERS = 12

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None,
    reason="THE TYPESCRIPT CLIENT WAS NOT TESTED: install Node 20 or newer",
)


def run(*command: str, **variables: str) -> str:
    """Run a command in the package; returns what it printed.

    Raises:
        AssertionError: it failed; the message holds its output.
    """
    done = subprocess.run(
        command,
        cwd=SDK,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-8000:]}"
    return done.stdout


@functools.cache
def build() -> None:
    """Build the package from its lock file, checked (biome, tsc), and bundle it for browsers."""
    locked, finished = SDK / "package-lock.json", SDK / "node_modules" / ".package-lock.json"
    if not finished.exists() or finished.stat().st_mtime < locked.stat().st_mtime:
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    run("npm", "run", "--silent", "check")


@pytest.fixture(scope="module")
def built() -> None:
    """The package; built once, whichever modules ask for it."""
    build()


@contextlib.asynccontextmanager
async def program(name: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one of the test programs, with its input and output at hand."""
    process = await asyncio.create_subprocess_exec(
        "node", str(SDK / "build" / "test" / name), *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def say(process: asyncio.subprocess.Process, line: str) -> None:
    """Write a line to a program."""
    assert process.stdin is not None
    process.stdin.write(line.encode() + b"\n")
    await process.stdin.drain()


async def hear(process: asyncio.subprocess.Process, within_s: float = WITHIN_S) -> str:
    """Read a line of a program's output."""
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), within_s)
    assert line, "the program ended"
    return line.decode().strip()


def test_its_own_suite_passes_against_a_started_exchange(
    built: None, running_exchange: RunningExchange
) -> None:
    """Transport, protocols, sockets, and every method against the exchange."""
    printed = run("npm", "test", "--silent", TANDEM_URL=running_exchange.base_url)
    assert "# fail 0" in printed or "ℹ fail 0" in printed  # noqa: RUF001 (node's own sign)


def test_browser_bundle_reaches_nothing_of_node(built: None) -> None:
    """The bundler fails on a Node module; nor may the optional package `ws` be reached."""
    bundle = (SDK / "build" / "browser.js").read_text("utf-8")
    assert "class EventTrader" in bundle or "EventTrader = class" in bundle
    assert 'import("ws")' not in bundle
    assert "node:" not in bundle


async def test_orders_whose_answers_are_lost_execute_once(
    built: None, running_exchange: RunningExchange
) -> None:
    """A proxy swallows every third answer: each order is placed once all the same."""
    url = running_exchange.base_url
    key = await new_key(url)
    async with (
        CuttingProxy(url) as proxy,
        program("place.js", proxy.url, key, str(ORDERS)) as process,
        EventTrader(key, base_url=url) as client,
    ):
        for at in range(ORDERS + 1):
            assert await hear(process) == "next"
            if at == ORDERS:
                open_ids = [order["order_id"] for order in await client.clob.open_orders("vaix")]
            proxy.answers_to_swallow = int(at % 3 == 0)
            await say(process, "go")
        told = json.loads(await hear(process))
        assert proxy.swallowed == ORDERS // 3 + 1
        assert told == {"placed": open_ids, "ended": "canceled"}
        assert len(open_ids) == ORDERS
        await client.clob.cancel_all("vaix")


@pytest.mark.parametrize(
    "updates",
    [UPDATES, pytest.param(UPDATES_LONG, marks=[pytest.mark.slow, pytest.mark.timeout(LONGEST_S)])],
)
async def test_hundred_cuts_leave_the_book_equal_and_no_private_event_lost_or_doubled(
    built: None, running_exchange: RunningExchange, updates: int
) -> None:
    """Book, tape and private channel, against what the server says at the end."""
    url = running_exchange.base_url
    keys = [await new_key(url) for _ in range(2)]
    stop = asyncio.Event()
    whole_events: list[dict[str, Any]] = []
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(EventTrader(key, base_url=url)) for key in keys]
        proxy = await stack.enter_async_context(CuttingProxy(url))
        whole = clients[0].stream.private()
        assert (await whole.__anext__())["type"] == "connected"
        process = await stack.enter_async_context(program("follow.js", proxy.url, keys[0]))
        word, first = (await hear(process)).split()
        assert word == "ready"
        reader = asyncio.create_task(collect(whole, whole_events))
        churners = [
            asyncio.create_task(churn(client, random.Random(SEED + at), stop))
            for at, client in enumerate(clients)
        ]
        begun = time.monotonic()
        await cut_again_and_again(proxy, random.Random(SEED), CUTS)
        sliced = SLICE_S if updates == UPDATES_LONG else 0.0
        left_s = sliced - (time.monotonic() - begun) if sliced else LONGEST_S
        try:
            assert await asked(process, str(int(first) + updates), left_s) == "reached"
        except TimeoutError:
            assert sliced, "the updates did not come"
        stop.set()
        await asyncio.gather(*churners)
        last = await clients[0].clob.place_order("vaix", "buy", "1000", price="0.001", mode="paper")
        await until(functools.partial(ends_with, whole_events, last))
        params = {"depth": 500, "mode": "paper"}
        served = await clients[0]._http.get("/api/v1/exchange/vaix/book", params=params)
        told = json.loads(await asked(process, f"{served['sequence']} {last['order_id']}"))
        await whole.close()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        await clients[0].clob.cancel_all("vaix")
    assert proxy.cuts >= CUTS
    assert told["sequence"] == served["sequence"]
    assert (told["bids"], told["asks"]) == (served["bids"], served["asks"])
    assert told["mismatches"] == 0
    events = numbered(told["events"])
    assert events == numbered(whole_events)
    fills = [(event["trade_id"], event["order_id"]) for event in events if event["type"] == "fill"]
    assert len(set(fills)) == len(fills) > 0
    numbers = told["trades"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    print(
        f"seed {SEED}: {proxy.cuts} cuts, {told['sequence'] - told['first']} book updates in "
        f"{told['frames']} frames, {told['connections']} connections, {len(events)} private "
        f"events, {len(numbers)} trades"
    )


def numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the orders' and fills' events, in order: what a stream that is never cut shows."""
    return [event for event in events if event["type"] in ("order_update", "fill")]


async def asked(process: asyncio.subprocess.Process, line: str, within_s: float = WITHIN_S) -> str:
    """Write a line, and read the answer."""
    await say(process, line)
    return await hear(process, within_s)
