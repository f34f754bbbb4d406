"""Single orders: place, cancel, amend, look at; open ones, history, own trades."""

from typing import Any, Final

from event_trader.wire import orders as wire
from event_trader.wire.failure import ErrorCode

from actors.engine.commands import CancelAll, CancelOrder
from actors.engine.market_api import OpenOrdersQuery, OrderQuery, OrderReply, OrdersReply
from actors.engine.order import OrderState
from actors.engine.units import Mode, OrderNo, UserId
from actors.journal.redis import key as journal_key
from actors.journal.redis import unpack_head
from actors.listing import market_name
from gateway import order_view, trading
from gateway.codec import MarketId
from gateway.endpoint import Access, Call, LimitKind, Route
from gateway.errors import order_not_found

PREFIX: Final = "/api/v1/exchange"
HISTORY_WAIT_S: Final = 2.0


async def place(call: Call) -> dict[str, Any]:
    """Place one order."""
    mode = trading.placing_mode(call.spec, call.mode())
    command = trading.place_order(call.spec, call.body, call.principal, call.command_id)
    reply = await trading.ask(call, mode, command, OrderReply)
    return order_view.order(call.spec, mode, reply.order)


async def cancel(call: Call) -> dict[str, Any]:
    """Cancel one order."""
    found = trading.order_id_of(call, call.request.match_info["order_id"])
    _check_mode(call, found.mode)
    command = CancelOrder(call.command_id, call.principal.user_id, OrderNo(found.number))
    reply = await trading.ask(call, found.mode, command, OrderReply)
    return order_view.order(call.spec, found.mode, reply.order)


async def amend(call: Call) -> dict[str, Any]:
    """Change an open order's price or total quantity in one step."""
    found = trading.order_id_of(call, call.request.match_info["order_id"])
    _find_pair(call, found)
    user = call.principal.user_id
    command = trading.amend_order(call.spec, call.body, user, found.number, call.command_id)
    reply = await trading.ask(call, found.mode, command, OrderReply)
    return order_view.order(call.spec, found.mode, reply.order)


async def show(call: Call) -> dict[str, Any]:
    """Show one order with its fills, however long it has been closed."""
    found = trading.order_id_of(call, call.request.match_info["order_id"])
    _check_mode(call, found.mode)
    user = call.principal.user_id
    query = OrderQuery(user, OrderNo(found.number))
    reply = await trading.submit(call.services, call.spec.symbol, found.mode, query)
    if isinstance(reply, OrderReply):
        return order_view.order(call.spec, found.mode, reply.order)
    refusal = trading.failure(call.spec, found.mode, reply, "")
    if refusal.code is not ErrorCode.ORDER_NOT_FOUND:
        raise refusal
    history = call.services.deps.history
    await _caught_up(call, found.mode)
    number = OrderNo(found.number)
    closed = await history.order(user, call.spec.symbol, found.mode, number)
    if closed is None:
        raise order_not_found()
    return order_view.order(call.spec, found.mode, closed)


async def list_open(call: Call) -> dict[str, Any]:
    """List the open orders."""
    mode = call.mode()
    query = OpenOrdersQuery(call.principal.user_id)
    reply = await trading.ask(call, mode, query, OrdersReply)
    return {"orders": [order_view.order(call.spec, mode, order) for order in reply.orders]}


async def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel all open orders on a pair, or those of one side."""
    mode = call.mode()
    side = None if call.query.side is None else trading.SIDE[call.query.side]
    command = CancelAll(call.command_id, call.principal.user_id, side)
    reply = await trading.ask(call, mode, command, OrdersReply)
    ids = [order_view.order(call.spec, mode, order)["order_id"] for order in reply.orders]
    return {"cancelled": len(ids), "order_ids": ids}


async def history(call: Call) -> dict[str, Any]:
    """Show closed orders, newest first; whatever a reply has shown closed is among them."""
    mode, query = call.mode(), call.query
    states, total = await _closed(call, mode, query.limit, query.offset)
    return {
        "orders": [order_view.order(call.spec, mode, state) for state in states],
        "total": total,
        "limit": query.limit,
        "offset": query.offset,
        "has_more": query.offset + len(states) < total,
    }


async def own_trades(call: Call) -> dict[str, Any]:
    """Show the user's own trades, newest first."""
    mode = call.mode()
    await _caught_up(call, mode)
    reader, user = call.services.deps.history, call.principal.user_id
    rows = await reader.fills(user, call.spec.symbol, mode, limit=call.query.limit)
    return {"trades": [order_view.own_trade(call.spec, mode, row) for row in rows]}


async def _closed(call: Call, mode: Mode, limit: int, offset: int) -> tuple[list[OrderState], int]:
    await _caught_up(call, mode)
    user = UserId(call.principal.user.id)
    history = call.services.deps.history
    return await history.orders(user, call.spec.symbol, mode, limit=limit, offset=offset)


