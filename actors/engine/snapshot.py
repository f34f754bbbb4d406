"""A market's whole state as bytes, and back.

The bytes are canonical: equal states give equal bytes, whichever way they came about, so their
digest is the state hash. Fields are only ever appended, with a default; a change that cannot be
made so raises `VERSION`.
"""

import hashlib
from typing import Any, Final

import msgspec

from actors.engine.candles import Candles
from actors.engine.command_log import CommandLog
from actors.engine.level import Order
from actors.engine.market_state import MarketState
from actors.engine.order import NO_FILLS, Fill, OrderState, Unrecorded
from actors.engine.pools.state import PoolState
from actors.engine.public_state import Candle, PublicTrade
from actors.engine.statistics import TradeTape
from actors.engine.twap import Twap, TwapBook
from actors.engine.units import (
    MarketStatus,
    Mode,
    OrderNo,
    OrderStatus,
    OrderType,
    Reason,
    RouteMode,
    Side,
    StpMode,
    UserId,
)

VERSION: Final = 2


class SnapshotError(Exception):
    """Bytes that are no snapshot of this market; carries one message."""


class OrderRecord(msgspec.Struct, array_like=True):
    """A living order, as `level.Order` keeps it, links aside."""

    order_no: OrderNo
    command_id: str
    user: UserId
    side: Side
    order_type: OrderType
    size_lots: int
    remaining_lots: int
    client_order_id: str
    stp: StpMode
    route: RouteMode
    price_ticks: int
    stop_ticks: int
    display_lots: int
    shown_lots: int
    filled_lots: int
    filled_quote_raw: int
    fee_raw: int
    maker_ppm: int
    taker_ppm: int
    held_in_raw: int
    held_raw: int
    released_raw: int
    expire_at_ns: int
    parent: str
    pending: bool
    created_ns: int
    updated_ns: int
    sequence: int
    fills: list[Fill] | None
    """None for none."""


class MarketSnapshot(msgspec.Struct, array_like=True):
    """One market. ``resting`` is in queue order: bids, then asks, each best price first."""

    version: int
    symbol: str
    mode: Mode
    status: MarketStatus
    last_order_no: int
    last_trade_no: int
    last_price_ticks: int
    book_seq: int
    hybrid_seq: int
    trade_seq: int
    resting: list[OrderRecord]
    waiting: list[OrderRecord]
    closed_recent: list[OrderState]
    closed_older: list[OrderState]
    commands_recent: dict[str, int | tuple[int, ...]]
    commands_older: dict[str, int | tuple[int, ...]]
    commands_since_ns: int
    pools: list[PoolState]
    last_scale_no: int
    twaps: tuple[int, list[Twap], list[Twap]]
    tape: list[PublicTrade]
    candles: dict[int, list[Candle]]


def capture(market: MarketState, commands: CommandLog, counters: tuple[int, int, int]) -> bytes:
    """Encode a market between two records."""
    market.publish_trades()
    resting = [kept for side in market.book.sides for kept in map(_keep, side.orders())]
    snapshot = MarketSnapshot(
        VERSION,
        market.spec.symbol,
        market.rules.mode,
        market.status,
        market.last_order_no,
        market.last_trade_no,
        market.last_price_ticks,
        *counters,
        resting,
        [_keep(order) for order in market.stops.orders()],
        list(market.closed.recent.values()),
        list(market.closed.older.values()),
        commands.recent,
        commands.older,
        commands.since_ns,
        market.pools.states(),
        market.last_scale_no,
        market.twaps.dump(),
        market.tape.dump(),
        market.candles.dump(),
    )
    return _ENCODER.encode(snapshot)


def read(data: bytes) -> MarketSnapshot:
    """Decode a snapshot.

    Raises:
        SnapshotError: the bytes are damaged, or of a version this code does not know.
    """
    try:
        snapshot = msgspec.msgpack.decode(data, type=MarketSnapshot)
    except (msgspec.DecodeError, msgspec.ValidationError) as fault:
        raise SnapshotError(f"not a market snapshot: {fault}") from fault
    if snapshot.version != VERSION:
        raise SnapshotError(
            f"the snapshot is of version {snapshot.version}, expected {VERSION}; "
            "replay the journal from its beginning"
        )
    return snapshot


def fill(market: MarketState, commands: CommandLog, snapshot: MarketSnapshot) -> None:
    """Bring an empty market to a snapshot's state.

    Raises:
        SnapshotError: the snapshot is of another market.
    """
    here = (market.spec.symbol, market.rules.mode)
    if (snapshot.symbol, snapshot.mode) != here:
        raise SnapshotError(
            f"the snapshot is of {snapshot.symbol} in mode {snapshot.mode.name.lower()}, "
            f"expected {here[0]} in mode {here[1].name.lower()}"
        )
    market.status = snapshot.status
    market.last_order_no = snapshot.last_order_no
    market.last_trade_no = snapshot.last_trade_no
    market.last_price_ticks = snapshot.last_price_ticks
    resting = [_order(kept) for kept in snapshot.resting]
    waiting = [_order(kept) for kept in snapshot.waiting]
    for order in resting:
        market.book.sides[order.side].add(order)
    market.book.drain_changes()
    for order in waiting:
        market.stops.add(order)
    for order in sorted(resting + waiting, key=_number):
        market.open.add(order)
        if order.expire_at_ns:
            market.expiry.add(order.expire_at_ns, order.order_no)
    market.closed.recent = {state.order_no: state for state in snapshot.closed_recent}
    market.closed.older = {state.order_no: state for state in snapshot.closed_older}
    commands.recent = dict(snapshot.commands_recent)
    commands.older = dict(snapshot.commands_older)
    commands.since_ns = snapshot.commands_since_ns
    for pool in snapshot.pools:
        if market.pools.knows(pool.pool_id):
            market.put_pool(pool)
    market.last_scale_no = snapshot.last_scale_no
    market.twaps = TwapBook.load(snapshot.twaps)
    market.tape = TradeTape.load(snapshot.tape)
    market.candles = Candles.load(snapshot.candles)


def digest(data: bytes) -> str:
    """Hash a canonical snapshot: SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


_ENCODER = msgspec.msgpack.Encoder()
_KEPT: Final = OrderRecord.__struct_fields__[:-1]
_BESIDE: Final = tuple(name for name in _KEPT if name in Unrecorded.__slots__)
_RECORDED: Final = tuple(name for name in _KEPT if name in OrderState.__struct_fields__)


def _keep(order: Order) -> OrderRecord:
    # What an order has no use for was never written: the money, where the market holds none.
    fields: dict[str, Any] = {name: getattr(order, name, 0) for name in _KEPT}
    return OrderRecord(**fields, fills=order.fills or None)


def _order(kept: OrderRecord) -> Order:
    status = OrderStatus.PENDING_TRIGGER if kept.pending else OrderStatus.OPEN
    fields = {name: getattr(kept, name) for name in _RECORDED}
    order = Order(**fields, fills=kept.fills or NO_FILLS, status=status, reason=Reason.NONE).begin()
    for name in _BESIDE:
        setattr(order, name, getattr(kept, name))
    return order


def _number(order: Order) -> int:
    return order.order_no
