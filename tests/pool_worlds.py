"""Random pools of every kind and decimals, each with what its contract pays, the long way."""

from collections.abc import Callable
from fractions import Fraction
from math import log
from random import Random
from typing import NamedTuple

import msgspec

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import (
    Concentrated,
    ConcentratedTerms,
    ConstantProduct,
    CreatorFee,
    CurveState,
    FeeRule,
    Stable,
    StableRule,
    TickSteps,
    TickWindow,
)
from actors.engine.pools.tick_math import root_at, root_at_q64
from actors.engine.units import Side
from tests.naive_pools import NaiveTicks, ceil, floor, product_out, stable_out

Pays = Callable[[Side, int], int]
"""What a taker of a side gets for an exact input, in the pool's raw units."""


class RandomPool(NamedTuple):
    """A pool, its listing, and its contract's answer to an exact input."""

    state: CurveState
    spec: PoolSpec
    pays: Pays


def random_pool(random: Random, number: int, price: float, whole: float) -> RandomPool:
    """Make a pool around ``price`` quote per base, holding about ``whole`` quote a side."""
    decimals = (random.choice((0, 2, 6, 8, 9, 18)), random.choice((2, 6, 8, 18)))
    kinds = [_product, _product, _ticks, _ticks]
    if 0.2 < price < 5:
        kinds += [_stable, _stable]
    state, pays = random.choice(kinds)(random, price, whole, decimals)
    spec = PoolSpec(
        f"base:0x{number}", "Venue", "base", "any", f"0x{number}", "0xb", "0xc", *decimals, 3000
    )
    return RandomPool(state, spec, pays)


def _raw(whole: float, decimals: int) -> int:
    return max(int(whole * 10**decimals), 1)


def _product(
    random: Random, price: float, whole: float, decimals: tuple[int, int]
) -> tuple[ConstantProduct, Pays]:
    rule = random.choice(list(FeeRule))
    den = {FeeRule.SCALED: random.choice((1000, 100_000)), FeeRule.CEIL_SHARED: 10**6}.get(
        rule, 10_000
    )
    base, quote = _raw(whole / price, decimals[0]), _raw(whole, decimals[1])
    if rule in (FeeRule.CEIL_STAYS, FeeRule.CEIL_SHARED):
        base, quote = min(base, 2**63), min(quote, 2**63)
    pool = ConstantProduct.of(base, quote, random.randrange(den // 100), den)
    pool = msgspec.structs.replace(pool, fee_rule=rule)
    if rule is FeeRule.SCALED:
        pool = msgspec.structs.replace(pool, sell_fee_num=random.randrange(den // 50))
    if rule is FeeRule.CEIL_SHARED:
        pool = msgspec.structs.replace(
            pool, protocol_ppm=120_000, fund_ppm=40_000, creator_num=random.choice((0, 500)),
            creator_on=random.choice(list(CreatorFee)),
        )  # fmt: skip

    def pays(side: Side, amount: int) -> int:
        into, out_of = (quote, base) if side is Side.BUY else (base, quote)
        taken = CreatorFee.BASE if side is Side.BUY else CreatorFee.QUOTE
        after = pool.creator_num if pool.creator_on is taken else 0
        fee = Fraction(amount * (pool.fee_of(side) + pool.creator_num - after), den)
        if rule is FeeRule.FLOOR_LEAVES:
            fee = Fraction(floor(fee))
        elif rule is not FeeRule.SCALED:
            fee = Fraction(ceil(fee))
        out = product_out(into, out_of, amount - fee)
        return out - ceil(Fraction(out * after, 10**6))

    return pool, pays


def _stable(
    random: Random, price: float, whole: float, decimals: tuple[int, int]
) -> tuple[Stable, Pays]:
    rule = random.choice(list(StableRule))
    fee, den = (5, 10_000) if rule is StableRule.SOLIDLY else (40, 100_000)
    reserves = (
        _raw(whole * random.uniform(0.5, 1.5), decimals[0]),
        _raw(whole * random.uniform(0.5, 1.5) * price, decimals[1]),
    )
    token0 = random.random() < 0.5
    pool = msgspec.structs.replace(
        Stable.of(reserves, decimals, fee, den), rule=rule, base_is_token0=token0
    )
    units = (10 ** decimals[0], 10 ** decimals[1])

    def pays(side: Side, amount: int) -> int:
        order = 1 if token0 else -1
        return stable_out(
            amount - amount * fee // den,
            reserves[::order],
            units[::order],
            zero_in=(side is Side.SELL) is token0,
            camelot=rule is StableRule.CAMELOT,
        )

    return pool, pays


def _ticks(
    random: Random, price: float, whole: float, decimals: tuple[int, int]
) -> tuple[Concentrated, Pays]:
    q64, token0 = random.random() < 0.3, random.random() < 0.5
    steps = TickSteps.INITIALISED if q64 else random.choice(list(TickSteps))
    spacing, fee = random.choice(((1, 100), (10, 500), (60, 3000), (200, 10_000)))
    raw_price = price * 10.0 ** (decimals[1] - decimals[0])
    tick = round(log(raw_price if token0 else 1 / raw_price) / log(1.0001))
    at, bits = (root_at_q64, 64) if q64 else (root_at, 96)
    middle = tick // spacing * spacing
    # In a range of r of price, w whole quote are a liquidity of about w / r in the square root.
    size = max(int(whole * 30 * (10.0 ** (decimals[0] + decimals[1]) / price) ** 0.5), 1000)
    nets: dict[int, int] = {}
    for _ in range(random.randint(1, 12)):
        low = middle + random.randint(-30, 5) * spacing
        high = max(low, middle) + random.randint(1, 30) * spacing
        amount = random.randint(1, size)
        nets[low] = nets.get(low, 0) + amount
        nets[high] = nets.get(high, 0) - amount
    nets = {one: net for one, net in nets.items() if net}
    root = random.randint(at(tick), at(tick + 1) - 1)
    liquidity = sum(net for one, net in nets.items() if one <= tick)
    window = TickWindow(middle - 64 * spacing, middle + 64 * spacing, nets.items())
    sell_fee = random.choice((-1, fee // 2))
    terms = ConcentratedTerms(spacing, fee, token0, sell_fee, steps, q64)
    pool = Concentrated.of(root, liquidity, tick, window, terms)

    def pays(side: Side, amount: int) -> int:
        twin = NaiveTicks(
            root, tick, nets, spacing, pool.fee_of(side), root_at=at,
            words=steps is TickSteps.WORDS, bits=bits,
        )  # fmt: skip
        return twin.swap(
            amount, down=(side is Side.SELL) is token0, exact_in=True,
            low=window.low_tick, high=window.high_tick,
        )[1]  # fmt: skip

    return pool, pays
