"""`ccxt.tandem` against a started exchange: what its own suite leaves out, and a bot."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
import pytest_asyncio
import tandem_ccxt

from tests.clients import new_key
from tests.running import RunningExchange

pytestmark = pytest.mark.timeout(300)
SYMBOL = "SBIO/USDC"
assert tandem_ccxt.NAME in ccxt.exchanges


@pytest.fixture
def config(running_exchange: RunningExchange) -> dict[str, Any]:
    """The settings for a fresh account, without ccxt's own pace."""
    base_url = running_exchange.base_url
    key = asyncio.run(new_key(base_url))
    url = {"api": {"rest": base_url}}
    return {"apiKey": key, "urls": url, "enableRateLimit": False}


@pytest.fixture
def exchange(config: dict[str, Any]) -> Iterator[Any]:
    """The sync class."""
    made = ccxt.tandem(config)
    yield made
    made.close()


@pytest_asyncio.fixture
async def streaming(config: dict[str, Any]) -> AsyncIterator[Any]:
    """The pro class."""
    made = ccxt.pro.tandem(config)
    yield made
    await made.close()


def far_below(exchange: Any) -> float:
    """A price that nobody sells at."""
    return float(exchange.fetch_ticker(SYMBOL)["bid"]) * 0.8


def test_limit_order_is_placed_read_edited_and_cancelled(exchange: Any) -> None:
    """An order's whole life; its id alone finds it."""
    price = far_below(exchange)
    order = exchange.create_order(SYMBOL, "limit", "buy", 10, price, {"clientOrderId": "c-1"})
    assert (order["status"], order["clientOrderId"], order["filled"]) == ("open", "c-1", 0)
    assert exchange.fetch_order(order["id"])["amount"] == 10
    edited = exchange.edit_order(order["id"], SYMBOL, "limit", "buy", 7, price / 2)
    assert (edited["amount"], edited["price"] < order["price"]) == (7, True)
    assert [one["id"] for one in exchange.fetch_open_orders()] == [order["id"]]
    assert exchange.cancel_order(order["id"])["status"] == "canceled"
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert [one["id"] for one in exchange.fetch_canceled_orders(SYMBOL)] == [order["id"]]
    assert exchange.fetch_closed_orders(SYMBOL) == []


def test_market_order_fills_with_fee_trades_and_funds(exchange: Any) -> None:
    """What was bought is in the balance, its trades and fee in the order."""
    before = exchange.fetch_balance()
    order = exchange.create_order(SYMBOL, "market", "buy", 25)
    assert (order["status"], order["filled"], order["type"]) == ("closed", 25, "market")
    assert order["fee"]["currency"] == "USDC"
    assert order["fee"]["cost"] > 0
    assert sum(trade["amount"] for trade in order["trades"]) == 25
    after = exchange.fetch_balance()
    assert after["SBIO"]["total"] - before["SBIO"]["total"] == 25
    spent = before["USDC"]["total"] - after["USDC"]["total"]
    assert spent == pytest.approx(order["cost"] + order["fee"]["cost"], rel=1e-9)
    mine = exchange.fetch_my_trades(SYMBOL)
    assert {trade["order"] for trade in mine} == {order["id"]}
    assert [one["id"] for one in exchange.fetch_closed_orders(since=1)] == [order["id"]]
    assert len(exchange.fetch_order_trades(order["id"])) == len(mine)


def test_post_only_ioc_fok_and_stop_are_what_they_say(exchange: Any) -> None:
    """Each refuses, kills or waits as its name promises."""
    ask, low = exchange.fetch_ticker(SYMBOL)["ask"], far_below(exchange)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        exchange.create_order(SYMBOL, "limit", "buy", 5, ask * 1.1, {"postOnly": True})
    with pytest.raises(ccxt.OrderNotFillable):
        exchange.create_order(SYMBOL, "limit", "buy", 5, low, {"timeInForce": "FOK"})
    killed = exchange.create_order(SYMBOL, "limit", "buy", 5, low, {"timeInForce": "IOC"})
    assert (killed["status"], killed["timeInForce"]) == ("canceled", "IOC")
    resting = exchange.create_order(SYMBOL, "limit", "buy", 5, low, {"postOnly": True})
    assert (resting["status"], resting["timeInForce"], resting["postOnly"]) == ("open", "PO", True)
    exchange.create_order(SYMBOL, "market", "buy", 1)
    stop = exchange.create_order(SYMBOL, "market", "sell", 5, None, {"triggerPrice": low})
    assert (stop["status"], stop["triggerPrice"]) == ("open", pytest.approx(low, abs=1e-5))
    cancelled = exchange.cancel_all_orders(SYMBOL)
    assert {one["id"] for one in cancelled} == {resting["id"], stop["id"]}


