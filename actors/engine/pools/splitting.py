"""How one size is shared among several pools so that the whole costs least.

Every pool's cost is convex in its size but for roundings, so the least total has one marginal price
in all pools: `share` finds that price to a millionth of a tick and gives each pool what it offers
up to it. What roundings remain is settled by trial (`_settle`): a unit of a coarse token, or the
unit that each swap rounds up, may be worth more than an even split.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from actors.engine.pools.curve import FINE, PoolCurve
from actors.engine.units import Side

Curves = Sequence[PoolCurve | None]

_SLACK_BITS: Final = 16
"""A price is good enough when it offers at most 1/65,536 more than is wanted."""
_ROUNDS: Final = 80
_SMALL_LOTS: Final = 4_096
"""Of sizes up to this, large parts are tried too: here one unit of rounding can matter."""
_PARTS: Final = (1, 2, 3, 5, 8, 13)
"""Lots moved to and fro to lose fewer of the units that every swap rounds up."""
_MOVES_MAX: Final = 8
_CRUMB_BITS: Final = 4
"""A pool's share is tried to be given up whole where it is at most a sixteenth of all."""
_TOO_DEAR: Final = 1 << 200
_BUY = Side.BUY


def offers(curves: Curves, side: Side, fine_ticks: int) -> list[int]:
    """Return what each pool has at marginal prices no worse than ``fine_ticks / FINE`` ticks."""
    return [curve.lots_within(side, fine_ticks) if curve else 0 for curve in curves]


def share(curves: Curves, side: Side, want_lots: int, bound_ticks: int) -> list[int]:
    """Share ``want_lots`` among pools that offer at least as much up to ``bound_ticks``."""
    good_price = bound_ticks * FINE
    good = offers(curves, side, good_price)
    bad_price = 0 if side is _BUY else 2 * max(_best(curves, side), bound_ticks) * FINE
    bad = [0] * len(curves)
    for turn in range(_ROUNDS):
        more = sum(good) - want_lots
        if more <= want_lots >> _SLACK_BITS or abs(good_price - bad_price) <= 1:
            break
        # Interpolation finds the price where offers grow evenly; every other turn halves, so that
        # a step in the offers (a thin pool, an empty stretch) costs no more than a bisection.
        gap = good_price - bad_price
        step = gap // 2
        if turn % 2 == 0:
            step = gap * (want_lots - sum(bad)) // max(sum(good) - sum(bad), 1)
        step = min(max(abs(step), 1), abs(gap) - 1)
        price = bad_price + step if gap > 0 else bad_price - step
        found = offers(curves, side, price)
        if sum(found) >= want_lots:
            good_price, good = price, found
        else:
            bad_price, bad = price, found
    return _settle(curves, side, _cut(good, bad, want_lots))


def _best(curves: Curves, side: Side) -> int:
    return max((curve.best_ticks(side) for curve in curves if curve), default=0)


def _cut(good: list[int], bad: list[int], want_lots: int) -> list[int]:
    """Take from the last, worst lots what is offered beyond ``want_lots``, evenly."""
    sizes, more = good.copy(), sum(good) - want_lots
    spare = [max(one - other, 0) for one, other in zip(good, bad, strict=True)]
    total = sum(spare)
    for at, size in enumerate(spare):
        cut = min(more * size // total, sizes[at]) if total else 0
        sizes[at] -= cut
    for at in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        cut = min(sum(sizes) - want_lots, sizes[at])
        sizes[at] -= cut
    return sizes


def _settle(curves: Curves, side: Side, sizes: list[int]) -> list[int]:
    """Move lots between pools as long as the whole gets cheaper by it."""
    live = [at for at, curve in enumerate(curves) if curve]
    if len(live) < 2:
        return sizes
    costs = _Costs(curves, side)
    for _ in range(_MOVES_MAX):
        best = max(_moves(costs, live, sizes), default=(0, 0, 0, 0))
        saved, source, target, lots = best
        if saved <= 0:
            break
        sizes[source] -= lots
        sizes[target] += lots
    return sizes


def _moves(
    costs: "_Costs", live: list[int], sizes: list[int]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield (saved, source, target, lots), for each part only where most would be saved."""
    total = sum(sizes)
    parts = list(_PARTS)
    if total <= _SMALL_LOTS:
        parts += [1 << bit for bit in range(4, total.bit_length())]
    for lots in parts:
        gives = [(costs.change(at, sizes[at], -lots), at) for at in live if sizes[at] >= lots]
        takes = [(costs.change(at, sizes[at], lots), at) for at in live]
        for give, source in sorted(gives)[:2]:
            take, target = min(
                (one for one in takes if one[1] != source), default=(_TOO_DEAR, source)
            )
            yield -give - take, source, target, lots
    for source in live:
        lots = sizes[source]
        if 0 < lots <= total >> _CRUMB_BITS or 0 < lots <= total <= _SMALL_LOTS:
            give = costs.change(source, lots, -lots)
            for target in live:
                if target != source:
                    yield -give - costs.change(target, sizes[target], lots), source, target, lots


class _Costs:
    """What sizes cost in quote units (as a negative number, what they bring), remembered."""

    def __init__(self, curves: Curves, side: Side) -> None:
        self._curves = curves
        self._side = side
        self._sign = 1 if side is _BUY else -1
        self._known: dict[tuple[int, int], int] = {}

    def change(self, at: int, size: int, lots: int) -> int:
        """Return what ``lots`` more (or less) of one pool change in its cost."""
        curve = self._curves[at]
        if curve is None or (lots > 0 and size + lots > curve.capacity_lots(self._side)):
            return _TOO_DEAR
        return self._of(curve, at, size + lots) - self._of(curve, at, size)

    def _of(self, curve: PoolCurve, at: int, lots: int) -> int:
        key = (at, lots)
        cost = self._known.get(key)
        if cost is None:
            cost = self._known[key] = self._sign * curve.quote_for(self._side, lots)
        return cost
