"""What the ccxt class decides without a network: error classes, order types, method driving."""

import asyncio
import inspect
from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
import tandem_ccxt
from ccxt.base.errors import BaseError
from event_trader.codes import BY_CODE as CLIENT_CODES
from tandem_ccxt import failures
from tandem_ccxt.described import HAS, PRO_HAS
from tandem_ccxt.order_requests import order_request, order_type
from tandem_ccxt.unified import UNIFIED, Steps, awaiting, call, waiting

MARKET = {
    "symbol": "vaix", "pair": "VAIX/USDC", "base_symbol": "VAIX", "quote_symbol": "USDC",
    "base_decimals": 6, "quote_decimals": 6, "tick_size": "0.000001", "lot_size": "1",
    "min_order_size": "1", "maker_fee_bps": 5, "taker_fee_bps": 10, "status": "trading",
    "chains": {},
}  # fmt: skip


@pytest.fixture
def exchange() -> Any:
    """A sync class with one market and a key."""
    made = ccxt.tandem({"apiKey": "evt_test"})
    made.set_markets([made.parse_market(MARKET)])
    return made


def test_every_code_has_an_exception_of_ccxt() -> None:
    """The table knows exactly the codes that the Python client knows."""
    assert set(failures.BY_CODE) == set(CLIENT_CODES)
    assert all(issubclass(kind, BaseError) for kind in failures.BY_CODE.values())


def test_unknown_code_goes_by_status() -> None:
    """A newer exchange may have codes that this version does not know."""
    assert failures.error_class(429, "NEW") is ccxt.RateLimitExceeded
    assert failures.error_class(500, "NEW") is ccxt.ExchangeError


def test_registering_again_changes_nothing() -> None:
    """The three namespaces have the class once, under its name."""
    tandem_ccxt.register()
    for namespace in (ccxt, ccxt.async_support, ccxt.pro):
        assert namespace.exchanges.count("tandem") == 1
        assert namespace.tandem().id == "tandem"


def test_what_it_says_it_has_is_there() -> None:
    """Every capability that `describe` claims is a method of its own class."""
    for has, kind in ((HAS, tandem_ccxt.Tandem), (PRO_HAS, tandem_ccxt.ProTandem)):
        made = kind()
        claimed = [name for name, there in has.items() if there and name[:1].islower()]
        methods = [n for n in claimed if n.startswith(("fetch", "cancel", "edit", "watch"))]
        assert [name for name in methods if not callable(getattr(made, name, None))] == []


def test_sync_and_async_classes_have_the_same_methods() -> None:
    """One description drives both, and keeps names and signatures."""
    for name, method in UNIFIED.items():
        plain = getattr(tandem_ccxt.Tandem, name)
        awaited = getattr(tandem_ccxt.AsyncTandem, name)
        assert inspect.signature(plain) == inspect.signature(awaited) == inspect.signature(method)
        assert inspect.iscoroutinefunction(awaited)
        assert not inspect.iscoroutinefunction(plain)


class Calls:
    """Answers, and refuses, with and without ``await``."""

    def double(self, number: int) -> int:
        """Give twice the number; negative ones are refused."""
        if number < 0:
            raise ValueError(number)
        return 2 * number

    async def later(self, number: int) -> int:
        """Do the same, awaited."""
        return self.double(number)


def steps_over(name: str) -> Any:
    """A method that calls twice and survives a refusal."""

    def steps(_: Calls, number: int) -> Steps:
        first = yield call(name, number)
        try:
            second = yield call(name, -1)
        except ValueError as error:
            second = error.args[0]
        return first, second

    return steps


def test_driver_sends_answers_and_throws_refusals() -> None:
    """Both drivers give a method the answer, or the error, of each call."""
    assert waiting(steps_over("double"))(Calls(), 4) == (8, -1)
    assert asyncio.run(awaiting(steps_over("later"))(Calls(), 4)) == (8, -1)


