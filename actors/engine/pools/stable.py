"""Pools of the kind x^3 y + y^3 x = k (Solidly's stable pools), to the last unit.

Formulas: ``Pool._k``, ``_f``, ``_d``, ``_get_y``, ``getAmountOut`` of Aerodrome (and Velodrome
V2), and those of ``CamelotPair``, whose loop is the older one; each product is rounded down where
the contract divides by 1e18. Integers only: what is not the contract's own arithmetic (the way back
from a price to an amount) runs on integer roots too, so that every machine reckons alike.
"""

from collections.abc import Callable
from math import isqrt
from typing import Final

import msgspec

from actors.engine.invariants import invariant
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.lot_curve import LotCurve
from actors.engine.pools.state import Stable, StableRule
from actors.engine.units import Side

_E18: Final = 10**18
_E9: Final = 10**9
_SMOOTH: Final = 100 * _E18
_UINT256: Final = 2**256
_ROUNDS: Final = 255
_OWNER_DEN: Final = 100_000
_K_MIN: Final = 10**10
"""`MINIMUM_K` of Aerodrome: below it rounding eats the curve, and no pool can be opened."""
_GROWTH_BITS: Final = 6
"""At most 64 times what is in the pool goes in: beyond, no price is worth a swap."""
_ROOT_BITS: Final = 64
_UNITS: Final[tuple[int, ...]] = tuple(10**decimals for decimals in range(78))
_BUY = Side.BUY


