"""Goal: a level of the hybrid book never promises more than its pool pays."""

import os
from itertools import accumulate
from random import Random

import pytest

from actors.engine.hybrid import HybridDepth
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.state import Concentrated, PoolState, PoolStatus
from actors.engine.units import Side
from tests.pool_worlds import RandomPool, random_pool

CHECKS = 10_000
LONG_CHECKS = int(os.environ.get("TANDEM_PROMISE_CHECKS", "100000"))
PRICES = (("0.000001", "1", 0.003), ("0.0001", "0.01", 1.0), ("0.01", "0.0001", 60_000.0))
"""(tick, lot, price): a cheap token, a stable pair, a dear one."""


def fulfils(spec: PairSpec, pool: RandomPool, side: Side, lots: int, quote_raw: int) -> bool:
    """Give the pool what was promised, and see that it hands over what was promised for it."""
    grid = PoolGrid.of(spec, pool.spec)
    if side is Side.BUY:
        paid = quote_raw * grid.quote_num // grid.quote_den
        return pool.pays(side, paid) * grid.lot_den >= lots * grid.lot_num
    base = lots * grid.lot_num // grid.lot_den
    return base == 0 or pool.pays(side, base) * grid.quote_den >= quote_raw * grid.quote_num


def check_pool(random: Random, number: int) -> int:
    """Check a random pool's levels, each with all before it, and parts of each; counts them."""
    tick, lot, price = random.choice(PRICES)
    price *= 10 ** random.uniform(-0.3, 0.3)
    pool = random_pool(random, number, price, 10 ** random.uniform(1, 7))
    spec = PairSpec(
        "vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), tick, lot, pools=(pool.spec,),
        ladder_levels=random.choice((5, 20, 40)), ladder_step_ppm=random.choice((100, 500, 2000)),
    )  # fmt: skip
    depth = HybridDepth(spec)
    depth.update(PoolState(pool.spec.pool_id, PoolStatus.LIVE, pool.state, 1, 1))
    unit, checks = spec.quote_raw_per_tick_lot, 0
    for side in Side:
        levels = depth.levels(side.opposite, [])
        sizes = list(accumulate(level[1] for level in levels))
        quotes = list(accumulate(level[0] * level[1] * unit for level in levels))
        for at, (level, lots, quote) in enumerate(zip(levels, sizes, quotes, strict=True)):
            assert fulfils(spec, pool, side, lots, quote), (side, at, level, pool.state)
            part = random.randint(1, level[1])
            some, cost = lots - level[1] + part, quote - (level[1] - part) * level[0] * unit
            # Within a level the pool rounds a unit of each of its tokens in its own favour, once
            # for the swap and once for each tick it crosses.
            grid = PoolGrid.of(spec, pool.spec)
            crossed = len(pool.state.ticks) if isinstance(pool.state, Concentrated) else 0
            units = -(-grid.quote_den // grid.quote_num), level[0] * unit * grid.lot_den
            slack = (2 + crossed) * (units[0] + -(-units[1] // grid.lot_num))
            cost = cost + slack if side is Side.BUY else cost - slack
            assert fulfils(spec, pool, side, some, cost), (side, at, level, part, pool.state)
            checks += 2
    return checks


def run(seed: int, wanted: int) -> None:
    print(f"seed {seed}")
    random, done, number = Random(seed), 0, 0
    while done < wanted:
        number += 1
        done += check_pool(random, number)
    assert number > wanted // 200, "too few pools for so many checks"
    print(f"{done} checks of {number} pools: no level promised more than its pool pays")


def test_levels_of_random_pools_never_promise_more_than_the_pool_pays():
    """The short form; the sizes are cumulative, so the first k levels are one swap."""
    run(Random().randrange(2**32), CHECKS)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_levels_of_many_random_pools_never_promise_more_than_the_pool_pays():
    """The long form: TANDEM_PROMISE_CHECKS (pool, size) pairs, 100,000 by default."""
    run(Random().randrange(2**32), LONG_CHECKS)
