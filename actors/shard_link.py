"""One market's dealings with one account shard, as the pair's writer thread conducts them.

Holds are asked and settlements delivered by `Post`, numbered 1, 2, 3 … within the pair's epoch. At
most one `Post` is on its way; one whose answer is lost is sent again unchanged until it is
answered, and the shard answers a repetition as the first time. So a hold is granted once and a
settlement applied once, whatever dies. Nothing here decides what to hold or what is owed.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from actors.engine.ledger_commands import (
    AnyLedgerReply,
    Done,
    Fenced,
    LedgerCommand,
    MarketOpened,
    OpenMarket,
    Post,
    Posted,
    Reconcile,
    Recovering,
    Settlement,
)
from actors.engine.settlement import HoldNeed, Posting
from actors.engine.units import UserId
from actors.errors import FencedError, ShardUnavailableError, UnknownOutcomeError
from actors.listing import shard_stream
from actors.ports import BlockingAccountPort

SETTLEMENTS_PER_POST: Final = 200
"""A redelivery after a long outage goes out in pieces, so that no message grows without bound."""


@dataclass(frozen=True)
class Patience:
    """How long a shard may be silent before the pair gives itself up and starts over."""

    total_s: float = 30.0
    pause_s: float = 0.05
    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class ShardLink:
    """The numbered messages of one market to one shard.

    Args:
        market: the market's name, ``vaix.paper``.
        shard: the shard's number.
        port: the way to the shard.
        patience: how long to send again.
    """

    def __init__(
        self, market: str, shard: int, port: BlockingAccountPort, patience: Patience
    ) -> None:
        self.market = market
        self.shard = shard
        self.head = 0
        """The last settlement number issued."""
        self.acked = 0
        """The last settlement number the shard has confirmed."""
        self._port = port
        self._patience = patience
        self._epoch = 0
        self._seq = 0
        self._owed: deque[Settlement] = deque()
        self._owed_at_s: float | None = None
        """When the oldest settlement was issued that has not been sent yet."""
        self._request = b""
        self._ticket: object | None = None
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(AnyLedgerReply)

    @property
    def owed(self) -> int:
        """How many settlements the shard has not confirmed yet."""
        return len(self._owed)

    def owed_for_s(self) -> float:
        """Tell how long the oldest settlement waits to be sent."""
        return self._patience.now_s() - self._owed_at_s if self._owed_at_s is not None else 0.0

    @property
    def in_flight(self) -> bool:
        """Whether a `Post` is on its way."""
        return self._ticket is not None

    def open(self, epoch: int, base: str, quote: str) -> int:
        """Introduce this incarnation; everything older is fenced at the shard.

        Returns:
            The last settlement number the shard has applied.

        Raises:
            FencedError: a newer incarnation was here.
            ShardUnavailableError: the shard stayed silent for longer than the patience.
        """
        self._epoch, self._seq = epoch, 0
        reply = self._ask(OpenMarket(self.market, epoch, base, quote))
        if not isinstance(reply, MarketOpened):
            raise ShardUnavailableError(self._name, f"OpenMarket was answered by {reply!r}")
        self.acked = reply.last_settlement
        return reply.last_settlement

    def resume(self, head: int, outstanding: Sequence[Settlement]) -> None:
        """Take over what a former incarnation owed, and deliver it.

        Args:
            head: the last number ever issued.
            outstanding: the settlements behind the shard's last one, in order.

        Raises:
            FencedError: a newer incarnation was here.
            ShardUnavailableError: the shard stayed silent for longer than the patience.
        """
        self.head = head
        self._owed.extend(item for item in outstanding if item.number > self.acked)
        while self._owed:
            self.start(())
            self.finish()

    def reconcile(self, holds: list[tuple[UserId, int, int]]) -> None:
        """State what open orders justify; the shard releases the rest.

        Raises:
            FencedError: a newer incarnation was here.
            ShardUnavailableError: the shard refused, or stayed silent for too long.
        """
        reply = self._ask(Reconcile(self.market, self._epoch, holds))
        if not isinstance(reply, Done):
            raise ShardUnavailableError(self._name, f"Reconcile was answered by {reply!r}")

    def owe(self, postings: list[Posting]) -> Settlement:
        """Number the postings of one record; they are delivered once the record is on disk."""
        self.head += 1
        settlement = Settlement(self.head, postings)
        self._owed.append(settlement)
        if self._owed_at_s is None:
            self._owed_at_s = self._patience.now_s()
        return settlement

    def start(self, holds: Sequence[HoldNeed], after: dict[str, int] | None = None) -> None:
        """Send the next `Post`; needs none on its way.

        Args:
            holds: what to hold.
            after: settlements of other markets that the shard should await before it holds; what is
                owed then stays for the next `Post`. Without, it goes along.
        """
        self._seq += 1
        count = 0 if after else min(len(self._owed), SETTLEMENTS_PER_POST)
        settlements = [self._owed[n] for n in range(count)]
        if len(settlements) == len(self._owed):
            self._owed_at_s = None
        post = Post(self.market, self._epoch, self._seq, settlements, list(holds), after or {})
        self._request = self._encoder.encode(post)
        self._ticket = self._port.start(self._request)

    def finish(self) -> Posted:
        """Wait for the answer to the `Post` on its way, sending it again where it was lost.

        Raises:
            FencedError: a newer incarnation was here; end the process.
            ShardUnavailableError: no answer for longer than the patience; whether the holds were
                granted is unknown, so end the process: the next incarnation reconciles.
        """
        reply = self._answer()
        if not isinstance(reply, Posted):
            raise ShardUnavailableError(self._name, f"Post was answered by {reply!r}")
        self.acked = max(self.acked, reply.last_settlement)
        while self._owed and self._owed[0].number <= self.acked:
            self._owed.popleft()
        return reply

    @property
    def _name(self) -> str:
        return shard_stream(self.shard)

    def _ask(self, command: LedgerCommand) -> AnyLedgerReply:
        self._request = self._encoder.encode(command)
        self._ticket = self._port.start(self._request)
        return self._answer()

    def _answer(self) -> AnyLedgerReply:
        deadline_s = self._patience.now_s() + self._patience.total_s
        while True:
            pause_s = self._patience.pause_s
            reply: AnyLedgerReply | None
            try:
                reply = self._decoder.decode(self._port.wait([self._ticket])[0])
            except UnknownOutcomeError:
                reply = None
            if isinstance(reply, Recovering):
                pause_s = max(pause_s, reply.retry_after_ms / 1_000)
            elif isinstance(reply, Fenced):
                raise FencedError(self.market, self._epoch, reply.epoch)
            elif reply is not None:
                self._ticket = None
                return reply
            if self._patience.now_s() > deadline_s:
                raise ShardUnavailableError(self._name, f"silent for {self._patience.total_s:g} s")
            self._patience.sleep(pause_s)
            self._ticket = self._port.start(self._request)
