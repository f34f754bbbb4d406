"""Two account shards whose calls are lost and doubled, and which crash: no unit comes or goes."""

import random
import threading

import pytest

from actors.account_recovery import ShardName
from actors.engine.ledger_commands import Audit, AuditQuery, Done, GrantPaper, Recovering, Transfer
from actors.engine.units import Mode, UserId
from actors.errors import TandemError, UnknownOutcomeError
from actors.journal.memory import Failure, MemoryJournal
from tests.ledgers import person
from tests.shards import Shard, wait_until

SHARDS = 2
PEOPLE = [person(f"p{n}-", shard) for shard in range(SHARDS) for n in range(3)]
GRANT_RAW = 10_000


class Exchange:
    """Two shards on one journal, and the lossy ways between them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.journal = MemoryJournal()
        self.lossy = True
        self.shards: list[Shard] = []
        self.lock = threading.Lock()
        for number in range(SHARDS):
            self.shards.append(self.begin(number))

    def begin(self, number: int) -> Shard:
        """Start (again) one shard."""
        there = 1 - number
        name = ShardName(number, SHARDS)
        return Shard(self.journal, name, {there: LossyPort(self, there)}).ready()

    def chance(self, share: float) -> bool:
        """Throw the dice; threads share them."""
        with self.lock:
            return self.lossy and self.random.random() < share

    def ask(self, number: int, command: GrantPaper | Transfer) -> object:
        """Send a command until it is answered, replacing a shard that died."""
        while True:
            shard = self.shards[number]
            try:
                reply = shard.ask(command)
            except TandemError:
                self.shards[number] = self.begin(number)
                continue
            if not isinstance(reply, Recovering):
                return reply

    def audits(self) -> list[Audit]:
        """Audit both shards."""
        audits = []
        for shard in self.shards:
            audit = shard.ask(AuditQuery())
            assert isinstance(audit, Audit)
            audits.append(audit)
        return audits

    def stop(self) -> None:
        """End all threads."""
        for shard in self.shards:
            shard.runtime.stop()


class LossyPort:
    """A way to a shard that loses requests, loses answers, and delivers twice."""

    def __init__(self, exchange: Exchange, there: int) -> None:
        self._exchange = exchange
        self._there = there

    def start(self, request: bytes) -> object:
        """Keep the request for `wait`."""
        return request

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Deliver, more or less."""
        return [self._deliver(ticket) for ticket in tickets if isinstance(ticket, bytes)]

    def _deliver(self, request: bytes) -> bytes:
        exchange = self._exchange
        if exchange.chance(0.2):
            raise UnknownOutcomeError(f"account.{self._there}", "the request was lost")
        runtime = exchange.shards[self._there].runtime
        answer = runtime.call(request)
        if exchange.chance(0.2):
            answer = runtime.call(request)
        if exchange.chance(0.2):
            raise UnknownOutcomeError(f"account.{self._there}", "the answer was lost")
        return answer


def shard_of_person(user: UserId) -> int:
    """Tell where one of the people lives."""
    return PEOPLE.index(user) // 3


@pytest.mark.parametrize("seed", range(6))
def test_transfers_between_lossy_crashing_shards_move_each_unit_once(seed: int):
    """After everything was delivered each person has exactly what the transfers say."""
    exchange = Exchange(seed)
    dice = random.Random(f"transfers {seed}")
    expected = dict.fromkeys(PEOPLE, GRANT_RAW)
    try:
        for user in PEOPLE:
            assert (
                exchange.ask(shard_of_person(user), GrantPaper("g", user, {"USDC": GRANT_RAW}))
                == Done()
            )
        for n in range(60):
            if dice.random() < 0.1:
                exchange.journal.fail_next(dice.choice(list(Failure)))
            sender, receiver = dice.sample(PEOPLE, 2)
            amount = dice.randint(1, 100)
            command = Transfer(f"t{n}", sender, receiver, "USDC", Mode.PAPER, amount)
            for _ in range(dice.choice((1, 1, 2))):
                assert exchange.ask(shard_of_person(sender), command) == Done()
            expected[sender] -= amount
            expected[receiver] += amount
        exchange.lossy = False
        settle(exchange)
        have = {u: exchange.shards[shard_of_person(u)].available(u) for u in PEOPLE}
        assert have == expected
        check_books(exchange)
    finally:
        exchange.stop()


def settle(exchange: Exchange) -> None:
    """Wait until nothing is on its way any more, replacing shards that still die."""

    def quiet() -> bool:
        for number in range(SHARDS):
            if exchange.shards[number].deaths:
                exchange.shards[number] = exchange.begin(number)
        return not any(shard.runtime.status().transfers_waiting for shard in exchange.shards)

    wait_until(quiet)


def check_books(exchange: Exchange) -> None:
    """Each shard sums to zero, and what one sent the other received."""
    audits = exchange.audits()
    for audit in audits:
        assert [total for _, _, total, _, _ in audit.sums] == [0]
    outboxes = [
        int(raw) for audit in audits for owner, _, _, raw in audit.house if "outbox" in owner
    ]
    assert sum(outboxes) == 0
    hashes = [audit.state_hash for audit in audits]
    exchange.stop()
    exchange.shards = [exchange.begin(number) for number in range(SHARDS)]
    assert [audit.state_hash for audit in exchange.audits()] == hashes
