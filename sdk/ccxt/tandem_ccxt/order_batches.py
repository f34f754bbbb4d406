"""Unified methods for many orders at once: each stands alone, whatever becomes of the others."""

from collections.abc import Callable
from typing import Any

from ccxt.base.errors import InvalidOrder

from tandem_ccxt.market_methods import Params, with_mode
from tandem_ccxt.order_markets import symbol_in
from tandem_ccxt.order_requests import amendment, order_request
from tandem_ccxt.unified import Steps, call, unified

Json = dict[str, Any]

PLACED_AT_ONCE_MAX = 10
CHANGED_AT_ONCE_MAX = 50


@unified
def create_orders(exchange: Any, orders: list[Json], params: Params = None) -> Steps:
    """Place orders; a refused one comes back with status ``rejected``."""

    def request(market: Json, places: list[int]) -> Json:
        bodies = [_body_of(exchange, market, orders[place], params) for place in places]
        return {"orders": bodies, "idempotencyKey": exchange.uuid()}

    symbols = [order["symbol"] for order in orders]
    path = "private_post_symbol_orders_batch"
    return (yield from _in_batches(exchange, symbols, path, PLACED_AT_ONCE_MAX, request))


@unified
def edit_orders(exchange: Any, orders: list[Json], params: Params = None) -> Steps:
    """Change price or total amount of orders; one that cannot be changed has ``rejected``."""

    def request(market: Json, places: list[int]) -> Json:
        bodies = [
            {
                "order_id": one["id"],
                **amendment(exchange, market, (one.get("amount"), one.get("price"))),
                **(one.get("params") or {}),
            }
            for one in (orders[place] for place in places)
        ]
        return {"orders": bodies, **(params or {})}

    yield call("load_markets")
    ids = [order["id"] for order in orders]
    symbols = [order.get("symbol") or symbol_in(exchange, order["id"]) for order in orders]
    path = "private_patch_symbol_orders_batch"
    changed = yield from _in_batches(exchange, symbols, path, CHANGED_AT_ONCE_MAX, request)
    return _named(ids, changed)


@unified
def cancel_orders(
    exchange: Any, ids: list[str], symbol: str | None = None, params: Params = None
) -> Steps:
    """Cancel orders; one that cannot be cancelled comes back with status ``rejected``."""

    def request(_market: Json, places: list[int]) -> Json:
        return {"order_ids": [ids[place] for place in places], **(params or {})}

    yield call("load_markets")
    symbols = [symbol or symbol_in(exchange, one) for one in ids]
    path = "private_delete_symbol_orders_batch"
    ended = yield from _in_batches(exchange, symbols, path, CHANGED_AT_ONCE_MAX, request)
    return _named(ids, ended)


@unified
def cancel_orders_for_symbols(
    exchange: Any,  # noqa: ARG001 (every method has it)
    orders: list[Json],
    params: Params = None,
) -> Steps:
    """Cancel orders given as ``{"id": ..., "symbol": ...}``, of any markets."""
    return (yield call("cancel_orders", [order["id"] for order in orders], None, params))


def _in_batches(
    exchange: Any,
    symbols: list[str],
    path: str,
    at_once: int,
    request: Callable[[Json, list[int]], Json],
) -> Steps:
    """Send a list in as many requests as it needs; give the outcomes in the list's order.

    Args:
        exchange: ccxt's.
        symbols: the market of each place in the list.
        path: the implicit method to call.
        at_once: how many one request may have.
        request: gives what to send for some places, which are of one market.

    Raises:
        InvalidOrder: the list is empty.
    """
    yield call("load_markets")
    outcomes: list[Any] = [None] * len(symbols)
    for market_id, places in _by_market(exchange, symbols).items():
        market = exchange.safe_market(market_id)
        for at in range(0, len(places), at_once):
            chunk = places[at : at + at_once]
            answer = yield call(path, {"symbol": market_id, **request(market, chunk)})
            for place, result in zip(chunk, answer["results"], strict=True):
                outcomes[place] = _outcome(exchange, market, result)
    return outcomes


def _by_market(exchange: Any, symbols: list[str]) -> dict[str, list[int]]:
    """Group places in a list by market id."""
    groups: dict[str, list[int]] = {}
    for place, symbol in enumerate(symbols):
        groups.setdefault(exchange.market(symbol)["id"], []).append(place)
    if not groups:
        raise InvalidOrder(f"{exchange.id} the list of orders is empty: give at least one")
    return groups


def _body_of(exchange: Any, market: Json, order: Json, params: Params) -> Json:
    given = with_mode(exchange, order.get("params") or {}, params)
    size = (order["amount"], order.get("price"))
    return order_request(exchange, market, order["type"], order["side"], size, given)


def _outcome(exchange: Any, market: Json, result: Json) -> Any:
    if result["order"] is not None:
        return exchange.parse_order(result["order"], market)
    rejected = {"symbol": market["symbol"], "status": "rejected", "info": result}
    return exchange.safe_order(rejected, market)


def _named(ids: list[str], orders: list[Any]) -> list[Any]:
    """Say which order each outcome is of: a refused one does not."""
    return [{**order, "id": one} for one, order in zip(ids, orders, strict=True)]
