"""Two rounds at once: the shards hold for the next one while the pair matches and writes."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from actors.engine.commands import PlaceOrder
from actors.engine.market_api import OrderReply
from actors.engine.units import OrderStatus, OrderType, Side, UserId
from actors.errors import UnknownOutcomeError
from actors.journal.memory import Failure
from tests.running import wait_until
from tests.unit.actors.pairs import Bench, batch, replies

ALICE, BOB = UserId("usr_alice"), UserId("usr_bob")
UNIT = 1_000_000


def place(command_id: str, user: UserId, side: Side) -> PlaceOrder:
    """Make a limit order of 10 lots at 1,000 ticks."""
    return PlaceOrder(command_id, user, side, OrderType.LIMIT, 10, 1_000)


class Rush:
    """Batches that reach a pair while its first round waits for the shards."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.log: list[str] = []
        self.answers: dict[int, bytes | UnknownOutcomeError] = {}
        self._threads: list[threading.Thread] = []
        for user in (ALICE, BOB):
            self.bench.grant(user, USDC=1_000 * UNIT, VAIX=1_000 * UNIT)
        self.runtime = self.bench.boot()
        self._watch()

    def run(self, *batches: bytes) -> None:
        """Send the first batch, queue the others behind it, and wait for all answers."""
        shards = self.bench.shards
        for shard in shards:
            shard.gate.clear()
            shard.waiting.clear()
        self._send(0, batches[0])
        wait_until(lambda: any(one.waiting.is_set() for one in shards), 20, "the first round")
        for number, asked in enumerate(batches[1:], 1):
            self._send(number, asked)
        behind = len(batches) - 1
        wait_until(lambda: self.runtime.status().waiting == behind, 20, "queueing")
        for shard in shards:
            shard.gate.set()
        for thread in self._threads:
            thread.join(20)
        self.runtime.stop()

    def _send(self, number: int, asked: bytes) -> None:
        self._threads.append(threading.Thread(target=self._submit, args=(number, asked)))
        self._threads[-1].start()

    def _submit(self, number: int, asked: bytes) -> None:
        try:
            self.answers[number] = self.runtime.submit(asked)
        except UnknownOutcomeError as error:
            self.answers[number] = error

    def _watch(self) -> None:
        journal = self.bench.journal
        journal.append_many = self._told("append", journal.append_many)  # type: ignore[method-assign]
        for shard in self.bench.shards:
            shard.start = self._told("post", shard.start)  # type: ignore[method-assign]

    def _told(self, name: str, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def told(argument: Any) -> Any:
            result = call(argument)
            self.log.append(name)
            return result

        return told


def test_next_round_is_held_before_this_one_is_written() -> None:
    """What waits is asked for at the shards first, then the round before it is applied."""
    rush = Rush()
    rush.run(
        batch(place("c1", ALICE, Side.BUY)),
        batch(place("c2", BOB, Side.SELL)),
    )
    assert rush.log[:4] == ["post", "post", "append", "append"]
    first, second = (replies(rush.answers[n])[0] for n in (0, 1))  # type: ignore[arg-type]
    assert isinstance(first, OrderReply)
    assert isinstance(second, OrderReply)
    assert (first.order.status, second.order.status) == (OrderStatus.OPEN, OrderStatus.FILLED)
    assert rush.bench.balances(ALICE)["VAIX"] == (1_000 * UNIT + 10 * UNIT, 0)
    rush.bench.validate()


def test_command_in_two_rounds_at_once_is_applied_once() -> None:
    """The second hold of a repeated command, made before the first was applied, is freed."""
    rush = Rush()
    rush.run(
        batch(place("c1", ALICE, Side.BUY)),
        batch(place("c1", ALICE, Side.BUY)),
    )
    first, second = (replies(rush.answers[n])[0] for n in (0, 1))  # type: ignore[arg-type]
    assert isinstance(first, OrderReply)
    assert isinstance(second, OrderReply)
    assert first.order.order_no == second.order.order_no
    assert rush.bench.balances(ALICE)["USDC"] == (1_000 * UNIT - 10_000, 10_000)
    rush.bench.boot().stop()  # the replay frees what was freed
    assert rush.bench.deaths == []
    assert rush.bench.balances(ALICE)["USDC"] == (1_000 * UNIT - 10_000, 10_000)
    rush.bench.validate()


@pytest.mark.parametrize("failure", list(Failure))
def test_append_failed_answers_neither_round(failure: Failure) -> None:
    """Both callers are told that the outcome is unknown; what was held for nothing is freed."""
    rush = Rush()
    rush.bench.journal.fail_next(failure)
    rush.run(
        batch(place("c1", ALICE, Side.BUY)),
        batch(place("c2", ALICE, Side.BUY)),
    )
    assert all(isinstance(rush.answers[n], UnknownOutcomeError) for n in (0, 1))
    rush.bench.boot().stop()
    written = failure is Failure.UNKNOWN
    assert rush.bench.balances(ALICE)["USDC"][1] == (10_000 if written else 0)
    rush.bench.validate()
