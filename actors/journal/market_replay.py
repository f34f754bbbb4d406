"""Replaying a market's journal into its engine, checking each record against what is made again.

Events, level changes, public counters and settlements must come out as recorded, byte for byte
where the format is the same, else by value. What was owed to account shards and not yet confirmed
when a snapshot was made is part of it, so recovery never reads behind a snapshot.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from actors.engine.commands import AnyCommand
from actors.engine.events import AnyEvent, LevelChange
from actors.engine.invariants import InvariantError, invariant
from actors.engine.ledger_commands import Settlement, shard_of
from actors.engine.pair_engine import PairEngine
from actors.engine.pair_spec import PairSpec
from actors.engine.settlement import Posting
from actors.engine.snapshot import SnapshotError, digest
from actors.engine.units import Mode
from actors.errors import CorruptRecordError, ReplayMismatchError
from actors.journal.snapshots import Snapshot

VERSION: Final = 1

_EVENTS: Final = msgspec.msgpack.Decoder(list[AnyEvent])
_LEVELS: Final = msgspec.msgpack.Decoder(list[LevelChange])


class _Step(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`market_record.Step` with its events as they were written."""

    command: AnyCommand
    held_raw: int
    events: msgspec.Raw


class _Record(msgspec.Struct, frozen=True, array_like=True):
    """`market_record.MarketRecord` with what is only compared as it was written."""

    time_ns: int
    steps: list[_Step]
    levels: msgspec.Raw
    settlements: list[tuple[int, Settlement]]
    book_seq: int
    hybrid_seq: int
    trade_seq: int
    settlement_heads: list[int]
    settlement_acks: list[int]


class _Image(msgspec.Struct, frozen=True, array_like=True):
    """A snapshot's blob."""

    engine: bytes
    heads: list[int]
    outstanding: list[list[Settlement]]
    time_ns: int = 0
    """Of the record the snapshot stands at: time must not run back behind it."""


class ReplayedMarket:
    """A market as it was after record ``number``."""

    def __init__(self, stream: str, engine: PairEngine, shards: int) -> None:
        self.stream = stream
        self.engine = engine
        self.number = 0
        self.time_ns = 0
        """The time of the last record applied; 0 before any."""
        self.heads = [0] * shards
        """Per shard, the last settlement number issued."""
        self.outstanding: list[deque[Settlement]] = [deque() for _ in range(shards)]
        """Per shard, what it had not confirmed when the last record was written, in order."""
        self._records = msgspec.msgpack.Decoder(_Record)
        self._encoder = msgspec.msgpack.Encoder()

    def apply(self, number: int, body: bytes) -> None:
        """Apply one record, and compare what it makes with what it says.

        Raises:
            CorruptRecordError: the body is not a market's record.
            ReplayMismatchError: the engine makes something else now.
        """
        try:
            record = self._records.decode(body)
        except msgspec.MsgspecError as error:
            raise CorruptRecordError(self.stream, number, f"not a market's: {error}") from error
        try:
            self._apply_steps(number, record)
        except InvariantError as error:
            raise ReplayMismatchError(self.stream, number, str(error)) from error
        self.number, self.time_ns = number, record.time_ns

    def _apply_steps(self, number: int, record: _Record) -> None:
        engine = self.engine
        engine.begin(record.time_ns, number)
        for position, step in enumerate(record.steps):
            made = engine.apply(step.command, step.held_raw)
            where = f"events of step {position}, {type(step.command).__name__}"
            self._compare(number, where, step.events, made, _EVENTS)
        self._compare(number, "levels", record.levels, engine.drain_levels(), _LEVELS)
        self._settle(number, record, engine.drain_postings())
        engine.close_record()
        recorded = (record.book_seq, record.hybrid_seq, record.trade_seq)
        counters = (engine.book_seq, engine.hybrid_seq, engine.trade_seq)
        if counters != recorded:
            self._differs(number, "book, hybrid and trade sequence", recorded, counters)

    def _settle(self, number: int, record: _Record, postings: list[Posting]) -> None:
        """Number what is owed as the market did, and keep what no shard has confirmed."""
        owed: dict[int, list[Posting]] = {}
        for posting in postings:
            owed.setdefault(shard_of(posting.user, len(self.heads)), []).append(posting)
        made: list[tuple[int, Settlement]] = []
        for shard, parts in sorted(owed.items()):
            self.heads[shard] += 1
            made.append((shard, Settlement(self.heads[shard], parts)))
        if made != record.settlements:
            self._differs(number, "settlements", record.settlements, made)
        if self.heads != record.settlement_heads:
            self._differs(number, "settlement numbers", record.settlement_heads, self.heads)
        for shard, settlement in made:
            self.outstanding[shard].append(settlement)
        for waiting, acked in zip(self.outstanding, record.settlement_acks, strict=True):
            while waiting and waiting[0].number <= acked:
                waiting.popleft()

    def _compare(
        self,
        number: int,
        what: str,
        recorded: msgspec.Raw,
        made: Sequence[object],
        decoder: "msgspec.msgpack.Decoder[Any]",
    ) -> None:
        encoded = self._encoder.encode(made)
        if encoded == bytes(recorded):
            return
        # An older version may have written fewer fields: then the values must still be the same.
        before, now = decoder.decode(recorded), decoder.decode(encoded)
        if before != now:
            self._differs(number, what, before, now)

    def _differs(self, number: int, what: str, recorded: object, made: object) -> None:
        if isinstance(recorded, list) and isinstance(made, list):
            pairs = zip(recorded, made, strict=False)
            first = next(((n, *pair) for n, pair in enumerate(pairs) if pair[0] != pair[1]), None)
            if first is not None:
                what, recorded, made = f"{what}, number {first[0]}", first[1], first[2]
            else:
                what, recorded, made = f"the count of {what}", len(recorded), len(made)
        detail = f"{what}: recorded {recorded!r}, made {made!r}"
        raise ReplayMismatchError(self.stream, number, detail)


