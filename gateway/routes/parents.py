"""Orders that make orders: TWAPs over time, scales over prices."""

from typing import Any, Final

from event_trader.wire import orders as wire
from event_trader.wire.failure import ErrorCode

from actors.engine.commands import CancelTwap
from actors.engine.market_api import ScaleReply, TwapReply, TwapsQuery, TwapsReply
from actors.engine.units import Mode
from gateway import order_view, trading
from gateway.codec import parse_market_id
from gateway.endpoint import Access, Call, LimitKind, Route
from gateway.errors import twap_not_found
from gateway.routes.orders import PLACING_ERRORS, PREFIX


async def place_twap(call: Call) -> dict[str, Any]:
    """Start a TWAP."""
    mode = trading.placing_mode(call.spec, call.mode())
    command = trading.place_twap(call.spec, call.body, call.principal, call.command_id)
    reply = await trading.ask(call, mode, command, TwapReply)
    return order_view.twap(call.spec, mode, reply.twap)


async def cancel_twap(call: Call) -> dict[str, Any]:
    """End a TWAP; its resting child goes too."""
    found = parse_market_id("twap", call.request.match_info["twap_id"])
    if found is None or found.symbol != call.spec.symbol:
        raise twap_not_found()
    if found.mode is Mode.LIVE and call.principal.user.simulation_mode:
        raise twap_not_found()
    command = CancelTwap(call.command_id, call.principal.user_id, found.number)
    reply = await trading.ask(call, found.mode, command, TwapReply)
    return order_view.twap(call.spec, found.mode, reply.twap)


async def list_twaps(call: Call) -> dict[str, Any]:
    """List the active TWAPs with their progress."""
    mode = call.mode()
    reply = await trading.ask(call, mode, TwapsQuery(call.principal.user_id), TwapsReply)
    return {"twaps": [order_view.twap(call.spec, mode, twap) for twap in reply.twaps]}


async def place_scale(call: Call) -> dict[str, Any]:
    """Place a scale: all of its orders or none."""
    mode = trading.placing_mode(call.spec, call.mode())
    command = trading.place_scale(call.spec, call.body, call.principal, call.command_id)
    reply = await trading.ask(call, mode, command, ScaleReply)
    return order_view.scale(call.spec, mode, reply.scale)


ROUTES: Final = (
    Route(
        method="POST", path=f"{PREFIX}/{{symbol}}/twap", handler=place_twap, tag="twap and scale",
        summary="Start a TWAP", access=Access.TRADE, limit=LimitKind.PLACING,
        body=wire.PlaceTwapRequest, response=wire.Twap, idempotent=True,
        errors=(*PLACING_ERRORS, ErrorCode.INVALID_SLICES),
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/twap", handler=list_twaps, tag="twap and scale",
        summary="Active TWAPs", access=Access.READ, query=wire.ModeQuery, response=wire.TwapList,
    ),
    Route(
        method="DELETE", path=f"{PREFIX}/{{symbol}}/twap/{{twap_id}}", handler=cancel_twap,
        tag="twap and scale", summary="End a TWAP", access=Access.TRADE,
        limit=LimitKind.CANCELLING, query=wire.ModeQuery, response=wire.Twap,
        errors=(ErrorCode.TWAP_NOT_FOUND, ErrorCode.TWAP_CLOSED),
    ),
    Route(
        method="POST", path=f"{PREFIX}/{{symbol}}/scale", handler=place_scale,
        tag="twap and scale", summary="Place a scale", access=Access.TRADE,
        limit=LimitKind.PLACING, body=wire.PlaceScaleRequest, response=wire.Scale,
        idempotent=True, errors=(*PLACING_ERRORS, ErrorCode.INVALID_PRICE_RANGE),
    ),
)  # fmt: skip
