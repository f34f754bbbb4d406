"""The wire forms of pool states: what goes in comes out, and what was written stays readable."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.pools.kinds import impossible, spot
from actors.engine.pools.state import (
    Concentrated,
    ConcentratedTerms,
    ConstantProduct,
    CreatorFee,
    CurveState,
    FeeRule,
    PoolState,
    PoolStatus,
    Stable,
    StableRule,
    TickSteps,
    TickWindow,
)
from actors.engine.units import Side

UINT128 = 2**128 - 1
ONE = 2**96
amounts = st.integers(0, UINT128)
signed = st.integers(-(2**127), 2**127 - 1)


def through_the_wire(curve: CurveState) -> CurveState | None:
    state = PoolState("base:0x1", PoolStatus.LIVE, curve, 9, 8)
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=PoolState).curve


def ticks(sqrt_price: int = ONE, tick: int = 0, *, base_is_token0: bool = True) -> Concentrated:
    window = TickWindow(-120, 120, [(60, -5), (-60, 5)])
    return Concentrated.of(sqrt_price, 5, tick, window, ConcentratedTerms(60, 3000, base_is_token0))


@given(amounts, amounts)
def test_constant_product_any_reserves_survive_the_wire(base: int, quote: int):
    """Reserves beyond 64 bits travel in halves, with every term of the fee."""
    curve = msgspec.structs.replace(
        ConstantProduct.of(base, quote, 2500, 10**6),
        fee_rule=FeeRule.CEIL_SHARED,
        protocol_ppm=120_000,
        fund_ppm=40_000,
        creator_num=500,
        creator_on=CreatorFee.QUOTE,
    )
    assert (curve.reserve_base, curve.reserve_quote) == (base, quote)
    assert through_the_wire(curve) == curve
    assert curve.with_reserves(quote, base).with_reserves(base, quote) == curve


def test_constant_product_written_before_fee_rules_is_a_uniswap_pair():
    """A state journaled with six numbers means what it meant."""
    old = msgspec.msgpack.encode(["p", 0, [1, 0, 5, 0, 7, 3, 1000], 1, 2, "node", "", ""])
    state = msgspec.msgpack.decode(old, type=PoolState)
    assert state.curve == ConstantProduct.of(5, 7, 3, 1000)
    assert state.base_supply == 0


@given(amounts, amounts)
def test_stable_any_reserves_survive_the_wire(base: int, quote: int):
    """A stable pool keeps its decimals, its rule and its token order."""
    curve = msgspec.structs.replace(
        Stable.of((base, quote), (18, 6), 5, 10_000),
        rule=StableRule.CAMELOT,
        base_is_token0=False,
        owner_share=50_000,
    )
    assert (curve.reserve_base, curve.reserve_quote) == (base, quote)
    assert through_the_wire(curve) == curve
    assert curve.with_reserves(quote, base).with_reserves(base, quote) == curve


@given(st.integers(1, 2**160 - 1), amounts, st.lists(st.tuples(st.integers(-50, 50), signed)))
def test_concentrated_any_window_survives_the_wire(
    sqrt_price: int, liquidity: int, nets: list[tuple[int, int]]
):
    """160-bit prices and signed nets of 128 bits come back; ticks stand in order."""
    nets = [(tick * 10, net) for tick, net in dict(nets).items()]
    terms = ConcentratedTerms(10, 500, False, 700, TickSteps.INITIALISED, q64=True)
    curve = Concentrated.of(sqrt_price, liquidity, 3, TickWindow(-300, 300, nets), terms)
    assert (curve.sqrt_price, curve.liquidity) == (sqrt_price, liquidity)
    assert curve.nets() == sorted((at, net) for at, net in nets if net and -300 <= at <= 300)
    assert through_the_wire(curve) == curve
    moved = curve.moved(sqrt_price - 1, UINT128, -7)
    assert (moved.sqrt_price, moved.liquidity, moved.tick) == (sqrt_price - 1, UINT128, -7)
    assert moved.ticks == curve.ticks


def test_fee_of_a_sale_is_its_own_only_where_given():
    """One fee serves both directions unless a sale's is told."""
    for curve in (
        ConstantProduct.of(5, 5, 300, 100_000),
        Stable.of((5, 5), (6, 6), 300, 100_000),
    ):
        assert [curve.fee_of(side) for side in Side] == [300, 300]
        other = msgspec.structs.replace(curve, sell_fee_num=0)
        assert [other.fee_of(side) for side in Side] == [300, 0]
    directed = msgspec.structs.replace(ticks(), sell_fee_ppm=15_000)
    assert [directed.fee_of(side) for side in Side] == [3000, 15_000]


