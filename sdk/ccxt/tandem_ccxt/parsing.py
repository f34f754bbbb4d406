"""Tandem's JSON in ccxt's shapes, requests as Tandem wants them, refusals as ccxt's exceptions.

No method here does I/O, so the sync, async and pro classes share them as they are. Numbers go
through ccxt's own string arithmetic; a float appears only where ccxt's shapes have one.
"""

from typing import Any
from urllib.parse import urlencode

from ccxt.base.errors import BadResponse, BaseError, RateLimitExceeded

from tandem_ccxt import endpoints, failures
from tandem_ccxt.described import COST_WITH_KEY, PLACING_COST

Json = dict[str, Any]

STATUSES = {
    "pending_trigger": "open",
    "open": "open",
    "partially_filled": "open",
    "filled": "closed",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}
_MARKET_TYPES = frozenset(("market", "stop_market"))
_LACKING = frozenset(("NOT_FOUND", "METHOD_NOT_ALLOWED"))
"""Codes of a path that the exchange does not have."""
_TIMES_IN_FORCE = {"gtc": "GTC", "gtt": "GTD", "ioc": "IOC", "fok": "FOK"}


class Parsing:
    """What the three exchange classes have in common; ccxt's base class supplies the rest."""

    def parse_market(self: Any, row: Json) -> Json:
        """Give a pair as ccxt's market structure."""
        base, quote = row["base_symbol"], row["quote_symbol"]
        result: Json = self.safe_market_structure(
            {
                "id": row["symbol"],
                "symbol": f"{base}/{quote}",
                "base": base,
                "quote": quote,
                "baseId": base,
                "quoteId": quote,
                "type": "spot",
                "spot": True,
                "margin": False,
                "swap": False,
                "future": False,
                "option": False,
                "contract": False,
                "active": row["status"] == "trading",
                "maker": row["maker_fee_bps"] / 10_000,
                "taker": row["taker_fee_bps"] / 10_000,
                "percentage": True,
                "tierBased": True,
                "feeSide": "quote",
                "precision": {
                    "amount": self.parse_number(row["lot_size"]),
                    "price": self.parse_number(row["tick_size"]),
                },
                "limits": {
                    "amount": {"min": self.parse_number(row["min_order_size"]), "max": None},
                    "price": {"min": self.parse_number(row["tick_size"]), "max": None},
                    "cost": {"min": None, "max": None},
                },
                "info": row,
            }
        )
        return result

    def parse_ticker(self: Any, row: Json, market: Any = None) -> Json:
        """Give a ``/ticker`` or ``/markets`` row, or one of the markets channel, as a ticker."""
        market = self.safe_market(row["symbol"], market)
        time_ms = self.parse8601(self.safe_string_2(row, "timestamp", "updated_at"))
        last = self.safe_string_2(row, "last", "price")
        result: Json = self.safe_ticker(
            {
                "symbol": market["symbol"],
                "timestamp": time_ms,
                "datetime": self.iso8601(time_ms),
                "high": self.safe_string(row, "high_24h"),
                "low": self.safe_string(row, "low_24h"),
                "bid": self.safe_string(row, "best_bid"),
                "bidVolume": self.safe_string(row, "best_bid_size"),
                "ask": self.safe_string(row, "best_ask"),
                "askVolume": self.safe_string(row, "best_ask_size"),
                "open": self.safe_string(row, "open_24h"),
                "close": last,
                "last": last,
                "change": self.safe_string(row, "change_24h"),
                "baseVolume": self.safe_string(row, "volume_24h"),
                "quoteVolume": self.safe_string(row, "quote_volume_24h"),
                "info": row,
            },
            market,
        )
        return result

    def parse_last_price(self: Any, row: Json, market: Any = None) -> Json:
        """Give a ``/markets`` row as ccxt's last price."""
        market = self.safe_market(row["symbol"], market)
        time_ms = self.parse8601(row["updated_at"])
        return {
            "symbol": market["symbol"],
            "timestamp": time_ms,
            "datetime": self.iso8601(time_ms),
            "price": self.parse_number(self.omit_zero(row["price"])),
            "side": None,
            "info": row,
        }

    def parse_ohlcv(self: Any, row: Json, _market: Any = None) -> list[Any]:
        """Give a candle; Tandem counts its time in seconds."""
        names = ("open", "high", "low", "close", "volume")
        return [row["time"] * 1_000, *(self.safe_number(row, name) for name in names)]

    def parse_trade(self: Any, row: Json, market: Any = None) -> Json:
        """Give a public trade, an own one, or an order's fill, as a trade."""
        market = self.safe_market(self.safe_string(row, "symbol"), market)
        time_ms = self.parse8601(row["timestamp"])
        fee = None
        if "fee" in row:
            fee = {"cost": row["fee"], "currency": row["fee_asset"]}
        result: Json = self.safe_trade(
            {
                "id": row["trade_id"],
                "order": self.safe_string(row, "order_id"),
                "timestamp": time_ms,
                "datetime": self.iso8601(time_ms),
                "symbol": market["symbol"],
                "type": None,
                "side": row["side"],
                # A public trade is shown from its taker's side.
                "takerOrMaker": self.safe_string(row, "role", "taker"),
                "price": row["price"],
                "amount": row["quantity"],
                "cost": None,
                "fee": fee,
                "info": row,
            },
            market,
        )
        return result

    def parse_trades(
        self: Any,
        rows: list[Json],
        market: Any = None,
        since: Any = None,
        limit: Any = None,
        params: Any = None,
    ) -> list[Json]:
        """Give trades in the order they happened, which their numbers say also within a moment."""
        parsed = [{**self.parse_trade(row, market), **(params or {})} for row in rows]
        parsed.sort(key=lambda trade: (trade["timestamp"], serial_number(trade["id"])))
        symbol = market["symbol"] if market else None
        kept: list[Json] = self.filter_by_symbol_since_limit(parsed, symbol, since, limit)
        return kept

    def parse_order(self: Any, row: Json, market: Any = None) -> Json:
        """Give an order, wherever it was shown."""
        market = self.safe_market(row["symbol"], market)
        kind = row["order_type"]
        placed_ms, updated_ms = self.parse8601(row["created_at"]), self.parse8601(row["updated_at"])
        fills = [{**fill, "order_id": row["order_id"]} for fill in row["fills"]]
        traded = [self.parse8601(fill["timestamp"]) for fill in fills]
        post_only = kind == "post_only"
        result: Json = self.safe_order(
            {
                "id": row["order_id"],
                "clientOrderId": row["client_order_id"],
                "timestamp": placed_ms,
                "datetime": self.iso8601(placed_ms),
                "lastTradeTimestamp": max(traded, default=None),
                "lastUpdateTimestamp": updated_ms,
                "symbol": market["symbol"],
                "type": "market" if kind in _MARKET_TYPES else "limit",
                "timeInForce": "PO" if post_only else _TIMES_IN_FORCE[row["time_in_force"]],
                "postOnly": post_only,
                "side": row["side"],
                "price": self.omit_zero(row["price"]),
                "triggerPrice": row["stop_price"],
                "amount": row["quantity"],
                "filled": row["filled_quantity"],
                "remaining": row["remaining_quantity"],
                "average": row["average_price"],
                "cost": None,
                "status": STATUSES[row["status"]],
                "fee": {
                    "cost": self.parse_number(row["fee_total"]),
                    "currency": row["fee_asset"],
                },
                "trades": fills,
                "info": row,
            },
            market,
        )
        return result

    def parse_balance(self: Any, rows: list[Json]) -> Json:
        """Give the funds of one mode."""
        result: Json = {"info": rows}
        for row in rows:
            code = self.safe_currency_code(row["asset"])
            account = self.account()
            account["free"], account["used"] = row["available"], row["locked"]
            account["total"] = row["total"]
            result[code] = account
        balance: Json = self.safe_balance(result)
        return balance

    # Requests.

    def rest_url(self: Any) -> str:
        """Tell where the exchange is: ``urls["api"]["rest"]`` without a slash at its end."""
        api = self.urls["api"]
        url = api if isinstance(api, str) else api["rest"]
        return str(url).rstrip("/")

    def sign(
        self: Any,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = None,
        headers: Any = None,
        body: Any = None,
    ) -> Json:
        """Write a request; see ccxt's manual for the name.

        A key is sent wherever there is one, also for market data: the exchange then shows the
        account's own mode, and counts against the account instead of the address.
        """
        room = api[0] if isinstance(api, list) else api
        rest: Json = dict(params or {})
        url = self.rest_url() + endpoints.PREFIXES[room] + self.implode_params(path, rest)
        rest = self.omit(rest, self.extract_params(path))
        headers = dict(headers or {})
        if room in ("private", "account"):
            self.check_required_credentials()
        if self.apiKey and room != "root":
            headers["X-API-Key"] = self.apiKey
        if "idempotencyKey" in rest:
            headers["Idempotency-Key"] = rest.pop("idempotencyKey")
        if method in ("POST", "PATCH") or "order_ids" in rest:
            headers["Content-Type"] = "application/json"
            body = self.json(rest)
        elif rest:
            url += "?" + urlencode({key: _query_value(value) for key, value in rest.items()})
        return {"url": url, "method": method, "body": body, "headers": headers}

    def calculate_rate_limiter_cost(
        self: Any, api: Any, method: str, path: str, _params: Any, _config: Any = None
    ) -> float:
        """Weigh a request so that the default limits are kept; raise ``rateLimit`` for others."""
        if method == "POST" and path.startswith("{symbol}/orders"):
            return PLACING_COST
        return COST_WITH_KEY if self.apiKey or api == ["private"] else 1.0

    def handle_errors(
        self: Any,
        status: int,
        _reason: str,
        url: str,
        method: str,
        headers: Any,
        _body: str,
        response: Any,
        _request_headers: Any,
        _request_body: Any,
    ) -> None:
        """Raise ccxt's exception for a refusal.

        Raises:
            BaseError: the subclass that `failures` names; the message has Tandem's code, its
                sentence and the request id.
        """
        error = response.get("error") if isinstance(response, dict) else None
        if isinstance(error, dict) and "code" in error:
            raise self.failure(status, error, response.get("request_id", ""), headers)
        if status >= 400 or not isinstance(response, (dict, list)):
            known = failures.BY_STATUS.get(status) if status in (429, 503) else None
            raise (known or BadResponse)(
                f"{self.id} {method} {url} answered HTTP {status} in a form that is not Tandem's: "
                f'set urls["api"]["rest"] to where the exchange is, was {self.rest_url()}'
            )

    def failure(
        self: Any, status: int, error: Json, request_id: str = "", headers: Any = None
    ) -> BaseError:
        """Make the exception for an error as Tandem writes it."""
        kind = failures.error_class(status, error["code"])
        text = f"{self.id} {error['code']}: {error.get('message', '')}"
        if error["code"] in _LACKING:
            text += " It may be older than this class: GET /health tells its version."
            text += " Upgrade the exchange."
        wait = (headers or {}).get("Retry-After")
        if wait and issubclass(kind, RateLimitExceeded):
            text += f" Retry after {wait} s."
        if request_id:
            text += f" (request {request_id})"
        made: BaseError = kind(text)
        return made

    def set_sandbox_mode(self: Any, enabled: bool) -> None:  # noqa: FBT001 (ccxt's signature)
        """Trade on paper, whatever the account is set to: Tandem's sandbox is its paper mode."""
        self.options["mode"] = "paper" if enabled else None
        self.isSandboxModeEnabled = enabled


def serial_number(name: str) -> int:
    """Give the number at the end of a trade's or an order's id: 17 of ``trd_vaix_p_17``."""
    return int(name.rpartition("_")[2])


def _query_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
