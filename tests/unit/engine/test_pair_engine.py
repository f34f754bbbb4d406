"""The engine's seams: levels, counters, replies, queries, due times, deep sweeps and cascades."""

import msgspec
import pytest

from actors.engine.commands import (
    AnyCommand,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    PlaceTwap,
    decoder,
    encode,
)
from actors.engine.events import AnyEvent, LevelChange, OrderClosed
from actors.engine.invariants import InvariantError
from actors.engine.market_api import (
    OpenOrdersQuery,
    OrderQuery,
    OrderReply,
    OrdersReply,
    OutcomeQuery,
    RefusedReply,
    TwapReply,
    TwapsQuery,
    TwapsReply,
    UnknownReply,
)
from actors.engine.order import OrderState
from actors.engine.order_index import CLOSED_KEPT
from actors.engine.pair_engine import PairEngine
from actors.engine.units import (
    NS_PER_S,
    Mode,
    OrderNo,
    OrderStatus,
    OrderType,
    Reason,
    Side,
    UserId,
)
from tests.markets import START_NS, Market, PoolUpdated, make_spec, pool_at

ANN, BOB = UserId("ann"), UserId("bob")
LEVELS = 5_000


def limit(market: Market, user: UserId, side: Side, lots: int, ticks: int) -> list[AnyEvent]:
    """Place a limit order."""
    return market.do(PlaceOrder(market.next_id(), user, side, OrderType.LIMIT, lots, ticks))


def test_levels_touched_twice_in_a_record_are_told_once():
    """A level's change is the difference between two records, not its history."""
    engine = PairEngine(make_spec(holds_enabled=False), Mode.PAPER)
    engine.begin(1, 1)
    for at, ticks in enumerate([100, 100, 101]):
        order = PlaceOrder(f"a{at}", ANN, Side.BUY, OrderType.LIMIT, 5, ticks)
        engine.apply(order)
    engine.apply(CancelOrder("b", ANN, OrderNo(3)))
    assert engine.drain_levels() == [LevelChange(Side.BUY, 100, 10)]
    assert engine.drain_levels() == []


def test_level_gone_and_back_at_the_same_size_is_not_told():
    """A level that was emptied and filled again within a record did not change."""
    market = Market()
    limit(market, ANN, Side.BUY, 5, 100)
    engine = market.engine
    engine.begin(START_NS, 2)
    engine.apply(CancelOrder("x", ANN, OrderNo(1)))
    again = PlaceOrder("y", ANN, Side.BUY, OrderType.LIMIT, 5, 100)
    engine.apply(again, 1_502)
    assert engine.drain_levels() == []
    engine.drain_postings()
    engine.close_record()
    assert engine.book_seq == 1


def test_level_after_a_cancel_is_gone_and_the_best_price_moves():
    """No phantom level stays behind, and no stale best price."""
    market = Market()
    limit(market, ANN, Side.SELL, 5, 100)
    limit(market, ANN, Side.SELL, 5, 101)
    market.do(CancelOrder(market.next_id(), ANN, OrderNo(1)))
    assert market.levels == [LevelChange(Side.SELL, 100, 0)]
    assert market.depth == ([], [(101, 5)])
    limit(market, BOB, Side.BUY, 5, 101)
    assert market.trades == [(2, 3, 101, 5)]


def test_fifo_survives_a_removal_from_the_middle():
    """Of three orders at a price the outer two keep their order when the middle one goes."""
    market = Market()
    for _ in range(3):
        limit(market, ANN, Side.SELL, 5, 100)
    market.do(CancelOrder(market.next_id(), ANN, OrderNo(2)))
    limit(market, BOB, Side.BUY, 10, 100)
    assert [maker for maker, _, _, _ in market.trades] == [1, 3]


def test_filled_maker_leaves_every_index():
    """A filled order is neither open nor cancelable, and its end is remembered."""
    market = Market()
    limit(market, ANN, Side.SELL, 5, 100)
    limit(market, BOB, Side.BUY, 5, 100)
    market.do(CancelOrder(market.next_id(), ANN, OrderNo(1)))
    assert isinstance(market.reply, RefusedReply)
    assert market.reply.reason is Reason.ORDER_CLOSED
    assert market.reply.order is not None
    assert market.reply.order.status is OrderStatus.FILLED
    assert market.engine.query(OpenOrdersQuery(ANN)) == OrdersReply([])


