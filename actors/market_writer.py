"""One market's part in a round: its engine, its journal writer, and its links to the shards.

Used by the pair's one writer thread (`actors.pair_runtime`): `plan` names what must be held, `ask`
and `collect` hold it, `apply` runs the commands and makes the record; only once that is on disk may
replies leave and `deliver` send what is owed. What an order does is the engine's matter; when a
round begins is the runtime's.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import msgspec

from actors.engine.commands import AnyCommand, ClockTick, encode
from actors.engine.events import AnyEvent
from actors.engine.ledger_commands import Settlement, shard_of
from actors.engine.market_api import AnyQuery, AnyReply, DepthQuery, DepthReply
from actors.engine.pair_engine import REPEATED, PairEngine
from actors.engine.settlement import HoldNeed, Posting
from actors.journal.market_record import MarketRecord, Step, WrittenStep
from actors.ports import JournalWriter
from actors.shard_link import ShardLink

OWED_MAX: Final = 64
"""Settlements a busy market may collect for one shard before it sends them on their own."""
SETTLE_AFTER_S: Final = 0.005
"""How long settlements wait for a hold to ride with: a trader's next order mostly comes sooner, and
would wait for a `Post` (and the fsync at its end) that had just left without its hold."""


class MarketStatusLine(msgspec.Struct, frozen=True):
    """One market, as the pair's status tells it."""

    market: str
    sequence: int
    epoch: int
    settlements_owed: int


@dataclass(slots=True)
class Round:
    """What one market does in one round; positions count within ``commands``."""

    commands: list[AnyCommand]
    encoded: list[msgspec.Raw]
    """The commands again, as they came."""
    held_raw: list[int]
    needs: dict[int, list[HoldNeed]] = field(default_factory=dict)
    """By shard."""
    places: dict[int, list[int]] = field(default_factory=dict)
    """By shard: the position of each need's command."""
    after: dict[int, dict[str, int]] = field(default_factory=dict)
    """By position: settlements of other markets that its user has been shown (`Request.after`)."""
    replies: list[AnyReply] = field(default_factory=list)
    body: bytes | None = None
    """The encoded record; None where nothing changed."""


