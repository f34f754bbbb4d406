"""Unified methods for market data."""

from typing import Any

from ccxt.base.errors import BadResponse, ExchangeNotAvailable

from tandem_ccxt.unified import Steps, call, unified

Params = dict[str, Any] | None

CANDLES_MAX = 1_000
TRADES_MAX = 500
DEPTH_MAX = 500
DEPTH_DEFAULT = 100


def market_of(exchange: Any, symbol: str) -> Steps:
    """Find a market by ccxt's symbol, loading the markets first.

    Raises:
        BadSymbol: there is no such market.
    """
    yield call("load_markets")
    return exchange.market(symbol)


def with_mode(exchange: Any, request: dict[str, Any], params: Params) -> dict[str, Any]:
    """Add the chosen mode, where one is chosen, and the caller's own parameters."""
    mode = exchange.options.get("mode")
    chosen = {"mode": mode} if mode else {}
    return {**chosen, **request, **(params or {})}


@unified
def fetch_markets(exchange: Any, params: Params = None) -> Steps:
    """List the pairs."""
    answer = yield call("public_get_pairs", params or {})
    if "pairs" not in answer:
        raise BadResponse(
            f"{exchange.id} {exchange.rest_url()} answers, but not as Tandem does: set "
            'urls["api"]["rest"] to where the exchange is'
        )
    return [exchange.parse_market(row) for row in answer["pairs"]]


@unified
def fetch_time(exchange: Any, params: Params = None) -> Steps:
    """Read the exchange's clock, in milliseconds."""
    answer = yield call("public_get_time", params or {})
    return exchange.safe_integer(answer, "epoch_ms")


@unified
def fetch_status(exchange: Any, params: Params = None) -> Steps:
    """Tell whether the exchange can trade: ``ok`` or ``maintenance``."""
    try:
        answer = yield call("root_get_ready", params or {})
        status = "ok"
    except ExchangeNotAvailable as error:
        answer, status = {"error": str(error)}, "maintenance"
    now_ms = exchange.milliseconds()
    return {"status": status, "updated": now_ms, "eta": None, "url": None, "info": answer}


@unified
def fetch_ticker(exchange: Any, symbol: str, params: Params = None) -> Steps:
    """Read the last 24 hours and the best quotes of a market."""
    market = yield from market_of(exchange, symbol)
    request = with_mode(exchange, {"symbol": market["id"]}, params)
    answer = yield call("public_get_symbol_ticker", request)
    return exchange.parse_ticker(answer, market)


@unified
def fetch_tickers(exchange: Any, symbols: Any = None, params: Params = None) -> Steps:
    """Read all markets' figures in one request; it has no quotes, see ``fetch_ticker``."""
    yield call("load_markets")
    wanted = exchange.market_symbols(symbols)
    answer = yield call("public_get_markets", with_mode(exchange, {}, params))
    return exchange.parse_tickers(answer["markets"], wanted)


@unified
def fetch_bids_asks(exchange: Any, symbols: Any = None, params: Params = None) -> Steps:
    """Read the best quotes of these markets, or of all; one request per market."""
    yield call("load_markets")
    quotes = []
    for symbol in exchange.market_symbols(symbols) or list(exchange.markets):
        request = with_mode(exchange, {"symbol": exchange.market_id(symbol)}, params)
        quotes.append((yield call("public_get_symbol_bbo", request)))
    return exchange.parse_tickers(quotes, symbols)


@unified
def fetch_last_prices(exchange: Any, symbols: Any = None, params: Params = None) -> Steps:
    """Read all markets' last prices in one request."""
    yield call("load_markets")
    wanted = exchange.market_symbols(symbols)
    answer = yield call("public_get_markets", with_mode(exchange, {}, params))
    return exchange.parse_last_prices(answer["markets"], wanted)


@unified
def fetch_order_book(
    exchange: Any, symbol: str, limit: int | None = None, params: Params = None
) -> Steps:
    """Read the book: resting orders and pools, or orders only with ``hybrid: False``."""
    market = yield from market_of(exchange, symbol)
    chosen = dict(params or {})
    hybrid = chosen.pop("hybrid", exchange.options["hybridBook"])
    depth = min(limit or DEPTH_DEFAULT, DEPTH_MAX)
    request = with_mode(exchange, {"symbol": market["id"], "depth": depth}, chosen)
    path = "public_get_symbol_book_hybrid" if hybrid else "public_get_symbol_book"
    answer = yield call(path, request)
    time_ms = exchange.parse8601(answer["timestamp"])
    book = exchange.parse_order_book(answer, market["symbol"], time_ms)
    book["nonce"] = answer["sequence"]
    if limit is not None:
        # The exchange takes a depth as a minimum.
        book["bids"], book["asks"] = book["bids"][:limit], book["asks"][:limit]
    return book


@unified
def fetch_trades(
    exchange: Any,
    symbol: str,
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read the newest public trades, oldest first."""
    market = yield from market_of(exchange, symbol)
    count = min(limit or TRADES_MAX, TRADES_MAX) if since is None else TRADES_MAX
    request = with_mode(exchange, {"symbol": market["id"], "limit": count}, params)
    answer = yield call("public_get_symbol_trades", request)
    return exchange.parse_trades(answer["trades"], market, since, limit)


@unified
def fetch_ohlcv(
    exchange: Any,
    symbol: str,
    timeframe: str = "1m",
    since: int | None = None,
    limit: int | None = None,
    params: Params = None,
) -> Steps:
    """Read candles, oldest first; what lies further back than 1,000 of them is not kept."""
    market = yield from market_of(exchange, symbol)
    count = limit or 100
    if since is not None:
        length_ms = exchange.parse_timeframe(timeframe) * 1_000
        count = (exchange.milliseconds() - since) // length_ms + 2
    request = {
        "symbol": market["id"],
        "interval": exchange.safe_string(exchange.timeframes, timeframe, timeframe),
        "limit": max(1, min(count, CANDLES_MAX)),
    }
    answer = yield call("public_get_symbol_chart", with_mode(exchange, request, params))
    return exchange.parse_ohlcvs(answer["candles"], market, timeframe, since, limit)
