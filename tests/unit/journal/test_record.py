"""A frame says everything about its record, and nothing else passes for one."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import CorruptRecordError
from actors.journal.record import (
    BODY_BYTES_MAX,
    EMPTY,
    GENESIS,
    SEAL_BYTES,
    Chain,
    Head,
    frame,
    frame_all,
    parse,
)

STREAM = "vaix.paper"


@given(
    stream=st.text(min_size=1, max_size=40),
    number=st.integers(0, 2**63),
    epoch=st.integers(0, 2**63),
    seal=st.binary(min_size=SEAL_BYTES, max_size=SEAL_BYTES),
    body=st.binary(max_size=2_000),
)
def test_frame_of_anything_is_parsed_to_the_same(
    stream: str, number: int, epoch: int, seal: bytes, body: bytes
) -> None:
    """Every field comes back as it went in."""
    data = frame(stream, Head(number, seal), epoch, body)
    record = parse(stream, number + 1, data)
    assert record[:5] == (stream, number + 1, epoch, seal, body)
    assert record.head == Head(number + 1, data[-SEAL_BYTES:])


@given(data=st.data(), body=st.binary(max_size=200))
def test_frame_with_any_bit_flipped_is_refused(data: st.DataObject, body: bytes) -> None:
    """There is no bit of a frame that does not count."""
    framed = bytearray(frame(STREAM, EMPTY, 1, body))
    bit = data.draw(st.integers(0, len(framed) * 8 - 1))
    framed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CorruptRecordError):
        parse(STREAM, 1, bytes(framed))


@given(data=st.data(), body=st.binary(max_size=200))
def test_frame_cut_anywhere_is_refused(data: st.DataObject, body: bytes) -> None:
    """A shorter frame is no frame."""
    framed = frame(STREAM, EMPTY, 1, body)
    with pytest.raises(CorruptRecordError):
        parse(STREAM, 1, framed[: data.draw(st.integers(0, len(framed) - 1))])


@given(st.binary(max_size=300))
def test_parse_of_noise_is_refused(noise: bytes) -> None:
    """Whatever else is stored there is not a record."""
    with pytest.raises(CorruptRecordError):
        parse(STREAM, 1, noise)


def test_seals_of_equal_bodies_differ_by_place_and_epoch() -> None:
    """A record cannot stand for another one with the same body."""
    head = Head(7, bytes(range(16)))
    seals = {
        frame(STREAM, head, 1, b"same")[-SEAL_BYTES:],
        frame("vaix.live", head, 1, b"same")[-SEAL_BYTES:],
        frame(STREAM, Head(8, head.seal), 1, b"same")[-SEAL_BYTES:],
        frame(STREAM, Head(7, GENESIS), 1, b"same")[-SEAL_BYTES:],
        frame(STREAM, head, 2, b"same")[-SEAL_BYTES:],
    }
    assert len(seals) == 5


def test_frame_all_chains_each_to_the_one_before() -> None:
    """Several bodies in one call are the same records as one by one."""
    frames, head = frame_all(STREAM, EMPTY, 3, [b"a", b"b", b"c"])
    chain = Chain(STREAM, 0, GENESIS)
    assert [chain.accept(n, data).body for n, data in enumerate(frames, 1)] == [b"a", b"b", b"c"]
    assert head == Head(chain.number, chain.seal or b"")


def test_chain_with_the_epoch_going_back_is_refused() -> None:
    """A fenced incarnation's record behind a newer one's is no history."""
    first = frame(STREAM, EMPTY, 5, b"new")
    second = frame(STREAM, Head(1, first[-SEAL_BYTES:]), 4, b"old")
    chain = Chain(STREAM, 0, GENESIS)
    chain.accept(1, first)
    with pytest.raises(CorruptRecordError, match="epoch 4 after epoch 5"):
        chain.accept(2, second)


def test_parse_of_a_newer_format_names_both_versions() -> None:
    """An older program says that it is too old, not that the record is torn."""
    from hashlib import blake2b

    content = bytearray(frame(STREAM, EMPTY, 1, b"x")[:-SEAL_BYTES])
    content[2] = 9
    data = bytes(content) + blake2b(content, digest_size=SEAL_BYTES).digest()
    with pytest.raises(CorruptRecordError, match="format version 9, this program reads 1"):
        parse(STREAM, 1, data)


@pytest.mark.parametrize("stream", ["", "x" * 256])
def test_frame_for_an_impossible_name_is_a_bug(stream: str) -> None:
    """The length of a name has one byte."""
    with pytest.raises(ValueError, match="1 to 255 bytes"):
        frame(stream, EMPTY, 1, b"")


def test_frame_of_an_enormous_body_is_a_bug() -> None:
    """A batch is bounded long before this."""
    with pytest.raises(ValueError, match="at most"):
        frame(STREAM, EMPTY, 1, bytes(BODY_BYTES_MAX + 1))


def test_corruption_crosses_processes_whole() -> None:
    """The error pickles, as every operating error must."""
    error = CorruptRecordError(STREAM, 7, "torn")
    again = pickle.loads(pickle.dumps(error))
    assert (again.stream, again.number, str(again)) == (STREAM, 7, str(error))
