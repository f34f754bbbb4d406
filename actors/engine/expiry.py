"""When orders run out: a heap of deadlines, cleaned lazily."""

from collections.abc import Collection, Container
from heapq import heapify, heappop, heappush
from typing import Final

_STALE_MAX: Final = 1_024


class ExpiryQueue:
    """Deadlines of orders. An entry whose order is gone by then is passed over by the caller."""

    __slots__ = ("heap",)

    def __init__(self) -> None:
        self.heap: list[tuple[int, int]] = []
        """(expire_at_ns, order_no); the earliest is ``heap[0]``."""

    def add(self, expire_at_ns: int, order_no: int) -> None:
        """Note a deadline."""
        heappush(self.heap, (expire_at_ns, order_no))

    def next_ns(self, living: Container[int]) -> int:
        """Name the earliest deadline of an order that still lives; 0 when there is none."""
        heap = self.heap
        while heap and heap[0][1] not in living:
            heappop(heap)
        return heap[0][0] if heap else 0

    def tidy(self, living: Collection[int]) -> None:
        """Drop the deadlines of closed orders once they are the most, so that memory is bounded."""
        if len(self.heap) > 2 * len(living) + _STALE_MAX:
            self.heap = [entry for entry in self.heap if entry[1] in living]
            heapify(self.heap)

    def pop_due(self, time_ns: int) -> list[int]:
        """Take out the numbers of all orders due at ``time_ns``, earliest first, then by number."""
        heap, due = self.heap, []
        while heap and heap[0][0] <= time_ns:
            due.append(heappop(heap)[1])
        return due
