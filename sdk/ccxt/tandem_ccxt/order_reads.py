"""Unified methods that read orders and the account's own trades."""

import functools
from collections.abc import Callable
from typing import Any

from tandem_ccxt.market_methods import Params, with_mode
from tandem_ccxt.order_markets import about_order, markets_of
from tandem_ccxt.parsing import serial_number
from tandem_ccxt.unified import Method, Steps, call, unified

PAGE = 500
PAGES_MAX = 20
"""Orders further back than 10,000 are not looked for."""


def listing(read: Callable[..., Steps]) -> Method:
    """Make ``read(exchange, symbol, since, params)`` a method with ccxt's arguments.

    What it finds is sorted, oldest first, and cut by ``since`` and ``limit``.
    """

    @functools.wraps(read)
    def method(
        exchange: Any,
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,
    ) -> Steps:
        found = yield from read(exchange, symbol, since, params)
        # Orders of one batch share a moment; their numbers say which came first.
        found.sort(key=lambda one: (one["timestamp"], serial_number(one["id"])))
        return exchange.filter_by_since_limit(found, since, limit)

    return unified(method)


@unified
def fetch_order(
    exchange: Any,
    id: str,  # noqa: A002 (ccxt's name)
    symbol: str | None = None,
    params: Params = None,
) -> Steps:
    """Read one order with its trades."""
    path = "private_get_symbol_orders_order_id"
    return (yield from about_order(exchange, path, id, symbol, params))


@unified
def fetch_order_trades(
    exchange: Any,
    id: str,  # noqa: A002 (ccxt's name)
    symbol: str | None = None,
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read the trades of one order."""
    order = yield call("fetch_order", id, symbol, params or {})
    return exchange.filter_by_since_limit(order["trades"], since, limit)


@listing
def fetch_open_orders(
    exchange: Any, symbol: str | None, _since: int | None, params: Params
) -> Steps:
    """Read the open orders; without a symbol, one request per market."""
    found: list[Any] = []
    for market in (yield from markets_of(exchange, symbol)):
        request = with_mode(exchange, {"symbol": market["id"]}, params)
        answer = yield call("private_get_symbol_orders_open", request)
        found += exchange.parse_orders(answer["orders"], market)
    return found


@listing
def fetch_orders(
    exchange: Any,  # noqa: ARG001 (every method has it)
    symbol: str | None,
    since: int | None,
    params: Params,
) -> Steps:
    """Read open and ended orders."""
    # Ended ones last: an order that ends in between is then seen twice, not missed.
    still_open = yield call("fetch_open_orders", symbol, since, None, params)
    ended = yield call("fetch_canceled_and_closed_orders", symbol, since, None, params)
    return list({order["id"]: order for order in (*still_open, *ended)}.values())


@listing
def fetch_closed_orders(
    exchange: Any, symbol: str | None, since: int | None, params: Params
) -> Steps:
    """Read the filled orders."""
    return (yield from _ended(exchange, symbol, since, params, {"closed"}))


@listing
def fetch_canceled_orders(
    exchange: Any, symbol: str | None, since: int | None, params: Params
) -> Steps:
    """Read the cancelled and expired orders."""
    return (yield from _ended(exchange, symbol, since, params, {"canceled", "expired"}))


@listing
def fetch_canceled_and_closed_orders(
    exchange: Any, symbol: str | None, since: int | None, params: Params
) -> Steps:
    """Read the orders that ended, rejected ones not among them."""
    wanted = {"closed", "canceled", "expired"}
    return (yield from _ended(exchange, symbol, since, params, wanted))


@listing
def fetch_my_trades(exchange: Any, symbol: str | None, _since: int | None, params: Params) -> Steps:
    """Read the account's own newest trades; at most 500 a market."""
    found: list[Any] = []
    for market in (yield from markets_of(exchange, symbol)):
        request = with_mode(exchange, {"symbol": market["id"], "limit": PAGE}, params)
        answer = yield call("private_get_symbol_trades_mine", request)
        found += exchange.parse_trades(answer["trades"], market)
    return found


def _ended(
    exchange: Any, symbol: str | None, since: int | None, params: Params, wanted: set[str]
) -> Steps:
    """Read ended orders page by page, back to ``since``; only the newest page without it."""
    found: list[Any] = []
    for market in (yield from markets_of(exchange, symbol)):
        for page in range(PAGES_MAX):
            request = {"symbol": market["id"], "limit": PAGE, "offset": page * PAGE}
            request = with_mode(exchange, request, params)
            answer = yield call("private_get_symbol_orders_history", request)
            orders = exchange.parse_orders(answer["orders"], market)
            found += orders
            if since is None or not answer["has_more"]:
                break
            if all(order["lastUpdateTimestamp"] < since for order in orders):
                break
    return list({order["id"]: order for order in found if order["status"] in wanted}.values())
