"""Cancelling everything: the kill switch, and the dead man's switch that pulls it by itself."""

import asyncio
from typing import Any, Final

from event_trader.wire import orders as orders_wire
from event_trader.wire import system as wire
from event_trader.wire.failure import ErrorCode

from actors.engine.commands import CancelAll
from actors.engine.market_api import OrdersReply
from actors.engine.units import Mode, Reason, UserId
from gateway import trading
from gateway.codec import format_order_id, format_time
from gateway.endpoint import Access, Call, LimitKind, Route
from gateway.errors import ApiError, operating_error
from gateway.routes.orders import PREFIX


async def kill(call: Call) -> dict[str, Any]:
    """Cancel every open order of the user, on every pair, in every mode the account may use.

    Each pair answers for itself; if one cannot, the others are cancelled all the same and the
    answer is 503, so that the caller asks again.
    """
    modes: tuple[Mode, ...] = (Mode.PAPER, Mode.LIVE)
    if call.principal.user.simulation_mode:
        modes = (Mode.PAPER,)
    elif call.query.mode is not None or call.query.paper is not None:
        modes = (call.mode(),)
    return await cancel_everywhere(call, modes, Reason.KILL_SWITCH)


async def cancel_everywhere(call: Call, modes: tuple[Mode, ...], reason: Reason) -> dict[str, Any]:
    """Cancel everything a user has open on every pair the principal may trade.

    Raises:
        ApiError: 503 when a pair could not be reached; the others are cancelled.
    """
    allowed = call.principal.markets
    targets = [
        (symbol, mode)
        for symbol in call.services.specs
        for mode in modes
        if not allowed or symbol in allowed
    ]
    asked = [_cancel_on(call, symbol, mode, reason) for symbol, mode in targets]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    ids: list[str] = []
    failed: list[BaseException] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            failed.append(outcome)
        else:
            ids += outcome
    if failed:
        error = failed[0]
        shown = operating_error(error) if isinstance(error, Exception) else None
        raise shown or error
    return {"cancelled": len(ids), "order_ids": ids}


async def _cancel_on(call: Call, symbol: str, mode: Mode, reason: Reason) -> list[str]:
    user = UserId(call.principal.user.id)
    command = CancelAll(f"{call.command_id}/{symbol}", user, None, reason)
    reply = await trading.submit(call.services, symbol, mode, command)
    if not isinstance(reply, OrdersReply):
        raise trading.failure(call.services.specs[symbol], mode, reply, command.command_id)
    return [format_order_id(symbol, mode, order.order_no) for order in reply.orders]


async def arm(call: Call) -> dict[str, Any]:
    """Arm the switch, or set it anew."""
    timeout_ms = call.body.timeout_ms
    switch = call.services.deps.dead_mans_switch
    deadline_ms = await switch.arm(call.principal.user_id, timeout_ms)
    return _shown(timeout_ms, deadline_ms)


async def beat(call: Call) -> dict[str, Any]:
    """Say that the trader is alive: the time begins anew."""
    found = await call.services.deps.dead_mans_switch.beat(call.principal.user_id)
    if found is None:
        message = "The dead man's switch is not armed; arm it first."
        raise ApiError(409, ErrorCode.DEAD_MANS_SWITCH_INACTIVE, message)
    timeout_ms, deadline_ms = found
    return _shown(timeout_ms, deadline_ms)


async def disarm(call: Call) -> dict[str, Any]:
    """Disarm the switch; nothing happens if it was not armed."""
    await call.services.deps.dead_mans_switch.disarm(call.principal.user_id)
    return {"active": False, "timeout_ms": None, "expires_at": None}


def _shown(timeout_ms: int, deadline_ms: int) -> dict[str, Any]:
    return {
        "active": True,
        "timeout_ms": timeout_ms,
        "expires_at": format_time(deadline_ms * 1_000_000),
    }


_PATH: Final = f"{PREFIX}/dead-mans-switch"

ROUTES: Final = (
    Route(
        method="DELETE", path=f"{PREFIX}/orders/all", handler=kill, tag="orders",
        summary="Kill switch: cancel everything everywhere", access=Access.TRADE,
        limit=LimitKind.CANCELLING, query=orders_wire.ModeQuery,
        response=orders_wire.CancelAllResult,
    ),
    Route(
        method="POST", path=_PATH, handler=arm, tag="dead man's switch", summary="Arm the switch",
        access=Access.TRADE, limit=LimitKind.CANCELLING, body=wire.DeadMansSwitchRequest,
        body_optional=True, response=wire.DeadMansSwitch, idempotent=True,
    ),
    Route(
        method="POST", path=f"{_PATH}/heartbeat", handler=beat, tag="dead man's switch",
        summary="Say that you are alive", access=Access.TRADE, limit=LimitKind.CANCELLING,
        response=wire.DeadMansSwitch, idempotent=True,
        errors=(ErrorCode.DEAD_MANS_SWITCH_INACTIVE,),
    ),
    Route(
        method="DELETE", path=_PATH, handler=disarm, tag="dead man's switch",
        summary="Disarm the switch", access=Access.TRADE, limit=LimitKind.CANCELLING,
        response=wire.DeadMansSwitch,
    ),
)  # fmt: skip
