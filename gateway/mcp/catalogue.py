"""Every tool of the exchange, by name: the contract's twenty, and those for the other endpoints.

A tool is its route, the fields of it that it takes, and a sentence for whoever chooses among tools.
"""

from typing import Annotated, Any, Final, Literal

from event_trader.wire.base import RequestModel
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.endpoint import Route
from gateway.mcp.tool import Effect, Symbol, Tool, arguments_model
from gateway.routes import ROUTES
from gateway.routes.orders import PREFIX

_ROUTES: Final = {f"{route.method} {route.path}": route for route in ROUTES}


def route_at(method: str, path: str) -> Route:
    """Find a route by its method and its path after the API's prefix (or in full)."""
    full = path if path.startswith("/api/") else PREFIX + path
    return _ROUTES[f"{method} {full}"]


def _tool(name: str, at: str, takes: str, effect: Effect, title: str, description: str) -> Tool:
    """Make a tool; in ``takes`` a star marks what the route leaves open and the tool does not."""
    route = route_at(*at.split())
    names = takes.split()
    required = {name.rstrip("*") for name in names if name.endswith("*")}
    arguments = arguments_model(name, route, [name.rstrip("*") for name in names], required)
    return Tool(name, title, description, effect, arguments, route)


class CancelEverywhere(RequestModel):
    """Arguments of ``et_clob_cancel_all_orders``."""

    symbol: Symbol | None = Field(None, description="A pair; none means every pair.")
    pair: Symbol | None = Field(None, description="Another name of symbol.")

    @model_validator(mode="after")
    def _one_name(self) -> "CancelEverywhere":
        if self.symbol is not None and self.pair is not None:
            raise PydanticCustomError("pair", "give symbol or pair, not both")
        return self


class CancelAllTool(Tool):
    """Cancels on one pair, or on all of them when none is named."""

    def routed(self, values: dict[str, Any]) -> tuple[Route, dict[str, Any]]:
        """Choose between the pair's route and the kill switch."""
        named = values.get("symbol") or values.get("pair")
        if named is None:
            return route_at("DELETE", "/orders/all"), {}
        return self.route, {"symbol": named}


class DeadMansSwitch(RequestModel):
    """Arguments of ``et_clob_dead_mans_switch``."""

    action: Literal["arm", "heartbeat", "disarm"] = Field(
        "arm", description="arm it (or set it anew), say that you are alive, or disarm it."
    )
    timeout_ms: Annotated[int, Field(ge=1_000, le=86_400_000)] = Field(
        60_000, description="Only to arm: all open orders are cancelled after so long a silence."
    )


class DeadMansSwitchTool(Tool):
    """One tool for the three routes of the switch."""

    def routed(self, values: dict[str, Any]) -> tuple[Route, dict[str, Any]]:
        """Choose the route by the action."""
        action = values.pop("action", "arm")
        if action == "heartbeat":
            return route_at("POST", "/dead-mans-switch/heartbeat"), {}
        if action == "disarm":
            return route_at("DELETE", "/dead-mans-switch"), {}
        return self.route, values


_READ, _PLACE, _CANCEL = Effect.READ, Effect.PLACE, Effect.CANCEL
_PLACING: Final = (
    "symbol side quantity price order_type mode paper stop_price stp_mode time_in_force_ms "
    "expire_at display_qty route_mode position_id client_order_id"
)