async def _caught_up(call: Call, mode: Mode) -> None:
    """Wait for the history to hold everything that is in the journal now.

    What any reply has shown is in the journal, so a reader always finds it; a history writer that
    is down delays a read by `HISTORY_WAIT_S`, not for ever.
    """
    deps = call.services.deps
    stream = market_name(call.spec.symbol, mode)
    client: Any = deps.redis
    head: bytes | None = await client.get(journal_key(stream, "head"))
    number = unpack_head(stream, head).number
    await deps.history.wait_for(stream, number, HISTORY_WAIT_S)


def _check_mode(call: Call, mode: Mode) -> None:
    """Refuse an order of the other mode, where the request names one."""
    query = call.query
    if (query.mode is not None or query.paper is not None) and call.mode() is not mode:
        raise order_not_found()


def _find_pair(call: Call, found: MarketId) -> None:
    """Set the pair that an order's id names, on routes whose path has none."""
    if call.spec is None:
        spec = call.services.specs.get(found.symbol)
        if spec is None:
            raise order_not_found()
        call.principal.check_market(spec.symbol)
        call.spec = spec


PLACING_ERRORS: Final = (
    ErrorCode.PRICE_OFF_TICK,
    ErrorCode.QUANTITY_OFF_LOT,
    ErrorCode.MARKET_HALTED,
    ErrorCode.INVALID_QUANTITY,
    ErrorCode.QUANTITY_TOO_SMALL,
    ErrorCode.QUANTITY_TOO_LARGE,
    ErrorCode.INVALID_PRICE,
    ErrorCode.PRICE_REQUIRED,
    ErrorCode.STOP_PRICE_REQUIRED,
    ErrorCode.INVALID_STOP_PRICE,
    ErrorCode.INVALID_DISPLAY_QTY,
    ErrorCode.INVALID_EXPIRY,
    ErrorCode.LIVE_NOT_ENABLED,
    ErrorCode.INVALID_COMBINATION,
    ErrorCode.TOO_MANY_OPEN_ORDERS,
    ErrorCode.INSUFFICIENT_FUNDS,
    ErrorCode.WOULD_TAKE,
    ErrorCode.WOULD_NOT_FILL,
    ErrorCode.STOP_WOULD_TRIGGER,
    ErrorCode.NO_REFERENCE_PRICE,
)
AMEND_ERRORS: Final = (
    ErrorCode.ORDER_NOT_FOUND,
    ErrorCode.ORDER_CLOSED,
    ErrorCode.NOTHING_TO_AMEND,
    ErrorCode.NOT_AMENDABLE,
    *PLACING_ERRORS,
)

FIRST: Final = (
    Route(
        method="POST", path=f"{PREFIX}/{{symbol}}/orders", handler=place, tag="orders",
        summary="Place an order", access=Access.TRADE, limit=LimitKind.PLACING,
        body=wire.PlaceOrderRequest, response=wire.Order, idempotent=True, errors=PLACING_ERRORS,
    ),
)  # fmt: skip

ROUTES: Final = (
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/orders/history", handler=history, tag="orders",
        summary="Closed orders, newest first", access=Access.READ, query=wire.HistoryQuery,
        response=wire.OrderHistory,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/orders/open", handler=list_open, tag="orders",
        summary="Open orders", access=Access.READ, query=wire.ModeQuery, response=wire.OrderList,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/orders/{{order_id}}", handler=show, tag="orders",
        summary="One order with its fills", access=Access.READ, query=wire.ModeQuery,
        response=wire.Order, errors=(ErrorCode.ORDER_NOT_FOUND,),
    ),
    Route(
        method="DELETE", path=f"{PREFIX}/{{symbol}}/orders/{{order_id}}", handler=cancel,
        tag="orders", summary="Cancel an order", access=Access.TRADE, limit=LimitKind.CANCELLING,
        query=wire.ModeQuery, response=wire.Order,
        errors=(ErrorCode.ORDER_NOT_FOUND, ErrorCode.ORDER_CLOSED),
    ),
    Route(
        method="PATCH", path=f"{PREFIX}/{{symbol}}/orders/{{order_id}}", handler=amend,
        tag="orders", summary="Amend an order", access=Access.TRADE, body=wire.AmendOrderRequest,
        query=wire.ModeQuery, response=wire.Order, errors=AMEND_ERRORS,
    ),
    Route(
        method="PATCH", path="/api/v1/clob/orders/{order_id}", handler=amend, tag="orders",
        summary="Amend an order, by its id alone", access=Access.TRADE,
        body=wire.AmendOrderRequest, query=wire.ModeQuery, response=wire.Order,
        errors=AMEND_ERRORS,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/orders", handler=list_open, tag="orders",
        summary="Open orders", access=Access.READ, query=wire.ModeQuery, response=wire.OrderList,
    ),
    Route(
        method="DELETE", path=f"{PREFIX}/{{symbol}}/orders", handler=cancel_all, tag="orders",
        summary="Cancel all orders on a pair", access=Access.TRADE, limit=LimitKind.CANCELLING,
        query=wire.CancelAllQuery, response=wire.CancelAllResult,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/trades/mine", handler=own_trades, tag="orders",
        summary="Own trades, newest first", access=Access.READ, query=wire.OwnTradesQuery,
        response=wire.OwnTrades,
    ),
)  # fmt: skip
