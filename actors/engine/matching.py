"""Matching: which orders meet, at what price, and what becomes of them.

An incoming order walks the other side in price-time order; where it may, pool slices stand between
the levels, the book first at the same price. Trades print at the resting order's price. Everything
here is a loop: a sweep of thousands of fills and a cascade of stops need no stack.
"""

from collections import deque

from actors.engine.book_side import BookSide
from actors.engine.estimate import bound_of
from actors.engine.events import OrderAmended, OrderTriggered, PoolChanged, Traded
from actors.engine.fills import Fills
from actors.engine.holds import affordable_lots, release_to
from actors.engine.invariants import invariant
from actors.engine.level import Level, Order
from actors.engine.market_state import MarketState
from actors.engine.order import NO_FILLS, Fill
from actors.engine.order_policies import RESTING
from actors.engine.pools.routing import PoolPiece, PoolRouter
from actors.engine.units import (
    OrderStatus,
    OrderType,
    Reason,
    Role,
    RouteMode,
    Side,
    StpMode,
)

_STOPPED = frozenset({Reason.SELF_TRADE, Reason.FUNDS_EXHAUSTED, Reason.PRICE_PROTECTION})
"""These end an order whatever its type."""
_BUY, _LIMIT = Side.BUY, OrderType.LIMIT
_MAKER, _TAKER = Role.MAKER, Role.TAKER
_DEX, _CEX = RouteMode.DEX, RouteMode.CEX
_NONE, _FILLED, _OPEN = Reason.NONE, OrderStatus.FILLED, OrderStatus.OPEN
_CANCELED, _NO_LIQUIDITY = OrderStatus.CANCELED, Reason.NO_LIQUIDITY
_SELF_TRADE, _PRICE_PROTECTION = Reason.SELF_TRADE, Reason.PRICE_PROTECTION
_FUNDS_EXHAUSTED, _IOC_REMAINDER = Reason.FUNDS_EXHAUSTED, Reason.IOC_REMAINDER
_OWN_REMAINDER = frozenset({OrderType.IOC, OrderType.FOK})


