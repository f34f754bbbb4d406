"""`ccxt.pro.tandem` against a started exchange: what ccxt's own suite leaves out, and a bot."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import ccxt
import ccxt.pro
import pytest
import pytest_asyncio

from tests.integration.test_ccxt import SYMBOL, config

__all__ = ["config"]

WITHIN_S = 120.0


@pytest_asyncio.fixture
async def streaming(config: dict[str, Any]) -> AsyncIterator[Any]:
    """The pro class."""
    made = ccxt.pro.tandem(config)
    yield made
    await made.close()


async def test_bot_quotes_follows_and_goes_home_flat(streaming: Any) -> None:
    """A small bot: watch the book, quote below it, buy, see the fill and the funds, and close."""
    book = await streaming.watch_order_book(SYMBOL, 5)
    assert len(book["bids"]) <= 5
    assert book["bids"][0][0] < book["asks"][0][0]
    orders = asyncio.ensure_future(streaming.watch_orders(SYMBOL))
    trades = asyncio.ensure_future(streaming.watch_my_trades(SYMBOL))
    funds = await streaming.watch_balance()
    quote = await streaming.create_order(SYMBOL, "limit", "buy", 6, book["bids"][0][0] * 0.9)
    seen = (await orders)[-1]
    assert (seen["id"], seen["status"], seen["side"], seen["amount"]) == (
        quote["id"], "open", "buy", 6,
    )  # fmt: skip
    taken = await streaming.create_order(SYMBOL, "market", "buy", 9)
    fills = await trades
    while sum(fill["amount"] for fill in fills) < 9:
        fills += await streaming.watch_my_trades(SYMBOL)
    assert {fill["order"] for fill in fills} == {taken["id"]}
    while funds["SBIO"]["total"] != 2_000_009 or funds["USDC"]["used"] == 0:
        funds = await streaming.watch_balance()
    await streaming.cancel_all_orders(SYMBOL)
    gone = (quote["id"], "canceled")
    while gone not in [(o["id"], o["status"]) for o in await streaming.watch_orders(SYMBOL)]:
        pass
    assert await streaming.fetch_open_orders() == []


async def test_stream_goes_on_after_a_lost_connection(streaming: Any) -> None:
    """The next `watch` connects again; no trade in between is missed or seen twice."""
    first = await streaming.create_order(SYMBOL, "market", "buy", 1)
    seen = await streaming.watch_trades(SYMBOL)
    for client in list(streaming.clients.values()):
        await client.connection.close()
    second = await streaming.create_order(SYMBOL, "market", "buy", 2)
    wanted = {trade["id"] for order in (first, second) for trade in order["trades"]}
    while not wanted <= {trade["id"] for trade in seen}:
        with contextlib.suppress(ccxt.NetworkError):
            seen += await streaming.watch_trades(SYMBOL)
    for ids in ([trade["id"] for trade in seen], [one["id"] for one in streaming.trades[SYMBOL]]):
        assert len(ids) == len(set(ids))
        assert ids == sorted(ids, key=lambda one: int(one.rsplit("_", 1)[1]))


async def test_book_with_pools_and_book_of_orders_are_kept_apart(streaming: Any) -> None:
    """Each has the order; the pools' depth can only be added to one."""
    both = {"hybrid": True}, {"hybrid": False}
    price = (await streaming.fetch_ticker(SYMBOL))["bid"] * 0.5
    order = await streaming.create_order(SYMBOL, "limit", "buy", 3, price)
    hybrid, orders = [await streaming.watch_order_book(SYMBOL, None, kind) for kind in both]
    assert order["price"] in [level[0] for level in orders["bids"]]
    assert len(hybrid["bids"]) >= len(orders["bids"])
    assert hybrid["bids"][0][0] > order["price"]
    assert hybrid["symbol"] == orders["symbol"] == SYMBOL
    await streaming.cancel_order(order["id"])


async def test_stream_with_a_wrong_key_is_an_authentication_error(config: dict[str, Any]) -> None:
    """It does not reconnect for ever."""
    exchange = ccxt.pro.tandem({**config, "apiKey": "evt_" + "0" * 64})
    exchange.options["mode"] = "paper"
    try:
        with pytest.raises(ccxt.AuthenticationError):
            await exchange.watch_orders()
    finally:
        await exchange.close()


