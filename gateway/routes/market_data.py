"""Public market data: which market is meant; what it looks like is `rendering`'s."""

from typing import Final

from event_trader.wire import market as wire
from event_trader.wire.failure import ErrorCode
from event_trader.wire.orders import ModeQuery

from actors.engine.units import Mode
from actors.exchange_status import feed_rows
from gateway import rendering
from gateway.endpoint import Call, Route
from gateway.errors import ApiError, unavailable, unknown_symbol
from gateway.market import Market
from gateway.published import published_actors
from gateway.routes.orders import PREFIX


def market_of(call: Call, mode: Mode | None) -> Market:
    """Find a market's replica.

    Raises:
        ApiError: 503 RECOVERING while it has not been started.
    """
    market = call.services.deps.market_data.market(call.spec.symbol, mode)
    if market is None:
        raise unknown_symbol(call.spec.symbol)
    if not market.ready:
        raise _recovering()
    return market


def _recovering() -> ApiError:
    return unavailable(ErrorCode.RECOVERING, "The market is recovering; try again shortly.")


async def pairs(call: Call) -> bytes:
    """List the pairs."""
    return rendering.pairs(call.services.deps.market_data.markets(call.public_mode()))


async def markets(call: Call) -> bytes:
    """List the markets with their figures."""
    shown = call.services.deps.market_data.markets(call.public_mode())
    if not all(market.ready for market in shown):
        raise _recovering()
    return rendering.markets(shown, call.services.deps.clock_ns())


async def stats(call: Call) -> bytes:
    """Show price, supply and the last 24 hours."""
    return rendering.stats(market_of(call, call.public_mode()), call.services.deps.clock_ns())


async def chart(call: Call) -> bytes:
    """Show candles."""
    market = market_of(call, call.public_mode())
    now_ns = call.services.deps.clock_ns()
    return rendering.chart(market, call.query.interval, call.query.limit, now_ns)


async def venues(call: Call) -> bytes:
    """Show where the pair trades and what each place offers."""
    market = market_of(call, call.public_mode())
    feeds = feed_rows(await published_actors(call.services))
    return rendering.venues(market, call.services.deps.clock_ns(), feeds)


async def hybrid_book(call: Call) -> bytes:
    """Show the hybrid book."""
    return rendering.book(market_of(call, call.public_mode()), call.query.depth, hybrid=True)


async def book(call: Call) -> bytes:
    """Show the resting orders."""
    return rendering.book(market_of(call, call.public_mode()), call.query.depth, hybrid=False)


async def bbo(call: Call) -> bytes:
    """Show the best bid and offer."""
    return rendering.bbo(market_of(call, call.public_mode()))


async def trades(call: Call) -> bytes:
    """Show the newest trades."""
    return rendering.trades(market_of(call, call.public_mode()), call.query.limit)


async def ticker(call: Call) -> bytes:
    """Show the last 24 hours and the best quotes."""
    return rendering.ticker(market_of(call, call.public_mode()), call.services.deps.clock_ns())


ROUTES: Final = (
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/bbo", handler=bbo, tag="market data",
        summary="Best bid and offer", query=ModeQuery, response=wire.Bbo,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/book/hybrid", handler=hybrid_book,
        tag="market data", summary="Hybrid book: resting orders and AMM depth",
        query=wire.DepthQuery, response=wire.Book,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/book", handler=book, tag="market data",
        summary="Order book", query=wire.DepthQuery, response=wire.Book,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/ticker", handler=ticker, tag="market data",
        summary="24-hour ticker", query=ModeQuery, response=wire.Ticker,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/trades", handler=trades, tag="market data",
        summary="Recent trades", query=wire.TradesQuery, response=wire.Trades,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/stats", handler=stats, tag="market data",
        summary="Price, supply, market capitalisation", query=ModeQuery, response=wire.Stats,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/chart", handler=chart, tag="market data",
        summary="Candles", query=wire.ChartQuery, response=wire.Chart,
    ),
    Route(
        method="GET", path=f"{PREFIX}/{{symbol}}/venues", handler=venues, tag="market data",
        summary="Where the pair trades", query=ModeQuery, response=wire.Venues,
    ),
    Route(
        method="GET", path=f"{PREFIX}/pairs", handler=pairs, tag="market data",
        summary="The listing", query=ModeQuery, response=wire.Pairs,
    ),
    Route(
        method="GET", path=f"{PREFIX}/markets", handler=markets, tag="market data",
        summary="Every pair's figures", query=ModeQuery, response=wire.Markets,
    ),
)  # fmt: skip
