"""What an order may be at all: grid, bounds and combinations, before anything is looked up.

Each check names the first fault in the precedence of `units.Reason`. Nothing here depends on the
book, on funds or on other orders, so a refusal made here is certain whatever happens meanwhile.
"""

from typing import Final, NamedTuple

from actors.engine.commands import AmendOrder, PlaceOrder
from actors.engine.pair_spec import PairSpec
from actors.engine.units import (
    NS_PER_MS,
    PPM,
    RAW_MAX,
    Mode,
    OrderType,
    Reason,
    RouteMode,
)

TIME_IN_FORCE_MS_MIN: Final = 1_000
TIME_IN_FORCE_MS_MAX: Final = 2_592_000_000

PRICED: Final = frozenset({OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP_LIMIT})
"""These need a limit; ioc and fok may have one, market and stop_market ignore it."""
UNPRICED: Final = frozenset({OrderType.MARKET, OrderType.STOP_MARKET})
STOPS: Final = frozenset({OrderType.STOP_LIMIT, OrderType.STOP_MARKET})
RESTING: Final = frozenset({OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP_LIMIT})
"""What is left of these waits on the book (unless routed to pools only)."""
IMMEDIATE: Final = frozenset({OrderType.MARKET, OrderType.IOC, OrderType.FOK})
"""These never wait, for a trigger or on the book."""

# A name of this module is found at once, an enumeration's member is searched for.
_POST_ONLY = OrderType.POST_ONLY
_MARKET, _STOP_MARKET = OrderType.MARKET, OrderType.STOP_MARKET
_DEX, _LIVE = RouteMode.DEX, Mode.LIVE
_PLAIN: Final = frozenset({OrderType.LIMIT, OrderType.MARKET, OrderType.IOC, OrderType.FOK})


class Refusal(NamedTuple):
    """Why something is refused, for a machine and for a person."""

    reason: Reason
    message: str


_MESSAGES: Final = {
    Reason.MARKET_HALTED: "the market is halted; cancels are still taken",
    Reason.LIVE_NOT_ENABLED: "orders routed to pools are not enabled in live mode; use cex or auto",
    Reason.ORDER_NOT_FOUND: "there is no such order of yours in this market",
    Reason.ORDER_CLOSED: "the order is closed already",
    Reason.TWAP_NOT_FOUND: "there is no such TWAP of yours in this market",
    Reason.TWAP_CLOSED: "the TWAP has ended already",
    Reason.IDEMPOTENCY_MISMATCH: (
        "client_order_id belongs to another open order of yours with other parameters"
    ),
    Reason.NOTHING_TO_AMEND: "name a price or a quantity that differs from the order's own",
    Reason.NOT_AMENDABLE: "such an order cannot be changed so; cancel it and place another",
    Reason.TOO_MANY_OPEN_ORDERS: "too many open orders on this pair; cancel some first",
    Reason.INSUFFICIENT_FUNDS: "the available balance does not cover the order and its fee",
    Reason.WOULD_TAKE: "a post_only order must not trade on arrival, and at this price it would",
    Reason.WOULD_NOT_FILL: "the whole quantity cannot be filled at once, as fok demands",
    Reason.STOP_WOULD_TRIGGER: "the last trade is through the stop price already",
    Reason.NO_REFERENCE_PRICE: "there is no price yet to measure against",
}


def refuse(reason: Reason, message: str = "") -> Refusal:
    """Make a refusal; without a message of its own it gets the usual one of its reason."""
    return Refusal(reason, message or _MESSAGES.get(reason, reason.name.lower().replace("_", " ")))


