"""Accounts for the tests of the Python client."""

import itertools
import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from event_trader import EventTrader

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
"""Where `make_market` quotes when nobody else does: a pool's depth leaves when its feed is slow."""


async def make_market(base_url: str, symbols: Sequence[str]) -> None:
    """Rest a bid and an ask of a fresh account a little outside what these books show."""
    async with await new_trader(base_url) as client:
        pairs = {pair["symbol"]: pair for pair in await client.clob.list_pairs()}
        for symbol in symbols:
            book = await client.clob.orderbook(symbol, mode="paper")
            tick = Decimal(pairs[symbol]["tick_size"])
            for side, best, factor in (("buy", "best_bid", "0.996"), ("sell", "best_ask", "1.004")):
                shown = Decimal(book[best] or PRICES[symbol]) * Decimal(factor)
                price = shown.quantize(tick)
                quantity = (5_000 / price).quantize(Decimal(pairs[symbol]["lot_size"]))
                await client.clob.place_order(symbol, side, quantity, price=price, mode="paper")
