"""Candles of `ccxt.pro.tandem`: every trade is counted once, whatever the chart already had."""

import datetime as dt
from typing import Any

import ccxt
import pytest

from tests.unit.sdk.test_ccxt_streams import BTC, EMPTY_TAPE, Venue, soon, trade

CHART, TRADES = "/api/v1/exchange/btc/chart", "/api/v1/exchange/btc/trades"
MINUTE = 60_000
START = int(dt.datetime(2026, 1, 2, tzinfo=dt.UTC).timestamp()) * 1_000


def chart(*volumes: str) -> dict[str, Any]:
    """An answer with one candle a minute, all at 100."""
    prices = dict.fromkeys(("open", "high", "low", "close"), "100")
    return {
        "candles": [
            {"time": START // 1_000 + 60 * at, **prices, "volume": volume, "trades": 1}
            for at, volume in enumerate(volumes)
        ]
    }


def tape(last: int) -> dict[str, Any]:
    """An answer that ends with this trade."""
    return {"trades": [trade(last)]}


async def follow(venue: Venue, *frames: Any, until: float) -> list[Any]:
    """Watch the minutes while these frames come; give them once their volume is so much."""
    async with venue.exchange() as exchange:
        await soon(exchange.watch_ohlcv(BTC, "1m"))
        for frame in frames:
            await venue.sockets["btc/trades"].send_json(frame)
        while sum(row[5] for row in exchange.ohlcvs[BTC]["1m"]) < until:
            await soon(exchange.watch_ohlcv(BTC, "1m"))
        return list(exchange.ohlcvs[BTC]["1m"])


async def test_trades_of_the_chart_are_not_counted_again() -> None:
    """The chart ends with trade 7; 6 and 7 come once more, 8 is new, after an empty minute."""
    venue = Venue()
    venue.frames = {"btc/trades": [EMPTY_TAPE | {"sequence": 5}]}
    venue.answers = {CHART: [chart("3", "0.7")], TRADES: [tape(7)]}
    later = trade(8, "0.1", "99", "2026-01-02T00:03:30Z")
    rows = await follow(venue, trade(6), trade(7), later, until=3.8)
    assert rows == [
        [START, 100, 100, 100, 100, 3],
        [START + MINUTE, 100, 100, 100, 100, 0.7],
        [START + 2 * MINUTE, 100, 100, 100, 100, 0],
        [START + 3 * MINUTE, 99, 99, 99, 99, 0.1],
    ]


async def test_chart_is_read_again_while_trades_come_in_between() -> None:
    """The tape ends with 5 before the first reading and with 6 after it; the second agrees."""
    venue = Venue()
    venue.frames = {"btc/trades": [EMPTY_TAPE | {"sequence": 5}]}
    venue.answers = {
        CHART: [chart("1"), chart("2")],
        TRADES: [tape(5), tape(6), tape(6), tape(6)],
    }
    rows = await follow(venue, trade(6), trade(7, "0.2", "101"), until=2.2)
    assert rows == [[START, 100, 101, 100, 101, 2.2]]


async def test_late_trade_counts_in_the_newest_traded_candle() -> None:
    """As on the exchange: a swap's time may lie before the candle's."""
    venue = Venue()
    venue.frames = {"btc/trades": [EMPTY_TAPE | {"sequence": 5}]}
    venue.answers = {CHART: [chart("1", "1", "0")], TRADES: [tape(5)]}
    rows = await follow(venue, trade(6, "1", "98", "2026-01-01T23:59:59Z"), until=3)
    assert rows == [
        [START, 100, 100, 100, 100, 1],
        [START + MINUTE, 100, 100, 98, 98, 2],
        [START + 2 * MINUTE, 98, 98, 98, 98, 0],
    ]


async def test_chart_that_could_not_be_read_is_read_by_the_next_call() -> None:
    """The exchange is busy once; the call says so, and the next one gets the candles."""
    venue = Venue()
    venue.frames = {"btc/trades": [EMPTY_TAPE | {"sequence": 5}]}
    busy = {"error": {"code": "BUSY", "message": "No."}}
    venue.answers = {CHART: [busy, chart("1")], TRADES: [tape(5)]}
    async with venue.exchange() as exchange:
        with pytest.raises(ccxt.ExchangeNotAvailable, match="BUSY"):
            await soon(exchange.watch_ohlcv(BTC, "1m"))
        assert await soon(exchange.watch_ohlcv(BTC, "1m")) == [[START, 100, 100, 100, 100, 1]]
