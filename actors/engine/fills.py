"""What a fill does: to the orders, to the money held for them, and what is said of it.

Who fills whom, and how much of it, is decided in `matching`.
"""

from actors.engine.events import Traded
from actors.engine.holds import fee_of
from actors.engine.invariants import broken
from actors.engine.level import Level, Order
from actors.engine.market_state import MarketState
from actors.engine.order import NO_FILLS, Fill
from actors.engine.pools.routing import PoolPiece
from actors.engine.settlement import FillPosting
from actors.engine.units import OrderNo, Role, UserId

_NOBODY = UserId("")
_MAKER, _TAKER = Role.MAKER, Role.TAKER


class Fills:
    """Makes the fills of one market."""

    __slots__ = ("_market", "_quote_unit")

    def __init__(self, market: MarketState) -> None:
        self._market = market
        self._quote_unit = market.rules.quote_unit

    def note_taken(self, taker: Order, left: int, quote: int, last_no: int) -> None:
        """Note what an order took of the book, up to trade ``last_no``; its fills are made.

        Whoever let it enter has written the time and the sequence into it.
        """
        market = self._market
        count = last_no - market.last_trade_no
        if not count:
            return
        market.last_trade_no = last_no
        taker.filled_lots += taker.remaining_lots - left
        taker.remaining_lots = left
        taker.filled_quote_raw += quote
        first, last = taker.fills[-count].price_ticks, taker.fills[-1].price_ticks
        self.count_price(first)
        if last != first:
            self.count_price(last)  # the prices between are between these two

    def from_pool(self, taker: Order, piece: PoolPiece) -> None:
        """Fill an incoming order with a pool's slice; the pool's own rounding stays with it."""
        for lots, price in piece.prints(taker.side):
            self._print_pool(taker, piece.pool_id, lots, price)

    def _print_pool(self, taker: Order, venue: str, lots: int, price: int) -> None:
        market = self._market
        quote = price * lots * self._quote_unit
        fee = 0
        if market.funds:
            fee = self.pay(taker, lots, quote, taker.remaining_lots - lots, taker.taker_ppm, venue)
        number = self._count_trade(price)
        self._note(taker, lots, quote, Fill(number, price, lots, _TAKER, venue, fee, market.now_ns))
        self._tell_trade(
            Traded(
                number,
                price,
                lots,
                quote,
                taker.side,
                venue,
                taker.order_no,
                taker.user,
                fee,
                OrderNo(0),
                _NOBODY,
                0,
                0,
                0,
                0,
            )
        )

    def resting_from_pool(self, maker: Order, level: Level, piece: PoolPiece) -> None:
        """Fill a resting order with a pool's slice, at the order's own price."""
        market, lots, price = self._market, piece.size_lots, maker.price_ticks
        quote = price * lots * self._quote_unit
        venue = piece.pool_id
        fee = 0
        if market.funds:
            fee = self.pay(maker, lots, quote, maker.remaining_lots - lots, maker.maker_ppm, venue)
        level.visible_lots -= lots
        if maker.display_lots:
            maker.shown_lots -= lots
        number = self._count_trade(price)
        self._note(maker, lots, quote, Fill(number, price, lots, _MAKER, venue, fee, market.now_ns))
        self._tell_trade(
            Traded(
                number,
                price,
                lots,
                quote,
                maker.side.opposite,
                venue,
                OrderNo(0),
                _NOBODY,
                0,
                maker.order_no,
                maker.user,
                fee,
                maker.filled_lots,
                maker.remaining_lots,
                maker.filled_quote_raw,
            )
        )

    def pay(self, order: Order, lots: int, quote: int, left: int, ppm: int, venue: str = "") -> int:
        """Move one order's money for a fill that leaves ``left`` of it; returns its fee."""
        rules = self._market.rules
        fee = fee_of(quote, ppm)
        base = lots * rules.base_unit
        if order.side:
            order.held_raw -= base
        else:
            limit, kept = order.price_ticks, order.held_raw - quote - fee
            if limit and kept < (least := limit * left * rules.quote_unit):
                # Never more in fees than was set aside for them (see `holds`).
                fee, kept = fee - least + kept, least
            order.held_raw = kept
        if order.held_raw < 0 or fee < 0:
            broken(f"order {order.order_no} spends more than it holds")
        order.fee_raw += fee
        self._market.postings.append(FillPosting(order.user, order.side, base, quote, fee, venue))
        return fee

    def _note(self, order: Order, lots: int, quote: int, fill: Fill) -> None:
        market = self._market
        order.filled_lots += lots
        order.remaining_lots -= lots
        order.filled_quote_raw += quote
        order.updated_ns = market.now_ns
        order.sequence = market.sequence
        if order.fills is NO_FILLS:
            order.fills = [fill]
        else:
            order.fills.append(fill)
        if order.parent:
            self.tell_parents(order, order, lots, quote)

    def tell_parents(self, taker: Order, maker: Order, lots: int, quote: int) -> None:
        """Count a fill for the parents of its orders (the same order twice: of the one)."""
        market = self._market
        market.parents_touched = True
        if taker.parent:
            market.twaps.filled(taker.parent, lots, quote)
        if maker is not taker and maker.parent:
            market.twaps.filled(maker.parent, lots, quote)

    def _tell_trade(self, trade: Traded) -> None:
        self._market.events.append(trade)
        self._market.untold.append(trade)

    def _count_trade(self, price: int) -> int:
        market = self._market
        market.last_trade_no += 1
        self.count_price(price)
        return market.last_trade_no

    def count_price(self, price: int) -> None:
        """Note a price at which something was traded: the last one, for stops to look at."""
        market = self._market
        market.last_price_ticks = price
        if not market.traded_high:
            market.traded_low = market.traded_high = price
        elif price > market.traded_high:
            market.traded_high = price
        elif price < market.traded_low:
            market.traded_low = price
