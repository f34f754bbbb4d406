"""One WebSocket channel of the pro class: what its frames mean, across connections.

The protocols of the Python client keep the position: they find gaps, resume, verify checksums and
let nothing through twice. Here their events become ccxt's caches.
"""

from typing import Any

from ccxt.async_support.base.ws.cache import ArrayCache, ArrayCacheBySymbolById
from ccxt.base.errors import NetworkError
from event_trader.stream_protocol import (
    BookProtocol,
    Event,
    PrivateProtocol,
    StreamProtocol,
    TradesProtocol,
)

from tandem_ccxt.candles import Candles

HYBRID = "orderbook"
"""Names the news of books with the pools' depth; `ORDERS_ONLY` those of resting orders alone."""
ORDERS_ONLY = "ordersbook"
CACHED_MAX = 1_000
"""Trades and orders that a cache keeps, per market or in all, as ccxt does."""


class Channel:
    """A channel's position; it outlives the connections that ccxt opens for it."""

    def __init__(self, protocol: StreamProtocol) -> None:
        self.protocol = protocol
        self._connection: Any = None

    def events(self, client: Any, frame: Event) -> list[Event]:
        """Take a frame; give what the caches should hear of it."""
        if self._connection is not client:
            self._connection = client
            self.protocol.opened()
        return self.protocol.receive(frame)

    def take(self, exchange: Any, client: Any, event: Event) -> None:
        """Bring an event into the exchange's caches, and wake who waits for it."""
        raise NotImplementedError

    def catch_up(self, exchange: Any, client: Any) -> None:
        """Read what the frames after a reconnect do not tell; nothing, for most channels."""

    def forget(self, exchange: Any) -> None:
        """Empty the caches that this channel filled; it is watched no more."""


class BookChannel(Channel):
    """An order book, verified at every step.

    Args:
        symbol: ccxt's symbol of the market.
        name: the cache's; the book with pools is kept as ``symbol``, the other one beside it.
    """

    def __init__(self, symbol: str, name: str = HYBRID) -> None:
        super().__init__(BookProtocol())
        self._symbol = symbol
        self._name = name
        self._key = symbol if name == HYBRID else f"{symbol}:{name}"

    def take(self, exchange: Any, client: Any, event: Event) -> None:
        """See `Channel`."""
        book = exchange.orderbooks.get(self._key)
        if book is None:
            book = exchange.orderbooks[self._key] = exchange.order_book()
        time_ms = exchange.parse8601(event["timestamp"])
        if event["type"] == "snapshot":
            snapshot = exchange.parse_order_book(event, self._symbol, time_ms)
            book.reset({**snapshot, "nonce": event["sequence"]})
        else:
            for side in ("bids", "asks"):
                for price, size in event[side]:
                    book[side].store(float(price), float(size))
            book["nonce"], book["timestamp"] = event["sequence"], time_ms
            book["datetime"] = exchange.iso8601(time_ms)
        exchange.tell(client, f"{self._name}:{self._symbol}", book)

    def forget(self, exchange: Any) -> None:
        """See `Channel`."""
        exchange.orderbooks.pop(self._key, None)


class TradesChannel(Channel):
    """The public tape, every trade once."""

    def __init__(self, symbol: str) -> None:
        super().__init__(TradesProtocol())
        self._symbol = symbol
        self.candles: dict[str, Candles] = {}
        """Those that are watched, by time frame."""

    def take(self, exchange: Any, client: Any, event: Event) -> None:
        """See `Channel`."""
        if event["type"] == "gap":
            exchange.logger.warning("%s %s trades were missed", event["missed"], self._symbol)
            for series in self.candles.values():
                series.missed()
            return
        tape = exchange.trades.get(self._symbol)
        if tape is None:
            tape = exchange.trades[self._symbol] = ArrayCache(CACHED_MAX)
        rows = reversed(event["trades"]) if event["type"] == "snapshot" else (event,)
        market = exchange.market(self._symbol)
        parsed = [exchange.parse_trade(row, market) for row in rows]
        for trade in parsed:
            tape.append(trade)
        if parsed:
            exchange.tell(client, f"trades:{self._symbol}", tape, parsed)
        for series in self.candles.values():
            series.take(exchange, client, parsed)

    def forget(self, exchange: Any) -> None:
        """See `Channel`."""
        exchange.trades.pop(self._symbol, None)


class TickersChannel(Channel):
    """The figures of all markets: every one first, then those that changed."""

    def __init__(self) -> None:
        super().__init__(StreamProtocol())

    def take(self, exchange: Any, client: Any, event: Event) -> None:
        """See `Channel`."""
        now = exchange.iso8601(exchange.milliseconds())
        changed = {}
        for row in event["markets"]:
            ticker = exchange.parse_ticker({"timestamp": event.get("timestamp", now), **row})
            symbol = ticker["symbol"]
            exchange.tickers[symbol] = changed[symbol] = ticker
            exchange.tell(client, f"ticker:{symbol}", ticker)
        exchange.tell(client, "tickers", changed)

    def forget(self, exchange: Any) -> None:
        """See `Channel`."""
        exchange.tickers.clear()


