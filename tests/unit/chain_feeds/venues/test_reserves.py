"""Aerodrome and Camelot: reserves and fees from bytes, or a refusal."""

import pytest

from actors.engine.pools.state import (
    ConstantProduct,
    CurveState,
    FeeRule,
    Stable,
    StableRule,
)
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from chain_feeds.venues import aerodrome, camelot_v2, uniswap_v2
from chain_feeds.venues.abi import call_data
from chain_feeds.venues.venue import Venue
from tests.unit.chain_feeds.chains import pool
from tests.unit.chain_feeds.venues.asking import read, words

SPEC = pool().spec
FACTORY = 0xFAC
NOBODY = "0x" + "00" * 32


def aerodrome_answers(*, stable: bool, **other: bytes) -> dict[str, bytes]:
    """A pool of 5 and 9 with a fee of 0.3 %."""
    fee = call_data(aerodrome.GET_FEE, int(SPEC.address, 16), int(stable))
    return {
        uniswap_v2.GET_RESERVES: words(5, 9, 0),
        aerodrome.IS_STABLE: words(int(stable)),
        aerodrome.FACTORY: words(FACTORY),
        fee: words(30),
        aerodrome.IS_PAUSED: words(0),
        **other,
    }


def camelot_answers(*, stable: bool = False, fee_to: int = 0) -> dict[str, bytes]:
    """A pair of 5 and 9 with fees of 0.3 % and 0.4 %."""
    return {
        uniswap_v2.GET_RESERVES: words(5, 9, 300, 400),
        camelot_v2.STABLE_SWAP: words(int(stable)),
        camelot_v2.FACTORY: words(FACTORY),
        camelot_v2.FEE_TO: words(fee_to),
        camelot_v2.OWNER_SHARE: words(50_000),
    }


def after(venue: Venue, before: CurveState, topics: list[str], data: bytes) -> CurveState | None:
    """What a log makes of a state."""
    told = venue.decode_log(SPEC, topics, data)
    assert told.change is not None
    return told.change(before).curve


@pytest.mark.parametrize("stable", [False, True])
def test_aerodrome_keeps_its_fee_at_the_factory(stable: bool) -> None:
    """The fee leaves the pool, is asked at every block, and a Sync keeps it."""
    venue = aerodrome.VENUES[aerodrome.STABLE if stable else aerodrome.VOLATILE]
    reading = read(venue, SPEC, aerodrome_answers(stable=stable))
    curve = reading.curve
    assert isinstance(curve, Stable if stable else ConstantProduct)
    assert (curve.reserve_base, curve.reserve_quote) == (5, 9)
    assert (curve.fee_num, curve.fee_den) == (30, 10_000)
    if isinstance(curve, ConstantProduct):
        assert curve.fee_rule is FeeRule.FLOOR_LEAVES
    assert [one.address for one in reading.fee_reads] == [f"0x{FACTORY:040x}"]
    synced = after(venue, curve, [aerodrome.SYNC], words(6, 7))
    assert synced == curve.with_reserves(6, 7)
    assert venue.fee_change is not None
    changed = venue.fee_change(SPEC, [words(99)])(curve).curve
    assert isinstance(changed, Stable if stable else ConstantProduct)
    assert changed.fee_num == 99


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({aerodrome.IS_STABLE: words(1)}, "is stable, but listed as volatile"),
        ({aerodrome.IS_PAUSED: words(1)}, "paused"),
        ({uniswap_v2.GET_RESERVES: words(5, 9)}, "bytes"),
        ({uniswap_v2.GET_RESERVES: words(2**128, 9, 0)}, "above"),
        ({aerodrome.FACTORY: b""}, "factory"),
    ],
)
def test_aerodrome_that_is_not_what_was_listed_says_so(other: dict[str, bytes], said: str) -> None:
    """One line for people."""
    answers = {**aerodrome_answers(stable=False), **other}
    with pytest.raises(DecodeError, match=said):
        read(aerodrome.VENUES[aerodrome.VOLATILE], SPEC, answers)


def test_aerodromes_swap_tells_what_was_exchanged() -> None:
    """Amounts in, then amounts out, by token order."""
    venue = aerodrome.VENUES[aerodrome.VOLATILE]
    told = venue.decode_log(SPEC, [aerodrome.SWAP, NOBODY, NOBODY], words(0, 4, 3, 0))
    assert told.swap == (Side.BUY, 3, 4)


def test_camelots_fee_is_the_input_tokens() -> None:
    """A sale puts base in, which is token0 here."""
    curve = read(camelot_v2.VENUE, SPEC, camelot_answers()).curve
    assert isinstance(curve, ConstantProduct)
    assert (curve.fee_of(Side.SELL), curve.fee_of(Side.BUY), curve.fee_den) == (300, 400, 100_000)
    told = after(camelot_v2.VENUE, curve, [camelot_v2.FEES], words(7, 8))
    assert isinstance(told, ConstantProduct)
    assert (told.fee_of(Side.SELL), told.fee_of(Side.BUY)) == (7, 8)
    assert after(camelot_v2.VENUE, told, [uniswap_v2.SYNC], words(1, 2)) == told.with_reserves(1, 2)


@pytest.mark.parametrize(("fee_to", "leaves"), [(0, 0), (7, 50_000)])
def test_camelots_stable_fee_leaves_only_where_somebody_gets_it(fee_to: int, leaves: int) -> None:
    """The owner's share counts once the factory names who gets it."""
    answers = camelot_answers(stable=True, fee_to=fee_to)
    curve = read(camelot_v2.VENUE, SPEC, answers).curve
    assert isinstance(curve, Stable)
    assert (curve.rule, curve.owner_share) == (StableRule.CAMELOT, leaves)


def test_camelots_other_curve_must_be_read() -> None:
    """What SetStableSwap changes is more than it tells."""
    curve = read(camelot_v2.VENUE, SPEC, camelot_answers()).curve
    assert after(camelot_v2.VENUE, curve, [camelot_v2.SET_STABLE], words(0, 1)) is None


@pytest.mark.parametrize(
    ("venue", "topics", "data"),
    [
        (aerodrome.VENUES[aerodrome.VOLATILE], [aerodrome.SYNC], words(1)),
        (aerodrome.VENUES[aerodrome.VOLATILE], [aerodrome.SYNC], words(2**128, 1)),
        (aerodrome.VENUES[aerodrome.VOLATILE], [aerodrome.SWAP, NOBODY], words(1, 2, 3, 4)),
        (aerodrome.VENUES[aerodrome.VOLATILE], [], b""),
        (camelot_v2.VENUE, [uniswap_v2.SYNC], words(2**112, 1)),
        (camelot_v2.VENUE, [camelot_v2.FEES], words(1)),
        (camelot_v2.VENUE, [], b""),
    ],
)
def test_log_that_is_none_of_the_kinds_is_refused(
    venue: Venue, topics: list[str], data: bytes
) -> None:
    """Another event, another length, or a reserve that no pool can hold."""
    with pytest.raises(DecodeError):
        venue.decode_log(SPEC, topics, data)
