"""Unified methods that place, change, cancel and read orders."""

from collections.abc import Iterable
from typing import Any

from ccxt.base.errors import ArgumentsRequired, InvalidOrder

from tandem_ccxt.market_methods import Params, market_of, with_mode
from tandem_ccxt.order_requests import order_request
from tandem_ccxt.unified import Steps, call, unified

Json = dict[str, Any]

PLACED_AT_ONCE_MAX = 10
CANCELLED_AT_ONCE_MAX = 50
PAGE = 500
PAGES_MAX = 20
"""Orders further back than 10,000 are not looked for."""


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
def create_orders(exchange: Any, orders: list[Json], params: Params = None) -> Steps:
    """Place orders; each stands alone, a refused one comes back with status ``rejected``."""
    yield call("load_markets")
    placed: list[Any] = [None] * len(orders)
    for market_id, places in _by_market(exchange, [one["symbol"] for one in orders]).items():
        market = exchange.safe_market(market_id)
        for chunk in _chunks(places, PLACED_AT_ONCE_MAX):
            bodies = [_body_of(exchange, market, orders[place], params) for place in chunk]
            request = {"symbol": market_id, "orders": bodies, "idempotencyKey": exchange.uuid()}
            answer = yield call("private_post_symbol_orders_batch", request)
            for place, result in zip(chunk, answer["results"], strict=True):
                placed[place] = _outcome(exchange, market, result)
    return placed


def _body_of(exchange: Any, market: Json, order: Json, params: Params) -> Json:
    given = with_mode(exchange, order.get("params") or {}, params)
    size = (order["amount"], order.get("price"))
    return order_request(exchange, market, order["type"], order["side"], size, given)


def _outcome(exchange: Any, market: Json, result: Json) -> Any:
    if result["order"] is not None:
        return exchange.parse_order(result["order"], market)
    rejected = {"symbol": market["symbol"], "status": "rejected", "info": result}
    return exchange.safe_order(rejected, market)


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
    body: Json = {}
    if amount is not None:
        body["quantity"] = exchange.amount_to_precision(symbol, amount)
    if price is not None:
        body["price"] = exchange.price_to_precision(symbol, price)
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
    market = yield from _market_of_order(exchange, id, symbol)
    request = {"symbol": market["id"], "order_id": id, **(params or {})}
    answer = yield call("private_delete_symbol_orders_order_id", request)
    return exchange.parse_order(answer, market)


@unified
def cancel_orders(
    exchange: Any, ids: list[str], symbol: str | None = None, params: Params = None
) -> Steps:
    """Cancel orders; one that cannot be cancelled comes back with status ``rejected``."""
    yield call("load_markets")
    symbols = [symbol or _symbol_in(exchange, one) for one in ids]
    ended: list[Any] = [None] * len(ids)
    for market_id, places in _by_market(exchange, symbols).items():
        market = exchange.safe_market(market_id)
        for chunk in _chunks(places, CANCELLED_AT_ONCE_MAX):
            order_ids = [ids[place] for place in chunk]
            request = {"symbol": market_id, "order_ids": order_ids, **(params or {})}
            answer = yield call("private_delete_symbol_orders_batch", request)
            for place, result in zip(chunk, answer["results"], strict=True):
                ended[place] = {**_outcome(exchange, market, result), "id": ids[place]}
    return ended


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
                "symbol": _symbol_in(exchange, one),
                "status": "canceled",
                "info": answer,
            }
        )
        for one in answer["order_ids"]
    ]


@unified
def fetch_order(
    exchange: Any,
    id: str,  # noqa: A002 (ccxt's name)
    symbol: str | None = None,
    params: Params = None,
) -> Steps:
    """Read one order with its trades."""
    market = yield from _market_of_order(exchange, id, symbol)
    request = {"symbol": market["id"], "order_id": id, **(params or {})}
    answer = yield call("private_get_symbol_orders_order_id", request)
    return exchange.parse_order(answer, market)


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