_ALL: Final = (
    _tool("et_clob_list_pairs", "GET /pairs", "", _READ, "List pairs",
          "The listed pairs with tick, lot, smallest order, fees and AMM pools per chain."),
    _tool("et_clob_markets", "GET /markets", "", _READ, "Markets",
          "Price, 24-hour change and volume, liquidity and market cap of every pair."),
    _tool("et_clob_orderbook", "GET /{symbol}/book/hybrid", "symbol depth", _READ, "Hybrid book",
          "Bids and asks of resting orders and AMM pools together, best first, with the sources "
          "of each level. depth is the least number of levels a side."),
    _tool("et_clob_book", "GET /{symbol}/book", "symbol depth", _READ, "Order book",
          "Bids and asks of resting orders only, best first."),
    _tool("et_clob_bbo", "GET /{symbol}/bbo", "symbol", _READ, "Best bid and offer",
          "The best bid and ask of the book with sizes, mid price and spread; of the pools where a "
          "side of the book is empty, see source."),
    _tool("et_clob_stats", "GET /{symbol}/stats", "symbol", _READ, "Statistics",
          "Price, supply, market cap, 24-hour volume and change of a pair."),
    _tool("et_clob_venues", "GET /{symbol}/venues", "symbol", _READ, "Venues",
          "Each place the pair trades at (book and AMM pools): price, liquidity, freshness."),
    _tool("et_clob_ticker", "GET /{symbol}/ticker", "symbol", _READ, "Ticker",
          "Last price, the last 24 hours, and the best quotes of a pair."),
    _tool("et_clob_recent_trades", "GET /{symbol}/trades", "symbol limit", _READ, "Recent trades",
          "The newest public trades of a pair; side is the taker's."),
    _tool("et_clob_chart", "GET /{symbol}/chart", "symbol interval limit", _READ, "Candles",
          "Open, high, low, close and volume per interval, oldest first, without gaps."),
    _tool("et_clob_time", "GET /time", "", _READ, "Server time", "The exchange's clock."),
    _tool("et_clob_balance", "GET /{symbol}/balance", "symbol", _READ, "Balance",
          "What you have of a pair's two assets: available, locked in orders, and total."),
    _tool("et_clob_preflight", "GET /api/v1/clob/preflight/{symbol}", "symbol mode", _READ,
          "Preflight", "Balances and best prices of a pair in one call; call it before an order."),
    _tool("et_clob_open_orders", "GET /{symbol}/orders/open", "symbol mode", _READ, "Open orders",
          "Your open orders on a pair, oldest first."),
    _tool("et_clob_order_status", "GET /{symbol}/orders/{order_id}", "symbol order_id mode", _READ,
          "Order status", "One order of yours with its fills, however long it has been closed."),
    _tool("et_clob_order_history", "GET /{symbol}/orders/history", "symbol limit offset mode",
          _READ, "Order history", "Your closed orders on a pair, newest first, page by page."),
    _tool("et_clob_my_trades", "GET /{symbol}/trades/mine", "symbol limit", _READ, "My trades",
          "Your own trades on a pair, newest first; side and role are yours."),
    _tool("et_clob_active_twaps", "GET /{symbol}/twap", "symbol", _READ, "Active TWAPs",
          "Your running TWAPs on a pair with their progress."),
    _tool("et_clob_place_order", "POST /{symbol}/orders", _PLACING, _PLACE, "Place an order",
          "Place one order. quantity is in base units, price in quote per base unit; both are "
          "decimal strings and multiples of the pair's lot and tick. A limit order needs a price. "
          "Gives the order with its fills: read status, filled_quantity and reason."),
    _tool("et_clob_batch_place_orders", "POST /{symbol}/orders/batch", "symbol orders", _PLACE,
          "Place up to ten orders",
          "Place up to ten orders on a pair; each stands alone, see results."),
    _tool("et_clob_place_twap", "POST /{symbol}/twap",
          "symbol side quantity duration_minutes num_slices price_limit mode", _PLACE,
          "Start a TWAP",
          "Spread a quantity over time in equal slices, which the exchange runs by itself; follow "
          "them with et_clob_active_twaps. price_limit is the worst price; 0: none."),
    _tool("et_clob_place_scale", "POST /{symbol}/scale",
          "symbol side quantity price_low* price_high* num_orders distribution mode", _PLACE,
          "Place a scale",
          "Spread a quantity over a price range in limit orders: all are placed, or none."),
    _tool("et_clob_amend_order", "PATCH /{symbol}/orders/{order_id}",
          "symbol order_id price quantity mode", Effect.AMEND, "Amend an order",
          "Change an open order's price, its total quantity, or both, in one step. A smaller "
          "quantity keeps its place in the queue."),
    _tool("et_clob_cancel_order", "DELETE /{symbol}/orders/{order_id}", "symbol order_id mode",
          _CANCEL, "Cancel an order", "Cancel one open order; gives the order as it ended."),
    _tool("et_clob_batch_cancel_orders", "DELETE /{symbol}/orders/batch", "symbol order_ids",
          _CANCEL, "Cancel up to fifty orders",
          "Cancel up to fifty orders on a pair; each stands alone, see results."),
    _tool("et_clob_cancel_twap", "DELETE /{symbol}/twap/{twap_id}", "symbol twap_id", _CANCEL,
          "End a TWAP", "End a TWAP and its resting child; what was filled stays filled."),
    CancelAllTool(
        "et_clob_cancel_all_orders", "Cancel all orders",
        "Cancel all your open orders on a pair, or on every pair when none is named; running "
        "TWAPs end too.",
        _CANCEL, CancelEverywhere, route_at("DELETE", "/{symbol}/orders"),
    ),
    _tool("et_clob_kill_switch", "DELETE /orders/all", "", _CANCEL, "Kill switch",
          "Cancel every open order of yours, on every pair and in both modes, at once; running "
          "TWAPs end too."),
    DeadMansSwitchTool(
        "et_clob_dead_mans_switch", "Dead man's switch",
        "Have all your open orders and TWAPs cancelled when heartbeats stop: arm it, then call it "
        "with heartbeat more often than timeout_ms.",
        Effect.ARM, DeadMansSwitch, route_at("POST", "/dead-mans-switch"),
    ),
    _tool("et_clob_withdraw", "POST /{symbol}/withdraw", "symbol amount destination*", _PLACE,
          "Withdraw",
          "Send live funds of the pair's base token to an address on a chain. Needs a key that "
          "may withdraw; paper funds cannot be withdrawn."),
)  # fmt: skip

TOOLS: Final[dict[str, Tool]] = {tool.name: tool for tool in _ALL}
