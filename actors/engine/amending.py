"""Amending an order: in place where only its size shrinks, else through the queue again."""

from actors.engine import order_policies as policies
from actors.engine.command_log import Outcome, of_order, of_refusal
from actors.engine.commands import AmendOrder
from actors.engine.events import CommandRejected, OrderAmended
from actors.engine.holds import limit_need, release_to
from actors.engine.level import Order
from actors.engine.market_state import MarketState
from actors.engine.matching import Matcher
from actors.engine.order_policies import Refusal, refuse
from actors.engine.placing import absent
from actors.engine.settlement import HoldNeed, ReleasePosting
from actors.engine.units import MarketStatus, OrderType, Reason


class AmendDesk:
    """Takes the amends of one market."""

    __slots__ = ("_market", "_matcher", "_spec")

    def __init__(self, market: MarketState, matcher: Matcher) -> None:
        self._market = market
        self._matcher = matcher
        self._spec = market.spec

    def need_of(self, command: AmendOrder) -> HoldNeed | None:
        """Reckon what an amend needs beyond what the order holds; None for nothing."""
        order = self._market.open.by_number.get(command.order_no)
        if self._fault(command, order) is not None or order is None:
            return None
        more = self._new_need(command, order) - order.held_raw
        return HoldNeed(order.user, order.side, more, more) if more > 0 else None

    def amend(self, command: AmendOrder, held_raw: int) -> Outcome:
        """Apply an amend: in place where only the size shrinks, else through the queue again."""
        market = self._market
        order = market.open.by_number.get(command.order_no)
        if order is not None and order.user != command.user:
            order = None
        fault = self._fault(command, order)
        if fault is None and order is not None:
            fault = self._refused_now(command, order, held_raw)
        if fault is not None or order is None:
            return self._refuse(command, fault or refuse(Reason.ORDER_NOT_FOUND), held_raw)
        price = command.price_ticks or order.price_ticks
        size = command.size_lots or order.size_lots
        if held_raw > 0:
            order.held_raw += held_raw
            order.held_in_raw += held_raw
        if order.pending:
            self._change_waiting(order, price, size)
        elif price == order.price_ticks and size < order.size_lots:
            self._matcher.shrink(order, size)
            self._tell_amended(order, kept=True)
        else:
            self._requeue(order, price, size)
        return of_order(order.order_no)

    def _change_waiting(self, order: Order, price: int, size: int) -> None:
        market = self._market
        order.price_ticks = price
        order.remaining_lots += size - order.size_lots
        order.size_lots = size
        order.updated_ns, order.sequence = market.now_ns, market.sequence
        if market.funds:
            release_to(market.postings, order, self._full_need(order, price, order.remaining_lots))
        self._tell_amended(order, kept=True)

    def _requeue(self, order: Order, price: int, size: int) -> None:
        market = self._market
        market.withdraw(order)
        order.price_ticks = price
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
                order.price_ticks,
                order.size_lots,
                order.filled_lots,
                order.remaining_lots,
                order.filled_quote_raw,
                kept_priority=kept,
            )
        )

    def _fault(self, command: AmendOrder, order: Order | None) -> Refusal | None:
        """Find what is wrong with an amend, funds and book aside."""
        market = self._market
        if market.status is not MarketStatus.TRADING:
            return refuse(Reason.MARKET_HALTED)
        fault = policies.check_amend(command, market.rules)
        if fault is not None:
            return fault
        if order is None or order.user != command.user:
            return absent(market, command.user, command.order_no)
        price = command.price_ticks or order.price_ticks
        size = command.size_lots or order.size_lots
        if size <= order.filled_lots:
            return refuse(
                Reason.INVALID_QUANTITY, "quantity must be above what is filled; cancel to end it"
            )
        fault = policies.check_size(size, max(price, order.price_ticks), market.rules)
        return fault or self._pointless(order, price, size)

    def _pointless(self, order: Order, price: int, size: int) -> Refusal | None:
        if price == order.price_ticks and size == order.size_lots:
            return refuse(Reason.NOTHING_TO_AMEND)
        if order.parent.startswith("twap/") or (
            order.order_type is OrderType.STOP_MARKET and price != order.price_ticks
        ):
            return refuse(Reason.NOT_AMENDABLE)
        return None

    def _refused_now(self, command: AmendOrder, order: Order, held_raw: int) -> Refusal | None:
        if self._market.funds and (
            held_raw < 0 or order.held_raw + held_raw < self._new_need(command, order)
        ):
            return refuse(Reason.INSUFFICIENT_FUNDS)
        price = command.price_ticks or order.price_ticks
        if (
            order.order_type is OrderType.POST_ONLY
            and price != order.price_ticks
            and self._matcher.would_take(order.side, price, order.route)
        ):
            return refuse(Reason.WOULD_TAKE)
        return None

    def _new_need(self, command: AmendOrder, order: Order) -> int:
        """Reckon what an order must hold to be amended: as a taker, if it enters anew."""
        if not self._market.funds:
            return 0
        price = command.price_ticks or order.price_ticks
        size = command.size_lots or order.size_lots
        if not order.pending and price == order.price_ticks and size < order.size_lots:
            return 0
        return self._full_need(order, price, size - order.filled_lots)

    def _full_need(self, order: Order, price: int, lots: int) -> int:
        if order.order_type is OrderType.STOP_MARKET:
            spec = self._spec
            price = policies.protected_ticks(order.stop_ticks, spec.price_protection_ppm, up=True)
            price = min(price, spec.max_price_ticks)
        return limit_need(order.side, lots, price, order.taker_ppm, self._market.rules)

    def _refuse(self, command: AmendOrder, fault: Refusal, held_raw: int) -> Outcome:
        market = self._market
        self.give_back(command, held_raw)
        market.events.append(CommandRejected(command.user, fault.reason, fault.message))
        return of_refusal(fault.reason, command.order_no)

    def give_back(self, command: AmendOrder, held_raw: int) -> None:
        """Free a hold that was made for an amend which changes nothing."""
        # The order may have closed within this batch, after the hold was made for it.
        number = command.order_no
        known = self._market.open.by_number.get(number) or self._market.closed.get(number)
        if known is not None:
            self._market.release(ReleasePosting(known.user, known.side, held_raw))
