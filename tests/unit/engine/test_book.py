"""The book's structures: queues, keys, and a validation that finds every kind of damage."""

from collections.abc import Callable

import pytest

from actors.engine.book import Book
from actors.engine.expiry import ExpiryQueue
from actors.engine.invariants import InvariantError
from actors.engine.level import Order
from actors.engine.order import NO_FILLS
from actors.engine.stops import StopBook, is_through
from actors.engine.units import (
    OrderNo,
    OrderStatus,
    OrderType,
    Reason,
    RouteMode,
    Side,
    StpMode,
    UserId,
)


def make_order(number: int, side: Side, ticks: int, lots: int = 5, stop: int = 0) -> Order:
    """Make a resting order, or a waiting one if it has a stop."""
    return Order(
        OrderNo(number),
        f"c{number}",
        UserId("ann"),
        "",
        side,
        OrderType.STOP_LIMIT if stop else OrderType.LIMIT,
        StpMode.CANCEL_RESTING,
        RouteMode.AUTO,
        ticks,
        stop,
        lots,
        0,
        0,
        lots,
        0,
        0,
        OrderStatus.PENDING_TRIGGER if stop else OrderStatus.OPEN,
        Reason.NONE,
        0,
        "",
        0,
        0,
        1,
        NO_FILLS,
    ).begin()


@pytest.fixture
def book() -> Book:
    """Make a book of two bids at one price, one below, and an ask."""
    made = Book()
    for number, ticks in ((1, 99), (2, 99), (3, 98)):
        made.bids.add(make_order(number, Side.BUY, ticks))
    made.asks.add(make_order(4, Side.SELL, 101))
    made.validate()
    return made


def _wrong_total(book: Book) -> None:
    book.bids.levels[99].visible_lots += 1


def _lost_link(book: Book) -> None:
    head = book.bids.levels[99].head
    assert head is not None
    head.next = None


def _unsorted(book: Book) -> None:
    book.bids.keys.reverse()


def _lost_key(book: Book) -> None:
    book.bids.keys.pop()


def _other_price(book: Book) -> None:
    head = book.bids.levels[98].head
    assert head is not None
    head.price_ticks = 97


def _empty_level(book: Book) -> None:
    level = book.bids.levels[98]
    level.head = level.tail = None
    level.visible_lots = 0


def _crossed(book: Book) -> None:
    book.asks.add(make_order(5, Side.SELL, 99))


@pytest.mark.parametrize(
    "damage",
    [_wrong_total, _lost_link, _unsorted, _lost_key, _other_price, _empty_level, _crossed],
)
def test_book_damaged_in_any_way_does_not_validate(book: Book, damage: Callable[[Book], None]):
    """Every kind of damage is found."""
    damage(book)
    with pytest.raises(InvariantError):
        book.validate()


def test_book_order_removed_has_no_links_left(book: Book):
    """A removed order keeps nothing alive, and cannot be removed twice."""
    order = book.bids.levels[99].head
    assert order is not None
    book.bids.remove(order)
    assert (order.level, order.previous, order.next) == (None, None, None)
    book.validate()
    with pytest.raises(InvariantError, match="not on the book"):
        book.bids.remove(order)


def test_book_best_price_follows_the_last_order_of_a_level(book: Book):
    """When a level's last order goes, the next level is the best one."""
    for order in list(book.bids.orders())[:2]:
        book.bids.remove(order)
    assert book.bids.best_ticks == 98
    assert book.asks.best_ticks == 101
    book.asks.remove(next(book.asks.orders()))
    assert book.asks.best_ticks == 0


def test_stops_triggered_by_a_range_come_oldest_first():
    """Both sides trigger by their own end of the range, in the order of their numbers."""
    stops = StopBook()
    for number, side, ticks in (
        (3, Side.BUY, 101),
        (1, Side.BUY, 103),
        (2, Side.SELL, 99),
        (4, Side.SELL, 97),
        (5, Side.BUY, 104),
    ):
        stops.add(make_order(number, side, ticks, stop=ticks))
    assert [order.order_no for order in stops.take_triggered(98, 103)] == [1, 2, 3]
    assert [order.order_no for order in stops.orders()] == [4, 5]
    stops.validate()
    assert len(stops) == 2


@pytest.mark.parametrize(
    ("side", "last", "through"),
    [(Side.BUY, 99, False), (Side.BUY, 100, True), (Side.SELL, 101, False), (Side.SELL, 100, True)],
)
def test_stop_at_100_is_through_at_its_price(side: Side, last: int, through: bool):
    """A trade at the very stop price triggers; without any trade nothing does."""
    assert is_through(side, 100, last) is through
    assert is_through(side, 100, 0) is False


def test_expiry_of_many_closed_orders_does_not_grow_for_ever():
    """Deadlines of closed orders are dropped once they are the most."""
    queue = ExpiryQueue()
    for number in range(5_000):
        queue.add(10_000 - number, number)
        queue.tidy([1, 2])
    assert len(queue.heap) < 1_100
    assert queue.next_ns([4_999]) == 10_000 - 4_999
    assert queue.next_ns([]) == 0
