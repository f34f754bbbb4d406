"""The bounded inbox between a pair's callers and its one writer thread.

Callers block on a batch's future; the writer takes everything that waits, up to one round's worth.
Nothing here knows what a command means.
"""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from actors.engine.market_api import Request

ROUND_COMMANDS_MAX: Final = 4_000
"""What one round takes at most: about 20 ms of matching, so that nobody's answer waits longer for
others' commands, and a journal record stays well under a megabyte."""


class Batch:
    """One caller's requests, and the future of their encoded answer."""

    __slots__ = ("answer", "arrived_ns", "requests")

    def __init__(self, requests: Sequence[Request], arrived_ns: int) -> None:
        self.requests = requests
        self.answer: Future[bytes] = Future()
        self.arrived_ns = arrived_ns


class Inbox:
    """A queue of batches, bounded by the number of requests in it.

    Args:
        requests_max: how many requests may wait; a batch that would exceed it is not taken, except
            into an empty inbox.
    """

    def __init__(self, requests_max: int) -> None:
        self.requests_max = requests_max
        self._batches: deque[Batch] = deque()
        self._waiting = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._waiting

    def put(self, batch: Batch) -> bool:
        """Queue a batch; false (and nothing happened) when there is no room, or it is closed."""
        size = len(batch.requests)
        with self._changed:
            full = self._waiting > 0 and self._waiting + size > self.requests_max
            if self._closed or full:
                return False
            self._batches.append(batch)
            self._waiting += size
            self._changed.notify()
        return True

    def take(self, timeout_s: float | None, requests_max: int = ROUND_COMMANDS_MAX) -> list[Batch]:
        """Take what waits, at least one batch and then while the round has room.

        Args:
            timeout_s: how long to wait for the first; None waits for ever.
            requests_max: a round's size, unless the first batch alone is larger.

        Returns:
            The batches in the order they came; empty when time ran out or the inbox was closed.
        """
        with self._changed:
            if not self._batches and not self._closed:
                self._changed.wait(timeout_s)
            taken: list[Batch] = []
            size = 0
            while self._batches:
                following = len(self._batches[0].requests)
                if taken and size + following > requests_max:
                    break
                taken.append(self._batches.popleft())
                size += following
            self._waiting -= size
            return taken

    def wake(self) -> None:
        """Let a waiting `take` return at once."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Take nothing more; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
