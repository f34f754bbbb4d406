"""The public channels over real sockets: frames, handshakes, slow and malformed clients."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from event_trader.wire.checksum import book_checksum

from gateway.settings import LimitSettings
from tests.gateways import Exchange, Gateway, open_gateway

WITHIN_S = 30.0
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
def exchange(store_url: str) -> Iterator[Exchange]:
    """Pairs and shards on an empty store, for each test its own: sequences begin at nought."""
    running = Exchange(store_url)
    running.start()
    yield running
    running.stop()
    assert running.deaths == []


class Client:
    """One WebSocket client, reading with a deadline."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        """Read the next frame."""
        message = await self.socket.receive(WITHIN_S)
        assert message.type is aiohttp.WSMsgType.TEXT, (message, self.socket.close_code)
        return dict(json.loads(message.data))

    async def until(self, kind: str) -> dict[str, Any]:
        """Read on to a frame of a type."""
        while True:
            frame = await self.next()
            if frame["type"] == kind:
                return frame

    async def closed(self) -> int | None:
        """Read to the end; returns the close code."""
        while True:
            message = await self.socket.receive(WITHIN_S)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return self.socket.close_code

    async def send(self, frame: Any) -> None:
        """Send text, or an object as JSON."""
        await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))


@asynccontextmanager
async def connect(gateway: Gateway, path: str, **options: Any) -> AsyncIterator[Client]:
    """Open one channel."""
    async with gateway.client.ws_connect(path, **options) as socket:
        yield Client(socket)


class ShadowBook:
    """A book that a client keeps from frames, checking sequence and checksum of each."""

    def __init__(self) -> None:
        self.sequence = -1
        self.sides: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}

    def apply(self, frame: dict[str, Any]) -> None:
        """Apply a snapshot or an update."""
        if frame["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        else:
            assert frame["previous_sequence"] == self.sequence
            assert frame["sequence"] > self.sequence
        for side, levels in self.sides.items():
            for price, size in frame[side]:
                if size == "0":
                    levels.pop(price, None)
                else:
                    levels[price] = size
        self.sequence = frame["sequence"]
        assert frame["checksum"] == book_checksum(*self.levels())

    def levels(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Give (bids, asks), best first."""
        bids = sorted(self.sides["bids"].items(), key=lambda level: -float(level[0]))
        return bids, sorted(self.sides["asks"].items(), key=lambda level: float(level[0]))


async def trader(gateway: Gateway) -> str:
    """Open an account; returns its token."""
    return str((await gateway.register())["access_token"])


async def test_book_channel_follows_orders_with_contiguous_checksummed_updates(
    gateway: Gateway,
) -> None:
    """A snapshot, then one update per change, each continuing the last, equal to the REST book."""
    token = await trader(gateway)
    await gateway.order(token, side="buy", quantity="10", price="0.003")
    async with connect(gateway, "/ws/exchange/VAIX/book") as client:
        book = ShadowBook()
        book.apply(await client.until("snapshot"))
        for at in range(1, 6):
            await gateway.order(token, side="sell", quantity=str(at), price=f"0.00400{at}")
            update = await client.until("update")
            assert update["sequence"] == update["previous_sequence"] + 1
            book.apply(update)
        status, shown = await gateway.call("GET", "/api/v1/exchange/vaix/book")
        assert status == 200
        assert [tuple(level) for level in shown["asks"]] == book.levels()[1]
        assert shown["sequence"] == book.sequence


async def test_trades_channel_shows_the_last_fifty_then_each(gateway: Gateway) -> None:
    """The first frame lists past trades, later frames carry contiguous numbers and no user."""
    token, other = await trader(gateway), await trader(gateway)
    await gateway.order(token, side="sell", quantity="100", price="0.004")
    await gateway.order(other, side="buy", quantity="1", price="0.004")
    async with connect(gateway, "/ws/exchange/vaix/trades") as client:
        first = await client.next()
        assert first["type"] == "snapshot"
        assert [trade["quantity"] for trade in first["trades"]] == ["1"]
        for number in (2, 3):
            await gateway.order(other, side="buy", quantity=str(number), price="0.004")
            trade = await client.until("trade")
            assert (trade["sequence"], trade["quantity"]) == (number, str(number))
            assert (trade["side"], trade["venue"], trade["chain"]) == ("buy", "CLOB", None)
            assert "user" not in json.dumps(trade)
        await client.send({"action": "resume", "since_sequence": 1})
        assert [(await client.until("trade"))["sequence"] for _ in range(2)] == [2, 3]


async def test_price_bbo_and_markets_channels_show_the_newest(gateway: Gateway) -> None:
    """Each sends the current state first, and what changed after a trade."""
    token, other = await trader(gateway), await trader(gateway)
    async with (
        connect(gateway, "/ws/exchange/vaix/price") as price,
        connect(gateway, "/ws/exchange/vaix/bbo") as bbo,
        connect(gateway, "/ws/exchange/markets") as markets,
    ):
        assert (await bbo.next())["best_bid"] is None
        rows = (await markets.next())["markets"]
        assert {row["symbol"] for row in rows} == {"vaix", "btc"}
        await gateway.order(token, side="sell", quantity="100", price="0.004")
        assert (await bbo.until("bbo"))["best_ask"] == "0.004000"
        await gateway.order(other, side="buy", quantity="40", price="0.004")
        assert (await bbo.until("bbo"))["best_ask_size"] == "60"
        await asyncio.wait_for(_price(price, "0.004000"), WITHIN_S)
        while True:
            changed = (await markets.until("markets"))["markets"]
            assert [row["symbol"] for row in changed] == ["vaix"]
            if changed[0]["volume_24h"] == "40":
                break


