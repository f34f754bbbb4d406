"""Swaps that others make on a real node: each is told once, with what really moved."""

import asyncio
from random import Random

from actors.engine.units import Side
from devnet.anvil import Anvil
from devnet.contracts import Network
from tests.chain.feeding import Feeding
from tests.proxies import CuttingProxy

Made = list[tuple[str, Side, int, int, int]]
"""Swaps as a tape should tell them: pair, side, base, quote, block."""


def swap_at_random(network: Network, random: Random, count: int) -> Made:
    """Swap on both pairs; returns what really moved."""
    made: Made = []
    for _ in range(count):
        symbol, buy = random.choice(list(network.pairs)), random.random() < 0.5
        pair = network.pairs[symbol]
        before = pair.reserves()
        amount = int(before[buy] * random.uniform(0.0005, 0.005))
        swap = network.swap(symbol, buy=buy, amount_in=amount)
        mined = network.w3.eth.wait_for_transaction_receipt(swap, poll_latency=0.01)
        base, quote = (abs(b - a) for a, b in zip(before, pair.reserves(), strict=True))
        made.append((symbol, Side.BUY if buy else Side.SELL, base, quote, mined["blockNumber"]))
    return made


def told_by(feeding: Feeding) -> Made:
    """The tape, in the order it was told."""
    return [
        (symbol, swap.side, swap.base_raw, swap.quote_raw, swap.block)
        for symbol, swap in feeding.sink.swaps
    ]


def test_feed_tells_each_swap_once_with_the_contracts_amounts(feeding: Feeding) -> None:
    """Random swaps on two pairs: side and amounts are the changes of the reserves, in order."""
    network = feeding.network
    wanted = swap_at_random(network, Random(7), 20)
    feeding.sink.wait_for(lambda: len(feeding.sink.swaps) >= len(wanted), "every swap")
    feeding.wait_for_truth()
    assert told_by(feeding) == wanted
    names = {swap.command_id for _, swap in feeding.sink.swaps}
    assert len(names) == len(wanted)
    for _, swap in feeding.sink.swaps:
        block = network.w3.eth.get_block(swap.block)
        assert swap.block_time_ns == block["timestamp"] * 10**9


def test_feed_after_a_reorganisation_tells_no_swap_again(feeding: Feeding) -> None:
    """Empty blocks replace those of three swaps: nothing new is told; the next swap is."""
    network = feeding.network
    for turn in range(3):
        swap = network.swap("vaix", buy=turn % 2 == 0, amount_in=10**20)
        network.w3.eth.wait_for_transaction_receipt(swap, poll_latency=0.01)
    feeding.sink.wait_for(lambda: len(feeding.sink.swaps) >= 3, "three swaps")
    network.rpc("anvil_reorg", 3, [])
    feeding.wait_for_truth()
    assert len(feeding.sink.swaps) == 3
    swap = network.swap("vaix", buy=True, amount_in=3 * 10**20)
    network.w3.eth.wait_for_transaction_receipt(swap, poll_latency=0.01)
    feeding.sink.wait_for(lambda: len(feeding.sink.swaps) >= 4, "the next swap")
    feeding.wait_for_truth()
    assert feeding.sink.swaps[-1][1].quote_raw == 3 * 10**20
    assert len({swap.command_id for _, swap in feeding.sink.swaps}) == 4


async def test_swaps_made_while_the_node_was_out_of_reach_are_told_once_and_in_order(
    node: Anvil, network: Network
) -> None:
    """Nobody answers for 250 blocks with swaps in them: all of them are told, then newer ones."""
    random = Random(8)
    async with CuttingProxy(node.http_url) as proxy:
        feeding = await asyncio.to_thread(Feeding, node, network, urls=[proxy.url])
        try:
            await asyncio.to_thread(feeding.wait_until_live)
            wanted = await asyncio.to_thread(swap_at_random, network, random, 3)
            await asyncio.to_thread(feeding.wait_for_truth)
            proxy.refuses = True
            proxy.cut()
            for _ in range(4):
                wanted += await asyncio.to_thread(swap_at_random, network, random, 2)
                network.rpc("anvil_mine", 60)
            assert told_by(feeding) == wanted[:3]
            proxy.refuses = False
            wanted += await asyncio.to_thread(swap_at_random, network, random, 3)
            await asyncio.to_thread(
                feeding.sink.wait_for, lambda: len(feeding.sink.swaps) >= len(wanted), "all swaps"
            )
            await asyncio.to_thread(feeding.wait_for_truth)
            assert told_by(feeding) == wanted
            assert len({swap.command_id for _, swap in feeding.sink.swaps}) == len(wanted)
            for _, swap in feeding.sink.swaps:
                block = network.w3.eth.get_block(swap.block)
                assert swap.block_time_ns == block["timestamp"] * 10**9
        finally:
            await asyncio.to_thread(feeding.stop)
