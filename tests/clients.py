"""Accounts for the tests of the Python client."""

import asyncio
import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple

from event_trader import EventTrader, SyncEventTrader

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


async def new_trader(base_url: str) -> EventTrader:
    """Open a fresh account and log in to it."""
    name = f"t{next(_numbers)}{secrets.token_hex(4)}"
    return await EventTrader.register(f"{name}@example.com", name, PASSWORD, base_url=base_url)


class Account(NamedTuple):
    """A fresh account: who it is, and an API key of it that may trade."""

    email: str
    key: str


async def new_account(base_url: str) -> Account:
    """Open a fresh account, whose password is `PASSWORD`, and make a key of it."""
    async with await new_trader(base_url) as client:
        made = await client.account.create_api_key("test", trade=True)
        return Account((await client.account.me())["email"], str(made["key"]))


async def new_key(base_url: str) -> str:
    """Open a fresh account; returns an API key of it that may trade."""
    return (await new_account(base_url)).key


PRICES = {"vaix": "0.0031", "sbio": "0.05", "btc": "65000", "eth": "3200"}
"""Where a market is made that shows nothing: a pool's depth leaves when its feed is slow."""
AWAY = Decimal("0.05")
"""How far from the best prices: further than any recording goes, and than a test quotes."""
WORTH = 10_000
"""What each of the orders is worth, in USDC."""


@contextmanager
def made_market(base_url: str) -> Iterator[None]:
    """Keep a bid and an ask on every default pair, so that nobody depends on a feed's pace."""
    key = asyncio.run(_quote(base_url))
    yield
    with SyncEventTrader(key, base_url=base_url) as client:
        client.clob.kill_switch()


async def _quote(base_url: str) -> str:
    """Rest the orders; gives a key of the account that they are of."""
    async with await new_trader(base_url) as client:
        for pair in [pair for pair in await client.clob.list_pairs() if pair["symbol"] in PRICES]:
            symbol, tick, lot = pair["symbol"], pair["tick_size"], pair["lot_size"]
            book = await client.clob.orderbook(symbol, mode="paper")
            for side, best, away in (("buy", "best_bid", -AWAY), ("sell", "best_ask", AWAY)):
                shown = Decimal(book[best] or PRICES[symbol])
                price = (shown * (1 + away)).quantize(Decimal(tick))
                quantity = (WORTH / price).quantize(Decimal(lot))
                await client.clob.place_order(symbol, side, quantity, price=price, mode="paper")
        return str((await client.account.create_api_key("market", trade=True))["key"])
