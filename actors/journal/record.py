"""The frame around every journal record, and the chain that ties each to its predecessor.

A frame, all integers big-endian::

    magic "TJ" | version u8 | length of the stream's name u8 | number u64 | epoch u64
    | seal of the predecessor, 16 bytes | length of the body u32 | name | body | seal, 16 bytes

The seal is BLAKE2b-128 over everything before it: checksum of this record and, repeated in the next
one, the link of the chain. So a flipped bit, a cut, a swap or a missing record is found wherever it
is. The first record of a stream follows `GENESIS`. Pure: bytes in, bytes out; where frames are kept
is not known here, and what a body means neither (`market_record`).
"""

from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple

from actors.errors import CorruptRecordError, TrimmedError

MAGIC: Final = b"TJ"
VERSION: Final = 1
SEAL_BYTES: Final = 16
GENESIS: Final = bytes(SEAL_BYTES)
"""What the first record of a stream names as its predecessor's seal."""
BODY_BYTES_MAX: Final = 64 * 1024 * 1024
"""A batch is 1,000 commands or 90 KB; a body far beyond that is a damaged length, or a bug."""

_HEADER: Final = Struct(f">2sBBQQ{SEAL_BYTES}sI")


class Head(NamedTuple):
    """Where a stream stands: the number of its last record (0: none yet) and that one's seal."""

    number: int
    seal: bytes


EMPTY: Final = Head(0, GENESIS)
"""The head of a stream without records."""


class Record(NamedTuple):
    """One verified record."""

    stream: str
    number: int
    epoch: int
    previous: bytes
    """The predecessor's seal."""
    body: bytes
    seal: bytes

    @property
    def head(self) -> Head:
        """Where the stream stands with this record as its last."""
        return Head(self.number, self.seal)


def frame(stream: str, previous: Head, epoch: int, body: bytes) -> bytes:
    """Frame the body that follows ``previous``; the last `SEAL_BYTES` of the answer are its seal.

    Raises:
        ValueError: the stream's name is empty or over 255 bytes, or the body over 64 MiB.
    """
    name = stream.encode()
    if not 0 < len(name) < 256:
        raise ValueError(f"a stream's name must have 1 to 255 bytes, {stream!r} has {len(name)}")
    if len(body) > BODY_BYTES_MAX:
        raise ValueError(f"a record's body is at most {BODY_BYTES_MAX} bytes, was {len(body)}")
    header = _HEADER.pack(
        MAGIC, VERSION, len(name), previous.number + 1, epoch, previous.seal, len(body)
    )
    content = b"".join((header, name, body))
    return content + blake2b(content, digest_size=SEAL_BYTES).digest()


def parse(stream: str, number: int, data: bytes) -> Record:
    """Read one frame that is stored as record ``number`` of ``stream``, and verify its own seal.

    Whether it follows its predecessor is `Chain`'s to say.

    Raises:
        CorruptRecordError: the bytes are not the frame that was written there.
    """
    if len(data) < _HEADER.size + SEAL_BYTES:
        raise CorruptRecordError(stream, number, f"only {len(data)} bytes long")
    seal = data[-SEAL_BYTES:]
    if blake2b(memoryview(data)[:-SEAL_BYTES], digest_size=SEAL_BYTES).digest() != seal:
        raise CorruptRecordError(stream, number, "its seal does not fit its content")
    magic, version, name_length, own, epoch, previous, length = _HEADER.unpack_from(data)
    start = _HEADER.size + name_length
    if magic != MAGIC or start + length + SEAL_BYTES != len(data):
        raise CorruptRecordError(stream, number, "it is not a record of a journal")
    if version != VERSION:
        raise CorruptRecordError(
            stream, number, f"format version {version}, this program reads {VERSION}"
        )
    name = data[_HEADER.size : start]
    if own != number or name != stream.encode():
        place = f"record {own} of {name.decode(errors='replace')!r}"
        raise CorruptRecordError(stream, number, f"it is {place}, misplaced")
    return Record(stream, own, epoch, previous, data[start:-SEAL_BYTES], seal)


class Chain:
    """Verifies the records of one stream one after the other.

    Starts behind record ``number`` with that ``seal``; with ``None`` for a seal the link of the
    very first record it is given cannot be checked, and is trusted.
    """

    __slots__ = ("_epoch", "_number", "_seal", "stream")

    def __init__(self, stream: str, number: int, seal: bytes | None) -> None:
        self.stream = stream
        self._number = number
        self._seal = seal
        self._epoch = 0

    @property
    def number(self) -> int:
        """The number of the last record accepted."""
        return self._number

    @property
    def seal(self) -> bytes | None:
        """The seal of the last record accepted; ``None`` before the first of an unknown start."""
        return self._seal

    def accept(self, number: int, data: bytes) -> Record:
        """Verify that ``data``, stored as ``number``, is the next record.

        Raises:
            CorruptRecordError: it is damaged, or records are missing, swapped or foreign.
        """
        expected = self._number + 1
        if number != expected:
            raise CorruptRecordError(self.stream, expected, f"missing, record {number} came next")
        record = parse(self.stream, number, data)
        if self._seal is not None and record.previous != self._seal:
            raise CorruptRecordError(self.stream, number, "it does not follow its predecessor")
        if record.epoch < self._epoch:
            raise CorruptRecordError(
                self.stream, number, f"epoch {record.epoch} after epoch {self._epoch}"
            )
        self._number, self._seal, self._epoch = number, record.seal, record.epoch
        return record


def frame_all(stream: str, head: Head, epoch: int, bodies: list[bytes]) -> tuple[list[bytes], Head]:
    """Frame several bodies in a row after ``head``; returns the frames and the new head."""
    frames = []
    for body in bodies:
        framed = frame(stream, head, epoch, body)
        frames.append(framed)
        head = Head(head.number + 1, framed[-SEAL_BYTES:])
    return frames, head


def begin(
    stream: str, after: int, seal: bytes | None, entries: list[tuple[int, bytes]]
) -> tuple[Chain, list[tuple[int, bytes]]]:
    """Start to verify the records behind ``after``.

    Args:
        stream: the stream's name.
        after: the record number behind which reading begins.
        seal: that record's seal, where the caller knows it from elsewhere.
        entries: what the store holds from record ``after`` itself on, (number, frame).

    Returns:
        The chain, standing at ``after``, and the entries behind it.

    Raises:
        CorruptRecordError: record ``after`` is damaged, or another one than the caller knows.
        TrimmedError: the store begins later than ``after`` needs.
    """
    if entries and after > 0 and entries[0][0] == after:
        known = parse(stream, *entries[0])
        if seal is not None and known.seal != seal:
            raise CorruptRecordError(stream, after, "it is not the record the reader stood at")
        return Chain(stream, after, known.seal), entries[1:]
    if entries and entries[0][0] > after + 1:
        raise TrimmedError(stream, after, entries[0][0])
    return Chain(stream, after, GENESIS if after == 0 else seal), entries
