"""What is quoted is what the contracts give: to the last unit, after every swap, never more."""

from random import Random

import pytest

from actors.engine.hybrid import HybridDepth
from actors.engine.pair_spec import PairSpec
from actors.engine.pools.constant_product import ConstantProductCurve, amount_in, amount_out
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.state import ConstantProduct, PoolState
from actors.engine.units import Side
from devnet.contracts import Network
from tests.chain.feeding import Feeding, pair_of

USDC_SHIFT = 10**12
"""Raw units of the pool's quote token in one of the pair's."""

PAIRS = {"vaix": ("0.000001", "1", 6), "btc": ("0.01", "0.0001", 8)}


def random_amount(random: Random, reserve: int) -> int:
    """From dust to a tenth of the pool, evenly in the logarithm."""
    return max(1, int(reserve * 10 ** random.uniform(-15, -1)))


def assert_quotes_match(network: Network, curve: ConstantProduct, random: Random) -> None:
    """Ask the router the same as our formulas, for many sizes on both sides."""
    ask = network.router.functions
    sides = (
        (Side.BUY, curve.reserve_quote, curve.reserve_base),
        (Side.SELL, curve.reserve_base, curve.reserve_quote),
    )
    for side, reserve_in, reserve_out in sides:
        for _ in range(2):
            paid = random_amount(random, reserve_in)
            expected = ask.getAmountOut(paid, reserve_in, reserve_out).call()
            assert amount_out(curve, side, paid) == expected
            taken = random_amount(random, reserve_out)
            expected = ask.getAmountIn(taken, reserve_in, reserve_out).call()
            assert amount_in(curve, side, taken) == expected


def assert_depth_matches(
    network: Network, spec: PairSpec, state: PoolState, random: Random
) -> None:
    """For any size the pair's quote is the router's, rounded against the taker; levels too."""
    assert state.curve is not None
    curve = state.curve
    grid = PoolGrid.of(spec, spec.pools[0])
    ours = ConstantProductCurve(curve, grid)
    ask = network.router.functions
    lot = spec.base_raw_per_lot * grid.lot_num // (grid.lot_den * spec.base_raw_per_lot)
    sizes = [random.randint(1, ours.capacity_lots(Side.BUY) // 20) for _ in range(4)]
    for lots in sizes:
        cost = ask.getAmountIn(lots * lot, curve.reserve_quote, curve.reserve_base).call()
        assert ours.quote_for(Side.BUY, lots) == -(-cost // USDC_SHIFT)
        proceeds = ask.getAmountOut(lots * lot, curve.reserve_base, curve.reserve_quote).call()
        assert ours.quote_for(Side.SELL, lots) == proceeds // USDC_SHIFT
    book = HybridDepth(spec)
    book.update(state)
    asks, bids = book.levels(Side.SELL, []), book.levels(Side.BUY, [])
    assert len(asks) >= 30
    assert len(bids) >= 30
    assert bids[0][0] < asks[0][0]
    unit = spec.quote_raw_per_tick_lot
    lots = quote = 0
    for price, size, _ in asks:
        lots, quote = lots + size, quote + price * size * unit
        cost = ask.getAmountIn(lots * lot, curve.reserve_quote, curve.reserve_base).call()
        assert cost <= quote * USDC_SHIFT
        assert quote - cost // USDC_SHIFT <= lots * unit, "more than a tick a lot too dear"
    lots = quote = 0
    for price, size, _ in bids:
        lots, quote = lots + size, quote + price * size * unit
        proceeds = ask.getAmountOut(lots * lot, curve.reserve_base, curve.reserve_quote).call()
        assert proceeds >= quote * USDC_SHIFT
        assert proceeds // USDC_SHIFT - quote <= lots * unit, "more than a tick a lot too cheap"


@pytest.mark.parametrize("symbol", PAIRS)
def test_quotes_after_each_of_50_random_swaps_equal_the_router(
    feeding: Feeding, symbol: str
) -> None:
    """State, quotes and depth follow the chain, and each executed swap brings what was quoted."""
    random = Random(20_26)
    network = feeding.network
    deployed = network.pairs[symbol]
    spec = pair_of(feeding.pools[symbol], *PAIRS[symbol])
    for turn in range(50):
        before = feeding.state(symbol).curve
        assert before is not None
        side = random.choice(list(Side))
        token_out = deployed.base if side is Side.BUY else deployed.quote
        reserve_in = before.reserve_quote if side is Side.BUY else before.reserve_base
        paid = max(10**6, int(reserve_in * 10 ** random.uniform(-9, -1.5)))
        owned = token_out.functions.balanceOf(network.owner).call()
        network.w3.eth.wait_for_transaction_receipt(
            network.swap(symbol, buy=side is Side.BUY, amount_in=paid), poll_latency=0.01
        )
        received = token_out.functions.balanceOf(network.owner).call() - owned
        assert received == amount_out(before, side, paid)
        feeding.wait_for_truth()
        state = feeding.state(symbol)
        assert state.block == network.w3.eth.block_number
        assert state.curve is not None
        assert_quotes_match(network, state.curve, random)
        if turn % 25 == 0:
            assert_depth_matches(network, spec, state, random)


def test_quote_of_one_unit_more_is_refused_by_the_contract(feeding: Feeding) -> None:
    """The quoted output is the most the pair gives: its own check of K refuses one unit more."""
    network = feeding.network
    deployed = network.pairs["vaix"]
    curve = feeding.state("vaix").curve
    assert curve is not None
    paid = 10**21
    quoted = amount_out(curve, Side.BUY, paid)
    network.transact(deployed.quote, "transfer", deployed.pair.address, paid)

    def swap(amount: int) -> tuple[int, int, str, bytes]:
        first, second = (amount, 0) if deployed.base_is_token0 else (0, amount)
        return first, second, network.owner, b""

    with pytest.raises(Exception, match="UniswapV2: K"):
        deployed.pair.functions.swap(*swap(quoted + 1)).call({"from": network.owner})
    deployed.pair.functions.swap(*swap(quoted)).call({"from": network.owner})