@pytest.mark.parametrize(
    ("kind", "time_in_force", "post_only", "stop", "expected"),
    [
        ("limit", None, False, None, "limit"),
        ("limit", "GTC", False, None, "limit"),
        ("limit", "IOC", False, None, "ioc"),
        ("limit", "FOK", False, None, "fok"),
        ("limit", "PO", False, None, "post_only"),
        ("limit", None, True, None, "post_only"),
        ("limit", None, False, 1, "stop_limit"),
        ("market", None, False, None, "market"),
        ("market", "IOC", False, None, "market"),
        ("market", None, False, 1, "stop_market"),
        ("limit", "IOC", True, None, None),
        ("limit", "IOC", False, 1, None),
        ("limit", None, True, 1, None),
        ("market", None, True, None, None),
        ("market", "FOK", False, None, None),
        ("limit", "DAY", False, None, None),
        ("iceberg", None, False, None, None),
    ],
)
def test_order_type_is_tandems_or_refused(
    exchange: Any,
    kind: str,
    time_in_force: str | None,
    post_only: bool,
    stop: int | None,
    expected: str | None,
) -> None:
    """What Tandem has no order for is refused before anything is sent."""
    if expected is None:
        with pytest.raises(ccxt.InvalidOrder):
            order_type(exchange, kind, time_in_force, post_only=post_only, stop=stop)
    else:
        chosen = order_type(exchange, kind, time_in_force, post_only=post_only, stop=stop)
        assert chosen == expected


def test_order_request_keeps_to_the_grid_and_passes_tandems_own_fields(exchange: Any) -> None:
    """Amounts are cut to the lot, prices rounded to the tick; no float reaches the wire."""
    params = {"clientOrderId": "mine-1", "triggerPrice": 0.00312345, "display_qty": "100"}
    market = exchange.market("VAIX/USDC")
    body = order_request(exchange, market, "limit", "buy", (1000.9, 0.0031236), params)
    assert body == {
        "side": "buy", "order_type": "stop_limit", "quantity": "1000", "price": "0.003124",
        "stop_price": "0.003123", "client_order_id": "mine-1", "display_qty": "100",
    }  # fmt: skip
    with pytest.raises(ccxt.ArgumentsRequired):
        order_request(exchange, market, "limit", "buy", (1, None), {})


def test_signing_sends_the_key_once_and_the_intent_in_a_header(exchange: Any) -> None:
    """The key is in no URL and no body."""
    order = {"symbol": "vaix", "side": "buy", "quantity": "1", "idempotencyKey": "i-1"}
    signed = exchange.sign("{symbol}/orders", ["private"], "POST", order)
    assert signed["url"] == "http://127.0.0.1:8080/api/v1/exchange/vaix/orders"
    assert signed["headers"]["X-API-Key"] == "evt_test"
    assert signed["headers"]["Idempotency-Key"] == "i-1"
    assert exchange.parse_json(signed["body"]) == {"side": "buy", "quantity": "1"}
    read = exchange.sign("{symbol}/book", "public", "GET", {"symbol": "vaix", "depth": 5})
    assert read["url"].endswith("/vaix/book?depth=5")
    assert read["body"] is None
    exchange.apiKey = ""
    assert "X-API-Key" not in exchange.sign("time", "public")["headers"]
    with pytest.raises(ccxt.AuthenticationError):
        exchange.sign("my-fees", "private")


def test_answer_that_is_not_tandems_names_the_setting(exchange: Any) -> None:
    """A wrong URL is told as one."""
    with pytest.raises(ccxt.BadResponse, match=r'set urls\["api"\]\["rest"\]'):
        exchange.handle_errors(404, "", "u", "GET", {}, "<html>", None, {}, None)


def test_trades_of_one_moment_keep_their_order(exchange: Any) -> None:
    """Trade 100 comes after trade 99, although its name sorts before; newest first goes in."""
    moment = {"quantity": "1", "side": "buy", "timestamp": "2026-01-02T03:04:05.678Z"}
    rows = [{"trade_id": f"trd_vaix_p_{n}", "price": f"0.{n:06}", **moment} for n in (101, 100, 99)]
    parsed = exchange.parse_trades(rows, exchange.market("VAIX/USDC"))
    assert [trade["price"] for trade in parsed] == [0.000099, 0.0001, 0.000101]
