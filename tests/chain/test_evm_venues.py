"""Every kind of EVM pool against its real contract: quotes to the last unit, states by logs."""

import os
import warnings
from collections.abc import Iterator
from fractions import Fraction
from random import Random

import pytest
from web3.logs import DISCARD
from web3.types import RPCEndpoint

from actors.engine.pools.state import Concentrated, ConstantProduct, Stable
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from devnet.anvil import Anvil
from devnet.pools import CAMELOT_STABLE, RESERVE_KINDS, TICK_KINDS, Builder, Deposit, algebra
from devnet.workshop import Workshop
from tests.chain.venue_pools import Followed

SWAPS = 200 if os.environ.get("TANDEM_LONG") else 6
DECIMALS = [(18, 18), (6, 18), (6, 6), (18, 6)]
KINDS = (*RESERVE_KINDS, CAMELOT_STABLE, *TICK_KINDS)


@pytest.fixture(scope="module")
def shop(packages: None) -> Iterator[Workshop]:
    """One node for the whole file."""
    with Anvil() as node, warnings.catch_warnings():
        # web3's synchronous provider warns of a dependency's own deprecations while it loads.
        warnings.simplefilter("ignore", DeprecationWarning)
        shop = Workshop(node.http_url)
        # Blocks of one second would share an adaptive fee, and anvil mines many in one.
        shop.w3.provider.make_request(RPCEndpoint("anvil_setBlockTimestampInterval"), [1])
        yield shop


@pytest.fixture(scope="module")
def builder(shop: Workshop) -> Builder:
    """The factories of the whole file."""
    return Builder(shop)


def swap_once(pool: Followed, random: Random) -> None:
    """Swap a random size on a random side; the contract does what was quoted."""
    side, made = random.choice(list(Side)), pool.made
    state = pool.state
    if isinstance(state, Concentrated):
        most = pool.curve().base_capacity(side) * 2 // 5
    else:
        most = state.reserve_base // 20
    base = max(1, int(most * 10 ** random.uniform(-9, 0)))
    paid, out = pool.curve().amounts(side, base)
    while min(paid, out) < 100:  # dust that the contract would refuse
        base *= 10
        paid, out = pool.curve().amounts(side, base)
    buy = side is Side.BUY
    if made.has_ticks:
        receipt = made.swap_ticks(buy=buy, amount=-base if buy else base)
    else:
        assert made.out_of(buy=buy, paid=paid) >= out
        if buy:
            assert made.out_of(buy=True, paid=paid - 1) < out
        else:
            assert made.out_of(buy=False, paid=paid) == out
        receipt = made.swap_reserves(buy=buy, paid=paid, out=out)
    heard = pool.hear(receipt)
    (told, met) = next((told, met) for told, met in heard if told.swap is not None)
    assert told.swap is not None
    if made.has_ticks:
        # An adaptive fee is renewed, and told, before the swap that pays it.
        paid, out = pool.curve(met).amounts(side, base)
    quote = paid if buy else out
    assert told.swap == (side, base, quote)
    pool.assert_true()


