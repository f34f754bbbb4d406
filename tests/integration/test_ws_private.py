"""The private channel over real sockets: who may listen, what they hear, and nothing is lost."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateways import Exchange, Gateway
from tests.integration.test_ws_public import Client, connect, trader

PATH = "/ws/exchange/private"


@pytest.fixture
def exchange(store_url: str) -> Iterator[Exchange]:
    """Pairs and shards on an empty store, for each test its own."""
    running = Exchange(store_url)
    running.start()
    yield running
    running.stop()
    assert running.deaths == []


async def collect(client: Client, done: str, **fields: Any) -> list[dict[str, Any]]:
    """Read frames up to one of a type with these fields."""
    found = []
    while True:
        frame = await client.next()
        found.append(frame)
        if frame["type"] == done and fields.items() <= frame.items():
            return found


async def test_private_channel_tells_orders_fills_and_balances_of_its_account_only(
    gateway: Gateway,
) -> None:
    """Maker and taker each hear their own side of a trade, with the money that followed."""
    maker, taker = await trader(gateway), await trader(gateway)
    async with (
        connect(gateway, f"{PATH}?token={maker}") as one,
        connect(gateway, PATH, headers={"Authorization": f"Bearer {taker}"}) as two,
    ):
        assert (await one.next())["type"] == "connected"
        assert (await two.next())["type"] == "connected"
        _, resting = await gateway.order(maker, side="sell", quantity="100", price="0.004")
        opened = await one.until("order_update")
        assert (opened["order_id"], opened["status"]) == (resting["id"], "open")
        assert (opened["symbol"], opened["mode"]) == ("vaix", "paper")
        assert opened["remaining_quantity"] == "100"
        _, taking = await gateway.order(taker, side="buy", quantity="40", price="0.004")
        fill = await one.until("fill")
        assert (fill["order_id"], fill["role"], fill["side"]) == (resting["id"], "maker", "sell")
        part = await one.until("order_update")
        assert (part["status"], part["filled_quantity"]) == ("partially_filled", "40")
        assert part["average_price"] == "0.00400000"
        heard = await collect(two, "settlement_update", order_id=taking["id"])
        assert heard[-1]["settlement_status"] == "settled"
        assert {f["order_id"] for f in heard if "order_id" in f} == {taking["id"]}
        assert [f["status"] for f in heard if f["type"] == "order_update"][-1] == "filled"
        mine = next(frame for frame in heard if frame["type"] == "fill")
        assert (mine["role"], mine["fee"], mine["fee_asset"]) == ("taker", "0.00016", "USDC")
        money = [f for f in heard if f["type"] == "balance_update" and f["asset"] == "VAIX"]
        assert money[-1]["available"] == money[-1]["total"] == "30000040"


async def test_private_channel_takes_the_token_as_first_frame(gateway: Gateway) -> None:
    """A first auth frame opens the channel; actions before it are refused."""
    token = await trader(gateway)
    async with connect(gateway, PATH) as client:
        await client.send({"action": "snapshot"})
        assert (await client.next())["code"] == "UNAUTHENTICATED"
        await client.send({"type": "auth", "token": token})
        assert (await client.next())["user_id"].startswith("usr_")
        await client.send({"type": "auth", "token": token})
        assert (await client.next())["code"] == "ALREADY_AUTHENTICATED"


@pytest.mark.parametrize("token", ["nonsense", "evt_" + "0" * 64, "a.b.c", "x" * 5_000])
async def test_private_channel_closes_a_bad_credential_with_4401(
    gateway: Gateway, token: str
) -> None:
    """The reason is said in a frame, then the socket closes with 4401."""
    async with connect(gateway, PATH) as client:
        await client.send({"type": "auth", "token": token})
        assert (await client.next())["type"] == "error"
        assert await client.closed() == 4401


async def test_private_channel_ends_after_a_revocation(gateway: Gateway) -> None:
    """Logging out ends the session's sockets."""
    session = await gateway.register()
    async with connect(gateway, f"{PATH}?token={session['access_token']}") as client:
        assert (await client.next())["type"] == "connected"
        status, _ = await gateway.call(
            "POST", "/auth/logout", json={"refresh_token": session["refresh_token"]}
        )
        assert status == 204
        assert await client.closed() == 4401


