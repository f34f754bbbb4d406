"""Placing and cancelling orders: from a command to an order, or to a refusal."""

from typing import Any

from actors.engine import order_policies as policies
from actors.engine.command_log import Outcome, of_order, of_refusal
from actors.engine.commands import CancelAll, CancelOrder, PlaceOrder
from actors.engine.estimate import Estimate, Intent, estimate
from actors.engine.events import CommandRejected, OrderAccepted
from actors.engine.holds import limit_need, place_need, rate_of
from actors.engine.level import Order
from actors.engine.market_state import MarketState
from actors.engine.matching import Matcher
from actors.engine.order import NO_FILLS
from actors.engine.order_policies import IMMEDIATE, STOPS, UNPRICED, Refusal, refuse
from actors.engine.settlement import HoldNeed, ReleasePosting
from actors.engine.stops import is_through
from actors.engine.units import (
    PPM,
    RAW_MAX,
    MarketStatus,
    OrderNo,
    OrderStatus,
    OrderType,
    Reason,
    RouteMode,
    Side,
    UserId,
)

_MARKET, _STOP_MARKET, _LIMIT = OrderType.MARKET, OrderType.STOP_MARKET, OrderType.LIMIT
_STOP_LIMIT, _POST_ONLY, _FOK = OrderType.STOP_LIMIT, OrderType.POST_ONLY, OrderType.FOK
_BUY, _SELL, _TRADING = Side.BUY, Side.SELL, MarketStatus.TRADING
_USER_CANCELED, _NO_REASON = Reason.USER_CANCELED, Reason.NONE
_DEX, _CEX = RouteMode.DEX, RouteMode.CEX
_OPEN, _PENDING_TRIGGER = OrderStatus.OPEN, OrderStatus.PENDING_TRIGGER
_CANCELED = OrderStatus.CANCELED
_COMPARED_QUICKLY_MAX = 2**30 - 1
"""Up to here the interpreter compares integers in one step."""


