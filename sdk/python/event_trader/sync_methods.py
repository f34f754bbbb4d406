"""The methods of the synchronous client. Made by ``make_sync.py``; change the async ones."""

from collections.abc import Sequence
from typing import Any

from event_trader.account import Account, System
from event_trader.clob import Clob, Json, Number
from event_trader.loop_thread import LoopThread


class SyncClob:
    """What `Clob` does, waiting for each answer."""

    def __init__(self, target: Clob, loop: LoopThread) -> None:
        self._async = target
        self._loop = loop

    def list_pairs(self) -> list[Json]:
        """List the pairs with their ticks, lots, fees and pools."""
        return self._loop.run(self._async.list_pairs())

    def markets(self) -> list[Json]:
        """List the markets with price, 24-hour figures and liquidity."""
        return self._loop.run(self._async.markets())

    def stats(self, symbol: str) -> Json:
        """Read price, supply, market capitalisation and 24-hour figures."""
        return self._loop.run(self._async.stats(symbol))

    def chart(self, symbol: str, interval: str = "1h", limit: int = 100) -> Json:
        """Read candles, oldest first; ``interval`` is 1m, 5m, 15m, 1h, 4h or 1d."""
        return self._loop.run(self._async.chart(symbol, interval, limit))

    def venues(self, symbol: str) -> Json:
        """Read each venue's price, liquidity and state."""
        return self._loop.run(self._async.venues(symbol))

    def orderbook(self, symbol: str, depth: int = 30) -> Json:
        """Read the hybrid book: resting orders and pools, with the sources of each level."""
        return self._loop.run(self._async.orderbook(symbol, depth))

    def book(self, symbol: str, depth: int = 30) -> Json:
        """Read the book of resting orders only."""
        return self._loop.run(self._async.book(symbol, depth))

    def bbo(self, symbol: str) -> Json:
        """Read the best bid and offer."""
        return self._loop.run(self._async.bbo(symbol))

    def ticker(self, symbol: str) -> Json:
        """Read last price and 24-hour figures."""
        return self._loop.run(self._async.ticker(symbol))

    def time(self) -> Json:
        """Read the server's clock."""
        return self._loop.run(self._async.time())

    def recent_trades(self, symbol: str, limit: int = 50) -> list[Json]:
        """Read the public tape, newest first."""
        return self._loop.run(self._async.recent_trades(symbol, limit))

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
        """
        return self._loop.run(
            self._async.place_order(
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
            >>> client.clob.cancel_order("vaix", order["order_id"])
        """
        return self._loop.run(self._async.cancel_order(symbol, order_id, mode))

    def amend_order(
        self,
        symbol: str,
        order_id: str,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
    ) -> Json:
        """Change price or total quantity in one step; a smaller quantity keeps queue priority."""
        return self._loop.run(
            self._async.amend_order(symbol, order_id, price=price, quantity=quantity)
        )

    def batch_amend_orders(self, symbol: str, amendments: Sequence[Json]) -> Json:
        """Amend up to 50 orders, each ``{order_id, price?, quantity?}``; each stands alone."""
        return self._loop.run(self._async.batch_amend_orders(symbol, amendments))

    def batch_place_orders(self, symbol: str, orders: Sequence[Json]) -> Json:
        """Place up to 10 orders; each stands alone, see ``results``."""
        return self._loop.run(self._async.batch_place_orders(symbol, orders))

    def batch_cancel_orders(self, symbol: str, order_ids: Sequence[str]) -> Json:
        """Cancel up to 50 orders; each stands alone, see ``results``."""
        return self._loop.run(self._async.batch_cancel_orders(symbol, order_ids))

    def cancel_all(self, symbol: str, *, side: str | None = None) -> Json:
        """Cancel all open orders on a pair, or those of one side."""
        return self._loop.run(self._async.cancel_all(symbol, side=side))

    def kill_switch(self) -> Json:
        """Cancel every open order everywhere."""
        return self._loop.run(self._async.kill_switch())

    def order(self, symbol: str, order_id: str) -> Json:
        """Read one order with its fills."""
        return self._loop.run(self._async.order(symbol, order_id))

    def open_orders(self, symbol: str, mode: str = "live") -> list[Json]:
        """List the open orders, oldest first."""
        return self._loop.run(self._async.open_orders(symbol, mode))

    def order_history(
        self, symbol: str, limit: int = 50, offset: int = 0, mode: str = "live"
    ) -> Json:
        """Read orders that ended, newest first, page by page."""
        return self._loop.run(self._async.order_history(symbol, limit, offset, mode))

    def my_trades(self, symbol: str, limit: int = 50, mode: str = "live") -> list[Json]:
        """Read the account's fills, newest first."""
        return self._loop.run(self._async.my_trades(symbol, limit, mode))

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
        **options: Any,
    ) -> Json:
        """Spread an order over time in equal slices; ``price_limit`` "0" means none."""
        return self._loop.run(
            self._async.place_twap(
                symbol,
                side,
                quantity,
                duration_minutes=duration_minutes,
                num_slices=num_slices,
                price_limit=price_limit,
                mode=mode,
                **options,
            )
        )

    def cancel_twap(self, symbol: str, twap_id: str) -> Json:
        """End a TWAP; what has been filled stays filled."""
        return self._loop.run(self._async.cancel_twap(symbol, twap_id))

    def active_twaps(self, symbol: str) -> list[Json]:
        """List the running TWAPs with their progress."""
        return self._loop.run(self._async.active_twaps(symbol))

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
    ) -> Json:
        """Spread limit orders over a price range: all are placed, or none."""
        return self._loop.run(
            self._async.place_scale(
                symbol,
                side,
                quantity,
                price_low=price_low,
                price_high=price_high,
                num_orders=num_orders,
                distribution=distribution,
                mode=mode,
            )
        )

    def balance(self, symbol: str, mode: str | None = None) -> Json:
        """Read the balances of a pair's two assets."""
        return self._loop.run(self._async.balance(symbol, mode))

    def withdraw(
        self,
        symbol: str,
        amount: Number,
        destination: str,
        *,
        asset: str | None = None,
        chain: str | None = None,
    ) -> Json:
        """Withdraw to a chain address; the key needs the ``withdraw`` permission."""
        return self._loop.run(
            self._async.withdraw(symbol, amount, destination, asset=asset, chain=chain)
        )

    def preflight(self, symbol: str) -> Json:
        """Read balances and best prices in one call, before an order."""
        return self._loop.run(self._async.preflight(symbol))

    def activate_dms(self, timeout_ms: int = 60000) -> Json:
        """Arm the dead man's switch: without heartbeats all open orders are cancelled."""
        return self._loop.run(self._async.activate_dms(timeout_ms))

    def heartbeat_dms(self) -> Json:
        """Tell the dead man's switch that you are alive."""
        return self._loop.run(self._async.heartbeat_dms())

    def deactivate_dms(self) -> Json:
        """Disarm the dead man's switch."""
        return self._loop.run(self._async.deactivate_dms())

    def fee_schedule(self) -> Json:
        """Read the fees of every tier."""
        return self._loop.run(self._async.fee_schedule())

    def my_fees(self) -> Json:
        """Read the account's own fees."""
        return self._loop.run(self._async.my_fees())

    def metrics(self) -> Json:
        """Read the engine's latency and depth per pair."""
        return self._loop.run(self._async.metrics())


