"""What goes over the wire between a gateway (or bot, or feed) and a pair actor: one bytes each way.

A request batch is ``[[mode, command-or-query], …]``; the answer is a `BatchReply` with one reply
per item in the same order. Queries change nothing, are answered after the batch is on disk, and
never enter the journal. A client of the pair never sees state that a crash could take back.
"""

import msgspec

from actors.engine.order import OrderState, ScaleState, TwapState
from actors.engine.units import Mode, OrderNo, Reason, UserId


class Query(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The root of all queries."""


class OrderQuery(Query, tag=101, frozen=True, array_like=True, gc=False):
    """One order of the user's, open or recently closed; answered by OrderReply or a refusal."""

    user: UserId
    order_no: OrderNo


class OpenOrdersQuery(Query, tag=102, frozen=True, array_like=True, gc=False):
    """The user's open orders, oldest first; answered by OrdersReply."""

    user: UserId


class TwapsQuery(Query, tag=103, frozen=True, array_like=True, gc=False):
    """The user's active TWAPs, oldest first; answered by TwapsReply."""

    user: UserId


class OutcomeQuery(Query, tag=104, frozen=True, array_like=True, gc=False):
    """What became of a command, by id: its first reply again, or UnknownReply."""

    user: UserId
    command_id: str


class DepthQuery(Query, tag=105, frozen=True, array_like=True, gc=False):
    """The whole public state, from which a replica starts; answered by DepthReply."""


class Request(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One item of a batch. ``body`` is the encoded command or query, not decoded by the carrier."""

    mode: Mode
    body: msgspec.Raw
    after: dict[str, int] = {}
    """What its user was shown to be on its way from other markets: settlement numbers at the user's
    shard. Where funds are short they are waited for, before the command is refused."""


class Reply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The root of all replies."""


class OrderReply(Reply, tag=1, frozen=True, array_like=True, gc=False):
    """The order after the command: accepted, amended, canceled, or asked for."""

    order: OrderState


class OrdersReply(Reply, tag=2, frozen=True, array_like=True, gc=False):
    """Several orders: open ones, or (CancelAll) those that were cancelled."""

    orders: list[OrderState]


class TwapReply(Reply, tag=3, frozen=True, array_like=True, gc=False):
    """A TWAP after the command."""

    twap: TwapState


class TwapsReply(Reply, tag=4, frozen=True, array_like=True, gc=False):
    """Active TWAPs."""

    twaps: list[TwapState]


class ScaleReply(Reply, tag=5, frozen=True, array_like=True, gc=False):
    """A scale as placed."""

    scale: ScaleState


class DoneReply(Reply, tag=6, frozen=True, array_like=True, gc=False):
    """A command without anything to show (pool update, market status) is applied."""


class RefusedReply(Reply, tag=7, frozen=True, array_like=True, gc=False):
    """A business refusal; nothing changed. ``order`` is the final state behind ORDER_CLOSED."""

    reason: Reason
    message: str
    order: OrderState | None = None


class BusyReply(Reply, tag=8, frozen=True, array_like=True, gc=False):
    """Inbox full or still recovering: nothing happened, come back after ``retry_after_ms``."""

    recovering: bool
    retry_after_ms: int
    failed: bool = False
    """Recovery was given up, as the journal cannot be replayed: a person has to look."""


class UnknownReply(Reply, tag=9, frozen=True, array_like=True, gc=False):
    """No command of that id was ever applied (within the memory of ids)."""


class MalformedReply(Reply, tag=10, frozen=True, array_like=True, gc=False):
    """The item could not be decoded: a fault of the sender's, nothing happened."""

    message: str


class DepthReply(Reply, tag=11, frozen=True, array_like=True, gc=False):
    """A market's public state at ``sequence``; the replica tails the journal from there.

    ``snapshot`` is `PairEngine.public_snapshot`'s bytes, read by `replica.restore`.
    """

    sequence: int
    snapshot: bytes


AnyQuery = OrderQuery | OpenOrdersQuery | TwapsQuery | OutcomeQuery | DepthQuery
AnyReply = (
    OrderReply
    | OrdersReply
    | TwapReply
    | TwapsReply
    | ScaleReply
    | DoneReply
    | RefusedReply
    | BusyReply
    | UnknownReply
    | MalformedReply
    | DepthReply
)


class BatchReply(msgspec.Struct, frozen=True, array_like=True):
    """The answer to one batch.

    ``settlement_heads[mode][shard]`` is the last settlement number issued to each account shard; a
    gateway passes it to balance reads (`ledger_commands.BalanceQuery.after`), so that whoever saw
    a reply also sees its money.
    """

    replies: list[AnyReply]
    settlement_heads: tuple[list[int], list[int]]
    incarnation: int = 0
    """The answering actor's newest epoch; 0 while it recovers. A later one than a lost call was
    addressed to has fenced that call: what it does not know of it never happened."""
