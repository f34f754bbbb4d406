"""What an order would meet if it came now: a walk that changes nothing.

Market orders ask it what to hold, fok whether all of it can be had. It follows the same rules as
`matching`: price order, the book first at the same price, own orders as self-trade prevention has
it, and the price bound of unpriced orders.
"""

from typing import NamedTuple

from actors.engine.holds import fee_of
from actors.engine.level import Level, Order
from actors.engine.market_state import MarketState
from actors.engine.order_policies import protected_ticks
from actors.engine.pools.routing import PoolRouter
from actors.engine.units import RouteMode, Side, StpMode, UserId

_BUY, _DEX, _CEX = Side.BUY, RouteMode.DEX, RouteMode.CEX
_DECREMENT_AND_CANCEL, _CANCEL_RESTING = StpMode.DECREMENT_AND_CANCEL, StpMode.CANCEL_RESTING


class Intent(NamedTuple):
    """What the walk needs to know of an order; ``limit_ticks`` 0 for unpriced."""

    user: UserId
    side: Side
    size_lots: int
    limit_ticks: int
    route: RouteMode
    stp: StpMode
    taker_ppm: int


class Estimate(NamedTuple):
    """What the order would get: lots, what they cost, the fees of each fill, and its price bound.

    ``bound_ticks`` is 0 where there is nothing to take.
    """

    lots: int
    quote_raw: int
    fee_raw: int
    bound_ticks: int


def first_ticks(market: MarketState, user: UserId, side: Side, route: RouteMode) -> int:
    """Name the first price that an order could take; 0 when there is none."""
    best = 0
    if route is not _DEX:
        for level in market.book.sides[side.opposite].best_first():
            if not market.funds or _has_others(level, user):
                best = level.price_ticks
                break
    if route is not _CEX and market.pools_tradable:
        pool = market.pools.best_ticks(side)
        if pool and (not best or (pool < best if side is _BUY else pool > best)):
            best = pool
    return best


def bound_of(market: MarketState, user: UserId, side: Side, route: RouteMode) -> int:
    """Name the last price that an unpriced order may take; 0 when it finds nothing."""
    first = first_ticks(market, user, side, route)
    up = side is _BUY
    return protected_ticks(first, market.spec.price_protection_ppm, up=up) if first else 0


def estimate(market: MarketState, intent: Intent) -> Estimate:
    """Walk the present book and pools."""
    bound = intent.limit_ticks or bound_of(market, intent.user, intent.side, intent.route)
    if not bound:
        return Estimate(0, 0, 0, 0)
    walk = _Walk(market, intent, bound)
    walk.run()
    lots = intent.size_lots - walk.left - walk.lost
    return Estimate(lots, walk.quote_raw, walk.fee_raw, bound)


class _Walk:
    def __init__(self, market: MarketState, intent: Intent, bound: int) -> None:
        self.market = market
        self.intent = intent
        self.bound = bound
        self.left = intent.size_lots
        self.lost = 0
        """What own orders take away without a trade."""
        self.quote_raw = 0
        self.fee_raw = 0
        self.stopped = False
        self.pools: PoolRouter | None = None
        self.pool_best = 0
        if intent.route is not _CEX and market.pools_tradable:
            self.pools = market.pools.copy()
            self.pool_best = self.pools.best_ticks(intent.side)

    def run(self) -> None:
        intent, side = self.intent, self.intent.side
        buy = side is _BUY
        if intent.route is not _DEX:
            for level in self.market.book.sides[side.opposite].best_first():
                price = level.price_ticks
                if price > self.bound if buy else price < self.bound:
                    break
                self._take_pools(price - 1 if buy else price + 1, last=False)
                self._take_level(level)
                if self.stopped or not self.left:
                    return
        self._take_pools(self.bound, last=True)

    def _take_pools(self, bound: int, *, last: bool) -> None:
        pools, side, best = self.pools, self.intent.side, self.pool_best
        if pools is None or not best or (best > bound if side is _BUY else best < bound):
            return
        for piece in pools.plan(side, self.left, max(bound, 1), last=last):
            pools.take(side, piece)
            self._count(piece.size_lots, piece.price_ticks)
        self.pool_best = pools.best_ticks(side)

    def _take_level(self, level: Level) -> None:
        intent, order = self.intent, level.head
        while order is not None and self.left:
            if self.market.funds and order.user == intent.user:
                if intent.stp is _DECREMENT_AND_CANCEL:
                    lots = min(self.left, order.remaining_lots)
                    self.left -= lots
                    self.lost += lots
                elif intent.stp is not _CANCEL_RESTING:
                    self.stopped = True
                    return
            else:
                self._take_order(order)
            order = order.next

    def _take_order(self, order: Order) -> None:
        lots = min(self.left, order.remaining_lots)
        tranche = order.display_lots or lots
        # An iceberg is met tranche by tranche; each is a fill with a fee of its own.
        whole, rest = divmod(lots, tranche)
        for count, size in ((whole, tranche), (1 if rest else 0, rest)):
            quote = size * order.price_ticks * self.market.rules.quote_unit
            self.quote_raw += quote * count
            self.fee_raw += fee_of(quote, self.intent.taker_ppm) * count
        self.left -= lots

    def _count(self, lots: int, price_ticks: int) -> None:
        quote = lots * price_ticks * self.market.rules.quote_unit
        self.quote_raw += quote
        self.fee_raw += fee_of(quote, self.intent.taker_ppm)
        self.left -= lots


def _has_others(level: Level, user: UserId) -> bool:
    order = level.head
    while order is not None:
        if order.user != user:
            return True
        order = order.next
    return False
