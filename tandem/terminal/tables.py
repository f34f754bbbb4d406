"""What the commands show: tables from the API's rows. Pure; numbers stay the strings they are."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]

SIDE_STYLES = {"buy": "green", "sell": "red"}
MODE_STYLES = {"live": "bold red", "paper": "yellow"}


def mode_label(mode: str) -> Text:
    """Show a mode so that nobody takes live for paper."""
    return Text(mode.upper(), MODE_STYLES.get(mode, "bold"))


def heading(title: str, mode: str = "") -> Text:
    """Make a title that says the mode."""
    shown = Text(title, "bold")
    return Text.assemble(shown, " · ", mode_label(mode)) if mode else shown


def _table(title: Text, texts: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="", box=SIMPLE_HEAD,
                  pad_edge=False, collapse_padding=True)  # fmt: skip
    for name in texts:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _shown(table: Table) -> RenderableType:
    """Say so where there is nothing to show."""
    return table if table.row_count else Text.assemble(table.title or "", ": none")


def _side(side: str) -> Text:
    return Text(side, SIDE_STYLES.get(side, ""))


def _change(change: str) -> Text:
    amount = Decimal(change)
    style = "green" if amount > 0 else "red" if amount < 0 else "dim"
    return Text(f"+{change}" if amount > 0 else change, style)


def _moment(timestamp: str) -> str:
    """Shorten an RFC 3339 time to what a person reads: date and second, UTC."""
    return timestamp.replace("T", " ").partition(".")[0]


def markets(rows: Iterable[Row]) -> RenderableType:
    """Show every market's figures of the last 24 hours."""
    table = _table(
        heading("Markets"),
        ("pair", "mode", "status"),
        ("price", "change 24h", "high", "low", "volume 24h"),
    )
    for row in rows:
        table.add_row(
            row["pair"], mode_label(row["mode"]), row["status"], row["price"],
            _change(row["change_24h"]), row["high_24h"], row["low_24h"], row["volume_24h"],
        )  # fmt: skip
    return _shown(table)


def trades(symbol: str, mode: str, rows: Iterable[Row]) -> RenderableType:
    """Show the public tape."""
    table = _table(
        heading(f"Trades {symbol.upper()}", mode),
        ("time (UTC)", "side", "venue", "chain"),
        ("price", "quantity"),
    )
    for row in rows:
        table.add_row(
            _moment(row["timestamp"]), _side(row["side"]), row["venue"], row["chain"] or "",
            row["price"], row["quantity"],
        )  # fmt: skip
    return _shown(table)


def orders(title: str, mode: str, rows: Iterable[Row]) -> RenderableType:
    """Show orders, one a line."""
    table = _table(
        heading(title, mode),
        ("order", "side", "type", "status"),
        ("price", "quantity", "filled", "average"),
    )
    for row in rows:
        reason = f" ({row['reason']})" if row["reason"] else ""
        table.add_row(
            row["order_id"], _side(row["side"]), row["order_type"],
            row["status"] + reason, _price(row), row["quantity"], row["filled_quantity"],
            row["average_price"] or "",
        )  # fmt: skip
    return _shown(table)


def _price(row: Row) -> str:
    limit = "" if row["price"] == "0" else row["price"]
    stop = f"stop {row['stop_price']}" if row["stop_price"] else ""
    return " ".join(part for part in (stop, limit) if part) or "market"


def balances(mode: str, rows: Iterable[Row]) -> RenderableType:
    """Show the funds of one mode."""
    table = _table(heading("Balance", mode), ("asset",), ("available", "in orders", "total"))
    for row in rows:
        table.add_row(row["asset"], row["available"], row["locked"], row["total"])
    return _shown(table)


def keys(rows: Iterable[Row]) -> RenderableType:
    """Show API keys; the keys themselves are known to nobody any more."""
    table = _table(
        heading("API keys"),
        ("id", "name", "key", "may", "markets", "last used (UTC)", "expires (UTC)"),
    )
    for row in rows:
        may = ", ".join(name for name, allowed in row["permissions"].items() if allowed)
        table.add_row(
            row["id"], row["name"], f"{row['key_prefix']}…", may,
            ", ".join(row["allowed_markets"]) or "all",
            _moment(row["last_used_at"] or "never"), _moment(row["expires_at"] or "never"),
        )  # fmt: skip
    return _shown(table)


def order_line(order: Row) -> Text:
    """Say in one line what became of an order."""
    what = f"{order['quantity']} {order['pair'].partition('/')[0]}"
    text = Text.assemble(
        mode_label(order["mode"]), " ", _side(order["side"]), f" {what} {_at(order)}: ",
        (order["status"], "bold"),
    )  # fmt: skip
    if Decimal(order["filled_quantity"]):
        text.append(f", filled {order['filled_quantity']} at {order['average_price']}")
        text.append(f", fee {order['fee_total']} {order['fee_asset']}")
    if order["reason"]:
        text.append(f" ({order['reason']})")
    return text.append(f"  {order['order_id']}", "dim")


def _at(order: Row) -> str:
    price = _price(order)
    return "at the market" if price == "market" else f"at {price}"