@pytest.mark.parametrize("decimals", DECIMALS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
@pytest.mark.parametrize("kind", KINDS)
def test_swaps_at_random_pay_what_was_quoted_and_leave_what_the_logs_say(
    shop: Workshop, builder: Builder, kind: str, decimals: tuple[int, int]
) -> None:
    """Quoted is executed, to the last unit, both ways; logs and a fresh read agree after each."""
    pool = Followed(shop, builder, kind, decimals)
    seed = sum(map(ord, kind)) * 100 + decimals[0] * 10 + decimals[1]
    random = Random(seed)
    for _ in range(SWAPS):
        swap_once(pool, random)


@pytest.mark.parametrize("kind", TICK_KINDS)
def test_liquidity_added_and_taken_at_random_is_followed(
    shop: Workshop, builder: Builder, kind: str
) -> None:
    """Positions around, above and below the price come and go between swaps."""
    pool, random = Followed(shop, builder, kind, (18, 6)), Random(7)
    spacing = pool.made.contract.functions.tickSpacing().call()
    middle = pool.read().curve.tick // spacing * spacing  # type: ignore[union-attr]
    added: list[tuple[int, int, int]] = []
    for turn in range(SWAPS):
        low = middle + random.randrange(-12, 12) * spacing
        high = low + random.randrange(1, 10) * spacing
        if added and turn % 3 == 2:
            receipt = pool.made.burn(*added.pop(random.randrange(len(added))))
        else:
            added.append((low, high, random.randrange(10**12, 10**15)))
            receipt = pool.made.mint(*added[-1])
        assert pool.hear(receipt)
        pool.assert_true()
        swap_once(pool, random)


def test_aerodromes_fee_is_asked_at_every_block(shop: Workshop, builder: Builder) -> None:
    """The factory's new fee is told by no log of the pool's, and counts from the next swap."""
    pool = Followed(shop, builder, "aerodrome_volatile", (18, 6))
    factory = shop.at(
        pool.made.contract.functions.factory().call(),
        [
            {
                "type": "function", "name": "setCustomFee", "stateMutability": "nonpayable",
                "inputs": [{"name": "p", "type": "address"}, {"name": "f", "type": "uint256"}],
                "outputs": [],
            }
        ],
    )  # fmt: skip
    receipt = shop.transact(factory, "setCustomFee", pool.made.contract.address, 87)
    assert pool.hear(receipt) == []
    reads = pool.read().fee_reads
    assert pool.venue.fee_change is not None
    changed = pool.venue.fee_change(pool.spec, pool.ask(reads))(pool.state).curve
    assert isinstance(changed, ConstantProduct)
    assert changed.fee_num == 87
    pool.state = changed
    swap_once(pool, Random(3))


def test_camelots_fees_differ_by_direction_and_its_curve_may_change(
    shop: Workshop, builder: Builder
) -> None:
    """Both are told by logs: the fees whole, the other curve by a read."""
    pool = Followed(shop, builder, "camelot_v2", (6, 6))
    pool.hear(shop.transact(pool.made.contract, "setFeePercent", 40, 1_500))
    assert isinstance(pool.state, ConstantProduct)
    assert {pool.state.fee_of(side) for side in Side} == {40, 1_500}
    for seed in range(6):
        swap_once(pool, Random(seed))
    pool.hear(shop.transact(pool.made.contract, "setStableSwap", True))
    assert pool.rereads == 1
    assert isinstance(pool.state, Stable)


def test_camelots_v3_takes_another_fee_each_way_in_either_token_order(
    shop: Workshop, builder: Builder
) -> None:
    """Token0 going in is dearer here: a sale where base is token0, else a purchase."""
    met: set[bool] = set()
    for turn in range(64):  # each order comes by chance, as addresses do
        pool = Followed(shop, builder, "camelot_v3", (18, 6))
        if pool.made.base_is_token0 in met:
            continue
        met.add(pool.made.base_is_token0)
        for seed in range(4):
            swap_once(pool, Random(turn * 10 + seed))
        state = pool.state
        assert isinstance(state, Concentrated)
        _, _, zero_to_one, one_to_zero, *_ = pool.made.contract.functions.globalState().call()
        assert zero_to_one > one_to_zero
        sale, purchase = state.sell_fee_ppm, state.fee_ppm
        dearer, cheaper = (sale, purchase) if pool.made.base_is_token0 else (purchase, sale)
        assert (dearer, cheaper) == (zero_to_one, one_to_zero)
        if met == {True, False}:
            return
    pytest.fail("64 pools had all their tokens in one order")


def test_camelots_v3_stand_in_trades_as_algebra_v1_does(shop: Workshop, builder: Builder) -> None:
    """With one fixed fee the two contracts tell the same swaps, to the last unit and tick."""
    random, flat = Random(11), (0, 0, 0, 0, 1, 1, 0, 1, 700)
    base, quote = shop.token("AAA", 18), shop.token("USD", 6)
    deposit = Deposit(Fraction(3, 1000) / 10**12, 400_000 * 10**6)
    real = builder.make("algebra_v1", base, quote, deposit)
    double = builder.make("camelot_v3", base, quote, deposit)
    keeper = shop.at(
        real.contract.functions.dataStorageOperator().call(),
        algebra("v1-core", "DataStorageOperator").abi,
    )
    shop.transact(keeper, "changeFeeConfiguration", flat)
    for zero_to_one in (True, False):
        shop.transact(double.contract, "changeFeeConfiguration", zero_to_one, flat)
    for turn in range(3 * SWAPS):
        told = []
        buy, exponent = random.random() < 0.5, random.uniform(3, 11.2)
        amount = int(10**exponent) if buy else int(10**exponent * 10**12 * 1000 / 3)
        for made in (real, double):
            receipt = made.swap(buy=buy, amount_in=amount)
            (swap,) = made.contract.events.Swap().process_receipt(receipt, errors=DISCARD)
            told.append((swap["args"], made.contract.functions.liquidity().call()))
        assert told[0] == told[1], turn


def test_slipstreams_fee_is_asked_at_every_block(shop: Workshop, builder: Builder) -> None:
    """``fee()`` is the factory's word, and is read beside the logs."""
    pool = Followed(shop, builder, "slipstream", (18, 18))
    reads = pool.read().fee_reads
    assert pool.venue.fee_change is not None
    unchanged = pool.venue.fee_change(pool.spec, pool.ask(reads))(pool.state).curve
    assert unchanged == pool.state


def test_pool_listed_as_the_other_kind_says_so(shop: Workshop, builder: Builder) -> None:
    """A volatile pool listed as stable is not read."""
    from chain_feeds.venues import VENUES

    pool = Followed(shop, builder, "aerodrome_volatile", (18, 6))
    pool.venue = VENUES["aerodrome_stable"]
    with pytest.raises(DecodeError, match="is volatile, but listed as stable"):
        pool.read()
