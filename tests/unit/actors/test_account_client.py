"""The gateway's way to the shards: routing, asking again, and what the caller is told."""

import msgspec
import pytest

from actors.account_client import Accounts, Patience
from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import (
    AnyLedgerCommand,
    BalanceQuery,
    LedgerQuery,
    LedgerRequest,
    Recovering,
    Transfer,
    TransferQuery,
)
from actors.engine.units import Mode, Reason
from actors.errors import (
    CommandRefusedError,
    ShardUnavailableError,
    TandemError,
    UnknownOutcomeError,
)
from tests.ledgers import ALICE, BOB, CAROL, GRANT, MARKET

Fault = TandemError | Recovering
LOST = UnknownOutcomeError("account.0", "killed")
AWAY = ShardUnavailableError("account.0", "restarting")


class LedgerPort:
    """A ledger behind a port; ``faults`` are what the next calls come to.

    A lost call is applied (the answer is what was lost), any other fault changes nothing.
    """

    def __init__(self, shard: int) -> None:
        self.ledger = Ledger(shard, 2)
        self.faults: list[Fault | None] = []
        self.asked: list[LedgerRequest] = []

    async def call(self, request: bytes) -> bytes:
        """Answer as a shard does."""
        message = msgspec.msgpack.decode(request, type=LedgerRequest)
        self.asked.append(message)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Recovering):
            return msgspec.msgpack.encode(fault)
        if isinstance(fault, TandemError) and fault is not LOST:
            raise fault
        reply: object
        if isinstance(message, LedgerQuery):
            reply = self.ledger.query(message)
        else:
            command: AnyLedgerCommand = message
            reply = self.ledger.apply(command).reply
        if fault is LOST:
            raise LOST
        return msgspec.msgpack.encode(reply)


class FakeTime:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds


@pytest.fixture
def ports() -> list[LedgerPort]:
    """Two shards."""
    return [LedgerPort(0), LedgerPort(1)]


@pytest.fixture
def accounts(ports: list[LedgerPort]) -> Accounts:
    """The client under test, over fake time."""
    clock = FakeTime()
    return Accounts(ports, Patience(10.0, 0.05, clock.sleep, lambda: clock.now))


async def test_commands_go_to_the_shard_of_their_owner(accounts: Accounts, ports: list[LedgerPort]):
    """Alice's funds are on shard 0, Carol's on shard 1."""
    await accounts.grant("g1", ALICE, GRANT)
    await accounts.grant("g2", CAROL, GRANT)
    assert [len(port.asked) for port in ports] == [1, 1]
    balances = await accounts.balances(CAROL, Mode.PAPER)
    assert [(b.asset, b.available_raw) for b in balances] == [("USDC", 10**6), ("VAIX", 500_000)]
    assert await accounts.balances(CAROL, Mode.LIVE) == []


@pytest.mark.parametrize("fault", [LOST, AWAY, Recovering(700)], ids=repr)
async def test_command_is_asked_again_and_applied_once(
    accounts: Accounts, ports: list[LedgerPort], fault: Fault
):
    """Whatever got lost, the same id moves the money once."""
    await accounts.grant("g1", ALICE, GRANT)
    ports[0].faults = [fault, fault]
    await accounts.transfer("t1", ALICE, BOB, "USDC", Mode.PAPER, 40)
    [balance] = await accounts.balances(BOB)
    assert balance.available_raw == 40


@pytest.mark.parametrize("faults", [[], [LOST], [AWAY] * 1_000], ids=["there", "lost", "away"])
async def test_transfer_to_another_shard_is_awaited_there(
    accounts: Accounts, ports: list[LedgerPort], faults: list[Fault]
):
    """Its arrival is asked for where it left; what takes too long is no error, for it has left."""
    await accounts.grant("g1", ALICE, GRANT)
    ports[0].asked.clear()
    ports[0].faults = [None, *faults]
    await accounts.transfer("t1", ALICE, CAROL, "USDC", Mode.PAPER, 40)
    ports[0].faults.clear()
    first, *further = ports[0].asked
    assert isinstance(first, Transfer)
    assert set(further) == {TransferQuery("t1", 1)}
    [balance, _] = await accounts.balances(ALICE)
    assert balance.available_raw == 10**6 - 40


async def test_refusal_is_raised_with_its_reason(accounts: Accounts):
    """A business refusal is told as what it is."""
    with pytest.raises(CommandRefusedError) as caught:
        await accounts.transfer("t1", ALICE, BOB, "USDC", Mode.PAPER, 40)
    assert caught.value.reason is Reason.INSUFFICIENT_FUNDS


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ([AWAY] * 1_000, ShardUnavailableError),
        ([Recovering(1_000)] * 1_000, ShardUnavailableError),
        ([LOST] + [AWAY] * 1_000, UnknownOutcomeError),
    ],
)
async def test_patience_ends_with_what_is_known(
    accounts: Accounts,
    ports: list[LedgerPort],
    faults: list[Fault],
    error: type[TandemError],
):
    """Only where no attempt can have been applied is it certain that nothing happened."""
    ports[0].faults = faults
    with pytest.raises(error):
        await accounts.grant("g1", ALICE, GRANT)


async def test_reads_wait_for_the_settlements_seen_and_no_longer_for_ever(
    accounts: Accounts, ports: list[LedgerPort]
):
    """A read names the newest head per market; a market that is down does not stop reads."""
    accounts.saw(MARKET, [7, 3])
    accounts.saw(MARKET, [5, 4])
    await accounts.balances(ALICE)
    await accounts.balances(CAROL)
    assert ports[0].asked == [BalanceQuery(ALICE, {MARKET: 7})]
    assert ports[1].asked == [BalanceQuery(CAROL, {MARKET: 4})]
    ports[0].faults = [Recovering(100)] * 30
    assert await accounts.balances(ALICE) == []
    assert ports[0].asked[-1] == BalanceQuery(ALICE, {})


async def test_audit_asks_every_shard(accounts: Accounts):
    """Sums and hashes come per shard, in order."""
    await accounts.grant("g1", CAROL, {"USDC": 5})
    audits = await accounts.audit()
    assert [audit.sums for audit in audits] == [[], [("USDC", 0, 0, 5, 0)]]
