"""The matching benchmark: a flow through the production engine, bytes in and bytes out.

Records become the engine's own encoded commands before the clock starts. What is timed is what a
pair does with them besides waiting for disks and shards: decode, apply, collect level changes,
and encode one journal record per batch with every event. Fees, holds and self-trade prevention
are off (`PairSpec.holds_enabled`), and every order has an account of its own.
"""

import gc
import time
from collections.abc import Iterator
from itertools import repeat
from typing import Final, NamedTuple, cast

import msgspec

from actors.engine.commands import AnyCommand, CancelOrder, Command, PlaceOrder, decoder, encode
from actors.engine.events import Traded
from actors.engine.pair_engine import PairEngine
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.units import PPM, Mode, OrderNo, OrderType, Side, UserId
from actors.journal.market_record import MarketRecord, Step, WrittenStep
from load_tests.flow import IOC, MARKET, Flow, Kind, Record, TradeHash
from load_tests.naive_book import NaiveBook

BATCH: Final = 100
"""Commands per journal record, as a busy pair gathers them."""

_NAIVE_SECONDS: Final = 8.0
"""The naive book is stopped here: on a deep flow it would take minutes."""

BENCH_SPEC: Final = PairSpec(
    "bench",
    AssetSpec("BENCH", 0),
    AssetSpec("USDC", 6),
    "0.000001",
    "1",
    price_protection_ppm=PPM,
    holds_enabled=False,
)
"""Market orders may walk to twice (or to nothing of) the first price: the flows know no bound."""


class Measured(NamedTuple):
    """One run: operations timed, seconds, and what was traded in the whole flow."""

    operations: int
    seconds: float
    trades: int
    sha256: str

    @property
    def per_second(self) -> int:
        """Operations (records) a second."""
        return round(self.operations / self.seconds)


class Adapter:
    """Turns flow records into commands, and the engine's order numbers back into the flow's ids.

    The engine numbers the orders it is asked to place 1, 2, 3 …, so the number of each is known
    beforehand. An amend is a cancel and a new order, as the format says (flows amend only what is
    live).
    """

    def __init__(self) -> None:
        self.order_ids = [0]
        """By engine order number: the flow's id."""
        self._numbers: dict[int, OrderNo] = {}
        self._issued = 0

    def commands(self, record: Record) -> list[Command]:
        """Return the one or two commands of a record."""
        made: list[Command] = []
        if record.kind != Kind.NEW:
            made.append(
                CancelOrder(
                    self._command_id(),
                    _user(record.order_id),
                    self._numbers.get(record.order_id, OrderNo(0)),
                )
            )
        if record.kind != Kind.CANCEL:
            made.append(self._place(record))
        return made

    def _place(self, record: Record) -> PlaceOrder:
        kind = OrderType.LIMIT
        if record.flags & MARKET:
            kind = OrderType.MARKET
        elif record.flags & IOC:
            kind = OrderType.IOC
        self._numbers[record.order_id] = OrderNo(len(self.order_ids))
        self.order_ids.append(record.order_id)
        price = 0 if kind is OrderType.MARKET else record.price
        return PlaceOrder(
            self._command_id(),
            _user(record.order_id),
            Side(record.side),
            kind,
            record.quantity,
            price,
        )

    def _command_id(self) -> str:
        self._issued += 1
        return f"{self._issued:x}"


def _user(order_id: int) -> UserId:
    return UserId(f"u{order_id}")


def run_engine(flow: Flow) -> Measured:
    """Play a flow through the engine; only what comes after the warm-up is timed."""
    adapter = Adapter()
    warm = _batches(flow.records[: flow.warm], adapter)
    timed = _batches(flow.records[flow.warm :], adapter)
    line = _Line()
    checksum = TradeHash()
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1000)  # as a pair actor sets it
    try:
        for batch in warm:
            line.check(line.run(batch), checksum, adapter.order_ids)
        seconds = 0.0
        for batch in timed:
            begin = time.perf_counter()
            body = line.run(batch)
            seconds += time.perf_counter() - begin
            line.check(body, checksum, adapter.order_ids)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
    return Measured(len(flow.records) - flow.warm, seconds, checksum.trades, checksum.sha256)