class SyncAccount:
    """What `Account` does, waiting for each answer."""

    def __init__(self, target: Account, loop: LoopThread) -> None:
        self._async = target
        self._loop = loop

    def me(self) -> Json:
        """Read who is logged in: id, email, username, role, simulation mode."""
        return self._loop.run(self._async.me())

    def profile(self) -> Json:
        """Read the account with its tier."""
        return self._loop.run(self._async.profile())

    def update(
        self,
        *,
        simulation_mode: bool | None = None,
        username: str | None = None,
        email: str | None = None,
    ) -> Json:
        """Change the account (log-in only, no API key); ``simulation_mode=False`` trades live.

        Example:
            >>> client.account.update(simulation_mode=False)
        """
        return self._loop.run(
            self._async.update(simulation_mode=simulation_mode, username=username, email=email)
        )

    def balances(self) -> list[Json]:
        """List every asset in both modes."""
        return self._loop.run(self._async.balances())

    def reset_paper(self) -> Json:
        """Cancel the paper orders and set the paper balances back to the grant."""
        return self._loop.run(self._async.reset_paper())

    def api_keys(self) -> list[Json]:
        """List the API keys: prefix, permissions, last use; never the key itself."""
        return self._loop.run(self._async.api_keys())

    def create_api_key(
        self,
        name: str,
        *,
        read: bool = True,
        trade: bool = False,
        withdraw: bool = False,
        ip_whitelist: Sequence[str] = (),
        allowed_markets: Sequence[str] = (),
        expires_in_days: int | None = None,
    ) -> Json:
        """Make an API key; ``key`` of the answer is shown this once.

        Example:
            >>> made = client.account.create_api_key("bot", trade=True)
            >>> made["key"]
        """
        return self._loop.run(
            self._async.create_api_key(
                name,
                read=read,
                trade=trade,
                withdraw=withdraw,
                ip_whitelist=ip_whitelist,
                allowed_markets=allowed_markets,
                expires_in_days=expires_in_days,
            )
        )

    def update_api_key(self, key_id: str, **changes: Any) -> Json:
        """Change name, permissions, ip_whitelist, allowed_markets or is_active of a key."""
        return self._loop.run(self._async.update_api_key(key_id, **changes))

    def delete_api_key(self, key_id: str) -> None:
        """Revoke a key; its open streams are closed."""
        return self._loop.run(self._async.delete_api_key(key_id))

    def sub_accounts(self) -> list[Json]:
        """List the sub-accounts with their funds, oldest first."""
        return self._loop.run(self._async.sub_accounts())

    def create_sub_account(self, label: str) -> Json:
        """Open a sub-account."""
        return self._loop.run(self._async.create_sub_account(label))

    def transfer(
        self,
        amount: Number,
        currency: str,
        *,
        to_sub_account_id: str | None = None,
        from_sub_account_id: str | None = None,
        mode: str = "live",
    ) -> Json:
        """Move available funds to or from a sub-account; a side left out is the account itself."""
        return self._loop.run(
            self._async.transfer(
                amount,
                currency,
                to_sub_account_id=to_sub_account_id,
                from_sub_account_id=from_sub_account_id,
                mode=mode,
            )
        )

    def logout(self) -> None:
        """End the session of a client made by `EventTrader.from_credentials`."""
        return self._loop.run(self._async.logout())


class SyncSystem:
    """What `System` does, waiting for each answer."""

    def __init__(self, target: System, loop: LoopThread) -> None:
        self._async = target
        self._loop = loop

    def health(self) -> Json:
        """Read whether the gateway is alive, and its version."""
        return self._loop.run(self._async.health())

    def ready(self) -> Json:
        """Read whether the exchange can trade.

        Raises:
            UnavailableError: some part cannot yet.
        """
        return self._loop.run(self._async.ready())

    def openapi(self) -> Json:
        """Read the OpenAPI document."""
        return self._loop.run(self._async.openapi())

    def prometheus(self) -> str:
        """Read the gateway's counters in Prometheus' text form."""
        return self._loop.run(self._async.prometheus())
