"""The streams' shell against scripted servers: when it connects again, and when it gives up."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from event_trader import (
    ConnectionFailedError,
    EventTrader,
    KeyInvalidError,
    NotTandemError,
    PermissionDeniedError,
    ServerTooOldError,
    SlowReaderError,
    StreamCorruptError,
    TooManyConnectionsError,
    UnauthenticatedError,
    UnknownSymbolError,
)
from event_trader import streams as streams_module
from event_trader import transport as transport_module

Scene = Callable[[web.WebSocketResponse], Awaitable[object]]
PRICE = {"type": "price", "symbol": "vaix", "price": "0.003", "change_24h": "0", "timestamp": "t"}
WITHIN_S = 30.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back off by milliseconds, and take two seconds for silence."""
    monkeypatch.setattr(transport_module, "BACKOFF_FIRST_S", 0.001)
    monkeypatch.setattr(streams_module, "IDLE_MAX_S", 2.0)


class Stage:
    """A server whose connections each play the next scene; the last one again and again."""

    def __init__(self, *scenes: Scene | web.Response) -> None:
        self.scenes = list(scenes)
        self.connections: list[web.Request] = []
        self.http: dict[str, list[web.Response]] = {}
        self.asked: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Upgrade and play, or answer as plain HTTP."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            self.asked.append(request.path)
            answers = self.http.get(request.path, [refusal(426, "UPGRADE_REQUIRED")])
            return fresh(answers.pop(0) if len(answers) > 1 else answers[0])
        self.connections.append(request)
        scene = self.scenes.pop(0) if len(self.scenes) > 1 else self.scenes[0]
        if isinstance(scene, web.Response):
            return fresh(scene)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await scene(socket)
        await socket.close()
        return socket


async def silent(socket: web.WebSocketResponse) -> None:
    """Say nothing until the client goes."""
    await socket.receive()


def fresh(answer: web.Response) -> web.Response:
    """Copy an answer: one can be sent only once."""
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def says(*frames: Any, close: int = 1000, then: Scene | None = None) -> Scene:
    """Send frames, play on or not, then close with a code."""

    async def play(socket: web.WebSocketResponse) -> None:
        for frame in frames:
            await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        if then is not None:
            await then(socket)
        await socket.close(code=close)

    return play


def refusal(status: int, code: str, **headers: str) -> web.Response:
    """Answer with an error of the API."""
    body = {"detail": "No.", "error": {"code": code, "message": "No.", "details": {}}}
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.json_response({**body, "request_id": "req_1"}, status=status, headers=shown)


