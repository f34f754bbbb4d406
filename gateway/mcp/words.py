"""What each input means, for a model that has nothing else to go by: units, bounds, defaults.

The wire models say what a field must look like; these say what to put there. A tool's own word for
a field (``tool.field``) goes before the general one.
"""

from collections.abc import Mapping
from typing import Any, Final

_ID: Final = "As the exchange gave it."
WORDS: Final[Mapping[str, str]] = {
    "symbol": "The pair, by its base asset: vaix is VAIX/USDC. et_clob_list_pairs names them all.",
    "side": "Whether you buy or sell the base asset.",
    "quantity": "How much of the base asset (never of the quote asset), also of a market order: a "
    "multiple of the pair's lot_size, at least its min_order_size.",
    "price": "Quote asset per one unit of base, a multiple of tick_size. limit, post_only and "
    "stop_limit need it; to ioc and fok it is an optional bound; market and stop_market ignore it.",
    "order_type": "limit takes up to its price and rests with what is left; market takes at once, "
    "to a few per cent beyond the first price at most; ioc takes what it can and cancels the rest; "
    "fok is filled whole or refused; post_only rests, and is refused where it would take; "
    "stop_limit and stop_market wait for stop_price.",
    "mode": "Which world: live is real funds. An account in simulation mode is always paper, "
    "whatever this says; the answer's mode tells which applied.",
    "paper": "Overrides mode where it is given: true is paper, false is live.",
    "stop_price": "Stop orders only: a buy waits for a trade at or above it, a sell for one at or "
    "below it. A multiple of tick_size.",
    "stp_mode": "What gives way where the order meets one of your own: the resting one, the "
    "incoming one (cancel_taker is the same), both, or the smaller size of both.",
    "time_in_force_ms": "It expires so many milliseconds after it is accepted.",
    "expire_at": "It expires then: epoch microseconds, in the future.",
    "display_qty": "Iceberg: only so much of what rests is shown at a time; a multiple of "
    "lot_size.",
    "route_mode": "auto takes from book and pools, best price first; cex from the book only; dex "
    "from the pools only, and never rests.",
    "position_id": "Accepted and ignored.",
    "client_order_id": "Your own name for it, 1 to 64 of A-Z a-z 0-9 _ . : -. While the order is "
    "open, placing the same again gives that order instead of a second one.",
    "orders": "The orders; each stands alone, and gets its own result.",
    "order_id": f"{_ID} It says pair and mode by itself.",
    "order_ids": "The orders, by their ids.",
    "twap_id": f"{_ID} It is like twap_vaix_p_3.",
    "depth": "The least number of levels a side.",
    "interval": "The length of a candle.",
    "limit": "How many at most, the newest.",
    "offset": "How many to skip: for the next page, offset + limit of this one.",
    "duration_minutes": "From the first slice, which runs at once, to the end.",
    "num_slices": "Into how many orders; each must be at least min_order_size.",
    "price_limit": 'The worst price that any slice may pay or accept; "0" for none.',
    "price_low": "The lowest price, a multiple of tick_size.",
    "price_high": "The highest price, a multiple of tick_size.",
    "num_orders": "How many limit orders, at even distances, both prices included; the smallest "
    "must be at least min_order_size.",
    "distribution": "linear: all of one size; exponential: each larger than the one below it.",
    "amount": "How much of the base asset, as a decimal string.",
    "destination": "The address on the chain that is to receive it. It cannot be called back.",
    "et_clob_chart.limit": "How many of the newest candles.",
    "et_clob_amend_order.price": "The new price; left out, it stays. Another price goes to the "
    "back of the queue.",
    "et_clob_amend_order.quantity": "The new total quantity, what is filled included; left out, it "
    "stays. A smaller one keeps its place in the queue.",
    "et_clob_cancel_all_orders.symbol": "The pair whose orders are cancelled, in the account's own "
    "mode; left out: those of every pair, in both modes.",
    "et_clob_cancel_all_orders.pair": "Another name of symbol; give one of them.",
}
ADVICE: Final[Mapping[str, str]] = {
    "UNAUTHENTICATED": "Ask your user for an API key of this exchange.",
    "KEY_INVALID": "Ask your user for an API key of this exchange that is still valid.",
    "PERMISSION_DENIED": "Ask your user for a key with that permission; there is no other way.",
    "MARKET_NOT_ALLOWED": "Keep to the pairs that the key is for.",
    "LIVE_NOT_ENABLED": 'Only mode "paper" trades here.',
    "UNKNOWN_SYMBOL": "et_clob_list_pairs names the pairs.",
    "PRICE_OFF_TICK": "Round the price to a multiple of tick_size (et_clob_list_pairs).",
    "QUANTITY_OFF_LOT": "Round the quantity to a multiple of lot_size (et_clob_list_pairs).",
    "QUANTITY_TOO_SMALL": "min_order_size is in et_clob_list_pairs; it holds for each part of a "
    "TWAP or a scale.",
    "INSUFFICIENT_FUNDS": "et_clob_preflight shows what is available; open orders hold funds too.",
    "TOO_MANY_OPEN_ORDERS": "Cancel some first (et_clob_open_orders).",
    "MARKET_HALTED": "Only cancelling works now; tell your user.",
    "WOULD_TAKE": "Place it further from the other side (et_clob_bbo).",
    "WOULD_NOT_FILL": "et_clob_orderbook shows how much there is; ioc takes that and no more.",
    "STOP_WOULD_TRIGGER": "A buy's stop_price lies above the last price, a sell's below it "
    "(et_clob_ticker).",
    "NO_REFERENCE_PRICE": "Use a limit order.",
    "ORDER_NOT_FOUND": "et_clob_open_orders and et_clob_order_history list yours.",
    "ORDER_CLOSED": "It cannot be changed any more; the details show how it ended.",
    "NOT_AMENDABLE": "Cancel it, and place another.",
    "TWAP_NOT_FOUND": "et_clob_active_twaps lists yours.",
    "DEAD_MANS_SWITCH_INACTIVE": "It is not armed, or has gone off: look at et_clob_open_orders, "
    "then arm it anew.",
    "UNKNOWN_OUTCOME": "It may have happened: read et_clob_open_orders and et_clob_order_history "
    "before you place anything again.",
    "UNREACHABLE": "It may have happened: read et_clob_open_orders and et_clob_order_history "
    "before you place anything again.",
}
"""What to do about a refusal, by its code; where the message says it all there is nothing here."""
READING: Final = (
    "Which world to look at; left out: paper where the account is in simulation mode, else live."
)


def worded(tool: str, schema: dict[str, Any], *, reads: bool) -> dict[str, Any]:
    """Put the words into an input schema, that of the items of its arrays included."""
    fields = schema.get("properties", {})
    for name, field in fields.items():
        found = WORDS.get(f"{tool}.{name}") or WORDS.get(name)
        if name == "mode" and (reads or field.get("default", "") is None):
            found = READING
        if found:
            field["description"] = found
        worded(tool, field.get("items", {}), reads=reads)
    return schema
