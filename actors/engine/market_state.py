"""The state of one market, and the few transitions that every stage shares.

What lives here: what is open and closed, the counters, and how an order is filled, rests and ends,
with the events and postings of it. What does not: which orders meet (`matching`), what is allowed
(`order_policies`), and who asked (`pair_engine`).
"""

from actors.engine.book import Book
from actors.engine.candles import Candles
from actors.engine.events import AnyEvent, OrderClosed, OrderRested, Traded
from actors.engine.expiry import ExpiryQueue
from actors.engine.holds import release_to
from actors.engine.invariants import invariant
from actors.engine.level import Order
from actors.engine.order_index import ClosedOrders, OrderIndex
from actors.engine.order_policies import Rules
from actors.engine.pair_spec import PairSpec
from actors.engine.pools.routing import PoolRouter
from actors.engine.pools.state import PoolState
from actors.engine.settlement import Posting, ReleasePosting
from actors.engine.statistics import TradeTape
from actors.engine.stops import StopBook
from actors.engine.twap import TwapBook
from actors.engine.units import MarketStatus, Mode, OrderStatus, Reason, Side

_BUY = Side.BUY
_EXPIRED, _CANCELED = OrderStatus.EXPIRED, OrderStatus.CANCELED
_TIME_IN_FORCE = Reason.TIME_IN_FORCE


