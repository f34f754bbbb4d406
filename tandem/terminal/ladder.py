"""A book as a ladder, still or live.

`View` is a moment of a book and `ladder` draws it; both are pure. `follow` keeps a view current
from the stream, which reconnects and verifies by itself, and shows it until Ctrl-C.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from event_trader.streams import BookStream
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tandem.terminal.tables import heading

Level = tuple[str, str]

BAR_CELLS: Final = 20
QUIET_S: Final = 15.0
"""The exchange gives a sign of life every 5 s; a book this old may be cut off."""
FRAMES_PER_S: Final = 8


class View(NamedTuple):
    """A moment of a book: levels as (price, size), best first."""

    title: str
    mode: str
    bids: Sequence[Level]
    asks: Sequence[Level]
    note: str = ""


def ladder(view: View, depth: int) -> Table:
    """Draw a book: asks above bids, the best prices in the middle, sizes as bars."""
    table = Table(title=heading(view.title, view.mode), title_justify="left", title_style="",
                  caption=view.note or None, caption_justify="left", box=SIMPLE_HEAD)  # fmt: skip
    for name in ("price", "size", "sum"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=BAR_CELLS)
    bids, asks = view.bids[:depth], view.asks[:depth]
    largest = max((Decimal(size) for _, size in (*bids, *asks)), default=Decimal(0))
    for row in reversed(list(_rows(asks, "red", largest))):
        table.add_row(*row)
    table.add_row(_middle(view), end_section=False)
    for row in _rows(bids, "green", largest):
        table.add_row(*row)
    return table


def _rows(levels: Iterable[Level], style: str, largest: Decimal) -> Iterable[list[Text]]:
    total = Decimal(0)
    for price, size in levels:
        total += Decimal(size)
        cells = max(1, int(Decimal(size) * BAR_CELLS / largest)) if largest else 0
        yield [Text(price, style), Text(size), Text(f"{total:f}", "dim"), Text("█" * cells, style)]


def _middle(view: View) -> Text:
    if not view.bids or not view.asks:
        side = "bids" if view.asks else "asks" if view.bids else "orders"
        return Text(f"no {side}", "dim")
    return Text(f"{Decimal(view.asks[0][0]) - Decimal(view.bids[0][0]):f} spread", "dim")


def still(symbol: str, book: dict[str, Any]) -> View:
    """Make a view of an answer of ``/book``."""
    kind = "with pools" if book["hybrid"] else "orders only"
    bids, asks = ([(price, size) for price, size in book[side]] for side in ("bids", "asks"))
    return View(f"{symbol.upper()} {kind}", book["mode"], bids, asks)


class Follower:
    """Keeps the view of a stream; what is drawn never waits for the stream, nor it for that.

    Args:
        title: what is watched.
        mode: whose book it is, ``paper`` or ``live``.
        clock: seconds, monotonic.
    """

    def __init__(self, title: str, mode: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._view = View(title, mode, (), (), "connecting …")
        self._changed_s = clock()
        self._connections = 0
        self._sequence = -1

    def take(self, stream: BookStream, event: dict[str, Any]) -> None:
        """Take the book as it is after an event."""
        self._view = self._view._replace(bids=stream.book.bids, asks=stream.book.asks)
        self._connections, self._sequence = stream.connections, event["sequence"]
        self._changed_s = self._clock()

    def view(self) -> View:
        """Give the view, with a note that says how current it is."""
        if self._sequence < 0:
            return self._view
        age_s = self._clock() - self._changed_s
        parts = [f"change {self._sequence}", f"{age_s:.0f} s ago"]
        if self._connections > 1:
            parts.append(f"connected again {self._connections - 1} times")
        if age_s > QUIET_S:
            parts.append("quiet, or cut off: it connects again by itself")
        return self._view._replace(note=" · ".join([*parts, "Ctrl-C ends"]))


async def follow(
    stream: BookStream, follower: Follower, console: Console, depth: int, *, as_json: bool
) -> None:
    """Show a book until Ctrl-C: a ladder in place, or a line of JSON per change."""
    if as_json or not console.is_terminal:
        async for event in stream:
            follower.take(stream, event)
            console.out(json.dumps(_line(follower.view(), event, depth)), highlight=False)
            console.file.flush()
        return
    with Live(
        console=console,
        screen=True,
        refresh_per_second=FRAMES_PER_S,
        get_renderable=lambda: ladder(follower.view(), depth),
    ):
        async for event in stream:
            follower.take(stream, event)


def _line(view: View, event: dict[str, Any], depth: int) -> dict[str, Any]:
    return {
        "sequence": event["sequence"],
        "timestamp": event["timestamp"],
        "bids": list(view.bids[:depth]),
        "asks": list(view.asks[:depth]),
    }
