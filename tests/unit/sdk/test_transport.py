"""The client's transport against scripted servers: what is sent again, when, and with which key."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from event_trader import (
    BusyError,
    ConnectionFailedError,
    EventTrader,
    NotFoundError,
    NotTandemError,
    PriceOffTickError,
    RateLimitedError,
    RequestTimeoutError,
    ServerTooOldError,
    TokenExpiredError,
)
from event_trader import transport as transport_module

Answer = Callable[[web.Request], web.StreamResponse]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back off by milliseconds."""
    monkeypatch.setattr(transport_module, "BACKOFF_FIRST_S", 0.001)


class Script:
    """A server that answers by a list, the last entry again and again."""

    def __init__(self, *answers: Answer | web.StreamResponse | None) -> None:
        self.answers = list(answers)
        self.requests: list[web.Request] = []
        self.keys: list[str | None] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer the next request; None never answers."""
        self.requests.append(request)
        self.keys.append(request.headers.get("Idempotency-Key"))
        await request.read()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            await asyncio.sleep(30)
        made = answer(request) if callable(answer) else answer
        assert made is not None
        return made


@asynccontextmanager
async def served(script: Script, **options: Any) -> AsyncIterator[EventTrader]:
    """A client of a scripted server."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.handle)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        async with EventTrader("evt_key", base_url=url, **options) as client:
            yield client


def refusal(status: int, code: str, **headers: str) -> Answer:
    """Answer with an error of the API."""
    body = {"detail": "No.", "error": {"code": code, "message": "No.", "details": {"n": 1}}}
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.json_response(
        {**body, "request_id": "req_1"}, status=status, headers=shown
    )


def ok(**body: Any) -> Answer:
    """Answer with a body."""
    return lambda _: web.json_response(body)


async def place(client: EventTrader, **options: Any) -> Any:
    """Place an order."""
    return await client.clob.place_order("vaix", "buy", "1000", price="0.003", **options)


async def test_refused_order_is_sent_once_and_raises_its_type() -> None:
    """A 400 is final, with the code's class, details and request id."""
    script = Script(refusal(400, "PRICE_OFF_TICK"))
    async with served(script) as client:
        with pytest.raises(PriceOffTickError) as caught:
            await place(client)
    assert len(script.requests) == 1
    assert (caught.value.request_id, caught.value.details) == ("req_1", {"n": 1})


async def test_busy_and_lost_tries_of_an_order_share_one_key() -> None:
    """Every try of an intent carries the same Idempotency-Key, and the next intent another."""
    script = Script(refusal(503, "BUSY"), None, refusal(503, "UNKNOWN_OUTCOME"), ok(status="open"))
    async with served(script, timeout=1.0) as client:
        assert (await place(client))["status"] == "open"
        await place(client)
    assert len(set(script.keys[:4])) == 1
    assert script.keys[0]
    assert script.keys[4] != script.keys[0]


async def test_key_of_the_caller_is_used() -> None:
    """An intent the caller named keeps that name."""
    script = Script(ok(status="open"))
    async with served(script) as client:
        await place(client, idempotency_key="mine")
    assert script.keys == ["mine"]


async def test_retry_after_is_honoured() -> None:
    """The next try comes no sooner than the server asked for."""
    script = Script(refusal(429, "RATE_LIMITED", Retry_After="1"), ok(epoch_ms=1))
    async with served(script) as client:
        begun = time.monotonic()
        await client.clob.time()
        assert time.monotonic() - begun >= 1.0


async def test_retry_after_beyond_all_patience_is_passed_on() -> None:
    """An hour is the caller's decision."""
    script = Script(refusal(429, "RATE_LIMITED", Retry_After="3600"))
    async with served(script) as client:
        with pytest.raises(RateLimitedError) as caught:
            await client.clob.time()
    assert (caught.value.retry_after_s, len(script.requests)) == (3600.0, 1)


async def test_retries_end_and_the_last_error_says_how_many() -> None:
    """One try and two further ones, then the error."""
    script = Script(refusal(503, "BUSY"))
    async with served(script, max_retries=2) as client:
        with pytest.raises(BusyError) as caught:
            await client.clob.time()
    assert (caught.value.tries, len(script.requests)) == (3, 3)


async def test_amendment_whose_answer_was_lost_is_not_sent_again() -> None:
    """A PATCH has no key, so nobody may repeat it but the caller."""
    script = Script(None)
    async with served(script, timeout=1.0) as client:
        with pytest.raises(RequestTimeoutError, match="outcome is unknown"):
            await client.clob.amend_order("vaix", "ord_1", price="0.004")
    assert len(script.requests) == 1


async def test_cancel_whose_first_answer_was_lost_returns_the_order() -> None:
    """The second try finds the order canceled: by this very call."""
    ended = {"order_id": "ord_1", "status": "canceled"}
    closed = {"code": "ORDER_CLOSED", "message": "Closed.", "details": {"order": ended}}
    script = Script(None, lambda _: web.json_response({"detail": "", "error": closed}, status=409))
    async with served(script, timeout=1.0) as client:
        assert await client.clob.cancel_order("vaix", "ord_1") == ended


