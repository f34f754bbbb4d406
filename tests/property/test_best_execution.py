"""Best execution: a sweep over k pools and the book, against thousands of random splits of it."""

import random
from collections.abc import Iterator
from random import Random

import msgspec
import pytest

from actors.engine.commands import PlaceOrder, PoolUpdated
from actors.engine.events import Traded
from actors.engine.pair_engine import PairEngine
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.curve import PoolCurve, PoolGrid
from actors.engine.pools.kinds import live_curve
from actors.engine.pools.state import (
    Concentrated,
    ConcentratedTerms,
    ConstantProduct,
    CurveState,
    FeeRule,
    PoolState,
    PoolStatus,
    Stable,
    StableRule,
    TickWindow,
)
from actors.engine.pools.tick_math import root_at
from actors.engine.units import Mode, OrderType, RouteMode, Side, UserId
from tests.markets import Market

SPLITS = 10_000
SWEEPS = 4
LONG_SWEEPS = 100
DECIMALS = ((18, 6), (6, 6), (6, 6), (18, 18), (9, 6))
FAR = {Side.BUY: 10**9, Side.SELL: 1}


def listed(number: int) -> PoolSpec:
    name = f"0x{number}"
    return PoolSpec(f"base:{name}", "V", "base", "any", name, "0xb", "0xc", *DECIMALS[number], 500)


def spec_of(numbers: list[int]) -> PairSpec:
    return PairSpec(
        "usda", AssetSpec("USDA", 6), AssetSpec("USDC", 6), "0.0001", "0.01",
        price_protection_ppm=900_000, pools=tuple(listed(number) for number in numbers),
        max_open_orders=1000,
    )  # fmt: skip


def worlds(random: Random) -> list[CurveState]:
    """Make five pools near a price of one: two products, two stable ones, one of ticks."""
    whole = 10 ** random.uniform(3, 6)

    def reserves(at: int, skew: float) -> tuple[int, int]:
        size = whole * random.uniform(0.2, 3)
        base, quote = DECIMALS[at]
        return int(size * 10**base), int(size * random.uniform(1 - skew, 1 + skew) * 10**quote)

    tick, nets = random.randint(-200, 200), dict[int, int]()
    for _ in range(8):
        low = tick // 10 * 10 - 10 * random.randint(0, 60)
        high = tick // 10 * 10 + 10 * random.randint(1, 60)
        amount = int(whole * 10**6 * random.uniform(0.5, 10))
        nets[low] = nets.get(low, 0) + amount
        nets[high] = nets.get(high, 0) - amount
    liquidity = sum(net for at, net in nets.items() if at <= tick)
    ticks = Concentrated.of(
        random.randint(root_at(tick), root_at(tick + 1) - 1), liquidity, tick,
        TickWindow(-1000, 1000, nets.items()), ConcentratedTerms(10, 500, random.random() < 0.5),
    )  # fmt: skip
    camelot = Stable.of(reserves(3, 0.4), DECIMALS[3], 40, 100_000)
    raydium = ConstantProduct.of(*reserves(4, 0.02), 25, 10_000)
    return [
        ConstantProduct.of(*reserves(0, 0.02), 3, 1000),
        Stable.of(reserves(1, 0.4), DECIMALS[1], 5, 10_000),
        ticks,
        msgspec.structs.replace(camelot, rule=StableRule.CAMELOT),
        msgspec.structs.replace(raydium, fee_rule=FeeRule.CEIL_STAYS),
    ]