@asynccontextmanager
async def on_stage(stage: Stage, key: str | None = None, **options: Any) -> AsyncIterator[Any]:
    """A client of a scripted server."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stage.handle)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        async with EventTrader(key, base_url=url, **options) as client:
            yield client


async def first(stream: Any) -> dict[str, Any]:
    """Take the next event."""
    return dict(await asyncio.wait_for(stream.__anext__(), WITHIN_S))


async def test_stream_closed_for_slowness_once_goes_on_and_twice_is_an_error() -> None:
    """One bad moment is forgiven; the error says what to do, and it ends the stream."""
    stage = Stage(says(PRICE, close=4408), says(PRICE, close=4408))
    async with on_stage(stage) as client:
        stream = client.stream.price("vaix")
        assert await first(stream) == PRICE
        assert await first(stream) == PRICE
        with pytest.raises(SlowReaderError, match="do less between two events"):
            await first(stream)
    assert len(stage.connections) == 2


async def test_connection_that_falls_silent_is_replaced() -> None:
    """No sign of life for as long as three heartbeats: it is dead, however open it looks."""
    stage = Stage(silent, says(PRICE))
    async with on_stage(stage) as client:
        assert await first(client.stream.price("vaix")) == PRICE
    assert len(stage.connections) == 2


async def test_server_that_speaks_something_else_is_told_as_such() -> None:
    """A frame that is not ours, and a page where the channel should be."""
    page = web.Response(text="<html>hello</html>", content_type="text/html")
    for scene in (says("hello"), says({"no": "type"}), says([1])):
        async with on_stage(Stage(scene)) as client:
            with pytest.raises(NotTandemError, match="check base_url"):
                await first(client.stream.price("vaix"))
    stage = Stage(page)
    stage.http["/ws/exchange/vaix/price"] = [page]
    async with on_stage(stage) as client:
        with pytest.raises(NotTandemError, match="check base_url"):
            await first(client.stream.price("vaix"))


async def test_symbol_that_does_not_exist_is_the_error_of_its_code() -> None:
    """A refused handshake has no body, so the reason is asked for."""
    stage = Stage(web.Response(status=404))
    stage.http["/ws/exchange/nope/book"] = [refusal(404, "UNKNOWN_SYMBOL")]
    async with on_stage(stage) as client:
        with pytest.raises(UnknownSymbolError, match="list_pairs"):
            await first(client.stream.book("nope"))


async def test_exchange_without_the_channel_is_asked_for_its_version() -> None:
    """Too old, and the message says so."""
    stage = Stage(web.Response(status=404))
    stage.http["/ws/exchange/vaix/bbo"] = [refusal(404, "NOT_FOUND")]
    stage.http["/health"] = [web.json_response({"status": "ok", "version": "0.0.9"})]
    async with on_stage(stage) as client:
        with pytest.raises(ServerTooOldError, match="upgrade the exchange"):
            await first(client.stream.bbo("vaix"))


@pytest.mark.parametrize(
    ("close", "fault", "error"),
    [
        (4401, "KEY_INVALID", KeyInvalidError),
        (4403, "PERMISSION_DENIED", PermissionDeniedError),
    ],
)
async def test_bad_key_ends_the_stream_with_the_class_of_its_code(
    close: int, fault: str, error: type[Exception]
) -> None:
    """A key does not get better by connecting again."""
    frame = {"type": "error", "code": fault, "message": "No."}
    stage = Stage(says(frame, close=close))
    async with on_stage(stage, "evt_key") as client:
        with pytest.raises(error, match="What to do"):
            await first(client.stream.private())
    assert len(stage.connections) == 1


async def test_private_channel_without_a_credential_is_refused_at_once() -> None:
    """The exchange would wait for one; nothing is sent."""
    stage = Stage()
    async with on_stage(stage) as client:
        with pytest.raises(UnauthenticatedError, match="API key or a log-in"):
            await first(client.stream.private())
    assert stage.connections == []


async def test_expired_token_is_renewed_and_the_stream_goes_on() -> None:
    """Closed with 4401, a session gets new tokens and connects with them."""
    tokens = {"refresh_token": "r2", "access_token": "a2", "expires_in": 900}
    greeting = {"type": "connected", "user_id": "usr_1", "sequences": {}, "timestamp": "t"}
    stage = Stage(says({"type": "error", "code": "TOKEN_EXPIRED", "message": ""}, close=4401),
                  says(greeting))  # fmt: skip
    stage.http["/auth/refresh"] = [web.json_response(tokens)]
    async with on_stage(stage) as client:
        client._http.use_session({**tokens, "access_token": "a1", "refresh_token": "r1"})
        assert (await first(client.stream.private()))["type"] == "connected"
    sent = [request.headers["Authorization"] for request in stage.connections]
    assert sent == ["Bearer a1", "Bearer a2"]


async def test_balances_that_cannot_be_read_after_a_reconnect_do_not_end_the_stream() -> None:
    """The exchange is busy just then: the stream connects again and reads them later."""
    greeting = {"type": "connected", "user_id": "usr_1", "sequences": {}, "timestamp": "t"}
    funds = {"asset": "USDC", "mode": "paper", "available": "5", "locked": "0", "total": "5"}
    before = {"type": "balance_update", **funds}
    stage = Stage(says(greeting, before), says(greeting), says(greeting))
    now = web.json_response({"balances": [{**funds, "available": "4", "total": "4"}]})
    stage.http["/api/v1/account/balances"] = [refusal(503, "BUSY"), now]
    async with on_stage(stage, "evt_key", max_retries=0) as client:
        stream = client.stream.private()
        assert [await first(stream), await first(stream)] == [greeting, before]
        assert (await first(stream))["available"] == "4"
    assert len(stage.connections) >= 3


async def test_too_many_connections_are_an_error_at_first_and_a_pause_later() -> None:
    """A stream that never stood says why; one that stood waits and comes back."""
    full = refusal(429, "TOO_MANY_CONNECTIONS", Retry_After="1")
    async with on_stage(Stage(full), max_retries=1) as client:
        with pytest.raises(TooManyConnectionsError, match="read several streams"):
            await first(client.stream.price("vaix"))
    stage = Stage(says(PRICE), web.Response(status=429), says(PRICE))
    async with on_stage(stage) as client:
        stream = client.stream.price("vaix")
        assert [await first(stream), await first(stream)] == [PRICE, PRICE]
    assert len(stage.connections) == 3


async def test_nobody_at_the_url_is_an_error_after_the_retries() -> None:
    """The first connection must come about; its error names base_url."""
    async with EventTrader(base_url="http://127.0.0.1:9", max_retries=1) as client:
        with pytest.raises(ConnectionFailedError, match="base_url"):
            await first(client.stream.markets())


async def test_book_whose_checksums_keep_failing_is_an_error() -> None:
    """Three snapshots in a row: nobody is shown a wrong book."""
    wrong = {"type": "snapshot", "symbol": "vaix", "sequence": 1, "bids": [["1", "1"]], "asks": [],
             "timestamp": "t", "checksum": 1}  # fmt: skip
    async with on_stage(Stage(says(wrong, wrong, wrong))) as client:
        with pytest.raises(StreamCorruptError, match="report it"):
            await first(client.stream.book("vaix"))


async def test_closed_stream_comes_to_its_end() -> None:
    """Whoever iterates over it is done; it does not connect again."""
    stage = Stage(says(PRICE, then=silent))
    async with on_stage(stage) as client:
        stream = client.stream.price("vaix")
        assert await first(stream) == PRICE
        waiting = asyncio.ensure_future(collected(stream))
        await stream.close()
        assert await asyncio.wait_for(waiting, WITHIN_S) == []
    assert len(stage.connections) == 1


async def test_client_that_is_closed_ends_its_streams() -> None:
    """Also one that is between two connections: nothing connects again behind the user's back."""
    stage = Stage(says(PRICE, then=silent), says(PRICE))
    async with on_stage(stage) as client:
        open_one, lost_one = client.stream.price("vaix"), client.stream.bbo("vaix")
        assert [await first(open_one), await first(lost_one)] == [PRICE, PRICE]
        reading = [asyncio.ensure_future(collected(one)) for one in (open_one, lost_one)]
        await client.close()
        seen = await asyncio.wait_for(asyncio.gather(*reading), WITHIN_S)
        assert seen[0] == []
    assert client._http.closers == set()


async def collected(stream: Any) -> list[dict[str, Any]]:
    """Read a stream to its end."""
    return [event async for event in stream]
