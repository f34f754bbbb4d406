"""`ccxt.pro.tandem` against scripted servers: who is told what, and what a lost stream says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt
import ccxt.pro
import pytest
import tandem_ccxt
from aiohttp import web
from aiohttp.test_utils import TestServer

WITHIN_S = 30.0
BTC, ETH = "BTC/USDC", "ETH/USDC"
assert tandem_ccxt.NAME in ccxt.pro.exchanges


def pair(symbol: str) -> dict[str, Any]:
    """A row of ``/pairs``, as far as ccxt's markets need it."""
    grid = {"tick_size": "0.01", "lot_size": "0.0001", "min_order_size": "0.0001"}
    names = {"symbol": symbol, "base_symbol": symbol.upper(), "quote_symbol": "USDC"}
    return {**names, **grid, "status": "trading", "maker_fee_bps": 5, "taker_fee_bps": 10}


class Venue:
    """A server with two pairs; each stream begins with its frames, and then says what it is told.

    Args:
        close: ends every stream with this code after its frames.
        refuse: answers every stream with this HTTP status instead.
    """

    def __init__(self, close: int | None = None, refuse: int | None = None) -> None:
        self.frames: dict[str, list[Any]] = {}
        self.pairs: Any = {"pairs": [pair("btc"), pair("eth")]}
        self.answers: dict[str, list[Any]] = {}
        """What other paths answer, in turn; the last one again and again."""
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.opened: list[str] = []
        self.began = asyncio.Event()
        """A stream has been sent its frames."""
        self._close = close
        self._refuse = refuse

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Upgrade and speak, or answer as plain HTTP."""
        if request.path == "/api/v1/exchange/pairs":
            return web.json_response(self.pairs)
        if (answers := self.answers.get(request.path)) is not None:
            return web.json_response(answers.pop(0) if len(answers) > 1 else answers[0])
        path = request.path.removeprefix("/ws/exchange/")
        self.opened.append(path)
        if self._refuse is not None:
            return web.Response(status=self._refuse)
        socket = self.sockets[path] = web.WebSocketResponse()
        await socket.prepare(request)
        for frame in self.frames.get(path, []):
            await socket.send_json(frame)
        self.began.set()
        if self._close is not None:
            await socket.close(code=self._close)
        async for _ in socket:
            pass
        return socket

    @asynccontextmanager
    async def exchange(self, **config: Any) -> AsyncIterator[Any]:
        """A client of it."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        async with TestServer(app) as server:
            url = {"api": {"rest": str(server.make_url("/"))}}
            client = ccxt.pro.tandem({"urls": url, "enableRateLimit": False, **config})
            try:
                yield client
            finally:
                await client.close()


def quote(symbol: str, bid: str, sequence: int = 1) -> dict[str, Any]:
    """A frame of the bbo channel."""
    sizes = {"best_bid_size": "1", "best_ask": "90000", "best_ask_size": "1"}
    time = {"sequence": sequence, "timestamp": "2026-01-02T00:00:00Z"}
    return {"type": "bbo", "symbol": symbol, "best_bid": bid, **sizes, **time}


def trade(
    number: int, amount: str = "1", price: str = "100", at: str = "2026-01-02T00:00:00Z"
) -> dict[str, Any]:
    """A frame of the trades channel."""
    shown = {"price": price, "quantity": amount, "side": "buy", "venue": "CLOB", "chain": None}
    named = {"type": "trade", "symbol": "btc", "sequence": number}
    return {**named, "trade_id": f"trd_btc_p_{number}", **shown, "timestamp": at}


EMPTY_TAPE = {"type": "snapshot", "symbol": "btc", "sequence": 0, "trades": [], "timestamp": "t"}


async def soon(waiting: Any) -> Any:
    """Await something that must not take long."""
    return await asyncio.wait_for(waiting, WITHIN_S)


async def test_market_that_stands_still_is_shown_at_once_to_every_caller() -> None:
    """One quote each, and nothing after it: all who ask for the first time get it."""
    venue = Venue()
    venue.frames = {"btc/bbo": [quote("btc", "100")], "eth/bbo": [quote("eth", "10")]}
    async with venue.exchange() as exchange:
        both = [await soon(exchange.watch_bids_asks()) for _ in range(2)]
        assert sorted(symbol for one in both for symbol in one) == [BTC, ETH]
        assert (await soon(exchange.watch_bids_asks([ETH])))[ETH]["bid"] == 10
        assert (await soon(exchange.watch_bids_asks([BTC])))[BTC]["bid"] == 100
        assert sorted(venue.opened) == ["btc/bbo", "eth/bbo"]