def run_wire(flow: Flow) -> int:
    """Time what no engine can save, reading commands and writing records; operations a second."""
    adapter, line = Adapter(), _Line()
    for batch in _batches(flow.records[: flow.warm], adapter):
        line.run(batch)
    seconds = 0.0
    for batch in _batches(flow.records[flow.warm :], adapter):
        begin = time.perf_counter()
        commands = line.read(batch)
        seconds += time.perf_counter() - begin
        record = line.apply(batch, commands)
        begin = time.perf_counter()
        line.write(record)
        seconds += time.perf_counter() - begin
    return round((len(flow.records) - flow.warm) / seconds)


def run_naive(flow: Flow) -> Measured:
    """Play a flow through the naive book, at most `_NAIVE_SECONDS` of it."""
    book, checksum = NaiveBook(), TradeHash()
    for record in flow.records[: flow.warm]:
        for trade in book.apply(record):
            checksum.add(*trade)
    seconds, operations = 0.0, 0
    for chunk in _chunks(flow.records[flow.warm :], 1000):
        begin = time.perf_counter()
        results = [book.apply(record) for record in chunk]
        seconds += time.perf_counter() - begin
        operations += len(chunk)
        for trades in results:
            for trade in trades:
                checksum.add(*trade)
        if seconds > _NAIVE_SECONDS:
            break
    return Measured(operations, seconds, checksum.trades, checksum.sha256)


class _Line:
    """The engine with its decoder and encoder, batch by batch."""

    def __init__(self) -> None:
        self._engine = PairEngine(BENCH_SPEC, Mode.PAPER)
        self._decode = decoder().decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._read = msgspec.msgpack.Decoder(MarketRecord).decode
        self._sequence = 0

    def run(self, batch: list[bytes]) -> bytes:
        """Apply a batch and return its encoded journal record."""
        return self.write(self.apply(batch, self.read(batch)))

    def read(self, batch: list[bytes]) -> list[AnyCommand]:
        """Decode a batch."""
        return list(map(self._decode, batch))

    def write(self, record: MarketRecord) -> bytes:
        """Encode a record."""
        return self._encode(record)

    def apply(self, batch: list[bytes], commands: list[AnyCommand]) -> MarketRecord:
        """Apply a batch and return its journal record."""
        engine = self._engine
        self._sequence += 1
        sequence, time_ns = self._sequence, self._sequence * 1_000_000
        engine.begin(time_ns, sequence)
        made = engine.apply_all(commands, repeat(0))
        encoded = map(msgspec.Raw, batch)
        steps: list[WrittenStep] = list(zip(encoded, repeat(0), made, strict=False))
        engine.drain_postings()
        levels = engine.drain_levels()
        engine.close_record()
        return MarketRecord(
            time_ns,
            cast("list[Step]", steps),
            levels,
            [],
            engine.book_seq,
            engine.hybrid_seq,
            engine.trade_seq,
            [0],
            [0],
        )

    def check(self, body: bytes, checksum: TradeHash, order_ids: list[int]) -> None:
        """Read the trades back out of the encoded record, outside the clock."""
        for step in self._read(body).steps:
            for event in step.events:
                if isinstance(event, Traded):
                    checksum.add(
                        order_ids[event.maker_no],
                        order_ids[event.taker_no],
                        event.price_ticks,
                        event.size_lots,
                    )


def _batches(records: list[Record], adapter: Adapter) -> list[list[bytes]]:
    return [
        [encode(command) for record in chunk for command in adapter.commands(record)]
        for chunk in _chunks(records, BATCH)
    ]


def _chunks(records: list[Record], size: int) -> Iterator[list[Record]]:
    return (records[at : at + size] for at in range(0, len(records), size))
