"""What ``clob`` does, without ``async``. Made by ``make_sync.py``; change the other."""

from collections.abc import Sequence
from typing import Any

from event_trader.bodies import Json, Number
from event_trader.clob import Clob
from event_trader.loop_thread import LoopThread
from event_trader.sync_market_data import SyncMarketData


class SyncClob(SyncMarketData):
    """What `Clob` does, waiting for each answer."""

    def __init__(self, target: Clob, loop: LoopThread) -> None:
        super().__init__(target, loop)
        self._clob = target

    def place_order(
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
            >>> order = client.clob.place_order("vaix", "buy", "1000", price="0.003")
            >>> order["order_id"], order["status"], order["filled_quantity"]
        """
        return self._loop.run(
            self._clob.place_order(
                symbol,
                side,
                quantity,
                price=price,
                order_type=order_type,
                mode=mode,
                idempotency_key=idempotency_key,
                **options,
            )
        )

    def cancel_order(self, symbol: str, order_id: str, mode: str = "live") -> Json:
        """Cancel an order; returns it as it ended.

        Raises:
            OrderClosedError: it had already ended.

        Example:
            >>> ended = client.clob.cancel_order("vaix", order["order_id"])
            >>> ended["status"]
        """
        return self._loop.run(self._clob.cancel_order(symbol, order_id, mode))

    def amend_order(
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
            >>> client.clob.amend_order("vaix", order["order_id"], quantity="900")
        """
        return self._loop.run(
            self._clob.amend_order(symbol, order_id, price=price, quantity=quantity)
        )

    def batch_amend_orders(self, symbol: str, amendments: Sequence[Json]) -> Json:
        """Amend up to 50 orders, each ``{order_id, price?, quantity?}``; each stands alone.

        Example:
            >>> change = {"order_id": order["order_id"], "price": "0.0011"}
            >>> client.clob.batch_amend_orders("vaix", [change])["successful"]
        """
        return self._loop.run(self._clob.batch_amend_orders(symbol, amendments))

    def batch_place_orders(
        self, symbol: str, orders: Sequence[Json], *, idempotency_key: str | None = None
    ) -> Json:
        """Place up to 10 orders; each stands alone, see ``results``.

        Example:
            >>> order = {"side": "buy", "quantity": "1000", "price": "0.001"}
            >>> made = client.clob.batch_place_orders("vaix", [order, order])
            >>> made["successful"], made["failed"]
        """
        return self._loop.run(
            self._clob.batch_place_orders(symbol, orders, idempotency_key=idempotency_key)
        )

    def batch_cancel_orders(
        self, symbol: str, order_ids: Sequence[str], *, mode: str = "live"
    ) -> Json:
        """Cancel up to 50 orders; each stands alone, see ``results``.

        Example:
            >>> client.clob.batch_cancel_orders("vaix", [order["order_id"]])
        """
        return self._loop.run(self._clob.batch_cancel_orders(symbol, order_ids, mode=mode))

    def cancel_all(self, symbol: str, *, side: str | None = None, mode: str | None = None) -> Json:
        """Cancel all open orders on a pair, or those of one side; its running TWAPs end too.

        Example:
            >>> client.clob.cancel_all("vaix", side="buy")["cancelled"]
        """
        return self._loop.run(self._clob.cancel_all(symbol, side=side, mode=mode))

    def kill_switch(self, *, mode: str | None = None) -> Json:
        """Cancel every open order and TWAP everywhere: in both modes, unless one is named.

        Example:
            >>> client.clob.kill_switch()["order_ids"]
        """
        return self._loop.run(self._clob.kill_switch(mode=mode))

    def order(self, symbol: str, order_id: str) -> Json:
        """Read one order with its fills.

        Raises:
            OrderNotFoundError: you have no such order.

        Example:
            >>> client.clob.order("vaix", order["order_id"])["fills"]
        """
        return self._loop.run(self._clob.order(symbol, order_id))

    def open_orders(self, symbol: str, mode: str = "live") -> list[Json]:
        """List the open orders, oldest first.

        Example:
            >>> [one["order_id"] for one in client.clob.open_orders("vaix")]
        """
        return self._loop.run(self._clob.open_orders(symbol, mode))

    def order_history(
        self, symbol: str, limit: int = 50, offset: int = 0, mode: str = "live"
    ) -> Json:
        """Read orders that ended, newest first, page by page.

        Example:
            >>> page = client.clob.order_history("vaix", limit=10)
            >>> page["total"], page["has_more"]
        """
        return self._loop.run(self._clob.order_history(symbol, limit, offset, mode))

    def my_trades(self, symbol: str, limit: int = 50, mode: str = "live") -> list[Json]:
        """Read the account's fills, newest first.

        Example:
            >>> for fill in client.clob.my_trades("vaix"):
            ...     print(fill["side"], fill["quantity"], fill["price"], fill["fee"])
        """
        return self._loop.run(self._clob.my_trades(symbol, limit, mode))

    def place_twap(
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
            >>> twap = client.clob.place_twap(
            ...     "vaix", "buy", "50000", duration_minutes=120, num_slices=20
            ... )
            >>> twap["twap_id"], twap["ends_at"]
        """
        return self._loop.run(
            self._clob.place_twap(
                symbol,
                side,
                quantity,
                duration_minutes=duration_minutes,
                num_slices=num_slices,
                price_limit=price_limit,
                mode=mode,
                idempotency_key=idempotency_key,
                **options,
            )
        )

    def cancel_twap(self, symbol: str, twap_id: str) -> Json:
        """End a TWAP; what has been filled stays filled.

        Raises:
            TwapClosedError: it had already ended.

        Example:
            >>> client.clob.cancel_twap("vaix", twap["twap_id"])["filled_quantity"]
        """
        return self._loop.run(self._clob.cancel_twap(symbol, twap_id))

    def active_twaps(self, symbol: str, *, mode: str | None = None) -> list[Json]:
        """List the running TWAPs with their progress.

        Example:
            >>> for running in client.clob.active_twaps("vaix"):
            ...     print(running["slices_done"], "of", running["num_slices"])
        """
        return self._loop.run(self._clob.active_twaps(symbol, mode=mode))

    def place_scale(
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
            >>> scale = client.clob.place_scale(
            ...     "vaix", "buy", "10000", price_low="0.001", price_high="0.002", num_orders=10
            ... )
            >>> [(one["quantity"], one["price"]) for one in scale["orders"]]
        """
        return self._loop.run(
            self._clob.place_scale(
                symbol,
                side,
                quantity,
                price_low=price_low,
                price_high=price_high,
                num_orders=num_orders,
                distribution=distribution,
                mode=mode,
                idempotency_key=idempotency_key,
            )
        )

    def balance(self, symbol: str, mode: str | None = None) -> Json:
        """Read the balances of a pair's two assets.

        Example:
            >>> funds = client.clob.balance("vaix")
            >>> funds["base"]["available"], funds["quote"]["locked"]
        """
        return self._loop.run(self._clob.balance(symbol, mode))

    def withdraw(
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
            ...     client.clob.withdraw("vaix", "100", "0x" + "ab" * 20, chain="base")
            ... except LiveNotEnabledError as refusal:
            ...     print(refusal)
        """
        return self._loop.run(
            self._clob.withdraw(
                symbol,
                amount,
                destination,
                asset=asset,
                chain=chain,
                idempotency_key=idempotency_key,
            )
        )

    def preflight(self, symbol: str, *, mode: str | None = None) -> Json:
        """Read balances and best prices in one call, before an order.

        Example:
            >>> ready = client.clob.preflight("vaix")
            >>> ready["quote_balance"], ready["best_ask"], ready["server_ms"]
        """
        return self._loop.run(self._clob.preflight(symbol, mode=mode))

    def activate_dms(self, timeout_ms: int = 60000) -> Json:
        """Arm the dead man's switch: without heartbeats all open orders are cancelled.

        Example:
            >>> client.clob.activate_dms(timeout_ms=30_000)
        """
        return self._loop.run(self._clob.activate_dms(timeout_ms))

    def heartbeat_dms(self) -> Json:
        """Tell the dead man's switch that you are alive.

        Raises:
            DeadMansSwitchInactiveError: it is not armed, or has gone off.

        Example:
            >>> client.clob.activate_dms()
            >>> client.clob.heartbeat_dms()
        """
        return self._loop.run(self._clob.heartbeat_dms())

    def deactivate_dms(self) -> Json:
        """Disarm the dead man's switch.

        Example:
            >>> client.clob.deactivate_dms()
        """
        return self._loop.run(self._clob.deactivate_dms())

    def my_fees(self) -> Json:
        """Read the account's own fees.

        Example:
            >>> client.clob.my_fees()
        """
        return self._loop.run(self._clob.my_fees())
