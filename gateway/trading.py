"""From a checked request to a pair's command, and from its reply to what is shown.

The one way the routes reach a pair: `ask` measures it and turns what is not success into an
`ApiError`. What the wire's words mean in the engine's is here too.
"""

import time
from typing import Final, TypeVar

import msgspec
from event_trader.wire import orders as wire
from event_trader.wire.failure import ErrorCode

from actors.engine.commands import AmendOrder, Command, PlaceOrder, PlaceScale, PlaceTwap
from actors.engine.market_api import AnyReply, Query, RefusedReply
from actors.engine.pair_spec import PairSpec
from actors.engine.units import (
    Mode,
    OrderNo,
    OrderType,
    Reason,
    RouteMode,
    ScaleDistribution,
    Side,
    StpMode,
    UserId,
)
from actors.errors import UnavailableError
from gateway import order_view
from gateway.auth import Principal
from gateway.codec import (
    MarketId,
    format_amount,
    in_decimals,
    parse_market_id,
    read_percent_ppm,
    read_price,
    read_size,
)
from gateway.endpoint import Call
from gateway.errors import ApiError, order_not_found, refused, reply_error
from gateway.services import Services

SIDE: Final = {"buy": Side.BUY, "sell": Side.SELL}
TYPE: Final = {kind.name.lower(): kind for kind in OrderType}
STP: Final = {
    **{stp.name.lower(): stp for stp in StpMode},
    "cancel_taker": StpMode.CANCEL_INCOMING,
}
ROUTE: Final = {route.name.lower(): route for route in RouteMode}
DISTRIBUTION: Final = {kind.name.lower(): kind for kind in ScaleDistribution}
_UNPRICED: Final = frozenset(("market", "stop_market"))
_STOPS: Final = frozenset(("stop_limit", "stop_market"))
_NS_PER_US: Final = 1_000
_MS_PER_MINUTE: Final = 60_000

_Spending = PlaceOrder | PlaceTwap | PlaceScale
"""What says which asset it spends; an amendment's side is its order's."""
Expected = TypeVar("Expected")


async def submit(services: Services, symbol: str, mode: Mode, asked: Command | Query) -> AnyReply:
    """Send one command or query to a pair, and note how long it took."""
    started = time.perf_counter()
    reply = await services.deps.pairs[symbol].submit(mode, asked)
    services.metrics.pair_latency(symbol, time.perf_counter() - started)
    return reply


async def ask(call: Call, mode: Mode, asked: Command | Query, expected: type[Expected]) -> Expected:
    """Ask the call's pair, and insist on the kind of reply that means success.

    Raises:
        ApiError: the refusal, or 503.
    """
    reply = await submit(call.services, call.spec.symbol, mode, asked)
    if isinstance(reply, expected):
        return reply
    error = failure(call.spec, mode, reply, getattr(asked, "command_id", ""))
    if error.code is ErrorCode.INSUFFICIENT_FUNDS and isinstance(asked, _Spending):
        error = await _with_funds(call, mode, asked, error)
    raise error


async def _with_funds(call: Call, mode: Mode, asked: _Spending, error: ApiError) -> ApiError:
    """Say beside a refusal for lack of funds what there was just after it."""
    asset = call.spec.quote if asked.side is Side.BUY else call.spec.base
    try:
        found = await call.services.deps.accounts.balances(asked.user)
    except UnavailableError:
        return error
    place = (asset.symbol, mode)
    raw = sum(one.available_raw for one in found if (one.asset, one.mode) == place)
    available = format_amount(raw, asset.decimals)
    message = f"{error.message}: {available} {asset.symbol} available"
    details = {**error.details, "asset": asset.symbol, "available": available}
    return ApiError(error.status, error.code, message, details)


def failure(spec: PairSpec, mode: Mode, reply: AnyReply, command_id: str) -> ApiError:
    """Show a reply that is not success; ORDER_CLOSED carries the order's final state."""
    if isinstance(reply, RefusedReply):
        reply = msgspec.structs.replace(reply, message=in_decimals(spec, reply.message))
    if isinstance(reply, RefusedReply) and reply.order is not None:
        shown = order_view.order(spec, mode, reply.order)
        if reply.reason is Reason.ORDER_CLOSED:
            return refused(reply.reason, reply.message, {"order": shown})
        if reply.order.order_no:
            return refused(reply.reason, reply.message, {"order_id": shown["order_id"]})
    return reply_error(reply, command_id)


def placing_mode(spec: PairSpec, mode: Mode) -> Mode:
    """Let a placing request through only where its mode is enabled.

    Raises:
        ApiError: 409 LIVE_NOT_ENABLED.
    """
    if mode is Mode.LIVE and not spec.live_enabled:
        message = f"Live trading of {spec.symbol} is not enabled; paper is."
        raise ApiError(409, ErrorCode.LIVE_NOT_ENABLED, message)
    return mode


