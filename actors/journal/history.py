"""The history: closed and refused orders, and fills, per user and market, beyond a pair's memory.

`HistoryWriter` is a reader of all market streams. What it writes for a record goes out in one
transaction with the number of that record, so after any crash it continues exactly behind what it
wrote, and writing a record twice changes nothing. `HistoryStore` is the gateways' way to read it.

In Redis: per user and market two sorted sets, ``orders`` by order number and ``fills`` by trade
number, whose members are the encoded rows; and the hash ``tandem:history:positions``, per market
the last record written. Each set keeps the newest rows only.
"""

import asyncio
import time
from collections.abc import Iterable
from queue import SimpleQueue
from threading import Event, Thread
from typing import Final, NamedTuple, cast

import msgspec
import redis
import structlog
from redis.exceptions import RedisError
from redis.typing import EncodableT

from actors.engine.events import AnyEvent, CommandRejected, OrderClosed, Traded
from actors.engine.order import OrderState
from actors.engine.units import Mode, OrderNo, Role, Side, UserId
from actors.errors import CorruptRecordError, JournalUnavailableError, TandemError, TrimmedError
from actors.journal.cursor import Batch
from actors.journal.redis import connect, describe
from actors.journal.tail import ThreadTail, connect_async

KEPT_MAX: Final = 10_000
"""Rows kept per user, market and kind, the newest."""
ROWS_MAX: Final = 2_000
"""Rows per transaction: the server does nothing else for about 2 ms."""
PAUSE_S: Final = 0.01
"""Rest after each round, so that a busy exchange is written in few, large ones."""
BACK_OFF_FIRST_S: Final = 0.05
BACK_OFF_MAX_S: Final = 2.0
POSITIONS: Final = "tandem:history:positions"
WAIT_FIRST_S: Final = 0.005
WAIT_MAX_S: Final = 0.05

_LOG = structlog.get_logger("tandem.history")


class FillRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One execution of one of a user's orders; ``side`` is the user's, ``venue`` "" the book's."""

    trade_no: int
    order_no: OrderNo
    price_ticks: int
    size_lots: int
    side: Side
    role: Role
    venue: str
    fee_raw: int
    """In raw quote units."""
    time_ns: int


