"""Whatever a feed says of a pool, the pair goes on: no state of any form stops an order."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.engine.commands import PlaceOrder, PoolTraded, PoolUpdated
from actors.engine.pair_engine import PairEngine
from actors.engine.pools.state import (
    Concentrated,
    ConstantProduct,
    CreatorFee,
    CurveState,
    FeeRule,
    PoolState,
    PoolStatus,
    Stable,
    StableRule,
    TickSteps,
)
from actors.engine.units import Mode, OrderType, RouteMode, Side, UserId
from tests.markets import POOLS, START_NS, Market, make_spec, pool_at, ticks_at

parts = st.one_of(
    st.sampled_from([0, 1, 2, 2**63 - 1, 2**64 - 1]), st.integers(0, 2**64 - 1), st.integers(0, 99)
)
signed = st.one_of(st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1]), st.integers(-(2**63), 2**63))
signed = signed.map(lambda value: min(value, 2**63 - 1))
fees = st.one_of(st.integers(-5, 12), st.integers(-(2**31), 2**31))
places = st.one_of(st.integers(0, 30), signed)
ticks = st.one_of(st.integers(-900_000, 900_000), st.integers(-100, 100), signed)

products = st.builds(
    ConstantProduct, parts, parts, parts, parts, fees, fees, st.sampled_from(list(FeeRule)), fees,
    fees, fees, fees, st.sampled_from(list(CreatorFee)),
)  # fmt: skip
stables = st.builds(
    Stable, parts, parts, parts, parts, places, places, fees, fees,
    st.sampled_from(list(StableRule)), st.booleans(), fees, fees,
)  # fmt: skip
concentrated = st.builds(
    Concentrated, parts, parts, parts, parts, parts, ticks, ticks, fees, st.booleans(), ticks,
    ticks, st.lists(st.tuples(ticks, signed, parts), max_size=4).map(tuple), fees,
    st.sampled_from(list(TickSteps)), st.booleans(),
)  # fmt: skip


@st.composite
def bent(draw: st.DrawFn) -> CurveState:
    """Take a good pool of ticks, and bend one or two of its numbers."""
    state = ticks_at(
        POOLS[0], draw(st.integers(50, 200)), 1_000, base_is_token0=draw(st.booleans())
    )
    curve = state.curve
    assert isinstance(curve, Concentrated)
    changes = draw(
        st.dictionaries(
            st.sampled_from(["tick", "tick_spacing", "low_tick", "high_tick", "fee_ppm"]), ticks,
            max_size=2,
        )
    )  # fmt: skip
    more = draw(st.lists(st.tuples(ticks, signed, parts), max_size=2))
    changes["ticks"] = tuple(sorted([*curve.ticks, *more]))
    return msgspec.structs.replace(curve, **changes)


@settings(max_examples=200)
@given(st.one_of(products, stables, concentrated, bent()), st.sampled_from(list(Side)))
def test_any_state_of_a_pool_leaves_the_pair_trading(curve: CurveState, side: Side):
    """Orders of every route are answered beside nonsense, and the invariants hold."""
    market = Market(PairEngine(make_spec(), Mode.PAPER))
    state = PoolState(POOLS[0], PoolStatus.LIVE, curve, 1, START_NS)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=PoolState)
    market.do(PoolUpdated("good", pool_at(POOLS[1], 100, 3_000)))
    market.do(PlaceOrder("rests", UserId("ann"), side.opposite, OrderType.LIMIT, 5, 100))
    market.do(PoolUpdated("bad", again))
    for route in RouteMode:
        for kind, price in (
            (OrderType.IOC, 120 if side is Side.BUY else 80),
            (OrderType.MARKET, 0),
        ):
            name = f"{route}{kind}"
            market.do(PlaceOrder(name, UserId("bob"), side, kind, 50, price, route=route))
    market.check()
    assert market.engine.public_state(1).pools[0].curve is not None


@given(parts, parts, parts, parts, st.sampled_from(list(Side)))
def test_any_swap_on_chain_is_printed_within_bounds_or_not_at_all(
    base_high: int, base_low: int, quote_high: int, quote_low: int, side: Side
):
    """Zero, dust and 2^128: a trade that the journal can hold, or none."""
    market = Market(PairEngine(make_spec(), Mode.PAPER))
    swap = PoolTraded("s", POOLS[0], side, base_high, base_low, quote_high, quote_low)
    market.do(swap)
    for trade in market.engine.public_state(1).trades:
        assert 0 < trade.price_ticks <= market.engine.spec.max_price_ticks
        assert 0 < trade.size_lots < 2**62
        assert 0 < trade.quote_raw <= 2**62
        msgspec.msgpack.encode(trade)
