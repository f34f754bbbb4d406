"""Where an actor's lane is at the moment, asked without ever waiting for the answer.

Only Ray knows which incarnation of an actor is the living one, so an address is asked for by Ray:
when none is known, after a connection broke, and again every `TRUST_S` of use, because a process
that Ray has given up may still hold its connections for a moment.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from actors.errors import UnavailableError
from actors.lane import LaneAddress

Locate = Callable[[], "Future[LaneAddress | None]"]
"""Asks the actor for its lane's address, None where it has none.

Raises UnavailableError when there is no actor of that name."""

TRUST_S: Final = 1.0
RETRY_S: Final = 0.1
NONE_RETRY_S: Final = 30.0
"""When to ask an actor again that has said it has no lane: its successor may have one."""
GIVE_UP_S: Final = 10.0


class LaneSearch:
    """What is known of one actor's lane; may be used from any thread.

    Args:
        locate: asks the actor.
        now_s: a monotonic clock.
    """

    def __init__(self, locate: Locate, now_s: Callable[[], float] = time.monotonic) -> None:
        self._locate = locate
        self._now_s = now_s
        self._address: LaneAddress | None = None
        self._lock = threading.Lock()
        self._asked: Future[LaneAddress | None] | None = None
        self._asked_at = 0.0
        self._ask_at = 0.0

    def address(self) -> LaneAddress | None:
        """Give the address as far as it is known; where it is old, ask for the next time."""
        with self._lock:
            now = self._now_s()
            self._hear(now)
            if self._asked is None and now >= self._ask_at:
                self._ask(now)
            return self._address

    def lost(self, address: LaneAddress) -> None:
        """Nobody serves at this address any more: ask again at the next use."""
        with self._lock:
            if self._address == address:
                self._address = None
                self._ask_at = min(self._ask_at, self._now_s() + RETRY_S)

    def _ask(self, now: float) -> None:
        try:
            self._asked, self._asked_at = self._locate(), now
        except UnavailableError:
            self._ask_at = now + RETRY_S

    def _hear(self, now: float) -> None:
        """Take an answer that has come; who fails to answer does not make an address wrong."""
        asked = self._asked
        if asked is None:
            return
        if not asked.done():
            if now > self._asked_at + GIVE_UP_S:
                self._asked = None
            return
        self._asked = None
        if asked.cancelled() or asked.exception() is not None:
            self._ask_at = now + RETRY_S
            return
        self._address = asked.result()
        self._ask_at = now + (NONE_RETRY_S if self._address is None else TRUST_S)
