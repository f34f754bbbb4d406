"""`tandem status`: how a running exchange is, as tables or JSON.

Whether it can trade is asked over HTTP, as any client would; who runs where is read from what the
supervisor publishes in the embedded store, which only its owner can reach.
"""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError

from actors.errors import TandemError
from actors.exchange_status import STATUS, ledger_rows, read_actors
from actors.journal.redis import connect

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
    pairs = body.get("pairs") or body.get("error", {}).get("details", {}).get("pairs", {})
    for symbol in pairs:
        answered, shown = _get(url, f"/api/v1/exchange/{symbol}/venues")
        venues[symbol] = shown.get("venues", []) if answered else []
    same = url == running.get("url")
    actors = _actors(running.get("redis_url", "")) if same else {}
    return {
        "url": url,
        "ready": ready,
        "pairs": pairs,
        "venues": venues,
        "driver": {"pid": running.get("pid", 0)} if same else {},
        "actors": actors,
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
    from rich.console import Console
    from rich.table import Table

    console = Console()
    state = "[green]can trade[/]" if found["ready"] else "[yellow]recovering[/]"
    console.print(f"Tandem at {found['url']}: {state}")
    actors: dict[str, Any] = found["actors"]
    markets = Table("market", "sequence", "epoch", "owed", "p50 us", "p99 us", title="Markets")
    for name, actor in actors.items():
        if name.startswith("pair:"):
            for market in actor.get("markets", []):
                markets.add_row(
                    market["market"],
                    str(market["sequence"]),
                    str(market["epoch"]),
                    str(market["settlements_owed"]),
                    str(actor["latency_us_p50"]),
                    str(actor["latency_us_p99"]),
                )
    sums = Table("asset", "mode", "sum", "available", "held", title="Ledger (raw units)")
    for row in found["ledger"]:
        sums.add_row(*map(str, row.values()))
    processes = Table("actor", "pid", "state", title="Actors")
    for name, actor in actors.items():
        told = actor.get("error") or actor.get("state") or "running"
        processes.add_row(name, str(actor.get("pid", 0)), str(told))
    venues = Table("pair", "venue", "chain", "price", "status", "age", title="Venues")
    for symbol, rows in found["venues"].items():
        for row in rows:
            cells = [row.get(key) for key in ("venue", "chain", "price", "status")]
            age_ms = row.get("age_ms")
            age = "" if age_ms is None else f"{age_ms / 1_000:.1f} s"
            venues.add_row(symbol, *("" if cell is None else str(cell) for cell in cells), age)
    for table in (markets, processes, sums, venues):
        if table.row_count:
            console.print(table)
    for duty, why in actors.get("supervisor", {}).get("problems", {}).items():
        console.print(f"[red]{duty}[/]: {why}")
