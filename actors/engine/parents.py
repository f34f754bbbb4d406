"""Orders of orders in a market: TWAPs, which run slice by slice, and scales, placed at once.

What a slice or a scale consists of is decided in `twap` and `scale`; here it becomes orders.
"""

from actors.engine import command_log as log
from actors.engine.command_log import Outcome
from actors.engine.commands import (
    CancelAll,
    CancelTwap,
    PlaceOrder,
    PlaceScale,
    PlaceTwap,
    TwapSlice,
)
from actors.engine.estimate import first_ticks
from actors.engine.events import CommandRejected, ScalePlaced
from actors.engine.holds import limit_need, rate_of
from actors.engine.level import Order
from actors.engine.market_state import MarketState
from actors.engine.order_policies import Refusal, refuse
from actors.engine.placing import OrderDesk
from actors.engine.scale import check_scale, split
from actors.engine.settlement import HoldNeed, ReleasePosting
from actors.engine.twap import SlicePlan, SliceResult, check_twap, parent_of
from actors.engine.units import (
    MarketStatus,
    OrderNo,
    OrderType,
    Reason,
    RouteMode,
    UserId,
)


class ParentDesk:
    """Takes the commands about TWAPs and scales of one market."""

    __slots__ = ("_desk", "_market")

    def __init__(self, market: MarketState, desk: OrderDesk) -> None:
        self._market = market
        self._desk = desk

    # TWAPs.

    def place_twap(self, command: PlaceTwap, _: int = 0) -> Outcome:
        """Start a TWAP; its first slice is due at once."""
        market = self._market
        fault: Refusal | None = None
        if market.status is not MarketStatus.TRADING:
            fault = refuse(Reason.MARKET_HALTED)
        fault = fault or check_twap(command, market.rules)
        most = command.open_orders_max or market.spec.max_open_orders
        if fault is None and len(market.twaps.active(command.user)) >= most:
            fault = refuse(Reason.TOO_MANY_OPEN_ORDERS, "too many active TWAPs on this pair")
        if fault is not None:
            return self._refuse(command.user, fault)
        market.parents_touched = True
        return log.of_twap(market.twaps.place(command, market.now_ns).twap_no)

    def cancel_twap(self, command: CancelTwap, _: int = 0) -> Outcome:
        """End a TWAP and its resting child."""
        market = self._market
        found = market.twaps.find(command.user, command.twap_no)
        if isinstance(found, Refusal):
            return self._refuse(command.user, found)
        market.parents_touched = True
        self._cancel_child(market.twaps.cancel(found, Reason.USER_CANCELED))
        return log.of_twap(command.twap_no)

    def cancel_all(self, command: CancelAll, _: int = 0) -> Outcome:
        """End a user's TWAPs with their children, then cancel the other orders, oldest first."""
        market = self._market
        children = market.twaps.cancel_all(command.user, command.side, command.reason)
        market.parents_touched = True
        for child in children:
            self._cancel_child(child)
        return log.of_orders([int(child) for child in children] + self._desk.cancel_all(command))

    def need_of_slice(self, command: TwapSlice) -> HoldNeed | None:
        """Reckon what a slice needs beyond what the child it replaces holds already."""
        plan = self._plan(command)
        if plan is None or plan.order is None:
            return None
        need = self._desk.need_to_place(plan.order, self._market.now_ns)
        child = self._market.open.by_number.get(plan.replaces)
        if need is None or child is None:
            return need
        held = child.held_raw
        least, most = max(need.least_raw - held, 0), max(need.most_raw - held, 0)
        return HoldNeed(need.user, need.side, least, most) if most else None

    def run_slice(self, command: TwapSlice, held_raw: int) -> Outcome:
        """Run one slice: the child that still rests gives way to one of all that is owed by now."""
        market = self._market
        plan = self._plan(command)
        if plan is None:
            self.give_back_slice(command, held_raw)
            return log.DONE
        market.parents_touched = True
        child = market.open.by_number.get(plan.replaces)
        if child is not None and plan.order is not None and held_raw >= 0:
            held_raw += _hand_over(child)
        if child is not None:
            market.cancel(child, Reason.PARENT_CANCELED)
        result = SliceResult()
        if plan.order is not None:
            result = self._place_child(plan.order, parent_of(command.twap_no), held_raw)
        else:
            self.give_back_slice(command, held_raw)
        market.twaps.finish(command, result, market.now_ns)
        return log.of_twap(command.twap_no)

    def give_back_slice(self, command: TwapSlice, held_raw: int) -> None:
        """Free a hold that was made for a slice which places nothing."""
        state = self._market.twaps.state(command.twap_no)
        if state is not None:
            self._market.release(ReleasePosting(state.user, state.side, held_raw))

    def _plan(self, command: TwapSlice) -> SlicePlan | None:
        market = self._market
        state = market.twaps.state(command.twap_no)
        if state is None:
            return None
        first = first_ticks(market, state.user, state.side, RouteMode.AUTO)
        return market.twaps.plan(command, first)

    def _place_child(self, order: PlaceOrder, parent: str, held_raw: int) -> SliceResult:
        market = self._market
        placed = self._desk.place_child(order, parent, held_raw)
        if isinstance(placed, Refusal):
            return SliceResult(reason=placed.reason)
        number = placed.order_no
        if placed.order_no in market.open.by_number:
            return SliceResult(number, rests=True)
        closed = market.closed.get(number)
        return SliceResult(number, rests=False, reason=closed.reason if closed else Reason.NONE)

    def _cancel_child(self, number: OrderNo) -> None:
        child = self._market.open.by_number.get(number)
        if child is not None:
            self._market.cancel(child, Reason.PARENT_CANCELED)

    # Scales.

    def need_of_scale(self, command: PlaceScale) -> HoldNeed | None:
        """Reckon the hold of all orders of a scale together."""
        if check_scale(command, self._market.rules) is not None:
            return None
        need = sum(self._scale_needs(command))
        return HoldNeed(command.user, command.side, need, need)

    def place_scale(self, command: PlaceScale, held_raw: int) -> Outcome:
        """Place all orders of a scale, or none."""
        market = self._market
        fault = self._scale_fault(command, held_raw)
        if fault is not None:
            self.give_back_scale(command, held_raw)
            return self._refuse(command.user, fault)
        market.last_scale_no += 1
        number = market.last_scale_no
        numbers: list[int] = []
        pieces = split(command)
        for at, ((price, lots), need) in enumerate(
            zip(pieces, self._scale_needs(command), strict=True)
        ):
            child = PlaceOrder(
                f"{command.command_id}/{at}",
                command.user,
                command.side,
                OrderType.LIMIT,
                lots,
                price,
                maker_fee_ppm=command.maker_fee_ppm,
                taker_fee_ppm=command.taker_fee_ppm,
            )
            order = self._desk.make(child, need)
            order.parent = f"scale/{number}"
            numbers.append(order.order_no)
            self._desk.accept(order)
        named = [OrderNo(one) for one in numbers]
        market.events.append(ScalePlaced(number, command.user, named))
        return log.of_scale(number, command.distribution, numbers)

    def give_back_scale(self, command: PlaceScale, held_raw: int) -> None:
        """Free a hold that was made for a scale which is not placed."""
        self._market.release(ReleasePosting(command.user, command.side, held_raw))

    def _scale_fault(self, command: PlaceScale, held_raw: int) -> Refusal | None:
        market = self._market
        if market.status is not MarketStatus.TRADING:
            return refuse(Reason.MARKET_HALTED)
        fault = check_scale(command, market.rules)
        if fault is not None:
            return fault
        most = command.open_orders_max or market.spec.max_open_orders
        if market.open.count(command.user) + command.num_orders > most:
            return refuse(Reason.TOO_MANY_OPEN_ORDERS)
        if market.funds and held_raw < sum(self._scale_needs(command)):
            return refuse(Reason.INSUFFICIENT_FUNDS)
        return None

    def _scale_needs(self, command: PlaceScale) -> list[int]:
        market = self._market
        if not market.funds:
            return [0] * command.num_orders
        ppm = rate_of(command.taker_fee_ppm, market.spec.taker_fee_ppm)
        return [
            limit_need(command.side, lots, price, ppm, market.rules)
            for price, lots in split(command)
        ]

    def _refuse(self, user: UserId, fault: Refusal) -> Outcome:
        self._market.events.append(CommandRejected(user, fault.reason, fault.message))
        return log.of_refusal(fault.reason)


def _hand_over(child: Order) -> int:
    """Take a child's hold over for the order that replaces it; the shard need not know."""
    held = child.held_raw
    child.held_raw = 0
    child.released_raw += held
    return held
