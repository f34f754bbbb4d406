"""Candles, the day's statistics and the tape, beside a model that keeps every trade."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.candles import INTERVALS_S, Candles
from actors.engine.invariants import InvariantError
from actors.engine.public_state import CANDLES_KEPT, TRADES_KEPT, Candle, PublicTrade
from actors.engine.statistics import DayStatistics, TradeTape, day_statistics
from actors.engine.units import NS_PER_S, Side

DAY_S = 86_400
T0 = 1_700_000_040
"""The 40th second of a minute."""

trades = st.lists(
    st.tuples(st.integers(0, 4 * DAY_S), st.integers(1, 1000), st.integers(1, 50)), max_size=60
).map(sorted)


def filled(*entries: tuple[int, int, int]) -> Candles:
    candles = Candles()
    for second, price, size in entries:
        candles.add((T0 + second) * NS_PER_S, price, size, price * size)
    return candles


def test_series_before_the_first_trade_is_empty():
    """Nothing stands before the first trade."""
    assert Candles().series(60, 100, T0) == []


def test_series_over_a_quiet_time_repeats_the_close_with_volume_zero():
    """Two empty minutes follow a trade, the last of them the present one."""
    start = T0 - T0 % 60
    shown = filled((0, 7, 2), (5, 9, 1)).series(60, 100, T0 + 120)
    assert shown[0] == Candle(start, 7, 9, 7, 9, 3, 23, 2)
    assert shown[1:] == [
        Candle(start + 60, 9, 9, 9, 9, 0, 0, 0),
        Candle(start + 120, 9, 9, 9, 9, 0, 0, 0),
    ]


def test_series_asked_before_the_newest_trade_still_ends_with_it():
    """A clock behind the market's does not hide a candle."""
    assert len(filled((600, 7, 1)).series(60, 5, T0)) == 1


def test_series_of_an_unknown_interval_breaks_the_invariant():
    """Only six intervals exist; the gateway refuses others before they come here."""
    with pytest.raises(InvariantError):
        Candles().series(120, 5, T0)


@given(trades, st.integers(0, DAY_S), st.sampled_from(INTERVALS_S), st.integers(1, 50))
def test_series_any_trades_equals_a_model(
    entries: list[tuple[int, int, int]], later: int, interval: int, limit: int
):
    """Every candle is what the trades of its interval make it; empty ones carry the close on."""
    now = T0 + (entries[-1][0] if entries else 0) + later
    expected: list[Candle] = []
    if entries:
        start = (T0 + entries[0][0]) // interval * interval
        close = 0
        while start <= now:
            inside = [e for e in entries if start <= T0 + e[0] < start + interval]
            prices = [price for _, price, _ in inside] or [close]
            close = prices[-1]
            expected.append(
                Candle(
                    start, prices[0], max(prices), min(prices), close,
                    sum(size for _, _, size in inside),
                    sum(price * size for _, price, size in inside), len(inside),
                )
            )  # fmt: skip
            start += interval
    assert filled(*entries).series(interval, limit, now) == expected[-limit:]


@given(trades)
def test_dump_loaded_again_goes_on_as_before(entries: list[tuple[int, int, int]]):
    """A copy shares nothing: what is added to one does not show in the other."""
    candles = filled(*entries)
    dumped = candles.dump()
    twin = Candles.load(dumped)
    assert twin.dump() == dumped
    twin.add((T0 + 5 * DAY_S) * NS_PER_S, 1, 1, 1)
    candles.add((T0 + 5 * DAY_S) * NS_PER_S, 1, 1, 1)
    assert twin.dump() == candles.dump()


def test_add_more_candles_than_kept_drops_the_oldest():
    """A bound on everything: CANDLES_KEPT of each interval are shown and dumped."""
    candles = filled(*((60 * at, 5, 1) for at in range(CANDLES_KEPT + 700)))
    dumped = candles.dump()[60]
    assert len(dumped) == CANDLES_KEPT
    assert dumped[-1].start_s == T0 - T0 % 60 + 60 * (CANDLES_KEPT + 699)
    assert len(candles.series(60, 5000, T0 + 60 * (CANDLES_KEPT + 699))) == CANDLES_KEPT


def test_day_statistics_before_any_trade_are_zero():
    """An untraded market has no figures."""
    assert day_statistics(Candles(), T0) == DayStatistics()


def test_day_statistics_of_a_young_market_open_with_its_first_trade():
    """There is no price of 24 hours ago, so the first one stands for it."""
    day = day_statistics(filled((0, 10, 2), (60, 14, 1), (120, 12, 1)), T0 + 130)
    assert day == DayStatistics(12, 10, 14, 10, 4, 46, 3)
    assert day.change_ticks == 2


def test_day_statistics_at_the_boundary_count_whole_minutes():
    """The minute 1,440 minutes ago is out, the one after it is in, whatever the second."""
    candles = filled((0, 10, 1), (60, 20, 2), (120, 30, 4))
    start = T0 - T0 % 60
    inside = day_statistics(candles, start + 1439 * 60 + 59)
    assert (inside.trades, inside.open_ticks) == (3, 10)
    later = day_statistics(candles, start + 1440 * 60)
    assert later == DayStatistics(30, 10, 30, 20, 6, 160, 2)


def test_day_statistics_after_a_quiet_day_stand_at_the_last_price():
    """Nothing traded: no volume, no change, the price is what it was."""
    assert day_statistics(filled((0, 10, 1)), T0 + 2 * DAY_S) == DayStatistics(10, 10, 10, 10)


def trade(number: int) -> PublicTrade:
    return PublicTrade(number, number + 5, 1, 1, Side.BUY, "", number)


def test_tape_keeps_the_newest_and_shows_them_newest_first():
    """The oldest fall out; a limit beyond the tape shows all of it."""
    tape = TradeTape()
    assert (tape.newest(3), tape.last_price_ticks) == ([], 0)
    for number in range(1, TRADES_KEPT + 11):
        tape.add(trade(number))
    assert [one.trade_no for one in tape.newest(2)] == [TRADES_KEPT + 10, TRADES_KEPT + 9]
    assert len(tape.newest(10**6)) == TRADES_KEPT
    assert tape.newest(-1) == []
    assert tape.last_price_ticks == TRADES_KEPT + 15
    assert TradeTape.load(tape.dump()).dump() == tape.dump()