def k_of(x: int, y: int) -> int:
    """Return ``_k`` of two reserves counted in 1e-18."""
    return (x * y // _E18) * (x * x // _E18 + y * y // _E18) // _E18


class _Pool(msgspec.Struct, frozen=True, gc=False):
    """One direction of a stable pool: reserves in and out in 1e-18, and the tokens' units."""

    x: int
    y: int
    unit_in: int
    unit_out: int
    k: int
    fee_num: int
    fee_den: int
    rule: StableRule
    unit0: int
    unit1: int

    @classmethod
    def of(cls, state: Stable, side: Side) -> "_Pool":
        """Look at a pool as a taker of ``side`` does."""
        base_unit, quote_unit = _UNITS[state.base_decimals], _UNITS[state.quote_decimals]
        base = state.reserve_base * _E18 // base_unit
        quote = state.reserve_quote * _E18 // quote_unit
        units = (base_unit, quote_unit) if state.base_is_token0 else (quote_unit, base_unit)
        k = k_of(base, quote)
        fee, den, rule = state.fee_of(side), state.fee_den, state.rule
        if side is _BUY:
            return cls(quote, base, quote_unit, base_unit, k, fee, den, rule, *units)
        return cls(base, quote, base_unit, quote_unit, k, fee, den, rule, *units)

    def out(self, amount_in: int) -> int:
        """Return ``getAmountOut(amount_in)``; 0 where the contract's loop does not end."""
        net = amount_in - amount_in * self.fee_num // self.fee_den
        x = self.x + net * _E18 // self.unit_in
        y = self._solidly_y(x) if self.rule is StableRule.SOLIDLY else self._camelot_y(x)
        return max(self.y - y, 0) * self.unit_out // _E18

    def into(self, amount_out: int) -> int:
        """Return the least input whose `out` is ``amount_out`` or more.

        The curve is solved for the input (a Newton iteration that ends above the root), then the
        contract's own rounding is asked on both sides of the answer.
        """
        left = self.y - -(-amount_out * _E18 // self.unit_out)
        invariant(amount_out > 0 and left > 0, "a swap must leave something in the pool")
        net = max(-(-(self._solve(left) - self.x) * self.unit_in // _E18), 1)
        gross = (net - 1) * self.fee_den // (self.fee_den - self.fee_num) + 1
        enough = self._fast_enough(left) if self._is_smooth else self._enough(amount_out)
        step, high = 1, gross
        while not enough(high):
            high += step
            step *= 2
        step, low = 1, high - 1
        while low > 0 and enough(low):
            high, low = low, max(low - step, 0)
            step *= 2
        while high - low > 1:
            middle = (low + high) // 2
            if enough(middle):
                high = middle
            else:
                low = middle
        return high

    @property
    def _is_smooth(self) -> bool:
        """True where a unit of y is more than one of k, so that ``_get_y`` finds the least y.

        Where its loop starts makes no difference to its answer there. In smaller pools, and with
        Camelot's loop, which stops a unit early, it does.
        """
        return self.rule is StableRule.SOLIDLY and min(self.x, self.y) >= _SMOOTH

    def _enough(self, amount_out: int) -> Callable[[int], bool]:
        return lambda amount_in: self.out(amount_in) >= amount_out

    def _fast_enough(self, left: int) -> Callable[[int], bool]:
        """Ask of an input whether k is kept with ``left`` in the pool: as ``_get_y`` would find."""
        k, square = self.k, left * left // _E18

        def enough(amount_in: int) -> bool:
            net = amount_in - amount_in * self.fee_num // self.fee_den
            x = self.x + net * _E18 // self.unit_in
            return (x * left // _E18) * (x * x // _E18 + square) // _E18 >= k

        return enough

    def _solve(self, y: int) -> int:
        """Return x with x^3 y + x y^3 = k, rounded up or a unit more."""
        target = self.k * _E18**3
        x, square = self.x, y * y
        while True:
            now = x * y * (x * x + square)
            slope = y * (3 * x * x + square)
            following = x - (now - target) // slope
            if following == x or (now >= target and following >= x):
                return x
            x = following

    def _start_above(self, x: int) -> int:
        """Return a y a little above the one where k is kept, by the curve without roundings."""
        target, square, y = self.k * _E18**3, x * x, self.y
        while True:
            below = y * y
            step = (x * y * (square + below) - target) // (x * (square + 3 * below))
            y -= step
            if step < _E9:
                return y + step * step // y + 2

    def _solidly_y(self, x: int) -> int:
        y, k = self._start_above(x) if self._is_smooth else self.y, self.k
        cube = (x * x // _E18) * x // _E18
        for _ in range(_ROUNDS):
            square = y * y // _E18
            f = (x * y // _E18) * (x * x // _E18 + square) // _E18
            slope = 3 * x * square // _E18 + cube
            if f < k:
                step = (k - f) * _E18 // slope
                if step == 0:
                    # The contract asks `_k` here, which scales by decimals once more.
                    if k_of(x * _E18 // self.unit0, (y + 1) * _E18 // self.unit1) > k:
                        return y + 1
                    step = 1
                y += step
            else:
                step = (f - k) * _E18 // slope
                if step == 0:
                    below = y - 1
                    if f == k or (
                        (x * below // _E18) * (x * x // _E18 + below * below // _E18) // _E18 < k
                    ):
                        return y
                    step = 1
                y -= step
        return self.y

    def _camelot_y(self, x: int) -> int:
        y, k = self.y, self.k
        cube = x * x // _E18 * x // _E18
        for _ in range(_ROUNDS):
            square = y * y // _E18
            f = x * (square * y // _E18) // _E18 + cube * y // _E18
            slope = 3 * x * square // _E18 + cube
            step = (k - f) * _E18 // slope if f < k else -((f - k) * _E18 // slope)
            y += step
            if -1 <= step <= 1:
                return y
        return y


class StableCurve(LotCurve):
    """A `PoolCurve` over a stable pool; see there for what each method means."""

    __slots__ = ("_pools", "_usable", "state")

    def __init__(self, state: Stable, grid: PoolGrid) -> None:
        super().__init__(grid)
        self.state = state
        self._pools = (_Pool.of(state, Side.BUY), _Pool.of(state, Side.SELL))
        self._usable = (
            self._pools[0].k > _K_MIN
            and all(0 <= pool.fee_num < pool.fee_den for pool in self._pools)
            and 0 <= state.owner_share <= _OWNER_DEN
        )

    def amounts(self, side: Side, base: int) -> tuple[int, int]:
        """Return (in, out) of one swap of ``base``."""
        pool = self._pools[side]
        return (pool.into(base), base) if side is _BUY else (base, pool.out(base))

    def base_within(self, side: Side, price: tuple[int, int]) -> int:
        """Return the base with a marginal price no worse than ``price``, by integer roots.

        With u = quote / base in the pool, the marginal price is m = (3u + u^3) / (1 + 3u^2), and
        so (1 - m) / (1 + m) = ((1 - u) / (1 + u))^3: a cube root gives u, and the curve
        base^4 (u + u^3) = k the reserve at which that is so.
        """
        pool, state = self._pools[side], self.state
        base_unit, quote_unit = _UNITS[state.base_decimals], _UNITS[state.quote_decimals]
        numerator, denominator = price[0] * base_unit, price[1] * quote_unit
        kept, den = pool.fee_den - pool.fee_num, pool.fee_den
        if side is _BUY:
            numerator, denominator = numerator * kept, denominator * den
        else:
            numerator, denominator = numerator * den, denominator * kept
        base, quote = (pool.y, pool.x) if side is _BUY else (pool.x, pool.y)
        after = _base_at(base, quote, numerator, denominator)
        if side is _BUY:
            return (base - after) * base_unit // _E18
        return (after - base) * base_unit // _E18 * den // kept

    def marginal(self, side: Side, base: int) -> tuple[int, int]:
        """Return the marginal price after a swap of ``base``."""
        pool, state = self._pools[side], self.state
        x, y = pool.x, pool.y
        if base:
            paid, taken = self.amounts(side, base)
            net = paid - paid * pool.fee_num // pool.fee_den
            x, y = x + net * _E18 // pool.unit_in, y - taken * _E18 // pool.unit_out
        # dy of the outgoing token for dx of the ingoing one, before the fee.
        out, into = y * (3 * x * x + y * y), x * (x * x + 3 * y * y)
        base_unit, quote_unit = _UNITS[state.base_decimals], _UNITS[state.quote_decimals]
        kept, den = pool.fee_den - pool.fee_num, pool.fee_den
        if side is _BUY:
            return into * den * quote_unit, out * kept * base_unit
        return out * kept * quote_unit, into * den * base_unit

    def take(self, side: Side, size_lots: int) -> "StableCurve":
        """Return the curve after one swap of ``size_lots``."""
        if size_lots == 0:
            return self
        paid, taken = self.swap(side, size_lots)
        if not paid:
            return self
        state, pool = self.state, self._pools[side]
        fee = paid * pool.fee_num
        if state.rule is StableRule.SOLIDLY:
            kept = paid - fee // pool.fee_den
        else:
            kept = paid - fee * state.owner_share // (_OWNER_DEN * pool.fee_den)
        base, quote = (-taken, kept) if side is _BUY else (kept, -taken)
        return StableCurve(
            state.with_reserves(state.reserve_base + base, state.reserve_quote + quote), self._grid
        )

    def base_capacity(self, side: Side) -> int:
        """Return the most base that can be swapped without leaving what the contract can count."""
        if not self._usable:
            return 0
        pool, most = self._pools[side], self.quote_most
        room = pool.x << _GROWTH_BITS
        while room and _overflows(pool.x + room, pool.y):
            room >>= 1
        room = room * pool.unit_in // _E18
        if side is _BUY:
            return max(pool.out(min(room, most)) - 1, 0)
        if pool.out(room) > most:
            room = pool.into(most) - 1
        return room


def _base_at(base: int, quote: int, numerator: int, denominator: int) -> int:
    """Return the base reserve at which the marginal price is ``numerator / denominator``."""
    whole = denominator + numerator
    cube = ((abs(denominator - numerator)) << 3 * _ROOT_BITS) // whole
    root = _cube_root(cube)
    one = 1 << _ROOT_BITS
    if numerator > denominator:
        root = -root
    u_num, u_den = max(one - root, 1), one + root
    k = base * quote * (base * base + quote * quote)
    fourth = k * u_den**3 // (u_num * (u_den * u_den + u_num * u_num))
    return isqrt(isqrt(fourth))


def _cube_root(value: int) -> int:
    """Return the integer cube root of ``value``, rounded down."""
    if value == 0:
        return 0
    # A float says where to begin, a little above; from there the root itself is exact.
    root = int(float(value) ** (1 / 3) * (1 + 2**-40)) + 1
    while True:
        following = (2 * root + value // (root * root)) // 3
        if following >= root:
            return root
        root = following


def _overflows(x: int, y: int) -> bool:
    """Tell whether the contract's 256-bit products would not hold these reserves."""
    squares = x * x // _E18 + y * y // _E18
    return max((x * y // _E18) * squares, 3 * x * (y * y // _E18), x * x) >= _UINT256 // 2
