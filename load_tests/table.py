"""What a benchmark found, as one table."""

from typing import NamedTuple


class Row(NamedTuple):
    """One figure: what was measured, the value, and what it stands beside."""

    what: str
    value: str
    beside: str = ""


def show(title: str, rows: list[Row]) -> str:
    """Lay rows out in three columns under a title."""
    first = max(len(row.what) for row in rows)
    second = max(len(row.value) for row in rows)
    lines = [title, "-" * len(title)]
    lines += [f"{row.what:<{first}}  {row.value:>{second}}  {row.beside}".rstrip() for row in rows]
    return "\n".join(lines)


def quantile(sorted_values: list[float], share: float) -> float:
    """Return the value below which ``share`` of a sorted, non-empty list lies."""
    return sorted_values[min(int(len(sorted_values) * share), len(sorted_values) - 1)]
