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
"""A dollar or a few: the makers' 10,000 outlast any test, also where no pool takes part."""
BEST = Decimal("0.998")
"""Of the best bid: above the market maker's, so that the orders' own best bid moves."""
PAUSE_S = 0.2
FIRST_WITHIN_S = 60.0


class Traffic:
    """Trades and rests orders on all markets, from a thread of its own, until stopped.

    Args:
        base_url: where the exchange is.
        key: of the account that trades in `OWN`; another one trades in the other markets.
    """

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._keys = {OWN: key}
        self._ticks: dict[str, Decimal] = {}
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
            other = await new_key(self._base_url)
            async with contextlib.AsyncExitStack() as stack:
                clients = {
                    key: await stack.enter_async_context(EventTrader(key, base_url=self._base_url))
                    for key in (*self._keys.values(), other)
                }
                pairs = await clients[other].clob.list_pairs()
                self._ticks = {row["symbol"]: Decimal(row["tick_size"]) for row in pairs}
                markets = [(clients[self._keys.get(name, other)], name) for name in SIZES]
                await asyncio.gather(*(self._round(*market) for market in markets))
                self._first.wait(FIRST_WITHIN_S)
                await asyncio.gather(*(self._rounds(*market) for market in markets))
        except BaseException as error:  # noqa: BLE001 (who started the thread shows it)
            self.failure = error
            self._first.abort()

    async def _rounds(self, client: EventTrader, symbol: str) -> None:
        while not self._stop.is_set():
            await self._round(client, symbol)
            await asyncio.sleep(PAUSE_S)

    async def _round(self, client: EventTrader, symbol: str) -> None:
        """Let a best bid come and go, and buy and sell a little at the market."""
        size = SIZES[symbol]
        shown = (await client.clob.orderbook(symbol))["best_bid"] or PRICES[symbol]
        price = (Decimal(shown) * BEST).quantize(self._ticks[symbol])
        resting = await _tried(client.clob.place_order(symbol, "buy", size, price=price))
        for side in ("buy", "sell"):
            await _tried(client.clob.place_order(symbol, side, size, order_type="market"))
        if resting is not None:
            await _tried(client.clob.cancel_order(symbol, resting["order_id"]))


async def _tried(asked: Awaitable[Any]) -> Any:
    """Await an order; None where the exchange refused it, as it may when the market moves."""
    try:
        return await asked
    except (AuthenticationError, InvalidRequestError):
        raise
    except APIError:
        return None
