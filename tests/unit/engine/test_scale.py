"""Scales: even prices, sizes to the last lot, and every refusal."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.commands import PlaceScale
from actors.engine.order_policies import Rules
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.scale import check_scale, split
from actors.engine.units import RAW_MAX, Mode, Reason, ScaleDistribution, Side, UserId

SPEC = PairSpec(
    "vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1",
    min_order_lots=10, max_order_lots=10**9, max_price_ticks=10**6,
)  # fmt: skip
RULES = Rules(SPEC, Mode.PAPER)
LINEAR, EXPONENTIAL = ScaleDistribution.LINEAR, ScaleDistribution.EXPONENTIAL


def scale(
    size: int = 1000,
    low: int = 100,
    high: int = 200,
    number: int = 10,
    distribution: ScaleDistribution = LINEAR,
) -> PlaceScale:
    return PlaceScale("c", UserId("usr_a"), Side.BUY, size, low, high, number, distribution)


def test_split_linear_spreads_prices_evenly_and_the_rest_over_the_first():
    """Both ends are included; three lots left over go to the first three orders."""
    assert split(scale(43, 100, 109, 4)) == [(100, 11), (103, 11), (106, 11), (109, 10)]


def test_split_uneven_range_rounds_prices_half_up():
    """Five orders over 10 ticks stand 2.5 ticks apart, rounded half up."""
    assert [price for price, _ in split(scale(50, 100, 110, 5))] == [100, 103, 105, 108, 110]


def test_split_exponential_of_two_is_one_to_four():
    """With n = 2 the second order is 1 + 3/1 times the first."""
    assert split(scale(1000, 100, 200, 2, EXPONENTIAL)) == [(100, 200), (200, 800)]


def test_split_exponential_grows_towards_the_high_price():
    """Each order is 1 + 3/(n-1) times the one before it: 4/3 for ten orders."""
    sizes = [size for _, size in split(scale(10**9, number=10, distribution=EXPONENTIAL))]
    assert sizes == sorted(sizes)
    for small, large in pairwise(sizes):
        assert abs(large * 3 - small * 4) <= 7


@given(
    st.integers(1, 10**12),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(2, 100),
    st.sampled_from([LINEAR, EXPONENTIAL]),
)
def test_split_any_scale_adds_up_and_repeats_no_price(
    size: int, low: int, extra: int, number: int, distribution: ScaleDistribution
):
    """Nothing is lost to rounding, whatever the weights; prices rise from low to high."""
    high = low + number - 1 + extra
    pieces = split(scale(size, low, high, number, distribution))
    prices = [price for price, _ in pieces]
    assert sum(lots for _, lots in pieces) == size
    assert prices[0] == low
    assert prices[-1] == high
    assert len(set(prices)) == number
    assert prices == sorted(prices)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (scale(0), Reason.INVALID_QUANTITY),
        (scale(-5), Reason.INVALID_QUANTITY),
        (scale(99), Reason.QUANTITY_TOO_SMALL),
        (scale(9, number=1), Reason.QUANTITY_TOO_SMALL),
        (scale(100, distribution=EXPONENTIAL), Reason.QUANTITY_TOO_SMALL),
        (scale(10**9 + 1), Reason.QUANTITY_TOO_LARGE),
        (scale(low=0), Reason.INVALID_PRICE_RANGE),
        (scale(high=10**6 + 1), Reason.INVALID_PRICE_RANGE),
        (scale(low=200, high=200), Reason.INVALID_PRICE_RANGE),
        (scale(low=200, high=100), Reason.INVALID_PRICE_RANGE),
        (scale(low=100, high=108), Reason.INVALID_PRICE_RANGE),
        (scale(number=1), Reason.INVALID_SLICES),
        (scale(10**6, 100, 300, 101), Reason.INVALID_SLICES),
        (scale(0, low=0, number=0), Reason.INVALID_QUANTITY),
        (scale(1000, low=0, number=0), Reason.INVALID_PRICE_RANGE),
    ],
)
def test_check_scale_with_faults_names_the_first_by_precedence(command: PlaceScale, reason: Reason):
    """Of several faults the reason with the smallest number is told, with a message."""
    refusal = check_scale(command, RULES)
    assert refusal is not None
    assert refusal.reason is reason
    assert refusal.message


def test_check_scale_worth_more_than_can_be_counted_is_too_large():
    """Size times the highest price stays within what an amount may be."""
    wide = Rules(PairSpec("v", AssetSpec("V", 6), AssetSpec("U", 6), "0.000001", "1"), Mode.PAPER)
    size = RAW_MAX // 2 // 10**13 + 1
    refusal = check_scale(scale(size, 1, 10**13), wide)
    assert refusal is not None
    assert refusal.reason is Reason.QUANTITY_TOO_LARGE


def test_check_scale_sound_is_not_refused():
    """A scale at every bound is fine."""
    assert check_scale(scale(100), RULES) is None
    assert check_scale(scale(1000, 100, 199, 100), RULES) is None
