"""How an account shard comes back: newest snapshot that verifies, then the journal behind it.

Pure but for the reader it is given, so the follower that makes snapshots uses the same replay as
the shard that starts: every snapshot is a verified replay.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from actors.engine import ledger_snapshot
from actors.engine.invariants import InvariantError
from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import AnyLedgerCommand, BalanceChanged
from actors.engine.ledger_snapshot import SnapshotError
from actors.errors import CorruptRecordError, ReplayMismatchError
from actors.journal.account_record import AccountRecord
from actors.listing import shard_stream
from actors.ports import JournalReader


class Rebuilt(NamedTuple):
    """A ledger as it is after journal record ``number`` (0: before the first)."""

    ledger: Ledger
    number: int

    def snapshot(self) -> bytes:
        """Encode it for the snapshot store."""
        return ledger_snapshot.snapshot(self.ledger, self.number)


class ShardName(NamedTuple):
    """Which shard it is, of how many: owners are placed by hash, so both are fixed."""

    shard: int
    shards: int

    @property
    def stream(self) -> str:
        """The name of the shard's journal stream, and of the shard itself."""
        return shard_stream(self.shard)


def rebuild(
    name: ShardName, reader: JournalReader, snapshot: bytes | None, until: int | None = None
) -> Rebuilt:
    """Replay the journal behind a snapshot (or from the beginning), verifying each record.

    Args:
        name: the shard.
        reader: its stream.
        snapshot: what `Rebuilt.snapshot` made, or None to start empty.
        until: the last record to apply; None applies all there are.

    Raises:
        SnapshotError: the snapshot is damaged or of another shard or version.
        ReplayMismatchError: a record's events differ from those made now.
        CorruptRecordError, TrimmedError: the journal cannot be read.
        InvariantError: the snapshot contradicts itself.
    """
    start = Rebuilt(Ledger(name.shard, name.shards), 0)
    if snapshot is not None:
        start = Rebuilt(*ledger_snapshot.restore(snapshot, name.shard, name.shards))
    return _catch_up(name, reader, start, until)


def recover(name: ShardName, reader: JournalReader, snapshots: Iterable[bytes]) -> Rebuilt:
    """Rebuild from the newest snapshot that verifies, and check the whole ledger.

    Args:
        name: the shard.
        reader: its stream.
        snapshots: newest first; those that do not verify are passed over.

    Raises:
        ReplayMismatchError, CorruptRecordError, TrimmedError: as `rebuild`.
        InvariantError: the ledger that came out contradicts itself.
    """
    start = Rebuilt(Ledger(name.shard, name.shards), 0)
    for snapshot in snapshots:
        try:
            start = Rebuilt(*ledger_snapshot.restore(snapshot, name.shard, name.shards))
        except (SnapshotError, InvariantError):
            continue
        break
    rebuilt = _catch_up(name, reader, start, None)
    rebuilt.ledger.validate()
    return rebuilt


def _catch_up(name: ShardName, reader: JournalReader, start: Rebuilt, until: int | None) -> Rebuilt:
    ledger, number = start
    records: msgspec.msgpack.Decoder[AccountRecord] = msgspec.msgpack.Decoder(AccountRecord)
    commands: msgspec.msgpack.Decoder[AnyLedgerCommand] = msgspec.msgpack.Decoder(AnyLedgerCommand)
    for record_number, body in reader.read(number, until):
        try:
            record = records.decode(body)
            batch = [commands.decode(raw) for raw in record.commands]
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptRecordError(name.stream, record_number, f"{error}") from error
        _replay(ledger, batch, record.events, name.stream, record_number)
        number = record_number
    return Rebuilt(ledger, number)


def _replay(
    ledger: Ledger,
    batch: list[AnyLedgerCommand],
    recorded: list[BalanceChanged],
    stream: str,
    number: int,
) -> None:
    made: list[BalanceChanged] = []
    for command in batch:
        try:
            applied = ledger.apply(command)
        except InvariantError as error:
            raise ReplayMismatchError(stream, number, f"{error}") from error
        if not applied.changed:
            detail = f"{type(command).__name__} changed nothing, answered {applied.reply!r}"
            raise ReplayMismatchError(stream, number, detail)
        made.extend(applied.events)
    if made != recorded:
        raise ReplayMismatchError(stream, number, _difference(recorded, made))


def _difference(recorded: list[BalanceChanged], made: list[BalanceChanged]) -> str:
    for before, now in zip(recorded, made, strict=False):
        if before != now:
            return f"recorded {before!r}, made {now!r}"
    return f"recorded {len(recorded)} balance changes, made {len(made)}"
