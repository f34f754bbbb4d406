"""Pools of ticks: what they are asked, what their logs change, and what is refused."""

import pytest

from actors.engine.pools.state import Concentrated, TickSteps
from actors.engine.pools.tick_math import MAX_TICK, root_at
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from chain_feeds.venues import VENUES, algebra, uniswap_v3
from chain_feeds.venues.abi import call_data, selector
from chain_feeds.venues.concentrated import (
    BURN,
    FEE,
    LIQUIDITY,
    MINT,
    SWAP,
    TICK_SPACING,
    TICKS,
    word_run,
)
from tests.unit.chain_feeds.chains import pool
from tests.unit.chain_feeds.venues.asking import read, words

SLOT0 = selector("slot0()")
BITMAP = selector("tickBitmap(int16)")
SPEC = pool().spec
NOBODY = "0x" + "00" * 32


def topic(number: int) -> str:
    """An indexed whole number."""
    return "0x" + words(number).hex()


def state(tick: int = 30, spacing: int = 60) -> dict[str, bytes]:
    """A pool with positions from -120 to 180 and from 0 to 60 ticks, of 5 and 7 liquidity."""
    nets = {-120: 5, 180: -5, 0: 7, 60: -7}
    answers = {
        SLOT0: words(root_at(tick), tick, 0, 0, 0, 0, 1),
        LIQUIDITY: words(12),
        TICK_SPACING: words(spacing),
        FEE: words(3_000),
    }
    for at, net in nets.items():
        word, bit = divmod(at // spacing, 256)
        key = call_data(BITMAP, word)
        held = int.from_bytes(answers.get(key, words(0)), "big")
        answers[key] = words(held | 1 << bit)
        answers[call_data(TICKS, at)] = words(abs(net), net, 0, 0, 0, 0, 0, 1)
    return answers


def curve() -> Concentrated:
    """That pool, read."""
    found = read(uniswap_v3.VENUE, SPEC, state()).curve
    assert isinstance(found, Concentrated)
    return found


def swap_log(first: int, second: int, tick: int, liquidity: int = 12) -> bytes:
    """The data of a Swap that left the price at a tick."""
    return words(first, second, root_at(tick), liquidity, tick)


def changed(topics: list[str], data: bytes, before: Concentrated | None = None) -> Concentrated:
    """What a log makes of that pool."""
    told = uniswap_v3.VENUE.decode_log(SPEC, topics, data)
    assert told.change is not None
    after = told.change(before or curve()).curve
    assert isinstance(after, Concentrated)
    return after


def test_read_gives_price_liquidity_fee_and_every_tick_of_the_window() -> None:
    """Negative ticks lie in words below zero."""
    found = curve()
    assert (found.sqrt_price, found.tick, found.liquidity) == (root_at(30), 30, 12)
    assert (found.fee_ppm, found.tick_spacing, found.steps) == (3_000, 60, TickSteps.WORDS)
    assert found.nets() == [(-120, 5), (0, 7), (60, -7), (180, -5)]
    assert found.low_tick == -256 * 60
    assert found.high_tick == (2 * 256 - 1) * 60


@pytest.mark.parametrize(
    ("tick", "unit", "expected"),
    [(0, 60, range(-1, 2)), (-1, 60, range(-2, 1)), (0, 1, range(-10, 11)), (15_360, 60, range(3))],
)
def test_window_is_whole_words_around_the_price(tick: int, unit: int, expected: range) -> None:
    """It reaches 2,500 ticks each way, in ten words at most."""
    assert word_run(tick, unit) == expected


def test_swap_moves_the_price_and_tells_what_was_exchanged() -> None:
    """A negative amount is what the pool paid; base is token0 here."""
    topics = [SWAP, NOBODY, NOBODY]
    told = uniswap_v3.VENUE.decode_log(SPEC, topics, swap_log(900, -300, 20))
    assert told.swap == (Side.SELL, 900, 300)
    after = changed(topics, swap_log(900, -300, 20))
    assert (after.sqrt_price, after.tick, after.nets()) == (root_at(20), 20, curve().nets())


@pytest.mark.parametrize("end", [-255 * 60, 510 * 60])
def test_swap_near_the_windows_end_asks_for_another_one(end: int) -> None:
    """The state is right, and the ticks beyond are read."""
    told = uniswap_v3.VENUE.decode_log(SPEC, [SWAP, NOBODY, NOBODY], swap_log(-1, 2, end))
    assert told.change is not None
    assert told.change(curve()).read_again


def test_swap_out_of_the_window_must_be_read() -> None:
    """What lies there is not known."""
    told = uniswap_v3.VENUE.decode_log(SPEC, [SWAP, NOBODY, NOBODY], swap_log(-1, 2, 40_000))
    assert told.change is not None
    assert told.change(curve()).curve is None


def test_mint_in_range_adds_liquidity_and_burn_takes_it_back() -> None:
    """Both ends of the position change, one of them to nothing."""
    minted = changed([MINT, NOBODY, topic(0), topic(120)], words(0, 10, 1, 1))
    assert minted.liquidity == 22
    assert minted.nets() == [(-120, 5), (0, 17), (60, -7), (120, -10), (180, -5)]
    assert changed([BURN, NOBODY, topic(0), topic(120)], words(10, 1, 1), minted) == curve()


@pytest.mark.parametrize(("low", "high"), [(60, 120), (-120, 0)])
def test_mint_out_of_range_leaves_the_liquidity(low: int, high: int) -> None:
    """A position counts from its low tick, which is in, to its high one, which is out."""
    assert changed([MINT, NOBODY, topic(low), topic(high)], words(0, 9, 1, 1)).liquidity == 12


def test_burn_of_more_than_there_is_must_be_read() -> None:
    """A log was missed; the contract knows."""
    told = uniswap_v3.VENUE.decode_log(SPEC, [BURN, NOBODY, topic(0), topic(60)], words(99, 1, 1))
    assert told.change is not None
    assert told.change(curve()).curve is None


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([], b""),
        ([SWAP, NOBODY], swap_log(1, -1, 0)),
        ([SWAP, NOBODY, NOBODY], swap_log(1, -1, 0)[:-1]),
        ([SWAP, NOBODY, NOBODY], words(1, -1, 2**160, 1, 0)),
        ([SWAP, NOBODY, NOBODY], words(1, -1, 1, 2**128, 0)),
        ([MINT, NOBODY, topic(60), topic(0)], words(0, 1, 1, 1)),
        ([MINT, NOBODY, topic(0), topic(MAX_TICK + 1)], words(0, 1, 1, 1)),
        ([MINT, NOBODY, "0xzz", topic(60)], words(0, 1, 1, 1)),
        ([BURN, NOBODY, topic(0), topic(60)], b""),
        ([topic(1), NOBODY, NOBODY], words(1, 2)),
    ],
)
def test_log_with_impossible_contents_is_refused(topics: list[str], data: bytes) -> None:
    """Another event, another length, or numbers that no pool can hold."""
    with pytest.raises(DecodeError):
        uniswap_v3.VENUE.decode_log(SPEC, topics, data)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (SLOT0, b""),
        (SLOT0, words(root_at(0), MAX_TICK + 1)),
        (LIQUIDITY, words(2**128)),
        (TICK_SPACING, words(0)),
        (TICK_SPACING, words(2**30)),
        (FEE, b"\x01"),
        (call_data(BITMAP, 0), b""),
        (call_data(TICKS, 0), words(1)),
    ],
)
def test_read_with_an_impossible_answer_is_refused(call: str, answer: bytes) -> None:
    """A contract of another kind answers so, or none at all."""
    with pytest.raises(DecodeError):
        read(uniswap_v3.VENUE, SPEC, {**state(), call: answer})


