"""Matching: which orders meet, at what price, and what becomes of them.

An incoming order walks the other side in price-time order; where it may, pool slices stand between
the levels, the book first at the same price. Trades print at the resting order's price. Everything
here is a loop: a sweep of thousands of fills and a cascade of stops need no stack.
"""

from collections import deque

from actors.engine.book_side import BookSide
from actors.engine.estimate import Intent, bound_of
from actors.engine.events import OrderAmended, OrderTriggered, PoolChanged, Traded
from actors.engine.holds import affordable_lots, fee_of, release_to
from actors.engine.invariants import invariant
from actors.engine.level import Level, Order
from actors.engine.market_state import MarketState
from actors.engine.order import Fill
from actors.engine.order_policies import RESTING
from actors.engine.pool_liquidity import PoolLiquidity, PoolSlice
from actors.engine.settlement import FillPosting
from actors.engine.units import (
    OrderNo,
    OrderStatus,
    OrderType,
    Reason,
    Role,
    RouteMode,
    Side,
    StpMode,
    UserId,
)

_NOBODY = UserId("")
_MAKER, _TAKER = Role.MAKER, Role.TAKER
_STOPPED = frozenset({Reason.SELF_TRADE, Reason.FUNDS_EXHAUSTED, Reason.PRICE_PROTECTION})
"""These end an order whatever its type."""
_OWN_REMAINDER = frozenset({OrderType.IOC, OrderType.FOK})


def _intent(order: Order) -> Intent:
    return Intent(
        order.user,
        order.side,
        order.remaining_lots,
        order.limit_ticks,
        order.route,
        order.stp,
        order.taker_ppm,
    )


