"""Where every living order is found, and the last closed ones."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from actors.engine.level import Order
from actors.engine.order import OrderState
from actors.engine.units import UserId

CLOSED_KEPT: Final = 10_000
"""Closed orders that can still be asked for; older ones are in the history."""


class OrderIndex:
    """Living orders by number, by user, and by the user's own id."""

    __slots__ = ("by_client_id", "by_number", "by_user")

    def __init__(self) -> None:
        self.by_number: dict[int, Order] = {}
        self.by_user: dict[UserId, dict[int, Order]] = {}
        self.by_client_id: dict[tuple[UserId, str], int] = {}

    def __len__(self) -> int:
        return len(self.by_number)

    def add(self, order: Order) -> None:
        """Enter a new order; orders come in ascending number."""
        number, user = order.order_no, order.user
        self.by_number[number] = order
        mine = self.by_user.get(user)
        if mine is None:
            self.by_user[user] = {number: order}
        else:
            mine[number] = order
        if order.client_order_id:
            self.by_client_id[user, order.client_order_id] = number

    def remove(self, order: Order) -> None:
        """Forget an order that has closed."""
        number, user = order.order_no, order.user
        del self.by_number[number]
        mine = self.by_user[user]
        if len(mine) == 1:
            del self.by_user[user]
        else:
            del mine[number]
        if order.client_order_id:
            del self.by_client_id[user, order.client_order_id]

    def of_user(self, user: UserId) -> list[Order]:
        """List a user's living orders, oldest first."""
        return list(self.by_user.get(user, {}).values())

    def count(self, user: UserId) -> int:
        """Count a user's living orders."""
        mine = self.by_user.get(user)
        return 0 if mine is None else len(mine)

    def all(self) -> Iterator[Order]:
        """Walk all living orders, oldest first."""
        return iter(self.by_number.values())


class ClosedOrders:
    """The final states of the last `CLOSED_KEPT` orders, oldest first."""

    __slots__ = ("_kept", "by_number", "numbers")

    def __init__(self, kept: int = CLOSED_KEPT) -> None:
        self._kept = kept
        self.by_number: dict[int, OrderState] = {}
        self.numbers: deque[int] = deque()

    def add(self, state: OrderState) -> None:
        """Keep a final state, and let the oldest go when there are too many."""
        number = state.order_no
        self.by_number[number] = state
        self.numbers.append(number)
        if len(self.numbers) > self._kept:
            del self.by_number[self.numbers.popleft()]

    def get(self, order_no: int) -> OrderState | None:
        """Return a closed order, if it is still kept."""
        return self.by_number.get(order_no)

    def in_order(self) -> list[OrderState]:
        """List what is kept, oldest first."""
        return [self.by_number[number] for number in self.numbers]
