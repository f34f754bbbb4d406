"""A market's public state: what a gateway's replica starts from before it tails the journal."""

import msgspec

from actors.engine.pools.state import PoolState
from actors.engine.units import MarketStatus, Side

TRADES_KEPT = 500
"""The public tape that is kept in memory; `GET /trades` shows at most as many."""

CANDLES_KEPT = 1_500
"""Candles kept per interval: more than the 1,000 of `GET /chart`, and over 24 h of minutes."""


class PublicTrade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A trade without its users. ``side`` is the taker's; ``venue`` "" for the book."""

    trade_no: int
    price_ticks: int
    size_lots: int
    quote_raw: int
    side: Side
    venue: str
    time_ns: int


class Candle(msgspec.Struct, array_like=True, gc=False):
    """One interval's trades; ``start_s`` is the interval's first second, Unix time."""

    start_s: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    quote_raw: int
    trades: int


class PublicState(msgspec.Struct, array_like=True):
    """Everything public about a market at ``sequence``."""

    sequence: int
    book_seq: int
    hybrid_seq: int
    trade_seq: int
    status: MarketStatus
    bids: list[tuple[int, int]]
    """(price_ticks, size_lots), best first."""
    asks: list[tuple[int, int]]
    trades: list[PublicTrade]
    """Oldest first, at most TRADES_KEPT."""
    candles: dict[int, list[Candle]]
    """By interval in seconds (60, 300, 900, 3600, 14400, 86400), oldest first."""
    pools: list[PoolState]
    """Virtual states, in the order of ``PairSpec.pools``."""
    settlement_heads: list[int]
