"""What a market answers: to a command just applied, to a repeated one, and to queries."""

from actors.engine.command_log import CommandLog, Kind, Outcome, read
from actors.engine.commands import AnyCommand
from actors.engine.events import AnyEvent, CommandRejected
from actors.engine.market_api import (
    AnyQuery,
    AnyReply,
    DoneReply,
    OpenOrdersQuery,
    OrderQuery,
    OrderReply,
    OrdersReply,
    OutcomeQuery,
    RefusedReply,
    ScaleReply,
    TwapReply,
    TwapsQuery,
    TwapsReply,
    UnknownReply,
)
from actors.engine.market_state import MarketState
from actors.engine.order import OrderState, ScaleState
from actors.engine.order_policies import refuse
from actors.engine.units import Reason, ScaleDistribution, UserId


class Replies:
    """Makes replies from a market's state and its memory of commands. Changes nothing."""

    def __init__(self, market: MarketState, commands: CommandLog) -> None:
        self._market = market
        self._commands = commands

    def to_command(self, command: AnyCommand, events: list[AnyEvent]) -> AnyReply:
        """Answer a command; ``events`` are those of its `apply`, none when it was a repetition."""
        if events and type(events[-1]) is CommandRejected:
            last = events[-1]
            number = getattr(command, "order_no", 0)
            order = self._final(number) if last.reason is Reason.ORDER_CLOSED else last.order
            return RefusedReply(last.reason, last.message, order)
        commands, command_id = self._commands, command.command_id
        outcome = commands.recent.get(command_id)
        if outcome is None:
            outcome = commands.older.get(command_id)
        if type(outcome) is int and outcome % 10 == 1:
            # What nearly every command comes to, an order (`of_order`), without a detour.
            number = outcome // 10
            living = self._market.open.by_number.get(number)
            if living is not None:
                return OrderReply(living.living())
            state = self._market.closed.get(number)
            return OrderReply(state) if state is not None else _forgotten(number)
        return DoneReply() if outcome is None else self._from(outcome)

    def to_query(self, query: AnyQuery) -> AnyReply:
        """Answer a query."""
        market = self._market
        if isinstance(query, OrderQuery):
            state = self.order_state(query.order_no)
            if state is None or state.user != query.user:
                return _refused(Reason.ORDER_NOT_FOUND)
            return OrderReply(state)
        if isinstance(query, OpenOrdersQuery):
            orders = market.open.of_user(query.user)
            return OrdersReply([order.living() for order in orders])
        if isinstance(query, OutcomeQuery):
            return self._outcome(query.user, query.command_id)
        if isinstance(query, TwapsQuery):
            return TwapsReply(market.twaps.active(query.user))
        return UnknownReply()

    def order_state(self, order_no: int) -> OrderState | None:
        """Show an order, open or recently closed."""
        order = self._market.open.by_number.get(order_no)
        return self._final(order_no) if order is None else order.living()

    def _final(self, order_no: int) -> OrderState | None:
        return self._market.closed.get(order_no)

    def _outcome(self, user: UserId, command_id: str) -> AnyReply:
        outcome = self._commands.get(command_id)
        if outcome is None:
            return UnknownReply()
        reply = self._from(outcome)
        if isinstance(reply, OrderReply):
            return reply if reply.order.user == user else UnknownReply()
        if isinstance(reply, TwapReply):
            return reply if reply.twap.user == user else UnknownReply()
        return reply

    def _from(self, outcome: Outcome) -> AnyReply:
        kind, numbers = read(outcome)
        if kind is Kind.ORDER:
            state = self.order_state(numbers[0])
            return OrderReply(state) if state is not None else _forgotten(numbers[0])
        if kind is Kind.REFUSED:
            reason = Reason(numbers[0])
            order = self._final(numbers[1]) if reason is Reason.ORDER_CLOSED else None
            return _refused(reason, order)
        if kind is Kind.TWAP:
            twap = self._market.twaps.state(numbers[0])
            return TwapReply(twap) if twap is not None else _refused(Reason.TWAP_CLOSED)
        if kind is Kind.ORDERS:
            return OrdersReply(self._states(numbers))
        if kind is Kind.SCALE:
            distribution = ScaleDistribution(numbers[1])
            return ScaleReply(ScaleState(numbers[0], distribution, self._states(numbers[2:])))
        return DoneReply()

    def _states(self, numbers: tuple[int, ...]) -> list[OrderState]:
        states = (self.order_state(number) for number in numbers)
        return [state for state in states if state is not None]


def _refused(reason: Reason, order: OrderState | None = None) -> RefusedReply:
    return RefusedReply(reason, refuse(reason).message, order)


def _forgotten(order_no: int) -> RefusedReply:
    message = f"order {order_no} was accepted and has closed since; see the order history"
    return RefusedReply(Reason.ORDER_CLOSED, message)
