"""Accounts for the tests of the Python client."""

import itertools
import secrets
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
