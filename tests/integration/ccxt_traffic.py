"""Trading that keeps every market moving while something watches them.

A stream's test can only wait: for a book to change, for a trade, for an order of its own. So every
market is traded in a task of its own, and what a moving market refuses is no failure.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable
from decimal import Decimal
from typing import Any, Self

from event_trader import EventTrader
from event_trader.errors import APIError, AuthenticationError, InvalidRequestError

from tests.clients import PRICES, new_key

OWN = "btc"
"""The market in which the watching account itself trades."""
SIZES = {"vaix": "200", "sbio": "20", "btc": "0.0001", "eth": "0.0010"}
"""A dollar or a few."""
QUOTED = 20
"""How many times that the quotes are worth: pools that move through them take little."""
AWAY = Decimal("0.002")
"""The quotes' distance from the middle: the last price must be within 1 % of theirs."""
PAUSE_S = 0.2
FIRST_WITHIN_S = 60.0


class Traffic:
    """Quotes and trades on all markets, from a thread of its own, until stopped.

    Args:
        base_url: where the exchange is.
        key: of the account that trades in `OWN`; others quote, and trade in the other markets.
    """

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._key = key
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._stop = threading.Event()
        self._first = threading.Barrier(2)
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        with contextlib.suppress(threading.BrokenBarrierError):
            self._first.wait(FIRST_WITHIN_S)
        assert self.failure is None, self.failure
        assert not self._first.broken, f"no first round within {FIRST_WITHIN_S} s"
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    async def _run(self) -> None:
        try:
            keys = [self._key, await new_key(self._base_url), await new_key(self._base_url)]
            async with contextlib.AsyncExitStack() as stack:
                own, taker, maker = [
                    await stack.enter_async_context(EventTrader(key, base_url=self._base_url))
                    for key in keys
                ]
                pairs = {row["symbol"]: row for row in await maker.clob.list_pairs()}
                markets = [
                    _Market(pairs[symbol], maker, own if symbol == OWN else taker)
                    for symbol in SIZES
                ]
                await asyncio.gather(*(market.round() for market in markets))
                self._first.wait(FIRST_WITHIN_S)
                await asyncio.gather(*(self._rounds(market) for market in markets))
                await maker.clob.kill_switch()
        except BaseException as error:  # noqa: BLE001 (who started the thread shows it)
            self.failure = error
            self._first.abort()

    async def _rounds(self, market: "_Market") -> None:
        while not self._stop.is_set():
            await market.round()
            await asyncio.sleep(PAUSE_S)


class _Market:
    """One market: who quotes in it, who trades, and the quotes that stand."""

    def __init__(self, pair: dict[str, Any], maker: EventTrader, taker: EventTrader) -> None:
        self._symbol = str(pair["symbol"])
        self._tick = Decimal(pair["tick_size"])
        self._maker = maker
        self._taker = taker
        self._quotes: list[str] = []

    async def round(self) -> None:
        """Quote anew; let an order come and go; buy and sell a little at the market."""
        size, taker, symbol = SIZES[self._symbol], self._taker, self._symbol
        book = await taker.clob.orderbook(symbol)
        sides = [Decimal(book[best] or PRICES[symbol]) for best in ("best_bid", "best_ask")]
        middle = sum(sides) / 2
        await self._quote(middle)
        low = self._price(middle, 5 * -AWAY)
        resting = await _tried(taker.clob.place_order(symbol, "buy", size, price=low))
        for side in ("buy", "sell"):
            await _tried(taker.clob.place_order(symbol, side, size, order_type="market"))
        if resting is not None:
            await _tried(taker.clob.cancel_order(symbol, resting["order_id"]))

    async def _quote(self, middle: Decimal) -> None:
        """Rest a bid and an ask, then take back those of the round before."""
        size = str(QUOTED * Decimal(SIZES[self._symbol]))
        orders = [
            {"side": side, "quantity": size, "price": str(self._price(middle, away))}
            for side, away in (("buy", -AWAY), ("sell", AWAY))
        ]
        made = await _tried(self._maker.clob.batch_place_orders(self._symbol, orders))
        if made is not None:
            old = self._quotes
            self._quotes = [row["order"]["order_id"] for row in made["results"] if row["order"]]
            if old:
                await _tried(self._maker.clob.batch_cancel_orders(self._symbol, old, mode="paper"))

    def _price(self, middle: Decimal, away: Decimal) -> Decimal:
        return (middle * (1 + away)).quantize(self._tick)


async def _tried(asked: Awaitable[Any]) -> Any:
    """Await an order; None where the exchange refused it, as it may when the market moves."""
    try:
        return await asked
    except (AuthenticationError, InvalidRequestError):
        raise
    except APIError:
        return None