async def test_busy_market_does_not_hide_a_quiet_one() -> None:
    """What came first is told first, however much the other one has changed since."""
    venue = Venue()
    venue.frames = {"btc/bbo": [quote("btc", "100")], "eth/bbo": [quote("eth", "10")]}
    async with venue.exchange() as exchange:
        for _ in range(2):
            await soon(exchange.watch_bids_asks())
        await venue.sockets["eth/bbo"].send_json(quote("eth", "11", 2))
        while (await soon(exchange.watch_bids_asks([ETH])))[ETH]["bid"] != 11:
            pass
        for at in range(3):
            await venue.sockets["btc/bbo"].send_json(quote("btc", str(101 + at), 2 + at))
            while (await soon(exchange.watch_bids_asks([BTC])))[BTC]["bid"] != 101 + at:
                pass
        assert list(await soon(exchange.watch_bids_asks())) == [ETH]
        assert (await soon(exchange.watch_bids_asks()))[BTC]["bid"] == 103


async def test_each_caller_gets_every_trade_once_however_slow_it_is() -> None:
    """One that asks after each trade and one that asks at the end see the same."""
    venue = Venue()
    venue.frames = {"btc/trades": [EMPTY_TAPE]}
    async with venue.exchange() as exchange:
        eager = asyncio.ensure_future(exchange.watch_trades(BTC))
        await soon(venue.began.wait())
        seen = []
        for number in range(1, 6):
            await venue.sockets["btc/trades"].send_json(trade(number))
            seen += await soon(eager)
            eager = asyncio.ensure_future(exchange.watch_trades(BTC))
        late: list[Any] = []
        while len(late) < 5:
            late += await soon(exchange.watch_trades_for_symbols([BTC, ETH]))
        eager.cancel()
        wanted = [f"trd_btc_p_{number}" for number in range(1, 6)]
        assert [one["id"] for one in seen] == [one["id"] for one in late] == wanted


async def test_cancelled_call_leaves_the_others_waiting() -> None:
    """Two tasks wait for the same; one is given up, and the other is told."""
    venue = Venue()
    venue.frames = {"btc/trades": [EMPTY_TAPE]}
    async with venue.exchange() as exchange:
        first, second = (asyncio.ensure_future(exchange.watch_trades(BTC)) for _ in range(2))
        await soon(venue.began.wait())
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await venue.sockets["btc/trades"].send_json(trade(1))
        assert [one["id"] for one in await soon(second)] == ["trd_btc_p_1"]


async def test_unwatched_stream_ends_its_call_and_its_connection() -> None:
    """The call that waits ends; what else is watched goes on; watching again begins anew."""
    venue = Venue()
    snapshot = {**EMPTY_TAPE, "sequence": 1, "trades": [trade(1)]}
    venue.frames = {"btc/trades": [snapshot], "btc/bbo": [quote("btc", "100")]}
    async with venue.exchange() as exchange:
        await soon(exchange.watch_bids_asks([BTC]))
        await soon(exchange.watch_trades(BTC))
        waiting = asyncio.ensure_future(exchange.watch_trades(BTC))
        await asyncio.sleep(0)
        assert await soon(exchange.un_watch_trades(BTC)) is True
        with pytest.raises(ccxt.UnsubscribeError):
            await soon(waiting)
        assert [url.rsplit("/", 1)[1] for url in exchange.clients] == ["bbo"]
        again = await soon(exchange.watch_trades(BTC))
        assert [one["id"] for one in again] == ["trd_btc_p_1"]
        assert len(exchange.trades[BTC]) == 1
        assert await soon(exchange.un_watch_bids_asks()) is True
        assert [url.rsplit("/", 1)[1] for url in exchange.clients] == ["trades"]


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [
        (4401, ccxt.AuthenticationError, "use another one"),
        (4403, ccxt.PermissionDenied, "give it the permission"),
        (4408, ccxt.NetworkError, "read too slowly: the next call goes on"),
        (4429, ccxt.RateLimitExceeded, "watch fewer markets"),
        (1001, ccxt.NetworkError, "1001"),
    ],
)
async def test_closed_stream_says_why_and_what_to_do(
    code: int, kind: type[Exception], advice: str
) -> None:
    """The server's closing codes, slowness among them."""
    async with Venue(close=code).exchange() as exchange:
        with pytest.raises(kind, match=advice):
            await soon(exchange.watch_trades(BTC))


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (404, ccxt.BadResponse, "check urls"),
        (429, ccxt.RateLimitExceeded, "watch fewer markets"),
        (503, ccxt.ExchangeNotAvailable, "try again in a moment"),
    ],
)
async def test_refused_stream_says_why_and_what_to_do(
    status: int, kind: type[Exception], advice: str
) -> None:
    """A handshake has no body, only a status."""
    async with Venue(refuse=status).exchange() as exchange:
        with pytest.raises(kind, match=advice):
            await soon(exchange.watch_trades(BTC))


