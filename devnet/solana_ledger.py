"""A Solana ledger in one process: a real SVM with the real SPL programs, and slots over it.

LiteSVM executes; here a slot is what changed between two ticks. Values of the last slots are kept,
so that an account can be read as it was at each commitment. One caller at a time.
"""

import json
import time
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from solders.account import Account
from solders.clock import Clock
from solders.litesvm import LiteSVM
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

Json = Any
"""A value of JSON, of any shape."""

CLOCK: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
TRANSACTION_BYTES_MAX: Final = 1232
_HASHES_KEPT: Final = 150
"""A transaction may name any of the last 150 slots' hashes, as on the real chain."""
_VERSIONS_KEPT: Final = 64
_LAGS: Final = {"processed": 0, "confirmed": 1, "finalized": 4}
"""How many slots behind the newest closed one each commitment is."""


class TransactionRefusedError(Exception):
    """A transaction was not taken: ``err`` as JSON has it, and the logs of its simulation."""

    def __init__(self, err: Json, logs: list[str], units: int) -> None:
        super().__init__(err)
        self.err = err
        self.logs = logs
        self.units = units


@dataclass(frozen=True)
class Processed:
    """A transaction of a slot."""

    signature: str
    slot: int
    time_s: int
    transaction: VersionedTransaction
    err: Json
    logs: list[str]
    fee: int
    units: int
    keys: tuple[Pubkey, ...]
    before: tuple[Account | None, ...]
    after: tuple[Account | None, ...]


@dataclass
class Slot:
    """What happened in a slot."""

    number: int
    changed: dict[Pubkey, Account | None] = field(default_factory=dict)
    transactions: list[Processed] = field(default_factory=list)


