"""TWAPs: parents that live in a market and place one child order per slice.

What lives here: what a slice is, when it is due, what it places, and when a TWAP ends. What does
not: matching, holds and events; the engine runs a slice in these steps:

    refusal = check_twap(command, rules)            # PlaceTwap: refuse, or
    book.place(command, time_ns)                    # the first slice is due at once
    book.due(time_ns) -> [TwapSlice]                # at most one per TWAP; the pair submits them
    plan = book.plan(slice, best_ticks)             # TwapSlice: None = stale, nothing happens
        cancel plan.replaces, if any                # the child that still rests
        place plan.order, if any, with parent=parent_of(twap_no)
        book.filled(parent, lots, quote_raw)        # for every fill of a child, at any time
    book.finish(slice, result, time_ns)
    book.child_closed(parent, order_no)             # whenever a resting child ends by itself
    book.drain() -> [TwapState]                     # at the end of any step: emit TwapChanged

**Sizes.** Slice i of n has ``size // n`` lots, the first ``size % n`` slices one more. What earlier
slices did not fill is carried: a slice orders all that should have been filled by its end and was
not. **Orders.** Without a limit a slice is a market order (with ``max_slippage_ppm`` an ioc order
bounded from the best price it could take). With ``limit_ticks`` it is a limit order, which rests
until the next slice replaces it, the last one until the TWAP's end; only then does a child rest.
**Times.** Slice i is due at ``created + i * duration / n``; ``randomize`` moves all but the first
later by up to half an interval, by a hash of the numbers, so that a replay finds the same times.
**Downtime.** Missed slices run one by one, a second (or a shorter interval) apart, not in a burst,
beyond ``ends_at_ns`` if need be.
"""

from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from actors.engine.commands import PlaceOrder, PlaceTwap, TwapSlice
from actors.engine.invariants import invariant
from actors.engine.order import TwapState
from actors.engine.order_policies import Refusal, Rules, check_size, protected_ticks, refuse
from actors.engine.units import (
    NS_PER_MS,
    NS_PER_S,
    PPM,
    OrderNo,
    OrderType,
    Reason,
    Side,
    TwapStatus,
    UserId,
)

SLICES_MAX: Final = 1_000
DURATION_MS_MIN: Final = 60_000
DURATION_MS_MAX: Final = 10_080 * 60_000
"""One minute to one week."""

_CLOSED_KEPT: Final = 1_000
"""Ended TWAPs that are remembered, so that cancelling one says that it has ended."""

_CATCH_UP_NS: Final = NS_PER_S
_PARENT: Final = "twap/"