async def _price(client: Client, expected: str) -> None:
    while (await client.until("price"))["price"] != expected:
        pass


async def test_bare_ping_gets_bare_pong(gateway: Gateway) -> None:
    """The text ping is answered by the text pong."""
    async with connect(gateway, "/ws/exchange/vaix/bbo") as client:
        await client.send("ping")
        while (message := await client.socket.receive(WITHIN_S)).data != "pong":
            assert message.type is aiohttp.WSMsgType.TEXT


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/ws/exchange/nope/book", 404, "UNKNOWN_SYMBOL"),
        ("/ws/clob?pair=NOPE/USDC", 404, "UNKNOWN_SYMBOL"),
        ("/ws/clob?channels=l2Book,everything", 422, "VALIDATION_ERROR"),
        ("/ws/exchange/vaix/book?hybrid=perhaps", 422, "VALIDATION_ERROR"),
        ("/ws/exchange/vaix/book?mode=demo", 422, "VALIDATION_ERROR"),
        ("/ws/exchange/nothing", 404, "NOT_FOUND"),
    ],
)
async def test_handshake_that_cannot_be_served_is_refused_before_the_upgrade(
    gateway: Gateway, path: str, status: int, code: str
) -> None:
    """The answer is a REST error in both forms."""
    async with gateway.client.get(path, headers=HANDSHAKE) as response:
        body = await response.json()
        assert (response.status, body["error"]["code"]) == (status, code)
        assert body["detail"]


async def test_upgrade_carries_the_request_id(gateway: Gateway) -> None:
    """101 names its request like every other answer."""
    headers = {**HANDSHAKE, "X-Request-Id": "mine-1"}
    async with gateway.client.get("/ws/exchange/vaix/book", headers=headers) as response:
        assert (response.status, response.headers["X-Request-Id"]) == (101, "mine-1")


@pytest.mark.parametrize(
    "path", ["/ws/exchange/vaix/book", "/ws/exchange/markets", "/ws/exchange/private", "/ws/clob"]
)
async def test_plain_get_of_a_channel_is_told_to_upgrade(gateway: Gateway, path: str) -> None:
    """A GET that is no upgrade gets 426 with the way out, in both error forms."""
    async with gateway.client.get(path) as response:
        body = await response.json()
        assert (response.status, body["error"]["code"]) == (426, "UPGRADE_REQUIRED")
        assert body["detail"] == body["error"]["message"]
        assert response.headers["Upgrade"] == "websocket"


async def test_sixth_connection_of_an_address_is_refused_on_every_gateway(
    exchange: Exchange,
) -> None:
    """Five per address and channel across gateways; a closed one makes room."""
    limits = LimitSettings()
    path = "/ws/exchange/vaix/book"
    async with open_gateway(exchange, limits) as one, open_gateway(exchange, limits) as two:
        sockets = [await one.client.ws_connect(path) for _ in range(3)]
        sockets += [await two.client.ws_connect(path) for _ in range(2)]
        for gateway in (one, two):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await gateway.client.ws_connect(path)
            assert refused.value.status == 429
        async with connect(one, "/ws/exchange/vaix/bbo") as other_channel:
            assert (await other_channel.next())["type"] == "bbo"
        await sockets.pop().close()
        deadline = asyncio.get_running_loop().time() + WITHIN_S
        while True:
            try:
                sockets.append(await one.client.ws_connect(path))
                break
            except aiohttp.WSServerHandshakeError:
                assert asyncio.get_running_loop().time() < deadline
        for socket in sockets:
            await socket.close()


async def test_frame_beyond_64_kib_closes_the_connection(gateway: Gateway) -> None:
    """An oversized frame ends its own connection with 1009 and nothing else."""
    async with (
        connect(gateway, "/ws/exchange/vaix/book") as client,
        connect(gateway, "/ws/exchange/vaix/book") as bystander,
    ):
        await client.send("x" * 70_000)
        assert await client.closed() == 1009
        await bystander.send("ping")
        await bystander.until("snapshot")
        assert (await bystander.socket.receive(WITHIN_S)).data == "pong"


async def test_clob_socket_carries_many_channels_with_one_count(gateway: Gateway) -> None:
    """Book, trades and quotes arrive on one socket, numbered without a gap, recoverable."""
    token, other = await trader(gateway), await trader(gateway)
    path = "/ws/clob?channels=l2Book,trades,bbo,userFills&token=" + other
    async with connect(gateway, path) as client:
        frames = []
        await gateway.order(token, side="sell", quantity="100", price="0.004")
        await gateway.order(other, side="buy", quantity="40", price="0.004")
        kinds: set[str] = set()
        while not {"connected", "l2_snapshot", "book_delta", "trade", "bbo", "fill"} <= kinds:
            frame = await client.next()
            kinds.add(frame["type"])
            frames.append(frame)
        counts = [frame["global_sequence"] for frame in frames if frame["type"] != "connected"]
        assert counts == list(range(1, len(counts) + 1))
        await client.send({"action": "gap_recovery", "since_sequence": counts[-1] - 2})
        again: list[int] = []
        while len(again) < 2:  # what comes live meanwhile has higher numbers
            number = (await client.next())["global_sequence"]
            again += [number] if number <= counts[-1] else []
        assert again == counts[-2:]
        await client.send({"action": "gap_recovery", "since_sequence": 10_000})
        assert (await client.until("gap_detected"))["since_sequence"] == 10_000
        await client.until("l2_snapshot")
        await client.send("snapshot")
        await client.until("l2_snapshot")