def test_deep_sweep_of_thousands_of_orders_needs_no_stack():
    """One order fills 5,000 others at 5,000 prices."""
    market = Market(max_open_orders=LEVELS)
    for at in range(LEVELS):
        limit(market, ANN, Side.SELL, 1, 100 + at)
    events = limit(market, BOB, Side.BUY, LEVELS, 100 + LEVELS)
    last = events[-1]
    assert isinstance(last, OrderClosed)
    assert len(last.order.fills) == LEVELS
    assert len(market.levels) == LEVELS
    market.check()


def test_deep_cascade_of_thousands_of_stops_needs_no_stack():
    """Each of 2,000 stops trades the price that triggers the next."""
    market = Market(max_open_orders=LEVELS)
    for at in range(2_000):
        stop = PlaceOrder(market.next_id(), BOB, Side.BUY, OrderType.STOP_MARKET, 1, 0, 100 + at)
        market.do(stop)
        limit(market, ANN, Side.SELL, 1, 100 + at)
    limit(market, ANN, Side.SELL, 1, 100 + 2_000)
    limit(market, UserId("cat"), Side.BUY, 1, 100)
    assert market.depth == ([], [])
    assert len(market.trades) == 2_001


def test_counters_advance_once_per_record_by_what_changed():
    """Book, hybrid and trade sequences count records with levels, with either, and trades."""
    market = Market()
    limit(market, ANN, Side.SELL, 5, 100)
    limit(market, BOB, Side.BUY, 2, 100)
    market.do(PoolUpdated(market.next_id(), pool_at("ethereum:0xaa", 90, 1)))
    market.do(CancelOrder(market.next_id(), BOB, OrderNo(9)))
    engine = market.engine
    assert (engine.book_seq, engine.hybrid_seq, engine.trade_seq) == (2, 3, 1)


def test_record_closed_before_it_was_drained_breaks_an_invariant():
    """Changes that nobody took must not vanish."""
    engine = PairEngine(make_spec(holds_enabled=False), Mode.PAPER)
    order = PlaceOrder("a", ANN, Side.BUY, OrderType.LIMIT, 5, 100)
    engine.begin(1, 1)
    engine.apply(order)
    with pytest.raises(InvariantError, match="drain_levels"):
        engine.close_record()


def test_query_of_an_order_shows_it_to_its_owner_only():
    """A foreign order looks like one that never was."""
    market = Market()
    limit(market, ANN, Side.SELL, 5, 100)
    shown = market.engine.query(OrderQuery(ANN, OrderNo(1)))
    assert isinstance(shown, OrderReply)
    assert shown.order.status is OrderStatus.OPEN
    hidden = market.engine.query(OrderQuery(BOB, OrderNo(1)))
    assert hidden == market.engine.query(OrderQuery(BOB, OrderNo(2)))
    assert isinstance(hidden, RefusedReply)


def test_query_of_an_outcome_tells_by_id_what_became_of_a_command():
    """Accepted, refused and never seen are three different answers, and foreign is never seen."""
    market = Market()
    market.do(PlaceOrder("good", ANN, Side.SELL, OrderType.LIMIT, 5, 100))
    market.do(PlaceOrder("bad", ANN, Side.SELL, OrderType.LIMIT, 0, 100))
    query = market.engine.query
    assert isinstance(query(OutcomeQuery(ANN, "good")), OrderReply)
    refused = query(OutcomeQuery(ANN, "bad"))
    assert isinstance(refused, RefusedReply)
    assert refused.reason is Reason.INVALID_QUANTITY
    assert query(OutcomeQuery(ANN, "none")) == UnknownReply()
    assert query(OutcomeQuery(BOB, "good")) == UnknownReply()


def test_cancel_all_reply_lists_the_cancelled_orders_again_when_repeated():
    """A repeated CancelAll gets the first answer, and cancels nothing that came later."""
    market = Market()
    limit(market, ANN, Side.SELL, 5, 100)
    market.do(CancelAll("all", ANN))
    first = market.reply
    limit(market, ANN, Side.SELL, 5, 100)
    assert market.do(CancelAll("all", ANN)) == []
    assert market.reply == first
    assert market.depth == ([], [(100, 5)])


def test_closed_orders_beyond_the_ring_are_forgotten():
    """The oldest of too many closed orders are not found any more; their commands are known."""
    market = Market()
    for _ in range(2 * CLOSED_KEPT):
        order = PlaceOrder(market.next_id(), ANN, Side.SELL, OrderType.IOC, 1, 100)
        market.do(order)
    query = market.engine.query
    assert isinstance(query(OrderQuery(ANN, OrderNo(CLOSED_KEPT + 1))), OrderReply)
    assert isinstance(query(OrderQuery(ANN, OrderNo(CLOSED_KEPT))), RefusedReply)
    again = market.engine.query(OutcomeQuery(ANN, "c1"))
    assert isinstance(again, RefusedReply)
    assert "order history" in again.message


