"""Flows, the naive book, and the adapter that plays a flow on the engine."""

import struct
from pathlib import Path

import pytest

from actors.engine.commands import CancelOrder, PlaceOrder
from actors.engine.units import OrderType, Side
from load_tests.flow import (
    IOC,
    MARKET,
    SHAPES,
    Flow,
    FlowError,
    Kind,
    Record,
    Shape,
    TradeHash,
    generate,
    read_flow,
    write_flow,
)
from load_tests.matching import Adapter, run_engine, run_naive
from load_tests.naive_book import NaiveBook
from load_tests.table import Row, quantile, show


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Flow:
    """A short flow of every kind of record."""
    monkeypatch.setitem(SHAPES, "small", Shape(3_000, 60, 150, 60, 3, 40))
    return generate("small")


def new(order_id: int, side: int, price: int, quantity: int, flags: int = 0) -> Record:
    return Record(Kind.NEW, side, flags, quantity, order_id, price)


def test_generate_twice_is_the_same_flow(small: Flow):
    """A seed names a flow; another seed another one."""
    assert generate("small") == small
    assert generate("small", seed=2).sha256 != small.sha256


def test_generate_makes_every_kind_of_record(small: Flow):
    """Adds, cancels, amends, ioc and market orders, and trades."""
    assert {record.kind for record in small.records} == set(Kind)
    assert {record.flags for record in small.records} == {0, IOC, IOC | MARKET}
    assert small.trades > 100


def test_engine_and_naive_book_agree_on_a_flow(small: Flow):
    """The production engine makes the very trades of the simplest correct book."""
    engine, naive = run_engine(small), run_naive(small)
    assert (engine.trades, engine.sha256) == (small.trades, small.sha256)
    assert (naive.trades, naive.sha256) == (small.trades, small.sha256)
    assert engine.operations == naive.operations == len(small.records) - small.warm
    assert engine.per_second > 0


def test_engine_on_an_altered_flow_has_another_checksum(small: Flow):
    """The checksum notices one changed price."""
    at = next(i for i, record in enumerate(small.records) if record.kind == Kind.NEW)
    altered = [*small.records]
    altered[at] = altered[at]._replace(quantity=altered[at].quantity + 1)
    assert run_engine(small._replace(records=altered)).sha256 != small.sha256


def test_write_and_read_a_flow_gives_it_back(small: Flow, tmp_path: Path):
    """A file is exactly the flow."""
    write_flow(small, tmp_path / "small.bin")
    assert read_flow(tmp_path / "small.bin") == small


@pytest.mark.parametrize(
    "data",
    [b"", b"short", struct.pack("<QII", 1, 1, 0), struct.pack("<QII", 0x4D4542575F303031, 1, 5)],
)
def test_read_flow_of_another_kind_of_file_is_refused(data: bytes, tmp_path: Path):
    """Cut or foreign files are named, not played."""
    (tmp_path / "x.bin").write_bytes(data)
    with pytest.raises(FlowError, match=r"x\.bin"):
        read_flow(tmp_path / "x.bin")


@pytest.mark.parametrize("text", [None, "{}", "not json", '{"warm": 1, "expect": {}}'])
def test_read_flow_without_its_expectation_is_refused(text: str | None, tmp_path: Path):
    """A flow without its result proves nothing."""
    write_flow(Flow("x", [], 0, 0, ""), tmp_path / "x.bin")
    (tmp_path / "x.json").unlink()
    if text is not None:
        (tmp_path / "x.json").write_text(text)
    with pytest.raises(FlowError, match=r"x\.json"):
        read_flow(tmp_path / "x.bin")


def test_naive_book_trades_by_price_then_time():
    """The best price first, the older order first, at the resting price; the rest rests."""
    book = NaiveBook()
    for record in (new(1, 1, 101, 5), new(2, 1, 100, 5), new(3, 1, 100, 5)):
        assert book.apply(record) == []
    assert book.apply(new(4, 0, 101, 12)) == [(2, 4, 100, 5), (3, 4, 100, 5), (1, 4, 101, 2)]
    assert (book.best(1), book.best(0), book.live(1)) == (101, 0, 1)
    assert book.apply(new(5, 0, 101, 9)) == [(1, 5, 101, 3)]
    assert (book.best(1), book.best(0), book.live(0)) == (0, 101, 1)


def test_naive_book_ioc_remainder_does_not_rest():
    """What an ioc order does not get is gone."""
    book = NaiveBook()
    book.apply(new(1, 1, 100, 5))
    assert book.apply(new(2, 0, 100, 9, IOC)) == [(1, 2, 100, 5)]
    assert not book.is_live(2)


def test_naive_book_amend_loses_its_place_and_cancel_of_nothing_is_nothing():
    """An amended order goes to the back of its queue."""
    book = NaiveBook()
    book.apply(new(1, 1, 100, 5))
    book.apply(new(2, 1, 100, 5))
    book.apply(Record(Kind.AMEND, 1, 0, 5, 1, 100))
    assert book.apply(Record(Kind.CANCEL, 0, 0, 0, 77, 0)) == []
    assert book.apply(new(3, 0, 100, 6)) == [(2, 3, 100, 5), (1, 3, 100, 1)]


def test_adapter_turns_records_into_commands():
    """Each order has its own account; an amend is a cancel and a new order of the next number."""
    adapter = Adapter()
    (placed,) = adapter.commands(new(9, 1, 100, 5))
    assert isinstance(placed, PlaceOrder)
    assert (placed.user, placed.side, placed.order_type) == ("u9", Side.SELL, OrderType.LIMIT)
    cancel, again = adapter.commands(Record(Kind.AMEND, 1, 0, 7, 9, 101))
    assert isinstance(cancel, CancelOrder)
    assert isinstance(again, PlaceOrder)
    assert (cancel.order_no, again.size_lots, again.price_ticks) == (1, 7, 101)
    (gone,) = adapter.commands(Record(Kind.CANCEL, 1, 0, 0, 9, 0))
    assert isinstance(gone, CancelOrder)
    assert gone.order_no == 2
    assert adapter.order_ids == [0, 9, 9]
    kinds = [adapter.commands(new(1, 0, 5, 5, flags))[0] for flags in (IOC, IOC | MARKET)]
    assert [one.order_type for one in kinds if isinstance(one, PlaceOrder)] == [
        OrderType.IOC,
        OrderType.MARKET,
    ]


def test_adapter_cancel_of_an_unknown_order_names_none():
    """The engine refuses order number 0, as it should."""
    (cancel,) = Adapter().commands(Record(Kind.CANCEL, 0, 0, 0, 5, 0))
    assert isinstance(cancel, CancelOrder)
    assert cancel.order_no == 0


def test_trade_hash_covers_every_field():
    """Two runs with the same numbers in other places differ."""
    one, other = TradeHash(), TradeHash()
    one.add(1, 2, 3, 4)
    other.add(1, 2, 4, 3)
    assert one.trades == other.trades == 1
    assert one.sha256 != other.sha256


def test_table_lays_rows_out_and_quantiles_stay_inside():
    """Columns line up; the highest quantile is the last value."""
    text = show("T", [Row("a", "1/s", "x"), Row("longer", "10/s")])
    assert text.splitlines() == ["T", "-", "a        1/s  x", "longer  10/s"]
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert quantile([1.0, 2.0, 3.0], 1.0) == 3.0