class MarketWriter:
    """One market, ready to trade.

    Args:
        engine: its state.
        journal: its stream's writer.
        links: its links to all account shards, by number, opened and reconciled.
    """

    def __init__(
        self, engine: PairEngine, journal: JournalWriter, links: Sequence[ShardLink]
    ) -> None:
        self.engine = engine
        self.journal = journal
        self.links = links
        self._encoder = msgspec.msgpack.Encoder()

    @property
    def settlement_heads(self) -> list[int]:
        """Per shard, the last settlement number issued."""
        return [link.head for link in self.links]

    def plan(
        self, commands: list[AnyCommand], now_ns: int, encoded: list[msgspec.Raw] | None = None
    ) -> Round:
        """Name what the round's commands need held, each at its user's shard.

        A command whose id is known, or comes twice in the round, needs nothing: its first reply
        is repeated. ``encoded`` are the bytes in which each command came, where they are at hand.
        """
        hold_for, shards = self.engine.hold_for, len(self.links)
        if encoded is None:
            encoded = [msgspec.Raw(encode(command)) for command in commands]
        turn = Round(commands, encoded, [0] * len(commands))
        seen: set[str] = set()
        for position, command in enumerate(commands):
            if command.command_id in seen:
                continue
            seen.add(command.command_id)
            need = hold_for(command, now_ns)
            if need is not None:
                shard = shard_of(need.user, shards)
                turn.needs.setdefault(shard, []).append(need)
                turn.places.setdefault(shard, []).append(position)
        return turn

    def ask(self, turn: Round) -> None:
        """Send one `Post` to each shard concerned, with what is owed to it."""
        for shard, needs in turn.needs.items():
            link = self.links[shard]
            if link.in_flight:
                link.finish()
            link.start(needs)

    def collect(self, turn: Round) -> None:
        """Wait for the answers of `ask`; where funds are on their way, for those too."""
        for shard, positions in turn.places.items():
            posted = self.links[shard].finish()
            for position, held_raw in zip(positions, posted.held_raw, strict=True):
                turn.held_raw[position] = held_raw
            if turn.after and any(held_raw < 0 for held_raw in posted.held_raw):
                self._hold_later(turn, shard)

    def _hold_later(self, turn: Round, shard: int) -> None:
        """Ask once more for what was short and may be covered by other markets' settlements."""
        short = [
            (position, need)
            for position, need in zip(turn.places[shard], turn.needs[shard], strict=True)
            if turn.held_raw[position] < 0 and position in turn.after
        ]
        if not short:
            return
        after: dict[str, int] = {}
        for position, _ in short:
            for market, number in turn.after[position].items():
                after[market] = max(number, after.get(market, 0))
        link = self.links[shard]
        link.start([need for _, need in short], after)
        for (position, _), held_raw in zip(short, link.finish().held_raw, strict=True):
            turn.held_raw[position] = held_raw

    def apply(self, turn: Round, now_ns: int) -> None:
        """Run the commands, number what is owed, and encode the record."""
        engine, shards = self.engine, len(self.links)
        if turn.commands:
            engine.begin(now_ns, self.journal.head.number + 1)
        made = engine.apply_all(turn.commands, turn.held_raw, turn.replies)
        steps: list[WrittenStep] = [
            (encoded, held_raw, events)
            for command, encoded, held_raw, events in zip(
                turn.commands, turn.encoded, turn.held_raw, made, strict=True
            )
            if events or _leaves_trace(command, held_raw, events)
        ]
        if not steps:
            return
        owed: dict[int, list[Posting]] = {}
        for posting in engine.drain_postings():
            owed.setdefault(shard_of(posting.user, shards), []).append(posting)
        levels = engine.drain_levels()
        engine.close_record()
        settlements: list[tuple[int, Settlement]] = [
            (shard, self.links[shard].owe(postings)) for shard, postings in sorted(owed.items())
        ]
        turn.body = self._encoder.encode(
            MarketRecord(
                time_ns=now_ns,
                steps=cast("list[Step]", steps),
                levels=levels,
                settlements=settlements,
                book_seq=engine.book_seq,
                hybrid_seq=engine.hybrid_seq,
                trade_seq=engine.trade_seq,
                settlement_heads=self.settlement_heads,
                settlement_acks=[link.acked for link in self.links],
            )
        )

    def query(self, query: AnyQuery) -> AnyReply:
        """Answer a question about what is on disk by now."""
        if isinstance(query, DepthQuery):
            sequence = self.journal.head.number
            state = self.engine.public_state(sequence)
            state.settlement_heads = self.settlement_heads
            return DepthReply(sequence, self._encoder.encode(state))
        return self.engine.query(query)

    def deliver(self, *, idle: bool, asked: Container[int] = ()) -> None:
        """Send settlements of records that are on disk, once they are many, or old, or all is idle.

        Shards that are ``asked`` already for the next round's holds are left alone: the answer on
        its way belongs to that round, and the one after it carries what is owed.
        """
        for shard, link in enumerate(self.links):
            if shard in asked or not link.owed:
                continue
            many = link.owed >= OWED_MAX
            if many and link.in_flight and not idle:
                link.finish()
            if not link.in_flight and (many or idle or link.owed_for_s() >= SETTLE_AFTER_S):
                link.start(())

    def settle(self) -> None:
        """Hear the answers that are due, and send what is owed meanwhile."""
        for link in self.links:
            if link.in_flight:
                link.finish()
        self.deliver(idle=True)

    def status(self) -> MarketStatusLine:
        """Tell how the market is."""
        return MarketStatusLine(
            market=self.journal.stream,
            sequence=self.journal.head.number,
            epoch=self.journal.epoch,
            settlements_owed=sum(link.owed for link in self.links),
        )

    @property
    def owes(self) -> bool:
        """Whether a shard has not confirmed everything that was issued to it."""
        return any(link.owed for link in self.links)

    @property
    def awaits(self) -> bool:
        """Whether a shard's answer is still to be heard."""
        return any(link.in_flight for link in self.links)


def _leaves_trace(command: AnyCommand, held_raw: int, events: list[AnyEvent]) -> bool:
    """Tell whether a command that nothing came of must be in the record.

    A repetition that was held for, while the first was under way, frees that hold. A tick that
    found nothing due leaves no trace; anything else new is remembered by its id.
    """
    return held_raw > 0 if events is REPEATED else type(command) is not ClockTick
