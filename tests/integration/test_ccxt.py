"""`ccxt.tandem` against a started exchange: what ccxt's own suite leaves out."""

import asyncio
from collections.abc import Iterator
from typing import Any

import ccxt
import ccxt.async_support
import pytest
import tandem_ccxt

from tests.clients import new_key
from tests.running import RunningExchange, wait_until

SYMBOL = "SBIO/USDC"
assert tandem_ccxt.NAME in ccxt.exchanges


@pytest.fixture
def config(running_exchange: RunningExchange) -> dict[str, Any]:
    """The settings for a fresh account, without ccxt's own pace."""
    base_url = running_exchange.base_url
    key = asyncio.run(new_key(base_url))
    url = {"api": {"rest": base_url}}
    return {"apiKey": key, "urls": url, "enableRateLimit": False, "timeout": 60_000}


@pytest.fixture
def exchange(config: dict[str, Any]) -> Iterator[Any]:
    """The sync class."""
    made = ccxt.tandem(config)
    yield made
    made.close()


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


def test_orders_are_changed_and_cancelled_in_batches(exchange: Any) -> None:
    """Each by itself; what cannot be done is told in its place."""
    price = far_below(exchange)
    order = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 4, "price": price}
    ids = [one["id"] for one in exchange.create_orders([order] * 3)]
    edited = exchange.edit_orders(
        [
            {"id": ids[0], "symbol": SYMBOL, "amount": 3},
            {"id": "ord_sbio_p_999999", "amount": 3},
            {"id": ids[1], "price": price / 2},
        ]
    )
    assert [(one["id"], one["status"]) for one in edited] == [
        (ids[0], "open"), ("ord_sbio_p_999999", "rejected"), (ids[1], "open"),
    ]  # fmt: skip
    assert (edited[0]["amount"], edited[2]["price"] < price) == (3, True)
    gone = exchange.cancel_orders_for_symbols([{"id": one, "symbol": SYMBOL} for one in ids])
    assert [(one["id"], one["status"]) for one in gone] == [(one, "canceled") for one in ids]
    found = exchange.fetch_orders(SYMBOL)
    assert [(one["id"], one["status"]) for one in found] == [(one, "canceled") for one in ids]
    with pytest.raises(ccxt.InvalidOrder, match="at least one"):
        exchange.create_orders([])


def test_orders_are_cancelled_when_a_bot_falls_silent(exchange: Any) -> None:
    """The dead man's switch, by ccxt's name for it."""
    assert exchange.cancel_all_orders_after(60_000)["active"] is True
    order = exchange.create_order(SYMBOL, "limit", "buy", 2, far_below(exchange))
    exchange.cancel_all_orders_after(0)
    assert [one["id"] for one in exchange.fetch_open_orders(SYMBOL)] == [order["id"]]
    exchange.cancel_all_orders_after(1_000)
    wait_until(lambda: not exchange.fetch_open_orders(SYMBOL), 30, "the cancellation")


def test_best_quotes_and_fees_of_markets_that_are_asked_for(exchange: Any) -> None:
    """Quotes, own fees, and time frames, in ccxt's shapes."""
    quotes = exchange.fetch_bids_asks([SYMBOL])
    assert list(quotes) == [SYMBOL]
    assert quotes[SYMBOL]["bid"] < quotes[SYMBOL]["ask"]
    fee = exchange.fetch_trading_fee(SYMBOL)
    assert fee == exchange.fetch_trading_fees()[SYMBOL]
    assert 0 <= fee["maker"] <= fee["taker"] < 0.01


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
