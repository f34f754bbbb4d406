"""The public routes' answers: a market's state as the contract's JSON, encoded once per change.

Every function here gives whole response bodies as bytes and asks no pair. Decimals are strings
(made by `codec`), times RFC 3339; a timestamp says when the shown state came to be, so that equal
states are equal bytes. What a route checks and which market it means is the routes'.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from actors.engine.hybrid import HybridLevel
from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.kinds import fee_ppm, spot
from actors.engine.pools.state import PoolState, PoolStatus
from actors.engine.units import NS_PER_MS, NS_PER_S, MarketStatus
from gateway import frames
from gateway.chart import without_holes
from gateway.codec import format_amount, format_price, format_ratio, format_size, format_time
from gateway.market import Market
from gateway.supply import supply_of, supply_text

encode = msgspec.json.Encoder().encode

INTERVALS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "4h": 14_400, "1d": 86_400}
"""Chart intervals by their name, in seconds."""

_STATUS = {MarketStatus.TRADING: "trading", MarketStatus.HALTED: "halted"}
_FEED_KEYS = (
    "chain", "source", "node", "nodes", "block", "age_ms", "reconnects", "reorgs", "problem",
)  # fmt: skip
_POOL_STATUS = {PoolStatus.LIVE: "live", PoolStatus.STALE: "stale", PoolStatus.DOWN: "down"}


def pairs(markets: Sequence[Market]) -> bytes:
    """Encode `GET /pairs`: what is listed, and on which pools it stands."""
    return encode({"pairs": [_pair_row(market) for market in markets]})


def _pair_row(market: Market) -> dict[str, Any]:
    spec = market.spec
    chains: dict[str, Any] = {}
    for pool in spec.pools:
        chain = chains.setdefault(
            pool.chain,
            {"base_address": pool.base_address, "quote_address": pool.quote_address, "pools": []},
        )
        chain["pools"].append(
            {
                "venue": pool.venue,
                "kind": pool.kind,
                "address": pool.address,
                "fee_bps": _bps(pool.fee_ppm),
            }
        )
    return {
        "symbol": spec.symbol,
        "pair": pair_name(market),
        "base_symbol": spec.base.symbol,
        "quote_symbol": spec.quote.symbol,
        "base_decimals": spec.base.decimals,
        "quote_decimals": spec.quote.decimals,
        "tick_size": spec.tick_size,
        "lot_size": spec.lot_size,
        "min_order_size": format_size(spec, spec.min_order_lots),
        "maker_fee_bps": _bps(spec.maker_fee_ppm),
        "taker_fee_bps": _bps(spec.taker_fee_ppm),
        "status": status_text(market),
        "chains": chains,
    }


def markets(shown: Sequence[Market], now_ns: int) -> bytes:
    """Encode `GET /markets`: one line of figures per pair."""
    rows = [_market_row(market, now_ns) for market in shown]
    return b'{"markets":[' + b",".join(rows) + b"]}"


def _market_row(market: Market, now_ns: int) -> bytes:
    spec = market.spec

    def build() -> bytes:
        day = market.day(now_ns)
        price_ticks = day.last_ticks
        _, total_raw = _venue_depths(market)
        row = {
            "symbol": spec.symbol,
            "pair": pair_name(market),
            "mode": frames.mode_name(market.mode),
            "price": market.price_text(price_ticks),
            "change_24h": format_price(spec, day.change_ticks),
            "volume_24h": format_size(spec, day.volume_lots),
            "high_24h": market.price_text(day.high_ticks),
            "low_24h": market.price_text(day.low_ticks),
            "liquidity": format_amount(total_raw, spec.quote.decimals),
            "market_cap": _market_cap(market, price_ticks),
            "chains": sorted({pool.chain for pool in spec.pools}),
            "status": status_text(market),
            "updated_at": format_time(market.time_ns),
        }
        return encode(row)

    return market.cached(("row", _minute(now_ns)), build)


def stats(market: Market, now_ns: int) -> bytes:
    """Encode `GET /{symbol}/stats`."""

    def build() -> bytes:
        day = market.day(now_ns)
        price_ticks = day.last_ticks
        return encode(
            {
                "symbol": market.spec.symbol,
                "mode": frames.mode_name(market.mode),
                "price": market.price_text(price_ticks),
                "supply": supply_text(supply_of(market.spec, market.pools())),
                "market_cap": _market_cap(market, price_ticks),
                "volume_24h": format_size(market.spec, day.volume_lots),
                "change_24h": format_price(market.spec, day.change_ticks),
            }
        )

    return market.cached(("stats", _minute(now_ns)), build)


def ticker(market: Market, now_ns: int) -> bytes:
    """Encode `GET /{symbol}/ticker`: the last 24 hours and the best quotes."""

    def build() -> bytes:
        spec, day = market.spec, market.day(now_ns)
        bid, ask = market.quotes()
        return encode(
            {
                "symbol": spec.symbol,
                "mode": frames.mode_name(market.mode),
                "last": market.price_text(day.last_ticks),
                "open_24h": market.price_text(day.open_ticks),
                "high_24h": market.price_text(day.high_ticks),
                "low_24h": market.price_text(day.low_ticks),
                "volume_24h": format_size(spec, day.volume_lots),
                "quote_volume_24h": format_amount(day.quote_raw, spec.quote.decimals),
                "change_24h": format_price(spec, day.change_ticks),
                "change_pct_24h": format_ratio(day.change_ticks * 100, day.open_ticks, 2),
                "trades_24h": day.trades,
                "best_bid": market.quote_text(bid)[0],
                "best_ask": market.quote_text(ask)[0],
                "timestamp": format_time(market.time_ns),
            }
        )

    return market.cached(("ticker", _minute(now_ns)), build)


def chart(market: Market, interval: str, limit: int, now_ns: int) -> bytes:
    """Encode `GET /{symbol}/chart`; ``interval`` is a key of `INTERVALS`."""
    interval_s = INTERVALS[interval]
    now_s = now_ns // NS_PER_S

    def build() -> bytes:
        candles = [
            {
                "time": candle.start_s,
                "open": market.price_text(candle.open_ticks),
                "high": market.price_text(candle.high_ticks),
                "low": market.price_text(candle.low_ticks),
                "close": market.price_text(candle.close_ticks),
                "volume": market.size_text(candle.volume_lots),
                "trades": candle.trades,
            }
            for candle in without_holes(market.candles(interval_s), interval_s, limit, now_s)
        ]
        return encode(
            {
                "symbol": market.spec.symbol,
                "mode": frames.mode_name(market.mode),
                "interval": interval,
                "candles": candles,
            }
        )

    return market.cached(("chart", interval, limit, now_s // interval_s), build)


def book(market: Market, depth: int, *, hybrid: bool) -> bytes:
    """Encode `GET /{symbol}/book` or `/book/hybrid` with ``depth`` levels a side where they are."""

    def build() -> bytes:
        bids, asks = market.levels(hybrid=hybrid, depth=depth)
        best_bid = bids[0][0] if bids else None
        best_ask = asks[0][0] if asks else None
        return encode(
            {
                "symbol": market.spec.symbol,
                "mode": frames.mode_name(market.mode),
                "hybrid": hybrid,
                "sequence": market.sequence(hybrid=hybrid),
                "timestamp": format_time(market.time_ns),
                "bids": market.shown(bids),
                "asks": market.shown(asks),
                "bid_sources": _sources(market, bids),
                "ask_sources": _sources(market, asks),
                **_spread(market, best_bid, best_ask),
            }
        )

    return market.cached(("book", hybrid, depth), build)


def bbo(market: Market) -> bytes:
    """Encode `GET /{symbol}/bbo`: the order book's best, the hybrid's where a side is empty."""

    def build() -> bytes:
        bid, ask = market.quotes()
        best_bid = bid.price_ticks if bid.source else None
        best_ask = ask.price_ticks if ask.source else None
        spread_bps = None
        if best_bid is not None and best_ask is not None:
            spread_bps = format_ratio(2 * 10_000 * (best_ask - best_bid), best_ask + best_bid, 2)
        return encode(
            {
                "symbol": market.spec.symbol,
                "mode": frames.mode_name(market.mode),
                **_spread(market, best_bid, best_ask),
                "best_bid_size": market.quote_text(bid)[1],
                "best_ask_size": market.quote_text(ask)[1],
                "spread_bps": spread_bps,
                "source": {"bid": bid.source or None, "ask": ask.source or None},
                "sequence": market.sequence(hybrid=True),
                "timestamp": format_time(market.time_ns),
            }
        )

    return market.cached("bbo", build)


def trades(market: Market, limit: int) -> bytes:
    """Encode `GET /{symbol}/trades`: the last ``limit``, newest first, never a user."""

    def build() -> bytes:
        shown = [
            frames.trade_fields(market.spec, market.mode, trade) for trade in market.tape(limit)
        ]
        return encode({"trades": shown})

    return market.cached(("trades", limit), build)


def venues(market: Market, now_ns: int, feeds: Sequence[dict[str, Any]]) -> bytes:
    """Encode `GET /{symbol}/venues`: the order book and each pool, with what each one offers.

    Liquidity is the quote value of a venue's levels in the hybrid book, ``share`` its part of all.
    ``feeds`` are all chain feeds as last published; those of the pair's chains are shown.
    """
    spec = market.spec
    depths, total_raw = _venue_depths(market)
    rows = [_venue_row(market, None, None, depths.get("", (0, 0)), total_raw)]
    states = {pool.pool_id: pool for pool in market.pools()}
    for pool in spec.pools:
        depth = depths.get(pool.pool_id, (0, 0))
        row = _venue_row(market, pool, states.get(pool.pool_id), depth, total_raw)
        row["age_ms"] = max(0, now_ns - market.pool_seen_ns(pool.pool_id)) // NS_PER_MS
        rows.append(row)
    return encode(
        {
            "symbol": spec.symbol,
            "mode": frames.mode_name(market.mode),
            "venues": rows,
            "feeds": [
                {key: feed[key] for key in _FEED_KEYS}
                for feed in feeds
                if any(feed["chain"] == pool.chain for pool in spec.pools)
            ],
            "total_liquidity": format_amount(total_raw, spec.quote.decimals),
        }
    )


def _venue_row(
    market: Market,
    pool: PoolSpec | None,
    state: PoolState | None,
    depth: tuple[int, int],
    total_raw: int,
) -> dict[str, Any]:
    bid_raw, ask_raw = depth
    decimals = market.spec.quote.decimals
    row: dict[str, Any] = {
        "bid_liquidity": format_amount(bid_raw, decimals),
        "ask_liquidity": format_amount(ask_raw, decimals),
        "liquidity": format_amount(bid_raw + ask_raw, decimals),
        "share": format_ratio(bid_raw + ask_raw, total_raw, 4),
    }
    if pool is None:
        bids, asks = market.levels(hybrid=False, depth=1)
        mid = _spread(
            market,
            bids[0][0] if bids else None,
            asks[0][0] if asks else None,
        )["mid_price"]
        return row | {
            "venue": "CLOB", "chain": None, "kind": "order_book", "pool": None, "price": mid,
            "fee_bps": _bps(market.spec.taker_fee_ppm), "block": None, "age_ms": 0,
            "status": "live", "source": None, "detail": None,
        }  # fmt: skip
    fee = fee_ppm(state.curve) if state and state.curve else pool.fee_ppm
    return row | {
        "venue": pool.venue, "chain": pool.chain, "kind": pool.kind, "pool": pool.address,
        "price": _pool_price(market, pool, state), "fee_bps": _bps(fee),
        "block": state.block if state else None,
        "status": _POOL_STATUS[state.status] if state else "down",
        "source": state.source if state else None,
        "detail": (state.detail or None) if state else "nothing was heard of it yet",
    }  # fmt: skip


def market_stream_row(market: Market) -> bytes:
    """Encode a market's row on the ``/ws/exchange/markets`` channel."""
    day = market.day(market.time_ns)
    bid, ask = market.quotes()
    return encode(
        {
            "symbol": market.spec.symbol,
            "price": market.price_text(day.last_ticks),
            "volume_24h": format_size(market.spec, day.volume_lots),
            "change_24h": format_price(market.spec, day.change_ticks),
            "best_bid": market.quote_text(bid)[0],
            "best_ask": market.quote_text(ask)[0],
        }
    )


