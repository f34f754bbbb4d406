"""What `ccxt.tandem` says it has is what it has."""

from collections.abc import AsyncIterator
from typing import Any

import ccxt
import ccxt.pro
import pytest_asyncio
import tandem_ccxt

INHERITED = {"fetchL2OrderBook"}
"""What ccxt's base class makes out of the other methods."""
VERBS = ("fetch", "create", "cancel", "edit", "watch", "unWatch")


@pytest_asyncio.fixture
async def classes() -> AsyncIterator[list[Any]]:
    """One object of each class."""
    made = [ccxt.tandem(), ccxt.async_support.tandem(), ccxt.pro.tandem()]
    yield made
    for one in made[1:]:
        await one.close()


async def test_what_is_claimed_is_there_and_what_is_there_is_claimed(classes: list[Any]) -> None:
    """Every method named in ``has`` is Tandem's own or made of such, and none is left unnamed."""
    assert tandem_ccxt.NAME in ccxt.exchanges
    for exchange in classes:
        for name, can in exchange.has.items():
            method = getattr(exchange, exchange.un_camel_case(name.replace("OHLCV", "Ohlcv")), None)
            own = "tandem_ccxt" in str(getattr(method, "__module__", ""))
            if can is True and name.startswith(VERBS):
                assert own or name in INHERITED or _is_a_kind_of_create(name), name
            assert can or not own, name


def _is_a_kind_of_create(name: str) -> bool:
    """The base class makes these of ``createOrder``."""
    return name.startswith("create") and name.endswith("Order")
