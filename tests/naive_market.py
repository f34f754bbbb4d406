"""A market without cleverness: lists that are sorted anew for every question.

It knows limit, market, ioc, fok, post_only and stop orders, icebergs, self-trade prevention,
expiry, amends and holds, written from the rules of the exchange and not from the engine. It knows
neither pools nor parents.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from actors.engine.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from actors.engine.pair_spec import PairSpec
from actors.engine.units import NS_PER_MS, OrderType, Reason, Side, StpMode

STOPS = (OrderType.STOP_LIMIT, OrderType.STOP_MARKET)
RESTING = (OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP_LIMIT)


def fee(quote: int, ppm: int) -> int:
    """Round a fee up."""
    return ceil(Fraction(quote * ppm, 1_000_000))


@dataclass
class NaiveOrder:
    """One order, open or closed."""

    number: int
    command: PlaceOrder
    price: int
    size: int
    left: int
    held: int
    expires: int
    rank: int = 0
    shown: int = 0
    filled: int = 0
    status: str = "new"
    reason: Reason = Reason.NONE

    @property
    def visible(self) -> int:
        """What the book shows."""
        return self.shown if self.command.display_lots else self.left


@dataclass
class NaiveMarket:
    """The whole market in a few lists."""

    spec: PairSpec
    orders: list[NaiveOrder] = field(default_factory=list)
    trades: list[tuple[int, int, int, int]] = field(default_factory=list)
    last: int = 0
    ranks: int = 0
    now: int = 0
    fresh: list[int] = field(default_factory=list)

    def resting(self, side: Side) -> list[NaiveOrder]:
        """List one side in price-time order."""
        mine = [o for o in self.orders if o.status == "resting" and o.command.side is side]
        return sorted(mine, key=lambda o: (o.price if side is Side.SELL else -o.price, o.rank))

    def depth(self, side: Side) -> list[tuple[int, int]]:
        """Show one side's levels, best first."""
        levels: dict[int, int] = {}
        for order in self.resting(side):
            levels[order.price] = levels.get(order.price, 0) + order.visible
        return list(levels.items())

    def held(self) -> dict[tuple[str, int], int]:
        """Sum what open orders hold."""
        sums: dict[tuple[str, int], int] = {}
        for order in self.orders:
            key = (order.command.user, int(order.command.side))
            sums[key] = sums.get(key, 0) + order.held
        return {key: amount for key, amount in sums.items() if amount}

    def expire(self) -> None:
        """End what has run out, the earliest first."""
        due = [o for o in self.orders if self.lives(o) and o.expires and o.expires <= self.now]
        for order in sorted(due, key=lambda o: (o.expires, o.number)):
            self.close(order, "expired", Reason.TIME_IN_FORCE)

    def lives(self, order: NaiveOrder) -> bool:
        """Tell whether anything can still happen to an order."""
        return order.status in ("resting", "waiting")

    def open_of(self, user: str) -> list[NaiveOrder]:
        """List a user's living orders."""
        return [o for o in self.orders if self.lives(o) and o.command.user == user]

    def place(self, command: PlaceOrder, held: int) -> None:
        """Take a new order whose fields are sound in themselves."""
        kind = command.order_type
        price = 0 if kind in (OrderType.MARKET, OrderType.STOP_MARKET) else command.price_ticks
        expires = command.expire_at_ns
        if command.time_in_force_ms:
            expires = self.now + command.time_in_force_ms * NS_PER_MS
        size = command.size_lots
        order = NaiveOrder(len(self.orders) + 1, command, price, size, size, 0, expires)
        self.orders.append(order)
        order.reason = self.refusal(order, held)
        if order.reason:
            order.status = "rejected"
            return
        order.held = max(held, 0)
        if kind in STOPS:
            order.status = "waiting"
        else:
            self.enter(order)
            self.cascade()

    def refusal(self, order: NaiveOrder, held: int) -> Reason:
        """Find the first reason to refuse."""
        command, kind = order.command, order.command.order_type
        waits = kind in (*RESTING, *STOPS)
        if waits and len(self.open_of(command.user)) >= self.spec.max_open_orders:
            return Reason.TOO_MANY_OPEN_ORDERS
        if held < 0:
            return Reason.INSUFFICIENT_FUNDS
        crossing = [
            o for o in self.resting(command.side.opposite) if self.meets(order.price, order, o)
        ]
        if kind is OrderType.POST_ONLY and crossing:
            return Reason.WOULD_TAKE
        if kind is OrderType.FOK and self.fillable(order, held) < order.size:
            return Reason.WOULD_NOT_FILL
        if kind in STOPS and self.last:
            stop = command.stop_ticks
            if self.last >= stop if command.side is Side.BUY else self.last <= stop:
                return Reason.STOP_WOULD_TRIGGER
        return Reason.NONE

    def meets(self, limit: int, taker: NaiveOrder, maker: NaiveOrder) -> bool:
        """Tell whether a price is within a limit (0: none)."""
        if not limit:
            return True
        buy = taker.command.side is Side.BUY
        return maker.price <= limit if buy else maker.price >= limit

    def bound(self, taker: NaiveOrder) -> int:
        """Name the worst price an order takes; 0 when an unpriced one finds nothing."""
        if taker.price:
            return taker.price
        side, user = taker.command.side, taker.command.user
        others = [o for o in self.resting(side.opposite) if o.command.user != user]
        if not others:
            return 0
        share = Fraction(self.spec.price_protection_ppm, 1_000_000)
        first = others[0].price
        return floor(first * (1 + share)) if side is Side.BUY else max(1, ceil(first * (1 - share)))

    def fillable(self, taker: NaiveOrder, held: int) -> int:
        """Count the lots that an order would get at once."""
        bound, left, lost, cost = self.bound(taker), taker.size, 0, 0
        if not bound:
            return 0
        for maker in self.resting(taker.command.side.opposite):
            if not left or not self.meets(bound, taker, maker):
                break
            if maker.command.user == taker.command.user:
                if taker.command.stp is StpMode.CANCEL_RESTING:
                    continue
                if taker.command.stp is not StpMode.DECREMENT_AND_CANCEL:
                    break
                lost += min(left, maker.left)
                left -= min(left, maker.left)
                continue
            take = min(left, maker.left)
            left -= take
            tranche = maker.command.display_lots or take
            while take:
                quote = min(take, tranche) * maker.price * self.unit
                cost += quote + fee(quote, self.spec.taker_fee_ppm)
                take -= min(take, tranche)
        if taker.command.side is Side.BUY and not taker.price and cost > held:
            return 0
        return taker.size - left - lost

    @property
    def unit(self) -> int:
        """Raw quote units per tick and lot."""
        return self.spec.quote_raw_per_tick_lot

    def enter(self, taker: NaiveOrder) -> None:
        """Match, then rest or close."""
        reason = self.match(taker)
        kind = taker.command.order_type
        if not taker.left:
            self.close(taker, "filled", Reason.NONE)
        elif reason in (Reason.SELF_TRADE, Reason.FUNDS_EXHAUSTED, Reason.PRICE_PROTECTION):
            self.close(taker, "canceled", reason)
        elif kind in RESTING:
            self.rest(taker)
        elif kind in (OrderType.IOC, OrderType.FOK) and taker.filled:
            self.close(taker, "canceled", Reason.IOC_REMAINDER)
        else:
            self.close(taker, "canceled", Reason.NO_LIQUIDITY)

    def match(self, taker: NaiveOrder) -> Reason:
        """Meet the best order on the other side, again and again."""
        bound = self.bound(taker)
        if not bound or (not taker.price and not taker.held):
            return self.meet_own(taker)
        while taker.left:
            others = self.resting(taker.command.side.opposite)
            if not others:
                return Reason.NO_LIQUIDITY
            maker = others[0]
            if not self.meets(bound, taker, maker):
                return Reason.NONE if taker.price else Reason.PRICE_PROTECTION
            if maker.command.user == taker.command.user:
                if self.prevent(taker, maker):
                    return Reason.SELF_TRADE
                continue
            lots = min(taker.left, maker.visible)
            if taker.command.side is Side.BUY and not taker.price:
                while lots and self.cost(lots, maker.price) > taker.held:
                    lots -= 1
                if not lots:
                    return Reason.FUNDS_EXHAUSTED
            self.trade(taker, maker, lots)
        return Reason.NONE

    def meet_own(self, taker: NaiveOrder) -> Reason:
        """Keep an order that can take nothing of others' apart from its owner's best ones."""
        while others := self.resting(taker.command.side.opposite):
            if others[0].command.user != taker.command.user:
                break
            if self.prevent(taker, others[0]):
                return Reason.SELF_TRADE
        return Reason.NO_LIQUIDITY

    def cost(self, lots: int, price: int) -> int:
        """Price a taker's fill with its fee."""
        quote = lots * price * self.unit
        return quote + fee(quote, self.spec.taker_fee_ppm)

    def trade(self, taker: NaiveOrder, maker: NaiveOrder, lots: int) -> None:
        """Exchange at the maker's price."""
        self.trades.append((maker.number, taker.number, maker.price, lots))
        self.fresh.append(maker.price)
        self.last = maker.price
        for order, ppm in ((taker, self.spec.taker_fee_ppm), (maker, self.spec.maker_fee_ppm)):
            order.left -= lots
            order.filled += lots
            if order.command.side is Side.SELL:
                order.held -= lots * self.spec.base_raw_per_lot
                continue
            quote = lots * maker.price * self.unit
            charge = fee(quote, ppm)
            if order.price:
                charge = min(charge, order.held - quote - order.left * order.price * self.unit)
            order.held -= quote + charge
        maker.shown -= lots
        if not maker.left:
            self.close(maker, "filled", Reason.NONE)
        elif maker.command.display_lots and not maker.shown:
            maker.shown = min(maker.command.display_lots, maker.left)
            maker.rank = self.next_rank()

    def prevent(self, taker: NaiveOrder, maker: NaiveOrder) -> bool:
        """Apply self-trade prevention; True when the taker must stop."""
        mode = taker.command.stp
        if mode is StpMode.DECREMENT_AND_CANCEL:
            common = min(taker.left, maker.left)
            if maker.left == common:
                self.close(maker, "canceled", Reason.SELF_TRADE)
            else:
                self.shrink(maker, common)
            if taker.left == common:
                return True
            taker.left -= common
            taker.size -= common
            return False
        if mode is not StpMode.CANCEL_INCOMING:
            self.close(maker, "canceled", Reason.SELF_TRADE)
        return mode is not StpMode.CANCEL_RESTING

    def shrink(self, order: NaiveOrder, by: int) -> None:
        """Make a resting order smaller."""
        order.left -= by
        order.size -= by
        order.shown = min(order.shown, order.left)
        self.trim(order)

    def trim(self, order: NaiveOrder) -> None:
        """Free what a resting order need not hold."""
        if order.command.side is Side.SELL:
            order.held = order.left * self.spec.base_raw_per_lot
        else:
            notional = order.left * order.price * self.unit
            order.held = min(order.held, notional + fee(notional, self.spec.maker_fee_ppm))

    def rest(self, order: NaiveOrder) -> None:
        """Put an order at the end of its queue."""
        order.status = "resting"
        order.rank = self.next_rank()
        order.shown = min(order.command.display_lots, order.left)
        self.trim(order)

    def next_rank(self) -> int:
        """Name the next place in time."""
        self.ranks += 1
        return self.ranks

    def close(self, order: NaiveOrder, status: str, reason: Reason) -> None:
        """End an order."""
        order.status, order.reason, order.held = status, reason, 0

    def cascade(self) -> None:
        """Trigger stops until none is left, those triggered first going first, then the oldest."""
        queue: list[NaiveOrder] = []
        while True:
            low, high = min(self.fresh, default=0), max(self.fresh, default=0)
            self.fresh.clear()
            for order in self.orders:
                if order.status == "waiting" and order not in queue and high:
                    stop = order.command.stop_ticks
                    if high >= stop if order.command.side is Side.BUY else low <= stop:
                        queue.append(order)
            if not queue:
                return
            self.enter(queue.pop(0))

    def cancel(self, command: CancelOrder) -> None:
        """Cancel one order, if it lives and is the user's."""
        for order in self.open_of(command.user):
            if order.number == command.order_no:
                self.close(order, "canceled", Reason.USER_CANCELED)

    def cancel_all(self, command: CancelAll) -> None:
        """Cancel all of a user's orders."""
        for order in self.open_of(command.user):
            if command.side is None or order.command.side is command.side:
                self.close(order, "canceled", command.reason)

    def amend(self, command: AmendOrder, held: int) -> None:
        """Change an order; the checks are those of the engine's own reply."""
        order = self.orders[command.order_no - 1]
        price = command.price_ticks or order.price
        size = command.size_lots or order.size
        order.held += max(held, 0)
        by = order.size - size
        if order.status == "waiting":
            order.price, order.size, order.left = price, size, order.left - by
            top = price
            if order.command.order_type is OrderType.STOP_MARKET:
                share = Fraction(self.spec.price_protection_ppm, 1_000_000)
                top = floor(order.command.stop_ticks * (1 + share))
            need = order.left * self.spec.base_raw_per_lot
            if order.command.side is Side.BUY:
                need = self.cost(order.left, top)
            order.held = min(order.held, need)
        elif price == order.price and by > 0:
            self.shrink(order, by)
        else:
            order.price, order.size, order.left = price, size, order.left - by
            order.status = "new"
            self.enter(order)
            self.cascade()
