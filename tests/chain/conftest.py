"""Real nodes with real Uniswap V2 contracts, and a feed on them. Needs Node for the packages."""

import shutil
import warnings
from collections.abc import Iterator

import pytest

from devnet.anvil import Anvil, install
from devnet.contracts import Market, Network
from tests.chain.feeding import Feeding

MARKETS = (Market("vaix", 0.003, 400_000.0), Market("btc", 65_000.0, 8_000_000.0))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark everything here; without Node, one of them says for all that none ran."""
    here = [item for item in items if "tests/chain/" in item.nodeid]
    for item in here:
        item.add_marker(pytest.mark.chain)
    if here and shutil.which("npm") is None:
        reason = f"ALL {len(here)} CHAIN TESTS DID NOT RUN: install Node 20 or newer"
        here[0].add_marker(pytest.mark.skip(reason=reason))
        items[:] = [item for item in items if item not in here[1:]]
        config.hook.pytest_deselected(items=here[1:])


@pytest.fixture(scope="session")
def packages() -> None:
    """The node and the contracts, from the lock file."""
    install()


@pytest.fixture
def node(packages: None) -> Iterator[Anvil]:
    """A node of Ethereum's chain id, which mines a block for every transaction."""
    with Anvil() as started:
        yield started


@pytest.fixture
def network(node: Anvil) -> Network:
    """Tokens, factory, router and two pairs on the node."""
    with warnings.catch_warnings():
        # web3's synchronous provider warns of a dependency's own deprecations while it loads.
        warnings.simplefilter("ignore", DeprecationWarning)
        return Network(node.http_url, MARKETS)


@pytest.fixture
def impatient(node: Anvil, network: Network) -> Iterator[Feeding]:
    """As `feeding`, with the default bound: without a block for 5 s everything is STALE."""
    started = Feeding(node, network, stale_after_s=5.0)
    try:
        started.wait_until_live()
        yield started
    finally:
        started.stop()


@pytest.fixture
def feeding(node: Anvil, network: Network) -> Iterator[Feeding]:
    """A running feed on the node, all pools LIVE."""
    started = Feeding(node, network)
    try:
        started.wait_until_live()
        yield started
    finally:
        started.stop()
