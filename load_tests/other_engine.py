"""Another engine on the same flow, as a yardstick: `lightmatchingengine` from PyPI, pure Python.

It takes limit and market orders and cancels, answers with objects, writes nothing, and knows no
accounts. An order that may not rest is cancelled after it traded, as its users do it.
"""

import contextlib
import time
from typing import Any, Final

from load_tests.flow import IOC, MARKET, Flow, Kind, Record
from load_tests.matching import Measured

NAME: Final = "lightmatchingengine"
_INSTRUMENT: Final = "bench"
_SECONDS: Final = 8.0
_CHUNK: Final = 1_000


class OtherBook:
    """The other engine behind the flow's own records."""

    def __init__(self) -> None:
        from lightmatchingengine.lightmatchingengine import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
            LightMatchingEngine,
        )

        self._engine: Any = LightMatchingEngine()
        self._numbers: dict[int, int] = {}

    def apply(self, record: Record) -> int:
        """Apply one record; returns how many executions it made."""
        if record.kind != Kind.NEW:
            number = self._numbers.pop(record.order_id, None)
            if number is not None:
                with contextlib.suppress(AssertionError):  # it forgets what was filled meanwhile
                    self._engine.cancel_order(number, _INSTRUMENT)
            if record.kind == Kind.CANCEL:
                return 0
        price = 0 if record.flags & MARKET else record.price
        side = 2 if record.side else 1
        order, trades = self._engine.add_order(_INSTRUMENT, price, record.quantity, side)
        if order.leaves_qty and record.flags & (IOC | MARKET):
            self._engine.cancel_order(order.order_id, _INSTRUMENT)
        elif order.leaves_qty:
            self._numbers[record.order_id] = order.order_id
        return len(trades)


def run_other(flow: Flow) -> Measured | None:
    """Play a flow, at most `_SECONDS` of it; None where the package is not installed."""
    try:
        book = OtherBook()
    except ImportError:
        return None
    for record in flow.records[: flow.warm]:
        book.apply(record)
    seconds, operations, trades = 0.0, 0, 0
    timed = flow.records[flow.warm :]
    for at in range(0, len(timed), _CHUNK):
        chunk = timed[at : at + _CHUNK]
        begin = time.perf_counter()
        trades += sum([book.apply(record) for record in chunk])
        seconds += time.perf_counter() - begin
        operations += len(chunk)
        if seconds > _SECONDS:
            break
    return Measured(operations, seconds, trades, "")