def test_due_names_the_next_deadline_and_forgets_those_of_closed_orders():
    """Expiries and slices are due at their times; a canceled order's deadline is no more."""
    market, engine = Market(), None
    engine = market.engine
    assert engine.next_due_ns() == 0
    order = PlaceOrder("a", ANN, Side.SELL, OrderType.LIMIT, 5, 100, time_in_force_ms=5_000)
    market.do(order)
    assert engine.next_due_ns() == START_NS + 5 * NS_PER_S
    assert engine.due(START_NS) == []
    market.do(CancelOrder("b", ANN, OrderNo(1)))
    assert engine.next_due_ns() == 0


def test_expired_order_does_not_trade_even_when_no_tick_came():
    """An order that has run out is gone before a later command could meet it."""
    market = Market()
    order = PlaceOrder("a", ANN, Side.SELL, OrderType.LIMIT, 5, 100, time_in_force_ms=1_000)
    market.do(order)
    market.now_ns += NS_PER_S
    limit(market, BOB, Side.BUY, 5, 100)
    assert market.trades == []
    assert market.depth == ([(100, 5)], [])


def test_twap_slice_runs_once_after_a_restart():
    """The slice that was due before a snapshot is not run again after it."""
    market = Market()
    limit(market, BOB, Side.SELL, 50, 100)
    market.do(PlaceTwap("t", ANN, Side.BUY, 20, 60_000, 2))
    due = market.engine.due(market.now_ns)
    market.run_due()
    market.engine = PairEngine.restore(make_spec(), Mode.PAPER, market.engine.snapshot())
    assert market.engine.due(market.now_ns) == []
    for command in due:
        assert market.do(command) == []
    twaps = market.engine.query(TwapsQuery(ANN))
    assert isinstance(twaps, TwapsReply)
    assert twaps.twaps[0].filled_lots == 10
    assert isinstance(market.engine.query(OutcomeQuery(ANN, "t")), TwapReply)


def test_public_state_shows_book_trades_candles_and_pools():
    """A replica starts from all that is public."""
    market = Market()
    limit(market, ANN, Side.SELL, 5, 100)
    limit(market, BOB, Side.BUY, 2, 101)
    market.do(PoolUpdated(market.next_id(), pool_at("ethereum:0xaa", 90, 1)))
    state = market.engine.public_state(3)
    assert (state.sequence, state.asks, state.bids) == (3, [(100, 3)], [])
    assert [(t.price_ticks, t.size_lots, t.side) for t in state.trades] == [(100, 2, Side.BUY)]
    assert [candle.volume_lots for candle in state.candles[60]] == [2]
    assert [pool.pool_id for pool in state.pools] == ["ethereum:0xaa"]
    data = msgspec.msgpack.encode(state)
    assert msgspec.msgpack.decode(data, type=type(state)) == state


def test_commands_survive_their_encoding_and_huge_sizes_are_refused():
    """What was encoded is what is applied, and an absurd size is refused, not counted."""
    market = Market(max_order_lots=10**15)
    command: AnyCommand = PlaceOrder("a", ANN, Side.BUY, OrderType.LIMIT, 10**15, 10**6)
    again = decoder().decode(encode(command))
    assert again == command
    market.do(again)
    assert isinstance(market.reply, RefusedReply)
    assert market.reply.reason is Reason.QUANTITY_TOO_LARGE


def test_told_orders_hold_their_records_fields_and_no_others():
    """What the engine keeps beside a record would take the places of fields appended later."""
    engine = PairEngine(make_spec(holds_enabled=False), Mode.PAPER)
    engine.begin(1, 1)
    engine.apply(PlaceOrder("a", ANN, Side.BUY, OrderType.LIMIT, 5, 100))
    closed = engine.apply(CancelOrder("b", ANN, OrderNo(1)))[-1]
    refused = engine.apply(PlaceOrder("c", ANN, Side.BUY, OrderType.LIMIT, 0, 100))[-1]
    told = [msgspec.msgpack.decode(msgspec.msgpack.encode(one))[-1] for one in (closed, refused)]
    assert [len(order) for order in told] == [len(OrderState.__struct_fields__)] * 2
