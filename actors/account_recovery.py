"""How an account shard's ledger comes out of its journal: `journal.recovery` for accounts.

The shard that starts, the follower that makes its snapshots and whoever replays it offline use this
one replay, so every snapshot is a verified one.
"""

from typing import NamedTuple

import msgspec

from actors.engine import ledger_image, ledger_snapshot
from actors.engine.invariants import InvariantError
from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import AnyLedgerCommand, BalanceChanged
from actors.errors import CorruptRecordError, ReplayMismatchError
from actors.journal.account_record import AccountRecord
from actors.journal.snapshots import Snapshot
from actors.listing import shard_stream


class ShardName(NamedTuple):
    """Which shard it is, of how many: owners are placed by hash, so both are fixed."""

    shard: int
    shards: int

    @property
    def stream(self) -> str:
        """The name of the shard's journal stream, and of the shard itself."""
        return shard_stream(self.shard)


class LedgerReplay:
    """Makes a shard's ledger from a snapshot and records: a `journal.recovery.Snapshotting`.

    Args:
        name: the shard.
    """

    def __init__(self, name: ShardName) -> None:
        self.name = name
        self._records = msgspec.msgpack.Decoder(AccountRecord)
        self._commands = msgspec.msgpack.Decoder[AnyLedgerCommand](AnyLedgerCommand)

    def empty(self) -> Ledger:
        """Make the ledger before the first record."""
        return Ledger(self.name.shard, self.name.shards)

    def restore(self, snapshot: Snapshot) -> Ledger:
        """Make the ledger of a snapshot, and check the whole of it.

        Raises:
            ValueError: it is damaged, contradicts itself, or is of another shard or version.
        """
        try:
            ledger, number = ledger_snapshot.restore(
                snapshot.blob, self.name.shard, self.name.shards
            )
        except InvariantError as error:
            raise ValueError(f"snapshot at {snapshot.number}: {error}") from error
        if number != snapshot.number:
            raise ValueError(f"snapshot stored at {snapshot.number} was made at {number}")
        return ledger

    def apply(self, state: Ledger, number: int, body: bytes) -> None:
        """Apply one record, and compare the balances it changes with those recorded.

        Raises:
            CorruptRecordError: the body cannot be read.
            ReplayMismatchError: the ledger does something else than the record says.
        """
        try:
            record = self._records.decode(body)
            batch = [self._commands.decode(raw) for raw in record.commands]
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptRecordError(self.name.stream, number, f"{error}") from error
        made: list[BalanceChanged] = []
        for command in batch:
            try:
                applied = state.apply(command)
            except InvariantError as error:
                raise ReplayMismatchError(self.name.stream, number, f"{error}") from error
            if not applied.changed:
                detail = f"{type(command).__name__} changed nothing, answered {applied.reply!r}"
                raise ReplayMismatchError(self.name.stream, number, detail)
            made.extend(applied.events)
        if made != record.events:
            detail = _difference(record.events, made)
            raise ReplayMismatchError(self.name.stream, number, detail)

    def snapshot(self, state: Ledger, number: int) -> tuple[int, str, bytes]:
        """Write the ledger down as it is after record ``number``: (version, state hash, blob).

        Raises:
            InvariantError: the ledger contradicts itself; nothing is written down.
        """
        state.validate()
        return (
            ledger_snapshot.VERSION,
            ledger_image.state_hash(state),
            ledger_snapshot.snapshot(state, number),
        )


def _difference(recorded: list[BalanceChanged], made: list[BalanceChanged]) -> str:
    for before, now in zip(recorded, made, strict=False):
        if before != now:
            return f"recorded {before!r}, made {now!r}"
    return f"recorded {len(recorded)} balance changes, made {len(made)}"
