"""Pools of the kind x * y = k with the fee left in the reserves, to the last unit.

The formulas are those of Uniswap V2 (`UniswapV2Library.getAmountOut`, `getAmountIn`, and the check
of K in `UniswapV2Pair.swap`), with the fee as any fraction: 3/1000 there. Integers only.
"""

from math import isqrt
from typing import Final

from actors.engine.invariants import broken, invariant
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.state import ConstantProduct
from actors.engine.units import RAW_MAX, Side

RESERVE_MAX: Final = 2**112 - 1
"""A pair contract stores reserves as uint112 and reverts a swap that would exceed it."""


def amount_out(pool: ConstantProduct, side: Side, amount_in: int) -> int:
    """Return what a swap of exactly ``amount_in`` brings (``getAmountOut``), in pool units.

    BUY puts quote in and brings base; SELL the other way round. 0 for nothing in or empty reserves.
    """
    reserve_in, reserve_out = _in_and_out(pool, side)
    if amount_in <= 0 or reserve_in <= 0 or reserve_out <= 0:
        return 0
    net = amount_in * (pool.fee_den - pool.fee_num)
    return reserve_out * net // (reserve_in * pool.fee_den + net)


def amount_in(pool: ConstantProduct, side: Side, amount_out: int) -> int:
    """Return what must be put in to take exactly ``amount_out`` (``getAmountIn``), in pool units.

    Raises:
        InvariantError: ``amount_out`` is not above zero and below the reserve it comes from.
    """
    reserve_in, reserve_out = _in_and_out(pool, side)
    invariant(0 < amount_out < reserve_out, "a swap must leave something in the pool")
    kept = (reserve_out - amount_out) * (pool.fee_den - pool.fee_num)
    return reserve_in * amount_out * pool.fee_den // kept + 1


def after_swap(
    pool: ConstantProduct, side: Side, amount_in: int, amount_out: int
) -> ConstantProduct:
    """Return the pool after a swap; the whole input, fee included, stays in the reserves."""
    base, quote = (-amount_out, amount_in) if side is Side.BUY else (amount_in, -amount_out)
    return ConstantProduct.of(
        pool.reserve_base + base, pool.reserve_quote + quote, pool.fee_num, pool.fee_den
    )


def _in_and_out(pool: ConstantProduct, side: Side) -> tuple[int, int]:
    if side is Side.BUY:
        return pool.reserve_quote, pool.reserve_base
    return pool.reserve_base, pool.reserve_quote


