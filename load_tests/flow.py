"""Order flows for the matching benchmarks: the record format, and a generator of our own.

A flow file is a header (u64 magic, u32 version, u32 count) and records of 40 bytes, little endian:
u8 type, u8 side, u8 flags, u8 pad, u32 quantity, u64 sequence, u64 order id, i64 price, i64
reserved. Beside ``NAME.bin`` a ``NAME.json`` tells ``warm``, the number of leading records that
only build the book, and ``expect``, what a correct price-time engine makes of the whole file:
``trades`` and the SHA-256 over its lines ``maker,taker,price,quantity``.
"""

import hashlib
import json
import random
import struct
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

from load_tests.naive_book import NaiveBook

MAGIC: Final = 0x4D4542575F303031
IOC: Final = 1
MARKET: Final = 2

_HEADER: Final = struct.Struct("<QII")
_RECORD: Final = struct.Struct("<BBBxIQQqq")


class FlowError(Exception):
    """A flow file is not what it should be; the message names the file and the fault."""


class Kind(IntEnum):
    """What a record does."""

    NEW = 0
    CANCEL = 1
    AMEND = 2
    """Cancel, and insert again under the same id."""


class Record(NamedTuple):
    """One operation of a flow; ``side`` 0 buys. Cancels carry only the id."""

    kind: int
    side: int
    flags: int
    quantity: int
    order_id: int
    price: int


class Flow(NamedTuple):
    """A flow and what must come of it. The first ``warm`` records are not timed."""

    name: str
    records: list[Record]
    warm: int
    trades: int
    sha256: str


class TradeHash:
    """The checksum of a run: every trade's line, in order."""

    def __init__(self) -> None:
        self.trades = 0
        self._digest = hashlib.sha256()

    def add(self, maker: int, taker: int, price: int, quantity: int) -> None:
        """Count one trade; both orders by the flow's ids."""
        self.trades += 1
        self._digest.update(b"%d,%d,%d,%d\n" % (maker, taker, price, quantity))

    @property
    def sha256(self) -> str:
        """The checksum so far, in hexadecimal."""
        return self._digest.hexdigest()


