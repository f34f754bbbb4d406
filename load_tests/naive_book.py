"""The simplest correct price-time book: lists of orders by price, prices in a sorted list.

It makes no events, knows no accounts and forgets nothing that it need not: what matching costs
with no cleverness at all, and the reference for what must trade.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import Final

_NEW: Final = 0
_CANCEL: Final = 1
_IOC: Final = 1


class NaiveBook:
    """Applies flow records (see `flow.Record`), one by one."""

    def __init__(self) -> None:
        self._levels: tuple[dict[int, list[list[int]]], dict[int, list[list[int]]]] = ({}, {})
        self._prices: tuple[list[int], list[int]] = ([], [])
        self._where: dict[int, tuple[int, int]] = {}
        self._live = [0, 0]

    def live(self, side: int) -> int:
        """Count the resting orders of a side."""
        return self._live[side]

    def is_live(self, order_id: int) -> bool:
        """Say whether an order rests."""
        return order_id in self._where

    def best(self, side: int) -> int:
        """Return a side's best price, 0 for none."""
        prices = self._prices[side]
        return (prices[0] if side else prices[-1]) if prices else 0

    def apply(self, record: Sequence[int]) -> list[tuple[int, int, int, int]]:
        """Apply a record; returns its trades as (maker, taker, price, quantity).

        A cancel or amend of an order that does not rest does nothing.
        """
        kind, side, flags, quantity, order_id, price = record
        if kind != _NEW:
            where = self._where.get(order_id)
            if where is None:
                return []
            self._remove(order_id)
            if kind == _CANCEL:
                return []
            side = where[0]
        trades = list(self._take(order_id, side, price, quantity))
        left = quantity - sum(trade[3] for trade in trades)
        if left and not flags & _IOC:
            self._rest(order_id, side, price, left)
        return trades

    def _take(
        self, taker: int, side: int, limit: int, quantity: int
    ) -> Iterator[tuple[int, int, int, int]]:
        other = 1 - side
        while quantity and self._prices[other]:
            price = self.best(other)
            if price > limit if side == 0 else price < limit:
                return
            queue = self._levels[other][price]
            while quantity and queue:
                maker, size = queue[0]
                traded = min(size, quantity)
                quantity -= traded
                queue[0][1] -= traded
                if size == traded:
                    queue.pop(0)
                    del self._where[maker]
                    self._live[other] -= 1
                yield maker, taker, price, traded
            if not queue:
                self._drop(other, price)

    def _rest(self, order_id: int, side: int, price: int, quantity: int) -> None:
        if price not in self._levels[side]:
            self._levels[side][price] = []
            insort(self._prices[side], price)
        self._levels[side][price].append([order_id, quantity])
        self._where[order_id] = (side, price)
        self._live[side] += 1

    def _remove(self, order_id: int) -> None:
        side, price = self._where.pop(order_id)
        queue = self._levels[side][price]
        queue[:] = [entry for entry in queue if entry[0] != order_id]
        self._live[side] -= 1
        if not queue:
            self._drop(side, price)

    def _drop(self, side: int, price: int) -> None:
        del self._levels[side][price]
        del self._prices[side][bisect_left(self._prices[side], price)]
