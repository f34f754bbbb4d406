"""Snapshots of what a stream led to, beside the stream itself, and trimming behind them.

A snapshot is opaque bytes with the record number it stands at and that record's seal, so that the
tail it is continued with is provably the same history. The newest `KEPT` are kept: when the newest
does not verify, the one before it and a longer tail still do. A large one is written in small
pieces, because the server does nothing else while it writes and fsyncs one.

In Redis: a hash ``…:snapshot`` with a manifest per record number, and the field ``pending`` naming
one that is being written; the pieces are the fields of ``…:snapshot:<number>``.
"""

import zlib
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, NoReturn, Protocol, cast

import msgspec
import structlog
from redis.exceptions import RedisError

from actors.errors import JournalUnavailableError
from actors.journal.memory import MemoryJournal
from actors.journal.record import Head
from actors.journal.redis import connect, describe, key

KEPT: Final = 2
PIECE_BYTES: Final = 512 * 1024
"""Half a MiB is written and fsynced in a few milliseconds; appends wait no longer than that."""
LEVEL: Final = 1
"""zlib's quickest: a third of the size at 100 MB/s."""
TRIM_STEP: Final = 1_000
"""Records given up per command, again so that appends do not wait."""

_LOG = structlog.get_logger("tandem.journal")
_PENDING: Final = b"pending"


class Snapshot(msgspec.Struct, frozen=True):
    """A state of ``stream`` as it was after record ``number``."""

    stream: str
    number: int
    seal: bytes
    """The seal of record ``number``: what its successor must name."""
    version: int
    """The format of ``blob``, for whoever restores it."""
    state_hash: str
    blob: bytes

    @property
    def head(self) -> Head:
        """Where the stream stood."""
        return Head(self.number, self.seal)


