"""The engine against a market of lists: the same trades, books, holds and ends of orders."""

import os
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from actors.engine.commands import (
    AmendOrder,
    AnyCommand,
    CancelAll,
    CancelOrder,
    ClockTick,
    PlaceOrder,
)
from actors.engine.events import CommandRejected, OrderClosed
from actors.engine.market_api import OpenOrdersQuery, OrdersReply
from actors.engine.units import (
    NS_PER_S,
    OrderNo,
    OrderStatus,
    OrderType,
    RouteMode,
    Side,
    StpMode,
    UserId,
)
from tests.markets import USERS, Market, random_order
from tests.naive_market import NaiveMarket

LONG_STEPS = int(os.environ.get("TANDEM_MODEL_STEPS", "100000"))
_OPEN = (OrderStatus.PENDING_TRIGGER, OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


class Pair:
    """The engine and the naive market, given the same commands."""

    def __init__(self) -> None:
        self.market = Market()
        self.naive = NaiveMarket(self.market.engine.spec, now=self.market.now_ns)
        self._told = 0

    def send(self, command: AnyCommand, funds_raw: int | None = None) -> None:
        """Send one command to both, and compare."""
        market, naive = self.market, self.naive
        events = market.do(command, funds_raw)
        held = market.commands[-1][2]
        refused = any(isinstance(event, CommandRejected) for event in events)
        if isinstance(command, PlaceOrder):
            naive.place(command, held)
        elif isinstance(command, CancelOrder):
            naive.cancel(command)
        elif isinstance(command, CancelAll):
            naive.cancel_all(command)
        elif isinstance(command, AmendOrder) and not refused:
            naive.amend(command, held)
        for event in events:
            if isinstance(event, CommandRejected) and event.order is not None:
                assert naive.orders[-1].reason is event.reason
        self.compare()

    def pass_time(self, seconds: int) -> None:
        """Let both expire what is due."""
        self.market.now_ns += seconds * NS_PER_S
        self.naive.now = self.market.now_ns
        self.naive.expire()
        self.market.run_due()
        self.compare()

    def compare(self) -> None:
        """Compare what happened since the last time, and the books."""
        market, naive = self.market, self.naive
        market.check()
        assert market.trades == naive.trades
        market.events = [e for e in market.events if not self._compare_closed(e)]
        assert market.depth == (naive.depth(Side.BUY), naive.depth(Side.SELL))
        assert market.engine.open_holds() == naive.held()
        market.events.clear()
        naive.trades.clear()
        if market.sequence % 10 == 0:
            self._compare_open()

    def _compare_closed(self, event: object) -> bool:
        if not isinstance(event, OrderClosed):
            return False
        order, twin = event.order, self.naive.orders[event.order.order_no - 1]
        assert (order.status.name.lower(), order.reason) == (twin.status, twin.reason)
        assert (order.filled_lots, order.remaining_lots) == (twin.filled, twin.left)
        return True

    def _compare_open(self) -> None:
        for user in USERS:
            reply = self.market.engine.query(OpenOrdersQuery(user))
            assert isinstance(reply, OrdersReply)
            shown = [(o.order_no, o.price_ticks, o.remaining_lots) for o in reply.orders]
            assert shown == [(o.number, o.price, o.left) for o in self.naive.open_of(user)]
            assert all(order.status in _OPEN for order in reply.orders)


class MarketMachine(RuleBasedStateMachine):
    """Commands in any order, chosen and shrunk by Hypothesis."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()

    @rule(
        user=st.sampled_from(USERS),
        side=st.sampled_from(Side),
        kind=st.sampled_from([OrderType.LIMIT, OrderType.LIMIT, *OrderType]),
        size=st.integers(1, 30),
        price=st.integers(96, 104),
        stop=st.integers(96, 104),
        display=st.integers(0, 10),
        stp=st.sampled_from(StpMode),
        funds=st.sampled_from([None, None, None, 3_000]),
    )
    def place(
        self,
        *,
        user: UserId,
        side: Side,
        kind: OrderType,
        size: int,
        price: int,
        stop: int,
        display: int,
        stp: StpMode,
        funds: int | None,
    ):
        """Place any order."""
        stops = kind in (OrderType.STOP_LIMIT, OrderType.STOP_MARKET)
        command = PlaceOrder(
            self.pair.market.next_id(),
            user,
            side,
            kind,
            size,
            price,
            stop if stops else 0,
            min(display, size) if kind in (OrderType.LIMIT, OrderType.POST_ONLY) else 0,
            stp,
        )
        self.pair.send(command, funds)

    @rule(user=st.sampled_from(USERS), back=st.integers(0, 12))
    def cancel(self, *, user: UserId, back: int):
        """Cancel a recent order, whosever it is."""
        number = max(1, self.pair.market.engine.last_order_no - back)
        self.pair.send(CancelOrder(self.pair.market.next_id(), user, OrderNo(number)))

    @rule(back=st.integers(0, 12), price=st.integers(95, 105), size=st.integers(0, 40))
    def amend(self, *, back: int, price: int, size: int):
        """Amend a recent order in its owner's name."""
        number = self.pair.market.engine.last_order_no - back
        if number >= 1:
            user = self.pair.naive.orders[number - 1].command.user
            price = 0 if price == 95 else price
            command = AmendOrder(self.pair.market.next_id(), user, OrderNo(number), price, size)
            self.pair.send(command)

    @rule(user=st.sampled_from(USERS), side=st.sampled_from([None, *Side]))
    def cancel_all(self, *, user: UserId, side: Side | None):
        """Cancel all of a user's orders."""
        self.pair.send(CancelAll(self.pair.market.next_id(), user, side))

    @rule(seconds=st.integers(0, 3))
    def wait(self, *, seconds: int):
        """Let time pass."""
        self.pair.pass_time(seconds)

    @invariant()
    def restored_is_equal(self):
        """Keep the state hash stable under a second look."""
        engine = self.pair.market.engine
        assert engine.state_hash() == engine.state_hash()


MarketMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestMarketMachine = MarketMachine.TestCase


def _run(draw: Random, steps: int) -> None:
    pair = Pair()
    for _ in range(steps):
        pair.pass_time(draw.choice([0, 0, 0, 1]))
        market, roll = pair.market, draw.random()
        last = market.engine.last_order_no
        number = OrderNo(max(1, last - draw.randrange(30)))
        user = draw.choice(USERS)
        command: AnyCommand
        if roll < 0.70 or not last:
            command = _plain(random_order(draw, market))
        elif roll < 0.82:
            command = CancelOrder(market.next_id(), user, number)
        elif roll < 0.98:
            owner = pair.naive.orders[number - 1].command.user
            price = draw.choice([0, draw.randrange(92, 109)])
            command = AmendOrder(market.next_id(), owner, number, price, draw.randrange(60))
        elif roll < 0.99:
            command = CancelAll(market.next_id(), user)
        else:
            command = ClockTick(market.next_id())
        pair.send(command, draw.choice([None, None, None, 2_000, 20_000]))


def _plain(order: PlaceOrder) -> PlaceOrder:
    """Keep an order to what the naive market knows."""
    return PlaceOrder(
        order.command_id,
        order.user,
        order.side,
        order.order_type,
        order.size_lots,
        order.price_ticks,
        order.stop_ticks,
        order.display_lots,
        order.stp,
        RouteMode.AUTO,
        0,
        order.time_in_force_ms,
    )


@pytest.mark.parametrize("seed", range(6))
def test_market_random_flow_equals_the_naive_market(seed: int):
    """Random flows trade, rest, hold and end alike in both."""
    _run(Random(seed), 250)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_market_long_random_flow_equals_the_naive_market():
    """The long form: TANDEM_MODEL_STEPS commands (100,000), in flows of 2,000."""
    seed = Random().randrange(2**32)
    print(f"seed {seed}")
    for at in range(LONG_STEPS // 2_000):
        _run(Random(seed + at), 2_000)
