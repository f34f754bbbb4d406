"""The body of an account shard's journal record: a batch's commands with the balances they changed.

Recovery reads it, and whoever shows balances as they change (private channels, auditors); those
need only ``events``. The frame around it, with number, epoch and chain, is `record.Record`.
"""

import msgspec

from actors.engine.ledger_commands import BalanceChanged


class AccountRecord(msgspec.Struct, frozen=True, array_like=True):
    """One durable step of a shard.

    ``commands`` are the `LedgerCommand` bytes as they came, only those that changed the ledger, in
    the order they were applied. ``events`` are theirs, in that order.
    """

    time_ns: int
    commands: list[msgspec.Raw]
    events: list[BalanceChanged]
