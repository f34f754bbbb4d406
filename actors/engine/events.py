"""Everything that can happen in a market, in the past tense.

Events are what a journal record holds beside its commands, and what gateways, bots, the history
writer and auditors read. An event says all that a reader needs who kept nothing, except what the
command beside it (`actors.journal.market_record.Step`) already says. Encoded as tagged arrays;
fields are only ever appended, with a default.

Within one step the order of events is: ``OrderAccepted`` (or ``CommandRejected``, then nothing
else), the ``Traded`` and closings of makers as they happened, then how the incoming order stands.
"""

import msgspec

from actors.engine.order import OrderState, TwapState
from actors.engine.pools.state import PoolState
from actors.engine.units import MarketStatus, OrderNo, OrderStatus, Reason, Side, UserId


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The root of all events."""


class CommandRejected(Event, tag=1, frozen=True, array_like=True, gc=False):
    """A command changed nothing. ``order`` is given where a refused order enters the history."""

    user: UserId
    reason: Reason
    message: str
    order: OrderState | None = None


class OrderAccepted(Event, tag=2, frozen=True, array_like=True, gc=False):
    """An order exists: ``OPEN`` (it may trade within this step) or ``PENDING_TRIGGER``."""

    order_no: OrderNo
    user: UserId
    side: Side
    price_ticks: int
    size_lots: int
    status: OrderStatus
    client_order_id: str = ""
    parent: str = ""


class Traded(Event, tag=3, frozen=True, array_like=True, gc=False):
    """Two orders, or an order and a pool, exchanged ``size_lots`` at ``price_ticks``.

    ``side`` is the taker's. ``venue`` is "" for the book. Against a pool one party is missing: its
    number is 0 and its user "" (the maker's, or the taker's when a pool moved through a resting
    order); both are missing of a swap between others on chain (`commands.PoolTraded`).
    ``quote_raw`` is what the fill cost in quote units, fee excluded. ``maker_*`` counts are the
    maker order's own, after this trade.
    """

    trade_no: int
    price_ticks: int
    size_lots: int
    quote_raw: int
    side: Side
    venue: str
    taker_no: OrderNo
    taker_user: UserId
    taker_fee_raw: int
    maker_no: OrderNo
    maker_user: UserId
    maker_fee_raw: int
    maker_filled_lots: int
    maker_remaining_lots: int
    maker_filled_quote_raw: int


class OrderRested(Event, tag=4, frozen=True, array_like=True, gc=False):
    """What is left of an order that traded in this step now rests on the book."""

    order_no: OrderNo
    user: UserId
    filled_lots: int
    remaining_lots: int
    filled_quote_raw: int


class OrderClosed(Event, tag=5, frozen=True, array_like=True, gc=False):
    """An order is filled, canceled or expired; ``order`` is its final state, fills included."""

    order: OrderState


class OrderTriggered(Event, tag=6, frozen=True, array_like=True, gc=False):
    """A stop order's price was traded; the order now acts as a limit or market order."""

    order_no: OrderNo
    user: UserId
    remaining_lots: int = 0
    """Its open size, nothing of which is filled yet."""


class OrderAmended(Event, tag=7, frozen=True, array_like=True, gc=False):
    """An order's price or total size changed; also how a self-trade decrement is told."""

    order_no: OrderNo
    user: UserId
    price_ticks: int
    size_lots: int
    filled_lots: int
    remaining_lots: int
    filled_quote_raw: int
    kept_priority: bool


class TwapChanged(Event, tag=8, frozen=True, array_like=True, gc=False):
    """A TWAP began, ran a slice, or ended."""

    twap: TwapState


class ScalePlaced(Event, tag=9, frozen=True, array_like=True, gc=False):
    """A scale's orders were accepted (each has its own ``OrderAccepted`` in the step)."""

    scale_no: int
    user: UserId
    order_nos: list[OrderNo]


class PoolChanged(Event, tag=10, frozen=True, array_like=True, gc=False):
    """A pool's virtual state after a chain's word or after our own fill against it.

    ``from_chain`` is false for the latter: the state is virtual until the chain's next word.
    """

    pool: PoolState
    from_chain: bool


class MarketStatusChanged(Event, tag=11, frozen=True, array_like=True, gc=False):
    """The market was halted or resumed."""

    status: MarketStatus


AnyEvent = (
    CommandRejected
    | OrderAccepted
    | Traded
    | OrderRested
    | OrderClosed
    | OrderTriggered
    | OrderAmended
    | TwapChanged
    | ScalePlaced
    | PoolChanged
    | MarketStatusChanged
)


class LevelChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A price level's new total on the book; 0 when it is gone. Coalesced once per record.

    ``size_lots`` counts what is visible: of an iceberg, only its displayed tranche.
    """

    side: Side
    price_ticks: int
    size_lots: int
