"""Limits across gateways: two processes on one port let through together exactly what one would."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import aiohttp
import pytest

from tests.integration.cluster import PLACING_MAX, PREFIX, WEBSOCKETS_MAX, Answer, Cluster

pytestmark = pytest.mark.ray

SENT = 3 * PLACING_MAX
ORDER = {"side": "buy", "quantity": "1", "price": "0.0001", "mode": "paper"}


async def _place(
    cluster: Cluster, sessions: Sequence[aiohttp.ClientSession], token: str, count: int
) -> list[Answer]:
    """Place orders at once, over all the connections in turn."""
    path = f"{PREFIX}/vaix/orders"
    return await asyncio.gather(
        *(
            cluster.ask(sessions[n % len(sessions)], "POST", path, ORDER, Authorization=token)
            for n in range(count)
        )
    )


async def test_orders_over_two_gateways_at_once_pass_exactly_to_the_limit(cluster: Cluster) -> None:
    """Exactly the limit passes, wherever it is asked; headers count down; cancels still pass."""
    async with cluster.connections(each=3) as found:
        turns = [http for pair in zip(*found.values(), strict=False) for http in pair]
        await cluster.ready()
        token = "Bearer " + (await cluster.register(turns[0]))["access_token"]
        began = time.time()
        answers = await _place(cluster, turns, token, SENT)
        assert Counter(answer.status for answer in answers) == {
            200: PLACING_MAX,
            429: SENT - PLACING_MAX,
        }
        passed = [answer for answer in answers if answer.status == 200]
        remaining = sorted(int(answer.headers["X-RateLimit-Remaining"]) for answer in passed)
        assert remaining == list(range(PLACING_MAX))
        for answer in answers:
            assert answer.headers["X-RateLimit-Limit"] == str(PLACING_MAX)
            assert began < int(answer.headers["X-RateLimit-Reset"]) <= time.time() + 61
        for answer in (a for a in answers if a.status == 429):
            assert answer.body["error"]["code"] == "RATE_LIMITED"
            assert answer.headers["X-RateLimit-Remaining"] == "0"
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
        ids = [answer.body["order_id"] for answer in passed]
        cancelled = await asyncio.gather(
            *(
                cluster.ask(
                    turns[n % len(turns)],
                    "DELETE",
                    f"{PREFIX}/vaix/orders/{order_id}?mode=paper",
                    Authorization=token,
                )
                for n, order_id in enumerate(ids)
            )
        )
        assert {answer.status for answer in cancelled} == {200}
        assert {answer.body["status"] for answer in cancelled} == {"canceled"}


async def test_limit_of_one_user_leaves_another_alone(cluster: Cluster) -> None:
    """Two users behind one address have a count each."""
    async with cluster.connections(each=1) as found:
        turns = [http for sessions in found.values() for http in sessions]
        await cluster.ready()
        first = "Bearer " + (await cluster.register(turns[0]))["access_token"]
        second = "Bearer " + (await cluster.register(turns[0]))["access_token"]
        full = await _place(cluster, turns, first, PLACING_MAX + 1)
        assert Counter(answer.status for answer in full) == {200: PLACING_MAX, 429: 1}
        assert {a.status for a in await _place(cluster, turns, second, 3)} == {200}


async def test_websockets_over_two_gateways_are_five_per_channel(cluster: Cluster) -> None:
    """The sixth of a channel is refused at either gateway; another channel is not."""
    url = f"{cluster.url}/ws/exchange/vaix/price?mode=paper"
    async with cluster.connections(each=WEBSOCKETS_MAX) as found:
        turns = [http for pair in zip(*found.values(), strict=False) for http in pair]
        await cluster.ready()
        opened = [await http.ws_connect(url) for http in turns[:WEBSOCKETS_MAX]]
        for http in turns[WEBSOCKETS_MAX : WEBSOCKETS_MAX + 2]:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await http.ws_connect(url)
            assert refused.value.status == 429
            assert refused.value.headers is not None
            assert int(refused.value.headers["Retry-After"]) >= 1
        other = await turns[-1].ws_connect(url.replace("/price", "/bbo"))
        assert (await other.receive_json(timeout=60))["type"] == "bbo"
        await opened[0].close()
        opened[0] = await _connect_once_free(turns[-2], url)
        assert (await opened[0].receive_json(timeout=60))["type"] == "price"
        for socket in (*opened, other):
            await socket.close()


async def _connect_once_free(
    http: aiohttp.ClientSession, url: str
) -> aiohttp.ClientWebSocketResponse:
    """Connect as soon as the server has counted a closed connection out."""
    deadline = asyncio.get_running_loop().time() + 60
    while asyncio.get_running_loop().time() < deadline:
        try:
            return await http.ws_connect(url)
        except aiohttp.WSServerHandshakeError as refused:
            if refused.status != 429:
                raise
            await asyncio.sleep(0.05)
    raise AssertionError("the place was not given back")
