"""The `tandem` command: its sub-commands and options, and errors as one plain line.

What a sub-command does lives in the module of its name; heavy imports wait until it runs.
"""

import os
import sys
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from tandem.terminal import commands

app = typer.Typer(
    name="tandem",
    help="An exchange where every trading pair is one stateful actor.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The listing; the one that ships with Tandem by default."),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Where everything durable lives [TANDEM_DATA_DIR, else ~/.tandem]."
    ),
]
UrlOption = Annotated[
    str, typer.Option("--url", help="A running exchange; the one of the data directory by default.")
]


@app.command()
def up(  # noqa: PLR0913, PLR0917 (one parameter per option, as typer reads them)
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen on.")] = 8080,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    gateways: Annotated[
        int, typer.Option(min=1, max=64, help="How many gateways share the port.")
    ] = 1,
    address: Annotated[
        str, typer.Option(help="A Ray cluster to run on (auto, or host:port).")
    ] = "",
    limits: Annotated[
        Literal["default", "relaxed", "off"], typer.Option(help="The preset of rate limits.")
    ] = "default",
) -> None:
    """Start the exchange, and run it until Ctrl-C."""
    from tandem import settings
    from tandem.up import Options, run

    read = settings.load(config, data_dir, limits)
    sys.exit(run(Options(read, host, port, gateways, address)))


@app.command()
def status(
    url: UrlOption = "",
    *,
    data_dir: DataDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show how a running exchange is.

    Its markets, actors, ledger, chains and venues.
    """
    from tandem import settings
    from tandem.status import run

    sys.exit(run(url, settings.find_data_dir(data_dir), as_json=as_json))


@app.command()
def replay(
    pair: Annotated[str, typer.Argument(help="The pair, such as vaix.")],
    mode: Annotated[Literal["paper", "live"], typer.Option(help="Which market.")] = "paper",
    until: Annotated[int, typer.Option(min=0, help="The last record to apply; 0 for all.")] = 0,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
) -> None:
    """Rebuild a market from its journal alone.

    Prints where it ends, and the hashes of its state and its events.
    """
    from tandem import settings
    from tandem.replay import run

    read = settings.load(config, data_dir)
    sys.exit(run(read, pair.lower(), mode, until or None))


@app.command()
def mcp() -> None:
    """Serve MCP for AI agents on stdin and stdout.

    For the exchange at ET_BASE_URL, with the key in ET_API_KEY.
    """
    from tandem.mcp_stdio import run

    sys.exit(run(os.environ))


@app.command()
def record(
    out: Annotated[Path, typer.Option(help="The directory that the recordings are written to.")],
    blocks: Annotated[int, typer.Option(min=3, help="How many blocks of each chain.")] = 240,
    note: Annotated[str, typer.Option(help="What is recorded, for whoever reads the file.")] = "",
    config: ConfigOption = None,
) -> None:
    """Record the pools of the configured nodes.

    What is recorded can be played without a node.
    """
    from tandem import settings
    from tandem.record import run

    sys.exit(run(settings.load(config), out, blocks, note))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"tandem {package_version('tandem-exchange')}")


def _print_version(asked: bool) -> None:  # noqa: FBT001 (as typer calls it)
    if asked:
        version()
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None: ...


commands.add_to(app)


def main() -> None:
    """Run the command; an expected error is one line on stderr, and an exit status that is not 0.

    The statuses are those of `tandem.terminal.failures`; what runs the exchange ends with 1.
    """
    try:
        app()
    except KeyboardInterrupt:
        _end("stopped")
    except Exception as error:
        told = _expected(error)
        if told is not None:
            _end(*told)
        if os.environ.get("TANDEM_DEBUG"):
            raise
        _end(f"unexpected {type(error).__name__}: {error} (TANDEM_DEBUG=1 shows where)")


def _expected(error: Exception) -> tuple[str, int] | None:
    """Give the line and the status for an error that is nobody's fault here; None for any other."""
    # Imported when something is wrong only: a command that works starts sooner without them.
    from event_trader.errors import EventTraderError

    from actors.errors import TandemError
    from tandem.settings import SettingsError
    from tandem.terminal.failures import TerminalError, explain

    if isinstance(error, TerminalError):
        return str(error), error.status
    if isinstance(error, EventTraderError):
        return explain(error)
    return (str(error), 1) if isinstance(error, (SettingsError, TandemError)) else None


def _end(message: str, status: int = 1) -> NoReturn:
    typer.secho(f"tandem: {message}", err=True, fg=None if os.environ.get("NO_COLOR") else "red")
    sys.exit(status)
