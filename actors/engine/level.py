"""An order as the engine keeps it, and the price level it queues in.

The two are linked to each other: an order can leave the middle of its level in constant time. What
the outside sees of an order is `order.OrderState`.
"""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from actors.engine.order import OrderState
from actors.engine.units import OrderStatus, Side

_PENDING_TRIGGER, _PARTIALLY_FILLED = OrderStatus.PENDING_TRIGGER, OrderStatus.PARTIALLY_FILLED


class Order(OrderState, eq=False, gc=False):
    """A live order: waiting for its trigger, taking, or resting; then its own final record.

    While it lives its ``status`` is ``PENDING_TRIGGER`` or ``OPEN``; that it is filled in part is
    written when somebody asks (`living`).

    What is not of the record (`order.Unrecorded`) is there where it is needed: ``level``,
    ``previous`` and ``next`` once it rests or waits, ``shown_lots``, the visible tranche, of an
    iceberg, and the money where the market holds funds. ``held_raw`` is what is left of its hold
    (quote for a buy, base for a sell). At any time
    ``held_in_raw == held_raw + spent + released_raw``, where spent is ``filled_quote_raw +
    fee_raw`` for a buy and the filled base for a sell. ``price_ticks`` 0 means unpriced.

    A struct for its constructor, which is the quickest there is. The collector does not look at it:
    whoever takes an order off its level nulls the links (`Level.unlink`).
    """

    if TYPE_CHECKING:  # the types of `order.Unrecorded`; to msgspec they would be fields
        maker_ppm: int = 0
        taker_ppm: int = 0
        held_in_raw: int = 0
        held_raw: int = 0
        released_raw: int = 0
        shown_lots: int = 0
        level: "Level | None" = None
        previous: "Order | None" = None
        next: "Order | None" = None

    @property
    def pending(self) -> bool:
        """Whether it waits for its trigger."""
        return self.status is _PENDING_TRIGGER

    @property
    def visible_lots(self) -> int:
        """What the book shows of it: the tranche of an iceberg, else all that remains."""
        return self.shown_lots if self.display_lots else self.remaining_lots

    def begin(self, maker_ppm: int = 0, taker_ppm: int = 0, held_raw: int = 0) -> "Order":
        """Give a new order its rates and its hold; it stands nowhere. Returns the order."""
        self.maker_ppm, self.taker_ppm = maker_ppm, taker_ppm
        self.held_in_raw = self.held_raw = held_raw
        self.released_raw = self.shown_lots = 0
        self.level = self.previous = self.next = None
        return self

    def living(self) -> OrderState:
        """Record the order as everybody outside sees it while it lives."""
        in_part = self.filled_lots and not self.pending
        status = _PARTIALLY_FILLED if in_part else self.status
        return replace(self, status=status, fills=list(self.fills))  # the record alone


# A struct writes its fields by a way of its own, which the interpreter cannot shorten; without the
# collector it does nothing more than an object's, at four times the cost.
for _name in ("__setattr__", "__delattr__"):
    type.__setattr__(Order, _name, getattr(object, _name))


class Level:
    """The queue of orders at one price of one side, oldest first.

    ``visible_lots`` is the sum of what its orders show; ``published_lots`` the value that readers
    of the stream have, for which ``dirty`` says that it may differ.
    """

    __slots__ = (
        "dirty",
        "head",
        "key",
        "price_ticks",
        "published_lots",
        "side",
        "tail",
        "visible_lots",
    )

    def __init__(self, side: Side, price_ticks: int, key: int) -> None:
        self.side = side
        self.price_ticks = price_ticks
        self.key = key
        self.visible_lots = 0
        self.published_lots = 0
        self.dirty = False
        self.head: Order | None = None
        self.tail: Order | None = None

    def append(self, order: Order) -> None:
        """Queue an order at the back."""
        tail = self.tail
        if tail is None:
            self.head = order
        else:
            tail.next = order
        order.previous, order.next, order.level = tail, None, self
        self.tail = order
        self.visible_lots += order.shown_lots if order.display_lots else order.remaining_lots

    def unlink(self, order: Order) -> None:
        """Take an order out, wherever it stands; its links are nulled so that it can be freed."""
        before, after = order.previous, order.next
        if before is None:
            self.head = after
        else:
            before.next = after
            order.previous = None
        if after is None:
            self.tail = before
        else:
            after.previous = before
            order.next = None
        order.level = None
        self.visible_lots -= order.shown_lots if order.display_lots else order.remaining_lots
