"""The lane beside an actor's Ray handle: messages over a unix socket, as both of its ends know it.

A message is its length (four bytes, the highest first) and its bytes. Who serves says first who it
is, by a token that the actor tells over Ray; from then on each connection carries one call at a
time, a request and its answer, so nothing queues on it and no answer can meet another's call. An
answer begins with a byte that tells it from an error.

The ends are `lane_server` and `lane_ports`; what the bytes mean is nobody's matter here.
"""

import socket
from enum import IntEnum
from typing import Final, NamedTuple

import msgspec

from actors.errors import TandemError, UnavailableError, UnknownOutcomeError

HEADER_BYTES: Final = 4
MESSAGE_BYTES_MAX: Final = 32 * 1024 * 1024
"""A batch has at most 90 KB and a market's image a few MB: what is larger is no message of ours."""
TOKEN_BYTES: Final = 16
_RECEIVE_BYTES: Final = 256 * 1024
"""What the kernel holds for a unix socket, about: a usual message comes in one piece."""


class LanePlan(NamedTuple):
    """How an actor's lane is made.

    Attributes:
        method: the shell's method that is served: bytes to bytes.
        directory: where the socket should lie, on hosts that have it as a private directory.
    """

    method: str
    directory: str


class LaneAddress(NamedTuple):
    """Where one incarnation of an actor serves."""

    path: str
    token: bytes
    """Says which incarnation: a successor has the same path and another token."""


class LaneProtocolError(Exception):
    """The other end sent what is no message; the connection is of no more use."""


class _Kind(IntEnum):
    ANSWER = 0
    UNAVAILABLE = 1
    UNKNOWN = 2


def framed(message: bytes) -> bytes:
    """Put a message's length before it.

    Raises:
        LaneProtocolError: it is larger than `MESSAGE_BYTES_MAX`; nothing may be sent.
    """
    size = len(message)
    if size > MESSAGE_BYTES_MAX:
        raise LaneProtocolError(
            f"a message had {size} bytes, expected at most {MESSAGE_BYTES_MAX}; split it"
        )
    return size.to_bytes(HEADER_BYTES, "big") + message


def message_size(header: bytes | bytearray) -> int:
    """Read how many bytes follow a header.

    Raises:
        LaneProtocolError: more than a message may have.
    """
    size = int.from_bytes(header[:HEADER_BYTES], "big")
    if size > MESSAGE_BYTES_MAX:
        raise LaneProtocolError(
            f"a message of {size} bytes was announced, expected at most {MESSAGE_BYTES_MAX}"
        )
    return size


def receive(connection: socket.socket) -> bytes | None:
    """Wait for one whole message; None when the other end has closed between two messages.

    Raises:
        LaneProtocolError: what came is no message, or more than one.
        OSError: the connection broke, or its timeout passed.
    """
    data: bytes | bytearray = connection.recv(_RECEIVE_BYTES)
    if not data:
        return None
    while (expected := _whole(data)) is None or len(data) < expected:
        if isinstance(data, bytes):
            data = bytearray(data)
        piece = connection.recv(_RECEIVE_BYTES)
        if not piece:
            raise ConnectionResetError("the connection ended within a message")
        data += piece
    if len(data) > expected:
        raise LaneProtocolError("more came than one message, expected one call at a time")
    return bytes(data[HEADER_BYTES:])


def _whole(data: bytes | bytearray) -> int | None:
    """Say how many bytes the whole message has with its header; None before that has come."""
    return HEADER_BYTES + message_size(data) if len(data) >= HEADER_BYTES else None


def pack_answer(answer: bytes) -> bytes:
    """Mark an answer as one."""
    return bytes((_Kind.ANSWER,)) + answer


def pack_error(name: str, error: Exception) -> bytes:
    """Encode what a call ended with instead of an answer; what is not known is unknown."""
    kind = _Kind.UNAVAILABLE if isinstance(error, UnavailableError) else _Kind.UNKNOWN
    if isinstance(error, (UnavailableError, UnknownOutcomeError)):
        told = (error.name, error.detail)
    else:
        told = (name, f"{type(error).__name__}: {error}")
    return bytes((kind,)) + msgspec.msgpack.encode(told)


def unpack_answer(name: str, message: bytes) -> bytes:
    """Give the answer that a message holds.

    Raises:
        UnavailableError: the actor said that it did nothing.
        UnknownOutcomeError: the actor said so, or the message cannot be read.
    """
    if message[:1] == b"\0":
        return message[1:]
    raise _error(name, message)


def _error(name: str, message: bytes) -> TandemError:
    try:
        kind = _Kind(message[0])
        who, detail = msgspec.msgpack.decode(message[1:], type=tuple[str, str])
    except (IndexError, ValueError) as error:  # msgspec's errors are ValueErrors
        return UnknownOutcomeError(name, f"its answer cannot be read: {error}")
    if kind is _Kind.UNAVAILABLE:
        return UnavailableError(who, detail)
    return UnknownOutcomeError(who, detail)