def order_id_of(call: Call, text: str) -> MarketId:
    """Take an order's id apart and check that it may belong to the call's pair and mode.

    Raises:
        ApiError: 404 ORDER_NOT_FOUND for anything else.
    """
    found = parse_market_id("ord", text)
    if found is None or (call.spec is not None and found.symbol != call.spec.symbol):
        raise order_not_found()
    if found.mode is Mode.LIVE and call.principal.user.simulation_mode:
        raise order_not_found()
    return found


def place_order(
    spec: PairSpec, asked: wire.PlaceOrderRequest, principal: Principal, command_id: str
) -> PlaceOrder:
    """Make the command of an order.

    Raises:
        ApiError: off tick, off lot, too large, or a price that is missing.
    """
    kind = asked.order_type
    price_ticks = 0 if kind in _UNPRICED else read_price(spec, asked.price)
    stop_ticks = 0
    if asked.stop_price is not None and kind in _STOPS:
        stop_ticks = read_price(spec, asked.stop_price, "stop_price")
    display_lots = 0
    if asked.display_qty is not None:
        display_lots = read_size(spec, asked.display_qty, "display_qty")
    tier = principal.tier
    return PlaceOrder(
        command_id=command_id,
        user=UserId(principal.user.id),
        side=SIDE[asked.side],
        order_type=TYPE[kind],
        size_lots=read_size(spec, asked.quantity),
        price_ticks=price_ticks,
        stop_ticks=stop_ticks,
        display_lots=display_lots,
        stp=STP[asked.stp_mode],
        route=ROUTE[asked.route_mode],
        expire_at_ns=(asked.expire_at or 0) * _NS_PER_US,
        time_in_force_ms=asked.time_in_force_ms or 0,
        client_order_id=asked.client_order_id or "",
        maker_fee_ppm=tier.maker_fee_ppm,
        taker_fee_ppm=tier.taker_fee_ppm,
        open_orders_max=tier.open_orders_max,
    )


def amend_order(
    spec: PairSpec, asked: wire.AmendOrderRequest, user: UserId, number: int, command_id: str
) -> AmendOrder:
    """Make the command of an amendment.

    Raises:
        ApiError: nothing to change, off tick, off lot.
    """
    if asked.price is None and asked.quantity is None:
        raise ApiError(400, ErrorCode.NOTHING_TO_AMEND, "Give a new price, quantity, or both.")
    price_ticks = 0
    if asked.price is not None:
        price_ticks = read_price(spec, asked.price)
        if not price_ticks:
            raise ApiError(400, ErrorCode.INVALID_PRICE, "price must be above zero.")
    size_lots = 0 if asked.quantity is None else read_size(spec, asked.quantity)
    return AmendOrder(command_id, user, OrderNo(number), price_ticks, size_lots)


def place_twap(
    spec: PairSpec, asked: wire.PlaceTwapRequest, principal: Principal, command_id: str
) -> PlaceTwap:
    """Make the command of a TWAP."""
    slippage = asked.max_slippage_pct
    return PlaceTwap(
        command_id=command_id,
        user=UserId(principal.user.id),
        side=SIDE[asked.side],
        size_lots=read_size(spec, asked.quantity),
        duration_ms=asked.duration_minutes * _MS_PER_MINUTE,
        num_slices=asked.num_slices,
        limit_ticks=read_price(spec, asked.price_limit, "price_limit"),
        randomize=asked.randomize,
        max_slippage_ppm=(
            0 if slippage is None else read_percent_ppm(slippage, "max_slippage_pct")
        ),
        maker_fee_ppm=principal.tier.maker_fee_ppm,
        taker_fee_ppm=principal.tier.taker_fee_ppm,
        open_orders_max=principal.tier.open_orders_max,
    )


def place_scale(
    spec: PairSpec, asked: wire.PlaceScaleRequest, principal: Principal, command_id: str
) -> PlaceScale:
    """Make the command of a scale."""
    low = asked.price_low if asked.price_low is not None else asked.min_price
    high = asked.price_high if asked.price_high is not None else asked.max_price
    return PlaceScale(
        command_id=command_id,
        user=UserId(principal.user.id),
        side=SIDE[asked.side],
        size_lots=read_size(spec, asked.quantity),
        low_ticks=read_price(spec, low or "0", "price_low"),
        high_ticks=read_price(spec, high or "0", "price_high"),
        num_orders=asked.num_orders,
        distribution=DISTRIBUTION[asked.distribution],
        maker_fee_ppm=principal.tier.maker_fee_ppm,
        taker_fee_ppm=principal.tier.taker_fee_ppm,
        open_orders_max=principal.tier.open_orders_max,
    )