async def test_candles_follow_the_trades_to_the_last_unit(streaming: Any) -> None:
    """Those that are watched equal those that are read, after each of five trades."""
    shown = await streaming.watch_ohlcv(SYMBOL, "1m", limit=3)
    assert len(shown) <= 3
    for _ in range(5):
        await streaming.create_order(SYMBOL, "market", "buy", 3)
        changed = await streaming.watch_ohlcv(SYMBOL, "1m")
        assert changed[-1] == streaming.ohlcvs[SYMBOL]["1m"][-1]
    async with asyncio.timeout(WITHIN_S):
        while not await _candles_agree(streaming):
            await streaming.create_order(SYMBOL, "market", "buy", 1)
            await streaming.watch_ohlcv(SYMBOL, "1m")
    day = await streaming.watch_ohlcv_for_symbols([[SYMBOL, "1d"]])
    assert day[SYMBOL]["1d"][-1][5] >= 15
    with pytest.raises(ccxt.BadRequest, match="timeframe must be one of 1m, 5m"):
        await streaming.watch_ohlcv(SYMBOL, "7m")


async def _candles_agree(exchange: Any) -> bool:
    read = [row for row in await exchange.fetch_ohlcv(SYMBOL, "1m", limit=500) if row[5]]
    kept = [row for row in exchange.ohlcvs[SYMBOL]["1m"] if row[5]]
    return bool(read == kept[-len(read) :])


async def test_every_caller_is_told_every_fill_and_order_once(streaming: Any) -> None:
    """One follows the market, one all markets, one comes late: each has the same."""
    calls = {
        "market": lambda: streaming.watch_my_trades(SYMBOL),
        "all": streaming.watch_my_trades,
        "orders": lambda: streaming.watch_orders(SYMBOL),
    }
    waiting = {name: asyncio.ensure_future(call()) for name, call in calls.items()}
    await streaming.watch_balance()
    placed = [await streaming.create_order(SYMBOL, "market", "buy", 4) for _ in range(3)]
    wanted = sorted(trade["id"] for order in placed for trade in order["trades"])
    told: dict[str, list[Any]] = {name: [] for name in calls}
    async with asyncio.timeout(WITHIN_S):
        for name in ("market", "all"):
            told[name] += await waiting[name]
            while len(told[name]) < len(wanted):
                told[name] += await calls[name]()
            assert sorted(trade["id"] for trade in told[name]) == wanted
        ids = {order["id"] for order in placed}
        ended = {one["id"]: one for one in await waiting["orders"]}
        while {i for i, one in ended.items() if one["status"] == "closed"} != ids:
            ended.update((one["id"], one) for one in await calls["orders"]())
        late = {one["id"]: one["filled"] for one in await streaming.watch_orders()}
    assert late == dict.fromkeys(ids, 4)


async def test_what_is_watched_no_more_is_closed(streaming: Any) -> None:
    """Each kind of stream ends by its own method; candles and tape share a connection."""
    await streaming.watch_order_book(SYMBOL)
    await streaming.watch_ticker(SYMBOL)
    await streaming.watch_bids_asks([SYMBOL])
    await streaming.create_order(SYMBOL, "market", "buy", 1)
    await streaming.watch_trades(SYMBOL)
    await streaming.watch_ohlcv(SYMBOL)
    await streaming.watch_balance()
    assert len(streaming.clients) == 5
    await streaming.un_watch_trades(SYMBOL)
    assert len(streaming.clients) == 5
    await streaming.un_watch_ohlcv(SYMBOL)
    await streaming.un_watch_order_book(SYMBOL)
    await streaming.un_watch_ticker(SYMBOL)
    await streaming.un_watch_bids_asks([SYMBOL])
    assert [url.rsplit("/", 1)[1] for url in streaming.clients] == ["private"]
    waiting = asyncio.ensure_future(streaming.watch_orders())
    await asyncio.sleep(0)
    await streaming.un_watch_orders()
    with pytest.raises(ccxt.UnsubscribeError):
        await waiting
    await streaming.un_watch_balance()
    assert not streaming.clients
    assert (await streaming.watch_order_book(SYMBOL))["bids"]


async def test_unknown_market_is_a_bad_symbol_before_anything_is_opened(streaming: Any) -> None:
    """As ccxt says it."""
    with pytest.raises(ccxt.BadSymbol, match="NOPE/USDC"):
        await streaming.watch_order_book("NOPE/USDC")
    assert not streaming.clients
