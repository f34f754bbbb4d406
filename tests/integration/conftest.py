"""A store, an exchange and a gateway for the tests that need one."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from actors.journal.redis import connect
from tandem.valkey import EmbeddedValkey
from tests.clients import made_market
from tests.gateways import Exchange, Gateway, open_gateway
from tests.integration.cluster import Cluster
from tests.running import RunningExchange
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


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A started exchange of real processes, shared by all tests that need one."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    with made.exchange:
        yield made


@pytest.fixture(scope="session")
def running_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """A whole exchange as a user starts it, limits off, shared by the tests of the clients.

    Somebody quotes on it, far from the pools' prices.

    ``TANDEM_TEST_URL`` names one that runs already, for working on these tests.
    """
    data_dir = tmp_path_factory.mktemp("clients") / "data"
    running = RunningExchange(data_dir, "--limits", "off")
    if "TANDEM_TEST_URL" in os.environ:
        running.base_url = os.environ["TANDEM_TEST_URL"]
        with made_market(running.base_url):
            yield running
        return
    with running, made_market(running.base_url):
        yield running
