"""The Python client against a whole exchange: documented snippets, lost answers, errors."""

import asyncio
import statistics
import time
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from event_trader import (
    ConnectionFailedError,
    EventTrader,
    InsufficientFundsError,
    InvalidCredentialsError,
    KeyInvalidError,
    NotTandemError,
    OrderClosedError,
    PriceOffTickError,
    SyncEventTrader,
    UnknownSymbolError,
)

from tests.clients import PASSWORD, new_key, new_trader
from tests.proxies import CuttingProxy
from tests.running import RunningExchange

OVERHEAD_MAX = 2.0
"""Of a bare request's own processor time: about 1 on any machine, however fast or busy."""
ROUNDS = 150


async def test_snippets_of_the_origins_documentation_run_unchanged(
    running_exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the base URL is not written in them."""
    monkeypatch.setattr(
        EventTrader.__init__, "__kwdefaults__",
        {**EventTrader.__init__.__kwdefaults__, "base_url": running_exchange.base_url},
    )  # fmt: skip
    key = await new_key(running_exchange.base_url)
    client = EventTrader(api_key=key)
    async with client:
        book = await client.clob.orderbook("vaix")
        assert book["hybrid"] is True
        order = await client.clob.place_order("vaix", "buy", "1000", price="0.003")
        assert order["quantity"] == "1000"
        twap = await client.clob.place_twap(
            "vaix", "buy", "50000", duration_minutes=120, num_slices=20
        )
        assert twap["num_slices"] == 20
        scale = await client.clob.place_scale(
            "vaix", "buy", "10000", price_low="0.002", price_high="0.004", num_orders=10
        )
        assert len(scale["orders"]) == 10
        raw = await client._http.post(
            "/api/v1/exchange/vaix/orders",
            json={"side": "buy", "quantity": "1000", "price": "0.001"},
        )
        assert raw["status"] == "open"
        await client.clob.cancel_twap("vaix", twap["twap_id"])
        await client.clob.kill_switch()
        assert await client.clob.open_orders("vaix") == []


async def test_orders_whose_answers_are_lost_execute_once(
    running_exchange: RunningExchange,
) -> None:
    """A proxy swallows every third answer: each order is placed once all the same."""
    key = await new_key(running_exchange.base_url)
    async with (
        CuttingProxy(running_exchange.base_url) as proxy,
        EventTrader(key, base_url=proxy.url, max_retries=5) as client,
    ):
        placed = []
        for at in range(30):
            proxy.answers_to_swallow = at % 3 == 0
            placed.append(await client.clob.place_order("vaix", "buy", 1000 + at, price="0.001"))
        assert proxy.swallowed == 10
        open_ids = [order["order_id"] for order in await client.clob.open_orders("vaix")]
        assert open_ids == [order["order_id"] for order in placed]
        proxy.answers_to_swallow = 1
        ended = await client.clob.cancel_order("vaix", open_ids[0])
        assert (ended["status"], proxy.swallowed) == ("canceled", 11)
        with pytest.raises(OrderClosedError):
            await client.clob.cancel_order("vaix", open_ids[0])
        await client.clob.cancel_all("vaix")


async def test_refused_order_is_sent_once_to_a_running_exchange(
    running_exchange: RunningExchange,
) -> None:
    """The history holds one rejected line for each refusal, not four."""
    async with await new_trader(running_exchange.base_url) as client:
        with pytest.raises(InsufficientFundsError) as caught:
            await client.clob.place_order("vaix", "buy", "100000000", price="0.01")
        assert caught.value.tries == 1
        assert caught.value.request_id
        with pytest.raises(PriceOffTickError):
            await client.clob.place_order("vaix", "buy", "1000", price=Decimal("0.00300001"))
        history = await client.clob.order_history("vaix")
        assert [order["status"] for order in history["orders"]].count("rejected") <= 2
        assert len([o for o in history["orders"] if o["quantity"] == "100000000"]) <= 1


async def test_wrong_key_url_and_symbol_are_told_apart(running_exchange: RunningExchange) -> None:
    """Each is its own type, and its text says what to do."""
    url = running_exchange.base_url
    async with EventTrader("evt_" + "0" * 64, base_url=url) as client:
        with pytest.raises(KeyInvalidError, match="check the key"):
            await client.clob.open_orders("vaix")
        with pytest.raises(KeyInvalidError, match="check the key"):
            await client.stream.private().__anext__()
    async with EventTrader(base_url=url) as client:
        with pytest.raises(UnknownSymbolError, match="list_pairs"):
            await client.clob.book("nope")
        with pytest.raises(UnknownSymbolError, match="list_pairs"):
            await client.stream.book("nope").__anext__()
    with pytest.raises(InvalidCredentialsError):
        await EventTrader.from_credentials("nobody@example.com", PASSWORD, base_url=url)
    async with EventTrader(base_url=url + "/docs") as client:
        with pytest.raises(NotTandemError, match="set base_url"):
            await client.clob.list_pairs()
    async with EventTrader(base_url="http://127.0.0.1:9", max_retries=0) as client:
        with pytest.raises(ConnectionFailedError, match="base_url"):
            await client.stream.book("vaix").__anext__()


def test_sync_client_trades_without_an_event_loop(running_exchange: RunningExchange) -> None:
    """The same methods, waiting; streams are plain iterators."""
    url = running_exchange.base_url
    with SyncEventTrader(asyncio.run(new_key(url)), base_url=url) as client:
        with client.stream.private() as private:
            assert next(iter(private))["type"] == "connected"
            order = client.clob.place_order("vaix", "buy", "1000", price="0.001")
            kinds: list[Any] = []
            for event in private:
                kinds.append(event["type"])
                if event["type"] == "order_update":
                    break
            assert event["order_id"] == order["order_id"]
        assert client.clob.cancel_order("vaix", order["order_id"])["status"] == "canceled"
        stream = client.stream.book("vaix")
        assert next(iter(stream))["type"] == "snapshot"
        stream.close()
        assert list(stream) == []
        assert client._http.get("/health")["status"] == "ok"
    with pytest.raises(RuntimeError, match="closed"):
        client.clob.time()


async def test_client_adds_little_to_a_bare_request(running_exchange: RunningExchange) -> None:
    """Processor time of requests by the client and by bare aiohttp, in turns, by the medians."""
    path = "/api/v1/exchange/time"
    bare_s, ours_s = [], []
    async with (
        EventTrader(base_url=running_exchange.base_url) as client,
        aiohttp.ClientSession() as bare,
    ):
        for _ in range(ROUNDS):
            begun = time.thread_time()
            async with bare.get(running_exchange.base_url + path) as response:
                await response.json()
            bare_s.append(time.thread_time() - begun)
            begun = time.thread_time()
            await client.clob.time()
            ours_s.append(time.thread_time() - begun)
    added_s = statistics.median(ours_s) - statistics.median(bare_s)
    print(f"the client adds {added_s * 1e6:.0f} us to {statistics.median(bare_s) * 1e6:.0f} us")
    assert added_s < OVERHEAD_MAX * statistics.median(bare_s)
