"""The state of an order as everybody outside the book sees it.

`OrderState` is what a reply, a history line and a closing event carry. The engine works on the same
fields (`level.Order`): the record of a closed order is the order itself, never a copy.
"""

from typing import Final

import msgspec

from actors.engine.units import (
    OrderNo,
    OrderStatus,
    OrderType,
    Reason,
    Role,
    RouteMode,
    ScaleDistribution,
    Side,
    StpMode,
    TwapStatus,
    UserId,
)


class Fill(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One execution of one order. ``venue`` is "" for the book, else the ``pool_id``."""

    trade_no: int
    price_ticks: int
    size_lots: int
    role: Role
    venue: str
    fee_raw: int
    time_ns: int


class Unrecorded:
    """What the engine keeps with an order beside its record: see `level.Order`.

    Slots of a plain class: msgspec knows nothing of them, so they are neither written nor read, and
    an order is encoded as its record is.
    """

    __slots__ = (
        "held_in_raw",
        "held_raw",
        "level",
        "maker_ppm",
        "next",
        "previous",
        "released_raw",
        "shown_lots",
        "taker_ppm",
    )


class OrderState(Unrecorded, msgspec.Struct, array_like=True, gc=False):
    """An order, whole.

    Invariant: ``size = filled + remaining`` while open; after a self-trade decrement ``size`` has
    shrunk with it; ``filled_quote_raw`` is the sum over fills.

    ``remaining_lots`` of a closed order is what was never filled.
    """

    order_no: OrderNo
    command_id: str
    user: UserId
    client_order_id: str
    side: Side
    order_type: OrderType
    stp: StpMode
    route: RouteMode
    price_ticks: int
    stop_ticks: int
    size_lots: int
    display_lots: int
    filled_lots: int
    remaining_lots: int
    filled_quote_raw: int
    fee_raw: int
    """Sum of fees, in raw quote units."""
    status: OrderStatus
    reason: Reason
    expire_at_ns: int
    parent: str
    """"" or the parent's id within the market: ``twap/<no>`` or ``scale/<no>``."""
    created_ns: int
    updated_ns: int
    sequence: int
    """The journal record that last changed the order."""
    fills: list[Fill]


NO_FILLS: Final[list[Fill]] = []
"""Of every order without a fill; never added to."""


class TwapState(msgspec.Struct, array_like=True):
    """A TWAP and its progress. ``children`` are order numbers, oldest first."""

    twap_no: int
    command_id: str
    user: UserId
    side: Side
    size_lots: int
    filled_lots: int
    filled_quote_raw: int
    limit_ticks: int
    num_slices: int
    slices_done: int
    status: TwapStatus
    reason: Reason
    created_ns: int
    ends_at_ns: int
    next_slice_ns: int
    """0 when no further slice is due."""
    children: list[OrderNo]


class ScaleState(msgspec.Struct, frozen=True, array_like=True):
    """A scale order as it was placed."""

    scale_no: int
    distribution: ScaleDistribution
    orders: list[OrderState]
