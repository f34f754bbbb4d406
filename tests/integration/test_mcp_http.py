"""MCP at a gateway's ``/mcp``: who gets in, how often, and what bad input gets."""

import json
from typing import Any

import pytest

from gateway.settings import LimitSettings, Rate, Tier
from tests.gateways import Exchange, Gateway, open_gateway
from tests.malformed import BODIES, BROKEN, NUMBERS

ACCEPT = "application/json, text/event-stream"
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "tests", "version": "1"},
}
ORDER = {"symbol": "vaix", "side": "buy", "quantity": "1000", "price": "0.001"}


def message(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Make a request of the protocol."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def post(gateway: Gateway, body: object, token: str = "", **headers: str) -> tuple[int, Any]:
    """Post a message, or raw bytes; header names are given with underscores."""
    sent = {"Accept": ACCEPT, "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await gateway.call("POST", "/mcp", token=token, data=raw, headers=sent)


async def call(gateway: Gateway, token: str, name: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool; gives the result."""
    params = {"name": name, "arguments": arguments}
    status, answer = await post(gateway, message("tools/call", params), token)
    assert status == 200, answer
    return dict(answer["result"])


def code_of(result: dict[str, Any]) -> str:
    """Give the code of a tool error."""
    assert result["isError"], result
    code = str(result["_meta"]["tandem/error"]["code"])
    assert result["content"][0]["text"].startswith(f"{code}: ")
    return code


async def test_market_data_needs_no_key_and_the_account_does(gateway: Gateway) -> None:
    """Without a credential the same is open as on REST; what is not says so as a tool error."""
    status, answer = await post(gateway, message("initialize", INITIALIZE))
    assert (status, answer["result"]["serverInfo"]["name"]) == (200, "tandem")
    assert (await call(gateway, "", "et_clob_list_pairs"))["structuredContent"]["pairs"]
    assert code_of(await call(gateway, "", "et_clob_balance", symbol="vaix")) == "UNAUTHENTICATED"
    assert code_of(await call(gateway, "", "et_clob_place_order", **ORDER)) == "UNAUTHENTICATED"


async def test_every_credential_of_rest_is_one_of_mcp(gateway: Gateway) -> None:
    """A JWT, a key as bearer and X-API-Key; a wrong one is REST's own 401 for any message."""
    session = await gateway.register()
    body = {"name": "agent", "permissions": {"read": True}}
    _, made = await gateway.call(
        "POST", "/api/v1/api-keys", token=session["access_token"], json=body
    )
    params = {"name": "et_clob_balance", "arguments": {"symbol": "vaix"}}
    for headers in (
        {"Authorization": f"Bearer {session['access_token']}"},
        {"Authorization": f"Bearer {made['key']}"},
        {"X_API_Key": made["key"]},
    ):
        _, answer = await post(gateway, message("tools/call", params), **headers)
        assert answer["result"]["structuredContent"]["mode"] == "paper"
    # The key may read, and says so where it may not.
    assert code_of(await call(gateway, made["key"], "et_clob_place_order", **ORDER)) == (
        "PERMISSION_DENIED"
    )
    for headers, code in (
        ({"Authorization": "Bearer nonsense"}, "TOKEN_INVALID"),
        ({"X_API_Key": "evt_" + "0" * 64}, "KEY_INVALID"),
        ({"Authorization": "Basic x"}, "UNAUTHENTICATED"),
    ):
        for method, given in (("initialize", INITIALIZE), ("tools/call", params)):
            status, answer = await post(gateway, message(method, given), **headers)
            assert (status, answer["error"]["code"]) == (401, code)
            assert gateway.last_headers["WWW-Authenticate"] == "Bearer"


async def test_origin_of_a_foreign_page_is_refused_before_anything_else(gateway: Gateway) -> None:
    """403 in REST's form, key or not; a page of this machine gets in."""
    token = (await gateway.register())["access_token"]
    for origin in ("http://evil.example.com", "null"):
        status, answer = await post(
            gateway, message("initialize", INITIALIZE), token, Origin=origin
        )
        assert (status, answer["error"]["code"]) == (403, "PERMISSION_DENIED")
    status, _ = await post(
        gateway, message("initialize", INITIALIZE), token, Origin="http://localhost:6274"
    )
    assert status == 200


async def test_other_methods_and_kinds_of_body_are_refused_as_on_rest(gateway: Gateway) -> None:
    """There is no stream to GET and no session to DELETE; bodies have REST's bounds."""
    for method in ("GET", "DELETE", "PUT"):
        status, answer = await gateway.call(method, "/mcp", headers={"Accept": ACCEPT})
        assert (status, answer["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
        assert "POST" in gateway.last_headers["Allow"]
    status, answer = await post(gateway, b"{}", Content_Type="text/plain")
    assert (status, answer["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    status, answer = await post(gateway, b" " * 70_000)
    assert (status, answer["error"]["code"]) == (413, "BODY_TOO_LARGE")
    status, _ = await post(gateway, message("ping", {}), Accept="text/html")
    assert status == 406


async def test_page_learns_from_a_preflight_what_it_may_send(gateway: Gateway) -> None:
    """The protocol's own headers are among them."""
    asking = {"Origin": "http://localhost:6274", "Access-Control-Request-Method": "POST"}
    status, _ = await gateway.call("OPTIONS", "/mcp", headers=asking)
    assert status == 204
    assert "Mcp-Protocol-Version" in gateway.last_headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 400, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}', 400, -32700),
        (b"[" * 100 + b"]" * 100, 400, -32700),
        (b"\xff\xfe", 400, -32700),
        (b"[]", 400, -32602),
        (b"null", 400, -32602),
        (b"1", 400, -32602),
        (b"{}", 400, -32602),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32602),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32602),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', 400, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/destroy"}', 200, -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', 400, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}', 200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"et_clob_nope"}}', 200,
         -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"et_clob_time","arguments":[]}}',
         200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///etc/hosts"}}',
         200, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"nope"}}', 200, -32602),
    ],
)  # fmt: skip
async def test_message_that_is_none_gets_an_error_of_the_protocol(
    gateway: Gateway, raw: bytes, status: int, code: int
) -> None:
    """JSON-RPC's code and a text; never a 5xx."""
    found, answer = await post(gateway, raw)
    assert (found, answer["error"]["code"]) == (status, code), answer
    assert answer["error"]["message"]


