"""One intent, one outcome: repeated across the deaths of gateways and pairs, and a full restart."""

import uuid
from typing import Any

import aiohttp
import pytest

from actors.journal.redis import connect
from tests.integration.cluster import PREFIX, Answer, Cluster

pytestmark = pytest.mark.ray

PLACE = f"{PREFIX}/vaix/orders"


def _order(**changes: str) -> dict[str, str]:
    body = {"side": "buy", "quantity": "7", "price": "0.0002", "mode": "paper"}
    return body | {"client_order_id": uuid.uuid4().hex} | changes


class Intent:
    """One order under one key, and what a client sees when it asks again."""

    def __init__(self, cluster: Cluster, token: str) -> None:
        self.cluster = cluster
        self.token = token
        self.key = uuid.uuid4().hex
        self.body = _order()

    async def send(self, key: str, body: dict[str, str]) -> Answer:
        """Place, repeating while the exchange is away."""

        async def place(http: aiohttp.ClientSession) -> Answer:
            headers = {"Authorization": self.token} | ({"Idempotency_Key": key} if key else {})
            return await self.cluster.ask(http, "POST", PLACE, body, **headers)

        return await self.cluster.patiently(place)

    async def open_orders(self) -> list[dict[str, Any]]:
        """List the user's open orders."""

        async def get(http: aiohttp.ClientSession) -> Answer:
            path = f"{PREFIX}/vaix/orders/open?mode=paper"
            return await self.cluster.ask(http, "GET", path, Authorization=self.token)

        orders: list[dict[str, Any]] = (await self.cluster.patiently(get)).body["orders"]
        return orders

    async def check(self, first: Answer) -> None:
        """Ask again in every way: the first outcome each time, and no second order."""
        again = await self.send(self.key, self.body)
        assert (again.status, again.body) == (first.status, first.body)
        other = await self.send(self.key, self.body | {"quantity": "8"})
        assert other.status == 409, other.raw
        assert other.body["error"]["code"] == "IDEMPOTENCY_MISMATCH"
        for key in ("", uuid.uuid4().hex):
            same = await self.send(key, self.body)
            assert same.status == 200, same.raw
            assert same.body["order_id"] == first.body["order_id"]
        clash = await self.send("", self.body | {"price": "0.0003"})
        assert clash.status == 409, clash.raw
        assert clash.body["error"]["code"] == "IDEMPOTENCY_MISMATCH"
        assert [order["order_id"] for order in await self.open_orders()] == [first.body["order_id"]]


def _forget_outcomes(cluster: Cluster) -> int:
    """Make the store as it is when a gateway dies between acting and remembering."""
    forgotten = 0
    with connect(f"unix://{cluster.exchange.data_dir / 'valkey.sock'}") as client:
        for record in client.scan_iter("tandem:idem:*"):
            forgotten += int(client.hdel(record, "outcome"))
            client.hset(record, "until", "0")
    return forgotten


async def test_order_repeated_across_kills_and_a_restart_has_its_first_outcome(
    cluster: Cluster,
) -> None:
    """Key and client_order_id name one order for as long as it lives, whoever dies meanwhile."""
    await cluster.complete()
    async with aiohttp.ClientSession() as http:
        account = await cluster.register(http)
    intent = Intent(cluster, "Bearer " + account["access_token"])
    first = await intent.send(intent.key, intent.body)
    assert first.status == 200, first.raw
    await intent.check(first)
    assert cluster.kill("ray::GatewayActor") == 2
    await intent.check(first)
    assert cluster.kill("ray::PairActor") == 1
    await intent.check(first)
    assert _forget_outcomes(cluster) >= 1
    assert cluster.kill("ray::PairActor") == 1
    await intent.check(first)
    assert cluster.exchange.stop() == 0
    cluster.exchange.start()
    await intent.check(first)
