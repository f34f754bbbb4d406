"""The Ray shell of a chain feed, and its way to the pairs.

What a feed reads and how it survives is `chain_feeds`'; here only the newest state of each pool is
carried to its pair, in both modes, one call per pair at a time, and before it the swaps that others
made in its pools. A state that is overtaken while the pair is busy is never sent; a swap always is,
but for those beyond the bound.
"""

import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
import structlog

from actors.engine.commands import PoolTraded, PoolUpdated, encode
from actors.engine.market_api import BatchReply, BusyReply, Request
from actors.engine.pools.state import PoolState
from actors.engine.units import Mode
from actors.errors import TandemError
from actors.ports import BlockingAccountPort

RETRY_S: Final = 0.25
SWAPS_MAX: Final = 200
"""Swaps that wait while a pair does not answer; more would not fit one batch. Older are dropped."""

_LOG = structlog.get_logger("tandem.feed")


class RunningFeed(Protocol):
    """What `chain_feeds` gives the shell."""

    def start(self) -> None:
        """Begin to read, in threads of its own."""
        ...

    def stop(self) -> None:
        """End them."""
        ...

    def status(self) -> Any:  # noqa: ANN401 (a struct of the feed's own)
        """Tell how the feed is."""
        ...


class PairSink:
    """Takes pool states from a feed, and carries the newest of each to the pairs.

    Args:
        ports: the way to each pair, by symbol.
    """

    def __init__(self, ports: Mapping[str, BlockingAccountPort]) -> None:
        self._lanes = {symbol: _Lane(symbol, port) for symbol, port in ports.items()}

    def publish(self, symbol: str, state: PoolState) -> None:
        """Take the newest state of a pool; returns at once."""
        self._lanes[symbol].put(state)

    def trade(self, symbol: str, swap: PoolTraded) -> None:
        """Take a swap; returns at once."""
        self._lanes[symbol].put_swap(swap)

    def start(self) -> None:
        """Begin to carry."""
        for lane in self._lanes.values():
            lane.start()

    def stop(self) -> None:
        """End after the calls that are on their way."""
        for lane in self._lanes.values():
            lane.stop()


class _Lane:
    """One pair's pending states and the thread that sends them."""

    def __init__(self, symbol: str, port: BlockingAccountPort) -> None:
        self._symbol = symbol
        self._port = port
        self._pending: dict[str, PoolState] = {}
        self._swaps: deque[PoolTraded] = deque(maxlen=SWAPS_MAX)
        self._changed = threading.Condition()
        self._stopping = False
        # Ids must not repeat over restarts: the pair would take a new state for an old one.
        self._prefix = f"pool/{secrets.token_hex(8)}"
        self._count = 0
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(BatchReply)
        self._thread = threading.Thread(target=self._run, name=f"lane-{symbol}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def put(self, state: PoolState) -> None:
        with self._changed:
            self._pending[state.pool_id] = state
            self._changed.notify()

    def put_swap(self, swap: PoolTraded) -> None:
        with self._changed:
            self._swaps.append(swap)
            self._changed.notify()

    def _run(self) -> None:
        while taken := self._take():
            swaps, states = taken
            if not self._send(swaps, list(states.values())):
                with self._changed:
                    # What came meanwhile is newer than what failed. A swap that arrived in spite
                    # of the failure is known by its id.
                    self._pending = {**states, **self._pending}
                    room = SWAPS_MAX - len(self._swaps)
                    self._swaps.extendleft(reversed(swaps[-room:] if room else []))
                    self._changed.wait_for(lambda: self._stopping, RETRY_S)

    def _take(self) -> tuple[list[PoolTraded], dict[str, PoolState]] | None:
        """Wait for swaps and states; None when it is time to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._swaps or self._stopping)
            if self._stopping:
                return None
            states, self._pending = self._pending, {}
            swaps = list(self._swaps)
            self._swaps.clear()
            return swaps, states

    def _send(self, swaps: list[PoolTraded], states: list[PoolState]) -> bool:
        requests = [Request(mode, msgspec.Raw(encode(swap))) for swap in swaps for mode in Mode]
        for state in states:
            self._count += 1
            body = msgspec.Raw(encode(PoolUpdated(f"{self._prefix}/{self._count}", state)))
            requests += [Request(mode, body) for mode in Mode]
        try:
            answer = self._port.wait([self._port.start(self._encoder.encode(requests))])[0]
        except TandemError as error:
            _LOG.info("feed_waits", pair=self._symbol, detail=str(error))
            return False
        replies = self._decoder.decode(answer).replies
        return not any(isinstance(reply, BusyReply) for reply in replies)


class FeedActor:
    """One chain's feed as an actor.

    Args:
        make: makes the feed around the sink it publishes to.
        wiring: opens the ways to the pairs.
    """

    def __init__(
        self,
        make: Callable[[PairSink], RunningFeed],
        wiring: Callable[[], Mapping[str, BlockingAccountPort]],
    ) -> None:
        self._sink = PairSink(wiring())
        self._feed = make(self._sink)
        self._sink.start()
        self._feed.start()

    def status(self) -> Any:  # noqa: ANN401 (a struct of the feed's own)
        """Tell how the feed is."""
        return self._feed.status()

    def stop(self) -> None:
        """End the feed, then its way out."""
        self._feed.stop()
        self._sink.stop()
