"""One side of the book: its price levels, and the sorted keys that say which is best.

A level's key is its price for bids and the negated price for asks, so that on both sides the best
level is ``keys[-1]``, taking it away is a pop, and one code path serves both.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from actors.engine.invariants import invariant
from actors.engine.level import Level, Order
from actors.engine.units import Side


class BookSide:
    """All resting orders of one side. ``dirty`` is shared by both sides of a book.

    A level that empties stays at hand in ``gone`` until changes are drained, so that there is one
    `Level` for each price that was touched since.
    """

    __slots__ = ("dirty", "gone", "keys", "levels", "side", "sign")

    def __init__(self, side: Side, dirty: list[Level]) -> None:
        self.side = side
        self.sign = 1 if side is Side.BUY else -1
        self.levels: dict[int, Level] = {}
        self.gone: dict[int, Level] = {}
        self.keys: list[int] = []
        self.dirty = dirty

    def add(self, order: Order) -> None:
        """Rest an order at its limit, behind those already there."""
        level = self.levels.get(order.price_ticks * self.sign)
        if level is None:
            level = self.open_level(order.price_ticks)
        tail = level.tail
        if tail is None:
            level.head = order
        else:
            tail.next = order
        order.previous, order.next, order.level = tail, None, level
        level.tail = order
        level.visible_lots += order.shown_lots if order.display_lots else order.remaining_lots
        if not level.dirty:
            level.dirty = True
            self.dirty.append(level)

    def open_level(self, price_ticks: int) -> Level:
        """Make the level of a price where there is none yet."""
        key = price_ticks * self.sign
        level = self.gone.pop(key, None) or Level(self.side, price_ticks, key)
        self.levels[key] = level
        insort(self.keys, key)
        return level

    def remove(self, order: Order) -> None:
        """Take a resting order out, and its level with it when it was the last."""
        level = order.level
        if level is None:
            invariant(condition=False, message=f"order {order.order_no} is not on the book")
            return
        level.unlink(order)
        if not level.dirty:
            level.dirty = True
            self.dirty.append(level)
        if level.head is None:
            self.drop(level)

    def drop(self, level: Level) -> None:
        """Take an empty level away."""
        keys, key = self.keys, level.key
        self.gone[key] = self.levels.pop(key)
        if keys[-1] == key:
            keys.pop()
        else:
            del keys[bisect_left(keys, key)]

    def shorten(self, level: Level, head: Order | None, lots: int) -> None:
        """Take ``lots`` off a level whose orders before ``head`` are filled and gone."""
        level.visible_lots -= lots
        level.head = head
        if not level.dirty:
            level.dirty = True
            self.dirty.append(level)
        if head is not None:
            head.previous = None
        else:
            level.tail = None
            self.drop(level)

    def touch(self, level: Level) -> None:
        """Note that a level's visible size may have changed."""
        if not level.dirty:
            level.dirty = True
            self.dirty.append(level)

    @property
    def best_ticks(self) -> int:
        """The best price, 0 when the side is empty."""
        return self.keys[-1] * self.sign if self.keys else 0

    def best_first(self) -> Iterator[Level]:
        """Walk the levels from the best price outwards. The book must not change meanwhile."""
        levels = self.levels
        for key in reversed(self.keys):
            yield levels[key]

    def depth(self) -> list[tuple[int, int]]:
        """List (price_ticks, visible lots), best first."""
        return [(level.price_ticks, level.visible_lots) for level in self.best_first()]

    def orders(self) -> Iterator[Order]:
        """Walk all orders, best price first, in queue order."""
        for level in self.best_first():
            order = level.head
            while order is not None:
                yield order
                order = order.next

    def validate(self) -> None:
        """Check keys, links and sums.

        Raises:
            InvariantError: naming the level or order that is wrong.
        """
        invariant(len(self.keys) == len(self.levels), f"{self.side.name}: keys and levels differ")
        invariant(
            all(a < b for a, b in zip(self.keys, self.keys[1:], strict=False)),
            f"{self.side.name}: keys are not sorted",
        )
        for key in self.keys:
            self._validate_level(key, self.levels[key])

    def _validate_level(self, key: int, level: Level) -> None:
        name = f"{self.side.name} level {level.price_ticks}"
        invariant(level.key == key == level.price_ticks * self.sign, f"{name} has a wrong key")
        invariant(level.head is not None, f"{name} is empty")
        total, previous, order = 0, None, level.head
        while order is not None:
            what = f"order {order.order_no} in {name}"
            invariant(order.previous is previous and order.level is level, f"{what} is mislinked")
            invariant(order.price_ticks == level.price_ticks, f"{what} has another price")
            invariant(order.side is self.side, f"{what} is of the other side")
            invariant(0 < order.visible_lots <= order.remaining_lots, f"{what} shows a wrong size")
            total += order.visible_lots
            previous, order = order, order.next
        invariant(level.tail is previous, f"{name} ends elsewhere than its tail")
        invariant(total == level.visible_lots, f"{name} is not the sum of its orders")
