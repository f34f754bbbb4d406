"""Stop orders that wait for their price.

A buy waits for a trade at or above its stop, a sell for one at or below. Prices are kept in the key
space of a book side, so that the stop nearest to the market is always ``keys[-1]``.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from actors.engine.invariants import invariant
from actors.engine.level import Order
from actors.engine.units import Side


class StopBook:
    """Pending stop orders of one market."""

    __slots__ = ("_keys", "_waiting", "is_empty")

    def __init__(self) -> None:
        # Per side: key (negated price for buys, price for sells) -> order number -> order.
        self._waiting: tuple[dict[int, dict[int, Order]], dict[int, dict[int, Order]]] = ({}, {})
        self._keys: tuple[list[int], list[int]] = ([], [])
        self.is_empty = True
        """Whether nobody waits: asked after every trade, and so kept, not looked up."""

    def __len__(self) -> int:
        return sum(len(orders) for side in self._waiting for orders in side.values())

    def add(self, order: Order) -> None:
        """Let an order wait."""
        key = _key(order)
        waiting = self._waiting[order.side]
        if key not in waiting:
            waiting[key] = {}
            insort(self._keys[order.side], key)
        waiting[key][order.order_no] = order
        self.is_empty = False

    def remove(self, order: Order) -> None:
        """Take an order out; it must be waiting."""
        key = _key(order)
        waiting, keys = self._waiting[order.side], self._keys[order.side]
        del waiting[key][order.order_no]
        if not waiting[key]:
            del waiting[key]
            del keys[bisect_left(keys, key)]
            self._look()

    def take_triggered(self, low_ticks: int, high_ticks: int) -> list[Order]:
        """Take out all that trades from ``low_ticks`` to ``high_ticks`` trigger, oldest first."""
        triggered: list[Order] = []
        bounds = ((Side.BUY, -high_ticks), (Side.SELL, low_ticks))
        for side, bound in bounds:
            waiting, keys = self._waiting[side], self._keys[side]
            while keys and keys[-1] >= bound:
                triggered.extend(waiting.pop(keys.pop()).values())
        triggered.sort(key=_number)
        self._look()
        return triggered

    def _look(self) -> None:
        buys, sells = self._keys
        self.is_empty = not buys and not sells

    def orders(self) -> Iterator[Order]:
        """Walk all waiting orders, oldest first."""
        every = [o for side in self._waiting for orders in side.values() for o in orders.values()]
        every.sort(key=_number)
        return iter(every)

    def validate(self) -> None:
        """Check that keys, prices and marks agree.

        Raises:
            InvariantError: naming the order that is wrong.
        """
        invariant(self.is_empty == (not any(self._waiting)), "whether stops wait is told wrongly")
        for waiting, keys in zip(self._waiting, self._keys, strict=True):
            invariant(sorted(waiting) == keys, "stop keys and stop orders differ")
            for key, orders in waiting.items():
                for order in orders.values():
                    invariant(
                        _key(order) == key and order.pending and order.level is None,
                        f"stop order {order.order_no} waits in the wrong place",
                    )


def is_through(side: Side, stop_ticks: int, last_ticks: int) -> bool:
    """Tell whether a trade at ``last_ticks`` (0: none yet) already triggers such a stop."""
    if not last_ticks:
        return False
    return last_ticks >= stop_ticks if side is Side.BUY else last_ticks <= stop_ticks


def _key(order: Order) -> int:
    return -order.stop_ticks if order.side is Side.BUY else order.stop_ticks


def _number(order: Order) -> int:
    return order.order_no
