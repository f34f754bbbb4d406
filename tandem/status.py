"""`tandem status`: how a running exchange is, as tables or JSON.

Whether it can trade is asked over HTTP, as any client would; who runs where is read from what the
supervisor publishes in the embedded store, which only its owner can reach.
"""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from redis.exceptions import RedisError
from rich.markup import escape

from actors.errors import TandemError
from actors.exchange_status import STATUS, feed_rows, ledger_rows, read_actors
from actors.journal.redis import connect

if TYPE_CHECKING:
    from rich.table import Table

TIMEOUT_S: Final = 5.0
DEFAULT_URL: Final = "http://127.0.0.1:8080"


class NotRunningError(TandemError):
    """Nobody answers; the argument is where."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url

    def __str__(self) -> str:
        return f"no exchange answers at {self.url}; start one with `tandem up`, or name it by --url"


def run(url: str, data_dir: Path, *, as_json: bool) -> int:
    """Print the status; returns 0 when the exchange can trade, else 1.

    Raises:
        NotRunningError: nobody answers.
    """
    running = _running(data_dir)
    found = gather(url or running.get("url", DEFAULT_URL), running)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        _print(found)
    return 0 if found["ready"] else 1


def gather(url: str, running: dict[str, Any]) -> dict[str, Any]:
    """Collect what can be known.

    Args:
        url: where the exchange listens.
        running: what `tandem up` noted in the data directory; {} without one.

    Raises:
        NotRunningError: nobody answers.
    """
    ready, body = _get(url, "/ready")
    venues: dict[str, Any] = {}
    parts = body if ready else body.get("error", {}).get("details", {})
    pairs: dict[str, str] = parts.get("pairs", {})
    for symbol in pairs:
        answered, shown = _get(url, f"/api/v1/exchange/{symbol}/venues")
        venues[symbol] = shown.get("venues", []) if answered else []
    same = url == running.get("url")
    actors = _actors(running.get("redis_url", "")) if same else {}
    return {
        "url": url,
        "ready": ready,
        "pairs": pairs,
        "shards": parts.get("shards", {}),
        "venues": venues,
        "driver": {"pid": running.get("pid", 0)} if same else {},
        "actors": actors,
        "chains": feed_rows(actors),
        "ledger": [msgspec.to_builtins(row) for row in ledger_rows(actors)],
    }


def _running(data_dir: Path) -> dict[str, Any]:
    try:
        noted: dict[str, Any] = json.loads((data_dir / "running.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return noted


def _actors(redis_url: str) -> dict[str, Any]:
    if not redis_url:
        return {}
    try:
        with connect(redis_url, TIMEOUT_S) as client:
            published = client.get(STATUS)
    except (RedisError, OSError):
        return {}
    return read_actors(bytes(published) if published else None)


def _get(url: str, path: str) -> tuple[bool, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url + path, timeout=TIMEOUT_S) as answer:  # noqa: S310
            body: dict[str, Any] = json.load(answer)
            return True, body
    except urllib.error.HTTPError as error:
        with error:
            try:
                told: dict[str, Any] = json.load(error)
            except ValueError:
                told = {}
        return False, told
    except (OSError, ValueError):
        raise NotRunningError(url) from None


def _print(found: dict[str, Any]) -> None:
    """Print tables that fit 80 columns; colours only on a terminal, and never with NO_COLOR."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    console.print(f"Tandem at {found['url']}: {_summary(found)}")
    actors: dict[str, Any] = found["actors"]
    for table in (
        _markets(actors),
        _actors_table(actors),
        _ledger(found),
        _chains(found),
        _venues(found),
    ):
        if table.row_count:
            console.print(table)
    for feed in found["chains"]:
        for venue in feed["venues"]:
            if venue["detail"]:
                where = f"{venue['pair']} {venue['venue']} {venue['status']}"
                console.print(f"[red]{where}[/]: {escape(venue['detail'])}")
    for duty, why in actors.get("supervisor", {}).get("problems", {}).items():
        console.print(f"[red]{duty}[/]: {escape(why)}")


def _summary(found: dict[str, Any]) -> str:
    parts: dict[str, str] = {**found["pairs"], **found["shards"]}
    waits = [f"{name} {state}" for name, state in parts.items() if state != "ready"]
    if found["ready"]:
        return "[green]can trade[/]"
    failed = "failed" in parts.values()
    return f"[{'red' if failed else 'yellow'}]cannot trade[/] ({', '.join(waits) or 'the store'})"


def _table(title: str, texts: Sequence[str], numbers: Sequence[str] = ()) -> "Table":
    """Make a table whose first columns are text, and whose others are numbers to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _markets(actors: dict[str, Any]) -> "Table":
    columns = ("sequence", "epoch", "owed", "p50 us", "p99 us")
    table = _table("Markets", ("market",), columns)
    for name, actor in actors.items():
        if name.startswith("pair:"):
            latencies = (
                f"{actor.get('latency_us_p50', 0):,}",
                f"{actor.get('latency_us_p99', 0):,}",
            )
            for market in actor.get("markets", []):
                numbers = (market["sequence"], market["epoch"], market["settlements_owed"])
                table.add_row(market["market"], *(f"{one:,}" for one in numbers), *latencies)
    return table


def _actors_table(actors: dict[str, Any]) -> "Table":
    table = _table("Actors", ("actor", "pid", "state"))
    for name, actor in actors.items():
        state = str(actor.get("error") or actor.get("state") or "running")
        if detail := actor.get("detail"):
            state = f"{state}: {detail}"
        fine = state in {"ready", "running"}
        shown = escape(state) if fine else f"[red]{escape(state)}[/]"
        table.add_row(name, str(actor.get("pid", 0)), shown)
    return table


def _ledger(found: dict[str, Any]) -> "Table":
    table = _table("Ledger (raw units)", ("asset", "mode"), ("sum", "available", "held"))
    for row in found["ledger"]:
        asset, mode, *amounts = row.values()
        table.add_row(asset, mode, *(f"{amount:,}" for amount in amounts))
    return table


def _chains(found: dict[str, Any]) -> "Table":
    """Draw the feeds: where each stands, which of its RPC URLs it follows, how often it changed."""
    columns = ("block", "age", "reconnects", "reorgs", "live")
    table = _table("Chains", ("chain", "node"), columns)
    for feed in found["chains"]:
        node = feed["host"] if feed["nodes"] < 2 else f"{feed['node']}: {feed['host']}"
        numbers = [f"{feed['block']:,}", f"{feed['age_ms'] / 1_000:.1f} s"]
        numbers += [f"{feed[name]:,}" for name in ("reconnects", "reorgs")]
        live = f"{feed['pools_live']}/{feed['pools']}"
        table.add_row(feed["chain"], escape(node), *numbers, live)
    return table


def _venues(found: dict[str, Any]) -> "Table":
    table = _table("Venues", ("pair", "venue", "chain", "status"), ("price", "age"))
    for symbol, rows in found["venues"].items():
        for row in rows:
            cells = [str(row.get(key) or "") for key in ("venue", "chain", "status", "price")]
            age_ms = row.get("age_ms")
            age = "" if age_ms is None else f"{age_ms / 1_000:.1f} s"
            table.add_row(symbol, *cells, age)
    return table
