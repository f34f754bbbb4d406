"""Everything that can be asked of a market (one pair in one mode), in the imperative.

A command is encoded once, by whoever issues it, and stays those bytes through the Ray call, the
journal and every replay (`encode`, `Decoder`). Commands are tagged arrays; fields are only ever
appended, with a default. ``command_id`` is 1-64 characters, unique per intent: a market applies an
id once and answers every repetition with the first outcome.

Validation by type happens here (msgspec), by grid and bounds in the engine; prices and sizes have
already been brought to ticks and lots by the gateway's codec.
"""

import msgspec

from actors.engine.pools.state import PoolState
from actors.engine.units import (
    MarketStatus,
    OrderNo,
    OrderType,
    Reason,
    RouteMode,
    ScaleDistribution,
    Side,
    StpMode,
    UserId,
)


class Command(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The root of all commands."""


class PlaceOrder(Command, tag=1, frozen=True, array_like=True, gc=False):
    """Place one order. Zero means "none" for prices, sizes and times that may be absent."""

    command_id: str
    user: UserId
    side: Side
    order_type: OrderType
    size_lots: int
    price_ticks: int = 0
    stop_ticks: int = 0
    display_lots: int = 0
    stp: StpMode = StpMode.CANCEL_RESTING
    route: RouteMode = RouteMode.AUTO
    expire_at_ns: int = 0
    time_in_force_ms: int = 0
    client_order_id: str = ""
    maker_fee_ppm: int = -1
    """The user's own rates by tier; -1 takes the pair's."""
    taker_fee_ppm: int = -1
    open_orders_max: int = 0
    """The user's own bound by tier; 0 takes the pair's."""


class CancelOrder(Command, tag=2, frozen=True, array_like=True, gc=False):
    """Cancel one order of the user's."""

    command_id: str
    user: UserId
    order_no: OrderNo


class CancelAll(Command, tag=3, frozen=True, array_like=True, gc=False):
    """Cancel all open orders (and active TWAPs) of a user, of one side if ``side`` is given."""

    command_id: str
    user: UserId
    side: Side | None = None
    reason: Reason = Reason.USER_CANCELED


class AmendOrder(Command, tag=4, frozen=True, array_like=True, gc=False):
    """Change an open order in one step; 0 keeps what is.

    ``size_lots`` is the new *total* quantity, filled part included. A smaller quantity at the same
    price keeps queue priority, everything else loses it.
    """

    command_id: str
    user: UserId
    order_no: OrderNo
    price_ticks: int = 0
    size_lots: int = 0


class PlaceTwap(Command, tag=5, frozen=True, array_like=True, gc=False):
    """Start a TWAP: ``num_slices`` child orders over ``duration_ms``; ``limit_ticks`` 0 = none."""

    command_id: str
    user: UserId
    side: Side
    size_lots: int
    duration_ms: int
    num_slices: int
    limit_ticks: int = 0
    randomize: bool = False
    max_slippage_ppm: int = 0
    maker_fee_ppm: int = -1
    taker_fee_ppm: int = -1
    open_orders_max: int = 0


class CancelTwap(Command, tag=6, frozen=True, array_like=True, gc=False):
    """End a TWAP; its resting child goes too."""

    command_id: str
    user: UserId
    twap_no: int


class TwapSlice(Command, tag=7, frozen=True, array_like=True, gc=False):
    """Run one slice of a TWAP. Only the engine's own `due` issues it.

    Its ``command_id`` is ``twap/<twap_no>/<slice_no>``, so a slice runs once whatever crashes.
    """

    command_id: str
    user: UserId
    twap_no: int
    slice_no: int


class PlaceScale(Command, tag=8, frozen=True, array_like=True, gc=False):
    """Place ``num_orders`` limit orders spread over a price range: all of them or none."""

    command_id: str
    user: UserId
    side: Side
    size_lots: int
    low_ticks: int
    high_ticks: int
    num_orders: int
    distribution: ScaleDistribution = ScaleDistribution.LINEAR
    maker_fee_ppm: int = -1
    taker_fee_ppm: int = -1
    open_orders_max: int = 0


class PoolUpdated(Command, tag=9, frozen=True, array_like=True, gc=False):
    """A chain feed's word on one pool: its whole state at a block, or that it is not usable."""

    command_id: str
    pool: PoolState


class PoolTraded(Command, tag=12, frozen=True, array_like=True, gc=False):
    """A chain feed's word on one swap that a listed pool executed for somebody else.

    It enters the tape as an AMM trade (`Traded` with the pool as ``venue`` and nobody on either
    side), so price, candles, volume, stops and TWAP limits see it; no order and no balance changes.
    A feed sends it before the `PoolUpdated` that holds the pool's state after the swap, once for
    each market of the pair, whatever the pool's status.

    **Once only.** ``command_id`` must be the same whenever the same swap is told again (a new
    connection, a repeated log, a block that a reorganisation replaced by another with the same
    transaction): `swap_id` makes it from the transaction. A swap that a reorganisation took back
    for good stays printed; a feed that wants otherwise waits for confirmations.

    **No double counting.** ``own`` marks a swap sent from the exchange's own wallet: its order was
    printed when it was filled, so it only makes the id known. Fills in paper mode are never on
    chain.

    Amounts are the pool's raw units, fee included: what was paid in and what came out. They travel
    in halves; make the command with `of`. ``side`` is that of the one who swapped: BUY took base.
    """

    command_id: str
    pool_id: str
    side: Side
    base_high: int
    base_low: int
    quote_high: int
    quote_low: int
    block: int = 0
    block_time_ns: int = 0
    own: bool = False

    @classmethod
    def of(
        cls, command_id: str, pool_id: str, side: Side, amounts: tuple[int, int], block: int = 0
    ) -> "PoolTraded":
        """Make it from whole (base, quote) amounts, each above zero and below 2**128."""
        base, quote = amounts
        low = (1 << 64) - 1
        return cls(
            command_id, pool_id, side, base >> 64, base & low, quote >> 64, quote & low, block
        )

    @property
    def base_raw(self) -> int:
        """The base token's amount, in the pool's raw units."""
        return self.base_high << 64 | self.base_low

    @property
    def quote_raw(self) -> int:
        """The quote token's amount, in the pool's raw units."""
        return self.quote_high << 64 | self.quote_low


def swap_id(transaction: str, position: int) -> str:
    """Name a swap for `PoolTraded.command_id`: at most 64 characters, the same after a reorg.

    Args:
        transaction: its hash or signature, as the chain writes it; the first 40 characters count.
        position: the swap's place among the pair's swaps of that transaction, from 0.
    """
    return f"swap/{transaction.removeprefix('0x')[:40]}/{position}"


class ClockTick(Command, tag=10, frozen=True, array_like=True, gc=False):
    """Let time pass: expire what is due. The time itself is that of the batch."""

    command_id: str


class SetMarketStatus(Command, tag=11, frozen=True, array_like=True, gc=False):
    """Halt or resume a market (operators only)."""

    command_id: str
    status: MarketStatus


AnyCommand = (
    PlaceOrder
    | CancelOrder
    | CancelAll
    | AmendOrder
    | PlaceTwap
    | CancelTwap
    | TwapSlice
    | PlaceScale
    | PoolUpdated
    | ClockTick
    | SetMarketStatus
    | PoolTraded
)


def encode(command: Command) -> bytes:
    """Encode a command as msgpack; `decoder` reads it back."""
    return _ENCODER.encode(command)


def decoder() -> "msgspec.msgpack.Decoder[AnyCommand]":
    """Make a decoder for any command (a decoder cannot be pickled: make it where it is used)."""
    return msgspec.msgpack.Decoder(AnyCommand)


_ENCODER = msgspec.msgpack.Encoder()