class SnapshotStore(Protocol):
    """Where snapshots are kept, and streams trimmed."""

    def store(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; the oldest beyond `KEPT` goes."""
        ...

    def load(self, stream: str) -> Iterator[Snapshot]:
        """Yield the stream's snapshots that verify, newest first, each read when asked for."""
        ...

    def numbers(self, stream: str) -> list[int]:
        """Name the record numbers of the stream's snapshots, newest first."""
        ...

    def trim(self, stream: str, before: int) -> None:
        """Give up the stream's records below ``before``; its last record always stays."""
        ...


class _Manifest(msgspec.Struct, frozen=True, array_like=True):
    number: int
    seal: bytes
    version: int
    state_hash: str
    pieces: int
    digest: bytes
    """Of the compressed bytes."""


class RedisSnapshots:
    """Snapshots in Redis; for one thread."""

    def __init__(self, url: str) -> None:
        self._client = connect(url)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def store(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; the oldest beyond `KEPT` goes.

        A crash in between leaves the older ones as they are, and pieces the next call clears away.

        Raises:
            JournalUnavailableError: Redis did not answer; storing again is safe.
        """
        packed = zlib.compress(snapshot.blob, LEVEL)
        pieces = [packed[at : at + PIECE_BYTES] for at in range(0, len(packed), PIECE_BYTES)]
        manifest = _Manifest(
            snapshot.number,
            snapshot.seal,
            snapshot.version,
            snapshot.state_hash,
            len(pieces),
            blake2b(packed, digest_size=16).digest(),
        )
        index = key(snapshot.stream, "snapshot")
        try:
            self._clear_pending(snapshot.stream)
            self._client.hset(index, _PENDING, str(snapshot.number))
            self._client.delete(_pieces_key(snapshot.stream, snapshot.number))
            for n, piece in enumerate(pieces):
                self._client.hset(_pieces_key(snapshot.stream, snapshot.number), str(n), piece)
            old = [n for n in self.numbers(snapshot.stream) if n != snapshot.number][KEPT - 1 :]
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.hset(index, str(snapshot.number), msgspec.msgpack.encode(manifest))
                pipeline.hdel(index, _PENDING, *map(str, old))
                for number in old:
                    pipeline.unlink(_pieces_key(snapshot.stream, number))
                pipeline.execute()
        except RedisError as error:
            _unavailable(snapshot.stream, error)

    def load(self, stream: str) -> Iterator[Snapshot]:
        """Yield the stream's snapshots that verify, newest first, each read when asked for.

        Raises:
            JournalUnavailableError: Redis did not answer.
        """
        for number in self.numbers(stream):
            try:
                snapshot = self._load(stream, number)
            except RedisError as error:
                _unavailable(stream, error)
            except (msgspec.MsgspecError, zlib.error, ValueError) as error:
                _LOG.warning(
                    "snapshot_damaged", stream=stream, number=number, detail=describe(error)
                )
            else:
                yield snapshot

    def numbers(self, stream: str) -> list[int]:
        """Name the record numbers of the stream's snapshots, newest first."""
        try:
            fields = cast("list[bytes]", self._client.hkeys(key(stream, "snapshot")))
        except RedisError as error:
            _unavailable(stream, error)
        return sorted((int(field) for field in fields if field != _PENDING), reverse=True)

    def trim(self, stream: str, before: int) -> None:
        """Give up the stream's records below ``before``; its last record always stays.

        Raises:
            JournalUnavailableError: Redis did not answer; trimming again is safe.
        """
        name = key(stream, "journal")
        try:
            last = cast("list[tuple[bytes, object]]", self._client.xrevrange(name, count=1))
            first = cast("list[tuple[bytes, object]]", self._client.xrange(name, count=1))
            if not last:
                return
            end = min(before, _number(last[0][0]))
            for step in [*range(_number(first[0][0]) + TRIM_STEP, end, TRIM_STEP), end]:
                self._client.xtrim(name, minid=f"{step}-0", approximate=False)
        except RedisError as error:
            _unavailable(stream, error)

    def _clear_pending(self, stream: str) -> None:
        index = key(stream, "snapshot")
        pending = cast("bytes | None", self._client.hget(index, _PENDING.decode()))
        if pending is not None and int(pending) not in self.numbers(stream):
            self._client.unlink(_pieces_key(stream, int(pending)))

    def _load(self, stream: str, number: int) -> Snapshot:
        raw = cast("bytes | None", self._client.hget(key(stream, "snapshot"), str(number)))
        manifest = msgspec.msgpack.decode(raw or b"", type=_Manifest)
        name = _pieces_key(stream, number)
        pieces = [self._client.hget(name, str(n)) for n in range(manifest.pieces)]
        packed = b"".join(cast("bytes", piece) for piece in pieces if piece is not None)
        if blake2b(packed, digest_size=16).digest() != manifest.digest or manifest.number != number:
            raise ValueError("the pieces are not those the manifest describes")
        return Snapshot(
            stream,
            number,
            manifest.seal,
            manifest.version,
            manifest.state_hash,
            zlib.decompress(packed),
        )


class MemorySnapshots:
    """The memory twin, beside a `memory.MemoryJournal`."""

    def __init__(self, journal: MemoryJournal) -> None:
        self.kept: dict[str, dict[int, Snapshot]] = {}
        self._journal = journal

    def store(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; the oldest beyond `KEPT` goes."""
        kept = self.kept.setdefault(snapshot.stream, {})
        kept[snapshot.number] = snapshot
        for number in sorted((n for n in kept if n != snapshot.number), reverse=True)[KEPT - 1 :]:
            del kept[number]

    def load(self, stream: str) -> Iterator[Snapshot]:
        """Yield the stream's snapshots, newest first."""
        kept = self.kept.get(stream, {})
        yield from (kept[number] for number in sorted(kept, reverse=True))

    def numbers(self, stream: str) -> list[int]:
        """Name the record numbers of the stream's snapshots, newest first."""
        return sorted(self.kept.get(stream, {}), reverse=True)

    def trim(self, stream: str, before: int) -> None:
        """Give up the stream's records below ``before``; its last record always stays."""
        self._journal.stream(stream).trim(before)


def _pieces_key(stream: str, number: int) -> str:
    return key(stream, f"snapshot:{number}")


def _number(identity: bytes) -> int:
    return int(identity.split(b"-")[0])


def _unavailable(stream: str, error: RedisError) -> NoReturn:
    raise JournalUnavailableError(stream, describe(error)) from error
