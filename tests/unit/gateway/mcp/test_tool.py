"""From a call's arguments to the REST request it stands for."""

import pytest
from event_trader.wire.numbers import JsonNumber

from gateway.mcp.backend import Asked, CallRefusedError
from gateway.mcp.catalogue import TOOLS

EXCHANGE = "/api/v1/exchange"
ORDER = {"symbol": "vaix", "side": "buy", "quantity": "1000", "price": "0.003"}


def ask(name: str, key: str | None = None, **arguments: object) -> Asked:
    """Make the request of a call."""
    return TOOLS[name].ask(arguments, key)


@pytest.mark.parametrize(
    ("name", "arguments", "method", "path", "query", "body"),
    [
        ("et_clob_time", {}, "GET", f"{EXCHANGE}/time", {}, None),
        ("et_clob_book", {"symbol": "VAIX/USDC"}, "GET", f"{EXCHANGE}/VAIX%2FUSDC/book", {}, None),
        ("et_clob_orderbook", {"symbol": "vaix", "depth": 5}, "GET",
         f"{EXCHANGE}/vaix/book/hybrid", {"depth": "5"}, None),
        ("et_clob_open_orders", {"symbol": "vaix", "mode": None}, "GET",
         f"{EXCHANGE}/vaix/orders/open", {}, None),
        ("et_clob_cancel_order", {"symbol": "vaix", "order_id": "ord_vaix_p_1", "mode": "paper"},
         "DELETE", f"{EXCHANGE}/vaix/orders/ord_vaix_p_1", {"mode": "paper"}, None),
        ("et_clob_amend_order",
         {"symbol": "vaix", "order_id": "ord_vaix_p_1", "price": "1", "mode": "live"},
         "PATCH", f"{EXCHANGE}/vaix/orders/ord_vaix_p_1", {"mode": "live"}, {"price": "1"}),
        ("et_clob_preflight", {"symbol": "vaix"}, "GET", "/api/v1/clob/preflight/vaix", {}, None),
        ("et_clob_cancel_all_orders", {}, "DELETE", f"{EXCHANGE}/orders/all", {}, None),
        ("et_clob_cancel_all_orders", {"symbol": None}, "DELETE", f"{EXCHANGE}/orders/all", {},
         None),
        ("et_clob_cancel_all_orders", {"symbol": "vaix"}, "DELETE", f"{EXCHANGE}/vaix/orders", {},
         None),
        ("et_clob_cancel_all_orders", {"pair": "btc-usdc"}, "DELETE",
         f"{EXCHANGE}/btc-usdc/orders", {}, None),
        ("et_clob_dead_mans_switch", {}, "POST", f"{EXCHANGE}/dead-mans-switch", {}, {}),
        ("et_clob_dead_mans_switch", {"timeout_ms": 5000}, "POST", f"{EXCHANGE}/dead-mans-switch",
         {}, {"timeout_ms": 5000}),
        ("et_clob_dead_mans_switch", {"action": "heartbeat", "timeout_ms": 5000}, "POST",
         f"{EXCHANGE}/dead-mans-switch/heartbeat", {}, None),
        ("et_clob_dead_mans_switch", {"action": "disarm"}, "DELETE",
         f"{EXCHANGE}/dead-mans-switch", {}, None),
    ],
)  # fmt: skip
def test_call_becomes_the_rest_request_it_stands_for(
    name: str, arguments: dict[str, object], method: str, path: str,
    query: dict[str, str], body: dict[str, object] | None,
) -> None:  # fmt: skip
    """Path, query and body hold what was given, and nothing else."""
    asked = ask(name, **arguments)
    assert (asked.method, asked.path, dict(asked.query), asked.body) == (method, path, query, body)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("1000", "1000"),
        (1000, "1000"),
        (0.1, "0.1"),
        (0.000001, "0.000001"),
        (1234567.0, "1234567.0"),
        (JsonNumber("1.50"), "1.50"),
    ],
)
def test_number_reaches_the_exchange_as_the_text_that_was_sent(sent: object, text: str) -> None:
    """No binary fraction is ever rounded into an order."""
    body = ask("et_clob_place_order", **{**ORDER, "quantity": sent}).body
    assert body is not None
    assert body["quantity"] == text


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("et_clob_place_order", {**ORDER, "quantiy": "1"}, "quantiy: Extra inputs"),
        ("et_clob_place_order", {"symbol": "vaix"}, "side: Field required"),
        ("et_clob_place_order", {**ORDER, "quantity": "1e3"}, "quantity: must be a plain decimal"),
        ("et_clob_place_order", {**ORDER, "quantity": JsonNumber("1e3")}, "quantity: must be"),
        ("et_clob_place_order", {**ORDER, "quantity": float("nan")}, "quantity: must be"),
        ("et_clob_place_order", {**ORDER, "quantity": 0.12345678901234567}, "decimal string"),
        ("et_clob_place_order", {**ORDER, "quantity": True}, "quantity: must be a decimal string"),
        ("et_clob_place_order", {**ORDER, "quantity": None}, "quantity: must be"),
        ("et_clob_place_order", {**ORDER, "paper": "true"}, "paper: "),
        ("et_clob_book", {"symbol": "vaix", "depth": 0}, "depth: "),
        ("et_clob_book", {"symbol": "vaix", "depth": "30"}, "depth: "),
        ("et_clob_book", {"symbol": "vaix", "depth": True}, "depth: "),
        ("et_clob_book", {"symbol": "../auth/me"}, "symbol: "),
        ("et_clob_book", {"symbol": ""}, "symbol: must be a pair such as vaix"),
        ("et_clob_book", {"symbol": ["vaix"]}, "symbol: "),
        ("et_clob_order_status", {"symbol": "vaix", "order_id": "history"}, "order_id: "),
        ("et_clob_cancel_order", {"symbol": "vaix", "order_id": ".."}, "id such as ord_vaix_p_17"),
        ("et_clob_cancel_order", {"symbol": "vaix", "order_id": "ord_1/../x"}, "order_id: "),
        ("et_clob_place_scale", {"symbol": "vaix", "side": "buy", "quantity": "1"}, "price_low: "),
        ("et_clob_withdraw", {"symbol": "vaix", "amount": "1"}, "destination: Field required"),
        ("et_clob_cancel_all_orders", {"symbol": "vaix", "pair": "btc"}, "not both"),
        ("et_clob_dead_mans_switch", {"action": "explode"}, "action: "),
        ("et_clob_batch_place_orders", {"symbol": "vaix", "orders": []}, "orders: "),
        ("et_clob_batch_place_orders", {"symbol": "vaix", "orders": [1] * 11}, "orders: "),
        ("et_clob_time", {"symbol": "vaix"}, "symbol: Extra inputs"),
    ],
)
def test_argument_that_does_not_fit_is_refused_by_name(
    name: str, arguments: dict[str, object], said: str
) -> None:
    """The message names the argument, and nothing is asked of the exchange."""
    with pytest.raises(CallRefusedError) as caught:
        TOOLS[name].ask(arguments, None)
    assert (caught.value.code, caught.value.status) == ("VALIDATION_ERROR", 422)
    assert said in caught.value.message


def test_placing_call_has_a_key_of_its_own() -> None:
    """Two calls are two intents, unless the caller says that they are one."""
    first, second = ask("et_clob_place_order", **ORDER), ask("et_clob_place_order", **ORDER)
    assert first.idempotency_key
    assert second.idempotency_key
    assert first.idempotency_key != second.idempotency_key
    assert ask("et_clob_place_order", "mine", **ORDER).idempotency_key == "mine"
    assert ask("et_clob_book", "mine", symbol="vaix").idempotency_key is None
