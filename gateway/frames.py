"""The bytes of every WebSocket frame that is not somebody's own.

Pure functions from shown strings and integers to JSON text as bytes; ``type`` always comes first.
Who is sent which frame, and when, is the sessions' (`protocol` and its neighbours).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from actors.engine.pair_spec import PairSpec
from actors.engine.public_state import PublicTrade
from actors.engine.units import Mode
from gateway.codec import format_price, format_size, format_time, format_trade_id
from gateway.market_feeds import BookDelta, LevelText

encode = msgspec.json.Encoder().encode

PONG = b"pong"


def book_snapshot(
    symbol: str,
    sequence: int,
    bids: Sequence[LevelText],
    asks: Sequence[LevelText],
    time_ns: int,
    checksum: int,
) -> bytes:
    """Encode a whole book at a sequence."""
    return encode(
        {
            "type": "snapshot",
            "symbol": symbol,
            "sequence": sequence,
            "bids": bids,
            "asks": asks,
            "timestamp": format_time(time_ns),
            "checksum": checksum,
        }
    )


def book_update(delta: BookDelta) -> bytes:
    """Encode changed levels only; size ``"0"`` removes a level."""
    return encode(
        {
            "type": "update",
            "sequence": delta.sequence,
            "previous_sequence": delta.previous,
            "bids": tuple(delta.bids.items()),
            "asks": tuple(delta.asks.items()),
            "timestamp": format_time(delta.time_ns),
            "checksum": delta.checksum,
        }
    )


def trade_fields(spec: PairSpec, mode: Mode, trade: PublicTrade) -> dict[str, Any]:
    """Show a trade as `/trades` lists it: never a user, and ``side`` is the taker's."""
    return {
        "trade_id": format_trade_id(spec.symbol, mode, trade.trade_no),
        "price": format_price(spec, trade.price_ticks),
        "quantity": format_size(spec, trade.size_lots),
        "side": trade.side.name.lower(),
        "venue": "AMM" if trade.venue else "CLOB",
        "chain": chain_of(trade.venue),
        "timestamp": format_time(trade.time_ns),
    }


def chain_of(pool_id: str) -> str | None:
    """Name the chain of a fill's venue; None for the order book."""
    return pool_id.partition(":")[0] or None


def trade(spec: PairSpec, mode: Mode, trade: PublicTrade) -> bytes:
    """Encode one trade; its number is its sequence."""
    fields = trade_fields(spec, mode, trade)
    return encode({"type": "trade", "symbol": spec.symbol, **fields, "sequence": trade.trade_no})


def bbo(
    symbol: str,
    quotes: Sequence[tuple[str | None, str | None]],
    sequence: int,
    time_ns: int,
) -> bytes:
    """Encode the best bid and ask; null where nothing is offered."""
    (best_bid, bid_size), (best_ask, ask_size) = quotes
    return encode(
        {
            "type": "bbo",
            "symbol": symbol,
            "best_bid": best_bid,
            "best_bid_size": bid_size,
            "best_ask": best_ask,
            "best_ask_size": ask_size,
            "sequence": sequence,
            "timestamp": format_time(time_ns),
        }
    )


def price(symbol: str, shown: str, change_24h: str, time_ns: int) -> bytes:
    """Encode the last price."""
    fields = {"type": "price", "symbol": symbol, "price": shown, "change_24h": change_24h}
    return encode({**fields, "timestamp": format_time(time_ns)})


def trades_snapshot(symbol: str, trades: list[dict[str, Any]], sequence: int, now_ns: int) -> bytes:
    """Encode the latest trades, newest first, as `/trades` shows them."""
    return encode(
        {
            "type": "snapshot",
            "symbol": symbol,
            "sequence": sequence,
            "trades": trades,
            "timestamp": format_time(now_ns),
        }
    )


def heartbeat(sequence: int, now_ns: int) -> bytes:
    """Encode the sign of life that follows five seconds of silence."""
    return encode({"type": "heartbeat", "sequence": sequence, "timestamp": format_time(now_ns)})


def error(code: str, message: str) -> bytes:
    """Encode what was wrong with something the client sent."""
    return encode({"type": "error", "code": code, "message": message})


def connected(user_id: str, now_ns: int, positions: dict[str, int]) -> bytes:
    """Encode the private channel's first frame; ``sequences`` is where each market stands."""
    return encode(
        {
            "type": "connected",
            "user_id": user_id,
            "sequences": positions,
            "timestamp": format_time(now_ns),
        }
    )


def mode_name(mode: Mode) -> str:
    """Show a mode: ``paper`` or ``live``."""
    return mode.name.lower()
