"""Open a position with a TWAP, and watch it fill.

    python examples/twap.py --api-key evt_... --pair vaix --side buy --quantity 50000 --minutes 60

The exchange does the slicing; this program places the TWAP and prints its progress until it has
ended. Ctrl-C cancels it: what has been filled stays filled. It trades paper money unless `--live`
is given.
"""

import argparse
import asyncio
import signal
import sys
from typing import Any

from event_trader import EventTrader, EventTraderError


def progress(twap: dict[str, Any]) -> str:
    """Show how far a TWAP is, in one line."""
    return (
        f"{twap['status']}: slice {twap['slices_done']} of {twap['num_slices']}, filled "
        f"{twap['filled_quantity']} of {twap['quantity']} at {twap['average_price'] or '-'}"
    )


async def watch(client: EventTrader, twap: dict[str, Any], every_s: float) -> None:
    """Print the progress until the TWAP has ended, or Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    shown = ""
    while not stop.is_set():
        running = {one["twap_id"]: one for one in await client.clob.active_twaps(twap["symbol"])}
        if twap["twap_id"] not in running:
            print("the TWAP has ended")
            return
        line = progress(running[twap["twap_id"]])
        if line != shown:
            print(line, flush=True)
            shown = line
        try:
            await asyncio.wait_for(stop.wait(), timeout=every_s)
        except TimeoutError:
            continue
    print(progress(await client.clob.cancel_twap(twap["symbol"], twap["twap_id"])))


async def run(options: argparse.Namespace) -> None:
    """Place the TWAP and follow it."""
    async with EventTrader(options.api_key, base_url=options.base_url) as client:
        twap = await client.clob.place_twap(
            options.pair,
            options.side,
            options.quantity,
            duration_minutes=options.minutes,
            num_slices=options.slices,
            price_limit=options.price_limit,
            mode="live" if options.live else "paper",
        )
        print(f"placed {twap['twap_id']}, ends at {twap['ends_at']}", flush=True)
        await watch(client, twap, options.refresh)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Spread an order over time on Tandem.")
    parser.add_argument("--pair", default="vaix", help="base symbol (default: %(default)s)")
    parser.add_argument("--side", choices=["buy", "sell"], default="buy")
    parser.add_argument(
        "--quantity", default="50000", help="base units in all (default: %(default)s)"
    )
    parser.add_argument(
        "--minutes", type=int, default=60, help="how long it takes (default: %(default)s)"
    )
    parser.add_argument(
        "--slices", type=int, default=10, help="into how many orders (default: %(default)s)"
    )
    parser.add_argument("--price-limit", default="0", help="never beyond this price; 0: any")
    parser.add_argument(
        "--refresh", type=float, default=1.0, help="seconds between looks (default: %(default)s)"
    )
    parser.add_argument("--live", action="store_true", help="trade real funds, not paper")
    parser.add_argument("--api-key", required=True, help="an evt_... key that may trade")
    parser.add_argument("--base-url", default="http://127.0.0.1:8080")
    return parser.parse_args(arguments)


def main() -> None:
    """Run; errors are one line for people."""
    try:
        asyncio.run(run(parse(sys.argv[1:])))
    except (EventTraderError, ValueError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
