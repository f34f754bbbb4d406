"""The exchange's endpoints, one short method each.

Quantities and prices are decimal strings, in both directions. Methods return the plain dicts and
lists that the API documents; money never becomes a float.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from event_trader.codes import OrderClosedError
from event_trader.errors import NotTandemError
from event_trader.transport import HttpTransport

_PREFIX = "/api/v1/exchange"

Json = dict[str, Any]
Number = str | int | Decimal
"""A quantity or price: a decimal string is best; floats are refused, they cannot hold 0.1."""


def decimal_text(name: str, value: Number) -> str:
    """Show a number as the API writes it.

    Raises:
        TypeError: it is a float or something else that cannot hold a decimal exactly.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise TypeError(
            f"{name} must be a decimal string, an int or a Decimal, was {type(value).__name__}"
        )
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def pair_name(symbol: str) -> str:
    """Give a pair's name as a path has it: ``vaix``, ``VAIX`` and ``VAIX/USDC`` all name one."""
    if not symbol:
        raise ValueError('symbol must not be empty; give a base symbol such as "vaix"')
    return quote(symbol.replace("/", "-"), safe="")


def pair_path(symbol: str) -> str:
    """Give the path under which a pair's routes are."""
    return f"{_PREFIX}/{pair_name(symbol)}"


def _plain(fields: Json) -> Json:
    """Show the Decimals of an order's fields as the API writes them."""
    return {k: format(v, "f") if isinstance(v, Decimal) else v for k, v in fields.items()}


def member(body: Any, name: str) -> Any:
    """Take a field of an answer.

    Raises:
        NotTandemError: it is not there, so this is not Tandem's answer.
    """
    if not isinstance(body, dict) or name not in body:
        raise NotTandemError(f"the answer has no {name!r}: this is not Tandem; check base_url")
    return body[name]


def present(**fields: Any) -> Json:
    """Leave out the fields that are None."""
    return {name: value for name, value in fields.items() if value is not None}


