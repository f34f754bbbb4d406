"""The gateway's own copy of every market, kept by the journal's tail. No read ever asks a pair.

The `MarketDataHub` owns all `market.Market`s, starts each from a `DepthQuery`, follows their
streams (and those of the account shards, for private channels) in one task, and runs the timers
of the throttled feeds. After a gap or a trim a market starts again from its pair.

What answers look like is `rendering`'s; who may read them is the routes' and channels'.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

import msgspec
import structlog
from redis.exceptions import RedisError

from actors.engine.commands import Command
from actors.engine.market_api import AnyReply, BusyReply, DepthQuery, DepthReply, Query
from actors.engine.pair_spec import PairSpec
from actors.engine.public_state import PublicState
from actors.engine.units import NS_PER_MS, NS_PER_S, Mode
from actors.errors import CorruptRecordError, TandemError, TrimmedError
from actors.journal.market_record import MarketRecord
from actors.listing import market_name, shard_stream
from actors.ports import JournalTail
from actors.unsettled import Unsettled
from gateway import rendering
from gateway.journal_reads import ReadHeads
from gateway.market import Market
from gateway.market_feeds import RowsFeed

STALE_AFTER_S = 3.0
"""A tail that is down for longer than this makes market data stale, and `health` says so."""

_CANCEL_AGAIN_S = 0.1
_ROWS_INTERVAL_NS = 250 * NS_PER_MS
_BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)

RecordObserver = Callable[[Market, int, MarketRecord], None]
ShardObserver = Callable[[int, int, bytes], None]


class PairCaller(Protocol):
    """What the hub needs of the way to a pair."""

    async def submit(self, mode: Mode, command: Command | Query) -> AnyReply:
        """Ask one thing of the pair; see `gateway.deps.PairCaller`."""
        ...


class LiveTail(JournalTail, Protocol):
    """A tail that takes further streams while it is being followed."""

    def add(self, stream: str, after: int) -> None:
        """Follow ``stream`` from behind record ``after``, whatever it was followed from before."""
        ...


class HubHealth(msgspec.Struct, frozen=True):
    """How current the market data is."""

    ready: bool
    """Every market has been started and the tail is not down for long."""
    stale_for_s: float
    """0.0 while the tail is up."""
    waiting: list[str]
    """Markets that are not started yet."""


class MarketDataHub:
    """Every market of the exchange as this gateway sees it.

    Args:
        specs: the listing by symbol in lower case.
        pairs: the way to each pair, by the same symbols.
        tail: follows the journal's streams.
        heads: tells the last record numbers of streams, where following account shards begins.
        shards: how many account shards there are; 0 follows none.
    """

    def __init__(
        self,
        specs: Mapping[str, PairSpec],
        pairs: Mapping[str, PairCaller],
        tail: LiveTail,
        heads: ReadHeads,
        shards: int = 0,
    ) -> None:
        self.specs = specs
        self._rows = {mode: RowsFeed(_ROWS_INTERVAL_NS) for mode in (None, *Mode)}
        self._pairs = pairs
        self._tail = tail
        self._heads = heads
        self._shards = [shard_stream(shard) for shard in range(shards)]
        self._markets = {
            market.name: market
            for spec in specs.values()
            for market in (Market(spec, mode) for mode in Mode)
        }
        self._shown = {
            (spec.symbol, asked): self._markets[market_name(spec.symbol, mode)]
            for spec in specs.values()
            for asked, mode in ((None, public_mode(spec)), *((mode, mode) for mode in Mode))
        }
        self._shard_positions: dict[str, int] = {}
        self._records: list[RecordObserver] = []
        self._account_records: list[ShardObserver] = []
        self._decoder = msgspec.msgpack.Decoder(MarketRecord)
        self._snapshots = msgspec.msgpack.Decoder(PublicState)
        self._tasks: set[asyncio.Task[None]] = set()
        self._seeding: set[str] = set()
        self._last_sign_s = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_ns = 0
        self._log = structlog.get_logger("gateway.market_data")

    # Reading

    def market(self, symbol: str, mode: Mode | None = None) -> Market | None:
        """Find a market by its pair's symbol; without ``mode``, in the pair's public mode."""
        return self._shown.get((symbol, mode))

    def markets(self, mode: Mode | None = None) -> list[Market]:
        """List one market per pair in listing order: that of ``mode``, or the public one."""
        found = (self.market(symbol, mode) for symbol in self.specs)
        return [market for market in found if market is not None]

    def rows(self, mode: Mode | None = None) -> RowsFeed:
        """Give the table of all pairs in ``mode``, or each in its public one."""
        return self._rows[mode]

    def all_markets(self) -> Iterable[Market]:
        """Give every market, both modes of each pair."""
        return self._markets.values()

    def by_name(self, name: str) -> Market | None:
        """Find a market by its stream's name, ``vaix.paper``."""
        return self._markets.get(name)

    def settlement_heads(self) -> dict[str, list[int]]:
        """Give, per market, the last settlement number issued to each shard, as recorded."""
        return {name: market.settlement_heads for name, market in self._markets.items()}

    def health(self) -> HubHealth:
        """Tell whether every market is started and how long the tail has been down."""
        silent_s = time.monotonic() - self._last_sign_s
        stale = silent_s if silent_s > STALE_AFTER_S / 5 else 0.0
        waiting = [market.name for market in self._markets.values() if not market.ready]
        return HubHealth(not waiting and stale <= STALE_AFTER_S, stale, waiting)

    def observe(
        self, records: RecordObserver, account_records: ShardObserver | None = None
    ) -> None:
        """Call these for every record of a market, and of an account shard, in order."""
        self._records.append(records)
        if account_records is not None:
            self._account_records.append(account_records)

    # Running

    async def start(self) -> None:
        """Begin to seed and follow; returns at once, `wait_ready` waits."""
        for market in self._markets.values():
            self._seed(market)
        self._spawn(self._run(), "market-data-tail")
        self._spawn(self._watch_connection(), "market-data-watch")

    async def wait_ready(self, timeout_s: float) -> bool:
        """Wait until every market has been started; false when time ran out."""
        waits = [market.ready_event.wait() for market in self._markets.values()]
        try:
            await asyncio.wait_for(asyncio.gather(*waits), timeout_s)
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End every task of the hub."""
        if self._timer is not None:
            self._timer.cancel()
        while tasks := set(self._tasks):
            # A store's client may take a cancellation for its own time-out: ask until it is heard.
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_CANCEL_AGAIN_S)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _seed(self, market: Market) -> None:
        """Start a market from its pair, unless that is under way."""
        if market.name in self._seeding:
            return
        self._seeding.add(market.name)
        market.suspend()
        self._spawn(self._seed_until_ready(market), f"market-data-seed-{market.name}")

    async def _seed_until_ready(self, market: Market) -> None:
        attempt = 0
        try:
            while True:
                wait_s = _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]
                try:
                    reply = await self._pairs[market.spec.symbol].submit(market.mode, DepthQuery())
                except TandemError as error:
                    self._log.info("market_waits", market=market.name, reason=str(error))
                else:
                    if isinstance(reply, DepthReply):
                        market.restore(self._snapshots.decode(reply.snapshot))
                        break
                    if isinstance(reply, BusyReply):
                        wait_s = max(wait_s, min(reply.retry_after_ms / 1_000, 1.0))
                attempt += 1
                await asyncio.sleep(wait_s)
        finally:
            self._seeding.discard(market.name)
        self._tail.add(market.name, market.number)
        self._changed(market)

    async def _run(self) -> None:
        """Follow for ever; after a failure, go on from what was taken last."""
        failures = 0
        while True:
            try:
                await self._place_shards()
                positions = {m.name: m.number for m in self._markets.values() if m.ready}
                positions |= self._shard_positions
                async for stream, number, body in self._tail.follow(positions):
                    failures = 0
                    self._last_sign_s = time.monotonic()
                    market = self._markets.get(stream)
                    if market is None:
                        self._account_record(stream, number, body)
                    else:
                        self._market_record(market, number, body)
            except Exception as error:  # noqa: BLE001 (whatever it was, following must go on)
                failures += 1
                self._tail_failed(error)
                await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S)) - 1])

    async def _place_shards(self) -> None:
        """Begin at the head of every account shard that is not followed yet."""
        missing = [stream for stream in self._shards if stream not in self._shard_positions]
        if missing:
            self._shard_positions.update(await self._heads(missing))

    def _tail_failed(self, error: Exception) -> None:
        known = isinstance(error, TandemError | RedisError)
        self._log.warning("tail_failed", error=str(error), exc_info=None if known else error)
        if isinstance(error, TrimmedError | CorruptRecordError):
            market = self._markets.get(error.stream)
            if market is not None:
                self._seed(market)
            else:
                self._shard_positions.pop(error.stream, None)

    async def _watch_connection(self) -> None:
        """Notice how long the tail has been without its store."""
        while True:
            if getattr(self._tail, "connected", True):
                self._last_sign_s = time.monotonic()
            await asyncio.sleep(STALE_AFTER_S / 10)

    def _account_record(self, stream: str, number: int, body: bytes) -> None:
        self._shard_positions[stream] = number
        shard = int(stream.rpartition(".")[2])
        for observe in self._account_records:
            observe(shard, number, body)

    def _market_record(self, market: Market, number: int, body: bytes) -> None:
        if not market.ready or number <= market.number:
            return
        if number != market.number + 1:
            self._log.warning("gap", market=market.name, number=number, expected=market.number + 1)
            self._seed(market)
            return
        record = self._decoder.decode(body)
        market.apply(number, record)
        for observe in self._records:
            observe(market, number, record)
        self._changed(market)

    # Throttled feeds

    def _changed(self, market: Market) -> None:
        """Publish what may be published now, and set the timer for what must wait."""
        now_ns = time.monotonic_ns()
        due = market.flush(now_ns)
        dues = [due]
        public = public_mode(market.spec) is market.mode
        row = partial(rendering.market_stream_row, market)
        for mode in (market.mode, None) if public else (market.mode,):
            self._rows[mode].mark(market.name, row)
            dues.append(self._rows[mode].flush(now_ns))
        for when in dues:
            if when is not None:
                self._wake_at(when, now_ns)

    def _wake_at(self, due_ns: int, now_ns: int) -> None:
        if self._timer is not None:
            if self._timer_due_ns <= due_ns:
                return
            self._timer.cancel()
        self._timer_due_ns = due_ns
        delay_s = max(0, due_ns - now_ns) / NS_PER_S
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        now_ns = time.monotonic_ns()
        dues = [market.flush(now_ns) for market in self._markets.values() if market.ready]
        dues += [rows.flush(now_ns) for rows in self._rows.values()]
        waiting = [due for due in dues if due is not None]
        if waiting:
            self._wake_at(min(waiting), now_ns)


def public_mode(spec: PairSpec) -> Mode:
    """Say which mode anonymous readers of a pair see: live once it is enabled, paper until then."""
    return Mode.LIVE if spec.live_enabled else Mode.PAPER


def note_settlements(
    unsettled: Unsettled, market: Market, _number: int, record: MarketRecord
) -> None:
    """Note whose money a record sends on its way; a `RecordObserver`."""
    unsettled.note_record(market.name, record.settlements)
