"""HTTP below the routes: bytes that are no request, connections, and what proxies make of both."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from event_trader.wire.failure import ErrorResponse

from gateway.settings import limit_preset
from tests.gateways import Exchange, Gateway, open_gateway

TIME = b"GET /api/v1/exchange/time HTTP/1.1\r\n"
LOGIN = b"POST /auth/login HTTP/1.1\r\nContent-Type: application/json\r\n"
HOST = b"Host: exchange\r\n"
CREDENTIALS = b'{"username":"nobody","password":"wrong password"}'
WITHIN_S = 30.0


class Wire:
    """One plain connection to a gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read one response: status, headers in lower case, body."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WITHIN_S)
        first, *lines = head.decode().rstrip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers, body

    async def ended(self) -> bool:
        """Tell whether the gateway has closed its side; waits for that."""
        return await asyncio.wait_for(self.reader.read(1), WITHIN_S) == b""


@pytest_asyncio.fixture
async def wire(gateway: Gateway) -> AsyncIterator[Wire]:
    """One connection to the gateway."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.client.port)
    yield Wire(reader, writer)
    writer.close()


def refusal(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Check that a body has both error forms, and that its id is the header's."""
    ErrorResponse.model_validate_json(body)
    answer: dict[str, Any] = json.loads(body)
    assert headers["content-type"].startswith("application/json")
    assert headers["x-request-id"] == answer["request_id"]
    return answer


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(60),
        b"\x00\x01\x02 secret-in-garbage\r\n\r\n",
        b"FOO /health HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /health HTTP/9.9\r\n" + HOST + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        TIME + b"\r\n",
        TIME + HOST + HOST + b"\r\n",
        TIME + HOST + b"No Colon\r\n\r\n",
        TIME + HOST + b"X-Secret: secret-in-garbage\x00\r\n\r\n",
        b"GET /secret-in-garbage" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        TIME + HOST + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        "GET /api/v1/exchange/é/bbo HTTP/1.1\r\n".encode() + HOST + b"\r\n",
        LOGIN + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        LOGIN + HOST + b"Content-Length: -1\r\n\r\n{}",
        LOGIN + HOST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LOGIN + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    ],
    ids=lambda sent: sent[:24].decode("latin1"),
)
async def test_bytes_that_are_no_request_get_both_error_forms(wire: Wire, sent: bytes) -> None:
    """What the parser refuses is 400 like every other error, quotes nothing, and ends."""
    wire.writer.write(sent)
    status, headers, body = await wire.answer()
    answer = refusal(headers, body)
    assert (status, answer["error"]["code"]) == (400, "BAD_REQUEST")
    assert "secret-in-garbage" not in body.decode()
    assert await wire.ended()


async def test_body_that_breaks_off_is_refused_in_time(exchange: Exchange) -> None:
    """A body that is not whole after `body_timeout_s` is 400 and lets go of the connection."""
    async with open_gateway(exchange, body_timeout_s=0.2) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.client.port)
        wire = Wire(reader, writer)
        writer.write(LOGIN + HOST + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"use\r\n')
        await writer.drain()
        await gateway.call("GET", "/health")
        writer.write(b"zz\r\nname\r\n")
        status, headers, body = await wire.answer()
        assert (status, refusal(headers, body)["error"]["code"]) == (400, "BAD_REQUEST")
        assert await wire.ended()
        writer.close()


async def test_expectation_nobody_can_meet_is_refused(wire: Wire) -> None:
    """100-continue is met; anything else is 417 in both error forms."""
    length = b"Content-Length: %d\r\n\r\n" % len(CREDENTIALS)
    wire.writer.write(LOGIN + HOST + b"Expect: 100-continue\r\n" + length)
    assert (await wire.answer())[0] == 100
    wire.writer.write(CREDENTIALS)
    status, headers, body = await wire.answer()
    assert (status, refusal(headers, body)["error"]["code"]) == (401, "INVALID_CREDENTIALS")
    wire.writer.write(LOGIN + HOST + b"Expect: a-miracle\r\n" + length + CREDENTIALS)
    status, headers, body = await wire.answer()
    assert (status, refusal(headers, body)["error"]["code"]) == (417, "BAD_REQUEST")


async def test_body_in_chunks_and_a_pipelined_request_are_each_answered(wire: Wire) -> None:
    """Chunks, with extensions too, are one body; what follows on the connection is next."""
    half, rest = CREDENTIALS[:10], CREDENTIALS[10:]
    chunks = b"%x;why=not\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(half), half, len(rest), rest)
    wire.writer.write(LOGIN + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    wire.writer.write(TIME + HOST + b"\r\n")
    status, headers, body = await wire.answer()
    assert (status, refusal(headers, body)["error"]["code"]) == (401, "INVALID_CREDENTIALS")
    status, _, body = await wire.answer()
    assert (status, set(json.loads(body))) == (200, {"timestamp", "epoch_ms"})


async def test_http_1_0_is_answered_and_closed_unless_it_asks_to_stay(wire: Wire) -> None:
    """An old client gets its answer without chunks; keep-alive is honoured."""
    for _ in range(2):
        wire.writer.write(b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        status, headers, _ = await wire.answer()
        assert (status, headers["connection"]) == (200, "keep-alive")
    wire.writer.write(b"GET /health HTTP/1.0\r\n\r\n")
    assert (await wire.answer())[0] == 200
    assert await wire.ended()


@pytest.mark.parametrize("chunked", [False, True])
async def test_body_that_is_too_large_is_refused_and_the_connection_ends(
    wire: Wire, *, chunked: bool
) -> None:
    """413 says that the connection closes, and it does."""
    size = 70_000
    framing, body = b"Content-Length: %d" % size, b" " * size
    if chunked:
        framing, body = b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
    wire.writer.write(LOGIN + HOST + framing + b"\r\n\r\n" + body)
    status, headers, body = await wire.answer()
    assert (status, refusal(headers, body)["error"]["code"]) == (413, "BODY_TOO_LARGE")
    assert headers["connection"] == "close"
    assert await wire.ended()


async def test_refusals_on_limited_routes_show_how_the_limit_stands(exchange: Exchange) -> None:
    """A request that was counted says so, whatever became of it."""
    orders = "/api/v1/exchange/vaix/orders"
    off_tick = {"side": "buy", "quantity": "1", "price": "0.00000001"}
    async with open_gateway(exchange, limits=limit_preset("default")) as gateway:
        token = (await gateway.register())["access_token"]
        for method, path, who, body, wanted, limit in (
            ("GET", "/api/v1/exchange/vaix/chart?limit=0", "", None, 422, "30"),
            ("GET", orders, "not-a-token", None, 401, "30"),
            ("GET", f"{orders}/ord_vaix_p_9", token, None, 404, "60"),
            ("POST", orders, token, off_tick, 400, "10"),
            ("POST", f"{orders}/batch", token, {"orders": [1] * 11}, 422, None),
        ):
            status, answer = await gateway.call(method, path, token=who, json=body)
            shown = gateway.last_headers.get("X-RateLimit-Limit")
            assert (status, shown) == (wanted, limit), (path, answer)
            if limit is not None:
                assert 0 <= int(gateway.last_headers["X-RateLimit-Remaining"]) < int(limit)
                assert int(gateway.last_headers["X-RateLimit-Reset"]) > 1_700_000_000