class OrderDesk:
    """Takes the commands about single orders of one market."""

    __slots__ = ("_asks", "_bids", "_highest", "_least", "_market", "_matcher", "_most", "_spec")

    def __init__(self, market: MarketState, matcher: Matcher) -> None:
        self._market = market
        self._matcher = matcher
        self._bids, self._asks = market.book.sides
        self._spec = market.spec
        spec, rules = market.spec, market.rules
        # What bounds a usual order: its size, and its price.
        self._highest = min(spec.max_price_ticks, _COMPARED_QUICKLY_MAX)
        self._most = min(rules.size_max, _COMPARED_QUICKLY_MAX, rules.worth_max // self._highest)
        self._least = max(1, spec.min_order_lots)

    # What must be held first.

    def need_to_place(self, command: PlaceOrder, time_ns: int) -> HoldNeed | None:
        """Reckon the hold of a new order; None where no hold is needed or none can help."""
        market = self._market
        if policies.check_place(command, market.rules, time_ns) is not None:
            return None
        side = command.side
        if command.order_type is _LIMIT:
            # As `limit_need` does it, in place: most orders are such.
            taker_ppm = command.taker_fee_ppm
            if taker_ppm < 0:
                taker_ppm = self._spec.taker_fee_ppm
            need = command.size_lots * market.rules.base_unit
            if side is _BUY:
                notional = command.price_ticks * command.size_lots * market.rules.quote_unit
                need = notional - (-notional * taker_ppm // PPM)
            return HoldNeed(command.user, side, need, need)
        taker_ppm = self._taker_ppm(command)
        if command.side is _SELL or not _is_unpriced_now(command):
            if _is_unpriced_now(command) and not self._estimate(command, taker_ppm).lots:
                return None
            need = place_need(command, taker_ppm, market.rules)
            return HoldNeed(command.user, command.side, need, need)
        met = self._estimate(command, taker_ppm)
        if not met.lots:
            return None
        least = min(met.quote_raw + met.fee_raw, RAW_MAX)
        most = limit_need(_BUY, command.size_lots, met.bound_ticks, taker_ppm, market.rules)
        return HoldNeed(command.user, command.side, least, min(max(least, most), RAW_MAX))

    # Placing.

    def place(self, command: PlaceOrder, held_raw: int) -> Outcome:
        """Apply a new order; ``held_raw`` is what is held for it, -1 for too little.

        A limit order of usual size without extras goes the short way; the rest, `place_any`.
        """
        if command.order_type is not _LIMIT:
            return self.place_any(command, held_raw)
        market = self._market
        size, price, side = command.size_lots, command.price_ticks, command.side
        user, client_id, living = command.user, command.client_order_id, market.open
        if (  # not chained: the interpreter has a quick way for plain comparisons only
            command.route is _DEX
            or size < self._least or size > self._most or price <= 0 or price > self._highest
            or command.stop_ticks or command.display_lots or command.expire_at_ns
            or command.time_in_force_ms or market.status is not _TRADING
            or (client_id and (user, client_id) in living.by_client_id)
        ):  # fmt: skip
            return self.place_any(command, held_raw)
        if side is _BUY:  # keys as on each `BookSide`: the price for bids, the negated one for asks
            here, keys, key = self._bids, self._asks.keys, price
        else:
            here, keys, key = self._asks, self._bids.keys, -price
        rests = not keys or keys[-1] < -key
        if rests and market.pools_tradable:
            rests = not self._meets_pool(command)
        number: Any = market.last_order_no + 1  # an `OrderNo`: to say so costs a call
        order = Order(
            number, command.command_id, user, client_id, side, _LIMIT, command.stp, command.route,
            price, 0, size, 0, 0, size, 0, 0, _OPEN, _NO_REASON, 0, "",
            market.now_ns, market.now_ns, market.sequence, NO_FILLS,
        )  # fmt: skip
        if market.funds and not self._fund(order, command, held_raw, rests=rests):
            return self.place_any(command, held_raw)
        market.last_order_no = number
        living.by_number[number] = order
        mine = living.by_user.setdefault(user, order)
        if mine is not order:
            living.add_further(mine, order)
        if client_id:
            living.by_client_id[user, client_id] = number
        market.events.append(OrderAccepted(number, user, side, price, size, _OPEN, client_id))
        if not rests:
            self._matcher.take(order)
        else:  # as `BookSide.add` does it, in place
            level = here.levels.get(key)
            if level is None:
                level = here.open_level(price)
            tail = level.tail
            if tail is None:
                level.head = order
            else:
                tail.next = order
            order.previous, order.next, order.level = tail, None, level
            level.tail = order
            level.visible_lots += size
            if not level.dirty:
                level.dirty = True
                here.dirty.append(level)
        outcome: int = number * 10 + 1  # of_order, in place
        return outcome

    def _meets_pool(self, command: PlaceOrder) -> bool:
        if command.route is _CEX:
            return False
        best, side = self._market.pools.best_ticks(command.side), command.side
        return best > 0 and (best >= command.price_ticks if side else best <= command.price_ticks)

    def _fund(self, order: Order, command: PlaceOrder, held_raw: int, *, rests: bool) -> bool:
        """Give a usual order its rates and its hold; false where it may not have them."""
        market, spec, user = self._market, self._spec, order.user
        rules, maker_ppm, taker_ppm = market.rules, command.maker_fee_ppm, command.taker_fee_ppm
        if maker_ppm < 0:
            maker_ppm = spec.maker_fee_ppm
        if taker_ppm < 0:
            taker_ppm = spec.taker_fee_ppm
        if order.side:
            need = keep = order.size_lots * rules.base_unit
        else:
            notional = order.price_ticks * order.size_lots * rules.quote_unit
            need = notional - (-notional * taker_ppm // PPM)
            keep = notional - (-notional * maker_ppm // PPM)
        most = command.open_orders_max or spec.max_open_orders
        if held_raw < need or market.open.count(user) >= most:
            return False
        order.maker_ppm, order.taker_ppm = maker_ppm, taker_ppm
        order.held_in_raw = held_raw
        free = 0
        if rests and held_raw > keep:
            free, held_raw = held_raw - keep, keep
            market.postings.append(ReleasePosting(user, order.side, free))
        order.held_raw, order.released_raw = held_raw, free
        return True

    def place_any(self, command: PlaceOrder, held_raw: int) -> Outcome:
        """Apply any new order, stage by stage: what `place` does for the usual one, spelt out."""
        market = self._market
        fault = policies.check_place(command, market.rules, market.now_ns)
        if market.status is not _TRADING:
            fault = refuse(Reason.MARKET_HALTED)
        if fault is None and command.client_order_id:
            key = (command.user, command.client_order_id)
            known = market.open.by_client_id.get(key)
            if known is not None:
                if _is_same(command, market.open.by_number[known]):
                    self.give_back(command, held_raw)
                    return of_order(known)
                fault = refuse(Reason.IDEMPOTENCY_MISMATCH)
        if fault is None and market.funds:
            fault = self._account_fault(command, held_raw)
        order = self.make(command, held_raw)
        if fault is None and order.order_type is not _LIMIT:
            fault = self._book_fault(command, order)
        if fault is not None:
            return self._reject(command, order, fault, held_raw)
        self.accept(order)
        return order.order_no * 10 + 1  # of_order, in place

    def place_child(self, command: PlaceOrder, parent: str, held_raw: int) -> Order | Refusal:
        """Place an order of a parent's. A refusal leaves no trace: the parent tells of it."""
        market = self._market
        fault: Refusal | None = None
        if market.status is not _TRADING:
            fault = refuse(Reason.MARKET_HALTED)
        fault = fault or policies.check_place(command, market.rules, market.now_ns)
        if fault is None and market.funds:
            fault = self._account_fault(command, held_raw)
        if fault is not None:
            self.give_back(command, held_raw)
            return fault
        order = self.make(command, held_raw)
        order.parent = parent
        self.accept(order)
        return order

    def accept(self, order: Order) -> None:
        """Enter a checked order: among the stops, or into the book by way of matching."""
        market = self._market
        kind = order.order_type
        if kind is _STOP_LIMIT or kind is _STOP_MARKET:
            order.status = _PENDING_TRIGGER
        market.open.add(order)
        if order.expire_at_ns:
            market.expiry.add(order.expire_at_ns, order.order_no)
        market.events.append(
            OrderAccepted(
                order.order_no,
                order.user,
                order.side,
                order.price_ticks,
                order.size_lots,
                order.status,
                order.client_order_id,
                order.parent,
            )
        )
        if order.pending:
            market.stops.add(order)
        else:
            self._matcher.enter(order)

    def give_back(self, command: PlaceOrder, held_raw: int) -> None:
        """Free a hold that was made for a command which places nothing."""
        self._market.release(ReleasePosting(command.user, command.side, held_raw))

    def make(self, command: PlaceOrder, held_raw: int) -> Order:
        """Make the next order from a command; it is nowhere yet."""
        market = self._market
        now = market.now_ns
        market.last_order_no = number = market.last_order_no + 1
        kind, size = command.order_type, command.size_lots
        expires = command.expire_at_ns
        if command.time_in_force_ms:
            expires = policies.deadline_ns(command, now)
        order = Order(
            OrderNo(number),
            command.command_id,
            command.user,
            command.client_order_id,
            command.side,
            kind,
            command.stp,
            command.route,
            0 if kind is _MARKET or kind is _STOP_MARKET else command.price_ticks,
            command.stop_ticks,
            size,
            command.display_lots,
            0,
            size,
            0,
            0,
            _OPEN,
            _NO_REASON,
            expires,
            "",
            now,
            now,
            market.sequence,
            NO_FILLS,
        )
        if not market.funds:
            return order.begin()
        spec = self._spec
        maker_ppm = rate_of(command.maker_fee_ppm, spec.maker_fee_ppm)
        taker_ppm = rate_of(command.taker_fee_ppm, spec.taker_fee_ppm)
        return order.begin(maker_ppm, taker_ppm, max(held_raw, 0))

    def _account_fault(self, command: PlaceOrder, held_raw: int) -> Refusal | None:
        market = self._market
        waits = command.order_type not in IMMEDIATE and (
            command.route is not _DEX or command.order_type in STOPS
        )
        if waits:
            most = command.open_orders_max or self._spec.max_open_orders
            if market.open.count(command.user) >= most:
                return refuse(Reason.TOO_MANY_OPEN_ORDERS)
        if held_raw < 0:
            return refuse(Reason.INSUFFICIENT_FUNDS)
        need = place_need(command, self._taker_ppm(command), market.rules)
        if _is_unpriced_now(command) and (command.side is _BUY or not held_raw):
            # A market order lives on what was held; with nothing it finds nothing to take.
            need = 0
        return refuse(Reason.INSUFFICIENT_FUNDS) if held_raw < need else None

    def _book_fault(self, command: PlaceOrder, order: Order) -> Refusal | None:
        kind = command.order_type
        if kind is _POST_ONLY:
            if self._matcher.would_take(order.side, order.price_ticks, order.route):
                return refuse(Reason.WOULD_TAKE)
        elif kind is _FOK:
            met = self._estimate(command, order.taker_ppm)
            paid = order.side is _SELL or not self._market.funds
            if met.lots < order.size_lots or not (
                paid or met.quote_raw + met.fee_raw <= order.held_raw or order.price_ticks
            ):
                return refuse(Reason.WOULD_NOT_FILL)
        elif kind in STOPS:
            last = self._market.last_price_ticks
            if is_through(order.side, order.stop_ticks, last):
                return refuse(Reason.STOP_WOULD_TRIGGER)
        return None

    def _reject(self, command: PlaceOrder, order: Order, fault: Refusal, held_raw: int) -> Outcome:
        self.give_back(command, held_raw)
        order.status, order.reason = OrderStatus.REJECTED, fault.reason
        rejected = CommandRejected(command.user, fault.reason, fault.message, order)
        self._market.events.append(rejected)
        return of_refusal(fault.reason)

    def _taker_ppm(self, command: PlaceOrder) -> int:
        return rate_of(command.taker_fee_ppm, self._spec.taker_fee_ppm) if self._market.funds else 0

    def _estimate(self, command: PlaceOrder, taker_ppm: int) -> Estimate:
        limit = 0 if command.order_type in UNPRICED else command.price_ticks
        intent = Intent(
            command.user,
            command.side,
            command.size_lots,
            limit,
            command.route,
            command.stp,
            taker_ppm,
        )
        return estimate(self._market, intent)

    # Cancelling.

    def cancel(self, command: CancelOrder) -> Outcome:
        """Cancel one order."""
        market = self._market
        number = command.order_no
        order = market.open.by_number.get(number)
        if order is not None and order.user == command.user:
            if order.level is None:
                market.cancel(order, _USER_CANCELED)
            else:  # as `cancel` does with one that rests
                market.close(order, _CANCELED, _USER_CANCELED)
            return number * 10 + 1  # of_order, in place
        fault = absent(market, command.user, number)
        market.events.append(CommandRejected(command.user, fault.reason, fault.message))
        return of_refusal(fault.reason, number)

    def cancel_all(self, command: CancelAll) -> list[int]:
        """Cancel a user's orders, oldest first; returns their numbers."""
        market = self._market
        numbers: list[int] = []
        for order in market.open.of_user(command.user):
            if command.side is None or order.side is command.side:
                market.cancel(order, command.reason)
                numbers.append(order.order_no)
        return numbers


def absent(market: MarketState, user: UserId, number: OrderNo) -> Refusal:
    """Say what is wrong with the number of an order that does not live (for this user)."""
    closed = market.closed.get(number)
    known = closed is not None and closed.user == user
    return refuse(Reason.ORDER_CLOSED if known else Reason.ORDER_NOT_FOUND)


def _is_unpriced_now(command: PlaceOrder) -> bool:
    """Tell whether an order trades on arrival at whatever price the bound allows."""
    kind = command.order_type
    return kind is _MARKET or (kind in IMMEDIATE and not command.price_ticks)


def _is_same(command: PlaceOrder, order: Order) -> bool:
    """Tell whether a command says what an order of the same client id already is."""
    limit = 0 if command.order_type in UNPRICED else command.price_ticks
    return (
        command.side is order.side
        and command.order_type is order.order_type
        and command.size_lots == order.size_lots
        and limit == order.price_ticks
        and command.stop_ticks == order.stop_ticks
        and command.display_lots == order.display_lots
        and command.stp is order.stp
        and command.route is order.route
        and policies.deadline_ns(command, order.created_ns) == order.expire_at_ns
    )
