"""Transfers between owners and shards, and paper grants."""

import pytest

from actors.engine import ledger_transfers
from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import (
    BalanceChanged,
    Delivered,
    Done,
    GrantPaper,
    Receive,
    Recovering,
    Refused,
    Transfer,
)
from actors.engine.units import Mode, Reason, Side, UserId
from tests.ledgers import ALICE, BOB, CAROL, GRANT, done, funds, hold, house, ledger, post

PAPER = Mode.PAPER


def transfer(
    amount_raw: int = 100,
    receiver: UserId = BOB,
    command_id: str = "t1",
    sender: UserId = ALICE,
) -> Transfer:
    """Let Alice send USDC."""
    return Transfer(command_id, sender, receiver, "USDC", PAPER, amount_raw)


def receive(number: int, amount_raw: int = 100) -> Receive:
    """Let shard 1 send Alice USDC."""
    return Receive(f"t{number}", 1, CAROL, ALICE, "USDC", PAPER, amount_raw, number)


def test_transfer_on_one_shard_moves_funds_at_once():
    """Sender and receiver are both told."""
    made = ledger(ALICE, BOB, shards=2)
    applied = done(made, transfer())
    assert applied.reply == Done()
    assert applied.events == [
        BalanceChanged(ALICE, "USDC", PAPER, 999_900, 0),
        BalanceChanged(BOB, "USDC", PAPER, 1_000_100, 0),
    ]


def test_transfer_same_id_again_is_done_once():
    """A repetition is answered as the first time and moves nothing."""
    made = ledger(ALICE, shards=2)
    done(made, transfer())
    assert done(made, transfer()) == (Done(), [], False)
    assert funds(made, BOB, "USDC") == (100, 0)


def test_transfer_same_id_for_something_else_is_refused():
    """An id stands for one intent."""
    made = ledger(ALICE, shards=2)
    done(made, transfer())
    reply = done(made, transfer(amount_raw=101)).reply
    assert isinstance(reply, Refused)
    assert reply.reason is Reason.IDEMPOTENCY_MISMATCH


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (transfer(0), Reason.INVALID_QUANTITY),
        (transfer(-5), Reason.INVALID_QUANTITY),
        (transfer(2**63), Reason.INVALID_QUANTITY),
        (transfer(1_000_001), Reason.INSUFFICIENT_FUNDS),
        (transfer(receiver=ALICE), Reason.INVALID_COMBINATION),
        (transfer(sender=CAROL), Reason.INVALID_COMBINATION),
        (Transfer("t1", ALICE, BOB, "USDC", Mode.LIVE, 1), Reason.INSUFFICIENT_FUNDS),
        (Transfer("t1", ALICE, BOB, "DOGE", PAPER, 1), Reason.INSUFFICIENT_FUNDS),
    ],
)
def test_transfer_that_cannot_be_is_refused_and_its_id_forgotten(command: Transfer, reason: Reason):
    """A refusal changes nothing, so the id may be used once more."""
    made = ledger(ALICE, shards=2)
    applied = done(made, command)
    assert isinstance(applied.reply, Refused)
    assert (applied.reply.reason, applied.changed) == (reason, False)
    assert done(made, transfer()).reply == Done()


def test_transfer_takes_only_what_is_available():
    """Held funds stay where an order needs them."""
    made = ledger(ALICE, BOB, shards=2)
    post(made, holds=[hold(ALICE, Side.BUY, 999_950)])
    assert isinstance(done(made, transfer()).reply, Refused)
    assert done(made, transfer(50)).reply == Done()


def test_transfer_to_other_shard_waits_in_the_outbox():
    """The amount leaves the sender for the outbox account, with a numbered second half."""
    made = ledger(ALICE, shards=2)
    done(made, transfer(receiver=CAROL))
    done(made, transfer(7, receiver=CAROL, command_id="t2"))
    assert funds(made, ALICE, "USDC") == (999_893, 0)
    assert house(made, "outbox:1", "USDC") == 107
    assert made.transfers.waiting(1, 10) == [
        Receive("t1", 0, ALICE, CAROL, "USDC", PAPER, 100, 1),
        Receive("t2", 0, ALICE, CAROL, "USDC", PAPER, 7, 2),
    ]


def test_delivered_forgets_up_to_its_number():
    """What was answered is not sent again; what was not stays, and numbers go on."""
    made = ledger(ALICE, shards=2)
    for n in range(3):
        done(made, transfer(receiver=CAROL, command_id=f"t{n}"))
    assert done(made, Delivered(1, 2)).changed
    assert [r.number for r in made.transfers.waiting(1, 10)] == [3]
    assert not done(made, Delivered(1, 2)).changed
    assert not done(made, Delivered(7, 1)).changed
    done(made, Delivered(1, 3))
    done(made, transfer(receiver=CAROL, command_id="t9"))
    assert [r.number for r in made.transfers.waiting(1, 10)] == [4]