class Matcher:
    """The matching of one market."""

    __slots__ = ("_market",)

    def __init__(self, market: MarketState) -> None:
        self._market = market

    def enter(self, taker: Order) -> None:
        """Let an order trade, then rest, fill or close. It is in the index, and nowhere else."""
        before = taker.filled_lots
        reason = self._walk(taker)
        self._finish(taker, reason, traded=taker.filled_lots > before)
        if taker.route is RouteMode.DEX and taker.filled_lots > before:
            # Only such an order can push a pool through what rests beside it.
            self.sweep_resting()

    def run_stops(self) -> None:
        """Trigger what the trades since the last look trigger, to the end of the cascade."""
        market = self._market
        queue: deque[Order] = deque()
        while True:
            if market.traded_high:
                low, high = market.traded_low, market.traded_high
                market.traded_low = market.traded_high = 0
                queue.extend(market.stops.take_triggered(low, high))
            if not queue:
                return
            order = queue.popleft()
            order.pending = False
            order.updated_ns = market.now_ns
            order.sequence = market.sequence
            market.events.append(OrderTriggered(OrderNo(order.order_no), order.user))
            self.enter(order)

    def sweep_resting(self) -> None:
        """Fill resting orders that a pool's price has moved through, each at its own limit."""
        pools = self._market.pools
        if not pools.active:
            return
        touched: dict[str, None] = {}
        for side in self._market.book.sides:
            while side.keys and self._sweep_side(side, pools, touched):
                pass
        self._tell_pools(touched)

    def would_take(self, side: Side, price_ticks: int, route: RouteMode) -> bool:
        """Tell whether an order of that limit would trade if it came now."""
        market = self._market
        best = market.book.sides[side.opposite].best_ticks
        offers = [best] if best and route is not RouteMode.DEX else []
        if route is not RouteMode.CEX and market.pools.active:
            pool = market.pools.best_ticks(side)
            offers += [pool] if pool else []
        if side is Side.BUY:
            return any(offer <= price_ticks for offer in offers)
        return any(offer >= price_ticks for offer in offers)

    # How an order walks.

    def _walk(self, taker: Order) -> Reason:
        """Trade as far as the order may; says why it stopped before it was filled."""
        market, route = self._market, taker.route
        opposite = market.book.asks if taker.side is Side.BUY else market.book.bids
        limit = taker.limit_ticks
        if not limit:
            limit = bound_of(market, _intent(taker))
            if not limit or (market.funds and not taker.held_raw):
                return Reason.NO_LIQUIDITY
        if route is not RouteMode.CEX and market.pools.active:
            return self._walk_hybrid(taker, opposite, limit)
        if route is RouteMode.DEX:
            return Reason.NO_LIQUIDITY
        limit_key, keys, levels = limit * opposite.sign, opposite.keys, opposite.levels
        while keys and taker.remaining_lots:
            if keys[-1] < limit_key:
                return Reason.NONE if taker.limit_ticks else Reason.PRICE_PROTECTION
            reason = self._take_level(taker, opposite, levels[keys[-1]])
            if reason:
                return reason
        return Reason.NO_LIQUIDITY if taker.remaining_lots else Reason.NONE

    def _walk_hybrid(self, taker: Order, opposite: BookSide, limit: int) -> Reason:
        pools, side, keys = self._market.pools, taker.side, opposite.keys
        book_too, sign = taker.route is not RouteMode.DEX, opposite.sign
        touched: dict[str, None] = {}
        reason = Reason.NONE
        while taker.remaining_lots and not reason:
            # In the key space of the other side more is better for the taker.
            book_key = keys[-1] if keys and book_too else None
            pool_ticks = pools.best_ticks(side)
            pool_key = pool_ticks * sign if pool_ticks else None
            if book_key is None and pool_key is None:
                reason = Reason.NO_LIQUIDITY
                break
            from_book = book_key is not None and (pool_key is None or book_key >= pool_key)
            key = book_key if from_book else pool_key
            if key is None or key < limit * sign:
                reason = Reason.NONE if taker.limit_ticks else Reason.PRICE_PROTECTION
                break
            if from_book:
                reason = self._take_level(taker, opposite, opposite.levels[key])
                continue
            until = limit if book_key is None else max(book_key + 1, limit * sign) * sign
            reason = self._take_pool(taker, pools, until, touched)
        self._tell_pools(touched)
        return reason

    def _take_pool(
        self, taker: Order, pools: PoolLiquidity, until: int, touched: dict[str, None]
    ) -> Reason:
        piece = pools.slice(taker.side, until, taker.remaining_lots)
        invariant(piece is not None, "a pool offered a price and then nothing")
        if piece is None:
            return Reason.NO_LIQUIDITY
        if self._is_capped(taker):
            unit = self._market.rules.quote_unit
            most = affordable_lots(taker.held_raw, piece.price_ticks, taker.taker_ppm, unit)
            if most < piece.size_lots:
                piece = pools.slice(taker.side, until, most) if most else None
                if piece is None:
                    return Reason.FUNDS_EXHAUSTED
        pools.take(taker.side, piece)
        touched[piece.pool_id] = None
        self._fill_from_pool(taker, piece)
        return Reason.NONE

    def _take_level(self, taker: Order, opposite: BookSide, level: Level) -> Reason:
        """Trade with one level's queue until it or the taker is done."""
        market = self._market
        funds, price = market.funds, level.price_ticks
        capped = funds and not taker.limit_ticks and taker.side is Side.BUY
        unit = market.rules.quote_unit
        if not level.dirty:
            opposite.touch(level)
        maker = level.head
        while maker is not None and taker.remaining_lots:
            if funds and maker.user == taker.user:
                reason = self._prevent(taker, maker)
                if reason:
                    return reason
                maker = level.head
                continue
            lots = maker.shown_lots if maker.display_lots else maker.remaining_lots
            lots = min(lots, taker.remaining_lots)
            if capped:
                most = affordable_lots(taker.held_raw, price, taker.taker_ppm, unit)
                if most < lots:
                    if not most:
                        return Reason.FUNDS_EXHAUSTED
                    lots = most
            self._trade(taker, maker, level, lots)
            if not maker.remaining_lots:
                level.unlink(maker)
                if level.head is None:
                    opposite.drop(level)
                self._close_filled(maker)
            elif maker.display_lots and not maker.shown_lots:
                level.unlink(maker)
                maker.shown_lots = min(maker.display_lots, maker.remaining_lots)
                level.append(maker)
            maker = level.head
        return Reason.NONE

    # What a fill does.

    def _trade(self, taker: Order, maker: Order, level: Level, lots: int) -> None:
        """Exchange ``lots`` at the maker's price; the maker stays where it is."""
        market = self._market
        price = level.price_ticks
        quote = price * lots * market.rules.quote_unit
        taker_fee = maker_fee = 0
        if market.funds:
            taker_fee = self._pay(taker, lots, quote, taker.taker_ppm, "")
            maker_fee = self._pay(maker, lots, quote, maker.maker_ppm, "")
        number = self._count_trade(price)
        level.visible_lots -= lots
        if maker.display_lots:
            maker.shown_lots -= lots
        self._note(
            taker, lots, quote, Fill(number, price, lots, _TAKER, "", taker_fee, market.now_ns)
        )
        self._note(
            maker, lots, quote, Fill(number, price, lots, _MAKER, "", maker_fee, market.now_ns)
        )
        market.events.append(
            Traded(
                number,
                price,
                lots,
                quote,
                taker.side,
                "",
                OrderNo(taker.order_no),
                taker.user,
                taker_fee,
                OrderNo(maker.order_no),
                maker.user,
                maker_fee,
                maker.filled_lots,
                maker.remaining_lots,
                maker.filled_quote_raw,
            )
        )

    def _fill_from_pool(self, taker: Order, piece: PoolSlice) -> None:
        """Fill an incoming order with a pool's slice; the pool's own rounding stays with it."""
        market, lots, price = self._market, piece.size_lots, piece.price_ticks
        quote = price * lots * market.rules.quote_unit
        venue = piece.pool_id
        fee = self._pay(taker, lots, quote, taker.taker_ppm, venue) if market.funds else 0
        number = self._count_trade(price)
        self._note(taker, lots, quote, Fill(number, price, lots, _TAKER, venue, fee, market.now_ns))
        market.events.append(
            Traded(
                number,
                price,
                lots,
                quote,
                taker.side,
                venue,
                OrderNo(taker.order_no),
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

    def _fill_resting(self, maker: Order, piece: PoolSlice) -> None:
        """Fill a resting order with a pool's slice, at the order's own price."""
        market, lots, price = self._market, piece.size_lots, maker.limit_ticks
        quote = price * lots * market.rules.quote_unit
        venue = piece.pool_id
        fee = self._pay(maker, lots, quote, maker.maker_ppm, venue) if market.funds else 0
        number = self._count_trade(price)
        self._note(maker, lots, quote, Fill(number, price, lots, _MAKER, venue, fee, market.now_ns))
        market.events.append(
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
                OrderNo(maker.order_no),
                maker.user,
                fee,
                maker.filled_lots,
                maker.remaining_lots,
                maker.filled_quote_raw,
            )
        )

    def _pay(self, order: Order, lots: int, quote: int, ppm: int, venue: str) -> int:
        """Move one order's money for a fill, before the fill is noted; returns its fee."""
        rules = self._market.rules
        fee = fee_of(quote, ppm)
        base = lots * rules.base_unit
        if order.side:
            order.held_raw -= base
        else:
            limit = order.limit_ticks
            if limit:
                # Never more in fees than was set aside for them (see `holds`).
                left = limit * (order.remaining_lots - lots) * rules.quote_unit
                fee = min(fee, order.held_raw - quote - left)
            order.held_raw -= quote + fee
        invariant(order.held_raw >= 0 <= fee, "an order spends more than it holds")
        self._market.postings.append(FillPosting(order.user, order.side, base, quote, fee, venue))
        return fee

    def _note(self, order: Order, lots: int, quote: int, fill: Fill) -> None:
        market = self._market
        order.filled_lots += lots
        order.remaining_lots -= lots
        order.filled_quote_raw += quote
        order.fee_raw += fill.fee_raw
        order.updated_ns = market.now_ns
        order.sequence = market.sequence
        if order.fills is None:
            order.fills = [fill]
        else:
            order.fills.append(fill)

    def _count_trade(self, price: int) -> int:
        market = self._market
        market.last_trade_no += 1
        market.last_price_ticks = price
        if not market.traded_high:
            market.traded_low = market.traded_high = price
        elif price > market.traded_high:
            market.traded_high = price
        elif price < market.traded_low:
            market.traded_low = price
        return market.last_trade_no

    # How an order stands afterwards.

    def _close_filled(self, order: Order) -> None:
        self._market.close(order, OrderStatus.FILLED, Reason.NONE)

    def _finish(self, taker: Order, reason: Reason, *, traded: bool) -> None:
        market = self._market
        if not taker.remaining_lots:
            self._close_filled(taker)
        elif reason in _STOPPED:
            market.close(taker, OrderStatus.CANCELED, reason)
        elif taker.route is RouteMode.DEX:
            market.close(taker, OrderStatus.CANCELED, Reason.NO_LIQUIDITY)
        elif taker.order_type in RESTING:
            market.rest(taker)
            if traded:
                market.tell_rested(taker)
        else:
            if taker.order_type in _OWN_REMAINDER and taker.filled_lots:
                reason = Reason.IOC_REMAINDER
            market.close(taker, OrderStatus.CANCELED, reason or Reason.NO_LIQUIDITY)

    def _tell_pools(self, touched: dict[str, None]) -> None:
        market = self._market
        for pool_id in touched:
            market.events.append(PoolChanged(market.pools.states[pool_id], from_chain=False))

    def _is_capped(self, taker: Order) -> bool:
        """Tell whether an order may run out of its hold: an unpriced buy."""
        return self._market.funds and not taker.limit_ticks and taker.side is Side.BUY

    # Self-trade prevention.

    def _prevent(self, taker: Order, maker: Order) -> Reason:
        """Keep two orders of one user apart; SELF_TRADE when the incoming one must stop."""
        market, mode = self._market, taker.stp
        if mode is StpMode.DECREMENT_AND_CANCEL:
            return self._decrement(taker, maker)
        if mode is not StpMode.CANCEL_INCOMING:
            market.cancel(maker, Reason.SELF_TRADE)
        return Reason.NONE if mode is StpMode.CANCEL_RESTING else Reason.SELF_TRADE

    def _decrement(self, taker: Order, maker: Order) -> Reason:
        """Shrink the larger of two by the smaller, which is cancelled; both, when equal."""
        market, lots = self._market, maker.remaining_lots
        if lots <= taker.remaining_lots:
            market.cancel(maker, Reason.SELF_TRADE)
            if lots == taker.remaining_lots:
                return Reason.SELF_TRADE
            taker.size_lots -= lots
            taker.remaining_lots -= lots
            self._tell_amended(taker)
            return Reason.NONE
        lots = taker.remaining_lots
        self.shrink(maker, maker.size_lots - lots)
        self._tell_amended(maker)
        return Reason.SELF_TRADE

    def shrink(self, order: Order, size_lots: int) -> None:
        """Make a resting order smaller where it stands; what need not be held is free."""
        market, level = self._market, order.level
        invariant(level is not None, f"order {order.order_no} does not rest")
        if level is None:
            return
        before = order.visible_lots
        order.remaining_lots -= order.size_lots - size_lots
        order.size_lots = size_lots
        if order.display_lots:
            order.shown_lots = min(order.shown_lots, order.remaining_lots)
        level.visible_lots += order.visible_lots - before
        market.book.sides[order.side].touch(level)
        order.updated_ns = market.now_ns
        order.sequence = market.sequence
        if market.funds:
            release_to(market.postings, order, market.resting_need(order))

    def _tell_amended(self, order: Order) -> None:
        self._market.events.append(
            OrderAmended(
                OrderNo(order.order_no),
                order.user,
                order.limit_ticks,
                order.size_lots,
                order.filled_lots,
                order.remaining_lots,
                order.filled_quote_raw,
                kept_priority=True,
            )
        )

    # When a pool moves through what rests.

    def _sweep_side(self, side: BookSide, pools: PoolLiquidity, touched: dict[str, None]) -> bool:
        """Fill the best level that a pool is through; False when there is none."""
        best = pools.best_ticks(side.side)
        if not best:
            return False
        for level in list(side.best_first()):
            if level.key < best * side.sign:
                return False
            if self._sweep_level(level, side, pools, touched):
                return True
        return False

    def _sweep_level(
        self, level: Level, side: BookSide, pools: PoolLiquidity, touched: dict[str, None]
    ) -> bool:
        traded, maker = False, level.head
        while maker is not None:
            following = maker.next
            if maker.route is RouteMode.CEX:
                maker = following
                continue
            shown = maker.visible_lots
            piece = pools.slice(side.side, level.price_ticks, shown)
            if piece is None:
                return traded
            traded = True
            pools.take(side.side, piece)
            touched[piece.pool_id] = None
            self._fill_resting(maker, piece)
            side.touch(level)
            level.visible_lots -= piece.size_lots
            if maker.display_lots:
                maker.shown_lots -= piece.size_lots
            if piece.size_lots < shown:
                continue
            level.unlink(maker)
            if maker.remaining_lots:
                maker.shown_lots = min(maker.display_lots, maker.remaining_lots)
                level.append(maker)
                following = following or maker
            else:
                self._close_filled(maker)
            maker = following
        if level.head is None:
            side.drop(level)
        return traded
