"""Pools swapped the long way: each contract's loop written out, and searches instead of formulas.

Nothing is kept between two steps, nothing is summed up, and what asks for an exact output is found
by trying inputs. Slow, and plain enough to be checked against the contracts by reading.
"""

from collections.abc import Callable
from fractions import Fraction

E18 = 10**18
PIPS = 10**6


def ceil(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def floor(value: Fraction) -> int:
    return value.numerator // value.denominator


def least(enough: Callable[[int], bool], start: int = 1) -> int:
    """Return the least number from 1 on that is enough."""
    high = max(start, 1)
    while not enough(high):
        high *= 2
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


# x * y = k


def product_out(reserve_in: int, reserve_out: int, net: Fraction) -> int:
    """Return what a net input brings: the product of the reserves must not shrink."""
    return floor(reserve_out - Fraction(reserve_in * reserve_out) / (reserve_in + net))


# x^3 y + y^3 x = k


def stable_k(x: int, y: int, unit0: int, unit1: int) -> int:
    x, y = x * E18 // unit0, y * E18 // unit1
    a = (x * y) // E18
    b = (x * x) // E18 + (y * y) // E18
    return (a * b) // E18


def solidly_f(x0: int, y: int) -> int:
    a = (x0 * y) // E18
    b = (x0 * x0) // E18 + (y * y) // E18
    return (a * b) // E18


def solidly_d(x0: int, y: int) -> int:
    return (3 * x0 * ((y * y) // E18)) // E18 + (((x0 * x0) // E18) * x0) // E18


def solidly_y(x0: int, xy: int, y: int, unit0: int, unit1: int) -> int:
    for _ in range(255):
        k = solidly_f(x0, y)
        if k < xy:
            dy = ((xy - k) * E18) // solidly_d(x0, y)
            if dy == 0:
                if k == xy:
                    return y
                if stable_k(x0, y + 1, unit0, unit1) > xy:
                    return y + 1
                dy = 1
            y = y + dy
        else:
            dy = ((k - xy) * E18) // solidly_d(x0, y)
            if dy == 0:
                if k == xy or solidly_f(x0, y - 1) < xy:
                    return y
                dy = 1
            y = y - dy
    raise ArithmeticError("!y")


def camelot_f(x0: int, y: int) -> int:
    return x0 * (y * y // E18 * y // E18) // E18 + (x0 * x0 // E18 * x0 // E18) * y // E18


def camelot_d(x0: int, y: int) -> int:
    return 3 * x0 * (y * y // E18) // E18 + (x0 * x0 // E18 * x0 // E18)


def camelot_y(x0: int, xy: int, y: int) -> int:
    for _ in range(255):
        before = y
        k = camelot_f(x0, y)
        if k < xy:
            y = y + (xy - k) * E18 // camelot_d(x0, y)
        else:
            y = y - (k - xy) * E18 // camelot_d(x0, y)
        if abs(y - before) <= 1:
            return y
    return y


def stable_out(
    amount: int,
    reserves: tuple[int, int],
    units: tuple[int, int],
    *,
    zero_in: bool,
    camelot: bool = False,
) -> int:
    """Return what a net input of token0 (``zero_in``) or token1 brings."""
    xy = stable_k(*reserves, *units)
    scaled = [reserve * E18 // unit for reserve, unit in zip(reserves, units, strict=True)]
    into, out_of = (0, 1) if zero_in else (1, 0)
    x0 = amount * E18 // units[into] + scaled[into]
    y = camelot_y(x0, xy, scaled[out_of]) if camelot else solidly_y(x0, xy, scaled[out_of], *units)
    return (scaled[out_of] - y) * units[out_of] // E18


# Concentrated liquidity


class NaiveTicks:
    """A concentrated pool, swapped step by step as the contract does."""

    def __init__(
        self,
        root: int,
        tick: int,
        nets: dict[int, int],
        spacing: int,
        fee: int,
        *,
        root_at: Callable[[int], int],
        words: bool = True,
        bits: int = 96,
    ) -> None:
        self.root, self.tick, self.nets = root, tick, nets
        self.spacing, self.fee, self.words, self.bits = spacing, fee, words, bits
        self.root_at = root_at
        self.ended = False
        self.liquidity = sum(net for at, net in nets.items() if at <= tick)

    def next_tick(self, *, down: bool, low: int, high: int) -> int:
        """Walk tick by tick to the next initialised one, or to the edge of the bitmap's word."""
        compressed = self.tick // self.spacing
        if down:
            while compressed * self.spacing > low:
                at = compressed * self.spacing
                if at in self.nets or (self.words and compressed % 256 == 0):
                    return at
                compressed -= 1
            return low
        compressed += 1
        while compressed * self.spacing < high:
            at = compressed * self.spacing
            if at in self.nets or (self.words and compressed % 256 == 255):
                return at
            compressed += 1
        return high

    def amount1(self, one: int, other: int) -> Fraction:
        """Return the amount of token1 between two roots, exactly."""
        low, high = sorted((one, other))
        return Fraction(self.liquidity * (high - low), 1 << self.bits)

    def rounded0(self, one: int, other: int, *, up: bool) -> int:
        """Return the amount of token0 between two roots, rounded after each division."""
        low, high = sorted((one, other))
        first = Fraction(self.liquidity << self.bits) * (high - low) / high
        return ceil(Fraction(ceil(first), low)) if up else floor(Fraction(floor(first), low))

    def swap(self, amount: int, *, down: bool, exact_in: bool, low: int, high: int):
        """Swap ``amount`` in or out, up to ``low`` or ``high``; returns (paid, taken)."""
        left, paid, taken = amount, 0, 0
        while left:
            boundary = self.next_tick(down=down, low=low, high=high)
            start, target = self.root, self.root_at(boundary)
            spent, brought, fee = self.step(start, target, left, down=down, exact_in=exact_in)
            paid, taken = paid + spent + fee, taken + brought
            left -= spent + fee if exact_in else brought
            if self.root == target:
                if boundary in self.nets:
                    self.liquidity += -self.nets[boundary] if down else self.nets[boundary]
                self.tick = boundary - 1 if down else boundary
                if left and boundary in (low, high):
                    self.ended = True
                    break
            elif self.root != start:
                while self.root_at(self.tick) > self.root:
                    self.tick -= 1
                while self.root_at(self.tick + 1) <= self.root:
                    self.tick += 1
        return paid, taken

    def step(self, start: int, target: int, left: int, *, down: bool, exact_in: bool):
        """Make one step towards ``target``: (in, out, fee)."""
        into = self.rounded0(start, target, up=True) if down else ceil(self.amount1(start, target))
        out = floor(self.amount1(start, target)) if down else self.rounded0(start, target, up=False)
        net = left * (PIPS - self.fee) // PIPS
        if net >= into if exact_in else left >= out:
            self.root = target
        else:
            self.root = self.moved(start, net if exact_in else left, down=down, exact_in=exact_in)
            reached = self.root == target
            if not (reached and exact_in):
                into = (
                    self.rounded0(start, self.root, up=True)
                    if down
                    else ceil(self.amount1(start, self.root))
                )
            if not (reached and not exact_in):
                out = (
                    floor(self.amount1(start, self.root))
                    if down
                    else self.rounded0(start, self.root, up=False)
                )
        if not exact_in:
            out = min(out, left)
        if exact_in and self.root != target:
            return into, out, left - into
        return into, out, ceil(Fraction(into * self.fee, PIPS - self.fee))

    def moved(self, start: int, amount: int, *, down: bool, exact_in: bool) -> int:
        """Return the root after an amount: sqrt(P) L / (L + x sqrt(P)), sqrt(P) + y / L."""
        if not amount:
            return start
        token0 = down is exact_in
        scaled = self.liquidity << self.bits
        if token0:
            change = amount * start
            return ceil(Fraction(scaled * start, scaled + change if exact_in else scaled - change))
        change = Fraction(amount << self.bits, self.liquidity)
        return start + floor(change) if exact_in else start - ceil(change)
