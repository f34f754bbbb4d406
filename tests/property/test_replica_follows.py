"""A replica beside the engine it follows, under any flow of commands."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.engine.commands import (
    AmendOrder,
    AnyCommand,
    CancelAll,
    CancelOrder,
    PlaceOrder,
    PlaceScale,
    PlaceTwap,
    PoolTraded,
    PoolUpdated,
    SetMarketStatus,
)
from actors.engine.pair_engine import PairEngine
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.state import ConstantProduct, PoolState, PoolStatus
from actors.engine.public_state import PublicState
from actors.engine.replica import MarketReplica
from actors.engine.units import (
    NS_PER_S,
    MarketStatus,
    Mode,
    OrderNo,
    OrderType,
    Side,
    StpMode,
    UserId,
)
from actors.journal.market_record import MarketRecord, Step

POOLS = tuple(
    PoolSpec(f"ethereum:0x{at}", "Uniswap", "ethereum", "uniswap_v2", f"0x{at}", "b", "q", 18, 6, 1)
    for at in range(2)
)
SPEC = PairSpec("vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1", pools=POOLS)
T0 = 1_700_000_000 * NS_PER_S
RECORDS = msgspec.msgpack.Decoder(MarketRecord)

users = st.sampled_from([UserId("usr_anna"), UserId("usr_ben"), UserId("usr_cleo")])
sides = st.sampled_from(list(Side))
prices = st.integers(2900, 3100)
sizes = st.integers(1, 400)
numbers = st.integers(1, 40).map(OrderNo)


def pool(at: int, base: int, quote: int, status: PoolStatus) -> PoolState:
    curve = ConstantProduct.of(base * 10**18, quote * 10**6, 3, 1000)
    return PoolState(POOLS[at].pool_id, status, curve, 1, 1)


orders = st.builds(
    PlaceOrder,
    st.just(""),
    users,
    sides,
    st.sampled_from(list(OrderType)),
    sizes,
    prices,
    st.just(0),
    st.sampled_from([0, 0, 0, 5]),
    st.sampled_from(list(StpMode)),
)
stops = st.builds(
    PlaceOrder, st.just(""), users, sides,
    st.sampled_from([OrderType.STOP_LIMIT, OrderType.STOP_MARKET]), sizes, prices, prices,
)  # fmt: skip
pools = st.builds(
    PoolUpdated,
    st.just(""),
    st.builds(
        pool, st.integers(0, 1), st.just(10**6), st.integers(2900, 3100),
        st.sampled_from([PoolStatus.LIVE, PoolStatus.LIVE, PoolStatus.STALE]),
    ),
)  # fmt: skip
swaps = st.builds(
    lambda at, side, lots, price: PoolTraded.of(
        "", POOLS[at].pool_id, side, (lots * 10**18, lots * price)
    ),
    st.integers(0, 1), sides, sizes, prices,
)  # fmt: skip
commands = st.one_of(
    orders,
    orders,
    orders,
    stops,
    pools,
    swaps,
    st.builds(CancelOrder, st.just(""), users, numbers),
    st.builds(AmendOrder, st.just(""), users, numbers, prices, sizes),
    st.builds(CancelAll, st.just(""), users),
    st.builds(PlaceTwap, st.just(""), users, sides, sizes, st.just(60_000), st.integers(1, 5)),
    st.builds(
        PlaceScale, st.just(""), users, sides, sizes, st.just(2950), st.just(3050),
        st.integers(2, 6),
    ),
    st.builds(SetMarketStatus, st.just(""), st.sampled_from([MarketStatus.TRADING] * 3 + [
        MarketStatus.HALTED
    ])),
)  # fmt: skip
batches = st.lists(
    st.tuples(st.integers(0, 40), st.lists(commands, max_size=4)), min_size=1, max_size=25
)


def write(engine: PairEngine, batch: list[AnyCommand], time_ns: int, number: int) -> bytes:
    """Run a batch as a pair does, every hold granted in full, and encode its record."""
    steps = []
    engine.begin(time_ns, number)
    for command in batch:
        need = engine.hold_for(command, time_ns)
        held = need.most_raw if need else 0
        events = engine.apply(command, held)
        steps.append(Step(command, held, events))
    engine.drain_postings()
    levels = engine.drain_levels()
    engine.close_record()
    return msgspec.msgpack.encode(
        MarketRecord(
            time_ns, steps, levels, [], engine.book_seq, engine.hybrid_seq, engine.trade_seq,
            [number], [0],
        )
    )  # fmt: skip


def shown(engine: PairEngine, number: int) -> PublicState:
    state = engine.public_state(number)
    state.settlement_heads = [number]
    return state


@settings(deadline=None)
@given(batches, st.integers(0, 25))
def test_replica_after_any_records_shows_what_the_engine_shows(
    flow: list[tuple[int, list[AnyCommand]]], join_at: int
):
    """From the first record or joined on the way, a replica holds the pair's public state."""
    engine = PairEngine(SPEC, Mode.PAPER)
    early, late = MarketReplica(SPEC, Mode.PAPER), MarketReplica(SPEC, Mode.PAPER)
    time_ns, issued = T0, 0
    for number, (seconds, batch) in enumerate(flow, 1):
        time_ns += seconds * NS_PER_S
        named = engine.due(time_ns)
        for command in batch:
            issued += 1
            named.append(msgspec.structs.replace(command, command_id=f"c{issued}"))
        record = RECORDS.decode(write(engine, named, time_ns, number))
        early.apply(number, record)
        if number > join_at:
            late.apply(number, record)
        elif number == join_at:
            late.restore(msgspec.msgpack.decode(
                msgspec.msgpack.encode(shown(engine, number)), type=PublicState
            ))  # fmt: skip
        assert early.public_state() == shown(engine, number)
        if number >= join_at:
            assert late.public_state() == shown(engine, number)
            assert late.hybrid_levels(20) == early.hybrid_levels(20)
    engine.validate()
