"""`tandem markets`, `book` and `trades`: public, so nobody need be logged in."""

from typing import Annotated, Any

import typer
from event_trader.bodies import member

from tandem.terminal import ladder, tables
from tandem.terminal.options import AsJson, BaseUrl, Mode, Symbol, console, finish, place, show

DEPTH_MAX = 200


def markets(base_url: BaseUrl = "", *, mode: Mode = None, as_json: AsJson = False) -> None:
    """List the markets: price, change and volume of 24 hours."""
    where = place(base_url)

    async def work() -> list[dict[str, Any]]:
        async with where.opened() as client:
            return await client.clob.markets(mode=mode or where.default_mode())

    rows = finish(work)
    show(rows, as_json=as_json, table=lambda: tables.markets(rows))


def book(  # noqa: PLR0913 (one parameter per option, as typer reads them)
    symbol: Symbol,
    base_url: BaseUrl = "",
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it live, until Ctrl-C.")] = False,
    depth: Annotated[int, typer.Option(min=1, max=DEPTH_MAX, help="Levels a side.")] = 10,
    orders_only: Annotated[
        bool, typer.Option("--orders-only", help="Resting orders without the pools' depth.")
    ] = False,
    mode: Mode = None,
    as_json: AsJson = False,
) -> None:
    """Show a pair's book as a ladder; with --watch as it changes.

    Watching connects again by itself when the connection is lost. With --json, or into a pipe, it
    prints one line of JSON per change.
    """
    where = place(base_url)
    chosen = mode or where.default_mode()

    async def work() -> dict[str, Any] | None:
        async with where.opened() as client:
            if not watch:
                read = client.clob.book if orders_only else client.clob.orderbook
                return await read(symbol, depth, mode=chosen)
            title = f"{symbol.upper()} {'orders only' if orders_only else 'with pools'}"
            # The frames do not say whose book they are; an answer does.
            used = str(member(await client.clob.bbo(symbol, mode=chosen), "mode"))
            stream = client.stream.book(symbol, hybrid=not orders_only, mode=used)
            async with stream:
                follower = ladder.Follower(title, used)
                await ladder.follow(stream, follower, console(), depth, as_json=as_json)
            return None

    try:
        answer = finish(work)
    except KeyboardInterrupt:
        if not watch:
            raise
        return
    if answer is not None:
        view = ladder.still(symbol, answer)
        show(answer, as_json=as_json, table=lambda: ladder.ladder(view, depth))


def trades(
    symbol: Symbol,
    base_url: BaseUrl = "",
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many of the newest.")] = 20,
    mode: Mode = None,
    as_json: AsJson = False,
) -> None:
    """Show a pair's newest trades, the newest first."""
    where = place(base_url)
    chosen = mode or where.default_mode()

    async def work() -> tuple[str, list[dict[str, Any]]]:
        async with where.opened() as client:
            used = str(member(await client.clob.bbo(symbol, mode=chosen), "mode"))
            return used, await client.clob.recent_trades(symbol, limit, mode=used)

    used, rows = finish(work)
    show(rows, as_json=as_json, table=lambda: tables.trades(symbol, used, rows))
