"""Money that moves without a market: transfers between owners, across shards, and paper grants.

A transfer to another shard has two halves. The first takes the amount from the sender into this
shard's ``outbox:<shard>`` account and leaves a numbered `Receive` in the outbox, until that shard
has answered it. The second, there, takes it from *its* ``outbox:<this shard>`` account, once per
number. Numbers run 1, 2, 3 … per pair of shards, so "once" needs no memory of ids and never ends.

Ids of transfers and resets are remembered in a ring of the last `IDS_KEPT`, with a digest of what
they asked for. That is hours of the busiest traffic a shard could take, where a repetition comes
within the seconds that a caller waits; the ring is state, so a replay forgets at the same command.
A first grant is remembered per user, for ever.
"""

import hashlib
from collections import OrderedDict
from itertools import islice
from typing import Final

import msgspec

from actors.engine.ledger_accounts import AMOUNT_MAX_RAW, PAPER_GRANTS, Accounts
from actors.engine.ledger_commands import (
    AnyLedgerReply,
    Delivered,
    Done,
    GrantPaper,
    LedgerCommand,
    Receive,
    Recovering,
    Refused,
    Transfer,
    shard_of,
)
from actors.engine.units import Mode, Reason, UserId

IDS_KEPT: Final = 65_536
"""Ids of applied transfers and resets that are remembered; about 10 MB at 64 characters each."""

OUTBOX_MAX: Final = 10_000
"""Transfers to one shard that may wait for it; beyond that a sender is asked to come back."""

_DONE: Final = Done()


class Outbox:
    """What this shard has sent to one other: the last number, and what was not answered yet."""

    __slots__ = ("last_number", "pending")

    def __init__(self) -> None:
        self.last_number = 0
        self.pending: OrderedDict[int, Receive] = OrderedDict()


