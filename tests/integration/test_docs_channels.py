"""The page of channels is true: every frame it describes is sent, with exactly its fields."""

import asyncio
import re
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.app import build_app
from tests.channels_page import described
from tests.gateways import Gateway
from tests.integration.test_ws_public import Client, connect, trader

WITHIN_S = 60.0


async def test_page_describes_every_channel_that_is_served(gateway: Gateway) -> None:
    """The paths of the gateway's own router, and no other."""
    served = {
        re.sub(r"{symbol[^/]*(?:/[^/]*}\)?)?", "{symbol}", route.resource.canonical)
        for route in build_app(gateway.deps).router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/ws/")
    }
    assert {re.sub(r"^(/ws/exchange/){symbol.*/", r"\1{symbol}/", path) for path in served} == set(
        described()
    )


async def one_of_each(gateway: Gateway, client: Client, kinds: set[str]) -> dict[str, Any]:
    """Read until every kind of frame has come."""
    seen: dict[str, Any] = {}
    async with asyncio.timeout(WITHIN_S):
        while not kinds <= set(seen):
            frame = await client.next()
            seen.setdefault(frame["type"], frame)
    return seen


@pytest.mark.parametrize("path", [path for path in described() if path != "/ws/clob"])
async def test_frames_of_a_channel_have_the_described_fields(gateway: Gateway, path: str) -> None:
    """Orders, a trade and a resume make every kind of frame come."""
    maker, taker = await trader(gateway), await trader(gateway)
    headers = {"Authorization": f"Bearer {maker}"} if path.endswith("private") else {}
    async with AsyncExitStack() as stack:
        socket = connect(gateway, path.replace("{symbol}", "vaix"), headers=headers)
        client = await stack.enter_async_context(socket)
        if headers:
            assert (await client.next())["type"] == "connected"
            await client.send({"action": "snapshot"})
            await client.send({"action": "resume", "since": {"vaix.paper": 0}})
        await gateway.order(maker, side="sell", quantity="10", price="0.004", route_mode="cex")
        await gateway.order(taker, side="buy", quantity="10", price="0.004", route_mode="cex")
        expected = described()[path]
        seen = await one_of_each(gateway, client, set(expected))
    for kind, fields in expected.items():
        assert set(seen[kind]) == fields, kind


async def test_frames_of_the_many_in_one_channel_have_the_described_fields(
    gateway: Gateway,
) -> None:
    """Its own frames as described; the others as in their channels, with two more fields."""
    pages = described()
    token = await trader(gateway)
    headers = {"Authorization": f"Bearer {token}"}
    channels = "l2Book,trades,bbo,userOrders,userFills,balanceUpdate"
    async with connect(gateway, f"/ws/clob?channels={channels}", headers=headers) as client:
        await gateway.order(token, side="buy", quantity="10", price="0.001", route_mode="cex")
        await client.send({"action": "gap_recovery", "since_sequence": 10**9})
        wanted = {"connected", "gap_detected", "l2_snapshot", "bbo", "order_update"}
        seen = await one_of_each(gateway, client, wanted)
    for kind in ("connected", "gap_detected"):
        assert set(seen[kind]) == pages["/ws/clob"][kind]
    added = {"channel", "global_sequence"}
    book = pages["/ws/exchange/{symbol}/book"]["snapshot"]
    assert set(seen["l2_snapshot"]) == book | added
    assert set(seen["bbo"]) == pages["/ws/exchange/{symbol}/bbo"]["bbo"] | added
    update = pages["/ws/exchange/private"]["order_update"]
    assert set(seen["order_update"]) == update | added
