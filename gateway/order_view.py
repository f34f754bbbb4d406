"""Orders, TWAPs and scales as the contract shows them (`event_trader.wire.orders`), as plain dicts.

One shape wherever an order appears. Prices carry the places of the tick, sizes those of the lot,
amounts what they need; "none" is null, but "0" for a price that a request may leave at "0".
"""

from typing import Any, Final

from actors.engine.order import Fill, OrderState, ScaleState, TwapState
from actors.engine.pair_spec import PairSpec
from actors.engine.units import (
    Mode,
    OrderStatus,
    OrderType,
    Reason,
    Role,
    RouteMode,
    ScaleDistribution,
    Side,
    StpMode,
    TwapStatus,
)
from actors.journal.history import FillRow
from gateway.codec import (
    format_amount,
    format_order_id,
    format_price,
    format_ratio,
    format_scale_id,
    format_size,
    format_time,
    format_trade_id,
    format_twap_id,
)

SIDES: Final = {Side.BUY: "buy", Side.SELL: "sell"}
MODES: Final = {Mode.PAPER: "paper", Mode.LIVE: "live"}
TYPES: Final = {kind: kind.name.lower() for kind in OrderType}
STP_MODES: Final = {stp: stp.name.lower() for stp in StpMode}
ROUTES: Final = {route: route.name.lower() for route in RouteMode}
STATUSES: Final = {status: status.name.lower() for status in OrderStatus}
ROLES: Final = {Role.MAKER: "maker", Role.TAKER: "taker"}
TWAP_STATUSES: Final = {status: status.name.lower() for status in TwapStatus}
DISTRIBUTIONS: Final = {kind: kind.name.lower() for kind in ScaleDistribution}
_IMMEDIATE: Final = {OrderType.MARKET, OrderType.IOC, OrderType.STOP_MARKET}


def pair_name(spec: PairSpec) -> str:
    """Show a pair as ``VAIX/USDC``."""
    return f"{spec.base.symbol}/{spec.quote.symbol}"


def average_price(spec: PairSpec, filled_quote_raw: int, filled_lots: int) -> str | None:
    """Divide what was paid by what was got, to two places more than the tick; None before."""
    if not filled_lots:
        return None
    places = len(spec.tick_size.partition(".")[2]) + 2
    numerator = filled_quote_raw * 10**spec.base.decimals
    denominator = filled_lots * spec.base_raw_per_lot * 10**spec.quote.decimals
    return format_ratio(numerator, denominator, places)


def order(spec: PairSpec, mode: Mode, state: OrderState) -> dict[str, Any]:
    """Show an order."""
    order_id = format_order_id(spec.symbol, mode, state.order_no)
    fills = state.fills
    return {
        "id": order_id,
        "order_id": order_id,
        "client_order_id": state.client_order_id or None,
        "symbol": spec.symbol,
        "pair": pair_name(spec),
        "side": SIDES[state.side],
        "order_type": TYPES[state.order_type],
        "mode": MODES[mode],
        "price": format_price(spec, state.price_ticks) if state.price_ticks else "0",
        "stop_price": format_price(spec, state.stop_ticks) if state.stop_ticks else None,
        "quantity": format_size(spec, state.size_lots),
        "filled_quantity": format_size(spec, state.filled_lots),
        "remaining_quantity": format_size(spec, state.remaining_lots),
        "average_price": average_price(spec, state.filled_quote_raw, state.filled_lots),
        "status": STATUSES[state.status],
        "reason": state.reason.name if state.reason is not Reason.NONE else None,
        "stp_mode": STP_MODES[state.stp],
        "route_mode": ROUTES[state.route],
        "time_in_force": _time_in_force(state),
        "expire_at": format_time(state.expire_at_ns) if state.expire_at_ns else None,
        "display_qty": format_size(spec, state.display_lots) if state.display_lots else None,
        "parent_id": _parent(spec, mode, state.parent),
        "fee_total": format_amount(state.fee_raw, spec.quote.decimals),
        "fee_asset": spec.quote.symbol,
        "created_at": format_time(state.created_ns),
        "updated_at": format_time(state.updated_ns),
        "sequence": state.sequence,
        "settlement_status": _settlement(mode, state),
        "fills": [fill(spec, mode, state.side, item) for item in fills] if fills else [],
    }