async def test_expired_token_is_renewed_once_and_the_request_repeated() -> None:
    """A 401 of a session costs one refresh; the new token goes with the repetition."""
    tokens = {"refresh_token": "r2", "access_token": "a2", "expires_in": 900}
    script = Script(refusal(401, "TOKEN_EXPIRED"), ok(**tokens), ok(balances=[]))
    async with served(script) as client:
        client._http.use_session({**tokens, "access_token": "a1", "refresh_token": "r1"})
        assert await client.account.balances() == []
    paths = [request.path for request in script.requests]
    assert paths == ["/api/v1/account/balances", "/auth/refresh", "/api/v1/account/balances"]
    sent = [request.headers.get("Authorization") for request in script.requests]
    assert sent == ["Bearer a1", None, "Bearer a2"]


async def test_session_that_stays_refused_ends_with_the_error() -> None:
    """The second 401 is final."""
    tokens = {"refresh_token": "r", "access_token": "a", "expires_in": 900}
    refused = refusal(401, "TOKEN_EXPIRED")
    script = Script(refused, ok(**tokens), refused)
    async with served(script) as client:
        client._http.use_session(tokens)
        with pytest.raises(TokenExpiredError):
            await client.account.balances()
    assert len(script.requests) == 3


async def test_token_about_to_expire_is_renewed_before_use_by_one_of_many() -> None:
    """Ten calls at once cause one refresh."""
    tokens = {"refresh_token": "r", "access_token": "new", "expires_in": 900}

    def answer(request: web.Request) -> web.StreamResponse:
        body = tokens if request.path == "/auth/refresh" else {"balances": []}
        return web.json_response(body)

    script = Script(answer)
    async with served(script) as client:
        client._http.use_session({**tokens, "access_token": "old", "expires_in": 0})
        await asyncio.gather(*(client.account.balances() for _ in range(10)))
    assert [request.path for request in script.requests].count("/auth/refresh") == 1
    sent = {request.headers.get("Authorization") for request in script.requests[1:]}
    assert sent == {"Bearer new"}


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: web.Response(text="<html>hello</html>", content_type="text/html"),
        lambda _: web.Response(text="<html>no</html>", content_type="text/html", status=404),
        lambda _: web.Response(status=502, text="bad gateway"),
        lambda _: web.Response(status=301, headers={"Location": "https://example.com/"}),
        lambda _: web.json_response({"message": "another API"}),
        lambda _: web.json_response({"error": "a string"}, status=400),
    ],
)
async def test_server_that_is_not_tandem_is_told_as_such(answer: Answer) -> None:
    """Whatever else answers at the URL: one type, which names base_url."""
    async with served(Script(answer)) as client:
        with pytest.raises(NotTandemError, match="base_url"):
            await client.clob.list_pairs()


async def test_nobody_at_the_url_is_told_as_such() -> None:
    """A closed port: the message asks whether the exchange runs."""
    async with EventTrader(base_url="http://127.0.0.1:9", max_retries=0) as client:
        told = "cannot reach http://127.0.0.1:9: Connection refused; is the exchange running there"
        with pytest.raises(ConnectionFailedError, match=told):
            await client.clob.time()
        with pytest.raises(ConnectionFailedError, match=told):
            await client.stream.book("vaix").__anext__()


async def test_server_without_the_path_is_asked_for_its_version() -> None:
    """An exchange that is too old is told apart from a path that does not exist."""
    script = Script(refusal(404, "NOT_FOUND"), ok(status="ok", version="0.0.9"))
    async with served(script) as client:
        with pytest.raises(ServerTooOldError, match="upgrade the exchange"):
            await client.clob.my_fees()
    script = Script(refusal(404, "NOT_FOUND"), ok(status="ok", version="0.1.0"))
    async with served(script) as client:
        with pytest.raises(NotFoundError):
            await client._http.get("/api/v1/nothing")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"base_url": "127.0.0.1:8080"}, "base_url"),
        ({"base_url": "ftp://there"}, "base_url"),
        ({"api_key": "evt_1\n"}, "api_key"),
        ({"api_key": "evt_1 evt_2"}, "api_key"),
        ({"timeout": 0}, "timeout"),
        ({"max_retries": -1}, "max_retries"),
    ],
)
def test_argument_that_cannot_be_used_is_refused_by_name(
    options: dict[str, Any], word: str
) -> None:
    """At once, not at the first request."""
    with pytest.raises(ValueError, match=word):
        EventTrader(**options)


async def test_float_price_is_refused_before_anything_is_sent() -> None:
    """Money never passes through binary fractions."""
    script = Script(ok())
    async with served(script) as client:
        with pytest.raises(TypeError, match="price must be a decimal string"):
            await client.clob.place_order("vaix", "buy", "1", price=0.1)  # type: ignore[arg-type]
    assert script.requests == []