def test_transfer_to_shard_with_full_outbox_is_asked_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
):
    """A shard that is away for long does not let the outbox grow without bound."""
    monkeypatch.setattr(ledger_transfers, "OUTBOX_MAX", 1)
    made = ledger(ALICE, shards=2)
    done(made, transfer(receiver=CAROL))
    applied = done(made, transfer(receiver=CAROL, command_id="t2"))
    assert isinstance(applied.reply, Recovering)
    assert not applied.changed
    done(made, Delivered(1, 1))
    assert done(made, transfer(receiver=CAROL, command_id="t2")).reply == Done()


def test_receive_is_applied_once_per_number():
    """The same second half twice gives its amount once."""
    made = ledger(shards=2)
    assert done(made, receive(1)).events == [BalanceChanged(ALICE, "USDC", PAPER, 100, 0)]
    assert done(made, receive(1)) == (Done(), [], False)
    done(made, receive(2))
    assert done(made, receive(1)) == (Done(), [], False)
    assert funds(made, ALICE, "USDC") == (200, 0)
    assert house(made, "outbox:1", "USDC") == -200


@pytest.mark.parametrize(
    "command",
    [
        receive(2),
        receive(0),
        receive(1, 0),
        receive(1, -1),
        Receive("t", 0, BOB, ALICE, "USDC", PAPER, 1, 1),
        Receive("t", 2, BOB, ALICE, "USDC", PAPER, 1, 1),
        Receive("t", 1, BOB, CAROL, "USDC", PAPER, 1, 1),
    ],
)
def test_receive_that_cannot_be_is_refused(command: Receive):
    """A skipped number, no amount, or the wrong shard changes nothing."""
    applied = done(ledger(shards=2), command)
    assert isinstance(applied.reply, Refused)
    assert not applied.changed


def test_grant_is_given_once_for_ever():
    """A second grant under another id gives nothing, even after the funds are gone."""
    made = ledger(ALICE, shards=2)
    done(made, transfer(1_000_000))
    assert done(made, GrantPaper("other", ALICE, GRANT)) == (Done(), [], False)
    assert funds(made, ALICE, "USDC") == (0, 0)
    assert house(made, "grant:paper", "USDC") == -1_000_000


def test_reset_brings_every_paper_asset_back_to_the_grant():
    """More goes back, less is filled up, and what the grant does not name is gone."""
    made = ledger(ALICE, BOB, shards=2)
    done(made, GrantPaper("extra", BOB, {"ETH": 5}, reset=True))
    done(made, Transfer("t1", BOB, ALICE, "ETH", PAPER, 5))
    done(made, transfer(300, receiver=BOB, command_id="t2"))
    done(made, GrantPaper("r1", ALICE, GRANT, reset=True))
    assert funds(made, ALICE, "USDC") == (1_000_000, 0)
    assert funds(made, ALICE, "ETH") == (0, 0)


def test_reset_same_id_again_changes_nothing():
    """A repeated reset does not take back what was earned since."""
    made = ledger(ALICE, BOB, shards=2)
    reset = GrantPaper("r1", ALICE, GRANT, reset=True)
    done(made, transfer())
    done(made, reset)
    done(made, transfer(sender=BOB, receiver=ALICE, command_id="t2"))
    assert done(made, reset) == (Done(), [], False)
    assert funds(made, ALICE, "USDC") == (1_000_100, 0)


def test_reset_while_paper_funds_are_held_is_refused():
    """Open paper orders have to go first."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.SELL, 1)])
    applied = done(made, GrantPaper("r1", ALICE, GRANT, reset=True))
    assert isinstance(applied.reply, Refused)
    assert applied.reply.reason is Reason.INVALID_COMBINATION
    assert not applied.changed


@pytest.mark.parametrize("amount", [-1, 2**63])
def test_grant_of_impossible_amount_is_refused(amount: int):
    """A grant is from nothing to what a signed 64-bit integer holds."""
    reply = Ledger().apply(GrantPaper("g", ALICE, {"USDC": amount})).reply
    assert isinstance(reply, Refused)
    assert reply.reason is Reason.INVALID_QUANTITY


def test_grant_on_the_wrong_shard_is_refused():
    """Owners have their funds where their id says."""
    assert isinstance(Ledger(0, 2).apply(GrantPaper("g", CAROL, GRANT)).reply, Refused)


def test_remembered_ids_are_bounded(monkeypatch: pytest.MonkeyPatch):
    """The oldest id is forgotten when the ring is full, and no other."""
    monkeypatch.setattr(ledger_transfers, "IDS_KEPT", 2)
    made = ledger(ALICE, shards=2)
    for n in range(3):
        done(made, transfer(1, command_id=f"t{n}"))
    assert list(made.transfers.ids) == ["t1", "t2"]


def test_reset_counts_as_the_first_grant():
    """Who began with a reset is not granted the same once more."""
    made = ledger(shards=2)
    done(made, GrantPaper("r1", ALICE, GRANT, reset=True))
    assert done(made, GrantPaper("g1", ALICE, GRANT)) == (Done(), [], False)
    assert funds(made, ALICE, "USDC") == (1_000_000, 0)
