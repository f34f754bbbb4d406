"""What a swap of concentrated liquidity meets in one direction: its steps, summed up once.

A swap goes from the present price to the next boundary (an initialised tick or the edge of a bitmap
word), and on from there. A step that reaches its boundary costs and brings the same whoever makes
it, so the cumulative amounts at every boundary are kept; the swap itself is a search in them and
one last step, which ends between two boundaries. Rounding is the contract's: `SwapMath.sol`,
`SqrtPriceMath.sol` and `TickBitmap.sol` of @uniswap/v3-core 1.0.1, `PriceMovementMath.sol` of
Algebra, `swap_math.rs` of raydium-clmm, which all round alike.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import NamedTuple

from actors.engine.pools.state import Concentrated, TickSteps
from actors.engine.pools.tick_math import MAX_TICK, MAX_TICK_Q64, root_at, root_at_q64
from actors.engine.units import PPM

_WORD_BITS = 8


class Arrival(NamedTuple):
    """Where a swap ends, and both amounts, the fee included; ``tick`` None: that of the root."""

    root: int
    liquidity: int
    tick: int | None
    paid: int
    taken: int


class TickRoad:
    """One direction of a concentrated pool, walked as far as was asked for.

    Args:
        state: the pool.
        up: True where the price of token0 rises (token1 goes in).
        fee_ppm: the fee of this direction.
    """

    __slots__ = (
        "_at", "_bits", "_ended", "_fee", "_liquidity", "_most", "_nets", "_order", "_paid",
        "_roots", "_spacing", "_taken", "_ticks", "_up", "_words", "end_root",
    )  # fmt: skip

    def __init__(self, state: Concentrated, fee_ppm: int, *, up: bool) -> None:
        self._up, self._fee, self._spacing = up, fee_ppm, state.tick_spacing
        self._at: Callable[[int], int] = root_at_q64 if state.q64 else root_at
        self._bits = 64 if state.q64 else 96
        self._words = state.steps is TickSteps.WORDS
        self._nets = dict(state.nets())
        most = self._most = MAX_TICK_Q64 if state.q64 else MAX_TICK
        self._order = sorted(self._nets)
        self._roots = [state.sqrt_price]
        self._liquidity = [state.liquidity]
        self._ticks = [state.tick]
        self._paid = [0]
        self._taken = [0]
        edge = min(state.high_tick, most) if up else max(state.low_tick, -most)
        self.end_root = self._at(edge)
        """The root at which what is known of the pool ends."""
        here = state.sqrt_price
        self._ended = here >= self.end_root if up else here <= self.end_root

    def pay(self, amount: int) -> Arrival | None:
        """Swap exactly ``amount`` in; None where what is known of the pool does not take it."""
        paid = self._paid
        while paid[-1] < amount and not self._ended:
            self._step()
        at = bisect_left(paid, amount)
        if at < len(paid) and paid[at] == amount:
            return self._boundary(at)
        at -= 1
        root, liquidity, left = self._roots[at], self._liquidity[at], amount - paid[at]
        if not liquidity:
            return None
        net = left * (PPM - self._fee) // PPM
        after = self._after_input(root, liquidity, net)
        if self._is_beyond(after):
            return None
        taken = self._taken[at] + self._amount_out(root, after, liquidity)
        return Arrival(after, liquidity, self._ticks[at] if after == root else None, amount, taken)

    def take(self, amount: int) -> Arrival | None:
        """Swap so that exactly ``amount`` comes out; None where the known part has not so much."""
        taken = self._taken
        while taken[-1] < amount and not self._ended:
            self._step()
        at = bisect_left(taken, amount)
        if at < len(taken) and taken[at] == amount:
            return self._boundary(at)
        at -= 1
        root, liquidity, left = self._roots[at], self._liquidity[at], amount - taken[at]
        if not liquidity:
            return None
        after = self._after_output(root, liquidity, left)
        if after is None or self._is_beyond(after):
            return None
        paid = self._paid[at] + self._with_fee(self._amount_in(root, after, liquidity))
        if at + 1 < len(taken) and after == self._roots[at + 1]:
            # Rounding put the price on the boundary: the contract crosses it.
            return Arrival(after, self._liquidity[at + 1], self._ticks[at + 1], paid, amount)
        return Arrival(after, liquidity, self._ticks[at] if after == root else None, paid, amount)

    def until(self, root: int) -> tuple[int, int]:
        """Return (paid, taken) of a swap up to ``root``, both rounded down; (0, 0) behind it.

        A root beyond the end of what is known counts as that end.
        """
        up = self._up
        root = min(root, self.end_root) if up else max(root, self.end_root)
        roots = self._roots
        if root <= roots[0] if up else root >= roots[0]:
            return 0, 0
        while not self._ended and (roots[-1] < root if up else roots[-1] > root):
            self._step()
        if up:
            at = bisect_right(roots, root) - 1
        else:
            at = bisect_right(roots, -root, key=int.__neg__) - 1
        start, liquidity = roots[at], self._liquidity[at]
        net = self._amount_in(start, root, liquidity, up=False)
        paid = self._paid[at] + net * PPM // (PPM - self._fee)
        return paid, self._taken[at] + self._amount_out(start, root, liquidity)

    # The road.

    def _step(self) -> None:
        """Walk to the next boundary; the road ends at the bound of what is known."""
        target, initialised = self._next_tick(self._ticks[-1])
        root, liquidity = self._roots[-1], self._liquidity[-1]
        after = self._at(target)
        if self._is_beyond(after) or (after == self.end_root and not initialised):
            self._ended = True
            return
        self._paid.append(self._paid[-1] + self._with_fee(self._amount_in(root, after, liquidity)))
        self._taken.append(self._taken[-1] + self._amount_out(root, after, liquidity))
        if initialised:
            net = self._nets[target]
            liquidity += net if self._up else -net
        self._roots.append(after)
        self._liquidity.append(max(liquidity, 0))
        self._ticks.append(target if self._up else target - 1)
        self._ended = after == self.end_root

    def _next_tick(self, tick: int) -> tuple[int, bool]:
        """Return the next boundary from ``tick`` and whether liquidity changes there."""
        order, spacing = self._order, self._spacing
        if self._up:
            at = bisect_right(order, tick)
            found = order[at] if at < len(order) else None
            if self._words:
                word = (tick // spacing + 1) >> _WORD_BITS
                edge = ((word + 1 << _WORD_BITS) - 1) * spacing
                if found is None or edge < found:
                    return min(edge, self._most), False
            return (self._most, False) if found is None else (found, True)
        at = bisect_right(order, tick)
        found = order[at - 1] if at else None
        if self._words:
            edge = (tick // spacing >> _WORD_BITS << _WORD_BITS) * spacing
            if found is None or edge > found:
                return max(edge, -self._most), False
        return (-self._most, False) if found is None else (found, True)

    def _boundary(self, at: int) -> Arrival:
        return Arrival(
            self._roots[at], self._liquidity[at], self._ticks[at], self._paid[at], self._taken[at]
        )

    def _is_beyond(self, root: int) -> bool:
        return root > self.end_root if self._up else root < self.end_root

    # The contract's arithmetic.

    def _with_fee(self, amount: int) -> int:
        """Return what is paid in all for a net input: the fee is rounded up."""
        return amount + -(-amount * self._fee // (PPM - self._fee))

    def _amount_in(self, start: int, end: int, liquidity: int, *, up: bool = True) -> int:
        """Return the input between two roots, rounded up (or down)."""
        if self._up:
            product, one = liquidity * (end - start), 1 << self._bits
            return -(-product // one) if up else product // one
        scaled = (liquidity << self._bits) * (start - end)
        if not up:
            return scaled // start // end
        return ((scaled + start - 1) // start + end - 1) // end

    def _amount_out(self, start: int, end: int, liquidity: int) -> int:
        """Return the output between two roots, rounded down."""
        if self._up:
            return (liquidity << self._bits) * (end - start) // end // start
        return liquidity * (start - end) >> self._bits

    def _after_input(self, root: int, liquidity: int, amount: int) -> int:
        """Return the root after a net input (``getNextSqrtPriceFromInput``)."""
        if not amount:
            return root
        if self._up:
            return root + (amount << self._bits) // liquidity
        scaled = liquidity << self._bits
        return -(-scaled * root // (scaled + amount * root))

    def _after_output(self, root: int, liquidity: int, amount: int) -> int | None:
        """Return the root after an output (``getNextSqrtPriceFromOutput``); None for too much."""
        if not self._up:
            after = root - -(-(amount << self._bits) // liquidity)
            return after if after > 0 else None
        scaled = liquidity << self._bits
        left = scaled - amount * root
        return -(-scaled * root // left) if left > 0 else None
