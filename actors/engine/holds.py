"""What orders must hold, and how a hold shrinks.

A limit buy holds its notional and the taker fee; what rests keeps notional and maker fee. A sell
holds its base. Fees are rounded up to one raw unit per fill, but an order with a limit never pays
more in fees than it set aside for them, so a hold always suffices for what it was made for.
"""

from actors.engine.commands import PlaceOrder
from actors.engine.level import Order
from actors.engine.order_policies import Rules, worst_ticks
from actors.engine.settlement import Posting, ReleasePosting
from actors.engine.units import PPM, Side

_SELL = Side.SELL


def fee_of(quote_raw: int, ppm: int) -> int:
    """Reckon a fee: rounded up to one raw unit."""
    return -(-quote_raw * ppm // PPM)


def rate_of(own_ppm: int, usual_ppm: int) -> int:
    """Choose a fee rate: the user's own, or (below zero) the pair's."""
    return own_ppm if own_ppm >= 0 else usual_ppm


def limit_need(side: Side, size_lots: int, price_ticks: int, ppm: int, rules: Rules) -> int:
    """Reckon what ``size_lots`` at ``price_ticks`` need held, the fee at ``ppm`` included."""
    if side is _SELL:
        return size_lots * rules.base_unit
    notional = price_ticks * size_lots * rules.quote_unit
    return notional + fee_of(notional, ppm)


def place_need(command: PlaceOrder, taker_ppm: int, rules: Rules) -> int:
    """Reckon what an order with a price of its own needs (a stop_market: its protected stop)."""
    price = worst_ticks(command, rules.spec)
    return limit_need(command.side, command.size_lots, price, taker_ppm, rules)


def affordable_lots(held_raw: int, price_ticks: int, ppm: int, quote_unit: int) -> int:
    """Reckon how many lots a buy can pay at one price, fee included, in one fill.

    n lots cost n*q + ceil(n*q*ppm / PPM) with q the price of one: at most ``held_raw`` exactly when
    n*q*(PPM + ppm) <= held_raw * PPM.
    """
    return held_raw * PPM // (price_ticks * quote_unit * (PPM + ppm))


def release_to(postings: list[Posting], order: Order, keep_raw: int) -> None:
    """Free all of an order's hold beyond ``keep_raw``."""
    free = order.held_raw - keep_raw
    if free > 0:
        order.held_raw = keep_raw
        order.released_raw += free
        postings.append(ReleasePosting(order.user, order.side, free))