class MarketState:
    """One market. ``now_ns`` and ``sequence`` are those of the command being applied."""

    __slots__ = (
        "book",
        "candles",
        "closed",
        "events",
        "expiry",
        "funds",
        "last_order_no",
        "last_price_ticks",
        "last_scale_no",
        "last_trade_no",
        "now_ns",
        "open",
        "parents_touched",
        "pools",
        "pools_changed",
        "pools_tradable",
        "postings",
        "rules",
        "sequence",
        "spec",
        "status",
        "stops",
        "tape",
        "traded_high",
        "traded_low",
        "twaps",
        "untold",
    )

    def __init__(self, spec: PairSpec, mode: Mode) -> None:
        self.spec = spec
        self.rules = Rules(spec, mode)
        self.funds = spec.holds_enabled
        self.book = Book()
        self.open = OrderIndex()
        self.closed = ClosedOrders()
        self.stops = StopBook()
        self.expiry = ExpiryQueue()
        self.pools = PoolRouter(spec)
        self.pools_tradable = False
        self.pools_changed = False
        self.twaps = TwapBook()
        self.parents_touched = False
        self.tape = TradeTape()
        self.candles = Candles()
        self.untold: list[Traded] = []
        self.events: list[AnyEvent] = []
        self.postings: list[Posting] = []
        self.status = MarketStatus.TRADING
        self.last_order_no = 0
        self.last_trade_no = 0
        self.last_scale_no = 0
        self.last_price_ticks = 0
        self.now_ns = 0
        self.sequence = 0
        # Prices traded since stops were last looked at; (0, 0) for none.
        self.traded_low = 0
        self.traded_high = 0

    def close(self, order: Order, status: OrderStatus, reason: Reason) -> None:
        """End an order that is not among the stops; it leaves the book if it is there.

        Flat, since every order comes here: it leaves its level and the index, and enters the closed
        ones, in place. Nobody changes it afterwards: it is its own record.
        """
        level = order.level
        if level is not None:
            # As `Level.unlink` does it.
            before, after = order.previous, order.next
            if before is None:
                level.head = after
            else:
                before.next = after
                order.previous = None
            if after is None:
                level.tail = before
            else:
                after.previous = before
                order.next = None
            order.level = None
            level.visible_lots -= order.shown_lots if order.display_lots else order.remaining_lots
            if not level.dirty:
                level.dirty = True
                self.book.dirty.append(level)
            if level.head is None:
                (self.book.asks if order.side else self.book.bids).drop(level)
        if self.funds and order.held_raw:
            release_to(self.postings, order, 0)
        number, user, living = order.order_no, order.user, self.open
        del living.by_number[number]
        if living.by_user[user] is order:
            del living.by_user[user]
        else:
            living.remove_further(order)
        if order.client_order_id:
            del living.by_client_id[user, order.client_order_id]
        order.status = status
        order.reason = reason
        order.updated_ns = self.now_ns
        order.sequence = self.sequence
        self.closed.recent[number] = order
        self.events.append(OrderClosed(order))
        if order.parent:
            self.parents_touched = True
            self.twaps.child_closed(order.parent, number)

    def cancel(self, order: Order, reason: Reason) -> None:
        """End a living order wherever it waits."""
        if order.pending:
            self.stops.remove(order)
        self.close(order, _EXPIRED if reason is _TIME_IN_FORCE else _CANCELED, reason)

    def put_pool(self, state: PoolState) -> None:
        """Take a pool's state as the truth from now on; in live mode it is only shown."""
        self.pools.update(state)
        live = any(curve is not None for curve in self.pools.curves())
        self.pools_tradable = live and self.rules.mode is Mode.PAPER

    def publish_trades(self) -> None:
        """Bring the trades made at ``now_ns`` to the tape and the candles."""
        untold = self.untold
        if not untold:
            return
        now = self.now_ns
        prices = [trade.price_ticks for trade in untold]
        self.candles.merge(
            now,
            (prices[0], max(prices), min(prices), prices[-1]),
            sum([trade.size_lots for trade in untold]),
            sum([trade.quote_raw for trade in untold]),
            len(untold),
        )
        self.tape.tell(now, untold)
        self.untold = []

    def withdraw(self, order: Order) -> None:
        """Take a living order off the book or out of the stops; it stays in the index."""
        if order.level is not None:
            (self.book.bids if order.side is _BUY else self.book.asks).remove(order)
        elif order.pending:
            self.stops.remove(order)

    def rest(self, order: Order) -> None:
        """Put what is left of an order on the book, and free what a maker need not hold."""
        if order.display_lots:
            order.shown_lots = min(order.display_lots, order.remaining_lots)
        (self.book.bids if order.side is _BUY else self.book.asks).add(order)
        if self.funds:
            release_to(self.postings, order, self.resting_need(order))

    def resting_need(self, order: Order) -> int:
        """Reckon what a resting order must hold: notional and maker fee, or its base."""
        rules = self.rules
        if order.side:
            return order.remaining_lots * rules.base_unit
        notional = order.price_ticks * order.remaining_lots * rules.quote_unit
        return notional - (-notional * order.maker_ppm // 1_000_000)

    def tell_rested(self, order: Order) -> None:
        """Say that an order which traded in this step now rests."""
        self.events.append(
            OrderRested(
                order.order_no,
                order.user,
                order.filled_lots,
                order.remaining_lots,
                order.filled_quote_raw,
            )
        )

    def release(self, posting: ReleasePosting) -> None:
        """Give back a hold that no order came to own."""
        if posting.amount_raw > 0:
            self.postings.append(posting)

    def validate(self) -> None:
        """Check the book, the stops, the index, and every order's money.

        Raises:
            InvariantError: naming what is wrong.
        """
        self.book.validate()
        self.stops.validate()
        placed: set[int] = set()
        for side in self.book.sides:
            placed.update(order.order_no for order in side.orders())
        waiting = {order.order_no for order in self.stops.orders()}
        invariant(not placed & waiting, "an order is on the book and among the stops")
        invariant(placed | waiting == set(self.open.by_number), "index and places differ")
        by_user = [one for user in self.open.by_user for one in self.open.of_user(user)]
        invariant(
            sorted(one.order_no for one in by_user) == sorted(self.open.by_number),
            "orders by user and by number differ",
        )
        for order in self.open.all():
            self._validate_order(order)

    def _validate_order(self, order: Order) -> None:
        name = f"order {order.order_no}"
        invariant(order.remaining_lots > 0, f"{name} lives with nothing left")
        invariant(
            order.size_lots == order.filled_lots + order.remaining_lots, f"{name} does not add up"
        )
        fills = order.fills
        invariant(
            order.filled_lots == sum(fill.size_lots for fill in fills), f"{name}: fills differ"
        )
        if not self.funds:
            return
        invariant(order.fee_raw == sum(fill.fee_raw for fill in fills), f"{name}: fees differ")
        if order.side:
            spent = order.filled_lots * self.rules.base_unit
            least = order.remaining_lots * self.rules.base_unit
        else:
            spent = order.filled_quote_raw + order.fee_raw
            least = order.price_ticks * order.remaining_lots * self.rules.quote_unit
        invariant(
            order.held_in_raw == order.held_raw + spent + order.released_raw,
            f"{name}: held {order.held_in_raw} is not spent {spent} + released "
            f"{order.released_raw} + left {order.held_raw}",
        )
        invariant(order.held_raw >= least, f"{name} holds {order.held_raw}, less than {least}")
