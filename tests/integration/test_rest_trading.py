"""Trading over REST, on real pairs, shards and a real store, in one process."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.gateways import Exchange, Gateway, open_gateway
from tests.store import store_url, valkey

__all__ = ["store_url", "valkey"]

PATH = "/api/v1/exchange/vaix"


@pytest.fixture
def exchange(store_url: str) -> Iterator[Exchange]:
    """Pairs and shards."""
    running = Exchange(store_url)
    running.start()
    yield running
    running.stop()
    assert running.deaths == []


@pytest_asyncio.fixture
async def gateway(exchange: Exchange) -> AsyncIterator[Gateway]:
    """One gateway, limits off."""
    async with open_gateway(exchange) as opened:
        yield opened


async def test_trader_from_registration_to_balance_gets_every_step(gateway: Gateway) -> None:
    """Register, list, place, look, cancel, and see the money."""
    token = (await gateway.register())["access_token"]
    status, pairs = await gateway.call("GET", "/api/v1/exchange/pairs")
    assert status == 200
    assert [pair["symbol"] for pair in pairs["pairs"]] == ["vaix", "btc"]
    status, order = await gateway.order(token, side="buy", quantity="1000", price="0.003")
    assert (status, order["status"], order["mode"]) == (200, "open", "paper")
    status, balance = await gateway.call("GET", f"{PATH}/balance", token=token)
    assert status == 200
    assert balance["quote"]["locked"] == "3"
    assert balance["quote"]["total"] == "100000"
    status, ended = await gateway.call("DELETE", f"{PATH}/orders/{order['id']}", token=token)
    assert (status, ended["status"]) == (200, "canceled")
    status, again = await gateway.call("DELETE", f"{PATH}/orders/{order['id']}", token=token)
    assert (status, again["error"]["code"]) == (409, "ORDER_CLOSED")
    assert again["error"]["details"]["order"]["status"] == "canceled"
    status, balance = await gateway.call("GET", f"{PATH}/balance", token=token)
    assert balance["quote"]["locked"] == "0"
