"""A store, an exchange and a gateway for the tests that need one."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from actors.journal.redis import connect
from tandem.valkey import EmbeddedValkey
from tests.gateways import Exchange, Gateway, open_gateway
from tests.store import store_url, valkey

__all__ = ["exchange", "gateway", "store_url", "valkey"]


@pytest.fixture(scope="module")
def exchange(valkey: EmbeddedValkey) -> Iterator[Exchange]:
    """Pairs and shards on an empty store, shared by a module's tests."""
    with connect(valkey.url) as client:
        client.flushall()
    running = Exchange(valkey.url)
    running.start()
    yield running
    running.stop()
    assert running.deaths == []


@pytest_asyncio.fixture
async def gateway(exchange: Exchange) -> AsyncIterator[Gateway]:
    """One gateway, limits off."""
    async with open_gateway(exchange) as opened:
        yield opened
