"""Which market an order, or a call without a symbol, is of."""

from typing import Any

from ccxt.base.errors import ArgumentsRequired

from tandem_ccxt.market_methods import Params
from tandem_ccxt.unified import Steps, call


def markets_of(exchange: Any, symbol: str | None) -> Steps:
    """Give the market that is asked for, or every one."""
    yield call("load_markets")
    return list(exchange.markets.values()) if symbol is None else [exchange.market(symbol)]


def about_order(
    exchange: Any, path: str, order_id: str, symbol: str | None, params: Params
) -> Steps:
    """Call a path of one order, in the market that ``symbol`` or its id says; give the order."""
    yield call("load_markets")
    market = exchange.market(symbol or symbol_in(exchange, order_id))
    answer = yield call(path, {"symbol": market["id"], "order_id": order_id, **(params or {})})
    return exchange.parse_order(answer, market)


def symbol_in(exchange: Any, order_id: str) -> str:
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
