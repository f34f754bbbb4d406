"""An order as the engine keeps it, and the price level it queues in.

The two are linked to each other: an order can leave the middle of its level in constant time. What
the outside sees of an order is `order.OrderState`.
"""

from msgspec.structs import astuple

from actors.engine.order import OrderState
from actors.engine.units import OrderStatus, Side


class Order(OrderState, eq=False, gc=False):
    """A live order: waiting for its trigger, taking, or resting.

    Its record's fields come first, so that `record` copies them in one go; the rest is the engine's
    own and never encoded. ``status`` and ``reason`` are written when somebody asks.

    ``held_raw`` is what is left of its hold (quote for a buy, base for a sell). At any time
    ``held_in_raw == held_raw + spent + released_raw``, where spent is ``filled_quote_raw +
    fee_raw`` for a buy and the filled base for a sell. ``shown_lots`` is the visible tranche of an
    iceberg and unused otherwise. ``price_ticks`` 0 means unpriced.

    A struct for its constructor, which is the quickest there is. The collector does not look at it:
    whoever takes an order off its level nulls the links (`Level.unlink`).
    """

    maker_ppm: int = 0
    taker_ppm: int = 0
    held_in_raw: int = 0
    held_raw: int = 0
    released_raw: int = 0
    shown_lots: int = 0
    pending: bool = False
    level: "Level | None" = None
    previous: "Order | None" = None
    next: "Order | None" = None

    @property
    def visible_lots(self) -> int:
        """What the book shows of it: the tranche of an iceberg, else all that remains."""
        return self.shown_lots if self.display_lots else self.remaining_lots

    def living(self) -> OrderState:
        """Record the order as everybody outside sees it while it lives."""
        status = OrderStatus.PARTIALLY_FILLED if self.filled_lots else OrderStatus.OPEN
        self.status = OrderStatus.PENDING_TRIGGER if self.pending else status
        made = record(self)
        made.fills = list(self.fills)
        return made


def record(order: Order) -> OrderState:
    """Copy an order's record as it is now; of a living order the fills go on, so copy them too."""
    return OrderState(*astuple(order)[:_RECORDED])


_RECORDED = len(OrderState.__struct_fields__)


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
            order.previous = tail
        self.tail = order
        order.level = self
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