class _Step(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`market_record.Step` as far as the history needs it."""

    command: msgspec.Raw
    held_raw: int
    events: list[AnyEvent]


class _Record(msgspec.Struct, frozen=True, array_like=True):
    """`market_record.MarketRecord` as far as the history needs it."""

    time_ns: int
    steps: list[_Step]


class _Key(NamedTuple):
    market: str
    user: UserId


class Rows:
    """Rows gathered from records, not yet written. Does no I/O."""

    def __init__(self) -> None:
        self.orders: dict[_Key, dict[bytes, int]] = {}
        self.fills: dict[_Key, dict[bytes, int]] = {}
        self.positions: dict[str, int] = {}
        self.count = 0
        self._encode = msgspec.msgpack.Encoder().encode
        self._records = msgspec.msgpack.Decoder(_Record)

    def add(self, market: str, number: int, body: bytes) -> None:
        """Gather what one record adds to the history.

        Raises:
            CorruptRecordError: the body is not a market's record.
        """
        try:
            record = self._records.decode(body)
        except msgspec.MsgspecError as error:
            raise CorruptRecordError(market, number, f"not a market's: {error}") from error
        for step in record.steps:
            for event in step.events:
                kind = type(event)
                if kind is OrderClosed:
                    self._add_order(market, cast("OrderClosed", event).order)
                elif kind is Traded:
                    self._add_trade(market, cast("Traded", event), record.time_ns)
                elif kind is CommandRejected:
                    order = cast("CommandRejected", event).order
                    if order is not None:
                        self._add_order(market, order)
        self.positions[market] = number

    def _add_order(self, market: str, order: OrderState) -> None:
        rows = self.orders.setdefault(_Key(market, order.user), {})
        rows[self._encode(order)] = order.order_no
        self.count += 1

    def _add_trade(self, market: str, trade: Traded, time_ns: int) -> None:
        """Add the rows of a trade's two parties; a pool has none."""
        parties = (
            (trade.taker_user, trade.taker_no, trade.side, Role.TAKER, trade.taker_fee_raw),
            (
                trade.maker_user,
                trade.maker_no,
                trade.side.opposite,
                Role.MAKER,
                trade.maker_fee_raw,
            ),
        )
        for user, order_no, side, role, fee_raw in parties:
            if not user:
                continue
            row = FillRow(
                trade.trade_no,
                order_no,
                trade.price_ticks,
                trade.size_lots,
                side,
                role,
                trade.venue,
                fee_raw,
                time_ns,
            )
            self.fills.setdefault(_Key(market, user), {})[self._encode(row)] = trade.trade_no
            self.count += 1


class HistoryWriter:
    """Writes the history of all markets from one thread, for ever.

    Args:
        url: the store that holds both the journal and the history.
        markets: the streams to follow.
        kept_max: rows kept per user, market and kind.
    """

    def __init__(self, url: str, markets: Iterable[str], kept_max: int = KEPT_MAX) -> None:
        self.failed: dict[str, TandemError] = {}
        """Markets whose journal cannot be followed any further, and why."""
        self._url = url
        self._kept_max = kept_max
        self._markets = set(markets)
        self._added: SimpleQueue[str] = SimpleQueue()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        """Begin to write, each market from behind its last record written."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread after what it is writing."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def add(self, market: str) -> None:
        """Follow one more market."""
        self._added.put(market)

    def _run(self) -> None:
        back_off_s = BACK_OFF_FIRST_S
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                with connect(self._url) as client:
                    self._write_from_positions(client)
            except (JournalUnavailableError, RedisError, OSError) as error:
                if time.monotonic() - begun > BACK_OFF_MAX_S:
                    back_off_s = BACK_OFF_FIRST_S
                _LOG.warning("history_interrupted", detail=str(error), again_in_s=back_off_s)
                self._stopping.wait(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)

    def _write_from_positions(self, client: "redis.Redis") -> None:
        """Follow and write until something fails or `stop`; a market's own failure ends only it."""
        tail = ThreadTail(self._url)
        try:
            while not self._stopping.is_set():
                self._follow_added(client, tail)
                try:
                    batch = tail.read()
                except TrimmedError as error:  # a hole in the history is told, not hidden
                    _LOG.error("history_gap", stream=error.stream, detail=str(error))
                    tail.add(error.stream, error.first - 1)
                    continue
                except CorruptRecordError as error:
                    self._give_up(tail, error.stream, error)
                    continue
                self._write(client, tail, batch)
                if batch:
                    self._stopping.wait(PAUSE_S)
        finally:
            tail.close()

    def _follow_added(self, client: "redis.Redis", tail: ThreadTail) -> None:
        while not self._added.empty():
            self._markets.add(self._added.get())
        for market in self._markets - self.failed.keys() - tail.positions().keys():
            position = cast("bytes | None", client.hget(POSITIONS, market))
            tail.add(market, int(position or 0))

    def _write(self, client: "redis.Redis", tail: ThreadTail, batch: Batch) -> None:
        rows = Rows()
        for market, number, body in batch:
            if market in self.failed:
                continue
            try:
                rows.add(market, number, body)
            except CorruptRecordError as error:
                self._give_up(tail, market, error)
            if rows.count >= ROWS_MAX:
                write_rows(client, rows, self._kept_max)
                rows = Rows()
        write_rows(client, rows, self._kept_max)

    def _give_up(self, tail: ThreadTail, market: str, error: TandemError) -> None:
        _LOG.error("history_stopped", stream=market, detail=str(error))
        self.failed[market] = error
        tail.drop(market)


def write_rows(client: "redis.Redis", rows: Rows, kept_max: int = KEPT_MAX) -> None:
    """Write gathered rows and the positions they reach, all or nothing, in one round trip.

    Raises:
        RedisError: whether it was written is unknown; writing the same records again is harmless.
    """
    if not rows.positions:
        return
    with client.pipeline(transaction=True) as pipeline:
        for kind, gathered in (("orders", rows.orders), ("fills", rows.fills)):
            for (market, user), found in gathered.items():
                name = history_key(market, kind, user)
                pipeline.zadd(name, cast("dict[bytes, float]", found))
                pipeline.zremrangebyrank(name, 0, -(kept_max + 1))
        pipeline.hset(POSITIONS, mapping=cast("dict[EncodableT, EncodableT]", rows.positions))
        pipeline.execute()


def history_key(market: str, kind: str, user: UserId) -> str:
    """Name the sorted set of a user's ``orders`` or ``fills`` in a market."""
    return f"tandem:history:{{m:{market}}}:{kind}:{user}"


class HistoryStore:
    """Reads the history from an asyncio process."""

    def __init__(self, url: str) -> None:
        self._client = connect_async(url)
        self._orders = msgspec.msgpack.Decoder(OrderState)
        self._fills = msgspec.msgpack.Decoder(FillRow)

    async def orders(
        self, user: UserId, symbol: str, mode: Mode, *, limit: int, offset: int = 0
    ) -> tuple[list[OrderState], int]:
        """Read closed and refused orders, newest first, and how many are kept.

        Raises:
            JournalUnavailableError: the store did not answer.
        """
        name = history_key(_market(symbol, mode), "orders", user)
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.zrevrange(name, offset, offset + limit - 1)
            pipeline.zcard(name)
            try:
                found, total = await pipeline.execute()
            except RedisError as error:
                raise _unavailable(error) from error
        return [self._orders.decode(row) for row in found], int(total)

    async def order(
        self, user: UserId, symbol: str, mode: Mode, order_no: OrderNo
    ) -> OrderState | None:
        """Read one closed or refused order of the user's.

        Raises:
            JournalUnavailableError: the store did not answer.
        """
        name = history_key(_market(symbol, mode), "orders", user)
        try:
            found = await self._client.zrangebyscore(name, order_no, order_no)
        except RedisError as error:
            raise _unavailable(error) from error
        return self._orders.decode(cast("bytes", found[-1])) if found else None

    async def fills(
        self, user: UserId, symbol: str, mode: Mode, *, limit: int, offset: int = 0
    ) -> list[FillRow]:
        """Read the user's executions, newest first.

        Raises:
            JournalUnavailableError: the store did not answer.
        """
        name = history_key(_market(symbol, mode), "fills", user)
        try:
            found = await self._client.zrevrange(name, offset, offset + limit - 1)
        except RedisError as error:
            raise _unavailable(error) from error
        return [self._fills.decode(cast("bytes", row)) for row in found]

    async def position(self, stream: str) -> int:
        """Say which record of a market was written last; 0 for none.

        Raises:
            JournalUnavailableError: the store did not answer.
        """
        try:
            found = await self._client.hget(POSITIONS, stream)
        except RedisError as error:
            raise _unavailable(error) from error
        return int(cast("bytes | None", found) or 0)

    async def wait_for(self, stream: str, sequence: int, timeout_s: float) -> bool:
        """Wait until the writer has passed a record of a stream; false when time ran out.

        Raises:
            JournalUnavailableError: the store did not answer.
        """
        deadline = time.monotonic() + timeout_s
        pause_s = WAIT_FIRST_S
        while await self.position(stream) < sequence:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, WAIT_MAX_S)
        return True

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


def positions(client: "redis.Redis") -> dict[str, int]:
    """Say per market which record was written last: streams may be trimmed only behind it.

    Raises:
        JournalUnavailableError: the store did not answer.
    """
    try:
        found = cast("dict[bytes, bytes]", client.hgetall(POSITIONS))
    except RedisError as error:
        raise _unavailable(error) from error
    return {market.decode(): int(number) for market, number in found.items()}


def _market(symbol: str, mode: Mode) -> str:
    return f"{symbol}.{mode.name.lower()}"


def _unavailable(error: RedisError) -> JournalUnavailableError:
    return JournalUnavailableError("history", describe(error))
