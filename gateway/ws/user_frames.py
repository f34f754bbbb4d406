"""A user's own frames, made from journal records: live ones and replayed ones by the same code.

So a replay after a reconnect gives byte for byte what the stream would have given. Pure: a record
in, (user, frame) out, in the order things happened.
"""

from collections.abc import Callable, Container, Iterator
from typing import Any, NamedTuple

from actors.engine.events import (
    AnyEvent,
    CommandRejected,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderRested,
    OrderTriggered,
    Traded,
)
from actors.engine.ledger_commands import BalanceChanged
from actors.engine.order import OrderState
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.units import Mode, OrderNo, OrderStatus, Reason, Role, Side, UserId
from actors.journal.market_record import MarketRecord
from gateway.codec import (
    format_amount,
    format_order_id,
    format_price,
    format_size,
    format_time,
    format_trade_id,
)
from gateway.frames import encode
from gateway.order_view import MODES, ROLES, SIDES, STATUSES, average_price, venue_of


class Place(NamedTuple):
    """Where and when something happened: the market, the record, and its time."""

    spec: PairSpec
    mode: Mode
    number: int
    time_ns: int


class Standing(NamedTuple):
    """How an order stands, as far as an `order_update` says it."""

    order_no: OrderNo
    status: OrderStatus
    filled_lots: int
    remaining_lots: int
    filled_quote_raw: int
    reason: Reason = Reason.NONE


def of_record(
    place: Place, record: MarketRecord, wanted: Container[UserId]
) -> Iterator[tuple[UserId, bytes]]:
    """Give the frames that a market's record means for the users in ``wanted``."""
    for step in record.steps:
        for event in step.events:
            make = _MAKERS.get(type(event))
            if make is not None:
                yield from make(place, event, wanted)


def balance(
    shard: int, number: int, time_ns: int, asset: AssetSpec, event: BalanceChanged
) -> bytes:
    """Encode a `balance_update`; ``sequence`` is the account shard's record."""
    return encode(
        {
            "type": "balance_update",
            "asset": asset.symbol,
            "mode": MODES[event.mode],
            "available": format_amount(event.available_raw, asset.decimals),
            "locked": format_amount(event.held_raw, asset.decimals),
            "total": format_amount(event.available_raw + event.held_raw, asset.decimals),
            "shard": shard,
            "sequence": number,
            "timestamp": format_time(time_ns),
        }
    )


def settled(place: Place, order_no: OrderNo) -> bytes:
    """Encode a `settlement_update`: an order's fills have reached the balances."""
    spec = place.spec
    return encode(
        {
            "type": "settlement_update",
            "order_id": format_order_id(spec.symbol, place.mode, order_no),
            "symbol": spec.symbol,
            "mode": MODES[place.mode],
            "settlement_status": "settled",
            "tx_hash": None,
            "chain": None,
            "sequence": place.number,
            "timestamp": format_time(place.time_ns),
        }
    )


def order_update(place: Place, standing: Standing) -> bytes:
    """Encode an `order_update`."""
    spec = place.spec
    filled = standing.filled_lots
    return encode(
        {
            "type": "order_update",
            "order_id": format_order_id(spec.symbol, place.mode, standing.order_no),
            "symbol": spec.symbol,
            "mode": MODES[place.mode],
            "status": STATUSES[standing.status],
            "filled_quantity": format_size(spec, filled),
            "remaining_quantity": format_size(spec, standing.remaining_lots),
            "average_price": average_price(spec, standing.filled_quote_raw, filled),
            "reason": standing.reason.name if standing.reason else None,
            "sequence": place.number,
            "timestamp": format_time(place.time_ns),
        }
    )


_Made = Iterator[tuple[UserId, bytes]]


def _accepted(place: Place, event: OrderAccepted, wanted: Container[UserId]) -> _Made:
    if event.user in wanted:
        standing = Standing(event.order_no, event.status, 0, event.size_lots, 0)
        yield event.user, order_update(place, standing)


def _working(place: Place, event: OrderRested | OrderAmended, wanted: Container[UserId]) -> _Made:
    if event.user in wanted:
        filled, remaining = event.filled_lots, event.remaining_lots
        status = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
        standing = Standing(event.order_no, status, filled, remaining, event.filled_quote_raw)
        yield event.user, order_update(place, standing)


def _triggered(place: Place, event: OrderTriggered, wanted: Container[UserId]) -> _Made:
    if event.user in wanted:
        standing = Standing(event.order_no, OrderStatus.OPEN, 0, event.remaining_lots, 0)
        yield event.user, order_update(place, standing)


def _closed(place: Place, event: OrderClosed, wanted: Container[UserId]) -> _Made:
    yield from _whole(place, event.order, wanted)


def _rejected(place: Place, event: CommandRejected, wanted: Container[UserId]) -> _Made:
    if event.order is not None:
        yield from _whole(place, event.order, wanted)


def _whole(place: Place, order: OrderState, wanted: Container[UserId]) -> _Made:
    if order.user in wanted:
        yield (
            order.user,
            order_update(
                place,
                Standing(
                    order.order_no,
                    order.status,
                    order.filled_lots,
                    order.remaining_lots,
                    order.filled_quote_raw,
                    order.reason,
                ),
            ),
        )


def _traded(place: Place, event: Traded, wanted: Container[UserId]) -> _Made:
    if event.taker_user in wanted and event.taker_no:
        yield event.taker_user, _fill(place, event, Role.TAKER)
    if event.maker_user in wanted and event.maker_no:
        yield event.maker_user, _fill(place, event, Role.MAKER)
        if event.maker_remaining_lots:
            standing = Standing(
                event.maker_no,
                OrderStatus.PARTIALLY_FILLED,
                event.maker_filled_lots,
                event.maker_remaining_lots,
                event.maker_filled_quote_raw,
            )
            yield event.maker_user, order_update(place, standing)


def _fill(place: Place, event: Traded, role: Role) -> bytes:
    spec = place.spec
    taker = role is Role.TAKER
    side: Side = event.side if taker else event.side.opposite
    venue, chain = venue_of(spec, event.venue)
    fee_raw = event.taker_fee_raw if taker else event.maker_fee_raw
    order_no = event.taker_no if taker else event.maker_no
    return encode(
        {
            "type": "fill",
            "trade_id": format_trade_id(spec.symbol, place.mode, event.trade_no),
            "order_id": format_order_id(spec.symbol, place.mode, order_no),
            "symbol": spec.symbol,
            "mode": MODES[place.mode],
            "price": format_price(spec, event.price_ticks),
            "quantity": format_size(spec, event.size_lots),
            "side": SIDES[side],
            "role": ROLES[role],
            "venue": venue,
            "chain": chain,
            "fee": format_amount(fee_raw, spec.quote.decimals),
            "fee_asset": spec.quote.symbol,
            "timestamp": format_time(place.time_ns),
            "sequence": place.number,
        }
    )


_MAKERS: dict[type[AnyEvent], Callable[[Place, Any, Container[UserId]], _Made]] = {
    OrderAccepted: _accepted,
    OrderRested: _working,
    OrderTriggered: _triggered,
    OrderAmended: _working,
    OrderClosed: _closed,
    CommandRejected: _rejected,
    Traded: _traded,
}