async def test_api_key_without_read_is_closed_with_4403(gateway: Gateway) -> None:
    """A key needs the read permission."""
    token = await trader(gateway)
    status, key = await gateway.call(
        "POST",
        "/api/v1/api-keys",
        token=token,
        json={"name": "blind", "permissions": {"read": False, "trade": True}},
    )
    assert status == 201
    async with connect(gateway, PATH, headers={"X-API-Key": key["key"]}) as client:
        assert (await client.next())["code"] == "PERMISSION_DENIED"
        assert await client.closed() == 4403


async def test_no_fill_is_missed_or_doubled_over_reconnects(gateway: Gateway) -> None:
    """A client that drops out again and again and resumes hears every fill once, in order."""
    maker, taker = await trader(gateway), await trader(gateway)
    await gateway.order(maker, side="sell", quantity="1000", price="0.004")
    expected: list[str] = []
    heard: list[str] = []
    sequence = 0

    async def trade() -> None:
        _, order = await gateway.order(taker, side="buy", quantity="1", price="0.004")
        expected.extend(fill["trade_id"] for fill in order["fills"])

    for turn in range(6):
        for _ in range(turn):
            await trade()
        async with connect(gateway, f"{PATH}?token={taker}") as client:
            assert (await client.next())["type"] == "connected"
            await client.send(
                {
                    "action": "resume",
                    "since_sequence": sequence,
                    "symbol": "VAIX",
                    "mode": "paper",
                }
            )
            during = asyncio.create_task(trade())
            frames = await collect(client, "resumed", symbol="vaix", mode="paper")
            await during
            while len([f for f in frames if f["type"] == "fill"]) + len(heard) < len(expected):
                frames.append(await client.next())
            heard.extend(f["trade_id"] for f in frames if f["type"] == "fill")
            sequence = max(f["sequence"] for f in frames if f["type"] == "fill")
    assert len(expected) == 21
    assert heard == expected


async def test_resume_of_everything_replays_every_market(gateway: Gateway) -> None:
    """Without a symbol, or with a map, each market is replayed after the number."""
    token = await trader(gateway)
    ids = set()
    for symbol in ("vaix", "btc"):
        _, order = await gateway.order(token, symbol, side="buy", quantity="1", price="0.01")
        ids.add(order["id"])
    for frame in (
        {"action": "resume", "since_sequence": 0},
        {"action": "resume", "since": {"vaix.paper": 0, "btc.paper": 0}},
    ):
        async with connect(gateway, f"{PATH}?token={token}") as client:
            await client.send(frame)
            heard: set[str] = set()
            while heard != ids:
                heard.add((await client.until("order_update"))["order_id"])


async def test_resume_of_what_was_trimmed_says_so_and_goes_on(
    exchange: Exchange, gateway: Gateway
) -> None:
    """Records that are gone are named as gone, and live frames keep coming."""
    token = await trader(gateway)
    for _ in range(3):
        await gateway.order(token, side="buy", quantity="1", price="0.001")
    client_of_store = gateway.deps.redis
    await client_of_store.xtrim("tandem:{s:vaix.paper}:journal", maxlen=1, approximate=False)
    async with connect(gateway, f"{PATH}?token={token}") as client:
        await client.until("connected")
        await client.send(
            {"action": "resume", "since_sequence": 0, "symbol": "vaix", "mode": "paper"}
        )
        lost = await client.until("error")
        assert (lost["code"], lost["symbol"], lost["mode"]) == ("HISTORY_TRIMMED", "vaix", "paper")
        _, order = await gateway.order(token, side="buy", quantity="1", price="0.001")
        assert (await client.until("order_update"))["order_id"] == order["id"]
