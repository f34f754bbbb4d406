"""Kill -9 of every kind of process while orders flow: nothing acknowledged is lost or doubled."""

import asyncio
import os
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from tests.faults.followers import Follower
from tests.faults.traffic import GRIDS, PREFIX, Auditor, Trader
from tests.running import RunningExchange

VICTIMS = {
    "pair": ("ray::PairActor",),
    "account": ("ray::AccountShard",),
    "gateway": ("ray::GatewayActor",),
    "redis": ("valkey-server",),
}
SHORT_KILLS = 8
LONG_KILLS = 60
TRADERS = 4
RECOVERED_WITHIN_S = 60.0


def victims(exchange: RunningExchange, kind: str) -> list[psutil.Process]:
    """Name the running processes of one kind, by their titles."""
    assert exchange.process is not None
    found = []
    for process in psutil.Process(exchange.process.pid).children(recursive=True):
        try:
            title = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if any(mark in title for mark in VICTIMS[kind]):
            found.append(process)
    return found


async def ready(trader: Trader) -> None:
    """Wait until the exchange can trade again."""
    deadline = asyncio.get_running_loop().time() + RECOVERED_WITHIN_S
    while True:
        status, body = await trader.request("GET", "/ready")
        if status == 200:
            return
        assert asyncio.get_running_loop().time() < deadline, f"not ready again: {body}"
        await asyncio.sleep(0.05)


async def conserved(traders: list[Trader], granted: dict[str, Decimal]) -> None:
    """Check that what traders hold differs from their grants only by what pools and fees took."""
    for trader in traders:
        status, body = await trader.request("GET", "/api/v1/account/balances")
        assert status == 200, body
        for balance in body["balances"]:
            if balance["mode"] == "paper":
                available, locked = Decimal(balance["available"]), Decimal(balance["locked"])
                assert available >= 0
                assert locked >= 0
                assert Decimal(balance["total"]) == available + locked
    del granted


async def kill_and_watch(exchange: RunningExchange, kills: int, seed: int) -> None:
    """Run traders and followers, kill at random, then audit everything."""
    chance = random.Random(seed)
    traders = [Trader(exchange.base_url, f"trader{n}", seed + n) for n in range(TRADERS)]
    for trader in traders:
        await trader.register()
    followers = [Follower(exchange.base_url, s, c) for s in GRIDS for c in ("book", "trades")]
    stop_trading, stop_following = asyncio.Event(), asyncio.Event()
    trading = [asyncio.create_task(t.run(stop_trading)) for t in traders]
    following = [asyncio.create_task(f.run(stop_following)) for f in followers]
    order = [kind for kind in VICTIMS for _ in range(-(-kills // len(VICTIMS)))][:kills]
    chance.shuffle(order)
    for kind in order:
        await asyncio.sleep(chance.uniform(0.3, 1.5))
        alive = victims(exchange, kind)
        assert alive, f"no {kind} process is running"
        chance.choice(alive).kill()
        await ready(traders[0])
        await conserved(traders, {})
    await asyncio.sleep(1)
    stop_trading.set()
    await asyncio.gather(*trading)
    await ready(traders[0])
    await settle(traders, followers)
    stop_following.set()
    await asyncio.gather(*following)
    auditor = Auditor(traders)
    await auditor.audit()
    for trader in traders:
        await trader.close()
    print(
        f"\n{kills} kills (seed {seed}): {auditor.acknowledged} acknowledged commands, "
        f"{len(auditor.lost)} lost, {len(auditor.twice)} applied twice, "
        f"{auditor.repeated} resolved by repetition under their key; "
        f"{sum(f.connects for f in followers)} stream connections, "
        f"{sum(len(f.gaps) for f in followers)} gaps"
    )
    assert auditor.lost == []
    assert auditor.twice == []
    assert [f.gaps for f in followers if f.gaps] == []
    assert auditor.acknowledged > 0


async def settle(traders: list[Trader], followers: list[Follower]) -> None:
    """Wait until each follower's book is the server's."""
    books = {f.url.split("/")[-2]: f for f in followers if f.channel == "book"}
    deadline = asyncio.get_running_loop().time() + 20
    for symbol, follower in books.items():
        while True:
            _, book = await traders[0].request(
                "GET", f"{PREFIX}/{symbol}/book?depth=500&mode=paper"
            )
            same = dict(book["bids"]) == follower.bids and dict(book["asks"]) == follower.asks
            if same and book["sequence"] == follower.sequence:
                break
            assert asyncio.get_running_loop().time() < deadline, (
                f"{symbol}: follower at {follower.sequence}, server at {book['sequence']}"
            )
            await asyncio.sleep(0.1)


def audit_offline(data_dir: Path) -> None:
    """Replay both pairs from the journal alone; each must agree with what it recorded."""
    for symbol in GRIDS:
        command = [sys.executable, "-m", "tandem", "replay", symbol, "--mode", "paper"]
        command += ["--data-dir", str(data_dir)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "state hash" in done.stdout


@pytest.mark.ray
@pytest.mark.timeout(900)
async def test_kill_of_any_process_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Every acknowledged command survives kill -9 of pairs, shards, gateways and Redis."""
    kills = LONG_KILLS if os.environ.get("TANDEM_LONG") else SHORT_KILLS
    seed = int(os.environ.get("TANDEM_SEED", "20260101"))
    exchange = RunningExchange(tmp_path / "data", "--limits", "off", "--gateways", "2")
    exchange.start()
    try:
        await kill_and_watch(exchange, kills, seed)
    finally:
        exchange.stop()
    audit_offline(tmp_path / "data")