def pair_name(market: Market) -> str:
    """Show a pair as ``VAIX/USDC``."""
    return f"{market.spec.base.symbol}/{market.spec.quote.symbol}"


def status_text(market: Market) -> str:
    """Show a market's status: ``trading``, ``halted``, or ``recovering`` before the first state."""
    return _STATUS[market.status] if market.ready else "recovering"


def _minute(now_ns: int) -> int:
    """Round down to the minute: what depends on the clock is encoded anew that often."""
    return now_ns // (60 * NS_PER_S)


def _bps(ppm: int) -> int | float:
    """Show parts per million as basis points: a whole number where it is one."""
    return ppm // 100 if ppm % 100 == 0 else ppm / 100


def _market_cap(market: Market, price_ticks: int) -> str:
    """Multiply price and supply, exactly, to the quote asset's places."""
    spec = market.spec
    cap = supply_of(spec, market.pools()) * Decimal(spec.tick_size) * price_ticks
    return format_amount(int(cap.scaleb(spec.quote.decimals)), spec.quote.decimals)


def _spread(market: Market, best_bid: int | None, best_ask: int | None) -> dict[str, str | None]:
    """Show the best prices, their difference, and the middle (which may need half a tick)."""
    spec = market.spec
    shown: dict[str, str | None] = {
        "best_bid": None if best_bid is None else market.price_text(best_bid),
        "best_ask": None if best_ask is None else market.price_text(best_ask),
        "spread": None,
        "mid_price": None,
    }
    if best_bid is not None and best_ask is not None:
        shown["spread"] = format_price(spec, best_ask - best_bid)
        both = best_bid + best_ask
        middle = format_price(spec, both // 2)
        if both % 2:
            half = Decimal(both) * Decimal(spec.tick_size) / 2
            middle = f"{half:f}"
        shown["mid_price"] = middle
    return shown


def _sources(market: Market, levels: Sequence[HybridLevel]) -> list[list[dict[str, Any]]]:
    return [
        [
            {**_source(market, pool_id), "size": market.size_text(size_lots)}
            for pool_id, size_lots in level[2]
        ]
        for level in levels
    ]


def _source(market: Market, pool_id: str) -> dict[str, Any]:
    if not pool_id:
        return {"venue": "CLOB", "chain": None}
    pool = market.pool_specs[pool_id]
    return {"venue": pool.venue, "chain": pool.chain}


def _venue_depths(market: Market) -> tuple[dict[str, tuple[int, int]], int]:
    """Sum the quote value of each venue's hybrid levels: ({pool_id: (bid_raw, ask_raw)}, total)."""
    unit = market.spec.quote_raw_per_tick_lot
    sums: dict[str, list[int]] = {}
    for at, side in enumerate(market.levels(hybrid=True)):
        for price_ticks, _, sources in side:
            for pool_id, size_lots in sources:
                venue = sums.setdefault(pool_id, [0, 0])
                venue[at] += price_ticks * size_lots * unit
    total = sum(bid + ask for bid, ask in sums.values())
    return {pool_id: (bid, ask) for pool_id, (bid, ask) in sums.items()}, total


def _pool_price(market: Market, pool: PoolSpec, state: PoolState | None) -> str | None:
    """Show a pool's marginal price before fees, to the places of the pair's tick."""
    if state is None or state.curve is None:
        return None
    quote, base = spot(state.curve)
    if not quote:
        return None
    places = len(market.price_text(0).partition(".")[2])
    return format_ratio(quote * 10**pool.base_decimals, base * 10**pool.quote_decimals, places)