def fill(spec: PairSpec, mode: Mode, side: Side, item: Fill) -> dict[str, Any]:
    """Show one execution of an order."""
    venue, chain = venue_of(spec, item.venue)
    return {
        "trade_id": format_trade_id(spec.symbol, mode, item.trade_no),
        "price": format_price(spec, item.price_ticks),
        "quantity": format_size(spec, item.size_lots),
        "side": SIDES[side],
        "role": ROLES[item.role],
        "venue": venue,
        "chain": chain,
        "fee": format_amount(item.fee_raw, spec.quote.decimals),
        "fee_asset": spec.quote.symbol,
        "timestamp": format_time(item.time_ns),
    }


def own_trade(spec: PairSpec, mode: Mode, row: FillRow) -> dict[str, Any]:
    """Show one execution as a line of the user's own trades."""
    return {
        "trade_id": format_trade_id(spec.symbol, mode, row.trade_no),
        "order_id": format_order_id(spec.symbol, mode, row.order_no),
        "price": format_price(spec, row.price_ticks),
        "quantity": format_size(spec, row.size_lots),
        "side": SIDES[row.side],
        "role": ROLES[row.role],
        "venue": venue_of(spec, row.venue)[0],
        "fee": format_amount(row.fee_raw, spec.quote.decimals),
        "fee_asset": spec.quote.symbol,
        "timestamp": format_time(row.time_ns),
    }


def twap(spec: PairSpec, mode: Mode, state: TwapState) -> dict[str, Any]:
    """Show a TWAP."""
    return {
        "twap_id": format_twap_id(spec.symbol, mode, state.twap_no),
        "symbol": spec.symbol,
        "mode": MODES[mode],
        "status": TWAP_STATUSES[state.status],
        "reason": state.reason.name if state.reason is not Reason.NONE else None,
        "side": SIDES[state.side],
        "quantity": format_size(spec, state.size_lots),
        "filled_quantity": format_size(spec, state.filled_lots),
        "average_price": average_price(spec, state.filled_quote_raw, state.filled_lots),
        "price_limit": format_price(spec, state.limit_ticks) if state.limit_ticks else "0",
        "slices_done": state.slices_done,
        "num_slices": state.num_slices,
        "next_slice_at": format_time(state.next_slice_ns) if state.next_slice_ns else None,
        "created_at": format_time(state.created_ns),
        "ends_at": format_time(state.ends_at_ns),
        "children": [format_order_id(spec.symbol, mode, number) for number in state.children],
    }


def scale(spec: PairSpec, mode: Mode, state: ScaleState) -> dict[str, Any]:
    """Show a scale as it was placed."""
    return {
        "scale_id": format_scale_id(spec.symbol, mode, state.scale_no),
        "symbol": spec.symbol,
        "mode": MODES[mode],
        "distribution": DISTRIBUTIONS[state.distribution],
        "orders": [order(spec, mode, item) for item in state.orders],
    }


def venue_of(spec: PairSpec, venue: str) -> tuple[str, str | None]:
    """Show where a fill happened: ``CLOB``, or ``AMM`` and the pool's chain."""
    if not venue:
        return "CLOB", None
    chains = (pool.chain for pool in spec.pools if pool.pool_id == venue)
    return "AMM", next(chains, venue.partition(":")[0])


def _time_in_force(state: OrderState) -> str:
    if state.order_type in _IMMEDIATE:
        return "ioc"
    if state.order_type is OrderType.FOK:
        return "fok"
    return "gtt" if state.expire_at_ns else "gtc"


def _parent(spec: PairSpec, mode: Mode, parent: str) -> str | None:
    kind, _, number = parent.partition("/")
    if kind == "twap":
        return format_twap_id(spec.symbol, mode, int(number))
    return format_scale_id(spec.symbol, mode, int(number)) if kind == "scale" else None


def _settlement(mode: Mode, state: OrderState) -> str:
    """Fills settle inside the exchange with the record that holds them; live pool legs wait."""
    if not state.filled_lots:
        return "none"
    if mode is Mode.LIVE and any(item.venue for item in state.fills):
        return "pending"
    return "settled"