@pytest.mark.parametrize("supply", [0, 1, 10**27, UINT128])
def test_supply_any_size_survives_the_wire(supply: int):
    """A supply of 18 decimals needs halves too."""
    state = PoolState("p", PoolStatus.DOWN, None, 0, 0).with_supply(supply)
    assert state.base_supply == supply
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=PoolState) == state


@pytest.mark.parametrize("supply", [-1, UINT128 + 1, 10**77])
def test_supply_no_token_can_have_is_unknown(supply: int):
    """Nonsense is not shown as a supply."""
    assert PoolState("p", PoolStatus.DOWN, None, 0, 0).with_supply(supply).base_supply == 0


def test_spot_is_quote_per_base_whatever_the_token_order():
    """A root of 2 is a price of 4, or of a quarter where the base is token1."""
    assert spot(ConstantProduct.of(10, 30, 3, 1000)) == (30, 10)
    assert Fraction(*spot(ticks(2 * ONE))) == 4
    assert Fraction(*spot(ticks(2 * ONE, base_is_token0=False))) == Fraction(1, 4)
    q64 = msgspec.structs.replace(ticks().moved(3 << 64, 1, 1), q64=True)
    assert Fraction(*spot(q64)) == 9


def test_spot_of_a_balanced_stable_pool_is_one_in_whole_units():
    """Equal reserves of an 18- and a 6-decimal token are worth the same."""
    assert Fraction(*spot(Stable.of((5 * 10**18, 5 * 10**6), (18, 6), 5, 10_000))) == Fraction(
        10**6, 10**18
    )


@given(st.integers(10**6, 10**30), st.integers(10**6, 10**30))
def test_spot_of_a_stable_pool_is_the_slope_of_its_curve(base: int, quote: int):
    """Implicit differentiation of x^3 y + y^3 x: dy/dx = (3 x^2 y + y^3) / (x^3 + 3 x y^2)."""
    x, y = Fraction(base), Fraction(quote)
    slope = (3 * x**2 * y + y**3) / (x**3 + 3 * x * y**2)
    assert Fraction(*spot(Stable.of((base, quote), (6, 6), 5, 10_000))) == slope


def test_spot_of_an_empty_pool_is_nothing():
    """No reserves, no price."""
    assert spot(ConstantProduct.of(0, 5, 3, 1000)) == (0, 1)
    assert spot(ticks(0)) == (0, 1)


GOOD: list[CurveState] = [
    ConstantProduct.of(2**112 - 1, 1, 3, 1000),
    Stable.of((10**18, 10**6), (18, 6), 5, 10_000),
    ticks(),
]


@pytest.mark.parametrize("curve", GOOD)
def test_impossible_good_state_is_none(curve: CurveState):
    """What a contract can hold is believed."""
    assert impossible(curve) == ""


BAD: list[tuple[CurveState, str]] = [
    (ConstantProduct.of(2**112, 1, 3, 1000), "2^112-1"),
    (ConstantProduct.of(0, 1, 3, 1000), "nothing on one side"),
    (ConstantProduct.of(5, 5, 1000, 1000), "not between 0 and 1"),
    (
        msgspec.structs.replace(ConstantProduct.of(2**64, 1, 3, 9), fee_rule=FeeRule.CEIL_STAYS),
        "2^64-1",
    ),
    (Stable.of((0, 1), (6, 6), 5, 10_000), "nothing on one side"),
    (Stable.of((5, 5), (37, 6), 5, 10_000), "decimals"),
    (Stable.of((5, 5), (6, -1), 5, 10_000), "decimals"),
    (ticks(0), "square root"),
    (ticks(2**160), "square root"),
    (ticks(tick=121), "outside the window"),
    (msgspec.structs.replace(ticks(), tick_spacing=0), "tick spacing"),
    (msgspec.structs.replace(ticks(), sell_fee_ppm=10**6), "not between 0 and 1"),
    (msgspec.structs.replace(ticks(), ticks=((60, 0, 1), (-60, 0, 1))), "ascending"),
    (msgspec.structs.replace(ticks(), ticks=((61, 0, 1),)), "multiples"),
]


@pytest.mark.parametrize(("curve", "said"), BAD)
def test_impossible_bad_state_says_why(curve: CurveState, said: str):
    """One line for people."""
    assert said in impossible(curve)
