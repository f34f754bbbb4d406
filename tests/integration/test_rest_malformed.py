"""Malformed numbers and bodies over REST: a clear 4xx each, and nothing changes."""

import gzip
from typing import Any

from tests.gateways import Gateway
from tests.malformed import BODIES, BROKEN, NUMBERS

PATH = "/api/v1/exchange/vaix/orders"
JSON = {"Content-Type": "application/json"}


async def send(gateway: Gateway, token: str, raw: bytes, **headers: str) -> tuple[int, Any]:
    """Send a raw order body."""
    return await gateway.call("POST", PATH, token=token, data=raw, headers=JSON | headers)


async def test_malformed_numbers_are_refused_by_the_fields_name(gateway: Gateway) -> None:
    """Every bad number in quantity and price is 422 naming the field; no order exists after."""
    assert 2 * (len(NUMBERS) + len(BROKEN)) + len(BODIES) > 300
    token = (await gateway.register())["access_token"]
    for number in NUMBERS:
        for field, other in (("quantity", "price"), ("price", "quantity")):
            raw = f'{{"side":"buy","{field}":{number},"{other}":"1"}}'.encode("utf-8", "replace")
            status, answer = await send(gateway, token, raw)
            assert (status, answer["error"]["code"]) == (422, "VALIDATION_ERROR"), raw
            assert answer["detail"][0]["loc"] == ["body", field], raw
    for number in BROKEN:
        raw = f'{{"side":"buy","quantity":{number},"price":"1"}}'.encode()
        status, answer = await send(gateway, token, raw)
        assert (status, answer["error"]["code"]) == (422, "INVALID_JSON"), raw
    _, found = await gateway.call("GET", PATH, token=token)
    assert found["orders"] == []


async def test_malformed_bodies_each_get_their_code(gateway: Gateway) -> None:
    """Every bad body gets the status and code of the table, and changes nothing."""
    token = (await gateway.register())["access_token"]
    for raw, wanted, code in BODIES:
        status, answer = await send(gateway, token, raw)
        assert (status, answer["error"]["code"]) == (wanted, code), raw[:200]
    _, balance = await gateway.call("GET", "/api/v1/exchange/vaix/balance", token=token)
    assert (balance["quote"]["total"], balance["quote"]["locked"]) == ("100000", "0")


async def test_body_of_another_kind_is_unsupported(gateway: Gateway) -> None:
    """Other content types, charsets and compressed bodies are 415."""
    token = (await gateway.register())["access_token"]
    good = b'{"side":"buy","quantity":"1","price":"0.001"}'
    for headers, raw in (
        ({"Content-Type": "text/plain"}, good),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"side=buy"),
        ({"Content-Type": "application/json; charset=latin-1"}, good),
        ({"Content-Encoding": "gzip"}, gzip.compress(good)),
        ({"Content-Encoding": "deflate"}, good),
        ({"Content-Encoding": "br"}, good),
    ):
        status, answer = await send(gateway, token, raw, **headers)
        assert (status, answer["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE"), headers


async def test_numbers_of_every_accepted_form_place_the_same_order(gateway: Gateway) -> None:
    """Strings, integers and plain JSON decimals are the same number; output is always text."""
    token = (await gateway.register())["access_token"]
    for price in ('"0.0025"', "0.0025", '"0.00250000"', '"000.0025"', "0.002500"):
        for quantity in ('"10"', "10", "10.0", '"10.000"'):
            raw = f'{{"side":"buy","quantity":{quantity},"price":{price}}}'.encode()
            status, order = await send(gateway, token, raw)
            assert (status, order["price"], order["quantity"]) == (200, "0.002500", "10")


async def test_query_parameters_that_are_wrong_are_named(gateway: Gateway) -> None:
    """Bounds, other digits, repeats; unknown ones only where something would change."""
    token = (await gateway.register())["access_token"]
    base = "/api/v1/exchange/vaix"
    for query in ("depth=0", "depth=501", "depth=1_0", "depth=%D9%A3", "depth=1.0", "depth=",
                  "depth=1&depth=2", "mode=demo", "paper=maybe"):  # fmt: skip
        status, answer = await gateway.call("GET", f"{base}/book?{query}")
        assert (status, answer["error"]["code"]) == (422, "VALIDATION_ERROR"), query
        assert answer["detail"][0]["loc"][0] == "query"
    status, _ = await gateway.call("GET", f"{base}/book?detph=5")
    assert status == 200
    status, answer = await gateway.call("DELETE", f"{base}/orders?sied=buy", token=token)
    assert (status, answer["detail"][0]["loc"]) == (422, ["query", "sied"])
