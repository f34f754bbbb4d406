"""The journal on Redis or Valkey: fenced appends by script, verified reads in pages.

A stream is a Redis stream whose entry ids are ``<record number>-0`` with one field ``r``, the frame
(`record.frame`). Beside it live the fence (``:epoch``) and where the stream stands (``:head``,
number and seal of the last record); all three share a hash tag, so one script sees them together.

An append names the epoch it was acquired under and the head it continues. The script refuses both
an older epoch and another head, so two incarnations can never interleave, and a record can never be
written twice. Nothing here retries an append: after a lost connection its outcome is unknown, and
the writer stays unusable. It ends with a bell for whoever follows the stream, a message on the
channel of the stream's name; where the server forbids that, the append stands all the same, and
followers look by themselves. Following a stream is `tail`'s, trimming it `snapshots`'.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from actors.errors import (
    CorruptRecordError,
    FencedError,
    JournalError,
    JournalUnavailableError,
)
from actors.journal.record import EMPTY, SEAL_BYTES, Head, begin, frame_all, parse

FIELD: Final = b"r"
PAGE_BYTES: Final = 4 * 1024 * 1024
"""What one page of a read aims at: large enough that round trips do not count."""
PAGE_RECORDS_FIRST: Final = 32
PAGE_RECORDS_MAX: Final = 5_000
APPEND_TIMEOUT_S: Final = 10.0
"""A healthy fsync takes milliseconds; a disk that needs longer than this is treated as lost."""

_APPENDED: Final = 0
_FENCED: Final = 1

_APPEND: Final = """
local epoch = tonumber(redis.call('GET', KEYS[2]) or '0')
if epoch ~= tonumber(ARGV[1]) then return {1, epoch} end
local head = redis.call('GET', KEYS[3]) or ''
if head ~= ARGV[2] then return {2, head} end
local number = tonumber(ARGV[3])
for i = 5, #ARGV do
  number = number + 1
  redis.call('XADD', KEYS[1], string.format('%.0f-0', number), 'r', ARGV[i])
end
redis.call('SET', KEYS[3], ARGV[4])
redis.pcall('PUBLISH', KEYS[1], '')
return {0, number}
"""


def key(stream: str, part: str) -> str:
    """Name the key that holds ``part`` of a stream: journal, epoch, head or snapshot."""
    return f"tandem:{{s:{stream}}}:{part}"


def connect(url: str, timeout_s: float = APPEND_TIMEOUT_S) -> "redis.Redis":
    """Make a client that never repeats a command by itself.

    A repeated append could write twice or, worse, be acknowledged by the wrong incarnation; so the
    client's own retries are off, and whoever calls decides.
    """
    return redis.Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        decode_responses=False,
        protocol=2,
    )


def pack_head(head: Head) -> bytes:
    """Encode a head as its key holds it; nothing at all for an empty stream."""
    return b"" if head.number == 0 else b"%d:%b" % (head.number, head.seal)


def unpack_head(stream: str, packed: bytes | None) -> Head:
    """Decode what `pack_head` made.

    Raises:
        CorruptRecordError: the head key holds something else.
    """
    if not packed:
        return EMPTY
    number, _, seal = packed.partition(b":")
    if not number.isdigit() or len(seal) != SEAL_BYTES:
        raise CorruptRecordError(stream, 0, "the stream's head key does not hold number and seal")
    return Head(int(number), seal)


class RedisWriter:
    """Appends to one stream under one epoch; made by `RedisJournal.acquire`, used by one thread."""

    def __init__(self, journal: "RedisJournal", stream: str, epoch: int, head: Head) -> None:
        self.stream = stream
        self.epoch = epoch
        self.head = head
        self.failure: JournalError | None = None
        self._journal = journal

    def append(self, bodies: list[bytes]) -> int:
        """Frame, chain and append records in one round trip; see `ports.JournalWriter`."""
        return self._journal.append_many([(self, bodies)])[0]

    def script_arguments(self, bodies: list[bytes]) -> tuple[list[str | bytes | int], Head]:
        """Name keys and values for one run of the append script, and the head it leads to."""
        if self.failure is not None:
            raise self.failure
        frames, head = frame_all(self.stream, self.head, self.epoch, bodies)
        keys = [key(self.stream, part) for part in ("journal", "epoch", "head")]
        return [
            *keys,
            self.epoch,
            pack_head(self.head),
            self.head.number,
            pack_head(head),
            *frames,
        ], head

    def settle(self, answer: object, head: Head) -> None:
        """Take the script's answer: stand at ``head``, or remember why not for ever."""
        if isinstance(answer, list) and answer and answer[0] == _APPENDED:
            self.head = head
        elif isinstance(answer, list) and len(answer) == 2 and answer[0] == _FENCED:
            self.failure = FencedError(self.stream, self.epoch, answer[1])
        elif isinstance(answer, list):
            detail = f"its head is not record {self.head.number}, somebody else wrote to it"
            self.failure = JournalUnavailableError(self.stream, detail)
        else:
            self.failure = JournalUnavailableError(self.stream, str(answer))


