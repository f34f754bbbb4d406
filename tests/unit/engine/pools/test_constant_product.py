"""Constant-product maths against the reference formulas, and the bounds of a curve."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.invariants import InvariantError
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.constant_product import (
    RESERVE_MAX,
    ConstantProductCurve,
    after_swap,
    amount_in,
    amount_out,
)
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.state import ConstantProduct, CreatorFee, FeeRule
from actors.engine.units import RAW_MAX, Side
from tests.naive_pools import ceil, floor, least, product_out

E18 = 10**18


def pair(base_decimals: int = 6, lot: str = "1", tick: str = "0.000001") -> PairSpec:
    return PairSpec("vaix", AssetSpec("VAIX", base_decimals), AssetSpec("USDC", 6), tick, lot)


def pool_spec(base_decimals: int = 18, quote_decimals: int = 6) -> PoolSpec:
    return PoolSpec(
        "ethereum:0x1", "Uniswap", "ethereum", "uniswap_v2", "0x1", "0x2", "0x3",
        base_decimals, quote_decimals, 3000,
    )  # fmt: skip


def curve(
    base: int, quote: int, *, base_decimals: int = 18, quote_decimals: int = 6
) -> ConstantProductCurve:
    grid = PoolGrid.of(pair(), pool_spec(base_decimals, quote_decimals))
    return ConstantProductCurve(ConstantProduct.of(base, quote, 3, 1000), grid)


VAIX_POOL = curve(40_000_000 * E18, 120_000 * 10**6)
"""40 million VAIX against 120,000 USDC: a spot price of 0.003."""

reserves = st.integers(1, RESERVE_MAX)
sides = st.sampled_from(list(Side))
decimals = st.sampled_from([0, 2, 6, 8, 9, 18])


@given(reserves, reserves, reserves, sides)
def test_amount_out_any_reserves_equals_the_library_formula(
    base: int, quote: int, paid: int, side: Side
):
    """997/1000 of the input against the reserves, rounded down, as getAmountOut does."""
    pool = ConstantProduct.of(base, quote, 3, 1000)
    into, out_of = (quote, base) if side is Side.BUY else (base, quote)
    assert amount_out(pool, side, paid) == paid * 997 * out_of // (into * 1000 + paid * 997)


@given(st.integers(2, RESERVE_MAX), reserves, sides, st.data())
def test_amount_in_any_output_is_enough_and_leaves_k_whole(
    base: int, quote: int, side: Side, data: st.DataObject
):
    """What getAmountIn asks brings at least the output, and K of the fee-less balances holds."""
    base, quote = (base, quote) if side is Side.BUY else (quote, base)
    pool = ConstantProduct.of(base, quote, 3, 1000)
    wanted = data.draw(st.integers(1, (base if side is Side.BUY else quote) - 1))
    paid = amount_in(pool, side, wanted)
    into, out_of = (quote, base) if side is Side.BUY else (base, quote)
    assert paid == into * wanted * 1000 // ((out_of - wanted) * 997) + 1
    assert amount_out(pool, side, paid) >= wanted
    after = after_swap(pool, side, paid, wanted)
    net_in = (after.reserve_quote if side is Side.BUY else after.reserve_base) * 1000 - paid * 3
    left = after.reserve_base if side is Side.BUY else after.reserve_quote
    assert net_in * left >= base * quote * 1000


def test_amount_out_empty_reserves_is_nothing():
    """A pool without reserves pays nothing rather than dividing by zero."""
    assert amount_out(ConstantProduct.of(0, 0, 3, 1000), Side.BUY, 10) == 0
    assert amount_out(ConstantProduct.of(5, 5, 3, 1000), Side.BUY, 0) == 0


@pytest.mark.parametrize("wanted", [0, 40_000_000 * E18])
def test_amount_in_of_nothing_or_everything_breaks_the_invariant(wanted: int):
    """A swap takes more than nothing and leaves something."""
    with pytest.raises(InvariantError):
        amount_in(VAIX_POOL.state, Side.BUY, wanted)


@pytest.mark.parametrize(
    ("base", "quote"), [(0, 0), (0, 5), (5, 0), (RESERVE_MAX + 1, 10**6), (10**6, 2**113)]
)
def test_curve_unusable_reserves_offers_nothing(base: int, quote: int):
    """Empty or impossible reserves have no capacity, no price and no lots."""
    empty = curve(base, quote)
    for side in Side:
        assert empty.capacity_lots(side) == 0
        assert empty.best_ticks(side) == 0
        assert empty.depth(side, 10**9) == (0, 0)


def test_best_ticks_of_a_deep_pool_is_spot_with_fee():
    """0.003 USDC with the fee of 0.3 % is 3,010 ticks to buy at and 2,991 to sell at."""
    assert VAIX_POOL.best_ticks(Side.BUY) == 3010
    assert VAIX_POOL.best_ticks(Side.SELL) == 2990


@given(reserves, reserves, decimals, decimals, sides, st.integers(1, 10**15))
def test_depth_any_pool_never_cost_more_than_the_limit(
    base: int, quote: int, base_dec: int, quote_dec: int, side: Side, limit: int
):
    """The whole of what is offered at a limit is paid for within that limit, in one swap."""
    pool = curve(base, quote, base_decimals=base_dec, quote_decimals=quote_dec)
    lots, cost = pool.depth(side, limit)
    if lots:
        assert cost == pool.quote_for(side, lots)
        assert 0 < cost <= RAW_MAX or side is Side.SELL
        assert cost <= limit * lots if side is Side.BUY else cost >= limit * lots


@given(st.integers(10**20, 10**26), st.integers(10**9, 10**14), sides, st.integers(1, 10**5))
def test_depth_a_limit_is_where_the_marginal_price_meets_it(
    base: int, quote: int, side: Side, limit: int
):
    """One lot more than offered has a marginal price beyond the limit, unless none is left."""
    pool = curve(base, quote)
    lots, _ = pool.depth(side, limit)
    if 0 < lots < pool.capacity_lots(side):
        y = (lots + 1) * E18
        product = Fraction(base * quote * 1000 * E18, limit)
        if side is Side.BUY:
            assert (base - y) ** 2 < product / 997
        else:
            assert (base * 1000 + y * 997) ** 2 > product * 997


@given(reserves, reserves, decimals, decimals, sides)
def test_best_ticks_any_pool_buys_or_sells_one_lot(
    base: int, quote: int, base_dec: int, quote_dec: int, side: Side
):
    """At the best price one lot is never worse than that price, unless a unit is more than it."""
    pool = curve(base, quote, base_decimals=base_dec, quote_decimals=quote_dec)
    best = pool.best_ticks(side)
    if best and not pool._grid.is_coarse:
        cost = pool.quote_for(side, 1)
        assert cost <= best if side is Side.BUY else cost >= best


def test_coarse_pool_shows_the_depth_that_a_single_unit_would_hide():
    """Whole base units, quote in hundredths: from a few units on, what the pool is worth."""
    pool = curve(40_000_000, 12_000_000, base_decimals=0, quote_decimals=2)
    assert pool.quote_for(Side.BUY, 1) == 10_000
    for side, first in ((Side.BUY, 3_010), (Side.SELL, 2_991)):
        assert abs(pool.best_ticks(side) - first) <= 1
        asks = side is Side.BUY
        lots, cost = pool.depth(side, first + 60 if asks else first - 60)
        assert lots > 300_000
        assert cost <= (first + 60) * lots if asks else cost >= (first - 60) * lots


@given(reserves, reserves, decimals, decimals, sides, st.data())
def test_take_part_by_part_is_never_cheaper_than_one_swap(
    base: int, quote: int, base_dec: int, quote_dec: int, side: Side, data: st.DataObject
):
    """Splitting a size only ever loses rounding units (and fee on fee) to the pool."""
    pool = curve(base, quote, base_decimals=base_dec, quote_decimals=quote_dec)
    capacity = min(pool.capacity_lots(side), 10**12)
    if capacity < 2:
        return
    total = data.draw(st.integers(2, capacity))
    first = data.draw(st.integers(1, total - 1))
    after = pool.take(side, first)
    if after.capacity_lots(side) < total - first:
        return  # the units lost to rounding were the last ones
    split = pool.quote_for(side, first) + after.quote_for(side, total - first)
    whole = pool.quote_for(side, total)
    assert split >= whole if side is Side.BUY else split <= whole


@given(reserves, reserves, sides, st.data())
def test_take_any_size_grows_the_product(base: int, quote: int, side: Side, data: st.DataObject):
    """The fee stays in the reserves: the product never shrinks, and uint112 still holds both."""
    pool = curve(base, quote)
    capacity = pool.capacity_lots(side)
    if capacity == 0:
        return
    after = pool.take(side, data.draw(st.integers(1, capacity))).state
    assert after.reserve_base * after.reserve_quote >= base * quote
    assert 0 < after.reserve_base <= RESERVE_MAX
    assert 0 < after.reserve_quote <= RESERVE_MAX


def test_quote_for_more_than_the_capacity_breaks_the_invariant():
    """Nobody may ask for what the pool does not have."""
    with pytest.raises(InvariantError):
        VAIX_POOL.quote_for(Side.BUY, VAIX_POOL.capacity_lots(Side.BUY) + 1)


def test_quote_for_coarser_pool_units_rounds_for_the_pool():
    """A pool with fewer decimals than a lot needs whole units: up when it pays, down when paid."""
    pool = curve(1_000_000, 10**9, base_decimals=0)
    grid = PoolGrid.of(pair(lot="0.5", tick="0.000002"), pool_spec(0, 6))
    half = ConstantProductCurve(pool.state, grid)
    assert half.quote_for(Side.BUY, 1) == half.quote_for(Side.BUY, 2)
    assert half.quote_for(Side.SELL, 1) == 0
    assert half.quote_for(Side.SELL, 3) == half.quote_for(Side.SELL, 2)


# Other contracts' fees.

small = st.integers(10**3, 10**12)


@st.composite
def fee_pools(draw: st.DrawFn) -> ConstantProduct:
    """Pools of every fee rule but Uniswap's, with its own terms."""
    rule = draw(st.sampled_from([FeeRule.FLOOR_LEAVES, FeeRule.CEIL_STAYS, FeeRule.CEIL_SHARED]))
    den = 10**6 if rule is FeeRule.CEIL_SHARED else 10**4
    pool = ConstantProduct.of(draw(small), draw(small), draw(st.integers(0, den // 20)), den)
    pool = msgspec.structs.replace(pool, fee_rule=rule)
    if rule is not FeeRule.CEIL_SHARED:
        return pool
    return msgspec.structs.replace(
        pool,
        protocol_ppm=120_000,
        fund_ppm=40_000,
        creator_num=draw(st.sampled_from([0, 500, 2500])),
        creator_on=draw(st.sampled_from(list(CreatorFee))),
    )


def creator_is_out(pool: ConstantProduct, side: Side) -> bool:
    taken = CreatorFee.BASE if side is Side.BUY else CreatorFee.QUOTE
    return bool(pool.creator_num) and pool.creator_on is taken


def by_hand(pool: ConstantProduct, side: Side, paid: int) -> tuple[int, int, int]:
    """Swap as the contract's text says: (out, what stays of the input, what goes in all)."""
    into, out_of = (
        (pool.reserve_quote, pool.reserve_base)
        if side is Side.BUY
        else (pool.reserve_base, pool.reserve_quote)
    )
    on_output = creator_is_out(pool, side)
    creator_in = 0 if on_output else pool.creator_num
    exact = Fraction(paid * (pool.fee_num + creator_in), pool.fee_den)
    fee = floor(exact) if pool.fee_rule is FeeRule.FLOOR_LEAVES else ceil(exact)
    gone = product_out(into, out_of, Fraction(paid - fee))
    out = gone - (ceil(Fraction(gone * pool.creator_num, 10**6)) if on_output else 0)
    kept = paid
    if pool.fee_rule is FeeRule.FLOOR_LEAVES:
        kept -= fee
    elif pool.fee_rule is FeeRule.CEIL_SHARED:
        creator = floor(Fraction(fee * creator_in, pool.fee_num + creator_in)) if creator_in else 0
        trade = fee - creator
        kept -= creator + floor(Fraction(trade * 12, 100)) + floor(Fraction(trade * 4, 100))
    return out, kept, gone


@given(fee_pools(), sides, st.integers(1, 10**12))
def test_amount_out_any_fee_rule_is_the_contracts(pool: ConstantProduct, side: Side, paid: int):
    """Fees rounded as the contract rounds them, then the product kept whole."""
    assert amount_out(pool, side, paid) == by_hand(pool, side, paid)[0]


@given(fee_pools(), sides, st.data())
def test_amount_in_any_fee_rule_is_the_least_that_brings_it(
    pool: ConstantProduct, side: Side, data: st.DataObject
):
    """Found by trial: one unit less brings less."""
    most = amount_out(pool, side, 10**12)
    if most < 2:
        return
    wanted = data.draw(st.integers(1, most - 1))
    paid = amount_in(pool, side, wanted)
    least_paid = least(lambda amount: amount_out(pool, side, amount) >= wanted)
    assert paid == least_paid or (creator_is_out(pool, side) and 0 < paid - least_paid < 10**6)
    assert amount_out(pool, side, paid) >= wanted


@given(fee_pools(), sides, st.integers(1, 10**12))
def test_after_swap_any_fee_rule_keeps_what_the_contract_keeps(
    pool: ConstantProduct, side: Side, paid: int
):
    """Of the input stays what no one is owed; of the output goes the creator's part too."""
    out, kept, gone = by_hand(pool, side, paid)
    if not out:
        return
    after = after_swap(pool, side, paid, out)
    into = after.reserve_quote - pool.reserve_quote
    left = pool.reserve_base - after.reserve_base
    if side is Side.SELL:
        into = after.reserve_base - pool.reserve_base
        left = pool.reserve_quote - after.reserve_quote
    assert into == kept
    assert left == gone or (creator_is_out(pool, side) and left <= gone)


@given(st.integers(10**6, 2**112 - 1), st.integers(10**6, 2**112 - 1), st.integers(1, 10**30))
def test_directional_fees_are_those_of_the_token_that_goes_in(base: int, quote: int, paid: int):
    """Camelot: fee0 when token0 goes in, fee1 when token1 does; the formula is Uniswap's."""
    pool = msgspec.structs.replace(ConstantProduct.of(base, quote, 300, 100_000), sell_fee_num=2000)
    net = paid * (100_000 - 300)
    assert amount_out(pool, Side.BUY, paid) == net * base // (quote * 100_000 + net)
    net = paid * (100_000 - 2000)
    assert amount_out(pool, Side.SELL, paid) == net * quote // (base * 100_000 + net)


@given(fee_pools(), sides, st.integers(1, 10**9))
def test_depth_any_fee_rule_is_paid_for_within_the_limit(
    pool: ConstantProduct, side: Side, limit: int
):
    """Whatever the fee, what is offered costs no more than the limit, in one swap."""
    made = ConstantProductCurve(pool, PoolGrid.of(pair(), pool_spec(6, 6)))
    lots, cost = made.depth(side, limit)
    if lots:
        assert cost == made.quote_for(side, lots)
        assert cost <= limit * lots if side is Side.BUY else cost >= limit * lots
        num, one = made.marginal(side, made.base_of(side, lots))
        marginal = num * 10**6
        assert marginal <= limit * one if side is Side.BUY else marginal >= limit * one


def test_raydium_worked_swaps():
    """AMM v4: 25/10,000 rounded up; CPMM: 2,500 ppm, of which 16 % leave the pool."""
    v4 = msgspec.structs.replace(
        ConstantProduct.of(1_000_000_000, 5_000_000_000, 25, 10_000), fee_rule=FeeRule.CEIL_STAYS
    )
    # 1,000,001 in: fee 2,501, net 997,500; 5e9 * 997,500 // (1e9 + 997,500) = 4,982,529.
    assert amount_out(v4, Side.SELL, 1_000_001) == 4_982_529
    assert amount_in(v4, Side.SELL, 4_982_529) == 1_000_000
    after = after_swap(v4, Side.SELL, 1_000_001, 4_982_529)
    assert (after.reserve_base, after.reserve_quote) == (1_001_000_001, 4_995_017_471)
    cpmm = msgspec.structs.replace(
        ConstantProduct.of(1_000_000_000, 5_000_000_000, 2500, 10**6),
        fee_rule=FeeRule.CEIL_SHARED, protocol_ppm=120_000, fund_ppm=40_000,
    )  # fmt: skip
    # of the fee of 2,501 the protocol takes 300 and the fund 100
    after = after_swap(cpmm, Side.SELL, 1_000_001, 4_982_529)
    assert after.reserve_base == 1_000_000_000 + 1_000_001 - 400