class MarketRebuild:
    """How a market's state is made from snapshots and records (`recovery.Snapshotting`)."""

    def __init__(self, stream: str, spec: PairSpec, mode: Mode, shards: int) -> None:
        self.stream = stream
        self._spec = spec
        self._mode = mode
        self._shards = shards

    def empty(self) -> ReplayedMarket:
        """Make the market before its first record."""
        engine = PairEngine(self._spec, self._mode, self._shards)
        return ReplayedMarket(self.stream, engine, self._shards)

    def restore(self, snapshot: Snapshot) -> ReplayedMarket:
        """Make the market of a snapshot.

        Raises:
            ValueError: another version or number of shards, or its state hash does not come out.
        """
        if snapshot.version != VERSION:
            raise ValueError(f"format version {snapshot.version}, this program reads {VERSION}")
        try:
            image = msgspec.msgpack.decode(snapshot.blob, type=_Image)
        except msgspec.MsgspecError as error:
            raise ValueError(f"not a market's snapshot: {error}") from error
        if len(image.heads) != self._shards:
            raise ValueError(f"made for {len(image.heads)} account shards, not {self._shards}")
        try:
            engine = PairEngine.restore(self._spec, self._mode, image.engine, self._shards)
            state_hash = engine.state_hash()
        except (InvariantError, SnapshotError) as error:
            raise ValueError(f"its state is not valid: {error}") from error
        if state_hash != snapshot.state_hash:
            raise ValueError(f"state hash {state_hash}, expected {snapshot.state_hash}")
        market = ReplayedMarket(self.stream, engine, self._shards)
        market.number, market.time_ns = snapshot.number, image.time_ns
        market.heads = list(image.heads)
        market.outstanding = [deque(waiting) for waiting in image.outstanding]
        return market

    def apply(self, state: ReplayedMarket, number: int, body: bytes) -> None:
        """Apply one record; see `ReplayedMarket.apply`."""
        state.apply(number, body)

    def snapshot(self, state: ReplayedMarket, number: int) -> tuple[int, str, bytes]:
        """Write the market down as it is after record ``number``: (version, hash, blob)."""
        invariant(state.number == number, "a snapshot is taken where the replay stands")
        data = state.engine.snapshot()
        outstanding = [list(one) for one in state.outstanding]
        image = _Image(data, state.heads, outstanding, state.time_ns)
        return VERSION, digest(data), msgspec.msgpack.encode(image)


def replay_market(
    rebuild: MarketRebuild,
    snapshot: Snapshot | None,
    records: Iterable[tuple[int, bytes]],
    *,
    until: int | None = None,
) -> ReplayedMarket:
    """Replay records, as from an export or a reader, behind a snapshot or from the beginning.

    Raises:
        ValueError: the snapshot cannot be restored.
        CorruptRecordError: a body is not a market's record.
        ReplayMismatchError: a record's replay made something else than recorded.
    """
    market = rebuild.empty() if snapshot is None else rebuild.restore(snapshot)
    for number, body in records:
        if until is not None and number > until:
            break
        market.apply(number, body)
    return market