def test_many_orders_at_once_stand_alone(exchange: Any) -> None:
    """A bad one among twelve is told by its place; the others rest, and are cancelled at once."""
    price = far_below(exchange)
    order = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 2, "price": price}
    asked = [order] * 11 + [{**order, "amount": 10**9}]
    placed = exchange.create_orders(asked)
    assert [one["status"] for one in placed] == ["open"] * 11 + ["rejected"]
    assert placed[11]["info"]["error"]["code"] == "INSUFFICIENT_FUNDS"
    ids = [one["id"] for one in placed[:11]]
    ended = exchange.cancel_orders([*ids, ids[0]])
    assert [one["status"] for one in ended[:-1]].count("canceled") == 11 - (
        ended[0]["status"] == "rejected"
    )
    assert sum(one["status"] == "rejected" for one in ended) == 1
    assert exchange.fetch_open_orders() == []


def test_refusals_are_ccxts_exceptions(exchange: Any, config: dict[str, Any]) -> None:
    """A bot that catches ccxt's errors catches Tandem's."""
    price = far_below(exchange)
    with pytest.raises(ccxt.InsufficientFunds, match=r"INSUFFICIENT_FUNDS.*request"):
        exchange.create_order(SYMBOL, "limit", "buy", 10**9, price)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("ord_sbio_p_999999", SYMBOL)
    done = exchange.create_order(SYMBOL, "market", "buy", 1)
    with pytest.raises(ccxt.OrderNotFound, match="ORDER_CLOSED"):
        exchange.cancel_order(done["id"])
    with pytest.raises(ccxt.BadSymbol):
        exchange.fetch_ticker("NOPE/USDC")
    with pytest.raises(ccxt.BadSymbol, match="UNKNOWN_SYMBOL"):
        exchange.public_get_symbol_ticker({"symbol": "nope"})
    with pytest.raises(ccxt.BadRequest, match="VALIDATION_ERROR"):
        exchange.create_order(SYMBOL, "limit", "buy", 1, price, {"colour": "red"})
    with pytest.raises(ccxt.ArgumentsRequired):
        exchange.cancel_order("17")
    wrong = ccxt.tandem({**config, "apiKey": "evt_" + "0" * 64})
    with pytest.raises(ccxt.AuthenticationError):
        wrong.fetch_balance()
    nobody = ccxt.tandem({"urls": {"api": {"rest": "http://127.0.0.1:9"}}})
    with pytest.raises(ccxt.NetworkError):
        nobody.fetch_time()


def test_same_intent_is_executed_once(exchange: Any) -> None:
    """A repeated call with its idempotency key gives the first order back."""
    arguments = (SYMBOL, "limit", "buy", 3, far_below(exchange), {"idempotencyKey": "intent-1"})
    first, second = exchange.create_order(*arguments), exchange.create_order(*arguments)
    assert first["id"] == second["id"]
    assert len(exchange.fetch_open_orders(SYMBOL)) == 1


def test_sandbox_is_the_paper_mode(exchange: Any) -> None:
    """`set_sandbox_mode` asks for paper in every request."""
    exchange.set_sandbox_mode(True)
    order = exchange.create_order(SYMBOL, "limit", "buy", 1, far_below(exchange))
    assert order["info"]["mode"] == "paper"
    assert "mode=paper" in exchange.last_request_url or exchange.fetch_balance()["USDC"]["used"] > 0


async def test_async_class_does_the_same(config: dict[str, Any]) -> None:
    """The awaited class places and cancels too."""
    exchange = ccxt.async_support.tandem(config)
    try:
        ticker = await exchange.fetch_ticker(SYMBOL)
        order = await exchange.create_order(SYMBOL, "limit", "buy", 4, ticker["bid"] * 0.8)
        assert [one["id"] for one in await exchange.cancel_all_orders()] == [order["id"]]
        await exchange.create_order(SYMBOL, "market", "buy", 1)
        candles = await exchange.fetch_ohlcv(SYMBOL, "1m", limit=5)
        assert 1 <= len(candles) <= 5
        assert (await exchange.fetch_trading_fee(SYMBOL))["symbol"] == SYMBOL
    finally:
        await exchange.close()


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
    await streaming.watch_trades(SYMBOL)
    for client in list(streaming.clients.values()):
        await client.connection.close()
    second = await streaming.create_order(SYMBOL, "market", "buy", 2)
    wanted = {trade["id"] for order in (first, second) for trade in order["trades"]}
    while not wanted <= {trade["id"] for trade in streaming.trades[SYMBOL]}:
        try:
            await streaming.watch_trades(SYMBOL)
        except ccxt.NetworkError:
            continue
    ids = [trade["id"] for trade in streaming.trades[SYMBOL]]
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