class Rules:
    """A pair's bounds and units, computed once.

    ``quote_unit`` are raw quote units per tick and lot, ``base_unit`` raw base units per lot.
    ``worth_max`` bounds price_ticks * size_lots: half of RAW_MAX, so that fees fit beside it.
    """

    __slots__ = ("base_unit", "mode", "quote_unit", "size_max", "spec", "worth_max")

    def __init__(self, spec: PairSpec, mode: Mode) -> None:
        self.spec = spec
        self.mode = mode
        self.quote_unit = spec.quote_raw_per_tick_lot
        self.base_unit = spec.base_raw_per_lot
        self.worth_max = RAW_MAX // 2 // self.quote_unit
        self.size_max = min(spec.max_order_lots, RAW_MAX // self.base_unit)


def check_place(command: PlaceOrder, rules: Rules, time_ns: int) -> Refusal | None:
    """Check a new order by itself. Returns the first fault, or None."""
    size, kind, spec = command.size_lots, command.order_type, rules.spec
    price = 1 if kind is _MARKET else command.price_ticks  # a market order's counts for nothing
    # The usual order has no fault, and is through after these few comparisons.
    if (
        kind in _PLAIN
        and spec.min_order_lots <= size <= rules.size_max
        and 0 < price <= spec.max_price_ticks
        and not command.stop_ticks
        and not command.display_lots
        and not command.expire_at_ns
        and not command.time_in_force_ms
        and command.route is not _DEX
        and size * price <= rules.worth_max
        and size > 0
    ):
        return None
    return (
        check_size(size, worst_ticks(command, spec), rules)
        or _check_prices(command, spec)
        or _check_display(command)
        or _check_expiry(command, time_ns)
        or _check_combination(command, rules.mode)
    )


def check_size(size_lots: int, price_ticks: int, rules: Rules) -> Refusal | None:
    """Check a total size, and that what it is worth at ``price_ticks`` stays countable."""
    spec = rules.spec
    if size_lots <= 0:
        return refuse(Reason.INVALID_QUANTITY, "quantity must be above zero")
    if size_lots < spec.min_order_lots:
        return refuse(
            Reason.QUANTITY_TOO_SMALL, f"quantity must be at least {spec.min_order_lots} lots"
        )
    if size_lots > spec.max_order_lots:
        return refuse(
            Reason.QUANTITY_TOO_LARGE, f"quantity must be at most {spec.max_order_lots} lots"
        )
    if size_lots * price_ticks > rules.worth_max or size_lots > rules.size_max:
        return refuse(Reason.QUANTITY_TOO_LARGE, "quantity times price is more than can be counted")
    return None


def check_amend(command: AmendOrder, rules: Rules) -> Refusal | None:
    """Check an amend by itself: a size or price that could never be."""
    spec = rules.spec
    size, price = command.size_lots, command.price_ticks
    if size < 0:
        return refuse(Reason.INVALID_QUANTITY, "quantity must be above zero")
    if size:
        fault = check_size(size, min(max(price, 0), spec.max_price_ticks), rules)
        if fault is not None:
            return fault
    if not 0 <= price <= spec.max_price_ticks:
        return _bad_price(Reason.INVALID_PRICE, "price", spec)
    return None


def worst_ticks(command: PlaceOrder, spec: PairSpec) -> int:
    """Name the highest price that the order's amounts are reckoned with; 0 when it has none."""
    kind = command.order_type
    if kind is _STOP_MARKET:
        price = protected_ticks(command.stop_ticks, spec.price_protection_ppm, up=True)
    elif kind is _MARKET:
        price = 0
    else:
        price = command.price_ticks
    highest = spec.max_price_ticks
    return price if 0 <= price <= highest else min(max(price, 0), highest)


def protected_ticks(first_ticks: int, protection_ppm: int, *, up: bool) -> int:
    """Name the last price that a market order may take, ``protection_ppm`` from the first one."""
    if up:
        return first_ticks * (PPM + protection_ppm) // PPM
    lowest = -(-first_ticks * (PPM - protection_ppm) // PPM)
    return lowest if lowest > 0 else 1


def deadline_ns(command: PlaceOrder, accepted_ns: int) -> int:
    """Name when the order expires: the earlier of both ways to say it; 0 for never."""
    deadline = command.expire_at_ns
    if command.time_in_force_ms:
        relative = accepted_ns + command.time_in_force_ms * NS_PER_MS
        deadline = min(deadline, relative) if deadline else relative
    return deadline


def _bad_price(reason: Reason, name: str, spec: PairSpec) -> Refusal:
    return refuse(reason, f"{name} must be from 1 to {spec.max_price_ticks} ticks")


def _check_prices(command: PlaceOrder, spec: PairSpec) -> Refusal | None:
    kind, price, stop = command.order_type, command.price_ticks, command.stop_ticks
    if kind not in UNPRICED and not 0 <= price <= spec.max_price_ticks:
        return _bad_price(Reason.INVALID_PRICE, "price", spec)
    if kind in PRICED and not price:
        return refuse(Reason.PRICE_REQUIRED, f"a {kind.name.lower()} order needs a price")
    if kind in STOPS and not stop:
        return refuse(Reason.STOP_PRICE_REQUIRED, f"a {kind.name.lower()} order needs a stop_price")
    if not 0 <= stop <= spec.max_price_ticks:
        return _bad_price(Reason.INVALID_STOP_PRICE, "stop_price", spec)
    return None


def _check_display(command: PlaceOrder) -> Refusal | None:
    if not 0 <= command.display_lots <= command.size_lots:
        return refuse(
            Reason.INVALID_DISPLAY_QTY, "display_qty must be above zero and at most the quantity"
        )
    return None


def _check_expiry(command: PlaceOrder, time_ns: int) -> Refusal | None:
    within = command.time_in_force_ms
    if within and not TIME_IN_FORCE_MS_MIN <= within <= TIME_IN_FORCE_MS_MAX:
        return refuse(
            Reason.INVALID_EXPIRY,
            f"time_in_force_ms must be from {TIME_IN_FORCE_MS_MIN} to {TIME_IN_FORCE_MS_MAX}",
        )
    if command.expire_at_ns and command.expire_at_ns <= time_ns:
        return refuse(Reason.INVALID_EXPIRY, "expire_at must be in the future")
    return None


def _check_combination(command: PlaceOrder, mode: Mode) -> Refusal | None:
    kind, pools_only = command.order_type, command.route is _DEX
    if pools_only and mode is _LIVE:
        return refuse(Reason.LIVE_NOT_ENABLED)
    if command.stop_ticks and kind not in STOPS:
        return refuse(Reason.INVALID_COMBINATION, "stop_price belongs to stop orders only")
    if command.display_lots and (kind not in RESTING or pools_only):
        return refuse(
            Reason.INVALID_COMBINATION, "display_qty belongs to orders that rest on the book"
        )
    if pools_only and kind is _POST_ONLY:
        return refuse(
            Reason.INVALID_COMBINATION, "post_only never takes and route dex never rests: use cex"
        )
    return None
