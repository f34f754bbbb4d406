"""Pools of the kind x * y = k, to the last unit, with each contract's own way to take its fee.

Formulas: Uniswap V2 (``UniswapV2Library.getAmountOut`` and ``getAmountIn``), Camelot V2
(``CamelotPair._getAmountOut``), Aerodrome (``Pool.getAmountOut``, fees to ``PoolFees``), Raydium
AMM v4 (``process_swap_base_in`` and ``_out``) and CPMM (``CurveCalculator.swap_base_input`` and
``_output``); `FeeRule` says which is which. Integers only.
"""

from math import isqrt
from typing import Final, NamedTuple

from actors.engine.invariants import invariant
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.lot_curve import LotCurve
from actors.engine.pools.state import ConstantProduct, CreatorFee, FeeRule
from actors.engine.units import PPM, Side

RESERVE_MAX: Final = 2**112 - 1
"""A pair contract stores reserves as uint112 and reverts a swap that would exceed it."""

_RESERVE_MAX: Final = {
    FeeRule.SCALED: RESERVE_MAX,
    FeeRule.FLOOR_LEAVES: 2**128 - 1,
    FeeRule.CEIL_STAYS: 2**64 - 1,
    FeeRule.CEIL_SHARED: 2**64 - 1,
}
_BUY = Side.BUY


class Fees(NamedTuple):
    """The fees of one direction: ``rate / den`` of the input, ``creator_out`` ppm of the output.

    ``rate`` holds the creator's ``creator_in`` where that is taken from the input.
    """

    rate: int
    den: int
    creator_in: int
    creator_out: int

    @classmethod
    def of(cls, pool: ConstantProduct, side: Side) -> "Fees":
        """Read the fees that a taker of ``side`` pays."""
        rate, creator = pool.fee_of(side), pool.creator_num
        if not creator:
            return cls(rate, pool.fee_den, 0, 0)
        token_in = CreatorFee.QUOTE if side is _BUY else CreatorFee.BASE
        if pool.creator_on in (CreatorFee.INPUT, token_in):
            return cls(rate + creator, pool.fee_den, creator, 0)
        return cls(rate, pool.fee_den, 0, creator)


