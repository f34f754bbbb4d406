"""Nodes that reorganise, fall silent, die, come back, or are not what was configured."""

import os
import signal

import pytest

from actors.engine.pools.state import PoolStatus
from devnet.anvil import Anvil
from devnet.contracts import Network
from devnet.trader import Trader
from tests.chain.conftest import MARKETS
from tests.chain.feeding import Collector, Feeding, pool_of, start, wrong


def trade(network: Network, swaps: int, seed: int = 1) -> None:
    """Make some swaps on both pairs."""
    trader = Trader(network, seed)
    for turn in range(swaps):
        market = MARKETS[turn % len(MARKETS)]
        hash_ = trader.swap_towards(market.symbol, market.price * (1 + 0.003 * (-1) ** turn))
        network.w3.eth.wait_for_transaction_receipt(hash_, poll_latency=0.01)


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_feed_after_a_reorganisation_says_the_new_chain(feeding: Feeding, depth: int) -> None:
    """Blocks are replaced by empty ones: their swaps are taken back, then trading goes on."""
    network = feeding.network
    trade(network, 8)
    feeding.wait_for_truth()
    swapped = feeding.state("vaix").curve, feeding.state("btc").curve
    network.rpc("anvil_reorg", depth, [])
    feeding.wait_for_truth()
    assert (feeding.state("vaix").curve, feeding.state("btc").curve) != swapped
    trade(network, 4, seed=2)
    feeding.wait_for_truth()


def test_feed_after_a_silent_rollback_follows_the_next_block(feeding: Feeding) -> None:
    """A rollback tells nobody anything; the next block's number repeats, and that is enough."""
    network = feeding.network
    trade(network, 6)
    feeding.wait_for_truth()
    network.rpc("anvil_rollback", 4)
    network.rpc("evm_mine")
    feeding.wait_for_truth()


def test_feed_on_a_silent_node_is_stale_and_live_with_the_next_block(
    impatient: Feeding,
) -> None:
    """A stopped node: no depth is claimed after 5 s; when it wakes, everything is as it should."""
    trade(impatient.network, 2)
    impatient.wait_for_truth()
    os.kill(impatient.pid, signal.SIGSTOP)
    try:
        impatient.wait_until(PoolStatus.STALE)
        said = len(impatient.sink.states)
        assert all("no block of ethereum" in s.detail for _, s in impatient.sink.states[said - 2 :])
    finally:
        os.kill(impatient.pid, signal.SIGCONT)
    trade(impatient.network, 2, seed=3)
    impatient.wait_for_truth()


def test_feed_on_a_node_without_blocks_says_stale_once(impatient: Feeding) -> None:
    """A node that answers but makes no block is stale too; it is said once for each pool."""
    impatient.wait_until(PoolStatus.STALE)
    said = impatient.sink.states.copy()
    impatient.network.rpc("evm_mine")
    impatient.wait_until_live()
    stale = [s for _, s in said if s.detail.startswith("no block of")]
    assert len(stale) == len(impatient.pools)


def test_feed_after_the_node_was_killed_and_made_anew_reads_the_new_chain(packages: None) -> None:
    """Another chain with other reserves appears at the same place: nothing old survives."""
    with Anvil() as first:
        feeding = Feeding(first, Network(first.http_url, MARKETS), stale_after_s=2.0)
        try:
            feeding.wait_for_truth()
            first.kill()
            feeding.wait_until(PoolStatus.STALE)
            with Anvil(port=first.port) as second:
                feeding.network = Network(second.http_url, MARKETS)
                trade(feeding.network, 3)
                feeding.network.rpc("evm_setIntervalMining", 1)
                feeding.wait_for_truth()
        finally:
            feeding.stop()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"address": "0x" + "77" * 20}, "no contract at 0x7777"),
        ({"address": "0x77"}, "the pool's address '0x77' is none"),
        ({"base_address": "0x" + "88" * 20}, "the pool's tokens are"),
        ({"base_decimals": 8}, "the base token has 18 decimals, listed are 8"),
        ({"quote_decimals": 6}, "the quote token has 18 decimals, listed are 6"),
        ({"kind": "nonsense"}, "pools of kind 'nonsense' cannot be read from a node"),
    ],
)
def test_pool_listed_wrongly_is_down_with_the_reason(
    node: Anvil, network: Network, changes: dict[str, object], reason: str
) -> None:
    """The wrong pool is DOWN in one line, and the right one beside it is LIVE."""
    right, other = (pool_of(item) for item in network.pairs.values())
    bad = wrong(other, **changes)
    sink = Collector()
    thread = start(node, [right, bad], sink)
    try:
        sink.wait_for(lambda: status_of(sink, bad.spec.pool_id) is PoolStatus.DOWN, "DOWN")
        sink.wait_for(lambda: status_of(sink, right.spec.pool_id) is PoolStatus.LIVE, "LIVE")
        state = sink.newest(bad.spec.pool_id)
        assert state is not None
        assert reason in state.detail
        assert "\n" not in state.detail
        assert state.curve is None
    finally:
        thread.stop()


def test_pool_listed_before_it_is_deployed_is_live_once_it_is(packages: None) -> None:
    """DOWN while there is no contract; found on the same connection when there is one."""
    with Anvil() as elsewhere:
        pools = [pool_of(item) for item in Network(elsewhere.http_url, MARKETS).pairs.values()]
    with Anvil() as node:
        sink = Collector()
        thread = start(node, pools, sink)
        try:
            ids = [pool.spec.pool_id for pool in pools]
            down = [PoolStatus.DOWN] * len(ids)
            sink.wait_for(lambda: [status_of(sink, name) for name in ids] == down, "DOWN")
            Network(node.http_url, MARKETS)  # the same addresses: the same order of deployment
            live = [PoolStatus.LIVE] * len(ids)
            sink.wait_for(lambda: [status_of(sink, name) for name in ids] == live, "LIVE")
            assert thread.status().reconnects == 0
        finally:
            thread.stop()


def test_token_contract_listed_as_pool_is_down(node: Anvil, network: Network) -> None:
    """A contract that is no pair answers no token0()."""
    pool = pool_of(network.pairs["vaix"])
    bad = wrong(pool, address=network.usdc.address)
    sink = Collector()
    thread = start(node, [bad], sink)
    try:
        sink.wait_for(lambda: status_of(sink, bad.spec.pool_id) is PoolStatus.DOWN, "DOWN")
        state = sink.newest(bad.spec.pool_id)
        assert state is not None
        assert "has no token0() and token1()" in state.detail
    finally:
        thread.stop()


def test_node_of_another_chain_is_down_with_both_ids(node: Anvil, network: Network) -> None:
    """No pool of a wrong chain is ever shown."""
    feeding = Feeding(node, network, chain_id=8453)
    try:
        feeding.wait_until(PoolStatus.DOWN)
        detail = feeding.state("vaix").detail
        assert detail == "the node's chain id is 1, configured is 8453"
    finally:
        feeding.stop()


def status_of(sink: Collector, pool_id: str) -> PoolStatus | None:
    """The status last said of a pool."""
    state = sink.newest(pool_id)
    return state.status if state else None