@pytest.mark.parametrize(
    ("kind", "fees", "buy", "sell"),
    [("algebra_v1", (500,), 500, 500), ("camelot_v3", (500, 900), 900, 500)],
)
def test_algebras_fee_stands_in_its_state_and_is_told(
    kind: str, fees: tuple[int, ...], buy: int, sell: int
) -> None:
    """Of two fees the first is token0's going in: a sale where base is token0."""
    answers = {
        algebra.GLOBAL_STATE: words(root_at(0), 0, *fees, 0, 0, 0, 1),
        LIQUIDITY: words(1),
        TICK_SPACING: words(60),
    }
    venue = VENUES[kind]
    found = read(venue, SPEC, answers).curve
    assert isinstance(found, Concentrated)
    assert [found.fee_of(side) for side in (Side.BUY, Side.SELL)] == [buy, sell]
    single = kind == "algebra_v1"
    told = venue.decode_log(
        SPEC, [algebra.FEE if single else algebra.FEES], words(*((70,) if single else (70, 80)))
    )
    assert told.change is not None
    after = told.change(found).curve
    assert isinstance(after, Concentrated)
    assert [after.fee_of(side) for side in Side] == ([70, 70] if single else [80, 70])


@pytest.mark.parametrize(
    ("kind", "own"),
    [("uniswap_v3", 7), ("slipstream", 6), ("algebra_v1", 7), ("camelot_v3", 8)],
)
@pytest.mark.parametrize("count", [5, 6, 7, 8, 9])
def test_price_in_another_number_of_words_is_another_kinds(kind: str, own: int, count: int) -> None:
    """One word too many or too few, as a neighbouring kind answers."""
    call = SLOT0 if kind in {"uniswap_v3", "slipstream"} else algebra.GLOBAL_STATE
    answers = {**state(), call: words(root_at(30), 30, *[0] * (count - 3), 1)}
    if count == own:
        assert isinstance(read(VENUES[kind], SPEC, answers).curve, Concentrated)
        return
    with pytest.raises(DecodeError, match=f"tells its price in {count} words, expected {own}"):
        read(VENUES[kind], SPEC, answers)


def test_integral_reads_a_bit_for_every_tick_and_its_fee_at_every_block() -> None:
    """Its words are not compressed by the tick spacing."""
    venue = VENUES["algebra_integral"]
    answers = {
        algebra.GLOBAL_STATE: words(root_at(0), 0, 500, 0, 0, 1),
        LIQUIDITY: words(1),
        TICK_SPACING: words(60),
        call_data(algebra.TICK_TABLE, 0): words(1 << 120),
        call_data(TICKS, 120): words(4, -4, 0, 0, 0, 0),
    }
    reading = read(venue, SPEC, answers)
    assert isinstance(reading.curve, Concentrated)
    assert reading.curve.nets() == [(120, -4)]
    assert reading.curve.steps is TickSteps.INITIALISED
    assert [one.data for one in reading.fee_reads] == [FEE]
    assert venue.fee_change is not None
    after = venue.fee_change(SPEC, [words(777)])(reading.curve).curve
    assert isinstance(after, Concentrated)
    assert after.fee_ppm == 777
