"""The way out of a feed: swaps, what was last said of each pool, and the sink it was said to."""

import logging
from typing import Protocol

from actors.engine.commands import PoolTraded
from actors.engine.pools.state import PoolState

_log = logging.getLogger(__name__)


class PoolSink(Protocol):
    """Where pool states go: to the pair, in both modes."""

    def publish(self, symbol: str, state: PoolState) -> None:
        """Take the newest state of a pool of ``symbol``. Must not block; newer replaces older."""
        ...

    def trade(self, symbol: str, swap: PoolTraded) -> None:
        """Take a swap that somebody made in a pool of ``symbol``. Must not block."""
        ...


class Publisher:
    """Passes states on, remembers the newest of each pool, and outlives a failing sink."""

    def __init__(self, sink: PoolSink) -> None:
        self._sink = sink
        self.newest: dict[tuple[str, str], PoolState] = {}
        """What was last said, by pair and pool: one pool may be listed beside two pairs."""
        self.published = 0
        self.swaps = 0

    def trade(self, symbol: str, swap: PoolTraded) -> None:
        """Hand a swap to the sink; a failure is logged and must not stop the feed."""
        self.swaps += 1
        try:
            self._sink.trade(symbol, swap)
        except Exception:  # noqa: BLE001 -- whatever a sink does wrong, the feed goes on
            _log.exception("the sink of %s failed; a swap is missing on its tape", symbol)

    def publish(self, symbol: str, state: PoolState) -> None:
        """Hand a state to the sink; a failure is logged and must not stop the feed."""
        before = self.newest.get((symbol, state.pool_id))
        self.newest[symbol, state.pool_id] = state
        self.published += 1
        if before is None or before.status is not state.status:
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
