"""The options that the people's commands share, and how their results are shown."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal, TypeVar

import typer
from rich.console import Console, RenderableType
from rich.measure import Measurement

from tandem.terminal.session import Place, run

T = TypeVar("T")
WIDTH_MAX: Final = 1_000

BaseUrl = Annotated[
    str,
    typer.Option(
        "--base-url",
        help="The exchange [ET_BASE_URL, else the one logged in to last].",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Mode = Annotated[
    Literal["paper", "live"] | None,
    typer.Option("--mode", help="Which world; the account's own by default.", show_default=False),
]
Symbol = Annotated[str, typer.Argument(help="The pair, such as vaix.")]


def place(base_url: str) -> Place:
    """Find out which exchange is meant, and who asks."""
    return Place(base_url, os.environ)


def console() -> Console:
    """Make a console; colours only on a terminal, and never with NO_COLOR."""
    return Console(highlight=False, markup=False, emoji=False)


def show(result: Any, *, as_json: bool, table: Callable[[], RenderableType]) -> None:  # noqa: ANN401 (JSON)
    """Print a command's result."""
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    else:
        draw(table())


def draw(shown: RenderableType) -> None:
    """Print at full width, on a narrower terminal too: an id that is folded cannot be copied."""
    out = console()
    wide = out.options.update(max_width=WIDTH_MAX)
    out.width = max(out.width, Measurement.get(out, wide, shown).maximum)
    out.print(shown, crop=False)


def finish(work: Callable[[], Awaitable[T]]) -> T:
    """Run a command's work; a reader that went away (``| head``) ends it without a word."""
    try:
        return run(work)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
