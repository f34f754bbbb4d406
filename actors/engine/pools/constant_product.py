"""Pools of the kind x * y = k with the fee left in the reserves, to the last unit.

The formulas are those of Uniswap V2 (`UniswapV2Library.getAmountOut`, `getAmountIn`, and the check
of K in `UniswapV2Pair.swap`), with the fee as any fraction: 3/1000 there. Integers only.
"""

from math import isqrt
from typing import Final

from actors.engine.invariants import invariant
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

    __slots__ = ("_capacity", "_grid", "_kept", "state")

    def __init__(self, state: ConstantProduct, grid: PoolGrid) -> None:
        self.state = state
        self._grid = grid
        self._kept = state.fee_den - state.fee_num
        self._capacity: tuple[int, int] | None = None

    def capacity_lots(self, side: Side) -> int:
        """Return the most lots the reserves allow: one unit stays, uint112 is not exceeded."""
        if self._capacity is None:
            self._capacity = (self._buy_capacity(), self._sell_capacity())
        return self._capacity[side]

    def quote_for(self, side: Side, size_lots: int) -> int:
        """Return the pair's raw quote units for ``size_lots``, rounded in the pool's favour."""
        if size_lots == 0:
            return 0
        return self._quote_of(side, *self._amounts(side, size_lots))

    def lots_up_to(self, side: Side, limit_ticks: int) -> int:
        """Return the lots whose marginal price is no worse than ``limit_ticks``.

        BUY: in'(y) = Rq Rb den / ((Rb - y)^2 kept) <= P; SELL: out'(x) = kept Rq Rb den /
        (Rb den + x kept)^2 >= P; both solved for the amount of base with an integer root.
        """
        capacity = self.capacity_lots(side)
        if limit_ticks <= 0 or capacity == 0:
            return 0
        grid, state, kept = self._grid, self.state, self._kept
        product = state.reserve_base * state.reserve_quote * state.fee_den
        price_num = limit_ticks * grid.tick_lot_raw * grid.quote_num * grid.lot_den
        price_den = grid.quote_den * grid.lot_num
        if side is Side.BUY:
            square = -(-product * price_den // (kept * price_num))
            base = state.reserve_base - (isqrt(square - 1) + 1)
        else:
            square = product * kept * price_den // price_num
            base = (isqrt(square) - state.reserve_base * state.fee_den) // kept
        lots = min(base * grid.lot_den // grid.lot_num, capacity)
        if lots <= 0 or not self._is_within(side, lots, limit_ticks):
            return 0
        return lots

    def best_ticks(self, side: Side) -> int:
        """Return the price of the first lot: of its average and its marginal price the worse."""
        if self.capacity_lots(side) == 0:
            return 0
        grid, kept = self._grid, self._kept
        state = self.take(side, 1).state
        product = self.state.reserve_base * self.state.reserve_quote * state.fee_den
        num = product * grid.quote_den * grid.lot_num
        unit = grid.tick_lot_raw * grid.quote_num * grid.lot_den
        quote = self.quote_for(side, 1)
        if side is Side.BUY:
            marginal = -(-num // (state.reserve_base**2 * kept * unit))
            ticks = max(marginal, -(-quote // grid.tick_lot_raw))
            return ticks if ticks <= grid.max_price_ticks else 0
        added = state.reserve_base - self.state.reserve_base
        root = self.state.reserve_base * state.fee_den + added * kept
        return min(num * kept // (root**2 * unit), quote // grid.tick_lot_raw)

    def take(self, side: Side, size_lots: int) -> "ConstantProductCurve":
        """Return the curve after one swap of ``size_lots``."""
        if size_lots == 0:
            return self
        paid, taken = self._amounts(side, size_lots)
        return ConstantProductCurve(after_swap(self.state, side, paid, taken), self._grid)

    def _amounts(self, side: Side, size_lots: int) -> tuple[int, int]:
        """Return (in, out) of the swap in pool units; part units of base go to the pool."""
        grid = self._grid
        invariant(0 < size_lots <= self.capacity_lots(side), "more lots than the pool can trade")
        if side is Side.BUY:
            base = -(-size_lots * grid.lot_num // grid.lot_den)
            return amount_in(self.state, side, base), base
        base = size_lots * grid.lot_num // grid.lot_den
        return base, amount_out(self.state, side, base)

    def _quote_of(self, side: Side, paid: int, taken: int) -> int:
        grid = self._grid
        if side is Side.BUY:
            return -(-paid * grid.quote_den // grid.quote_num)
        return taken * grid.quote_den // grid.quote_num

    def _is_within(self, side: Side, lots: int, limit_ticks: int) -> bool:
        bound = limit_ticks * lots * self._grid.tick_lot_raw
        quote = self.quote_for(side, lots)
        return quote <= bound if side is Side.BUY else quote >= bound

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
