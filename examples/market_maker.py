"""A market maker: quote both sides around the mid, and move the quotes when the mid moves.

    python examples/market_maker.py --email you@example.com --password ... --pair vaix

It places one post-only bid and one post-only ask, `--spread-bps` apart around the hybrid mid.
Every `--refresh` seconds it looks again: when the mid has drifted by `--drift-bps`, or a quote was
filled, both quotes are renewed. It tracks its position and profit from its own fills, stops
quoting the side that would grow a position beyond `--max-position`, and ends when `--max-loss` is
reached. Ctrl-C cancels everything and prints how it went.

It trades paper money unless `--live` is given.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

from event_trader import (
    APIError,
    EventTrader,
    EventTraderError,
    OrderClosedError,
    RequestRejectedError,
    UnavailableError,
)

BPS = Decimal(10_000)


@dataclass
class Inventory:
    """What the bot has bought and sold since it started, from its own fills."""

    base: Decimal = Decimal(0)
    quote: Decimal = Decimal(0)
    fills: int = 0
    seen: set[str] = field(default_factory=set)

    def add(self, trade: dict[str, Any]) -> None:
        """Count a fill once; the trade feed may show it again."""
        key = f"{trade['trade_id']}/{trade['order_id']}"
        if key in self.seen:
            return
        self.seen.add(key)
        self.fills += 1
        size, price = Decimal(trade["quantity"]), Decimal(trade["price"])
        sign = 1 if trade["side"] == "buy" else -1
        self.base += sign * size
        self.quote -= sign * size * price + Decimal(trade["fee"])

    def profit(self, mid: Decimal) -> Decimal:
        """Return profit in quote units, the position valued at ``mid``."""
        return self.quote + self.base * mid


class MarketMaker:
    """One pair, two quotes."""

    def __init__(self, client: EventTrader, options: argparse.Namespace) -> None:
        self.clob = client.clob
        self.options = options
        self.symbol: str = options.pair
        self.mode = "live" if options.live else "paper"
        self.inventory = Inventory()
        self.quotes: dict[str, dict[str, Any]] = {}
        self.quoted_mid = Decimal(0)
        self.mid = Decimal(0)
        self.tick = Decimal(0)
        self.lot = Decimal(0)

    async def prepare(self) -> None:
        """Learn the pair's grid, and start from a clean slate."""
        pairs = {pair["symbol"].lower(): pair for pair in await self.clob.list_pairs()}
        if self.symbol.lower() not in pairs:
            raise SystemExit(f"no pair {self.symbol!r}; there are: {', '.join(sorted(pairs))}")
        pair = pairs[self.symbol.lower()]
        self.tick, self.lot = Decimal(pair["tick_size"]), Decimal(pair["lot_size"])
        for trade in await self.clob.my_trades(self.symbol, limit=500, mode=self.mode):
            self.inventory.seen.add(f"{trade['trade_id']}/{trade['order_id']}")

    async def cycle(self) -> bool:
        """Look once, and re-quote if needed; False when the loss limit is reached."""
        book = await self.clob.orderbook(self.symbol, depth=5)
        if not book["bids"] or not book["asks"]:
            print("the book has an empty side; waiting")
            return True
        self.mid = (Decimal(book["bids"][0][0]) + Decimal(book["asks"][0][0])) / 2
        for trade in await self.clob.my_trades(self.symbol, limit=500, mode=self.mode):
            self.inventory.add(trade)
        if self.inventory.profit(self.mid) < -self.options.max_loss:
            print(f"loss limit of {self.options.max_loss} reached")
            return False
        if await self._must_requote():
            await self._requote()
        return True

    async def _must_requote(self) -> bool:
        live = await self.clob.open_orders(self.symbol, mode=self.mode)
        mine = {order["order_id"] for order in live}
        wanted = set(self._sides())
        standing = {side for side, order in self.quotes.items() if order["order_id"] in mine}
        if standing != wanted or not self.quoted_mid:
            return True
        drift = abs(self.mid - self.quoted_mid) / self.quoted_mid * BPS
        return bool(drift >= self.options.drift_bps)

    def _sides(self) -> list[str]:
        """Name the sides that may be quoted within the position limit."""
        base, size, limit = self.inventory.base, self.options.size, self.options.max_position
        sides = []
        if base + size <= limit:
            sides.append("buy")
        if base - size >= -limit:
            sides.append("sell")
        return sides

    async def _requote(self) -> None:
        await self._cancel_quotes()
        half = self.mid * self.options.spread_bps / BPS / 2
        size = (self.options.size // self.lot) * self.lot
        for side in self._sides():
            exact = self.mid - half if side == "buy" else self.mid + half
            rounding = ROUND_FLOOR if side == "buy" else ROUND_CEILING
            price = (exact / self.tick).to_integral_value(rounding) * self.tick
            try:
                self.quotes[side] = await self.clob.place_order(
                    self.symbol, side, size, price=price, order_type="post_only", mode=self.mode
                )
            except RequestRejectedError as refusal:
                print(f"{side} {size} @ {price} was refused: {refusal.message}")
        self.quoted_mid = self.mid
        self._report()

    def _report(self) -> None:
        shown = "  ".join(
            f"{side} {order['quantity']} @ {order['price']}" for side, order in self.quotes.items()
        )
        inventory = self.inventory
        print(
            f"mid {self.mid:.8f}  {shown}  position {inventory.base}  fills {inventory.fills}  "
            f"p&l {inventory.profit(self.mid):.6f}",
            flush=True,
        )

    async def _cancel_quotes(self) -> None:
        for order in self.quotes.values():
            # A quote that was filled meanwhile is counted at the next look at the trades.
            with contextlib.suppress(OrderClosedError):
                await self.clob.cancel_order(self.symbol, order["order_id"], mode=self.mode)
        self.quotes.clear()

    async def finish(self) -> None:
        """Cancel what stands, and say how it went."""
        await self._cancel_quotes()
        for trade in await self.clob.my_trades(self.symbol, limit=500, mode=self.mode):
            self.inventory.add(trade)
        result = self.inventory
        print(
            f"done: {result.fills} fills, position {result.base}, p&l {result.profit(self.mid):.6f}"
        )


async def connect(options: argparse.Namespace) -> EventTrader:
    """Open a client by key, or by email and password."""
    if options.api_key:
        return EventTrader(api_key=options.api_key, base_url=options.base_url)
    if options.email and options.password:
        return await EventTrader.from_credentials(
            options.email, options.password, base_url=options.base_url
        )
    raise SystemExit("give --api-key, or --email and --password")


async def run(options: argparse.Namespace) -> None:
    """Quote until Ctrl-C, the loss limit, or an error that a retry cannot mend."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with await connect(options) as client:
        maker = MarketMaker(client, options)
        await maker.prepare()
        try:
            while not stop.is_set():
                try:
                    if not await maker.cycle():
                        break
                except UnavailableError as busy:
                    print(f"the exchange is busy: {busy.message}")
                try:
                    await asyncio.wait_for(stop.wait(), timeout=options.refresh)
                except TimeoutError:
                    continue
        finally:
            await maker.finish()


def number(text: str) -> Decimal:
    """Read a decimal; of a ValueError argparse makes one line."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Quote both sides of a pair on Tandem.")
    parser.add_argument("--pair", default="vaix", help="base symbol (default: %(default)s)")
    parser.add_argument(
        "--spread-bps", type=number, default=Decimal(40), help="bid to ask (default: %(default)s)"
    )
    parser.add_argument(
        "--size",
        type=number,
        default=Decimal(1000),
        help="base units a side (default: %(default)s)",
    )
    parser.add_argument(
        "--refresh", type=float, default=2.0, help="seconds between looks (default: %(default)s)"
    )
    parser.add_argument(
        "--drift-bps",
        type=number,
        default=Decimal(10),
        help="re-quote beyond (default: %(default)s)",
    )
    parser.add_argument(
        "--max-position",
        type=number,
        default=Decimal(10_000),
        help="base units (default: %(default)s)",
    )
    parser.add_argument(
        "--max-loss", type=number, default=Decimal(100), help="quote units (default: %(default)s)"
    )
    parser.add_argument("--live", action="store_true", help="trade real funds, not paper")
    parser.add_argument("--api-key", help="an evt_... key with the trade permission")
    parser.add_argument("--email")
    parser.add_argument("--password")
    parser.add_argument("--base-url", default="http://127.0.0.1:8080")
    return parser.parse_args(arguments)


def main() -> None:
    """Run the bot; errors are one line for people."""
    try:
        asyncio.run(run(parse(sys.argv[1:])))
    except APIError as error:
        raise SystemExit(f"{error} (request {error.request_id})") from error
    except (EventTraderError, ValueError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
