"""Unified methods that place, change and cancel an order, or cancel all."""

from typing import Any

from tandem_ccxt.market_methods import Params, market_of, with_mode
from tandem_ccxt.order_markets import about_order, symbol_in
from tandem_ccxt.order_requests import amendment, order_request
from tandem_ccxt.unified import Steps, call, unified


@unified
def create_order(
    exchange: Any,
    symbol: str,
    type: str,  # noqa: A002 (ccxt's name)
    side: str,
    amount: Any,
    price: Any = None,
    params: Params = None,
) -> Steps:
    """Place an order; see `order_request` for what ``params`` may have.

    Each call is one intent: its Idempotency-Key is kept over ccxt's own retries.
    """
    market = yield from market_of(exchange, symbol)
    given = with_mode(exchange, {}, params)
    key = given.pop("idempotencyKey", None) or exchange.uuid()
    body = order_request(exchange, market, type, side, (amount, price), given)
    request = {"symbol": market["id"], "idempotencyKey": key, **body}
    answer = yield call("private_post_symbol_orders", request)
    return exchange.parse_order(answer, market)


@unified
def edit_order(
    exchange: Any,
    id: str,  # noqa: A002 (ccxt's name)
    symbol: str,
    type: str | None = None,  # noqa: A002, ARG001 (ccxt's name; an order keeps its type)
    side: str | None = None,  # noqa: ARG001 (an order keeps its side)
    amount: Any = None,
    price: Any = None,
    params: Params = None,
) -> Steps:
    """Change price or total amount in one step; a smaller amount keeps its place in the queue."""
    market = yield from market_of(exchange, symbol)
    body = amendment(exchange, market, (amount, price))
    request = {"symbol": market["id"], "order_id": id, **body, **(params or {})}
    answer = yield call("private_patch_symbol_orders_order_id", request)
    return exchange.parse_order(answer, market)


@unified
def cancel_order(
    exchange: Any,
    id: str,  # noqa: A002 (ccxt's name)
    symbol: str | None = None,
    params: Params = None,
) -> Steps:
    """Cancel an order; its id says the market, so ``symbol`` may be left out."""
    path = "private_delete_symbol_orders_order_id"
    return (yield from about_order(exchange, path, id, symbol, params))


@unified
def cancel_all_orders(exchange: Any, symbol: str | None = None, params: Params = None) -> Steps:
    """Cancel every open order of a market, or of all markets."""
    yield call("load_markets")
    if symbol is None:
        answer = yield call("private_delete_orders_all", with_mode(exchange, {}, params))
    else:
        request = with_mode(exchange, {"symbol": exchange.market(symbol)["id"]}, params)
        answer = yield call("private_delete_symbol_orders", request)
    return [
        exchange.safe_order(
            {
                "id": one,
                "symbol": symbol_in(exchange, one),
                "status": "canceled",
                "info": answer,
            }
        )
        for one in answer["order_ids"]
    ]


@unified
def cancel_all_orders_after(
    exchange: Any,  # noqa: ARG001 (every method has it)
    timeout: int,
    params: Params = None,
) -> Steps:
    """Cancel everything unless this is called again within ``timeout`` milliseconds; 0 ends it.

    The least is 1,000. It stands for the whole account, its modes and markets.
    """
    if not timeout:
        return (yield call("private_delete_dead_mans_switch", params or {}))
    request = {"timeout_ms": timeout, **(params or {})}
    return (yield call("private_post_dead_mans_switch", request))
