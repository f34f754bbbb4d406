"""The hybrid book: pools and resting orders side by side, with who offers what."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.hybrid import HybridDepth
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.constant_product import amount_in, amount_out
from actors.engine.pools.state import (
    Concentrated,
    ConcentratedTerms,
    ConstantProduct,
    CurveState,
    PoolState,
    PoolStatus,
    Stable,
    TickWindow,
)
from actors.engine.units import Side

E18 = 10**18
FIRST, SECOND = "ethereum:0x1", "base:0x2"


def pool_spec(pool_id: str) -> PoolSpec:
    chain, _, address = pool_id.partition(":")
    return PoolSpec(
        pool_id, "Uniswap", chain, "uniswap_v2", address, "0xb", "0xc", 18, 6, 3000
    )  # fmt: skip


SPEC = PairSpec(
    "vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1",
    pools=(pool_spec(FIRST), pool_spec(SECOND)),
)  # fmt: skip


def live(pool_id: str, base: int, quote: int) -> PoolState:
    curve = ConstantProduct.of(base * E18, quote * 10**6, 3, 1000)
    return PoolState(pool_id, PoolStatus.LIVE, curve, 1, 1)


def hybrid(*states: PoolState) -> HybridDepth:
    made = HybridDepth(SPEC)
    for state in states:
        made.update(state)
    return made


DEEP = live(FIRST, 40_000_000, 120_000)


def test_levels_without_pools_are_the_book():
    """The book is the source with no name."""
    made = hybrid()
    assert made.levels(Side.BUY, [(10, 5), (12, 7)]) == [(12, 7, (("", 7),)), (10, 5, (("", 5),))]
    assert made.levels(Side.SELL, [(14, 5), (13, 7)], 30)[0] == (13, 7, (("", 7),))


def test_levels_of_one_price_add_up_with_their_sources_book_first():
    """A resting order at a ladder's price joins the level."""
    made = hybrid(DEEP, msgspec.structs.replace(DEEP, pool_id=SECOND))
    price, size, sources = made.levels(Side.SELL, [])[3]
    assert [name for name, _ in sources] == [FIRST, SECOND]
    joined = made.levels(Side.SELL, [(price, 100)])[3]
    assert joined == (price, size + 100, (("", 100), *sources))


def test_levels_are_as_many_as_asked_for_on_both_sides():
    """The depth is a minimum: the ladders go on as far as is needed."""
    made = hybrid(DEEP)
    for side in Side:
        assert len(made.levels(side, [])) == SPEC.ladder_levels
        assert len(made.levels(side, [], 5)) >= 5
        assert len(made.levels(side, [], 500)) == 500
        assert made.levels(side, [], 500)[:40] == made.levels(side, [])


def test_levels_asked_for_few_begin_as_those_asked_for_many():
    """A cut never changes what is before it, so a checksum over ten levels is the same."""
    made = hybrid(DEEP, live(SECOND, 1_000_000, 3_010))
    book = [(2900 + at, 10) for at in range(80)]
    everything = made.levels(Side.BUY, book)
    assert made.levels(Side.BUY, book, 10) == everything[: SPEC.ladder_levels]


def test_update_stale_takes_the_depth_away_and_live_brings_it_back():
    """Only LIVE depth counts; the state stays for whoever shows venues."""
    made = hybrid(DEEP)
    made.update(msgspec.structs.replace(DEEP, status=PoolStatus.STALE))
    assert made.levels(Side.SELL, []) == []
    assert [state.status for state in made.states()] == [PoolStatus.STALE]
    made.update(DEEP)
    assert len(made.levels(Side.SELL, [])) == 40


def test_update_of_a_pool_not_listed_any_more_is_passed_over():
    """An old journal may name pools that the listing has dropped."""
    made = hybrid(msgspec.structs.replace(DEEP, pool_id="base:0x9"))
    assert made.states() == []


@given(st.integers(1_000_000, 10**8), st.integers(1000, 10**6), st.sampled_from(list(Side)))
def test_levels_of_any_pool_promise_no_more_than_the_chain_pays(base: int, quote: int, side: Side):
    """Every depth of the hybrid book, bought or sold in one swap on the chain, is no dearer there.

    And no more than a tick a lot is lost to the rounding of prices.
    """
    state = live(FIRST, base, quote)
    assert state.curve is not None
    lots = worth = 0
    for price, size, _ in hybrid(state).levels(side, [], 60):
        lots, worth = lots + size, worth + price * size
        if side is Side.SELL:  # asks: a taker buys
            paid = amount_in(state.curve, Side.BUY, lots * E18)
            assert worth - lots - 60 <= paid <= worth
        else:
            brought = amount_out(state.curve, Side.SELL, lots * E18)
            assert worth <= brought <= worth + lots + 60


def test_levels_merge_pools_of_every_kind_on_one_chain_with_their_sources():
    """Three pools of one pair on one chain, three decimals: each level says who offers what."""
    kinds: list[tuple[int, CurveState]] = [
        (18, ConstantProduct.of(10**6 * E18, 10**12, 3, 1000)),
        (6, Stable.of((10**12, 10**12), (6, 6), 5, 10_000)),
        (
            0,
            Concentrated.of(
                2**96 * 1000, 10**12, 138_162,
                TickWindow(137_000, 139_000, [(137_000, 10**12), (139_000, -(10**12))]),
                ConcentratedTerms(10, 500, base_is_token0=True),
            ),
        ),
    ]  # fmt: skip
    pools = tuple(
        PoolSpec(f"base:0x{at}", "V", "base", "k", f"0x{at}", "0xb", "0xc", decimals, 6, 500)
        for at, (decimals, _) in enumerate(kinds)
    )
    spec = PairSpec(
        "usda", AssetSpec("USDA", 6), AssetSpec("USDC", 6), "0.0001", "0.01", pools=pools
    )
    made = HybridDepth(spec)
    for pool, (_, curve) in zip(pools, kinds, strict=True):
        made.update(PoolState(pool.pool_id, PoolStatus.LIVE, curve, 1, 1))
    for side in Side:
        levels = made.levels(side, [(10_000, 70)], 60)
        assert len(levels) == 60
        named = {name for _, _, sources in levels for name, _ in sources}
        assert named == {"", *(pool.pool_id for pool in pools)}
        for _, size, sources in levels:
            assert size == sum(lots for _, lots in sources) > 0
        alone = [HybridDepth(spec) for _ in kinds]
        for one, pool, (_, curve) in zip(alone, pools, kinds, strict=True):
            one.update(PoolState(pool.pool_id, PoolStatus.LIVE, curve, 1, 1))
            shown = {
                (price, lots)
                for price, _, sources in levels
                for name, lots in sources
                if name == pool.pool_id
            }
            assert shown <= {(price, size) for price, size, _ in one.levels(side, [], 60)}