class Clob:
    """Market data, orders, and the account's side of both; reached as ``client.clob``."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http

    # Market data.

    async def list_pairs(self) -> list[Json]:
        """List the pairs with their ticks, lots, fees and pools."""
        pairs: list[Json] = member(await self._http.get(f"{_PREFIX}/pairs"), "pairs")
        return pairs

    async def markets(self) -> list[Json]:
        """List the markets with price, 24-hour figures and liquidity."""
        markets: list[Json] = member(await self._http.get(f"{_PREFIX}/markets"), "markets")
        return markets

    async def stats(self, symbol: str) -> Json:
        """Read price, supply, market capitalisation and 24-hour figures."""
        return await self._read(symbol, "stats")

    async def chart(self, symbol: str, interval: str = "1h", limit: int = 100) -> Json:
        """Read candles, oldest first; ``interval`` is 1m, 5m, 15m, 1h, 4h or 1d."""
        return await self._read(symbol, "chart", interval=interval, limit=limit)

    async def venues(self, symbol: str) -> Json:
        """Read each venue's price, liquidity and state."""
        return await self._read(symbol, "venues")

    async def orderbook(self, symbol: str, depth: int = 30) -> Json:
        """Read the hybrid book: resting orders and pools, with the sources of each level."""
        return await self._read(symbol, "book/hybrid", depth=depth)

    async def book(self, symbol: str, depth: int = 30) -> Json:
        """Read the book of resting orders only."""
        return await self._read(symbol, "book", depth=depth)

    async def bbo(self, symbol: str) -> Json:
        """Read the best bid and offer."""
        return await self._read(symbol, "bbo")

    async def ticker(self, symbol: str) -> Json:
        """Read last price and 24-hour figures."""
        return await self._read(symbol, "ticker")

    async def time(self) -> Json:
        """Read the server's clock."""
        body: Json = await self._http.get(f"{_PREFIX}/time")
        return body

    async def recent_trades(self, symbol: str, limit: int = 50) -> list[Json]:
        """Read the public tape, newest first."""
        trades: list[Json] = member(await self._read(symbol, "trades", limit=limit), "trades")
        return trades

    # Orders.

    async def place_order(
        self,
        symbol: str,
        side: str,
        quantity: Number,
        *,
        price: Number = "0",
        order_type: str = "limit",
        mode: str = "live",
        idempotency_key: str | None = None,
        **options: Any,
    ) -> Json:
        """Place an order.

        Args:
            symbol: base symbol, such as ``vaix``.
            side: ``buy`` or ``sell``.
            quantity: base units; a multiple of the pair's lot size.
            price: quote per base unit; not for market orders.
            order_type: limit, market, ioc, fok, post_only, stop_limit or stop_market.
            mode: ``live`` or ``paper``; an account in simulation mode always trades paper.
            idempotency_key: your own name for this intent; without one the call makes one and
                keeps it over its retries. Repeat a call whose outcome you do not know with it.
            **options: ``stop_price``, ``stp_mode``, ``time_in_force_ms``, ``expire_at``,
                ``display_qty``, ``route_mode``, ``client_order_id``, ``paper``.

        Raises:
            RequestRejectedError: it cannot be accepted (no funds, off tick, would take …).
            InvalidRequestError: a field is malformed or unknown.

        Example:
            >>> order = await client.clob.place_order("vaix", "buy", "1000", price="0.003")
        """
        body = {
            "side": side,
            "quantity": decimal_text("quantity", quantity),
            "price": decimal_text("price", price),
            "order_type": order_type,
            "mode": mode,
            **present(**options),
        }
        order: Json = await self._http.post(
            f"{pair_path(symbol)}/orders", json=_plain(body), idempotency_key=idempotency_key
        )
        return order

    async def cancel_order(self, symbol: str, order_id: str, mode: str = "live") -> Json:
        """Cancel an order; returns it as it ended.

        Raises:
            OrderClosedError: it had already ended.

        Example:
            >>> await client.clob.cancel_order("vaix", order["order_id"])
        """
        path = f"{pair_path(symbol)}/orders/{quote(order_id, safe='')}"
        try:
            order: Json = await self._http.delete(path, params={"mode": mode})
        except OrderClosedError as error:
            ended = error.details.get("order")
            # An earlier try of this very call did it, and only its answer was lost.
            if error.tries == 1 or not isinstance(ended, dict) or ended["status"] != "canceled":
                raise
            return ended
        return order

    async def amend_order(
        self,
        symbol: str,
        order_id: str,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
    ) -> Json:
        """Change price or total quantity in one step; a smaller quantity keeps queue priority."""
        body: Json = {}
        if price is not None:
            body["price"] = decimal_text("price", price)
        if quantity is not None:
            body["quantity"] = decimal_text("quantity", quantity)
        order: Json = await self._http.patch(
            f"{pair_path(symbol)}/orders/{quote(order_id, safe='')}", json=body
        )
        return order

    async def batch_amend_orders(self, symbol: str, amendments: Sequence[Json]) -> Json:
        """Amend up to 50 orders, each ``{order_id, price?, quantity?}``; each stands alone."""
        path = f"{pair_path(symbol)}/orders/batch"
        result: Json = await self._http.patch(path, json=[_plain(one) for one in amendments])
        return result

    async def batch_place_orders(self, symbol: str, orders: Sequence[Json]) -> Json:
        """Place up to 10 orders; each stands alone, see ``results``."""
        path = f"{pair_path(symbol)}/orders/batch"
        result: Json = await self._http.post(path, json={"orders": [_plain(one) for one in orders]})
        return result

    async def batch_cancel_orders(self, symbol: str, order_ids: Sequence[str]) -> Json:
        """Cancel up to 50 orders; each stands alone, see ``results``."""
        path = f"{pair_path(symbol)}/orders/batch"
        result: Json = await self._http.delete(path, json={"order_ids": list(order_ids)})
        return result

    async def cancel_all(self, symbol: str, *, side: str | None = None) -> Json:
        """Cancel all open orders on a pair, or those of one side."""
        path = f"{pair_path(symbol)}/orders"
        result: Json = await self._http.delete(path, params=present(side=side))
        return result

    async def kill_switch(self) -> Json:
        """Cancel every open order everywhere."""
        result: Json = await self._http.delete(f"{_PREFIX}/orders/all")
        return result

    async def order(self, symbol: str, order_id: str) -> Json:
        """Read one order with its fills."""
        return await self._read(symbol, f"orders/{quote(order_id, safe='')}")

    async def open_orders(self, symbol: str, mode: str = "live") -> list[Json]:
        """List the open orders, oldest first."""
        orders: list[Json] = member(await self._read(symbol, "orders/open", mode=mode), "orders")
        return orders

    async def order_history(
        self, symbol: str, limit: int = 50, offset: int = 0, mode: str = "live"
    ) -> Json:
        """Read orders that ended, newest first, page by page."""
        return await self._read(symbol, "orders/history", limit=limit, offset=offset, mode=mode)

    async def my_trades(self, symbol: str, limit: int = 50, mode: str = "live") -> list[Json]:
        """Read the account's fills, newest first."""
        body = await self._read(symbol, "trades/mine", limit=limit, mode=mode)
        trades: list[Json] = member(body, "trades")
        return trades

    # Algorithmic orders.

    async def place_twap(
        self,
        symbol: str,
        side: str,
        quantity: Number,
        *,
        duration_minutes: int = 60,
        num_slices: int = 10,
        price_limit: Number = "0",
        mode: str = "live",
        **options: Any,
    ) -> Json:
        """Spread an order over time in equal slices; ``price_limit`` "0" means none."""
        body = {
            "side": side,
            "quantity": decimal_text("quantity", quantity),
            "duration_minutes": duration_minutes,
            "num_slices": num_slices,
            "price_limit": decimal_text("price_limit", price_limit),
            "mode": mode,
            **present(**options),
        }
        twap: Json = await self._http.post(f"{pair_path(symbol)}/twap", json=_plain(body))
        return twap

    async def cancel_twap(self, symbol: str, twap_id: str) -> Json:
        """End a TWAP; what has been filled stays filled."""
        twap: Json = await self._http.delete(f"{pair_path(symbol)}/twap/{quote(twap_id, safe='')}")
        return twap

    async def active_twaps(self, symbol: str) -> list[Json]:
        """List the running TWAPs with their progress."""
        twaps: list[Json] = member(await self._read(symbol, "twap"), "twaps")
        return twaps

    async def place_scale(
        self,
        symbol: str,
        side: str,
        quantity: Number,
        *,
        price_low: Number,
        price_high: Number,
        num_orders: int = 10,
        distribution: str = "linear",
        mode: str = "live",
    ) -> Json:
        """Spread limit orders over a price range: all are placed, or none."""
        body = {
            "side": side,
            "quantity": decimal_text("quantity", quantity),
            "price_low": decimal_text("price_low", price_low),
            "price_high": decimal_text("price_high", price_high),
            "num_orders": num_orders,
            "distribution": distribution,
            "mode": mode,
        }
        scale: Json = await self._http.post(f"{pair_path(symbol)}/scale", json=body)
        return scale

    # The account.

    async def balance(self, symbol: str, mode: str | None = None) -> Json:
        """Read the balances of a pair's two assets."""
        return await self._read(symbol, "balance", mode=mode)

    async def withdraw(
        self,
        symbol: str,
        amount: Number,
        destination: str,
        *,
        asset: str | None = None,
        chain: str | None = None,
    ) -> Json:
        """Withdraw to a chain address; the key needs the ``withdraw`` permission."""
        body = {
            "amount": decimal_text("amount", amount),
            "destination": destination,
            **present(asset=asset, chain=chain),
        }
        result: Json = await self._http.post(f"{pair_path(symbol)}/withdraw", json=body)
        return result

    async def preflight(self, symbol: str) -> Json:
        """Read balances and best prices in one call, before an order."""
        result: Json = await self._http.get(f"/api/v1/clob/preflight/{pair_name(symbol)}")
        return result

    async def activate_dms(self, timeout_ms: int = 60_000) -> Json:
        """Arm the dead man's switch: without heartbeats all open orders are cancelled."""
        path = f"{_PREFIX}/dead-mans-switch"
        result: Json = await self._http.post(path, json={"timeout_ms": timeout_ms})
        return result

    async def heartbeat_dms(self) -> Json:
        """Tell the dead man's switch that you are alive."""
        result: Json = await self._http.post(f"{_PREFIX}/dead-mans-switch/heartbeat")
        return result

    async def deactivate_dms(self) -> Json:
        """Disarm the dead man's switch."""
        result: Json = await self._http.delete(f"{_PREFIX}/dead-mans-switch")
        return result

    async def fee_schedule(self) -> Json:
        """Read the fees of every tier."""
        result: Json = await self._http.get(f"{_PREFIX}/fee-schedule")
        return result

    async def my_fees(self) -> Json:
        """Read the account's own fees."""
        result: Json = await self._http.get(f"{_PREFIX}/my-fees")
        return result

    async def metrics(self) -> Json:
        """Read the engine's latency and depth per pair."""
        result: Json = await self._http.get(f"{_PREFIX}/metrics")
        return result

    async def _read(self, symbol: str, what: str, **params: Any) -> Json:
        body: Json = await self._http.get(f"{pair_path(symbol)}/{what}", params=params)
        return body
