"""The way out of a feed: what was last said of each pool, and the sink it was said to."""

import logging
from typing import Protocol

import msgspec

from actors.engine.pools.state import PoolState, PoolStatus

_log = logging.getLogger(__name__)


class PoolSink(Protocol):
    """Where pool states go: to the pair, in both modes."""

    def publish(self, symbol: str, state: PoolState) -> None:
        """Take the newest state of a pool of ``symbol``. Must not block; newer replaces older."""
        ...


class Publisher:
    """Passes states on, remembers the newest of each pool, and outlives a failing sink."""

    def __init__(self, sink: PoolSink) -> None:
        self._sink = sink
        self.newest: dict[str, tuple[str, PoolState]] = {}
        self.published = 0

    def publish(self, symbol: str, state: PoolState) -> None:
        """Hand a state to the sink; a failure is logged and must not stop the feed."""
        before = self.newest.get(state.pool_id)
        self.newest[state.pool_id] = (symbol, state)
        self.published += 1
        if before is None or before[1].status is not state.status:
            _log.info(
                "pool %s of %s is %s%s",
                state.pool_id,
                symbol,
                state.status.name.lower(),
                f": {state.detail}" if state.detail else "",
            )
        try:
            self._sink.publish(symbol, state)
        except Exception:  # noqa: BLE001 -- whatever a sink does wrong, the feed goes on
            _log.exception("the sink of %s failed; the next state replaces this one", symbol)

    def all_down(self, detail: str) -> None:
        """Say of every pool that is not down already that it cannot be used, and why."""
        for symbol, state in list(self.newest.values()):
            if state.status is not PoolStatus.DOWN or state.detail != detail:
                down = msgspec.structs.replace(state, status=PoolStatus.DOWN, detail=detail)
                self.publish(symbol, down)
