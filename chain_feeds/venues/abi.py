"""Contract calls and answers as words of 32 bytes (Solidity ABI, static types only)."""

from typing import Final

from eth_utils.crypto import keccak

from chain_feeds.errors import DecodeError

WORD: Final = 32


def topic(event: str) -> str:
    """Return the topic of an event, keccak-256 of its signature: ``Sync(uint112,uint112)``."""
    return "0x" + keccak(text=event).hex()


def selector(function: str) -> str:
    """Return the first four bytes of keccak-256 of a function's signature, with ``0x``."""
    return "0x" + keccak(text=function)[:4].hex()


def call_data(chosen: str, *arguments: int) -> str:
    """Append whole numbers (addresses too) to a selector, each as a word in two's complement."""
    return chosen + "".join(
        (argument % 2**256).to_bytes(WORD, "big").hex() for argument in arguments
    )


def words(data: bytes, least: int, what: str) -> list[int]:
    """Split an answer or a log's data into unsigned words.

    Raises:
        DecodeError: it is no whole number of words, or fewer than ``least``.
    """
    if len(data) % WORD or len(data) < least * WORD:
        raise DecodeError(f"{what} has {len(data)} bytes, expected {least * WORD}")
    return [int.from_bytes(data[at : at + WORD], "big") for at in range(0, len(data), WORD)]


def signed(word: int) -> int:
    """Read a word as a signed number of 256 bits (shorter ones are extended by the contract)."""
    return word - 2**256 if word >> 255 else word


def within(value: int, most: int, what: str) -> int:
    """Return an unsigned value that its type can hold.

    Raises:
        DecodeError: it cannot.
    """
    if not 0 <= value <= most:
        raise DecodeError(f"{what} is above what the contract can hold")
    return value


def topic_number(text: str) -> int:
    """Read an indexed whole number from a log's topic.

    Raises:
        DecodeError: it is no word in hexadecimal.
    """
    try:
        return signed(int(text, 16))
    except ValueError:
        raise DecodeError("a log's topic is not hexadecimal") from None


def expect(topics: list[str], wanted: str, indexed: int, what: str) -> None:
    """Check that a log is the event it was taken for.

    Raises:
        DecodeError: it is another event, or has another number of indexed values.
    """
    if len(topics) != indexed + 1 or topics[0].lower() != wanted:
        raise DecodeError(f"a log is not the event {what}")