class RedisJournal:
    """All streams of one Redis, for one thread of writers; readers may be made anywhere."""

    def __init__(self, url: str, timeout_s: float = APPEND_TIMEOUT_S) -> None:
        self._client = connect(url, timeout_s)
        self._sha = ""

    def close(self) -> None:
        """Give the connections back; writers and readers made from here end with it."""
        self._client.close()

    def acquire(self, stream: str) -> RedisWriter:
        """Become the stream's writer: raise its epoch, which fences every older writer.

        Raises:
            JournalUnavailableError: Redis did not answer; acquiring again is safe.
            CorruptRecordError: the stream's last record and its head do not agree.
        """
        try:
            self._sha = str(self._client.script_load(_APPEND))
            pipeline = self._client.pipeline(transaction=True)
            pipeline.incr(key(stream, "epoch"))
            pipeline.get(key(stream, "head"))
            pipeline.xrevrange(key(stream, "journal"), count=1)
            epoch, packed, last = pipeline.execute()
        except RedisError as error:
            raise JournalUnavailableError(stream, describe(error)) from error
        head = unpack_head(stream, packed)
        _check_last(stream, head, last)
        return RedisWriter(self, stream, int(epoch), head)

    def append_many(self, work: Sequence[tuple[RedisWriter, list[bytes]]]) -> list[int]:
        """Append to several streams in one round trip, so that one fsync serves them all.

        Each stream's records are written wholly or not at all; streams are independent of another.
        Writers without bodies are passed over.

        Returns:
            Per writer, in order, the number of its last record.

        Raises:
            FencedError: a newer incarnation owns one of the streams; end the process.
            JournalUnavailableError: an outcome is unknown; end the process, recover from disk.
        """
        busy = [(writer, *writer.script_arguments(bodies)) for writer, bodies in work if bodies]
        if busy:
            answers = self._run(busy)
            for (writer, _, head), answer in zip(busy, answers, strict=True):
                writer.settle(answer, head)
            for writer, _, _ in busy:
                if writer.failure is not None:
                    raise writer.failure
        return [writer.head.number for writer, _ in work]

    def reader(self, stream: str) -> "RedisReader":
        """Make a reader of one stream, over the same connections."""
        return RedisReader(self._client, stream)

    def _run(self, busy: Sequence[tuple[RedisWriter, list[Any], Head]]) -> list[object]:
        try:
            answers = self._send("EVALSHA", self._sha, busy)
            missing = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if missing:  # the server was restarted: it says so instead of running anything
                again = self._send("EVAL", _APPEND, [busy[n] for n in missing])
                for n, answer in zip(missing, again, strict=True):
                    answers[n] = answer
        except RedisError as error:
            failed: list[object] = [describe(error)] * len(busy)
            return failed
        return answers

    def _send(
        self, command: str, script: str, busy: Sequence[tuple[RedisWriter, list[Any], Head]]
    ) -> list[object]:
        pipeline = self._client.pipeline(transaction=False)
        for _, arguments, _ in busy:
            pipeline.execute_command(  # type: ignore[no-untyped-call]
                command, script, 3, *arguments
            )
        answers: list[object] = pipeline.execute(raise_on_error=False)
        return answers


