"""How a scale order is cut into limit orders: prices on the grid, sizes to the last lot."""

from itertools import accumulate, pairwise
from typing import Final

from actors.engine.commands import PlaceScale
from actors.engine.pair_spec import PairSpec
from actors.engine.units import RAW_MAX, Reason, ScaleDistribution

ORDERS_MIN: Final = 2
ORDERS_MAX: Final = 100


def refusal(command: PlaceScale, spec: PairSpec) -> tuple[Reason, str]:
    """Say why a scale cannot be placed at all: (NONE, "") if it can.

    Of several faults the reason with the smallest number is named, as `units.Reason` demands.
    """
    size, number = command.size_lots, command.num_orders
    low, high = command.low_ticks, command.high_ticks
    if size <= 0:
        return Reason.INVALID_QUANTITY, "quantity must be above zero"
    countable = ORDERS_MIN <= number <= ORDERS_MAX
    smallest = min(_sizes(size, number, command.distribution)) if countable else size
    if smallest < spec.min_order_lots:
        return (
            Reason.QUANTITY_TOO_SMALL,
            f"the smallest order would be {smallest} lots, the minimum is "
            f"{spec.min_order_lots}: take a larger quantity or fewer orders",
        )
    worth = size * min(max(high, 0), spec.max_price_ticks) * spec.quote_raw_per_tick_lot
    if size > spec.max_order_lots or size * spec.base_raw_per_lot > RAW_MAX:
        return Reason.QUANTITY_TOO_LARGE, f"quantity must be at most {spec.max_order_lots} lots"
    if worth > RAW_MAX // 2:  # half, so that fees fit beside it
        return Reason.QUANTITY_TOO_LARGE, "quantity times price is more than can be counted"
    if not 0 < low <= spec.max_price_ticks or not 0 < high <= spec.max_price_ticks:
        return (
            Reason.INVALID_PRICE_RANGE,
            f"both prices must be from 1 to {spec.max_price_ticks} ticks",
        )
    if low >= high:
        return Reason.INVALID_PRICE_RANGE, "price_low must be below price_high"
    if not countable:
        return (
            Reason.INVALID_SLICES,
            f"num_orders must be from {ORDERS_MIN} to {ORDERS_MAX}, was {number}",
        )
    if high - low < number - 1:
        return (
            Reason.INVALID_PRICE_RANGE,
            f"{number} orders need {number} different prices, the range has {high - low + 1}",
        )
    return Reason.NONE, ""


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
