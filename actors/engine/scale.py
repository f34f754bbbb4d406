"""How a scale order is cut into limit orders: prices on the grid, sizes to the last lot."""

from itertools import accumulate, pairwise
from typing import Final

from actors.engine.commands import PlaceScale
from actors.engine.order_policies import Refusal, Rules, check_size, refuse
from actors.engine.units import Reason, ScaleDistribution

ORDERS_MIN: Final = 2
ORDERS_MAX: Final = 100


def check_scale(command: PlaceScale, rules: Rules) -> Refusal | None:
    """Check a scale by itself. Returns the first fault in the precedence of `Reason`, or None."""
    size, number, spec = command.size_lots, command.num_orders, rules.spec
    low, high = command.low_ticks, command.high_ticks
    countable = ORDERS_MIN <= number <= ORDERS_MAX
    if countable and size > 0:
        smallest = min(_sizes(size, number, command.distribution))
        if smallest < max(spec.min_order_lots, 1):
            return refuse(
                Reason.QUANTITY_TOO_SMALL,
                f"the smallest order would be {smallest} lots, the minimum is "
                f"{spec.min_order_lots}: take a larger quantity or fewer orders",
            )
    fault = check_size(size, min(max(high, 0), spec.max_price_ticks), rules)
    return fault or _check_range(low, high, number if countable else 0, spec.max_price_ticks)


def _check_range(low: int, high: int, number: int, max_ticks: int) -> Refusal | None:
    """Check the prices, then the number of orders (0: it is out of bounds)."""
    if not 0 < low <= max_ticks or not 0 < high <= max_ticks:
        return refuse(
            Reason.INVALID_PRICE_RANGE, f"both prices must be from 1 to {max_ticks} ticks"
        )
    if low >= high:
        return refuse(Reason.INVALID_PRICE_RANGE, "price_low must be below price_high")
    if high - low < number - 1:
        return refuse(
            Reason.INVALID_PRICE_RANGE,
            f"{number} orders need {number} different prices, the range has {high - low + 1}",
        )
    if not number:
        return refuse(
            Reason.INVALID_SLICES, f"num_orders must be from {ORDERS_MIN} to {ORDERS_MAX}"
        )
    return None


def split(command: PlaceScale) -> list[tuple[int, int]]:
    """Cut an accepted scale into (price_ticks, size_lots), from ``low_ticks`` up to ``high_ticks``.

    Price i of n is ``low + round_half_up(i * (high - low) / (n - 1))``: even, both ends included,
    no two alike. Sizes add up to ``size_lots`` exactly. LINEAR gives every order the same, the lots
    left over to the first ones; EXPONENTIAL lets each order be 1 + 3/(n-1) times the one before, so
    the largest stands at ``high_ticks``, 4 times (n = 2) to 19 times (n = 100) the smallest.
    """
    number, span = command.num_orders, command.high_ticks - command.low_ticks
    gaps = number - 1
    prices = [command.low_ticks + (2 * at * span + gaps) // (2 * gaps) for at in range(number)]
    return list(zip(prices, _sizes(command.size_lots, number, command.distribution), strict=True))


def _sizes(total: int, number: int, distribution: ScaleDistribution) -> list[int]:
    """Share ``total`` by weight; integers only.

    With the cumulative weights W_0 = 0 ... W_n, order i gets ``total * W_i // W_n - total * W_(i-1)
    // W_n``: differences of shares rounded down, which add up to the total. The weights are
    ``(n + 2) ** i * (n - 1) ** (n - 1 - i)``: (1 + 3/(n-1)) ** i, times a whole number.
    """
    if distribution is ScaleDistribution.LINEAR:
        share, rest = divmod(total, number)
        return [share + 1] * rest + [share] * (number - rest)
    grown, unit = number + 2, number - 1
    weights = (grown**at * unit ** (unit - at) for at in range(number))
    sums = list(accumulate(weights, initial=0))
    return [
        total * upper // sums[-1] - total * lower // sums[-1] for lower, upper in pairwise(sums)
    ]
