"""Where a key stands in a TOML text, so that an error can name its line.

The standard library's parser forgets positions; this reads only headers and keys, of a text that
the real parser has already accepted.
"""

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\"'.]+?)\s*=")


def line_of(text: str, path: Sequence[str | int]) -> int:
    """Find the line of a key or table, or of the nearest table around it.

    Args:
        text: the TOML file.
        path: keys from the root; an integer is the position in an array of tables.

    Returns:
        The line's number, from 1; 1 when nothing of the path is in the text.
    """
    wanted = tuple(path)
    best_line, best_length = 1, 0
    for number, found in _positions(text):
        shared = _shared_length(found, wanted)
        if shared == len(found) and shared > best_length:
            best_line, best_length = number, shared
    return best_line


def _positions(text: str) -> list[tuple[int, tuple[str | int, ...]]]:
    positions: list[tuple[int, tuple[str | int, ...]]] = []
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            names = _names(header.group(2))
            table = names
            if header.group(1) == "[[":
                counts[names] = counts.get(names, -1) + 1
                table = (*names, counts[names])
            positions.append((number, table))
        elif key := _KEY.match(line):
            positions.append((number, (*table, *_names(key.group(1)))))
    return positions


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _shared_length(found: tuple[str | int, ...], wanted: tuple[str | int, ...]) -> int:
    length = 0
    for left, right in zip(found, wanted, strict=False):
        if left != right:
            break
        length += 1
    return length
