"""Watch for prices that differ between the venues of a pair.

    python examples/arbitrage_watcher.py --pair vaix --min-edge-bps 20

Whenever the pair's hybrid book moves, it compares the price of every live venue (the order book and
the pools of all chains), after their fees, and prints the best two where buying on one and selling
on the other would leave at least `--min-edge-bps`. It only watches; it places no orders.
"""

import argparse
import asyncio
import signal
import sys
from decimal import Decimal, InvalidOperation
from itertools import permutations
from typing import Any, NamedTuple

from event_trader import EventTrader, EventTraderError

BPS = Decimal(10_000)


class Edge(NamedTuple):
    """What buying at one venue and selling at another would leave, in basis points."""

    bps: Decimal
    buy: str
    sell: str


def name_of(venue: dict[str, Any]) -> str:
    """Name a venue with its chain."""
    return f"{venue['venue']} ({venue['chain']})" if venue["chain"] else str(venue["venue"])


def best_edge(venues: list[dict[str, Any]]) -> Edge | None:
    """Find the two venues between which most is left after both fees."""
    live = [one for one in venues if one["status"] == "live" and one["price"] is not None]
    edges = []
    for buy, sell in permutations(live, 2):
        paid = Decimal(buy["price"]) * (1 + Decimal(str(buy["fee_bps"])) / BPS)
        got = Decimal(sell["price"]) * (1 - Decimal(str(sell["fee_bps"])) / BPS)
        edges.append(Edge((got / paid - 1) * BPS, name_of(buy), name_of(sell)))
    return max(edges, default=None)


async def watch(options: argparse.Namespace) -> None:
    """Print each new best edge until Ctrl-C, or until there were enough looks."""
    looks, shown = 0, ""
    async with EventTrader(base_url=options.base_url) as client:
        books = client.stream.book(options.pair, hybrid=True)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: asyncio.ensure_future(books.close()))
        async for _ in books:
            venues = (await client.clob.venues(options.pair))["venues"]
            edge = best_edge(venues)
            if edge is not None and edge.bps >= options.min_edge_bps:
                line = f"{edge.bps:.1f} bps: buy on {edge.buy}, sell on {edge.sell}"
                if line != shown:
                    print(line, flush=True)
                    shown = line
            looks += 1
            if looks == options.looks:
                break
        await books.close()
    print(f"looked {looks} times")


def number(text: str) -> Decimal:
    """Read a decimal; of a ValueError argparse makes one line."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare the venues of a pair on Tandem.")
    parser.add_argument("--pair", default="vaix", help="base symbol (default: %(default)s)")
    parser.add_argument(
        "--min-edge-bps", type=number, default=Decimal(10), help="after fees (default: %(default)s)"
    )
    parser.add_argument("--looks", type=int, default=0, help="stop after so many; 0: never")
    parser.add_argument("--base-url", default="http://127.0.0.1:8080")
    return parser.parse_args(arguments)


def main() -> None:
    """Run; errors are one line for people."""
    try:
        asyncio.run(watch(parse(sys.argv[1:])))
    except (EventTraderError, ValueError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