class Matcher:
    """The matching of one market."""

    __slots__ = ("_close", "_fills", "_market")

    def __init__(self, market: MarketState) -> None:
        self._market = market
        self._fills = Fills(market)
        self._close = market.close  # bound once, not for each order that is taken

    def enter(self, taker: Order) -> None:
        """Rest an order that meets nobody; let any other one trade.

        It is in the index, and nowhere else.
        """
        market = self._market
        if taker.order_type is _LIMIT and taker.route is not _DEX:
            opposite = market.book.asks if taker.side is _BUY else market.book.bids
            keys = opposite.keys
            limit_key = taker.price_ticks * opposite.sign
            if not keys or keys[-1] < limit_key:
                pool = 0
                if market.pools_tradable and taker.route is not _CEX:
                    pool = market.pools.best_ticks(taker.side)
                if not pool or pool * opposite.sign < limit_key:
                    market.rest(taker)  # most orders meet nobody
                    return
        self.take(taker)

    def take(self, taker: Order) -> None:
        """Let an order trade, then rest, fill or close."""
        market, before = self._market, taker.filled_lots
        taker.level = None
        reason = self._walk(taker)
        if not taker.remaining_lots:
            market.close(taker, _FILLED, _NONE)
        else:
            self._finish(taker, reason, traded=taker.filled_lots > before)
        if taker.route is _DEX and taker.filled_lots > before:
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
            order.status = _OPEN
            order.updated_ns = market.now_ns
            order.sequence = market.sequence
            number = order.order_no
            market.events.append(OrderTriggered(number, order.user, order.remaining_lots))
            self.enter(order)

    def sweep_resting(self) -> None:
        """Fill resting orders that a pool's price has moved through, each at its own limit."""
        pools = self._market.pools
        if not self._market.pools_tradable:
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
        offers = [best] if best and route is not _DEX else []
        if route is not _CEX and market.pools_tradable:
            pool = market.pools.best_ticks(side)
            offers += [pool] if pool else []
        if side is _BUY:
            return any(offer <= price_ticks for offer in offers)
        return any(offer >= price_ticks for offer in offers)

    # How an order walks.

    def _walk(self, taker: Order) -> Reason:
        """Trade as far as the order may; says why it stopped before it was filled."""
        market, route = self._market, taker.route
        opposite = market.book.asks if taker.side is _BUY else market.book.bids
        limit = taker.price_ticks
        if not limit:
            limit = bound_of(market, taker.user, taker.side, route)
            if not limit or (market.funds and not taker.held_raw):
                return self._meet_own(taker, opposite)
        if market.pools_tradable and route is not _CEX:
            return self._walk_hybrid(taker, opposite, limit)
        if route is _DEX:
            return _NO_LIQUIDITY
        reason = self._take_book(taker, opposite, limit * opposite.sign)
        if reason is not _NONE or not taker.remaining_lots:
            return reason
        if not opposite.keys:
            return _NO_LIQUIDITY
        return _NONE if taker.price_ticks else _PRICE_PROTECTION

    def _walk_hybrid(self, taker: Order, opposite: BookSide, limit: int) -> Reason:
        """Take pools up to one tick before the best level, then the level, and so on."""
        pools, side, keys = self._market.pools, taker.side, opposite.keys
        book_too, sign = taker.route is not _DEX, opposite.sign
        limit_key = limit * sign
        touched: dict[str, None] = {}
        pool_best = pools.best_ticks(side)
        reason = _NONE
        while taker.remaining_lots and not reason:
            # In the key space of the other side more is better for the taker.
            book_key = keys[-1] if keys and book_too and keys[-1] >= limit_key else None
            bound_key = limit_key if book_key is None else book_key + 1
            if pool_best and pool_best * sign >= bound_key:
                bound, last = bound_key * sign, book_key is None
                reason = self._take_pools(taker, pools, bound, touched, last=last)
                pool_best = pools.best_ticks(side)
            if reason or not taker.remaining_lots:
                break
            if book_key is not None:
                reason = self._take_book(taker, opposite, book_key)
            elif taker.price_ticks:
                break
            else:
                beyond = pool_best or (keys and book_too)
                reason = _PRICE_PROTECTION if beyond else _NO_LIQUIDITY
        self._tell_pools(touched)
        return reason

    def _take_pools(
        self, taker: Order, pools: PoolRouter, bound: int, touched: dict[str, None], *, last: bool
    ) -> Reason:
        """Take what the pools offer up to ``bound``, as far as the order's hold goes."""
        side = taker.side
        capped = self._market.funds and not taker.price_ticks and side is _BUY
        for piece in pools.plan(side, taker.remaining_lots, bound, last=last):
            if capped and self._affordable(taker, piece.price_ticks) < piece.size_lots:
                return self._take_last(taker, pools, bound, touched)
            self._take_piece(taker, pools, piece, touched)
        return _NONE

    def _take_last(
        self, taker: Order, pools: PoolRouter, bound: int, touched: dict[str, None]
    ) -> Reason:
        """Spend the rest of a hold that does not pay for all the pools offer."""
        lots = taker.remaining_lots
        while lots:
            pieces = pools.plan(taker.side, lots, bound)[:1]
            most = self._affordable(taker, pieces[0].price_ticks) if pieces else 0
            if pieces and most >= pieces[0].size_lots:
                self._take_piece(taker, pools, pieces[0], touched)
                break
            lots = min(most, lots - 1)
        return _FUNDS_EXHAUSTED

    def _take_piece(
        self, taker: Order, pools: PoolRouter, piece: PoolPiece, touched: dict[str, None]
    ) -> None:
        pools.take(taker.side, piece)
        touched[piece.pool_id] = None
        self._fills.from_pool(taker, piece)

    def _affordable(self, taker: Order, price_ticks: int) -> int:
        unit = self._market.rules.quote_unit
        return affordable_lots(taker.held_raw, price_ticks, taker.taker_ppm, unit)

    def _take_book(self, taker: Order, opposite: BookSide, last_key: int) -> Reason:
        """Trade with the levels down to one, and keep the taker apart from its owner's orders."""
        reason = self._take_queues(taker, opposite, last_key)
        while reason is _SELF_TRADE and self._prevent_next(taker, opposite) is _NONE:
            reason = self._take_queues(taker, opposite, last_key)
        return reason

    def _take_queues(self, taker: Order, opposite: BookSide, last_key: int) -> Reason:
        """Trade with the levels down to one, best and oldest first; says why it stopped.

        NONE: filled, or nobody is left within the limit. SELF_TRADE: an order of the same owner is
        next. FUNDS_EXHAUSTED: the hold pays for no more. The innermost loop of the exchange: it
        makes its fills in place, and writes what they come to for the taker once.
        """
        market, fills, close, reason = self._market, self._fills, self._market.close, _NONE
        funds, unit, now = market.funds, market.rules.quote_unit, market.now_ns
        events, untold, keys, levels = market.events, market.untold, opposite.keys, opposite.levels
        side, user, taker_no, parent = taker.side, taker.user, taker.order_no, taker.parent
        left, number, spent = taker.remaining_lots, market.last_trade_no, 0
        taker_fee = maker_fee = 0
        takings = taker.fills = [] if taker.fills is NO_FILLS else taker.fills
        while left and keys and keys[-1] >= last_key and reason is _NONE:
            level = levels[keys[-1]]
            price, maker, before = level.price_ticks, level.head, left
            while left and maker is not None:
                lots = maker.shown_lots if maker.display_lots else maker.remaining_lots
                if funds:
                    lots, reason = self._allowed(taker, maker, lots)
                    if not lots:
                        break
                if lots < left:
                    left -= lots
                else:
                    lots, left = left, 0
                quote = price * lots * unit
                spent += quote
                maker.filled_lots = maker_filled = maker.filled_lots + lots
                maker.remaining_lots = maker_left = maker.remaining_lots - lots
                maker.filled_quote_raw = maker_quote = maker.filled_quote_raw + quote
                if funds:
                    taker_fee = fills.pay(taker, lots, quote, left, taker.taker_ppm)
                    maker_fee = fills.pay(maker, lots, quote, maker_left, maker.maker_ppm)
                number += 1
                takings.append(Fill(number, price, lots, _TAKER, "", taker_fee, now))
                made = Fill(number, price, lots, _MAKER, "", maker_fee, now)
                if maker.fills is NO_FILLS:
                    maker.fills = [made]
                else:
                    maker.fills.append(made)
                trade = Traded(
                    number, price, lots, quote, side, "", taker_no, user, taker_fee,
                    maker.order_no, maker.user, maker_fee, maker_filled, maker_left, maker_quote,
                )  # fmt: skip
                events.append(trade)
                untold.append(trade)
                if parent or maker.parent:
                    fills.tell_parents(taker, maker, lots, quote)
                if not maker_left:
                    filled, maker = maker, maker.next
                    filled.level = filled.previous = filled.next = None
                    close(filled, _FILLED, _NONE)
                else:
                    maker = self._keep_maker(maker, level, lots)
            opposite.shorten(level, maker, before - left)
        fills.note_taken(taker, left, spent, number)
        return reason

    def _allowed(self, taker: Order, maker: Order, lots: int) -> tuple[int, Reason]:
        """Say how much of the next order one with a hold may take; why, where that is nothing."""
        if maker.user == taker.user:
            return 0, _SELF_TRADE
        if taker.price_ticks or taker.side:
            return lots, _NONE
        lots = min(lots, self._affordable(taker, maker.price_ticks))
        return lots, _NONE if lots else _FUNDS_EXHAUSTED

    def _keep_maker(self, maker: Order, level: Level, lots: int) -> Order | None:
        """Note a fill that left something of the first order; returns which is first now."""
        maker.updated_ns = self._market.now_ns
        maker.sequence = self._market.sequence
        maker.previous = None
        if maker.display_lots:
            maker.shown_lots -= lots
            if self._settle_maker(maker, level):
                return level.head
        return maker

    # How an order stands afterwards.

    def _finish(self, taker: Order, reason: Reason, *, traded: bool) -> None:
        """Rest or end an order of which something is left."""
        market = self._market
        if taker.order_type is _LIMIT and reason is _NONE and taker.route is not _DEX:
            market.rest(taker)
            if traded:
                market.tell_rested(taker)
        elif reason in _STOPPED:
            market.close(taker, _CANCELED, reason)
        elif taker.route is _DEX:
            market.close(taker, _CANCELED, _NO_LIQUIDITY)
        elif taker.order_type in RESTING:
            market.rest(taker)
            if traded:
                market.tell_rested(taker)
        else:
            if taker.order_type in _OWN_REMAINDER and taker.filled_lots:
                reason = _IOC_REMAINDER
            market.close(taker, _CANCELED, reason or _NO_LIQUIDITY)

    def _tell_pools(self, touched: dict[str, None]) -> None:
        market = self._market
        for pool_id in touched:
            state = market.pools.state(pool_id)
            if state is not None:
                market.pools_changed = True
                market.events.append(PoolChanged(state, from_chain=False))

    # Self-trade prevention.

    def _prevent_next(self, taker: Order, opposite: BookSide) -> Reason:
        """Keep an order apart from the next one on the other side, which is of its owner."""
        own = opposite.levels[opposite.keys[-1]].head
        return _SELF_TRADE if own is None else self._prevent(taker, own)

    def _meet_own(self, taker: Order, opposite: BookSide) -> Reason:
        """Let an order that can take nothing of others' meet the own ones that stand before."""
        keys = opposite.keys
        while self._market.funds and keys and taker.route is not _DEX:
            maker = opposite.levels[keys[-1]].head
            if maker is None or maker.user != taker.user:
                break
            reason = self._prevent(taker, maker)
            if reason is not _NONE:
                return reason
        return _NO_LIQUIDITY

    def _prevent(self, taker: Order, maker: Order) -> Reason:
        """Keep two orders of one user apart; SELF_TRADE when the incoming one must stop."""
        market, mode = self._market, taker.stp
        if mode is StpMode.DECREMENT_AND_CANCEL:
            return self._decrement(taker, maker)
        if mode is not StpMode.CANCEL_INCOMING:
            market.cancel(maker, _SELF_TRADE)
        return _NONE if mode is StpMode.CANCEL_RESTING else _SELF_TRADE

    def _decrement(self, taker: Order, maker: Order) -> Reason:
        """Shrink the larger of two by the smaller, which is cancelled; both, when equal."""
        market, lots = self._market, maker.remaining_lots
        if lots <= taker.remaining_lots:
            market.cancel(maker, _SELF_TRADE)
            if lots == taker.remaining_lots:
                return _SELF_TRADE
            taker.size_lots -= lots
            taker.remaining_lots -= lots
            self._tell_amended(taker)
            return _NONE
        lots = taker.remaining_lots
        self.shrink(maker, maker.size_lots - lots)
        self._tell_amended(maker)
        return _SELF_TRADE

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
                order.order_no,
                order.user,
                order.price_ticks,
                order.size_lots,
                order.filled_lots,
                order.remaining_lots,
                order.filled_quote_raw,
                kept_priority=True,
            )
        )

    # When a pool moves through what rests.

    def _sweep_side(self, side: BookSide, pools: PoolRouter, touched: dict[str, None]) -> bool:
        """Fill orders of the best level that a pool is through; False when there is none."""
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
        self, level: Level, side: BookSide, pools: PoolRouter, touched: dict[str, None]
    ) -> bool:
        """Fill one level's queue as far as the pools give at its price; tells whether any was."""
        traded, maker = False, level.head
        while maker is not None:
            following = maker.next
            if maker.route is not _CEX:
                pieces = pools.plan(side.side, maker.visible_lots, level.price_ticks)
                if not pieces:
                    break
                traded = True
                for piece in pieces:
                    pools.take(side.side, piece)
                    touched[piece.pool_id] = None
                    self._fills.resting_from_pool(maker, level, piece)
                if self._settle_maker(maker, level):
                    following = following or maker
            maker = following
        if traded:
            side.touch(level)
        if level.head is None:
            side.drop(level)
        return traded

    def _settle_maker(self, maker: Order, level: Level) -> bool:
        """Close a filled maker, or refill an iceberg at the back; True for the latter."""
        if not maker.remaining_lots:
            level.unlink(maker)
            self._market.close(maker, _FILLED, _NONE)
        elif maker.display_lots and not maker.shown_lots:
            level.unlink(maker)
            maker.shown_lots = min(maker.display_lots, maker.remaining_lots)
            level.append(maker)
            return True
        return False