def amount_out(pool: ConstantProduct, side: Side, amount_in: int) -> int:
    """Return what a swap of exactly ``amount_in`` brings, in pool units.

    BUY puts quote in and brings base; SELL the other way round. 0 for nothing in or empty reserves.
    """
    reserve_in, reserve_out = _in_and_out(pool, side)
    if amount_in <= 0 or reserve_in <= 0 or reserve_out <= 0:
        return 0
    fees = Fees.of(pool, side)
    if pool.fee_rule is FeeRule.SCALED:
        net = amount_in * (fees.den - fees.rate)
        return reserve_out * net // (reserve_in * fees.den + net)
    net = amount_in - _fee(pool.fee_rule, fees, amount_in)
    out = reserve_out * net // (reserve_in + net)
    return out - -(-out * fees.creator_out // PPM)


def amount_in(pool: ConstantProduct, side: Side, amount_out: int) -> int:
    """Return what must be put in to take exactly ``amount_out``, in pool units.

    For Uniswap and Camelot that is ``getAmountIn`` of the router, which may ask one unit more than
    the pair needs; for the others the least that brings as much, as Raydium's ``swap_base_output``.

    Raises:
        InvariantError: ``amount_out`` is not above zero and below the reserve it comes from.
    """
    reserve_in, reserve_out = _in_and_out(pool, side)
    fees = Fees.of(pool, side)
    kept = fees.den - fees.rate
    out = -(-amount_out * PPM // (PPM - fees.creator_out)) if fees.creator_out else amount_out
    invariant(0 < out < reserve_out, "a swap must leave something in the pool")
    if pool.fee_rule is FeeRule.SCALED:
        return reserve_in * out * fees.den // ((reserve_out - out) * kept) + 1
    net = -(-reserve_in * out // (reserve_out - out))
    if pool.fee_rule is FeeRule.FLOOR_LEAVES:
        return (net - 1) * fees.den // kept + 1
    return -(-net * fees.den // kept)


def after_swap(
    pool: ConstantProduct, side: Side, amount_in: int, amount_out: int
) -> ConstantProduct:
    """Return the pool after a swap: what of the fee leaves it is not in the reserves."""
    fees = Fees.of(pool, side)
    kept_in, gone_out = amount_in, amount_out
    if pool.fee_rule is FeeRule.FLOOR_LEAVES:
        kept_in -= _fee(pool.fee_rule, fees, amount_in)
    elif pool.fee_rule is FeeRule.CEIL_SHARED:
        fee = _fee(pool.fee_rule, fees, amount_in)
        creator = fee * fees.creator_in // fees.rate if fees.creator_in else 0
        trade = fee - creator
        kept_in -= creator + trade * pool.protocol_ppm // PPM + trade * pool.fund_ppm // PPM
        if fees.creator_out:
            gone_out = -(-amount_out * PPM // (PPM - fees.creator_out))
    base, quote = (-gone_out, kept_in) if side is _BUY else (kept_in, -gone_out)
    return pool.with_reserves(pool.reserve_base + base, pool.reserve_quote + quote)


def _fee(rule: FeeRule, fees: Fees, amount_in: int) -> int:
    if rule is FeeRule.FLOOR_LEAVES:
        return amount_in * fees.rate // fees.den
    return -(-amount_in * fees.rate // fees.den)


def _in_and_out(pool: ConstantProduct, side: Side) -> tuple[int, int]:
    if side is _BUY:
        return pool.reserve_quote, pool.reserve_base
    return pool.reserve_base, pool.reserve_quote


class ConstantProductCurve(LotCurve):
    """A `PoolCurve` over constant-product reserves; see there for what each method means."""

    __slots__ = ("_base", "_fees", "_quote", "_scaled", "state")

    def __init__(self, state: ConstantProduct, grid: PoolGrid) -> None:
        super().__init__(grid)
        self.state = state
        self._base, self._quote = state.reserve_base, state.reserve_quote
        self._scaled = state.fee_rule is FeeRule.SCALED
        self._fees = (Fees.of(state, Side.BUY), Fees.of(state, Side.SELL))

    def amounts(self, side: Side, base: int) -> tuple[int, int]:
        """Return (in, out) of one swap of ``base``."""
        if not self._scaled:
            if side is _BUY:
                return amount_in(self.state, side, base), base
            return base, amount_out(self.state, side, base)
        rate, den, _, _ = self._fees[side]
        if side is _BUY:
            left = (self._base - base) * (den - rate)
            return self._quote * base * den // left + 1, base
        net = base * (den - rate)
        return base, self._quote * net // (self._base * den + net)

    def base_within(self, side: Side, price: tuple[int, int]) -> int:
        """Return the base with a marginal price no worse than ``price``, by an integer root.

        BUY: in'(y) = Rq Rb / ((Rb - y)^2 k) <= P; SELL: out'(x) = Rq Rb k / (Rb + x k)^2 >= P, with
        k the part of the input that the fee leaves (times the part of the output).
        """
        rate, den, _, creator = self._fees[side]
        kept, base = den - rate, self._base
        num, one = price
        product = base * self._quote * den * one
        if creator and side is _BUY:
            product, num = product * PPM, num * (PPM - creator)
        elif creator:
            product, num = product * (PPM - creator), num * PPM
        if side is _BUY:
            out = base - 1 - isqrt(max(-(-product // (kept * num)) - 1, 0))
            return out * (PPM - creator) // PPM if creator else out
        return (isqrt(product * kept // num) - base * den) // kept

    def marginal(self, side: Side, base: int) -> tuple[int, int]:
        """Return the marginal price after a swap of ``base``."""
        rate, den, _, creator = self._fees[side]
        kept, product = den - rate, self._base * self._quote * den
        if side is _BUY:
            out = -(-base * PPM // (PPM - creator)) if creator else base
            return product * PPM, (self._base - out) ** 2 * kept * (PPM - creator)
        down = (self._base * den + base * kept) ** 2
        return product * kept * (PPM - creator), down * PPM

    def take(self, side: Side, size_lots: int) -> "ConstantProductCurve":
        """Return the curve after one swap of ``size_lots``."""
        if size_lots == 0:
            return self
        paid, taken = self.swap(side, size_lots)
        if not paid:
            return self
        return ConstantProductCurve(after_swap(self.state, side, paid, taken), self._grid)

    def base_capacity(self, side: Side) -> int:
        """Return the most base the reserves allow: one unit stays, their bound is not exceeded."""
        if not self._is_usable():
            return 0
        state, most = self.state, self.quote_most
        bound = _RESERVE_MAX[state.fee_rule]
        if side is _BUY:
            room = min(bound - state.reserve_quote, most)
            base = amount_out(state, side, room)
            while base and amount_in(state, side, base) > room:
                base -= 1  # getAmountIn adds one unit where getAmountOut rounded exactly
            return base
        room = bound - state.reserve_base
        if amount_out(state, side, room) > most:
            room = amount_in(state, side, most) - 1
        return room

    def _is_usable(self) -> bool:
        state = self.state
        bound = _RESERVE_MAX[state.fee_rule]
        return (
            0 < state.reserve_base <= bound
            and 0 < state.reserve_quote <= bound
            and all(0 <= fees.rate < fees.den for fees in self._fees)
            and 0 <= state.creator_num < PPM
        )
