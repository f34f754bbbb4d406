"""Placing, amending and cancelling orders: from a command to an order, or to a refusal."""

from actors.engine import order_policies as policies
from actors.engine.command_log import Outcome, of_order, of_refusal
from actors.engine.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from actors.engine.estimate import Estimate, Intent, estimate
from actors.engine.events import CommandRejected, OrderAccepted, OrderAmended
from actors.engine.holds import limit_need, place_need, rate_of, release_to
from actors.engine.level import Order
from actors.engine.market_state import MarketState
from actors.engine.matching import Matcher
from actors.engine.order_policies import IMMEDIATE, STOPS, UNPRICED, Refusal, refuse
from actors.engine.settlement import HoldNeed, ReleasePosting
from actors.engine.stops import is_through
from actors.engine.units import (
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
_STOP_LIMIT, _TRADING = OrderType.STOP_LIMIT, MarketStatus.TRADING
_OPEN, _PENDING_TRIGGER = OrderStatus.OPEN, OrderStatus.PENDING_TRIGGER


class OrderDesk:
    """Takes the commands about single orders of one market."""

    __slots__ = ("_market", "_matcher", "_spec")

    def __init__(self, market: MarketState, matcher: Matcher) -> None:
        self._market = market
        self._matcher = matcher
        self._spec = market.spec

    # What must be held first.

    def need_to_place(self, command: PlaceOrder, time_ns: int) -> HoldNeed | None:
        """Reckon the hold of a new order; None where no hold is needed or none can help."""
        market = self._market
        if policies.check_place(command, market.rules, time_ns) is not None:
            return None
        taker_ppm = self._taker_ppm(command)
        if command.side is Side.SELL or not _is_unpriced_now(command):
            if _is_unpriced_now(command) and not self._estimate(command, taker_ppm).lots:
                return None
            need = place_need(command, taker_ppm, market.rules)
            return HoldNeed(command.user, command.side, need, need)
        met = self._estimate(command, taker_ppm)
        if not met.lots:
            return None
        least = min(met.quote_raw + met.fee_raw, RAW_MAX)
        most = limit_need(Side.BUY, command.size_lots, met.bound_ticks, taker_ppm, market.rules)
        return HoldNeed(command.user, command.side, least, min(max(least, most), RAW_MAX))

    def need_to_amend(self, command: AmendOrder) -> HoldNeed | None:
        """Reckon what an amend needs beyond what the order holds; None for nothing."""
        order = self._market.open.by_number.get(command.order_no)
        if self._amend_fault(command, order) is not None or order is None:
            return None
        more = self._amended_need(command, order) - order.held_raw
        return HoldNeed(order.user, order.side, more, more) if more > 0 else None

    # Placing.

    def place(self, command: PlaceOrder, held_raw: int) -> Outcome:
        """Apply a new order; ``held_raw`` is what is held for it, -1 for too little."""
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
        if market.status is not MarketStatus.TRADING:
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
            order.pending = True
        market.open.add(order)
        if order.expire_at_ns:
            market.expiry.add(order.expire_at_ns, order.order_no)
        market.events.append(
            OrderAccepted(
                order.order_no,
                order.user,
                order.side,
                order.limit_ticks,
                order.size_lots,
                _PENDING_TRIGGER if order.pending else _OPEN,
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
            size,
            expires,
            now,
            now,
            market.sequence,
        )
        if market.funds:
            spec = self._spec
            order.maker_ppm = rate_of(command.maker_fee_ppm, spec.maker_fee_ppm)
            order.taker_ppm = rate_of(command.taker_fee_ppm, spec.taker_fee_ppm)
            order.held_in_raw = order.held_raw = max(held_raw, 0)
        return order

    def _account_fault(self, command: PlaceOrder, held_raw: int) -> Refusal | None:
        market = self._market
        waits = command.order_type not in IMMEDIATE and (
            command.route is not RouteMode.DEX or command.order_type in STOPS
        )
        if waits:
            most = command.open_orders_max or self._spec.max_open_orders
            if market.open.count(command.user) >= most:
                return refuse(Reason.TOO_MANY_OPEN_ORDERS)
        if held_raw < 0:
            return refuse(Reason.INSUFFICIENT_FUNDS)
        need = place_need(command, self._taker_ppm(command), market.rules)
        if _is_unpriced_now(command) and (command.side is Side.BUY or not held_raw):
            # A market order lives on what was held; with nothing it finds nothing to take.
            need = 0
        return refuse(Reason.INSUFFICIENT_FUNDS) if held_raw < need else None

    def _book_fault(self, command: PlaceOrder, order: Order) -> Refusal | None:
        kind = command.order_type
        if kind is OrderType.POST_ONLY:
            if self._matcher.would_take(order.side, order.limit_ticks, order.route):
                return refuse(Reason.WOULD_TAKE)
        elif kind is OrderType.FOK:
            met = self._estimate(command, order.taker_ppm)
            paid = order.side is Side.SELL or not self._market.funds
            if met.lots < order.size_lots or not (
                paid or met.quote_raw + met.fee_raw <= order.held_raw or order.limit_ticks
            ):
                return refuse(Reason.WOULD_NOT_FILL)
        elif kind in STOPS:
            last = self._market.last_price_ticks
            if is_through(order.side, order.stop_ticks, last):
                return refuse(Reason.STOP_WOULD_TRIGGER)
        return None

    def _reject(self, command: PlaceOrder, order: Order, fault: Refusal, held_raw: int) -> Outcome:
        self.give_back(command, held_raw)
        state = order.state(OrderStatus.REJECTED, fault.reason)
        rejected = CommandRejected(command.user, fault.reason, fault.message, state)
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

    # Amending.

    def amend(self, command: AmendOrder, held_raw: int) -> Outcome:
        """Apply an amend: in place where only the size shrinks, else through the queue again."""
        market = self._market
        order = market.open.by_number.get(command.order_no)
        if order is not None and order.user != command.user:
            order = None
        fault = self._amend_fault(command, order)
        if fault is None and order is not None:
            fault = self._amend_refused_now(command, order, held_raw)
        if fault is not None or order is None:
            return self._refuse_amend(command, fault or refuse(Reason.ORDER_NOT_FOUND), held_raw)
        price = command.price_ticks or order.limit_ticks
        size = command.size_lots or order.size_lots
        if held_raw > 0:
            order.held_raw += held_raw
            order.held_in_raw += held_raw
        if order.pending:
            self._amend_waiting(order, price, size)
        elif price == order.limit_ticks and size < order.size_lots:
            self._matcher.shrink(order, size)
            self._tell_amended(order, kept=True)
        else:
            self._requeue(order, price, size)
        return of_order(order.order_no)

    def _amend_waiting(self, order: Order, price: int, size: int) -> None:
        market = self._market
        order.limit_ticks = price
        order.remaining_lots += size - order.size_lots
        order.size_lots = size
        order.updated_ns, order.sequence = market.now_ns, market.sequence
        if market.funds:
            release_to(market.postings, order, self._full_need(order, price, order.remaining_lots))
        self._tell_amended(order, kept=True)

    def _requeue(self, order: Order, price: int, size: int) -> None:
        market = self._market
        market.withdraw(order)
        order.limit_ticks = price
        order.remaining_lots += size - order.size_lots
        order.size_lots = size
        order.updated_ns, order.sequence = market.now_ns, market.sequence
        self._tell_amended(order, kept=False)
        self._matcher.enter(order)

    def _tell_amended(self, order: Order, *, kept: bool) -> None:
        self._market.events.append(
            OrderAmended(
                order.order_no,
                order.user,
                order.limit_ticks,
                order.size_lots,
                order.filled_lots,
                order.remaining_lots,
                order.filled_quote_raw,
                kept_priority=kept,
            )
        )

    def _amend_fault(self, command: AmendOrder, order: Order | None) -> Refusal | None:
        """Find what is wrong with an amend, funds and book aside."""
        market = self._market
        if market.status is not MarketStatus.TRADING:
            return refuse(Reason.MARKET_HALTED)
        fault = policies.check_amend(command, market.rules)
        if fault is not None:
            return fault
        if order is None or order.user != command.user:
            return self._absent(command.user, command.order_no)
        price = command.price_ticks or order.limit_ticks
        size = command.size_lots or order.size_lots
        if size <= order.filled_lots:
            return refuse(
                Reason.INVALID_QUANTITY, "quantity must be above what is filled; cancel to end it"
            )
        fault = policies.check_size(size, max(price, order.limit_ticks), market.rules)
        return fault or self._amend_pointless(order, price, size)

    def _amend_pointless(self, order: Order, price: int, size: int) -> Refusal | None:
        if price == order.limit_ticks and size == order.size_lots:
            return refuse(Reason.NOTHING_TO_AMEND)
        if order.parent.startswith("twap/") or (
            order.order_type is OrderType.STOP_MARKET and price != order.limit_ticks
        ):
            return refuse(Reason.NOT_AMENDABLE)
        return None

    def _amend_refused_now(
        self, command: AmendOrder, order: Order, held_raw: int
    ) -> Refusal | None:
        if self._market.funds and (
            held_raw < 0 or order.held_raw + held_raw < self._amended_need(command, order)
        ):
            return refuse(Reason.INSUFFICIENT_FUNDS)
        price = command.price_ticks or order.limit_ticks
        if (
            order.order_type is OrderType.POST_ONLY
            and price != order.limit_ticks
            and self._matcher.would_take(order.side, price, order.route)
        ):
            return refuse(Reason.WOULD_TAKE)
        return None

    def _amended_need(self, command: AmendOrder, order: Order) -> int:
        """Reckon what an order must hold to be amended: as a taker, if it enters anew."""
        if not self._market.funds:
            return 0
        price = command.price_ticks or order.limit_ticks
        size = command.size_lots or order.size_lots
        if not order.pending and price == order.limit_ticks and size < order.size_lots:
            return 0
        return self._full_need(order, price, size - order.filled_lots)

    def _full_need(self, order: Order, price: int, lots: int) -> int:
        if order.order_type is OrderType.STOP_MARKET:
            spec = self._spec
            price = policies.protected_ticks(order.stop_ticks, spec.price_protection_ppm, up=True)
            price = min(price, spec.max_price_ticks)
        return limit_need(order.side, lots, price, order.taker_ppm, self._market.rules)

    def _refuse_amend(self, command: AmendOrder, fault: Refusal, held_raw: int) -> Outcome:
        market = self._market
        self.give_back_amend(command, held_raw)
        market.events.append(CommandRejected(command.user, fault.reason, fault.message))
        return of_refusal(fault.reason, command.order_no)

    def give_back_amend(self, command: AmendOrder, held_raw: int) -> None:
        """Free a hold that was made for an amend which changes nothing."""
        # The order may have closed within this batch, after the hold was made for it.
        number = command.order_no
        known = self._market.open.by_number.get(number) or self._market.closed.get(number)
        if known is not None:
            self._market.release(ReleasePosting(known.user, known.side, held_raw))

    # Cancelling.

    def cancel(self, command: CancelOrder) -> Outcome:
        """Cancel one order."""
        market = self._market
        number = command.order_no
        order = market.open.by_number.get(number)
        if order is not None and order.user == command.user:
            market.cancel(order, Reason.USER_CANCELED)
            return of_order(number)
        fault = self._absent(command.user, number)
        market.events.append(CommandRejected(command.user, fault.reason, fault.message))
        return of_refusal(fault.reason, number)

    def _absent(self, user: UserId, number: int) -> Refusal:
        """Say what is wrong with the number of an order that does not live (for this user)."""
        closed = self._market.closed.get(number)
        known = closed is not None and closed.user == user
        return refuse(Reason.ORDER_CLOSED if known else Reason.ORDER_NOT_FOUND)

    def cancel_all(self, command: CancelAll) -> list[int]:
        """Cancel a user's orders, oldest first; returns their numbers."""
        market = self._market
        numbers: list[int] = []
        for order in market.open.of_user(command.user):
            if command.side is None or order.side is command.side:
                market.cancel(order, command.reason)
                numbers.append(order.order_no)
        return numbers


def _is_unpriced_now(command: PlaceOrder) -> bool:
    """Tell whether an order trades on arrival at whatever price the bound allows."""
    kind = command.order_type
    return kind is OrderType.MARKET or (kind in IMMEDIATE and not command.price_ticks)


def _is_same(command: PlaceOrder, order: Order) -> bool:
    """Tell whether a command says what an order of the same client id already is."""
    limit = 0 if command.order_type in UNPRICED else command.price_ticks
    return (
        command.side is order.side
        and command.order_type is order.order_type
        and command.size_lots == order.size_lots
        and limit == order.limit_ticks
        and command.stop_ticks == order.stop_ticks
        and command.display_lots == order.display_lots
        and command.stp is order.stp
        and command.route is order.route
        and policies.deadline_ns(command, order.created_ns) == order.expire_at_ns
    )