def read_flow(path: Path) -> Flow:
    """Read a flow file and the expectation beside it.

    Raises:
        FlowError: the file is cut, of another kind, or nothing stands beside it.
    """
    data = path.read_bytes()
    if len(data) < _HEADER.size:
        raise FlowError(f"{path} is {len(data)} bytes, shorter than a flow's header")
    magic, version, count = _HEADER.unpack_from(data)
    if magic != MAGIC or version != 1:
        raise FlowError(f"{path} is no order flow of version 1 (magic {magic:#x}, {version})")
    if len(data) != _HEADER.size + count * _RECORD.size:
        raise FlowError(f"{path} should hold {count} records of {_RECORD.size} bytes, it does not")
    beside = path.with_suffix(".json")
    try:
        told = json.loads(beside.read_text())
        warm, expect = int(told["warm"]), told["expect"]
        trades, sha256 = int(expect["trades"]), str(expect["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FlowError(f"{beside} must tell warm and expect.trades, expect.sha256") from error
    records = [
        Record(kind, side, flags, quantity, order_id, price)
        for kind, side, flags, quantity, _, order_id, price, _ in _RECORD.iter_unpack(
            data[_HEADER.size :]
        )
    ]
    return Flow(path.stem, records, warm, trades, sha256)


def write_flow(flow: Flow, path: Path) -> None:
    """Write a flow and its expectation, as `read_flow` reads them."""
    body = b"".join(
        _RECORD.pack(*record[:4], at, *record[4:], 0) for at, record in enumerate(flow.records)
    )
    path.write_bytes(_HEADER.pack(MAGIC, 1, len(flow.records)) + body)
    expect = {"trades": flow.trades, "sha256": flow.sha256}
    path.with_suffix(".json").write_text(json.dumps({"warm": flow.warm, "expect": expect}))


class Shape(NamedTuple):
    """What a generated flow looks like.

    ``resting`` orders a side are built first and roughly kept; of 1,000 operations ``crossing``
    take, ``amends`` amend, the others add and cancel in turn; a crossing order eats about
    ``appetite`` resting ones; prices lie within ``reach`` ticks of the mid.
    """

    operations: int
    resting: int
    crossing: int
    amends: int
    appetite: int
    reach: int


SHAPES: Final = {
    "normal": Shape(100_000, 1_500, 45, 10, 3, 400),
    "sweep": Shape(60_000, 3_000, 220, 10, 4, 400),
    "deep": Shape(60_000, 25_000, 45, 10, 3, 8_000),
}
"""Small flows of the usual three shapes: a bench without files ends within a minute."""


def generate(name: str, seed: int = 1) -> Flow:
    """Make one of `SHAPES`, the same on every machine: integers from a seeded generator only."""
    return _Generator(SHAPES[name], seed).make(name)


class _Generator:
    """Plays a flow against the naive book, which knows what is live and what trades."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._bits = random.Random(seed).getrandbits
        self._book = NaiveBook()
        self._hash = TradeHash()
        self._records: list[Record] = []
        self._ids: tuple[list[int], list[int]] = ([], [])
        self._last_id = 0
        self._mid = 100_000

    def make(self, name: str) -> Flow:
        shape = self._shape
        for at in range(2 * shape.resting):
            self._add(at % 2)
        warm = len(self._records)
        while len(self._records) < warm + shape.operations:
            if len(self._records) % 40 == 0:
                self._mid += self._below(3) - 1
            self._operate()
        return Flow(name, self._records, warm, self._hash.trades, self._hash.sha256)

    def _operate(self) -> None:
        shape, draw, side = self._shape, self._below(1000), self._below(2)
        if draw < shape.crossing:
            self._cross(side)
        elif draw < shape.crossing + shape.amends:
            self._amend(side)
        elif self._book.live(side) < shape.resting + self._below(shape.resting // 4 + 1):
            self._add(side)
        else:
            self._cancel(side)

    def _below(self, bound: int) -> int:
        return self._bits(40) * bound >> 40

    def _distance(self) -> int:
        """Draw a distance from the mid: the product of two even draws favours the near ones."""
        reach = self._shape.reach
        return 1 + self._below(reach) * self._below(reach) // reach

    def _passive_price(self, side: int) -> int:
        return self._mid - self._distance() if side == 0 else self._mid + self._distance()

    def _issue(self, record: Record) -> None:
        self._records.append(record)
        for trade in self._book.apply(record):
            self._hash.add(*trade)

    def _add(self, side: int) -> None:
        self._last_id += 1
        self._ids[side].append(self._last_id)
        price = self._passive_price(side)
        self._issue(Record(Kind.NEW, side, 0, 1 + self._below(100), self._last_id, price))

    def _cross(self, side: int) -> None:
        self._last_id += 1
        quantity = 1 + self._below(100 * self._shape.appetite)
        kind = self._below(4)
        flags = (IOC | MARKET, IOC | MARKET, IOC, 0)[kind]
        best = self._book.best(1 - side)
        price = (best or self._mid) + (8 if side == 0 else -8)
        if kind < 2:
            price = 1 << 30 if side == 0 else 1
        elif kind == 3:
            self._ids[side].append(self._last_id)
        self._issue(Record(Kind.NEW, side, flags, quantity, self._last_id, price))

    def _cancel(self, side: int) -> None:
        """Cancel a recent or any order; one of fifty names an order that is gone already."""
        order_id = self._pick(side)
        if self._below(50) == 0:
            order_id = 1 + self._below(self._last_id)
        if order_id:
            self._issue(Record(Kind.CANCEL, side, 0, 0, order_id, 0))

    def _amend(self, side: int) -> None:
        order_id = self._pick(side)
        if order_id:
            price = self._passive_price(side)
            quantity = 1 + self._below(100)
            self._issue(Record(Kind.AMEND, side, 0, quantity, order_id, price))

    def _pick(self, side: int) -> int:
        """Pick a live order, mostly a young one; 0 where none is left."""
        ids = self._ids[side]
        while ids:
            count = len(ids)
            young = self._below(10) < 7
            at = count - 1 - self._below(min(count, 200)) if young else self._below(count)
            if self._book.is_live(ids[at]):
                return ids[at]
            ids[at] = ids[-1]
            ids.pop()
        return 0