class QuotesChannel(Channel):
    """The best bid and offer of a market."""

    def __init__(self, symbol: str) -> None:
        super().__init__(StreamProtocol())
        self._symbol = symbol

    def take(self, exchange: Any, client: Any, event: Event) -> None:
        """See `Channel`."""
        quote = exchange.parse_ticker(event, exchange.market(self._symbol))
        exchange.bidsasks[self._symbol] = quote
        exchange.tell(client, f"bidask:{self._symbol}", quote)

    def forget(self, exchange: Any) -> None:
        """See `Channel`."""
        exchange.bidsasks.pop(self._symbol, None)


class PrivateChannel(Channel):
    """The account's orders, fills and funds in one mode.

    An update says how an order stands, not what it is; the rest is read by REST the first time an
    order is seen, and again when it was amended.
    """

    def __init__(self, mode: str) -> None:
        self._position = PrivateProtocol()
        super().__init__(self._position)
        self.mode = mode
        self._rows: dict[str, Event] = {}
        self._updates: list[Event] = []
        self._busy = False
        self._funds: dict[str, Event] = {}
        self._meanwhile: dict[str, Event] = {}
        """Funds told since the last time they were asked for."""
        self._unread = self._reading = False

    def take(self, exchange: Any, client: Any, event: Event) -> None:
        """See `Channel`."""
        kind = event["type"]
        if kind == "connected":
            self.catch_up(exchange, client)
        elif kind == "gap":
            exchange.logger.warning("events of %s were missed: read orders by REST", event)
        elif event.get("mode") != self.mode:
            return
        elif kind == "balance_update":
            self._funds[event["asset"]] = self._meanwhile[event["asset"]] = event
            if not self._unread:
                self._tell_funds(exchange, client)
        elif kind == "fill":
            self._fill(exchange, client, event)
        elif kind == "order_update":
            self._updates.append(event)
            self.go_on(exchange, client)

    def forget(self, exchange: Any) -> None:
        """See `Channel`."""
        exchange.orders, exchange.myTrades, exchange.balance = None, None, {}

    def go_on(self, exchange: Any, client: Any) -> None:
        """Do again what could not be done: tell an order that has to be read, read the funds."""
        if self._unread and not self._reading:
            self._reading = True
            exchange.spawn(self._read_funds, exchange, client)
        if self._updates and not self._busy:
            self._busy = True
            exchange.spawn(self._tell_orders, exchange, client)

    def catch_up(self, exchange: Any, client: Any) -> None:
        """Read the funds: they are not known yet, or may have changed unseen."""
        self._unread = True
        self.go_on(exchange, client)

    async def _read_funds(self, exchange: Any, client: Any) -> None:
        meanwhile = self._meanwhile = {}
        try:
            answer = await exchange.account_get_account_balances()
        except Exception as error:  # noqa: BLE001 (whoever waits for the balance gets it)
            exchange.fail(client, "balance", error)
            return
        finally:
            self._reading = False
        self._unread = False
        self._position.balances_read(answer["balances"])
        read = {row["asset"]: row for row in answer["balances"] if row["mode"] == self.mode}
        # An update that came meanwhile is at least as new.
        self._funds = {**read, **meanwhile}
        self._tell_funds(exchange, client)

    def _tell_funds(self, exchange: Any, client: Any) -> None:
        exchange.balance = exchange.parse_balance(list(self._funds.values()))
        exchange.tell(client, "balance", exchange.balance)

    def _fill(self, exchange: Any, client: Any, event: Event) -> None:
        if exchange.myTrades is None:
            exchange.myTrades = ArrayCacheBySymbolById(CACHED_MAX)
        trade = exchange.parse_trade(event)
        exchange.myTrades.append(trade)
        for name in ("myTrades", f"myTrades:{trade['symbol']}"):
            exchange.tell(client, name, exchange.myTrades, [trade])

    async def _tell_orders(self, exchange: Any, client: Any) -> None:
        try:
            while self._updates:
                try:
                    await self._tell_order(exchange, client, self._updates[0])
                except NetworkError:
                    raise
                except Exception:
                    self._updates.pop(0)
                    raise
                self._updates.pop(0)
        except Exception as error:  # noqa: BLE001 (whoever waits for orders gets it)
            exchange.fail(client, "orders", error)
        finally:
            self._busy = False

    async def _tell_order(self, exchange: Any, client: Any, event: Event) -> None:
        order_id = event["order_id"]
        row = self._rows.get(order_id)
        if row is None or not _moved(row, event):
            request = {"symbol": event["symbol"], "order_id": order_id}
            row = await exchange.private_get_symbol_orders_order_id(request)
        if row["sequence"] < event["sequence"]:
            row = {**row, **_standing(event)}
        self._rows[order_id] = row
        order = exchange.parse_order(row)
        if order["status"] != "open":
            del self._rows[order_id]
        if exchange.orders is None:
            exchange.orders = ArrayCacheBySymbolById(CACHED_MAX)
        exchange.orders.append(order)
        for name in ("orders", f"orders:{order['symbol']}"):
            exchange.tell(client, name, exchange.orders, [order])


_STANDING = ("status", "filled_quantity", "remaining_quantity", "average_price", "reason")


def _standing(event: Event) -> Event:
    changed = {name: event[name] for name in _STANDING}
    return {**changed, "sequence": event["sequence"], "updated_at": event["timestamp"]}


def _moved(row: Event, event: Event) -> bool:
    """Tell whether an update is of trading or an end; if not, the order itself was changed."""
    return any(row[name] != event[name] for name in ("status", "filled_quantity"))