class Transfers:
    """The transfers, outboxes and grants of one shard.

    Args:
        accounts: the shard's accounts.
        shard: this shard's number.
        shards: how many there are.
    """

    def __init__(self, accounts: Accounts, shard: int, shards: int) -> None:
        self._accounts = accounts
        self.shard = shard
        self.shards = shards
        self.ids: OrderedDict[str, int] = OrderedDict()
        self.granted: set[UserId] = set()
        self.outboxes: dict[int, Outbox] = {}
        self.received: dict[int, int] = {}
        """Per sending shard, the last number applied here."""

    def transfer(self, command: Transfer) -> tuple[AnyLedgerReply, bool]:
        """Move funds to another owner; returns the reply and whether anything changed."""
        digest = _digest(command)
        repeated = self._repeated(command.command_id, digest)
        if repeated is not None:
            return repeated, False
        refused = self._refuse_transfer(command)
        if refused is not None:
            return refused, False
        accounts = self._accounts
        asset, mode, amount = command.asset, command.mode, command.amount_raw
        there = shard_of(command.receiver, self.shards)
        if there == self.shard:
            accounts.add(accounts.open(command.sender, asset, mode), -amount)
            accounts.add(accounts.open(command.receiver, asset, mode), amount)
        else:
            outbox = self.outboxes.setdefault(there, Outbox())
            if len(outbox.pending) >= OUTBOX_MAX:
                return Recovering(1_000), False
            accounts.add(accounts.open(command.sender, asset, mode), -amount)
            accounts.house(f"outbox:{there}", asset, mode).balance += amount
            outbox.last_number += 1
            outbox.pending[outbox.last_number] = Receive(
                command.command_id,
                self.shard,
                command.sender,
                command.receiver,
                asset,
                mode,
                amount,
                outbox.last_number,
            )
        self._remember(command.command_id, digest)
        return _DONE, True

    def is_leaving(self, command_id: str, there: int) -> bool:
        """Tell whether a transfer waits for the answer of the shard it goes to."""
        outbox = self.outboxes.get(there)
        return outbox is not None and any(
            receive.command_id == command_id for receive in outbox.pending.values()
        )

    def receive(self, command: Receive) -> tuple[AnyLedgerReply, bool]:
        """Apply the second half of a transfer, once per number of the sending shard."""
        sender, last = command.from_shard, self.received.get(command.from_shard, 0)
        if not 0 <= sender < self.shards or sender == self.shard:
            return _refuse(f"from_shard was {sender}, must be another of {self.shards}"), False
        if shard_of(command.receiver, self.shards) != self.shard:
            return _refuse(f"{command.receiver} does not live on shard {self.shard}"), False
        if 0 < command.number <= last:
            return _DONE, False
        if command.number != last + 1 or not 0 < command.amount_raw <= AMOUNT_MAX_RAW:
            return _refuse(
                f"shard {sender}: Receive number was {command.number} over {command.amount_raw}, "
                f"expected number {last + 1} and an amount above zero"
            ), False
        accounts = self._accounts
        asset, mode = command.asset, command.mode
        accounts.house(f"outbox:{sender}", asset, mode).balance -= command.amount_raw
        accounts.add(accounts.open(command.receiver, asset, mode), command.amount_raw)
        self.received[sender] = command.number
        return _DONE, True

    def delivered(self, command: Delivered) -> tuple[AnyLedgerReply, bool]:
        """Forget the transfers that the other shard has answered."""
        outbox = self.outboxes.get(command.to_shard)
        if outbox is None or next(iter(outbox.pending), command.number + 1) > command.number:
            return _DONE, False
        while outbox.pending and next(iter(outbox.pending)) <= command.number:
            outbox.pending.popitem(last=False)
        return _DONE, True

    def grant(self, command: GrantPaper) -> tuple[AnyLedgerReply, bool]:
        """Give an owner paper funds once, or bring them back to the grant."""
        if shard_of(command.user, self.shards) != self.shard:
            return _refuse(f"{command.user} does not live on shard {self.shard}"), False
        for asset, amount in command.amounts.items():
            if not 0 <= amount <= AMOUNT_MAX_RAW:
                return Refused(
                    Reason.INVALID_QUANTITY,
                    f"the grant of {asset} was {amount}, must be from 0 to {AMOUNT_MAX_RAW}",
                ), False
        if not command.reset:
            return self._grant_first(command)
        return self._reset(command)

    def waiting(self, there: int, most: int) -> list[Receive]:
        """List the oldest transfers to a shard that it has not answered yet, at most ``most``."""
        outbox = self.outboxes.get(there)
        return [] if outbox is None else list(islice(outbox.pending.values(), most))

    def _grant_first(self, command: GrantPaper) -> tuple[AnyLedgerReply, bool]:
        if command.user in self.granted:
            return _DONE, False
        accounts = self._accounts
        for asset in sorted(command.amounts):
            account = accounts.open(command.user, asset, Mode.PAPER)
            amount = min(command.amounts[asset], AMOUNT_MAX_RAW - account.available - account.held)
            accounts.house(PAPER_GRANTS, asset, Mode.PAPER).balance -= amount
            accounts.add(account, amount)
        self.granted.add(command.user)
        return _DONE, True

    def _reset(self, command: GrantPaper) -> tuple[AnyLedgerReply, bool]:
        digest = _digest(command)
        repeated = self._repeated(command.command_id, digest)
        if repeated is not None:
            return repeated, False
        accounts = self._accounts
        owned = [a for a in accounts.owned_by(command.user) if a.mode is Mode.PAPER]
        for account in owned:
            if account.held:
                return _refuse(
                    f"{account.held} raw units of {account.asset} are held by open paper orders; "
                    "cancel them first"
                ), False
        for asset in sorted({a.asset for a in owned} | command.amounts.keys()):
            account = accounts.open(command.user, asset, Mode.PAPER)
            change = command.amounts.get(asset, 0) - account.available
            accounts.house(PAPER_GRANTS, asset, Mode.PAPER).balance -= change
            accounts.add(account, change)
        self.granted.add(command.user)
        self._remember(command.command_id, digest)
        return _DONE, True

    def _refuse_transfer(self, command: Transfer) -> Refused | None:
        amount = command.amount_raw
        if not 0 < amount <= AMOUNT_MAX_RAW:
            message = f"the amount was {amount} raw units, must be from 1 to {AMOUNT_MAX_RAW}"
            return Refused(Reason.INVALID_QUANTITY, message)
        if command.sender == command.receiver:
            return _refuse(f"sender and receiver are both {command.sender}")
        if shard_of(command.sender, self.shards) != self.shard:
            return _refuse(f"{command.sender} does not live on shard {self.shard}")
        sender = self._accounts.find(command.sender, command.asset, command.mode)
        available = 0 if sender is None else sender.available
        if available < amount:
            return Refused(
                Reason.INSUFFICIENT_FUNDS,
                f"{available} raw units of {command.asset} are available, {amount} were asked for",
            )
        receiver = self._accounts.find(command.receiver, command.asset, command.mode)
        if receiver is not None and receiver.available + receiver.held + amount > AMOUNT_MAX_RAW:
            return Refused(Reason.INVALID_QUANTITY, "the receiver's balance would be too large")
        return None

    def _repeated(self, command_id: str, digest: int) -> AnyLedgerReply | None:
        known = self.ids.get(command_id)
        if known is None:
            return None
        if known == digest:
            return _DONE
        return Refused(
            Reason.IDEMPOTENCY_MISMATCH, f"command {command_id!r} was another one the first time"
        )

    def _remember(self, command_id: str, digest: int) -> None:
        self.ids[command_id] = digest
        if len(self.ids) > IDS_KEPT:
            self.ids.popitem(last=False)


def _refuse(message: str) -> Refused:
    return Refused(Reason.INVALID_COMBINATION, message)


def _digest(command: LedgerCommand) -> int:
    """Reduce what a command asks for to 63 bits, to tell a repetition from another command."""
    encoded = msgspec.msgpack.encode(command, order="deterministic")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest()) >> 1
