"""A chain with several RPC URLs: the next one takes over, two that disagree stop the depth."""

import asyncio

from actors.engine.pools.state import PoolStatus
from devnet.anvil import Anvil
from devnet.contracts import Market, Network
from tests.chain.feeding import Feeding
from tests.chain.test_node_faults import trade
from tests.proxies import CuttingProxy
from tests.running import free_port


async def test_feed_whose_node_goes_away_follows_the_next_one_and_is_live_throughout(
    node: Anvil, network: Network
) -> None:
    """The first URL dies for good: the second serves at once, and no depth left the book."""
    async with CuttingProxy(node.http_url) as proxy:
        urls = [proxy.url, node.http_url]
        feeding = await asyncio.to_thread(Feeding, node, network, urls=urls)
        try:
            await asyncio.to_thread(feeding.wait_until_live)
            assert feeding.thread.status().node == 0
            begun = len(feeding.sink.states)
            proxy.cut()
            await proxy.__aexit__(None, None, None)
            await asyncio.to_thread(trade, network, 3)
            await asyncio.to_thread(feeding.wait_for_truth)
            status = feeding.thread.status()
            assert (status.node, status.nodes) == (1, 2)
            assert status.host == node.http_url.removeprefix("http://")
            assert status.reconnects >= 1
            said = [state for _, state in feeding.sink.states[begun:]]
            assert {state.status for state in said} == {PoolStatus.LIVE}
        finally:
            await asyncio.to_thread(feeding.stop)


def test_feed_whose_first_url_nobody_answers_at_is_live_on_the_second(
    node: Anvil, network: Network
) -> None:
    """A wrong URL in the configuration costs a moment, not the chain."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    feeding = Feeding(node, network, urls=[nowhere, node.http_url])
    try:
        feeding.wait_for_truth()
        assert feeding.thread.status().node == 1
        trade(network, 2)
        feeding.wait_for_truth()
    finally:
        feeding.stop()


def test_feed_of_two_nodes_that_disagree_is_down_and_nothing_was_live(
    node: Anvil, network: Network
) -> None:
    """Two chains with one id: the venue names block and node, and no state reaches a book."""
    with Anvil() as other:
        # The same deployment within the same second would be the same chain, hash by hash.
        Network(other.http_url, (Market("vaix", 0.004, 300_000.0), Market("btc", 64_000.0, 6e6)))
        feeding = Feeding(node, network, urls=[node.http_url, other.http_url])
        try:
            feeding.sink.wait_for(
                lambda: all(
                    "contradicts block" in feeding.state(symbol).detail for symbol in feeding.pools
                ),
                "the contradiction",
            )
            assert feeding.statuses() == {PoolStatus.DOWN}
            assert PoolStatus.LIVE not in {state.status for _, state in feeding.sink.states}
            details = {state.detail for _, state in feeding.sink.states}
            assert any("node 1 of ethereum contradicts block" in detail for detail in details)
        finally:
            feeding.stop()