async def test_stream_that_is_not_tandems_is_told() -> None:
    """Frames of something else, and nobody where the streams should be."""
    venue = Venue()
    venue.frames = {"btc/trades": [["hello"]]}
    async with venue.exchange() as exchange:
        with pytest.raises(ccxt.BadResponse, match="sent a frame that is not Tandem's"):
            await soon(exchange.watch_trades(BTC))
        exchange.urls["api"]["ws"] = "ws://127.0.0.1:9"
        with pytest.raises(ccxt.NetworkError, match=r"127\.0\.0\.1:9.*is the exchange running"):
            await soon(exchange.watch_trades(BTC))


async def test_other_exchange_at_the_url_is_told_by_the_first_call() -> None:
    """It answers with JSON of its own."""
    venue = Venue()
    venue.pairs = {"symbols": []}
    async with venue.exchange() as exchange:
        with pytest.raises(ccxt.BadResponse, match="not as Tandem does"):
            await soon(exchange.watch_trades(BTC))
        venue.pairs = {"error": {"code": "NOT_FOUND", "message": "No."}}
        with pytest.raises(ccxt.NotSupported, match=r"NOT_FOUND.*Upgrade the exchange"):
            await soon(exchange.load_markets())
        exchange.urls["api"]["rest"] = "http://127.0.0.1:9"
        with pytest.raises(ccxt.NetworkError, match=r"127\.0\.0\.1:9.*is the exchange running"):
            await soon(exchange.load_markets())


def order_update(status: str = "open", sequence: int = 1) -> dict[str, Any]:
    """A frame of the private channel, and most of an order as REST shows it."""
    sizes = {"filled_quantity": "0", "remaining_quantity": "1", "average_price": None}
    named = {"order_id": "ord_btc_p_1", "symbol": "btc", "mode": "paper", "status": status}
    time = {"sequence": sequence, "timestamp": "2026-01-02T00:00:00Z"}
    return {"type": "order_update", **named, **sizes, "reason": None, **time}


def order_row() -> dict[str, Any]:
    """The order of `order_update`, as REST shows it."""
    kind = {"order_type": "limit", "time_in_force": "gtc", "side": "buy", "stop_price": None}
    sizes = {"price": "100", "quantity": "1", "fee_total": "0", "fee_asset": "USDC", "fills": []}
    times = dict.fromkeys(("created_at", "updated_at"), "2026-01-02T00:00:00Z")
    return {**order_update(), **kind, **sizes, **times, "client_order_id": None}


async def test_order_that_could_not_be_read_is_told_by_the_next_call() -> None:
    """The exchange is busy once; the call says so, and the order is not lost."""
    venue = Venue()
    busy = {"error": {"code": "BUSY", "message": "No."}}
    venue.frames = {"private": [{"type": "connected", "user_id": "u", "sequences": {}}]}
    venue.answers = {
        "/api/v1/account/balances": [busy, {"balances": []}],
        "/api/v1/exchange/btc/orders/ord_btc_p_1": [busy, order_row()],
    }
    async with venue.exchange(apiKey="evt_" + "0" * 64, options={"mode": "paper"}) as exchange:
        with pytest.raises(ccxt.ExchangeNotAvailable, match="BUSY"):
            await soon(exchange.watch_balance())
        assert (await soon(exchange.watch_balance()))["info"] == []
        orders = asyncio.ensure_future(exchange.watch_orders(BTC))
        await asyncio.sleep(0)
        await venue.sockets["private"].send_json(order_update())
        with pytest.raises(ccxt.ExchangeNotAvailable, match="BUSY"):
            await soon(orders)
        told = await soon(exchange.watch_orders(BTC))
        assert [(one["id"], one["status"], one["amount"]) for one in told] == [
            ("ord_btc_p_1", "open", 1),
        ]  # fmt: skip
        await venue.sockets["private"].send_json(order_update("canceled", 2))
        assert [one["status"] for one in await soon(exchange.watch_orders(BTC))] == ["canceled"]
        assert [one["status"] for one in await soon(exchange.watch_orders())] == ["canceled"]
