"""All a trader needs before an order, in one call."""

import time
from typing import Any, Final

from event_trader.wire import system as wire
from event_trader.wire.orders import ModeQuery

from actors.engine.units import Mode
from gateway.balances import shown
from gateway.codec import format_price
from gateway.endpoint import Access, Call, Route
from gateway.order_view import MODES, pair_name
from gateway.routes.market_data import market_of

_MS_PER_S: Final = 1_000


async def preflight(call: Call) -> dict[str, Any]:
    """Show balances and best prices; ``server_ms`` is how long the exchange took for it."""
    started = time.perf_counter()
    mode, spec = call.mode(), call.spec
    found = await call.services.deps.accounts.balances(call.principal.user_id)
    funds = {b.asset: b for b in found if b.mode is mode}
    prices = _prices(call, mode)
    return {
        "pair": pair_name(spec),
        "symbol": spec.symbol,
        "mode": MODES[mode],
        "user_id": call.principal.user.id,
        "base_balance": shown(spec.base, mode, funds.get(spec.base.symbol))["available"],
        "quote_balance": shown(spec.quote, mode, funds.get(spec.quote.symbol))["available"],
        **prices,
        "server_ms": int((time.perf_counter() - started) * _MS_PER_S),
    }


def _prices(call: Call, mode: Mode) -> dict[str, Any]:
    market = market_of(call, mode)
    bid, ask = market.quotes()
    spread = None
    if bid.source and ask.source:
        spread = format_price(call.spec, ask.price_ticks - bid.price_ticks)
    return {
        "best_bid": market.quote_text(bid)[0],
        "best_ask": market.quote_text(ask)[0],
        "spread": spread,
    }


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/clob/preflight/{symbol}", handler=preflight, tag="orders",
        summary="Balances and best prices in one call", access=Access.READ, query=ModeQuery,
        response=wire.Preflight,
    ),
)  # fmt: skip