def _raw_call(arguments: bytes) -> bytes:
    return (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
        b'{"name":"et_clob_place_order","arguments":' + arguments + b"}}"
    )


async def test_bad_orders_are_tool_errors_that_change_nothing(gateway: Gateway) -> None:
    """REST's own tables of numbers and bodies: a clear refusal each, and no order after."""
    token = (await gateway.register())["access_token"]
    for number in NUMBERS:
        fields = f'"symbol":"vaix","side":"buy","quantity":{number},"price":"0.001"'
        raw = _raw_call(f"{{{fields}}}".encode("utf-8", "replace"))
        status, answer = await post(gateway, raw, token)
        if status != 200:  # a number beyond a double's range is no JSON to the protocol's reader
            assert (status, answer["error"]["code"]) == (400, -32700), raw
            continue
        assert code_of(answer["result"]) == "VALIDATION_ERROR", raw
        assert answer["result"]["content"][0]["text"].startswith("VALIDATION_ERROR: quantity: ")
    for text in BROKEN:
        raw = _raw_call(f'{{"symbol":"vaix","side":"buy","quantity":{text}}}'.encode())
        status, answer = await post(gateway, raw, token)
        assert (status, answer["error"]["code"]) == (400, -32700), raw
    for body, _, code in BODIES:
        raw = _raw_call(body.replace(b'{"side"', b'{"symbol":"vaix","side"', 1))
        status, answer = await post(gateway, raw, token)
        if status != 200:
            assert status in {400, 413}, (raw[:200], answer)
        elif "error" in answer:
            assert answer["error"]["code"] == -32602, (raw[:200], answer)
        else:
            assert code_of(answer["result"]) == code, raw[:200]
    _, found = await gateway.call("GET", "/api/v1/exchange/vaix/orders", token=token)
    assert found["orders"] == []
    _, balance = await gateway.call("GET", "/api/v1/exchange/vaix/balance", token=token)
    assert (balance["quote"]["total"], balance["quote"]["locked"]) == ("100000", "0")


async def test_call_repeated_with_its_key_places_one_order(gateway: Gateway) -> None:
    """The key of the caller's own, in the request's ``_meta``, makes two calls one intent."""
    token = (await gateway.register())["access_token"]
    ids = set()
    for key in ("one", "one", "two"):
        params = {
            "name": "et_clob_place_order", "arguments": ORDER,
            "_meta": {"tandem/idempotency-key": key},
        }  # fmt: skip
        _, answer = await post(gateway, message("tools/call", params), token)
        ids.add(answer["result"]["structuredContent"]["order_id"])
    assert len(ids) == 2
    assert len((await call(gateway, token, "et_clob_open_orders", symbol="vaix"))
               ["structuredContent"]["orders"]) == 2  # fmt: skip


async def test_limits_are_those_of_the_route_a_tool_stands_for(exchange: Exchange) -> None:
    """A tool counts as its route does, and once; what calls none counts as a public read."""
    tiers = {"standard": Tier(user=Rate(3, 60), placing=Rate(2, 60), cancelling=Rate(9, 60))}
    limits = LimitSettings(public_ip=Rate(4, 60), tiers=tiers)
    async with open_gateway(exchange, limits) as gateway:
        token = (await gateway.register())["access_token"]
        for _ in range(3):
            assert not (await call(gateway, token, "et_clob_balance", symbol="vaix"))["isError"]
        refused = await call(gateway, token, "et_clob_balance", symbol="vaix")
        assert code_of(refused) == "RATE_LIMITED"
        assert refused["_meta"]["tandem/error"]["retry_after_s"] >= 1
        assert "Try again in" in refused["content"][0]["text"]
        for _ in range(2):
            assert not (await call(gateway, token, "et_clob_place_order", **ORDER))["isError"]
        assert code_of(await call(gateway, token, "et_clob_place_order", **ORDER)) == "RATE_LIMITED"
        assert not (await call(gateway, token, "et_clob_cancel_all_orders"))["isError"]
        for wanted in (200, 200, 200, 200, 429):
            status, answer = await post(gateway, message("ping", {}))
            assert status == wanted, answer
        assert gateway.last_headers["Retry-After"]
        # A call that is wrong before it reaches a route is counted too.
        params = {"name": "et_clob_book", "arguments": {"symbol": "vaix", "dept": 1}}
        status, answer = await post(gateway, message("tools/call", params))
        assert (status, answer["error"]["code"]) == (429, "RATE_LIMITED")


async def test_requests_are_counted_by_path_and_name_no_tool_s_arguments(gateway: Gateway) -> None:
    """The metrics show ``/mcp``, and the routes that its calls stand for, by their templates."""
    await call(gateway, "", "et_clob_ticker", symbol="btc")
    _, text = await gateway.call("GET", "/metrics")
    lines = [line for line in text.splitlines() if "requests" in line]
    assert any('route="/mcp"' in line and 'status="200"' in line for line in lines)
    assert any('route="/api/v1/exchange/{symbol}/ticker"' in line for line in lines)