class ConstantProductCurve:
    """A `PoolCurve` over constant-product reserves; see there for what each method means."""

    __slots__ = ("_base", "_best", "_capacity", "_den", "_grid", "_kept", "_quote", "state")

    def __init__(self, state: ConstantProduct, grid: PoolGrid) -> None:
        self.state = state
        self._grid = grid
        self._base, self._quote = state.reserve_base, state.reserve_quote
        self._den, self._kept = state.fee_den, state.fee_den - state.fee_num
        self._capacity: tuple[int, int] | None = None
        self._best: tuple[int, int] | None = None

    def capacity_lots(self, side: Side) -> int:
        """Return the most lots the reserves allow: one unit stays, uint112 is not exceeded."""
        if self._capacity is None:
            self._capacity = (self._buy_capacity(), self._sell_capacity())
        return self._capacity[side]

    def best_ticks(self, side: Side) -> int:
        """Return the price of the first lot: of its average and its marginal price the worse."""
        if self._best is None:
            self._best = (self._best_ask(), self._best_bid())
        return self._best[side]

    def quote_for(self, side: Side, size_lots: int) -> int:
        """Return the pair's raw quote units for ``size_lots``, rounded in the pool's favour."""
        if size_lots == 0:
            return 0
        grid = self._grid
        paid, taken = self._amounts(side, size_lots)
        if side is Side.BUY:
            return -(-paid * grid.quote_den // grid.quote_num)
        return taken * grid.quote_den // grid.quote_num

    def depth(self, side: Side, limit_ticks: int) -> tuple[int, int]:
        """Return the lots whose marginal price is no worse than ``limit_ticks``, and their quote.

        BUY: in'(y) = Rq Rb den / ((Rb - y)^2 kept) <= P; SELL: out'(x) = kept Rq Rb den /
        (Rb den + x kept)^2 >= P; both solved for the amount of base with an integer root.
        """
        capacity = self.capacity_lots(side)
        if limit_ticks <= 0 or capacity == 0:
            return 0, 0
        grid, kept = self._grid, self._kept
        product = self._base * self._quote * self._den * grid.quote_den * grid.lot_num
        price = limit_ticks * grid.tick_lot_raw * grid.quote_num * grid.lot_den
        if side is Side.BUY:
            base = self._base - 1 - isqrt(-(-product // (kept * price)) - 1)
        else:
            base = (isqrt(product * kept // price) - self._base * self._den) // kept
        lots = min(base * grid.lot_den // grid.lot_num, capacity)
        if lots <= 0:
            return 0, 0
        quote = self.quote_for(side, lots)
        bound = limit_ticks * lots * grid.tick_lot_raw
        within = quote <= bound if side is Side.BUY else quote >= bound
        return (lots, quote) if within else (0, 0)

    def lots_up_to(self, side: Side, limit_ticks: int) -> int:
        """Return the lots of `depth`."""
        return self.depth(side, limit_ticks)[0]

    def price_of(self, side: Side, size_lots: int, quote_raw: int) -> int:
        """Return the average price in ticks, rounded in the pool's favour."""
        unit = size_lots * self._grid.tick_lot_raw
        return -(-quote_raw // unit) if side is Side.BUY else quote_raw // unit

    def take(self, side: Side, size_lots: int) -> "ConstantProductCurve":
        """Return the curve after one swap of ``size_lots``."""
        if size_lots == 0:
            return self
        paid, taken = self._amounts(side, size_lots)
        return ConstantProductCurve(after_swap(self.state, side, paid, taken), self._grid)

    def _amounts(self, side: Side, size_lots: int) -> tuple[int, int]:
        """Return (in, out) of the swap in pool units; part units of base go to the pool."""
        grid = self._grid
        if not 0 < size_lots <= self.capacity_lots(side):
            broken(f"{size_lots} lots asked of a pool that trades {self.capacity_lots(side)}")
        if side is Side.BUY:
            base = -(-size_lots * grid.lot_num // grid.lot_den)
            return self._quote * base * self._den // ((self._base - base) * self._kept) + 1, base
        base = size_lots * grid.lot_num // grid.lot_den
        net = base * self._kept
        return base, self._quote * net // (self._base * self._den + net)

    def _best_ask(self) -> int:
        if self.capacity_lots(Side.BUY) == 0:
            return 0
        grid = self._grid
        paid, taken = self._amounts(Side.BUY, 1)
        product = self._base * self._quote * self._den * grid.quote_den * grid.lot_num
        unit = grid.tick_lot_raw * grid.quote_num * grid.lot_den
        marginal = -(-product // ((self._base - taken) ** 2 * self._kept * unit))
        quote = -(-paid * grid.quote_den // grid.quote_num)
        ticks = max(marginal, self.price_of(Side.BUY, 1, quote))
        return ticks if ticks <= grid.max_price_ticks else 0

    def _best_bid(self) -> int:
        if self.capacity_lots(Side.SELL) == 0:
            return 0
        grid = self._grid
        paid, taken = self._amounts(Side.SELL, 1)
        product = self._base * self._quote * self._den * grid.quote_den * grid.lot_num
        unit = grid.tick_lot_raw * grid.quote_num * grid.lot_den
        marginal = (
            product * self._kept // ((self._base * self._den + paid * self._kept) ** 2 * unit)
        )
        quote = taken * grid.quote_den // grid.quote_num
        return min(marginal, self.price_of(Side.SELL, 1, quote), grid.max_price_ticks)

    def _is_usable(self) -> bool:
        state = self.state
        return (
            0 < state.reserve_base <= RESERVE_MAX
            and 0 < state.reserve_quote <= RESERVE_MAX
            and 0 <= state.fee_num < state.fee_den
        )

    def _buy_capacity(self) -> int:
        if not self._is_usable():
            return 0
        state, grid = self.state, self._grid
        room = RESERVE_MAX - state.reserve_quote
        room = min(room, RAW_MAX * grid.quote_num // grid.quote_den)
        base = amount_out(state, Side.BUY, room)
        while base and amount_in(state, Side.BUY, base) > room:
            base -= 1  # getAmountIn adds one unit where getAmountOut rounded exactly
        return min(base * grid.lot_den // grid.lot_num, self._lots_max())

    def _sell_capacity(self) -> int:
        if not self._is_usable():
            return 0
        state, grid = self.state, self._grid
        room = RESERVE_MAX - state.reserve_base
        most = RAW_MAX * grid.quote_num // grid.quote_den
        if amount_out(state, Side.SELL, room) > most:
            room = amount_in(state, Side.SELL, most) - 1
        return min(room * grid.lot_den // grid.lot_num, self._lots_max())

    def _lots_max(self) -> int:
        return RAW_MAX // self._grid.lot_raw
