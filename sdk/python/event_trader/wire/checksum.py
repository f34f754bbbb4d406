"""The book checksum: CRC-32 over the top ten levels, as Kraken's public feeds define it.

Shared by the gateway, which sends it, and by clients, which check their own book against it. It
reads the strings as they are shown, so both sides agree without knowing the pair's grid.
"""

import zlib
from collections.abc import Iterable, Sequence

CHECKSUM_LEVELS = 10
"""Levels a side that the checksum covers."""


def checksum_digits(number: str) -> str:
    """Strip a shown decimal to its digits: no point, no leading zeros (``"0.0030"`` → ``"30"``)."""
    return number.replace(".", "", 1).lstrip("0")


def book_checksum(bids: Iterable[Sequence[str]], asks: Iterable[Sequence[str]]) -> int:
    """Compute the checksum of a book's best levels.

    Args:
        bids: ``(price, size)`` strings as shown, best (highest) first; only ten are read.
        asks: the same, best (lowest) first.

    Returns:
        The unsigned 32-bit CRC of the asks ascending, then the bids descending, each level its
        price digits followed by its size digits.
    """
    parts: list[str] = []
    for side in (asks, bids):
        for count, level in enumerate(side):
            if count == CHECKSUM_LEVELS:
                break
            parts.append(checksum_digits(level[0]))
            parts.append(checksum_digits(level[1]))
    return zlib.crc32("".join(parts).encode())
