"""Orders, and the account's side of the market, one short method for each route.

Quantities and prices are decimal strings, in both directions. Methods return the plain dicts and
lists that the API documents; money never becomes a float.
"""

from collections.abc import Sequence
from typing import Any

from event_trader.bodies import (
    PREFIX,
    Json,
    Number,
    decimal_text,
    id_path,
    member,
    pair_name,
    pair_path,
    plain,
    present,
)
from event_trader.codes import OrderClosedError
from event_trader.market_data import MarketData


class Clob(MarketData):
    """Market data, orders, and the account's side of both; reached as ``client.clob``."""

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
            >>> order["order_id"], order["status"], order["filled_quantity"]
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
            f"{pair_path(symbol)}/orders", json=plain(body), idempotency_key=idempotency_key
        )
        return order

    async def cancel_order(self, symbol: str, order_id: str, mode: str = "live") -> Json:
        """Cancel an order; returns it as it ended.

        Raises:
            OrderClosedError: it had already ended.

        Example:
            >>> ended = await client.clob.cancel_order("vaix", order["order_id"])
            >>> ended["status"]
        """
        path = f"{pair_path(symbol)}/orders/{id_path(order_id)}"
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
        """Change price or total quantity in one step; a smaller quantity keeps queue priority.

        Raises:
            NotAmendableError: this kind of order cannot be amended so.
            OrderClosedError: it had already ended.

        Example:
            >>> await client.clob.amend_order("vaix", order["order_id"], quantity="900")
        """
        body: Json = {}
        if price is not None:
            body["price"] = decimal_text("price", price)
        if quantity is not None:
            body["quantity"] = decimal_text("quantity", quantity)
        order: Json = await self._http.patch(
            f"{pair_path(symbol)}/orders/{id_path(order_id)}", json=body
        )
        return order

    async def batch_amend_orders(self, symbol: str, amendments: Sequence[Json]) -> Json:
        """Amend up to 50 orders, each ``{order_id, price?, quantity?}``; each stands alone.

        Example:
            >>> change = {"order_id": order["order_id"], "price": "0.0011"}
            >>> (await client.clob.batch_amend_orders("vaix", [change]))["successful"]
        """
        path = f"{pair_path(symbol)}/orders/batch"
        result: Json = await self._http.patch(path, json=[plain(one) for one in amendments])
        return result

    async def batch_place_orders(
        self, symbol: str, orders: Sequence[Json], *, idempotency_key: str | None = None
    ) -> Json:
        """Place up to 10 orders; each stands alone, see ``results``.

        Example:
            >>> order = {"side": "buy", "quantity": "1000", "price": "0.001"}
            >>> made = await client.clob.batch_place_orders("vaix", [order, order])
            >>> made["successful"], made["failed"]
        """
        body = {"orders": [plain(one) for one in orders]}
        path = f"{pair_path(symbol)}/orders/batch"
        result: Json = await self._http.post(path, json=body, idempotency_key=idempotency_key)
        return result

    async def batch_cancel_orders(
        self, symbol: str, order_ids: Sequence[str], *, mode: str = "live"
    ) -> Json:
        """Cancel up to 50 orders; each stands alone, see ``results``.

        Example:
            >>> await client.clob.batch_cancel_orders("vaix", [order["order_id"]])
        """
        path = f"{pair_path(symbol)}/orders/batch"
        body = {"order_ids": list(order_ids), "mode": mode}
        result: Json = await self._http.delete(path, json=body)
        return result

    async def cancel_all(
        self, symbol: str, *, side: str | None = None, mode: str | None = None
    ) -> Json:
        """Cancel all open orders on a pair, or those of one side; its running TWAPs end too.

        Example:
            >>> (await client.clob.cancel_all("vaix", side="buy"))["cancelled"]
        """
        path = f"{pair_path(symbol)}/orders"
        result: Json = await self._http.delete(path, params={"side": side, "mode": mode})
        return result

    async def kill_switch(self, *, mode: str | None = None) -> Json:
        """Cancel every open order and TWAP everywhere: in both modes, unless one is named.

        Example:
            >>> (await client.clob.kill_switch())["order_ids"]
        """
        result: Json = await self._http.delete(f"{PREFIX}/orders/all", params={"mode": mode})
        return result

    async def order(self, symbol: str, order_id: str) -> Json:
        """Read one order with its fills.

        Raises:
            OrderNotFoundError: you have no such order.

        Example:
            >>> (await client.clob.order("vaix", order["order_id"]))["fills"]
        """
        return await self._read(symbol, f"orders/{id_path(order_id)}")

    async def open_orders(self, symbol: str, mode: str = "live") -> list[Json]:
        """List the open orders, oldest first.

        Example:
            >>> [one["order_id"] for one in await client.clob.open_orders("vaix")]
        """
        orders: list[Json] = member(await self._read(symbol, "orders/open", mode=mode), "orders")
        return orders

    async def order_history(
        self, symbol: str, limit: int = 50, offset: int = 0, mode: str = "live"
    ) -> Json:
        """Read orders that ended, newest first, page by page.

        Example:
            >>> page = await client.clob.order_history("vaix", limit=10)
            >>> page["total"], page["has_more"]
        """
        return await self._read(symbol, "orders/history", limit=limit, offset=offset, mode=mode)

    async def my_trades(self, symbol: str, limit: int = 50, mode: str = "live") -> list[Json]:
        """Read the account's fills, newest first.

        Example:
            >>> for fill in await client.clob.my_trades("vaix"):
            ...     print(fill["side"], fill["quantity"], fill["price"], fill["fee"])
        """
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
        idempotency_key: str | None = None,
        **options: Any,
    ) -> Json:
        """Spread an order over time in equal slices.

        Args:
            symbol: base symbol, such as ``vaix``.
            side: ``buy`` or ``sell``.
            quantity: base units in all.
            duration_minutes: from the first slice to the end, 1 to 10,080.
            num_slices: into how many orders, 1 to 1,000.
            price_limit: the worst price of any slice; "0" means none.
            mode: ``live`` or ``paper``.
            idempotency_key: your own name for this intent, see `place_order`.
            **options: ``randomize``, ``max_slippage_pct``, ``paper``.

        Example:
            >>> twap = await client.clob.place_twap(
            ...     "vaix", "buy", "50000", duration_minutes=120, num_slices=20
            ... )
            >>> twap["twap_id"], twap["ends_at"]
        """
        body = {
            "side": side,
            "quantity": decimal_text("quantity", quantity),
            "duration_minutes": duration_minutes,
            "num_slices": num_slices,
            "price_limit": decimal_text("price_limit", price_limit),
            "mode": mode,
            **present(**options),
        }
        twap: Json = await self._http.post(
            f"{pair_path(symbol)}/twap", json=plain(body), idempotency_key=idempotency_key
        )
        return twap

    async def cancel_twap(self, symbol: str, twap_id: str) -> Json:
        """End a TWAP; what has been filled stays filled.

        Raises:
            TwapClosedError: it had already ended.

        Example:
            >>> (await client.clob.cancel_twap("vaix", twap["twap_id"]))["filled_quantity"]
        """
        twap: Json = await self._http.delete(f"{pair_path(symbol)}/twap/{id_path(twap_id)}")
        return twap

    async def active_twaps(self, symbol: str, *, mode: str | None = None) -> list[Json]:
        """List the running TWAPs with their progress.

        Example:
            >>> for running in await client.clob.active_twaps("vaix"):
            ...     print(running["slices_done"], "of", running["num_slices"])
        """
        twaps: list[Json] = member(await self._read(symbol, "twap", mode=mode), "twaps")
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
        idempotency_key: str | None = None,
    ) -> Json:
        """Spread limit orders over a price range: all are placed, or none.

        Args:
            symbol: base symbol, such as ``vaix``.
            side: ``buy`` or ``sell``.
            quantity: base units in all.
            price_low: the lowest price.
            price_high: the highest price.
            num_orders: how many, 2 to 100.
            distribution: ``linear`` or ``exponential``.
            mode: ``live`` or ``paper``.
            idempotency_key: your own name for this intent, see `place_order`.

        Example:
            >>> scale = await client.clob.place_scale(
            ...     "vaix", "buy", "10000", price_low="0.001", price_high="0.002", num_orders=10
            ... )
            >>> [(one["quantity"], one["price"]) for one in scale["orders"]]
        """
        body = {
            "side": side,
            "quantity": decimal_text("quantity", quantity),
            "price_low": decimal_text("price_low", price_low),
            "price_high": decimal_text("price_high", price_high),
            "num_orders": num_orders,
            "distribution": distribution,
            "mode": mode,
        }
        scale: Json = await self._http.post(
            f"{pair_path(symbol)}/scale", json=body, idempotency_key=idempotency_key
        )
        return scale

    # The account.

    async def balance(self, symbol: str, mode: str | None = None) -> Json:
        """Read the balances of a pair's two assets.

        Example:
            >>> funds = await client.clob.balance("vaix")
            >>> funds["base"]["available"], funds["quote"]["locked"]
        """
        return await self._read(symbol, "balance", mode=mode)

    async def withdraw(
        self,
        symbol: str,
        amount: Number,
        destination: str,
        *,
        asset: str | None = None,
        chain: str | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Withdraw live funds to a chain address; the key needs the ``withdraw`` permission.

        Raises:
            LiveNotEnabledError: the exchange holds no funds on a chain.
            PaperNotWithdrawableError: the account is in simulation mode.

        Example:
            >>> try:
            ...     await client.clob.withdraw("vaix", "100", "0x" + "ab" * 20, chain="base")
            ... except LiveNotEnabledError as refusal:
            ...     print(refusal)
        """
        body = {
            "amount": decimal_text("amount", amount),
            "destination": destination,
            **present(asset=asset, chain=chain),
        }
        result: Json = await self._http.post(
            f"{pair_path(symbol)}/withdraw", json=body, idempotency_key=idempotency_key
        )
        return result

    async def preflight(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read balances and best prices in one call, before an order.

        Example:
            >>> ready = await client.clob.preflight("vaix")
            >>> ready["quote_balance"], ready["best_ask"], ready["server_ms"]
        """
        path = f"/api/v1/clob/preflight/{pair_name(symbol)}"
        result: Json = await self._http.get(path, params={"mode": mode})
        return result

    async def activate_dms(self, timeout_ms: int = 60_000) -> Json:
        """Arm the dead man's switch: without heartbeats all open orders are cancelled.

        Example:
            >>> await client.clob.activate_dms(timeout_ms=30_000)
        """
        path = f"{PREFIX}/dead-mans-switch"
        result: Json = await self._http.post(path, json={"timeout_ms": timeout_ms})
        return result

    async def heartbeat_dms(self) -> Json:
        """Tell the dead man's switch that you are alive.

        Raises:
            DeadMansSwitchInactiveError: it is not armed, or has gone off.

        Example:
            >>> await client.clob.activate_dms()
            >>> await client.clob.heartbeat_dms()
        """
        result: Json = await self._http.post(f"{PREFIX}/dead-mans-switch/heartbeat")
        return result

    async def deactivate_dms(self) -> Json:
        """Disarm the dead man's switch.

        Example:
            >>> await client.clob.deactivate_dms()
        """
        result: Json = await self._http.delete(f"{PREFIX}/dead-mans-switch")
        return result

    async def my_fees(self) -> Json:
        """Read the account's own fees.

        Example:
            >>> await client.clob.my_fees()
        """
        result: Json = await self._http.get(f"{PREFIX}/my-fees")
        return result
