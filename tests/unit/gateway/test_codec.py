"""Decimal strings to engine integers and back."""

import re
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.commands import PlaceScale, PlaceTwap
from actors.engine.order_policies import Refusal, Rules, check_size
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.scale import check_scale
from actors.engine.twap import check_twap
from actors.engine.units import Mode, Side, UserId
from gateway import codec
from gateway.errors import ApiError

USDC = AssetSpec("USDC", 6)
SPECS = (
    PairSpec("vaix", AssetSpec("VAIX", 6), USDC, tick_size="0.000001", lot_size="1"),
    PairSpec("btc", AssetSpec("BTC", 8), USDC, tick_size="0.01", lot_size="0.0001"),
    PairSpec("odd", AssetSpec("ODD", 8), USDC, tick_size="0.25", lot_size="0.004"),
    PairSpec("big", AssetSpec("BIG", 2), USDC, tick_size="5", lot_size="100"),
)


@given(st.sampled_from(SPECS), st.integers(0, 10**15))
def test_price_written_and_read_back_is_the_same(spec: PairSpec, ticks: int) -> None:
    """Every price survives the round trip, and its text is the exact decimal."""
    text = codec.format_price(spec, ticks)
    assert codec.read_price(spec, text) == ticks
    assert Decimal(text) == Decimal(spec.tick_size) * ticks
    assert "E" not in text


@given(st.sampled_from(SPECS), st.integers(1, 10**15))
def test_size_written_and_read_back_is_the_same(spec: PairSpec, lots: int) -> None:
    """Every size survives the round trip."""
    text = codec.format_size(spec, lots)
    assert codec.read_size(spec, text) == lots
    assert Decimal(text) == Decimal(spec.lot_size) * lots


@given(st.integers(0, 2**63 - 1), st.integers(0, 18))
def test_amount_written_and_read_back_is_the_same(raw: int, decimals: int) -> None:
    """Every amount survives, without trailing zeros."""
    text = codec.format_amount(raw, decimals)
    assert Decimal(text) == Decimal(raw).scaleb(-decimals)
    if raw:
        assert codec.read_amount(text, decimals) == raw


@given(
    st.sampled_from(SPECS),
    st.decimals(min_value=0, max_value=10**9, places=9, allow_nan=False, allow_infinity=False),
)
def test_price_off_the_grid_is_refused_and_on_it_is_exact(spec: PairSpec, price: Decimal) -> None:
    """A price is read exactly if it is a multiple of the tick, and refused otherwise."""
    tick = Decimal(spec.tick_size)
    text = f"{price:f}"
    if price % tick == 0:
        assert codec.read_price(spec, text) * tick == price
    else:
        with pytest.raises(ApiError) as refused:
            codec.read_price(spec, text)
        assert (refused.value.status, refused.value.code) == (400, "PRICE_OFF_TICK")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0", "QUANTITY_TOO_SMALL"),
        ("0.5", "QUANTITY_OFF_LOT"),
        ("1000000000000001", "QUANTITY_TOO_LARGE"),
        ("9" * 40, "QUANTITY_TOO_LARGE"),
    ],
)
def test_size_out_of_bounds_has_its_own_code(text: str, code: str) -> None:
    """Too small, between two lots, too large."""
    with pytest.raises(ApiError) as refused:
        codec.read_size(SPECS[0], text)
    assert (refused.value.status, refused.value.code) == (400, code)


@pytest.mark.parametrize("text", ["0", "0.0000001", "9" * 40])
def test_amount_that_cannot_be_held_is_refused(text: str) -> None:
    """Zero, finer than the asset, beyond 63 bits."""
    with pytest.raises(ApiError) as refused:
        codec.read_amount(text, 6)
    assert refused.value.code == "INVALID_AMOUNT"


@pytest.mark.parametrize(
    "refuse",
    [
        lambda rules: check_size(2, 1, rules),
        lambda rules: check_scale(PlaceScale("c", UserId("u"), Side.BUY, 40, 1, 99, 10), rules),
        lambda rules: check_scale(PlaceScale("c", UserId("u"), Side.BUY, 90, 0, 99, 9), rules),
        lambda rules: check_twap(PlaceTwap("c", UserId("u"), Side.BUY, 40, 60_000, 10), rules),
    ],
)
def test_refusal_of_the_engine_is_told_in_decimals(
    refuse: Callable[[Rules], Refusal | None],
) -> None:
    """Nobody outside counts in lots and ticks: every number that the engine names is converted."""
    spec = SPECS[1]
    fault = refuse(Rules(msgspec.structs.replace(spec, min_order_lots=10), Mode.PAPER))
    assert fault is not None
    told = codec.in_decimals(spec, fault.message)
    assert not re.search("lots|ticks", told), told
    smallest = codec.format_size(spec, 10)
    least = codec.format_price(spec, 1)
    assert smallest in told or least in told, told


@given(
    st.sampled_from(["vaix", "btc", "a_b", "x-y"]),
    st.sampled_from(list(Mode)),
    st.integers(1, 10**17),
)
def test_order_id_made_and_taken_apart_is_the_same(symbol: str, mode: Mode, number: int) -> None:
    """An id says its pair, mode and number."""
    text = codec.format_order_id(symbol, mode, number)
    assert codec.parse_market_id("ord", text) == (symbol, mode, number)
    assert codec.parse_market_id("twap", text) is None


@given(st.text(max_size=60))
def test_order_id_from_any_text_never_fails(text: str) -> None:
    """Whatever is sent, it is an id or it is none."""
    found = codec.parse_market_id("ord", text)
    if found is not None:
        assert codec.format_order_id(*found) == text


@given(st.integers(0, 4 * 10**18))
def test_time_is_rfc_3339_with_milliseconds(time_ns: int) -> None:
    """The shown time is the nanoseconds, cut to milliseconds."""
    from datetime import UTC, datetime

    shown = datetime.fromisoformat(codec.format_time(time_ns))
    assert shown.tzinfo == UTC
    seconds, rest = divmod(time_ns, 10**9)
    assert int(shown.replace(microsecond=0).timestamp()) == seconds
    assert shown.microsecond == rest // 10**6 * 1000