class Stage:
    """A market with pools and a book, and what any split of an order over them costs."""

    def __init__(self, random: Random, side: Side) -> None:
        numbers = random.sample(range(5), random.randint(2, 5))
        self.side, self.spec = side, spec_of(numbers)
        self.market = Market(PairEngine(self.spec, Mode.PAPER))
        self.curves: list[PoolCurve] = []
        world = worlds(random)
        for at, number in enumerate(numbers):
            state = PoolState(f"base:0x{number}", PoolStatus.LIVE, world[number], 1, 1)
            made = live_curve(state, PoolGrid.of(self.spec, self.spec.pools[at]))
            assert made is not None
            self.curves.append(made)
            self.market.do(PoolUpdated(f"p{at}", state))
        self.levels = list(self._rest(random))

    def _rest(self, random: Random) -> Iterator[tuple[int, int]]:
        """Let makers stand on the other side, behind the pools' best; cex, so that they rest."""
        best = [curve.best_ticks(self.side) for curve in self.curves]
        worst = max(best) if self.side is Side.BUY else min(best)
        for at in range(random.randint(0, 12)):
            away = random.randint(1, 400)
            price = worst + away if self.side is Side.BUY else worst - away
            size = int(10 ** random.uniform(2, 6))
            self.market.do(
                PlaceOrder(
                    f"m{at}", UserId(f"m{at}"), self.side.opposite, OrderType.LIMIT, size, price,
                    route=RouteMode.CEX,
                )
            )  # fmt: skip
            yield price, size

    def sweep(self, size: int) -> int | None:
        """Send the order; returns what it cost (brought, negative) in all, None if not filled."""
        events = self.market.do(
            PlaceOrder("t", UserId("taker"), self.side, OrderType.IOC, size, FAR[self.side])
        )
        trades = [event for event in events if isinstance(event, Traded)]
        if sum(trade.size_lots for trade in trades) < size:
            return None
        return self.sign * sum(trade.quote_raw for trade in trades)

    @property
    def sign(self) -> int:
        """Count what is brought as a negative cost."""
        return 1 if self.side is Side.BUY else -1

    def cost(self, split: list[int]) -> int | None:
        """Reckon a split: one swap per pool, and the rest from the book, best price first."""
        total = 0
        for curve, lots in zip(self.curves, split, strict=False):
            if lots > curve.capacity_lots(self.side):
                return None
            total += curve.quote_for(self.side, lots)
        left = split[-1]
        for price, size in sorted(self.levels, reverse=self.side is Side.SELL):
            total += price * min(size, left) * self.spec.quote_raw_per_tick_lot
            left -= min(size, left)
        return None if left else self.sign * total

    def splits(self, random: Random, size: int, count: int) -> Iterator[list[int]]:
        """Draw splits: even and lopsided ones, some pools left out, all summing up to the size."""
        places = len(self.curves) + 1
        for _ in range(count):
            power = random.choice((0.5, 1, 1, 3))
            weights = [random.random() ** power * (random.random() < 0.8) for _ in range(places)]
            weights[random.randrange(places)] += 1e-9
            split = [int(size * weight / sum(weights)) for weight in weights]
            split[random.randrange(places)] += size - sum(split)
            yield split


def try_sweep(random: Random, splits: int) -> bool:
    """Compare one sweep with random splits; False where the market could not fill it."""
    side = random.choice(list(Side))
    stage = Stage(random, side)
    room = sum(min(curve.capacity_lots(side), 10**9) for curve in stage.curves)
    size = max(int(min(room, 10**9) * 10 ** random.uniform(-4, -0.7)), 1)
    costs = [cost for one in stage.splits(random, size, splits) if (cost := stage.cost(one))]
    ours = stage.sweep(size)
    if ours is None or not costs:
        return False
    assert ours <= min(costs), (side, size, ours, min(costs))
    return True


def run(seed: int, sweeps: int) -> None:
    print(f"seed {seed}")
    random, done = Random(seed), 0
    while done < sweeps:
        done += try_sweep(random, SPLITS)
    print(f"{done} sweeps, none worse than the best of {SPLITS} random splits")


def test_sweep_is_never_worse_than_ten_thousand_random_splits():
    """Products, stable pools, ticks and a book, as the seed of the test run deals them."""
    run(random.randrange(2**32), SWEEPS)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_many_sweeps_are_never_worse_than_ten_thousand_random_splits():
    """The long form."""
    run(Random().randrange(2**32), LONG_SWEEPS)