@unified
def fetch_open_orders(
    exchange: Any,
    symbol: str | None = None,
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read the open orders, oldest first; without a symbol, one request per market."""
    found: list[Any] = []
    for market in (yield from _markets(exchange, symbol)):
        request = with_mode(exchange, {"symbol": market["id"]}, params)
        answer = yield call("private_get_symbol_orders_open", request)
        found += exchange.parse_orders(answer["orders"], market)
    return exchange.filter_by_since_limit(exchange.sort_by(found, "timestamp"), since, limit)


@unified
def fetch_orders(
    exchange: Any,
    symbol: str | None = None,
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read open and ended orders, oldest first."""
    # Open ones last: an order that ends in between is then seen twice, not missed.
    ended = yield call("fetch_canceled_and_closed_orders", symbol, since, limit, params)
    still_open = yield call("fetch_open_orders", symbol, since, None, params)
    by_id = {order["id"]: order for order in (*still_open, *ended)}
    found = exchange.sort_by(list(by_id.values()), "timestamp")
    return exchange.filter_by_since_limit(found, since, limit)


@unified
def fetch_closed_orders(
    exchange: Any,
    symbol: str | None = None,
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read the filled orders, oldest first."""
    found = yield from _ended(exchange, symbol, since, params, {"closed"})
    return exchange.filter_by_since_limit(found, since, limit)


@unified
def fetch_canceled_orders(
    exchange: Any,
    symbol: str | None = None,
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read the cancelled and expired orders, oldest first."""
    found = yield from _ended(exchange, symbol, since, params, {"canceled", "expired"})
    return exchange.filter_by_since_limit(found, since, limit)


@unified
def fetch_canceled_and_closed_orders(
    exchange: Any,
    symbol: str | None = None,
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read the orders that ended, oldest first, rejected ones not among them."""
    found = yield from _ended(exchange, symbol, since, params, {"closed", "canceled", "expired"})
    return exchange.filter_by_since_limit(found, since, limit)


@unified
def fetch_my_trades(
    exchange: Any,
    symbol: str | None = None,
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read the account's own newest trades, oldest first; at most 500 a market."""
    found: list[Any] = []
    for market in (yield from _markets(exchange, symbol)):
        request = with_mode(exchange, {"symbol": market["id"], "limit": PAGE}, params)
        answer = yield call("private_get_symbol_trades_mine", request)
        found += exchange.parse_trades(answer["trades"], market)
    return exchange.filter_by_since_limit(exchange.sort_by(found, "timestamp"), since, limit)


def _ended(
    exchange: Any, symbol: str | None, since: int | None, params: Params, wanted: set[str]
) -> Steps:
    """Read ended orders page by page, back to ``since``; only the newest page without it."""
    found: list[Any] = []
    for market in (yield from _markets(exchange, symbol)):
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
    kept = {order["id"]: order for order in found if order["status"] in wanted}
    return exchange.sort_by(list(kept.values()), "timestamp")


def _markets(exchange: Any, symbol: str | None) -> Steps:
    """Give the market that is asked for, or every one."""
    yield call("load_markets")
    return list(exchange.markets.values()) if symbol is None else [exchange.market(symbol)]


def _market_of_order(exchange: Any, order_id: str, symbol: str | None) -> Steps:
    yield call("load_markets")
    return exchange.market(symbol or _symbol_in(exchange, order_id))


def _symbol_in(exchange: Any, order_id: str) -> str:
    """Read the market off an order id such as ``ord_vaix_p_17``.

    Raises:
        ArgumentsRequired: the id is not of that form.
    """
    parts = str(order_id).split("_")
    if len(parts) != 4 or parts[1] not in exchange.markets_by_id:
        raise ArgumentsRequired(
            f"{exchange.id} cannot tell the market of order {order_id!r}: give its symbol"
        )
    return str(exchange.safe_market(parts[1])["symbol"])


def _by_market(exchange: Any, symbols: Iterable[str]) -> dict[str, list[int]]:
    """Group places in a list by market id."""
    groups: dict[str, list[int]] = {}
    for place, symbol in enumerate(symbols):
        groups.setdefault(exchange.market(symbol)["id"], []).append(place)
    if not groups:
        raise InvalidOrder(f"{exchange.id} the list of orders is empty: give at least one")
    return groups


def _chunks(places: list[int], size: int) -> list[list[int]]:
    return [places[at : at + size] for at in range(0, len(places), size)]
