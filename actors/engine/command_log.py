"""The market's memory of command ids: what each came to, in as few bytes as will do.

An id is remembered for at least `KEPT_NS` of command time unless more than `KEPT_MAX` came by then.
Two generations, the older dropped whole, so nothing is ever searched or moved.

An outcome is one number (a tuple of them where several orders belong to it), never a whole reply:
that is made again from the order it names.
"""

from enum import IntEnum
from typing import Final

from actors.engine.units import NS_PER_S, Reason

KEPT_NS: Final = 15 * 60 * NS_PER_S
KEPT_MAX: Final = 500_000


class Kind(IntEnum):
    """What an outcome is about; append-only, the numbers are in snapshots."""

    DONE = 0
    ORDER = 1
    TWAP = 2
    REFUSED = 3
    ORDERS = 4
    SCALE = 5


_REASON_SPAN: Final = 1_000
_KIND_SPAN: Final = 10

Outcome = int | tuple[int, ...]
"""``number * 10 + kind``; with several numbers a tuple that begins with the kind. For a refusal the
number is ``order_no * 1000 + reason``."""

DONE: Final[Outcome] = Kind.DONE.value


def of_order(order_no: int) -> Outcome:
    """Name the order that a command placed, changed or found."""
    return order_no * 10 + 1


def of_twap(twap_no: int) -> Outcome:
    """Name the TWAP that a command began, ran or ended."""
    return twap_no * _KIND_SPAN + Kind.TWAP


def of_refusal(reason: Reason, order_no: int = 0) -> Outcome:
    """Note a refusal, with the order it is about where that helps the reply."""
    return (order_no * _REASON_SPAN + reason) * _KIND_SPAN + Kind.REFUSED


def of_orders(numbers: list[int]) -> Outcome:
    """Name the orders that a command cancelled."""
    return (Kind.ORDERS.value, *numbers)


def of_scale(scale_no: int, distribution: int, numbers: list[int]) -> Outcome:
    """Name a scale and its orders."""
    return (Kind.SCALE.value, scale_no, distribution, *numbers)


def read(outcome: Outcome) -> tuple[Kind, tuple[int, ...]]:
    """Split an outcome into what it is about and its numbers (REFUSED: reason, order number)."""
    if isinstance(outcome, tuple):
        return Kind(outcome[0]), outcome[1:]
    number, kind = divmod(outcome, _KIND_SPAN)
    if kind == Kind.REFUSED:
        order_no, reason = divmod(number, _REASON_SPAN)
        return Kind.REFUSED, (reason, order_no)
    return Kind(kind), (number,)


class CommandLog:
    """Outcomes by command id, in two generations."""

    __slots__ = ("_kept_max", "older", "recent", "since_ns")

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self.recent: dict[str, Outcome] = {}
        self.older: dict[str, Outcome] = {}
        self.since_ns = 0
        """When the recent generation began."""

    def __contains__(self, command_id: str) -> bool:
        return command_id in self.recent or command_id in self.older

    def __len__(self) -> int:
        return len(self.recent) + len(self.older)

    def get(self, command_id: str) -> Outcome | None:
        """Return what a command came to, or None when it is not (or no longer) known."""
        outcome = self.recent.get(command_id)
        return self.older.get(command_id) if outcome is None else outcome

    def turn(self, time_ns: int) -> None:
        """Let time pass: begin a new generation when the recent one is full or old enough."""
        if self.since_ns + KEPT_NS <= time_ns or 2 * len(self.recent) >= self._kept_max:
            self.older, self.recent = self.recent, {}
            self.since_ns = time_ns
