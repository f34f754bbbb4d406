"""Where every living order is found, and the last closed ones."""

from collections.abc import Iterator
from typing import Final

from actors.engine.level import Order
from actors.engine.order import OrderState
from actors.engine.units import UserId

CLOSED_KEPT: Final = 10_000
"""At least so many closed orders can still be asked for; older ones are in the history."""


class OrderIndex:
    """Living orders by number, by user, and by the user's own id.

    Orders are taken out by `MarketState.close`.
    """

    __slots__ = ("by_client_id", "by_number", "by_user")

    def __init__(self) -> None:
        self.by_number: dict[int, Order] = {}
        self.by_user: dict[UserId, Order | dict[int, Order]] = {}
        """A user's only order by itself: most have few, and a dict of one costs more than they."""
        self.by_client_id: dict[tuple[UserId, str], int] = {}

    def __len__(self) -> int:
        return len(self.by_number)

    def add(self, order: Order) -> None:
        """Enter a new order; orders come in ascending number."""
        number, user = order.order_no, order.user
        self.by_number[number] = order
        mine = self.by_user.setdefault(user, order)
        if mine is not order:
            self.add_further(mine, order)
        if order.client_order_id:
            self.by_client_id[user, order.client_order_id] = number

    def add_further(self, mine: Order | dict[int, Order], order: Order) -> None:
        """Note an order of a user who has others: ``mine``."""
        if type(mine) is dict:
            mine[order.order_no] = order
        elif isinstance(mine, Order):
            self.by_user[order.user] = {mine.order_no: mine, order.order_no: order}

    def remove_further(self, order: Order) -> None:
        """Forget an order of a user who has (or had) several."""
        mine = self.by_user[order.user]
        if isinstance(mine, dict):
            del mine[order.order_no]
            if not mine:
                del self.by_user[order.user]

    def of_user(self, user: UserId) -> list[Order]:
        """List a user's living orders, oldest first."""
        mine = self.by_user.get(user)
        if mine is None:
            return []
        return [mine] if isinstance(mine, Order) else list(mine.values())

    def count(self, user: UserId) -> int:
        """Count a user's living orders."""
        mine = self.by_user.get(user)
        if mine is None:
            return 0
        return len(mine) if type(mine) is dict else 1

    def all(self) -> Iterator[Order]:
        """Walk all living orders, oldest first."""
        return iter(self.by_number.values())


class ClosedOrders:
    """The final states of the last closed orders, oldest first: `CLOSED_KEPT` of them or more.

    Two generations, the older dropped whole, so that to close an order is to set one entry.
    """

    __slots__ = ("_kept", "older", "recent")

    def __init__(self, kept: int = CLOSED_KEPT) -> None:
        self._kept = kept
        self.recent: dict[int, OrderState] = {}
        self.older: dict[int, OrderState] = {}

    def turn(self) -> None:
        """Begin a new generation when the recent one is full; called once a record."""
        if len(self.recent) >= self._kept:
            self.older, self.recent = self.recent, {}

    def get(self, order_no: int) -> OrderState | None:
        """Return a closed order, if it is still kept."""
        state = self.recent.get(order_no)
        return self.older.get(order_no) if state is None else state