class Twap(msgspec.Struct, array_like=True):
    """A TWAP as it lives in a market and stands in its snapshot."""

    twap_no: int
    command_id: str
    user: UserId
    side: Side
    size_lots: int
    limit_ticks: int
    num_slices: int
    duration_ns: int
    randomize: bool
    max_slippage_ppm: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    open_orders_max: int
    created_ns: int
    next_slice_ns: int
    filled_lots: int = 0
    filled_quote_raw: int = 0
    slices_done: int = 0
    status: TwapStatus = TwapStatus.ACTIVE
    reason: Reason = Reason.NONE
    resting_no: OrderNo = OrderNo(0)
    """The child on the book; 0 for none."""
    children: list[OrderNo] = []

    def target_lots(self, slice_no: int) -> int:
        """Return how much should be filled once the slice (counted from 0) has run."""
        share, rest = divmod(self.size_lots, self.num_slices)
        return share * (slice_no + 1) + min(slice_no + 1, rest)

    def slice_ns(self, slice_no: int) -> int:
        """Return when a slice is due; ``num_slices`` names the TWAP's end."""
        time_ns = self.created_ns + slice_no * self.duration_ns // self.num_slices
        if self.randomize and 0 < slice_no < self.num_slices:
            name = f"{self.twap_no}/{slice_no}".encode()
            draw = int.from_bytes(blake2b(name, digest_size=8).digest())
            time_ns += draw * (self.duration_ns // self.num_slices // 2) >> 64
        return time_ns

    def view(self) -> TwapState:
        """Return the TWAP as everybody outside sees it; shares nothing with this object."""
        active = self.status is TwapStatus.ACTIVE
        return TwapState(
            self.twap_no,
            self.command_id,
            self.user,
            self.side,
            self.size_lots,
            self.filled_lots,
            self.filled_quote_raw,
            self.limit_ticks,
            self.num_slices,
            self.slices_done,
            self.status,
            self.reason,
            self.created_ns,
            self.created_ns + self.duration_ns,
            self.next_slice_ns if active and self.slices_done < self.num_slices else 0,
            self.children.copy(),
        )


class SlicePlan(NamedTuple):
    """What a slice does: cancel ``replaces`` (0: nothing), then place ``order`` (None: nothing)."""

    order: PlaceOrder | None
    replaces: OrderNo


class SliceResult(NamedTuple):
    """What became of a slice's order.

    ``order_no`` is 0 where none was accepted; ``rests`` says that it is on the book now; ``reason``
    tells why less than all was filled, or why the order was refused (INSUFFICIENT_FUNDS ...).
    """

    order_no: OrderNo = OrderNo(0)
    rests: bool = False
    reason: Reason = Reason.NONE


def parent_of(twap_no: int) -> str:
    """Name a TWAP as the parent of its children, as in ``OrderState.parent``."""
    return f"{_PARENT}{twap_no}"


def check_twap(command: PlaceTwap, rules: Rules) -> Refusal | None:
    """Check a TWAP by itself. Returns the first fault in the precedence of `Reason`, or None."""
    size, slices, spec = command.size_lots, command.num_slices, rules.spec
    limit = command.limit_ticks
    if 0 < slices <= SLICES_MAX and 0 < size < slices * max(spec.min_order_lots, 1):
        return refuse(
            Reason.QUANTITY_TOO_SMALL,
            f"{size} lots in {slices} slices are less than the minimum of {spec.min_order_lots} "
            "each: take a larger quantity or fewer slices",
        )
    fault = check_size(size, min(max(limit, 0), spec.max_price_ticks), rules)
    if fault:
        return fault
    if not 0 <= limit <= spec.max_price_ticks:
        return refuse(
            Reason.INVALID_PRICE, f"price_limit must be 0 to {spec.max_price_ticks} ticks"
        )
    if not DURATION_MS_MIN <= command.duration_ms <= DURATION_MS_MAX:
        return refuse(
            Reason.INVALID_EXPIRY,
            f"the duration must be from {DURATION_MS_MIN} to {DURATION_MS_MAX} ms",
        )
    if not 0 <= command.max_slippage_ppm < PPM:
        return refuse(Reason.INVALID_PRICE_RANGE, "max_slippage must be from 0 to below 100 %")
    if not 0 < slices <= SLICES_MAX:
        return refuse(Reason.INVALID_SLICES, f"num_slices must be from 1 to {SLICES_MAX}")
    return None


class TwapBook:
    """The TWAPs of one market. Deterministic: times come in, nothing is drawn at random."""

    def __init__(self) -> None:
        self._active: dict[int, Twap] = {}
        self._closed: dict[int, Twap] = {}
        self._touched: dict[int, Twap] = {}
        self._last_no = 0
        self._earliest_ns: int | None = None

    def place(self, command: PlaceTwap, time_ns: int) -> Twap:
        """Start a TWAP that `check_twap` let through; its first slice is due at ``time_ns``."""
        self._last_no += 1
        twap = Twap(
            self._last_no,
            command.command_id,
            command.user,
            command.side,
            command.size_lots,
            command.limit_ticks,
            command.num_slices,
            command.duration_ms * NS_PER_MS,
            command.randomize,
            command.max_slippage_ppm,
            command.maker_fee_ppm,
            command.taker_fee_ppm,
            command.open_orders_max,
            time_ns,
            time_ns,
        )
        self._active[twap.twap_no] = twap
        self._touch(twap)
        return twap

    def active(self, user: UserId) -> list[TwapState]:
        """Return a user's active TWAPs, oldest first."""
        return [twap.view() for twap in self._active.values() if twap.user == user]

    def find(self, user: UserId, twap_no: int) -> Twap | Refusal:
        """Return a user's active TWAP, or why there is none."""
        twap = self._active.get(twap_no) or self._closed.get(twap_no)
        if twap is None or twap.user != user:
            return refuse(Reason.TWAP_NOT_FOUND)
        return refuse(Reason.TWAP_CLOSED) if twap.status is not TwapStatus.ACTIVE else twap

    def state(self, twap_no: int) -> TwapState | None:
        """Show a TWAP, active or recently ended, whoever's it is."""
        twap = self._active.get(twap_no) or self._closed.get(twap_no)
        return None if twap is None else twap.view()

    def next_due_ns(self) -> int:
        """Return when the next slice is due; 0 where no TWAP is active."""
        if self._earliest_ns is None:
            self._earliest_ns = min(
                (twap.next_slice_ns for twap in self._active.values()), default=0
            )
        return self._earliest_ns

    def due(self, time_ns: int) -> list[TwapSlice]:
        """Return the slices to run now, at most one per TWAP, in the order they fell due.

        Changes nothing: until a slice is applied, it is named again, under the same command id.
        """
        if not self._active or self.next_due_ns() > time_ns:
            return []
        ready = [twap for twap in self._active.values() if twap.next_slice_ns <= time_ns]
        ready.sort(key=lambda twap: (twap.next_slice_ns, twap.twap_no))
        return [
            TwapSlice(
                f"{parent_of(twap.twap_no)}/{twap.slices_done}",
                twap.user,
                twap.twap_no,
                twap.slices_done,
            )
            for twap in ready
        ]

    def plan(self, command: TwapSlice, best_ticks: int) -> SlicePlan | None:
        """Say what a slice does; changes nothing, so it also serves to reckon the hold.

        ``best_ticks`` is the best price the order could take now, 0 for none. None comes back for
        a slice that has run, or whose TWAP has ended: the command is then applied as nothing.
        """
        twap = self._active.get(command.twap_no)
        if twap is None or twap.user != command.user or twap.slices_done != command.slice_no:
            return None
        if command.slice_no == twap.num_slices:
            return SlicePlan(None, twap.resting_no)
        size = twap.target_lots(command.slice_no) - twap.filled_lots
        kind, price = _order_kind(twap, best_ticks)
        if size <= 0 or (kind is OrderType.IOC and price == 0):
            return SlicePlan(None, twap.resting_no)
        order = PlaceOrder(
            command.command_id,
            twap.user,
            twap.side,
            kind,
            size,
            price,
            maker_fee_ppm=twap.maker_fee_ppm,
            taker_fee_ppm=twap.taker_fee_ppm,
            open_orders_max=twap.open_orders_max,
        )
        return SlicePlan(order, twap.resting_no)

    def finish(self, command: TwapSlice, result: SliceResult, time_ns: int) -> None:
        """Count a slice as run, and set the time of the next or end the TWAP."""
        twap = self._active.get(command.twap_no) or self._closed.get(command.twap_no)
        invariant(twap is not None, f"slice {command.command_id} of an unknown TWAP was run")
        assert twap is not None  # noqa: S101 - said above, for the type checker
        if result.order_no:
            twap.children.append(result.order_no)
        twap.resting_no = result.order_no if result.rests else OrderNo(0)
        self._touch(twap)
        last = command.slice_no == twap.num_slices
        if not last:
            twap.slices_done += 1
        if twap.status is not TwapStatus.ACTIVE:
            return
        if last or (twap.slices_done == twap.num_slices and not twap.resting_no):
            self._end(twap, TwapStatus.COMPLETED, result.reason or Reason.TIME_IN_FORCE)
            return
        twap.next_slice_ns = twap.slice_ns(twap.slices_done)
        if twap.next_slice_ns <= time_ns:
            interval = max(twap.duration_ns // twap.num_slices, 1)
            twap.next_slice_ns = time_ns + min(interval, _CATCH_UP_NS)

    def filled(self, parent: str, size_lots: int, quote_raw: int) -> None:
        """Count a fill of an order's; does nothing where its parent is no TWAP."""
        twap = self._by_parent(parent)
        if twap is None:
            return
        twap.filled_lots += size_lots
        twap.filled_quote_raw += quote_raw
        invariant(twap.filled_lots <= twap.size_lots, f"{parent} was filled beyond its size")
        self._touch(twap)
        if twap.filled_lots == twap.size_lots and twap.status is TwapStatus.ACTIVE:
            self._end(twap, TwapStatus.COMPLETED, Reason.NONE)

    def child_closed(self, parent: str, order_no: OrderNo) -> None:
        """Take note that an order has ended; ends a TWAP that only waited for its last child."""
        twap = self._by_parent(parent)
        if twap is None or twap.resting_no != order_no:
            return
        twap.resting_no = OrderNo(0)
        if twap.status is TwapStatus.ACTIVE and twap.slices_done == twap.num_slices:
            self._end(twap, TwapStatus.COMPLETED, Reason.TIME_IN_FORCE)
        self._touch(twap)

    def cancel(self, twap: Twap, reason: Reason) -> OrderNo:
        """End an active TWAP; returns the resting child that must be cancelled too, 0 for none.

        Cancel that child with PARENT_CANCELED.
        """
        child = twap.resting_no
        self._end(twap, TwapStatus.CANCELED, reason)
        return child

    def cancel_all(self, user: UserId, side: Side | None, reason: Reason) -> list[OrderNo]:
        """End a user's active TWAPs (of one side); returns the resting children."""
        mine = [
            twap
            for twap in self._active.values()
            if twap.user == user and (side is None or twap.side is side)
        ]
        return [child for twap in mine if (child := self.cancel(twap, reason))]

    def drain(self) -> list[TwapState]:
        """Return every TWAP that changed since the last call, by number: one TwapChanged each."""
        changed = [self._touched[number].view() for number in sorted(self._touched)]
        self._touched.clear()
        return changed

    def dump(self) -> tuple[int, list[Twap], list[Twap]]:
        """Return (last number, active, ended) for a snapshot: encode it before the next command."""
        return self._last_no, list(self._active.values()), list(self._closed.values())

    @classmethod
    def load(cls, dumped: tuple[int, list[Twap], list[Twap]]) -> "TwapBook":
        """Make the book again from `dump`; takes the TWAPs over."""
        made = cls()
        made._last_no, active, closed = dumped
        made._active = {twap.twap_no: twap for twap in active}
        made._closed = {twap.twap_no: twap for twap in closed}
        return made

    def _by_parent(self, parent: str) -> Twap | None:
        if not parent.startswith(_PARENT):
            return None
        number = int(parent.removeprefix(_PARENT))
        return self._active.get(number) or self._closed.get(number)

    def _touch(self, twap: Twap) -> None:
        self._touched[twap.twap_no] = twap
        self._earliest_ns = None

    def _end(self, twap: Twap, status: TwapStatus, reason: Reason) -> None:
        twap.status, twap.reason = status, reason
        del self._active[twap.twap_no]
        self._closed[twap.twap_no] = twap
        if len(self._closed) > _CLOSED_KEPT:
            del self._closed[next(iter(self._closed))]
        self._touch(twap)


def _order_kind(twap: Twap, best_ticks: int) -> tuple[OrderType, int]:
    """Choose a slice's order type and price: the tighter of the limit and the slippage bound."""
    if not twap.max_slippage_ppm:
        if twap.limit_ticks:
            return OrderType.LIMIT, twap.limit_ticks
        return OrderType.MARKET, 0
    buy = twap.side is Side.BUY
    bound = protected_ticks(best_ticks, twap.max_slippage_ppm, up=buy) if best_ticks else 0
    if not twap.limit_ticks:
        return OrderType.IOC, bound
    if not bound:
        return OrderType.LIMIT, twap.limit_ticks
    tighter = min(bound, twap.limit_ticks) if buy else max(bound, twap.limit_ticks)
    return OrderType.LIMIT, tighter
