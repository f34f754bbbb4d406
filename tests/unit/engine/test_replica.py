"""A replica by itself: records in order, gaps refused, depth cut, caches renewed."""

import pickle

import msgspec
import pytest

from actors.engine.commands import ClockTick
from actors.engine.events import LevelChange, MarketStatusChanged, PoolChanged, Traded
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.state import ConstantProduct, PoolState, PoolStatus
from actors.engine.public_state import PublicState, PublicTrade
from actors.engine.replica import GapError, MarketReplica
from actors.engine.units import MarketStatus, Mode, OrderNo, Side, UserId
from actors.journal.market_record import MarketRecord, Step

POOL = PoolSpec("ethereum:0x1", "Uniswap", "ethereum", "uniswap_v2", "0x1", "0xb", "0xc", 18, 6, 1)
SPEC = PairSpec("vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1", pools=(POOL,))
LIVE = PoolState(
    POOL.pool_id, PoolStatus.LIVE, ConstantProduct.of(10**25, 3 * 10**10, 3, 1000), 9, 7
)


def trade(number: int, price: int) -> Traded:
    return Traded(
        number, price, 2, 2 * price, Side.BUY, "", OrderNo(2), UserId("usr_b"), 0,
        OrderNo(1), UserId("usr_a"), 0, 2, 0, 2 * price,
    )  # fmt: skip


def record(*events: object, levels: tuple[LevelChange, ...] = (), time_ns: int = 5) -> MarketRecord:
    step = Step(ClockTick("t"), 0, list(events))  # type: ignore[arg-type]
    return MarketRecord(time_ns, [step], list(levels), [], 3, 4, 5, [6], [0])


def replica() -> MarketReplica:
    made = MarketReplica(SPEC, Mode.PAPER)
    made.restore(
        PublicState(
            7, 1, 1, 1, MarketStatus.TRADING, [(10, 5), (9, 4)], [(12, 6), (14, 1)],
            [PublicTrade(1, 11, 1, 11, Side.SELL, "", 3)], {}, [], [2],
        )
    )  # fmt: skip
    return made


def test_restore_shows_the_state():
    """Counters, levels and the tape are the state's."""
    made = replica()
    assert (made.number, made.book_seq, made.settlement_heads) == (7, 1, [2])
    assert made.levels() == ([(10, 5), (9, 4)], [(12, 6), (14, 1)])
    assert made.levels(1) == ([(10, 5)], [(12, 6)])
    assert made.levels(0) == ([], [])
    assert [one.trade_no for one in made.trades] == [1]
    assert made.time_ns == 3


def test_apply_changes_levels_trades_and_counters():
    """A level of 0 goes, a new one comes, and the change says what happened."""
    made = replica()
    levels = (
        LevelChange(Side.BUY, 10, 0),
        LevelChange(Side.BUY, 8, 3),
        LevelChange(Side.SELL, 12, 1),
        LevelChange(Side.SELL, 99, 0),
    )
    change = made.apply(8, record(trade(2, 12), levels=levels))
    assert made.levels() == ([(9, 4), (8, 3)], [(12, 1), (14, 1)])
    assert (made.book_seq, made.hybrid_seq, made.trade_seq) == (3, 4, 5)
    assert change.trades == [PublicTrade(2, 12, 2, 24, Side.BUY, "", 5)]
    assert not change.pools_changed
    assert not change.status_changed
    assert made.candles(60)[0].volume_lots == 2
    assert made.day(5).last_ticks == 12


def test_apply_a_halt_shows_the_status():
    """A halted market says so, and the change tells."""
    made = replica()
    change = made.apply(8, record(MarketStatusChanged(MarketStatus.HALTED)))
    assert change.status_changed
    assert made.status is MarketStatus.HALTED


def test_apply_a_pool_renews_the_hybrid_book():
    """What was cached before a change is not shown after it."""
    made = replica()
    before = made.hybrid_levels(5)
    assert made.hybrid_levels(5) is not None
    assert [level[:2] for level in before[1]] == [(12, 6), (14, 1)]
    change = made.apply(8, record(PoolChanged(LIVE, from_chain=True)))
    assert change.pools_changed
    assert made.pools == [LIVE]
    assert len(made.hybrid_levels(30)[1]) >= 30
    made.apply(9, record(levels=(LevelChange(Side.SELL, 12, 0),)))
    assert made.hybrid_levels(30)[1][0][:2] == (14, 1)


@pytest.mark.parametrize("number", [7, 9, 0])
def test_apply_out_of_order_is_refused_and_changes_nothing(number: int):
    """A gap or a repetition: start anew from the pair."""
    made = replica()
    before = made.public_state()
    with pytest.raises(GapError) as caught:
        made.apply(number, record(trade(2, 12)))
    assert (caught.value.expected, caught.value.found) == (8, number)
    assert made.public_state() == before
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_public_state_through_bytes_starts_another_replica():
    """One replica can start the next."""
    made = replica()
    made.apply(8, record(trade(2, 12), PoolChanged(LIVE, from_chain=True)))
    data = msgspec.msgpack.encode(made.public_state())
    twin = MarketReplica(SPEC, Mode.PAPER)
    twin.restore(msgspec.msgpack.decode(data, type=PublicState))
    assert twin.public_state() == made.public_state()
    assert twin.hybrid_levels() == made.hybrid_levels()