class Ledger:
    """Accounts, slots and transactions.

    Args:
        first_slot: the number of the first open slot.
    """

    def __init__(self, first_slot: int = 1_000) -> None:
        # The blockhash is checked here: LiteSVM knows only the newest one.
        self.svm = LiteSVM().with_blockhash_check(check=False).with_transaction_history(0)
        self.open = Slot(first_slot)
        self.closed: dict[int, Slot] = {}
        self.hashes: deque[str] = deque(maxlen=_HASHES_KEPT)
        self.transactions: dict[str, Processed] = {}
        self._versions: dict[Pubkey, list[tuple[int, Account | None]]] = {}
        self.genesis = str(self.svm.latest_blockhash())
        self._start_slot()

    # ---- slots

    def close_slot(self) -> Slot:
        """End the open slot, begin the next, and return the ended one."""
        ended = self.open
        self.closed[ended.number] = ended
        self.closed.pop(ended.number - _VERSIONS_KEPT, None)
        self.open = Slot(ended.number + 1)
        self.svm.expire_blockhash()
        self._start_slot()
        return ended

    def slot_at(self, commitment: str) -> int:
        """Return the newest slot of a commitment; it is closed.

        Raises:
            KeyError: no such commitment.
        """
        return self.open.number - 1 - _LAGS[commitment]

    @property
    def now_s(self) -> int:
        """The Unix time of the open slot."""
        return int(self.svm.get_clock().unix_timestamp)

    # ---- accounts

    def account_at(self, address: Pubkey, slot: int) -> Account | None:
        """Return an account as it was when a slot ended."""
        versions = self._versions.get(address)
        if versions is None:
            return self.svm.get_account(address)
        at = bisect_right(versions, slot, key=lambda version: version[0])
        return versions[max(0, at - 1)][1]

    def owned_by(self, program: Pubkey, slot: int) -> list[tuple[Pubkey, Account]]:
        """Return a program's accounts as they were when a slot ended."""
        found = []
        for address, _ in self.svm.get_program_accounts(program):
            account = self.account_at(address, slot)
            if account is not None and account.owner == program and account.lamports:
                found.append((address, account))
        return found

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Write an account past every program; it belongs to the open slot."""
        before = self.svm.get_account(address)
        self.svm.set_account(address, account)
        self._note(address, before)

    def airdrop(self, address: Pubkey, lamports: int) -> str:
        """Give lamports out of nowhere; returns the transaction's signature."""
        before = self.svm.get_account(address)
        result = self.svm.airdrop(address, lamports)
        if isinstance(result, FailedTransactionMetadata):
            raise ValueError(f"the faucet does not hold {lamports} lamports")  # noqa: TRY004
        self._note(address, before)
        return str(result.signature())

    # ---- transactions

    def simulate(self, transaction: VersionedTransaction) -> tuple[Json, list[str], int]:
        """Return (err, logs, units) of a transaction that is not carried out."""
        result = self.svm.simulate_transaction(transaction)
        if isinstance(result, FailedTransactionMetadata):
            told = json.loads(result.to_json())
            return told["err"], told["meta"]["logs"], told["meta"]["compute_units_consumed"]
        meta = result.meta()
        return None, list(meta.logs()), meta.compute_units_consumed()

    def is_fresh(self, blockhash: str) -> bool:
        """Tell whether a transaction may still name a slot's hash."""
        return blockhash in self.hashes

    def send(self, transaction: VersionedTransaction, *, preflight: bool = True) -> str:
        """Carry a transaction out in the open slot; returns its signature.

        Without preflight a stale transaction is dropped without a word, and a failing one is
        carried out and pays its fee, as on the real chain.

        Raises:
            TransactionRefusedError: preflight found why it would fail.
        """
        signature = str(transaction.signatures[0])
        problem: Json = None
        if signature in self.transactions:
            problem = "AlreadyProcessed"
        elif not self.is_fresh(str(transaction.message.recent_blockhash)):
            problem = "BlockhashNotFound"
        if problem is not None:
            if preflight:
                raise TransactionRefusedError(problem, [], 0)
            return signature
        if preflight:
            err, logs, units = self.simulate(transaction)
            if err is not None:
                raise TransactionRefusedError(err, logs, units)
        self._execute(signature, transaction)
        return signature

    def _execute(self, signature: str, transaction: VersionedTransaction) -> None:
        message = transaction.message
        keys = tuple(message.account_keys)
        before = tuple(self.svm.get_account(key) for key in keys)
        result = self.svm.send_transaction(transaction)
        failed = isinstance(result, FailedTransactionMetadata)
        meta = result.meta() if isinstance(result, FailedTransactionMetadata) else result
        # A node stores every account that a transaction may write; of a failed one the payer's.
        for index, key in enumerate(keys):
            if index == 0 or (not failed and _may_write(message, index)):
                self._note(key, before[index])
        done = Processed(
            signature=signature,
            slot=self.open.number,
            time_s=self.now_s,
            transaction=transaction,
            err=json.loads(result.to_json())["err"] if failed else None,
            logs=list(meta.logs()),
            fee=int(json.loads(meta.to_json())["fee"]),
            units=meta.compute_units_consumed(),
            keys=keys,
            before=before,
            after=tuple(self.svm.get_account(key) for key in keys),
        )
        self.open.transactions.append(done)
        self.transactions[signature] = done

    def _note(self, address: Pubkey, before: Account | None) -> None:
        """Remember that an account belongs to the open slot's changes."""
        now = self.svm.get_account(address)
        self.open.changed[address] = now
        versions = self._versions.setdefault(address, [(0, before)])
        if versions[-1][0] == self.open.number:
            versions.pop()
        versions.append((self.open.number, now))
        del versions[:-_VERSIONS_KEPT]

    def _start_slot(self) -> None:
        before = self.svm.get_account(CLOCK)
        now_s = max(int(time.time()), self.now_s)
        self.svm.set_clock(Clock(self.open.number, 0, 0, 0, now_s))
        self._note(CLOCK, before)
        self.hashes.append(str(self.svm.latest_blockhash()))


def _may_write(message: Message | MessageV0 | MessageV1, index: int) -> bool:
    """Tell whether a transaction may write the account at a place; its header says how many not."""
    if not isinstance(message, Message):
        return message.is_maybe_writable(index)
    header, keys = message.header, len(message.account_keys)
    if index < header.num_required_signatures:
        return index < header.num_required_signatures - header.num_readonly_signed_accounts
    return index < keys - header.num_readonly_unsigned_accounts
