"""The engine's units and enumerations: what a number or a code means, everywhere.

Money is an integer, always. Three units exist, and a name says which one it holds:

* ``*_ticks``: a price, in multiples of the pair's ``tick_size``;
* ``*_lots``: a size, in multiples of the pair's ``lot_size``;
* ``*_raw``: an amount of an asset, in that asset's smallest unit (10 ** -decimals).

``quote_raw = price_ticks * size_lots * spec.quote_raw_per_tick_lot`` is exact, because a pair is
listed only if ``tick_size * lot_size`` is a whole number of quote units. Times are Unix
nanoseconds (``*_ns``). Rates of fees and bounds are parts per million (``*_ppm``; 10 bps = 1,000).
"""

from enum import IntEnum
from typing import Final, NewType

UserId = NewType("UserId", str)
"""An account or sub-account: ``usr_…`` or ``sub_…``. Opaque to the engine."""

OrderNo = NewType("OrderNo", int)
"""The number of an order within its market (pair and mode), 1, 2, 3 …"""

PPM: Final = 1_000_000
RAW_MAX: Final = 2**62
"""No amount of one order or balance exceeds this: journal and wire integers end at 64 bits.

An asset's decimals on the exchange are its own choice (`AssetSpec.decimals`, at most 12), not its
token's: with 6 decimals the bound is 4.6e12 whole units. Chains keep theirs in `PoolSpec`.
"""
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000


class Mode(IntEnum):
    """Paper and live never share a book, a balance, an order id or a trade."""

    PAPER = 0
    LIVE = 1


class Side(IntEnum):
    """The side of an order, as its owner sees it."""

    BUY = 0
    SELL = 1

    @property
    def opposite(self) -> "Side":
        """The side an order of this side trades with."""
        return _OPPOSITE[self]


_OPPOSITE: Final = (Side.SELL, Side.BUY)


class OrderType(IntEnum):
    """What an order does on arrival; append-only, the numbers are in the journal."""

    LIMIT = 0
    MARKET = 1
    IOC = 2
    POST_ONLY = 3
    STOP_LIMIT = 4
    FOK = 5
    STOP_MARKET = 6


class StpMode(IntEnum):
    """Self-trade prevention: who gives way when two orders of one user would meet.

    The wire's ``cancel_taker`` is ``CANCEL_INCOMING`` by another name, and the codec maps it.
    """

    CANCEL_RESTING = 0
    CANCEL_INCOMING = 1
    CANCEL_BOTH = 2
    DECREMENT_AND_CANCEL = 3


class RouteMode(IntEnum):
    """Where an order may trade: book and pools, the book only, pools only."""

    AUTO = 0
    CEX = 1
    DEX = 2


class OrderStatus(IntEnum):
    """The life cycle of an order; append-only, the numbers are in the journal."""

    PENDING_TRIGGER = 0
    OPEN = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELED = 4
    EXPIRED = 5
    REJECTED = 6


class Role(IntEnum):
    """Which side of a fill an order was on."""

    MAKER = 0
    TAKER = 1


class TwapStatus(IntEnum):
    """The life cycle of a TWAP."""

    ACTIVE = 0
    COMPLETED = 1
    CANCELED = 2


class ScaleDistribution(IntEnum):
    """How a scale order spreads its quantity from ``price_low`` to ``price_high``."""

    LINEAR = 0
    EXPONENTIAL = 1


class MarketStatus(IntEnum):
    """Whether a market takes orders. Cancels are taken in every state."""

    TRADING = 0
    HALTED = 1


class Reason(IntEnum):
    """Why a command was refused, or why an order closed. Append-only; the wire shows the name.

    Grouped by the stage that finds it, in order of precedence: of several faults a command has,
    the reason with the smallest number below ``CLOSE_REASONS`` is reported.
    """

    NONE = 0
    # The command itself.
    MARKET_HALTED = 10
    INVALID_QUANTITY = 11
    QUANTITY_TOO_SMALL = 12
    QUANTITY_TOO_LARGE = 13
    INVALID_PRICE = 14
    PRICE_REQUIRED = 15
    STOP_PRICE_REQUIRED = 16
    INVALID_STOP_PRICE = 17
    INVALID_DISPLAY_QTY = 18
    INVALID_EXPIRY = 19
    INVALID_PRICE_RANGE = 20
    INVALID_SLICES = 21
    LIVE_NOT_ENABLED = 22
    INVALID_COMBINATION = 23
    # What it names.
    ORDER_NOT_FOUND = 40
    ORDER_CLOSED = 41
    TWAP_NOT_FOUND = 42
    TWAP_CLOSED = 43
    IDEMPOTENCY_MISMATCH = 44
    NOTHING_TO_AMEND = 45
    NOT_AMENDABLE = 46
    # The account.
    TOO_MANY_OPEN_ORDERS = 60
    INSUFFICIENT_FUNDS = 61
    # The book.
    WOULD_TAKE = 80
    WOULD_NOT_FILL = 81
    STOP_WOULD_TRIGGER = 82
    NO_REFERENCE_PRICE = 83
    # Why an accepted order closed.
    CLOSE_REASONS = 100
    USER_CANCELED = 101
    NO_LIQUIDITY = 102
    PRICE_PROTECTION = 103
    SELF_TRADE = 104
    TIME_IN_FORCE = 105
    PARENT_CANCELED = 106
    IOC_REMAINDER = 107
    KILL_SWITCH = 108
    DEAD_MANS_SWITCH = 109
    FUNDS_EXHAUSTED = 110
    BOT_PAUSED = 111
    MARKET_DELISTED = 112
