"""Many orders in one request: each stands alone, and each gets its own result."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from event_trader.wire import orders as wire

from actors.engine.commands import CancelOrder
from actors.engine.market_api import OrderReply
from actors.engine.units import OrderNo
from gateway import order_view, trading
from gateway.body import validate
from gateway.endpoint import Access, Call, LimitKind, Route
from gateway.errors import ApiError, operating_error, order_not_found
from gateway.routes.orders import PREFIX

Result = dict[str, Any]


async def place(call: Call) -> Result:
    """Place up to ten orders; a bad one does not stop the others."""
    return await _each([_place_one(call, at, item) for at, item in enumerate(call.body.orders)])


async def cancel(call: Call) -> Result:
    """Cancel up to fifty orders."""
    return await _each([_cancel_one(call, at, text) for at, text in enumerate(call.body.order_ids)])


async def amend(call: Call) -> Result:
    """Amend up to fifty orders."""
    return await _each([_amend_one(call, at, item) for at, item in enumerate(call.body.orders)])


async def _place_one(call: Call, at: int, item: object) -> Result:
    asked = validate(wire.PlaceOrderRequest, item, ("body", "orders", at))
    mode = trading.placing_mode(call.spec, call.principal.mode(asked.mode, asked.paper))
    command = trading.place_order(call.spec, asked, call.principal, f"{call.command_id}/{at}")
    reply = await trading.ask(call, mode, command, OrderReply)
    return order_view.order(call.spec, mode, reply.order)


async def _cancel_one(call: Call, at: int, text: str) -> Result:
    found = trading.order_id_of(call, text)
    command_id = f"{call.command_id}/{at}"
    command = CancelOrder(command_id, call.principal.user_id, OrderNo(found.number))
    reply = await trading.ask(call, found.mode, command, OrderReply)
    return order_view.order(call.spec, found.mode, reply.order)


async def _amend_one(call: Call, at: int, item: object) -> Result:
    asked = validate(wire.AmendItem, item, ("body", "orders", at))
    found = trading.order_id_of(call, asked.order_id)
    if found.symbol != call.spec.symbol:
        raise order_not_found()
    user = call.principal.user_id
    command_id = f"{call.command_id}/{at}"
    command = trading.amend_order(call.spec, asked, user, found.number, command_id)
    reply = await trading.ask(call, found.mode, command, OrderReply)
    return order_view.order(call.spec, found.mode, reply.order)


async def _each(items: list[Awaitable[Result]]) -> Result:
    """Run all at once (they travel in one batch) and gather what became of each."""
    outcomes = await asyncio.gather(*items, return_exceptions=True)
    results = [_result(at, outcome) for at, outcome in enumerate(outcomes)]
    failed = sum(1 for result in results if result["error"] is not None)
    return {
        "total": len(results),
        "successful": len(results) - failed,
        "failed": failed,
        "results": results,
    }


def _result(at: int, outcome: "Result | BaseException") -> Result:
    if isinstance(outcome, dict):
        return {"index": at, "order_id": outcome["order_id"], "order": outcome, "error": None}
    error: ApiError | None = None
    if isinstance(outcome, ApiError):
        error = outcome
    elif isinstance(outcome, Exception):
        error = operating_error(outcome)
    if error is None:
        raise outcome
    return {"index": at, "order_id": None, "order": None, "error": error.info()}


def _orders_in(body: wire.BatchPlaceRequest) -> int:
    return len(body.orders)


_PATH: Final = f"{PREFIX}/{{symbol}}/orders/batch"

ROUTES: Final = (
    Route(
        method="POST", path=_PATH, handler=place, tag="orders",
        summary="Place up to ten orders", access=Access.TRADE, limit=LimitKind.PLACING,
        body=wire.BatchPlaceRequest, body_list="orders", body_item=wire.PlaceOrderRequest,
        response=wire.BatchResult, idempotent=True, cost=_orders_in,
    ),
    Route(
        method="DELETE", path=_PATH, handler=cancel, tag="orders",
        summary="Cancel up to fifty orders", access=Access.TRADE, limit=LimitKind.CANCELLING,
        body=wire.BatchCancelRequest, body_list="order_ids", response=wire.BatchResult,
    ),
    Route(
        method="PATCH", path=_PATH, handler=amend, tag="orders",
        summary="Amend up to fifty orders", access=Access.TRADE, body=wire.BatchAmendRequest,
        body_list="orders", body_item=wire.AmendItem, response=wire.BatchResult,
    ),
)  # fmt: skip
