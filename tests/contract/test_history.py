"""The history that is read is the history that happened, once, in every order of crashes."""

import time
from collections.abc import AsyncIterator
from random import Random

import msgspec
import pytest

from actors.engine.events import OrderClosed, Traded
from actors.engine.order import OrderState
from actors.engine.units import Mode, Role
from actors.journal.history import (
    POSITIONS,
    FillRow,
    HistoryStore,
    HistoryWriter,
    Rows,
    positions,
    write_rows,
)
from actors.journal.market_record import MarketRecord
from actors.journal.redis import RedisJournal, connect
from tests.unit.journal.market_flow import STREAM, USERS, Market

DEADLINE_S = 30.0


class Expected:
    """The naive history of some records: everything, by user."""

    def __init__(self, bodies: list[bytes]) -> None:
        self.orders: dict[str, list[OrderState]] = {user: [] for user in USERS}
        self.fills: dict[str, list[FillRow]] = {user: [] for user in USERS}
        for body in bodies:
            record = msgspec.msgpack.decode(body, type=MarketRecord)
            for event in (event for step in record.steps for event in step.events):
                if isinstance(event, OrderClosed):
                    self.orders[event.order.user].append(event.order)
                elif isinstance(event, Traded):
                    self._add(event, record.time_ns)
        for orders in self.orders.values():
            orders.sort(key=lambda order: order.order_no, reverse=True)
        for fills in self.fills.values():
            fills.sort(key=lambda fill: fill.trade_no, reverse=True)

    def _add(self, event: Traded, time_ns: int) -> None:
        for role in Role:
            taker = role is Role.TAKER
            self.fills[event.taker_user if taker else event.maker_user].append(
                FillRow(
                    event.trade_no,
                    event.taker_no if taker else event.maker_no,
                    event.price_ticks,
                    event.size_lots,
                    event.side if taker else event.side.opposite,
                    role,
                    event.venue,
                    event.taker_fee_raw if taker else event.maker_fee_raw,
                    time_ns,
                )
            )


@pytest.fixture
async def history(store_url: str) -> AsyncIterator[HistoryStore]:
    """A reader of an empty history."""
    store = HistoryStore(store_url)
    yield store
    await store.close()


async def assert_is(history: HistoryStore, expected: Expected) -> None:
    """Compare all that is read with the naive history."""
    for user in USERS:
        orders, total = await history.orders(user, "vaix", Mode.PAPER, limit=100_000)
        assert orders == expected.orders[user]
        assert total == len(orders)
        fills = await history.fills(user, "vaix", Mode.PAPER, limit=100_000)
        assert fills == expected.fills[user]


async def test_writer_following_a_market_writes_what_happened(
    store_url: str, history: HistoryStore
) -> None:
    """Orders and fills of every user are there once the position is reached."""
    journal, market = RedisJournal(store_url), Market(seed=11)
    writer = journal.acquire(STREAM)
    bodies = [market.record() for _ in range(60)]
    writer.append(bodies[:30])
    historian = HistoryWriter(store_url, [STREAM, "vaix.live"])
    historian.start()
    writer.append(bodies[30:])
    assert await history.wait_for(STREAM, 60, DEADLINE_S)
    historian.stop()
    await assert_is(history, Expected(bodies))
    assert await history.position(STREAM) == 60
    assert historian.failed == {}
    journal.close()


async def test_writer_stopped_and_started_again_continues_exactly(
    store_url: str, history: HistoryStore
) -> None:
    """Nothing is missed and nothing is there twice after a restart."""
    journal, market = RedisJournal(store_url), Market(seed=12)
    writer = journal.acquire(STREAM)
    bodies = [market.record() for _ in range(90)]
    for start in range(0, 90, 30):
        writer.append(bodies[start : start + 30])
        historian = HistoryWriter(store_url, [STREAM])
        historian.start()
        assert await history.wait_for(STREAM, start + 30, DEADLINE_S)
        historian.stop()
    await assert_is(history, Expected(bodies))
    journal.close()


async def test_rows_written_twice_in_any_order_change_nothing(
    store_url: str, history: HistoryStore
) -> None:
    """Records written again from an earlier position leave the history as it was."""
    market, random = Market(seed=13), Random(13)
    bodies = [market.record() for _ in range(40)]
    with connect(store_url) as client:
        for _ in range(5):
            start = random.randrange(40)
            for first in [0, start]:
                rows = Rows()
                for number in range(first + 1, 41):
                    rows.add(STREAM, number, bodies[number - 1])
                write_rows(client, rows)
        assert positions(client) == {STREAM: 40}
    await assert_is(history, Expected(bodies))


async def test_history_longer_than_the_cap_keeps_the_newest(
    store_url: str, history: HistoryStore
) -> None:
    """The oldest rows go, per user and kind; the total says what is kept."""
    market = Market(seed=14)
    bodies = [market.record() for _ in range(60)]
    expected = Expected(bodies)
    rows = Rows()
    for number, body in enumerate(bodies, 1):
        rows.add(STREAM, number, body)
    with connect(store_url) as client:
        write_rows(client, rows, kept_max=10)
    for user in USERS:
        orders, total = await history.orders(user, "vaix", Mode.PAPER, limit=50)
        assert (orders, total) == (expected.orders[user][:10], 10)
        fills = await history.fills(user, "vaix", Mode.PAPER, limit=50)
        assert fills == expected.fills[user][:10]


async def test_history_read_in_pages_and_by_number(store_url: str, history: HistoryStore) -> None:
    """Pages join without gap or overlap; one order is found by its number."""
    market = Market(seed=15)
    bodies = [market.record() for _ in range(30)]
    rows = Rows()
    for number, body in enumerate(bodies, 1):
        rows.add(STREAM, number, body)
    with connect(store_url) as client:
        write_rows(client, rows)
    user = USERS[0]
    expected = Expected(bodies).orders[user]
    pages = [
        (await history.orders(user, "vaix", Mode.PAPER, limit=7, offset=offset))[0]
        for offset in range(0, len(expected), 7)
    ]
    assert [order for page in pages for order in page] == expected
    order = expected[3]
    assert await history.order(user, "vaix", Mode.PAPER, order.order_no) == order
    assert await history.order(USERS[1], "vaix", Mode.PAPER, order.order_no) is None
    assert await history.order(user, "vaix", Mode.LIVE, order.order_no) is None


async def test_wait_for_a_record_nobody_writes_gives_up_in_time(history: HistoryStore) -> None:
    """A reader is not kept waiting for ever by a writer that is behind."""
    begun = time.monotonic()
    assert not await history.wait_for(STREAM, 1, 0.05)
    assert time.monotonic() - begun < DEADLINE_S


async def test_writer_finding_a_damaged_market_writes_the_others(
    store_url: str, history: HistoryStore
) -> None:
    """One market's damage is told and does not stop the history of another."""
    journal, market = RedisJournal(store_url), Market(seed=16)
    journal.acquire("sbio.paper").append([b"not a record of a market"])
    body = market.record()
    journal.acquire(STREAM).append([body])
    historian = HistoryWriter(store_url, ["sbio.paper", STREAM])
    historian.start()
    assert await history.wait_for(STREAM, 1, DEADLINE_S)
    historian.stop()
    assert list(historian.failed) == ["sbio.paper"]
    await assert_is(history, Expected([body]))
    with connect(store_url) as client:
        assert client.hkeys(POSITIONS) == [STREAM.encode()]
    journal.close()