class RedisReader:
    """Reads one stream from anywhere; every record that leaves here is verified."""

    def __init__(self, client: "redis.Redis", stream: str) -> None:
        self.stream = stream
        self._client = client
        self._key = key(stream, "journal")

    def head(self) -> Head:
        """Say where the stream stands.

        Raises:
            JournalUnavailableError: Redis did not answer.
        """
        try:
            packed = cast("bytes | None", self._client.get(key(self.stream, "head")))
            return unpack_head(self.stream, packed)
        except RedisError as error:
            self._unavailable(error)

    def read(
        self, after: int, until: int | None = None, *, seal: bytes | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """Yield (number, body) in order, verified.

        Args:
            after: the record number behind which to begin; 0 for everything.
            until: the last number wanted; without it, as far as the stream stands now.
            seal: the seal of record ``after``, where the caller knows it (from a snapshot): the
                first record must then continue exactly that one.

        Raises:
            CorruptRecordError: a record is torn, changed or missing; names its number.
            TrimmedError: ``after`` lies before what the stream still holds.
            JournalUnavailableError: Redis did not answer.
        """
        entries, head = self._page(max(1, after), PAGE_RECORDS_FIRST)
        chain, entries = begin(self.stream, after, seal, entries)
        while True:
            size = 1
            for number, data in entries:
                if until is not None and number > until:
                    return
                record = chain.accept(number, data)
                size += len(data)
                yield number, record.body
            if chain.number >= (head.number if until is None else min(until, head.number)):
                return
            count = PAGE_BYTES * max(1, len(entries)) // size
            entries, head = self._page(chain.number + 1, max(1, min(PAGE_RECORDS_MAX, count)))
            if not entries:
                raise CorruptRecordError(self.stream, chain.number + 1, "missing")

    def _page(self, start: int, count: int) -> tuple[list[tuple[int, bytes]], Head]:
        """Read entries from ``start`` on, and the head as it was at that same moment."""
        try:
            pipeline = self._client.pipeline(transaction=True)
            pipeline.xrange(self._key, min=f"{start}-0", count=count)
            pipeline.get(key(self.stream, "head"))
            entries, packed = pipeline.execute()
        except RedisError as error:
            self._unavailable(error)
        return unpack_entries(self.stream, entries), unpack_head(self.stream, packed)

    def _unavailable(self, error: RedisError) -> NoReturn:
        raise JournalUnavailableError(self.stream, describe(error)) from error


def unpack_entries(
    stream: str, entries: list[tuple[bytes, dict[bytes, bytes]]]
) -> list[tuple[int, bytes]]:
    """Turn stream entries into (number, frame).

    Raises:
        CorruptRecordError: an entry was not written by a journal.
    """
    found = []
    for identity, fields in entries:
        number, _, rest = identity.partition(b"-")
        if rest != b"0" or FIELD not in fields:
            raise CorruptRecordError(stream, int(number), "the entry is no record of a journal")
        found.append((int(number), fields[FIELD]))
    return found


def describe(error: Exception) -> str:
    """Say in one line what Redis or the connection said."""
    return f"{type(error).__name__}: {error}"


def _check_last(stream: str, head: Head, last: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
    entries = unpack_entries(stream, last)
    number, data = entries[0] if entries else (0, b"")
    if number != head.number:
        raise CorruptRecordError(
            stream, max(number, head.number), f"the head says {head.number}, the stream {number}"
        )
    if entries and parse(stream, number, data).seal != head.seal:
        raise CorruptRecordError(stream, number, "its seal is not the one the head names")
