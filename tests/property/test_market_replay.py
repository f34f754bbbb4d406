"""The engine is a function of its commands: replays, snapshots and money agree, whatever comes."""

import os
from random import Random
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.engine.events import AnyEvent, CommandRejected, OrderClosed
from actors.engine.market_api import AnyReply
from actors.engine.pair_engine import PairEngine
from actors.engine.placing import OrderDesk
from actors.engine.snapshot import SnapshotError
from actors.engine.units import Mode, OrderStatus, Reason
from tests.markets import Market, make_spec, run_randomly

LONG_STEPS = int(os.environ.get("TANDEM_MODEL_STEPS", "100000"))
seeds = st.integers(min_value=0, max_value=2**32)


def _replay(market: Market, engine: PairEngine, after: int) -> list[AnyEvent]:
    """Apply a market's commands after the first few to another engine, record by record."""
    events: list[AnyEvent] = []
    for at, (command, time_ns, held_raw) in enumerate(market.commands):
        if at < after:
            continue
        engine.begin(time_ns, at + 1)
        events += engine.apply(command, held_raw)
        engine.drain_levels()
        engine.drain_postings()
        engine.close_record()
    return told(events)


def told(events: list[AnyEvent]) -> list[AnyEvent]:
    """Return events as a reader of the journal sees them."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(events), type=list[AnyEvent])


@given(seeds)
@settings(max_examples=12, deadline=None)
def test_market_random_flow_keeps_every_invariant(seed: int):
    """Holds made are open, spent or released after every command, and the state validates."""
    run_randomly(Random(seed), Market(), 150)


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_market_replay_gives_the_same_events_and_hash(seed: int):
    """The same commands, times and holds give the same events and state in another engine."""
    market = Market()
    run_randomly(Random(seed), market, 150)
    twin = PairEngine(make_spec(), Mode.PAPER)
    assert _replay(market, twin, 0) == told(market.events)
    assert twin.state_hash() == market.engine.state_hash()


@given(seeds)
@settings(max_examples=6, deadline=None)
def test_market_without_holds_replays_and_restores_the_same(seed: int):
    """Orders that never get any money do not miss it: not in a replay, not in a snapshot."""
    market = Market(holds_enabled=False)
    run_randomly(Random(seed), market, 100)
    spec = make_spec(holds_enabled=False)
    twin = PairEngine(spec, Mode.PAPER)
    assert _replay(market, twin, 0) == told(market.events)
    restored = PairEngine.restore(spec, Mode.PAPER, twin.snapshot())
    assert twin.state_hash() == restored.state_hash() == market.engine.state_hash()


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_market_batch_in_one_call_does_what_single_calls_do(seed: int):
    """A record's commands applied in one call make the same events, replies and state."""
    market = Market()
    run_randomly(Random(seed), market, 100)
    one, all_at_once = (PairEngine(make_spec(), Mode.PAPER) for _ in range(2))
    for number, start in enumerate(range(0, len(market.commands), 7), start=1):
        part = market.commands[start : start + 7]
        for engine in (one, all_at_once):
            engine.begin(part[-1][1], number)
        single: list[bytes] = []
        for command, _, held in part:
            events = one.apply(command, held)
            single.append(msgspec.msgpack.encode((events, one.reply_to(command, events))))
        replies: list[AnyReply] = []
        commands, held_raw = [c for c, _, _ in part], [held for _, _, held in part]
        made = all_at_once.apply_all(commands, held_raw, replies)
        assert single == [msgspec.msgpack.encode(pair) for pair in zip(made, replies, strict=True)]
        for engine in (one, all_at_once):
            engine.drain_levels()
            engine.drain_postings()
            engine.close_record()
    assert one.state_hash() == all_at_once.state_hash()


@given(seeds)
@settings(max_examples=12, deadline=None)
def test_place_of_the_usual_order_does_what_the_long_way_does(seed: int):
    """An engine that sends every order the long way makes the same events, and ends up the same."""
    market = Market()
    run_randomly(Random(seed), market, 150)
    with patch.object(OrderDesk, "place", OrderDesk.place_any):
        twin = PairEngine(make_spec(), Mode.PAPER)
    assert _replay(market, twin, 0) == told(market.events)
    assert twin.state_hash() == market.engine.state_hash()


@given(seeds, st.integers(min_value=0, max_value=150))
@settings(max_examples=8, deadline=None)
def test_market_restored_midway_goes_on_the_same(seed: int, midway: int):
    """An engine restored from a snapshot has its hash, and makes the same later events."""
    draw, market = Random(seed), Market()
    run_randomly(draw, market, midway)
    data, done, before = market.engine.snapshot(), len(market.commands), len(market.events)
    twin = PairEngine.restore(make_spec(), Mode.PAPER, data)
    assert twin.state_hash() == market.engine.state_hash()
    run_randomly(draw, market, 100)
    assert _replay(market, twin, done) == told(market.events[before:])
    assert twin.state_hash() == market.engine.state_hash()
    assert (twin.book_seq, twin.hybrid_seq, twin.trade_seq) == (
        market.engine.book_seq,
        market.engine.hybrid_seq,
        market.engine.trade_seq,
    )


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_market_order_history_adds_up(seed: int):
    """A closed order's fills sum to what it says was filled, paid and charged."""
    market = Market()
    run_randomly(Random(seed), market, 200)
    for event in market.events:
        if isinstance(event, OrderClosed):
            order = event.order
            assert sum(fill.size_lots for fill in order.fills) == order.filled_lots
            quote = sum(3 * fill.price_ticks * fill.size_lots for fill in order.fills)
            assert quote == order.filled_quote_raw
            assert sum(fill.fee_raw for fill in order.fills) == order.fee_raw
            assert order.size_lots == order.filled_lots + order.remaining_lots
            assert (order.status is OrderStatus.FILLED) == (order.remaining_lots == 0)
            assert (order.reason is Reason.NONE) == (order.status is OrderStatus.FILLED)
        if isinstance(event, CommandRejected):
            assert Reason.NONE < event.reason < Reason.CLOSE_REASONS


@given(seeds, st.integers(min_value=0))
@settings(max_examples=30, deadline=None)
def test_snapshot_cut_or_changed_is_never_taken_for_another(seed: int, where: int):
    """A snapshot that lost its tail is refused as damaged."""
    market = Market()
    run_randomly(Random(seed % 5), market, 20)
    data = market.engine.snapshot()
    with pytest.raises(SnapshotError):
        PairEngine.restore(make_spec(), Mode.PAPER, data[: where % len(data)])


def test_snapshot_of_another_market_is_refused():
    """A paper snapshot does not become a live market."""
    data = Market().engine.snapshot()
    with pytest.raises(SnapshotError, match="expected vaix in mode live"):
        PairEngine.restore(make_spec(), Mode.LIVE, data)


def test_snapshot_of_a_newer_version_is_refused_by_name():
    """A version that this code does not know is named in the message."""
    fields = msgspec.msgpack.decode(Market().engine.snapshot())
    fields[0] = 99
    with pytest.raises(SnapshotError, match="version 99"):
        PairEngine.restore(make_spec(), Mode.PAPER, msgspec.msgpack.encode(fields))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_market_long_random_flow_keeps_every_invariant():
    """The long form: as many commands as TANDEM_MODEL_STEPS says, 100,000 by default."""
    seed = Random().randrange(2**32)
    print(f"seed {seed}")
    run_randomly(Random(seed), Market(), LONG_STEPS)
