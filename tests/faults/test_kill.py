"""Kill -9 of every kind of process while orders flow: nothing acknowledged is lost or doubled."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.faults.audits import LedgerProbe, Money
from tests.faults.followers import Follower
from tests.faults.traffic import GRIDS, PREFIX, Auditor, Trader
from tests.running import RunningExchange

VICTIMS = {
    "pair": ("ray::PairActor",),
    "account": ("ray::AccountShard",),
    "gateway": ("ray::GatewayActor",),
    "redis": ("valkey-server",),
}
OPEN = ("open", "partially_filled", "pending_trigger")
SHORT_KILLS = 8
LONG_KILLS = 60
TRADERS = 4
RECOVERED_WITHIN_S = 150.0


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


async def conserved(traders: list[Trader], probe: LedgerProbe) -> None:
    """Check the money now: in the shards' own journals, and as every trader is shown it."""
    await asyncio.to_thread(probe.probe)
    for trader in traders:
        await balances(trader)


async def balances(trader: Trader) -> dict[str, dict[str, Decimal]]:
    """Read a trader's paper balances by asset; nothing is negative, and the parts add up."""
    body = await answered(trader, "/api/v1/account/balances")
    shown = {}
    for balance in body["balances"]:
        parts = {key: Decimal(balance[key]) for key in ("available", "locked", "total")}
        assert min(parts.values()) >= 0, balance
        assert parts["total"] == parts["available"] + parts["locked"], balance
        if balance["mode"] == "paper":
            shown[balance["asset"]] = parts
    return shown


async def answered(trader: Trader, path: str) -> dict[str, Any]:
    """Read something, again while a connection breaks or a part is still recovering."""
    deadline = asyncio.get_running_loop().time() + RECOVERED_WITHIN_S
    while True:
        status, body = await trader.request("GET", path)
        if status == 200:
            return body
        assert status in {0, 503}, body
        assert asyncio.get_running_loop().time() < deadline, f"no answer: {status} {body}"
        await asyncio.sleep(0.05)


async def accounted(traders: list[Trader], probe: LedgerProbe) -> Money:
    """Check at rest: grants plus fills are balances, open orders justify locks, nothing leaks."""
    house = await asyncio.to_thread(probe.settled)
    money = Money(probe)
    for trader in traders:
        expected = dict(money.grants)
        low: dict[str, Decimal] = defaultdict(Decimal)
        high: dict[str, Decimal] = defaultdict(Decimal)
        for symbol in GRIDS:
            orders = list((await Auditor.all_orders(trader, symbol)).values())
            for asset, gained in money.gains(symbol, orders).items():
                expected[asset] += gained
            resting = [order for order in orders if order["status"] in OPEN]
            for asset, (least, most) in money.locked(symbol, resting).items():
                low[asset] += least
                high[asset] += most
        for asset, shown in (await balances(trader)).items():
            note = f"{trader.name} {asset}: {shown}"
            assert shown["total"] == expected[asset], f"{note}, fills say {expected[asset]}"
            assert low[asset] <= shown["locked"] <= high[asset], f"{note}, {low} to {high}"
    money.house_agrees(house)
    return money


async def operators_see_zero(exchange: RunningExchange, trader: Trader) -> None:
    """Check that `tandem status` and the gateways' metrics tell the same sums: all zero."""
    command = [sys.executable, "-m", "tandem", "status", "--json"]
    command += ["--data-dir", str(exchange.data_dir)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout)["ledger"]
    assert {row["asset"] for row in rows} >= {"USDC", "VAIX", "ETH"}
    assert {row["sum_raw"] for row in rows} == {0}
    async with aiohttp.ClientSession() as http, http.get(exchange.base_url + "/metrics") as answer:
        lines = (await answer.text()).splitlines()
    sums = [line for line in lines if line.startswith("tandem_ledger_sum_raw{")]
    assert len(sums) == len(rows)
    assert all(line.endswith(" 0.0") for line in sums), sums


async def kill_and_watch(exchange: RunningExchange, kills: int, seed: int) -> None:
    """Run traders and followers, kill at random, then audit everything."""
    chance = random.Random(seed)
    traders = [Trader(exchange.base_url, f"trader{n}", seed + n) for n in range(TRADERS)]
    for trader in traders:
        await trader.register()
    probe = LedgerProbe(exchange.data_dir)
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
        await conserved(traders, probe)
    await asyncio.sleep(1)
    stop_trading.set()
    await asyncio.gather(*trading)
    await ready(traders[0])
    await settle(traders, followers)
    stop_following.set()
    await asyncio.gather(*following)
    auditor = Auditor(traders)
    await auditor.audit()
    money = await accounted(traders, probe)
    await operators_see_zero(exchange, traders[0])
    probe.close()
    for trader in traders:
        await trader.close()
    print(
        f"\n{kills} kills (seed {seed}): {auditor.acknowledged} acknowledged commands, "
        f"{len(auditor.lost)} lost, {len(auditor.twice)} applied twice, "
        f"{auditor.repeated} resolved by repetition under their key; "
        f"{sum(f.connects for f in followers)} stream connections, "
        f"{sum(len(f.gaps) for f in followers)} gaps; {probe.probes} probes of the money over "
        f"{probe.records} ledger records, {money.fills} fills and {money.fees} USDC of fees agree"
    )
    assert auditor.lost == []
    assert auditor.twice == []
    assert [f.gaps for f in followers if f.gaps] == []
    assert auditor.acknowledged > 0


async def settle(traders: list[Trader], followers: list[Follower]) -> None:
    """Wait until each follower's book is the server's."""
    books = {f.url.split("/")[-2]: f for f in followers if f.channel == "book"}
    deadline = asyncio.get_running_loop().time() + 90
    for symbol, follower in books.items():
        while True:
            book = await answered(traders[0], f"{PREFIX}/{symbol}/book?depth=500&mode=paper")
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
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
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
