"""When a settlement reaches its shard: with the next hold, soon by itself, or at the end."""

import pytest

from actors import market_writer, pair_runtime
from actors.engine.commands import PlaceOrder
from actors.engine.market_api import OrderReply
from actors.engine.units import OrderStatus, OrderType, Side, UserId
from actors.pair_runtime import PairRuntime
from tests.running import wait_until
from tests.unit.actors.pairs import Bench, batch, replies

ALICE, BOB = UserId("usr_alice"), UserId("usr_bob")
UNIT = 1_000_000
BEFORE, AFTER = (1_000 * UNIT, 0), (1_010 * UNIT, 0)
"""What Alice has of the base asset, available and held."""


@pytest.fixture
def bench() -> Bench:
    """Give an exchange of one pair with two funded users."""
    made = Bench()
    for user in (ALICE, BOB):
        made.grant(user, USDC=1_000 * UNIT, VAIX=1_000 * UNIT)
    return made


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let settlements wait for a hold longer than any test does."""
    for module in (market_writer, pair_runtime):
        monkeypatch.setattr(module, "SETTLE_AFTER_S", 600.0)


def place(command_id: str, user: UserId, side: Side, ticks: int = 1_000) -> PlaceOrder:
    """Make a limit order of 10 lots."""
    return PlaceOrder(command_id, user, side, OrderType.LIMIT, 10, ticks)


def trade(runtime: PairRuntime) -> None:
    """Let Alice buy 10 lots of Bob."""
    runtime.submit(batch(place("c1", ALICE, Side.BUY)))
    [reply] = replies(runtime.submit(batch(place("c2", BOB, Side.SELL))))
    assert isinstance(reply, OrderReply)
    assert reply.order.status is OrderStatus.FILLED


@pytest.mark.usefixtures("_patient")
def test_settlement_rides_with_the_next_hold(bench: Bench) -> None:
    """A trader's next order asks the shard once, and finds what the last one brought."""
    runtime = bench.boot()
    trade(runtime)
    assert bench.balances(ALICE)["VAIX"] == BEFORE
    runtime.submit(batch(place("c3", ALICE, Side.BUY, 900), place("c4", BOB, Side.SELL, 1_100)))
    assert bench.balances(ALICE)["VAIX"] == AFTER
    runtime.stop()
    bench.validate()


def test_settlement_leaves_alone_where_no_hold_comes(bench: Bench) -> None:
    """Nobody's money waits for somebody else's order."""
    runtime = bench.boot()
    trade(runtime)
    wait_until(lambda: bench.balances(ALICE)["VAIX"] == AFTER, 20, "the settlement")
    runtime.stop()
    bench.validate()


@pytest.mark.usefixtures("_patient")
def test_settlement_is_delivered_before_a_pair_stops(bench: Bench) -> None:
    """What is owed at the end is not left to the next start."""
    runtime = bench.boot()
    trade(runtime)
    assert bench.balances(ALICE)["VAIX"] == BEFORE
    runtime.stop()
    assert bench.balances(ALICE)["VAIX"] == AFTER
    bench.validate()
