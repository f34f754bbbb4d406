"""Public market data (section 3, rows 1 to 9 and 16)."""

from typing import Annotated, Literal

from pydantic import Field

from event_trader.wire.base import ModeName, ResponseModel, SideName
from event_trader.wire.numbers import FROM_QUERY, DecimalOut, Timestamp
from event_trader.wire.orders import ModeQuery

Interval = Literal["1m", "5m", "15m", "1h", "4h", "1d"]
MarketStatusName = Literal["trading", "halted", "recovering"]
VenueStatusName = Literal["live", "stale", "down"]
PriceLevel = Annotated[
    list[DecimalOut], Field(min_length=2, max_length=2, description="[price, size]")
]


class ChartQuery(ModeQuery):
    """Which candles, and how many of the newest."""

    interval: Interval = "1h"
    limit: Annotated[int, Field(ge=1, le=1_000), FROM_QUERY] = 100


class DepthQuery(ModeQuery):
    """At least how many levels a side."""

    depth: Annotated[int, Field(ge=1, le=500), FROM_QUERY] = 30


class TradesQuery(ModeQuery):
    """How many of the newest trades."""

    limit: Annotated[int, Field(ge=1, le=500), FROM_QUERY] = 50


class Pool(ResponseModel):
    """An AMM pool beside a pair's book."""

    venue: str
    kind: str
    address: str
    fee_bps: float


class Chain(ResponseModel):
    """A pair's tokens and pools on one chain."""

    base_address: str
    quote_address: str
    pools: list[Pool]


class Pair(ResponseModel):
    """A listed pair."""

    symbol: str
    pair: str
    base_symbol: str
    quote_symbol: str
    base_decimals: int
    quote_decimals: int
    tick_size: DecimalOut
    lot_size: DecimalOut
    min_order_size: DecimalOut
    maker_fee_bps: float
    taker_fee_bps: float
    status: MarketStatusName
    chains: dict[str, Chain]


class Pairs(ResponseModel):
    """The listing."""

    pairs: list[Pair]


class Market(ResponseModel):
    """One pair's figures."""

    symbol: str
    pair: str
    mode: ModeName
    price: DecimalOut
    change_24h: DecimalOut
    volume_24h: DecimalOut
    high_24h: DecimalOut
    low_24h: DecimalOut
    liquidity: DecimalOut
    market_cap: DecimalOut
    chains: list[str]
    status: MarketStatusName
    updated_at: Timestamp


class Markets(ResponseModel):
    """Every pair's figures."""

    markets: list[Market]


class Stats(ResponseModel):
    """Price, supply and the last 24 hours."""

    symbol: str
    mode: ModeName
    price: DecimalOut
    supply: DecimalOut
    market_cap: DecimalOut
    volume_24h: DecimalOut
    change_24h: DecimalOut


class Ticker(ResponseModel):
    """The last 24 hours and the best quotes."""

    symbol: str
    mode: ModeName
    last: DecimalOut
    open_24h: DecimalOut
    high_24h: DecimalOut
    low_24h: DecimalOut
    volume_24h: DecimalOut
    quote_volume_24h: DecimalOut
    change_24h: DecimalOut
    change_pct_24h: DecimalOut
    trades_24h: int
    best_bid: DecimalOut | None
    best_ask: DecimalOut | None
    timestamp: Timestamp


class Candle(ResponseModel):
    """One interval; ``time`` is its first second, Unix time."""

    time: int
    open: DecimalOut
    high: DecimalOut
    low: DecimalOut
    close: DecimalOut
    volume: DecimalOut
    trades: int


class Chart(ResponseModel):
    """Candles, oldest first, without gaps."""

    symbol: str
    mode: ModeName
    interval: Interval
    candles: list[Candle]


class LevelSource(ResponseModel):
    """What one venue gives to a level."""

    venue: str
    chain: str | None
    size: DecimalOut


class Book(ResponseModel):
    """A book, best first; ``*_sources[i]`` says who gives level i."""

    symbol: str
    mode: ModeName
    hybrid: bool
    sequence: int
    timestamp: Timestamp
    bids: list[PriceLevel]
    asks: list[PriceLevel]
    bid_sources: list[list[LevelSource]]
    ask_sources: list[list[LevelSource]]
    best_bid: DecimalOut | None
    best_ask: DecimalOut | None
    spread: DecimalOut | None
    mid_price: DecimalOut | None


class QuoteSource(ResponseModel):
    """Where each side's best comes from."""

    bid: Literal["clob", "hybrid"] | None
    ask: Literal["clob", "hybrid"] | None


class Bbo(ResponseModel):
    """The best bid and offer."""

    symbol: str
    mode: ModeName
    best_bid: DecimalOut | None
    best_bid_size: DecimalOut | None
    best_ask: DecimalOut | None
    best_ask_size: DecimalOut | None
    spread: DecimalOut | None
    mid_price: DecimalOut | None
    spread_bps: DecimalOut | None
    source: QuoteSource
    sequence: int
    timestamp: Timestamp


class Trade(ResponseModel):
    """A public trade; ``side`` is the taker's."""

    trade_id: str
    price: DecimalOut
    quantity: DecimalOut
    side: SideName
    venue: str
    chain: str | None
    timestamp: Timestamp


class Trades(ResponseModel):
    """Public trades, newest first."""

    trades: list[Trade]


class Venue(ResponseModel):
    """One place a pair trades at."""

    venue: str
    chain: str | None
    kind: str
    pool: str | None
    price: DecimalOut | None
    bid_liquidity: DecimalOut
    ask_liquidity: DecimalOut
    liquidity: DecimalOut
    share: DecimalOut
    fee_bps: float
    block: int | None
    age_ms: int
    status: VenueStatusName
    source: str | None
    detail: str | None
    """Why it is not live, one line."""


class ChainFeed(ResponseModel):
    """The feed of one chain, as it described itself within the last seconds."""

    chain: str
    source: str
    node: int
    """Which of the chain's RPC URLs is followed, counted from 0."""
    nodes: int
    block: int
    age_ms: int
    reconnects: int
    reorgs: int
    problem: str
    """Why the last connection ended, "" if none did."""


class Venues(ResponseModel):
    """Every place a pair trades at, the order book first."""

    symbol: str
    mode: ModeName
    venues: list[Venue]
    feeds: list[ChainFeed]
    total_liquidity: DecimalOut
