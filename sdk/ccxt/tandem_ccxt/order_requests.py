"""A ccxt order as the body of Tandem's order request; pure."""

from typing import Any

from ccxt.base.errors import ArgumentsRequired, InvalidOrder

Json = dict[str, Any]


def order_request(
    exchange: Any, market: Json, kind: str, side: str, size: tuple[Any, Any], params: Json
) -> Json:
    """Write an order's body.

    Args:
        exchange: rounds as ccxt does: amounts down to the lot, prices to the nearest tick.
        market: ccxt's market.
        kind: ``limit`` or ``market``.
        side: ``buy`` or ``sell``.
        size: amount and price; the price may be None for a market order.
        params: ccxt's ``clientOrderId``, ``postOnly``, ``timeInForce`` (GTC, IOC, FOK, PO),
            ``triggerPrice``; all others are sent as they are, such as ``display_qty``.

    Raises:
        ArgumentsRequired: a limit order without a price.
        InvalidOrder: a combination that Tandem does not have.
    """
    amount, price = size
    rest = dict(params)
    trigger = _first(rest, "triggerPrice", "stopPrice")
    post_only = bool(rest.pop("postOnly", False))
    time_in_force = rest.pop("timeInForce", None)
    client_id = _first(rest, "clientOrderId", "client_order_id")
    chosen = order_type(exchange, kind, time_in_force, post_only=post_only, stop=trigger)
    body: Json = {
        "side": side,
        "order_type": chosen,
        "quantity": exchange.amount_to_precision(market["symbol"], amount),
    }
    if chosen not in ("market", "stop_market"):
        if price is None:
            raise ArgumentsRequired(f"{exchange.id} a {kind} order needs a price")
        body["price"] = exchange.price_to_precision(market["symbol"], price)
    if trigger is not None:
        body["stop_price"] = exchange.price_to_precision(market["symbol"], trigger)
    if client_id is not None:
        body["client_order_id"] = client_id
    return {**body, **rest}


def amendment(exchange: Any, market: Json, size: tuple[Any, Any]) -> Json:
    """Write what an order is to be changed to: its new total amount, its new price, or both."""
    amount, price = size
    body: Json = {}
    if amount is not None:
        body["quantity"] = exchange.amount_to_precision(market["symbol"], amount)
    if price is not None:
        body["price"] = exchange.price_to_precision(market["symbol"], price)
    return body


def order_type(
    exchange: Any, kind: str, time_in_force: str | None, *, post_only: bool, stop: Any
) -> str:
    """Name Tandem's order type for ccxt's type, time in force and flags.

    Raises:
        InvalidOrder: Tandem has no such order.
    """
    post_only = post_only or time_in_force == "PO"
    if kind not in ("limit", "market"):
        raise InvalidOrder(f'{exchange.id} type must be "limit" or "market", was {kind!r}')
    if time_in_force not in (None, "GTC", "GTD", "PO", "IOC", "FOK"):
        known = "GTC, GTD, IOC, FOK or PO"
        raise InvalidOrder(f"{exchange.id} timeInForce must be {known}, was {time_in_force!r}")
    immediate = time_in_force in ("IOC", "FOK")
    if stop is not None:
        if post_only or (immediate and kind == "limit"):
            raise InvalidOrder(
                f"{exchange.id} a stop order can be neither postOnly, IOC nor FOK: leave them out"
            )
        return f"stop_{kind}"
    if kind == "market":
        if post_only or time_in_force == "FOK":
            raise InvalidOrder(
                f"{exchange.id} a market order can be neither postOnly nor FOK: use a limit order"
            )
        return "market"
    if post_only and immediate:
        raise InvalidOrder(f"{exchange.id} postOnly and {time_in_force} exclude each other")
    if post_only:
        return "post_only"
    return time_in_force.lower() if immediate and time_in_force else "limit"


def _first(params: Json, *names: str) -> Any:
    """Take the first of these parameters that is given, and drop them all."""
    given = [params.pop(name, None) for name in names]
    return next((value for value in given if value is not None), None)
