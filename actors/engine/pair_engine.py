"""The engine of one market (one pair in one mode): commands in, events out.

`PairEngine` is all that a pair's shell knows. It owns nothing of its own but the memory of command
ids and the public counters; what commands do is in `placing`, `amending`, `matching` and `parents`.
For each batch the shell calls, in this order: `due`, `hold_for` for every command, `begin`,
`apply_all`, then `drain_levels`, `drain_postings` and `close_record` once. The same calls with the
same arguments give the same events, state and hash, on any machine.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from actors.engine import command_log as log
from actors.engine.amending import AmendDesk
from actors.engine.chain_swaps import print_swap
from actors.engine.command_log import CommandLog, Outcome
from actors.engine.commands import (
    AmendOrder,
    AnyCommand,
    CancelAll,
    CancelOrder,
    CancelTwap,
    ClockTick,
    PlaceOrder,
    PlaceScale,
    PlaceTwap,
    PoolTraded,
    PoolUpdated,
    SetMarketStatus,
    TwapSlice,
)
from actors.engine.events import (
    AnyEvent,
    LevelChange,
    MarketStatusChanged,
    PoolChanged,
    TwapChanged,
)
from actors.engine.invariants import invariant
from actors.engine.market_api import AnyQuery, AnyReply
from actors.engine.market_state import MarketState
from actors.engine.matching import Matcher
from actors.engine.pair_spec import PairSpec
from actors.engine.parents import ParentDesk
from actors.engine.placing import OrderDesk
from actors.engine.public_state import PublicState
from actors.engine.replies import Replies
from actors.engine.settlement import HoldNeed, Posting
from actors.engine.snapshot import capture, digest, fill, read
from actors.engine.units import MarketStatus, Mode, Reason, UserId

REPEATED: Final[list[AnyEvent]] = []
"""What `PairEngine.apply` returns for a command that it knows already; never added to."""


class PairEngine:
    """One market, whole.

    ``book_seq``, ``hybrid_seq`` and ``trade_seq`` are the public counters as of the last
    `close_record`.
    """

    def __init__(self, spec: PairSpec, mode: Mode, shards: int = 1) -> None:
        self.spec = spec
        self.mode = mode
        self.shards = shards
        self.book_seq = 0
        self.hybrid_seq = 0
        self.trade_seq = 0
        self._market = MarketState(spec, mode)
        self._matcher = Matcher(self._market)
        self._desk = OrderDesk(self._market, self._matcher)
        self._amends = AmendDesk(self._market, self._matcher)
        self._parents = ParentDesk(self._market, self._desk)
        self._log = CommandLog()
        self._replies = Replies(self._market, self._log)
        self._levels_changed = False
        self._place: Callable[[Any, int], Outcome] = self._desk.place
        self._cancel: Callable[[Any], Outcome] = self._desk.cancel
        self._runs = self._run_by_kind()

    @property
    def last_order_no(self) -> int:
        """The number of the newest order, refused ones included."""
        return self._market.last_order_no

    # Before a batch.

    def due(self, time_ns: int) -> list[AnyCommand]:
        """Name the commands that time itself asks for; they go before all others of a batch."""
        market = self._market
        expires = market.expiry.next_ns(market.open.by_number)
        commands: list[AnyCommand] = []
        if 0 < expires <= time_ns:
            commands.append(ClockTick(f"tick/{time_ns}"))
        commands.extend(market.twaps.due(time_ns))
        return commands

    def next_due_ns(self) -> int:
        """Name the time at which `due` has something next; 0 for never."""
        market = self._market
        expires, slice_ns = market.expiry.next_ns(market.open.by_number), market.twaps.next_due_ns()
        return min(expires, slice_ns) if expires and slice_ns else expires or slice_ns

    def knows(self, command_id: str) -> bool:
        """Tell whether a command of this id was applied already."""
        return command_id in self._log.recent or command_id in self._log.older

    def hold_for(self, command: AnyCommand, time_ns: int) -> HoldNeed | None:
        """Reckon what must be held before a command is applied; None where nothing must.

        Reckoned from the book as it stands; what an earlier command of the same batch changes
        can only make the order trade less, never spend more than was held.
        """
        if not self._market.funds or self.knows(command.command_id):
            return None
        if type(command) is PlaceOrder:
            return self._desk.need_to_place(command, time_ns)
        if type(command) is CancelOrder:
            return None
        if isinstance(command, AmendOrder):
            return self._amends.need_of(command)
        if isinstance(command, TwapSlice):
            return self._parents.need_of_slice(command)
        if isinstance(command, PlaceScale):
            return self._parents.need_of_scale(command)
        return None

    # A batch.

    def begin(self, time_ns: int, sequence: int) -> None:
        """Begin a record: what is applied until the next one happens at that time.

        Args:
            time_ns: the batch's time, never before the last one's.
            sequence: the number of the record being built.
        """
        market = self._market
        if time_ns != market.now_ns:
            market.publish_trades()
            market.now_ns = time_ns
        market.sequence = sequence

    def apply(self, command: AnyCommand, held_raw: int = 0) -> list[AnyEvent]:
        """Apply one command; a known id changes nothing, and frees what was held for it again.

        Args:
            command: what to do.
            held_raw: what is held for it (`hold_for`); -1 where funds did not suffice.

        Returns:
            What happened, in order; `REPEATED` itself where the id was known.
        """
        return self.apply_all((command,), (held_raw,))[0]

    def apply_all(
        self,
        commands: Iterable[AnyCommand],
        held_raw: Iterable[int],
        replies: list[AnyReply] | None = None,
    ) -> list[list[AnyEvent]]:
        """Apply commands in a row: as `apply` each, in less time.

        Args:
            commands: what to do.
            held_raw: what is held for each; as many or more.
            replies: where the reply of each (`reply_to`) is added, made before the next is applied.

        Returns:
            What happened, by command.
        """
        market, older, recent = self._market, self._log.older, self._log.recent
        place, cancel, now, deadlines = self._place, self._cancel, market.now_ns, market.expiry.heap
        made: list[list[AnyEvent]] = []
        for command, held in zip(commands, held_raw, strict=False):
            events: list[AnyEvent] = []
            market.events = events
            kind = type(command)
            # Read in two places: the interpreter is quick where one kind of command comes by.
            command_id = command.command_id if kind is PlaceOrder else command.command_id  # noqa: RUF034
            if command_id in recent or command_id in older:
                events = self._repeat(command, held)
            else:
                if deadlines and deadlines[0][0] <= now:
                    self._expire()
                if kind is PlaceOrder:
                    recent[command_id] = place(command, held)
                elif kind is CancelOrder:
                    recent[command_id] = cancel(command)
                else:
                    outcome = self._runs[kind](command, held)
                    if kind is not ClockTick:
                        recent[command_id] = outcome
                if market.traded_high:
                    self._look_at_stops()
                if market.parents_touched:
                    market.parents_touched = False
                    events.extend(TwapChanged(state) for state in market.twaps.drain())
            made.append(events)
            if replies is not None:
                replies.append(self._replies.to_command(command, events))
        return made

    def reply_to(self, command: AnyCommand, events: list[AnyEvent]) -> AnyReply:
        """Make the reply of a command just applied, or of one applied before."""
        return self._replies.to_command(command, events)

    def query(self, query: AnyQuery) -> AnyReply:
        """Answer a question; nothing changes."""
        return self._replies.to_query(query)

    # After a batch.

    def drain_levels(self) -> list[LevelChange]:
        """List the levels changed since the last call, once each."""
        changes = self._market.book.drain_changes()
        if changes:
            self._levels_changed = True
        return changes

    def drain_postings(self) -> list[Posting]:
        """List what is owed to account shards since the last call, in order."""
        postings, self._market.postings = self._market.postings, []
        return postings

    def close_record(self) -> None:
        """End a record: advance the public counters by what was drained for it."""
        market = self._market
        invariant(not market.book.dirty, "drain_levels comes before close_record")
        invariant(not market.postings, "drain_postings comes before close_record")
        if self._levels_changed:
            self.book_seq += 1
        if self._levels_changed or market.pools_changed:
            self.hybrid_seq += 1
        self.trade_seq = market.last_trade_no
        self._levels_changed = market.pools_changed = False
        market.publish_trades()
        self._log.turn(market.now_ns)
        market.closed.turn()
        market.expiry.tidy(market.open.by_number)

    # What the shell asks about the whole.

    def open_holds(self) -> dict[tuple[UserId, int], int]:
        """Sum what open orders hold, by (user, side)."""
        holds: dict[tuple[UserId, int], int] = {}
        if not self._market.funds:
            return holds
        for order in self._market.open.all():
            if order.held_raw:
                key = (order.user, int(order.side))
                holds[key] = holds.get(key, 0) + order.held_raw
        return holds

    def public_state(self, sequence: int) -> PublicState:
        """Show everything public; ``settlement_heads`` is filled in by the shell."""
        market = self._market
        market.publish_trades()
        return PublicState(
            sequence,
            self.book_seq,
            self.hybrid_seq,
            self.trade_seq,
            market.status,
            market.book.bids.depth(),
            market.book.asks.depth(),
            market.tape.dump(),
            market.candles.dump(),
            market.pools.states(),
            [],
        )

    def snapshot(self) -> bytes:
        """Encode the whole state; only between two records."""
        market = self._market
        invariant(not market.book.dirty and not market.postings, "a snapshot within a record")
        counters = (self.book_seq, self.hybrid_seq, self.trade_seq)
        return capture(market, self._log, counters)

    @classmethod
    def restore(cls, spec: PairSpec, mode: Mode, data: bytes, shards: int = 1) -> "PairEngine":
        """Make an engine from what `snapshot` gave.

        Raises:
            SnapshotError: the bytes are damaged, of another version, or of another market.
        """
        snapshot = read(data)
        engine = cls(spec, mode, shards)
        fill(engine._market, engine._log, snapshot)
        engine.book_seq = snapshot.book_seq
        engine.hybrid_seq = snapshot.hybrid_seq
        engine.trade_seq = snapshot.trade_seq
        return engine

    def state_hash(self) -> str:
        """Hash the whole state: equal states have equal hashes, however they were reached."""
        return digest(self.snapshot())

    def validate(self) -> None:
        """Check every invariant of the state.

        Raises:
            InvariantError: one is broken.
        """
        self._market.validate()

    # How commands are told apart.

    def _run_by_kind(self) -> dict[type, Callable[[Any, int], Outcome]]:
        """Name what each kind of command runs, but for the two that `apply_all` knows."""
        parents = self._parents
        return {
            AmendOrder: self._amends.amend,
            CancelAll: parents.cancel_all,
            PoolUpdated: self._update_pool,
            PoolTraded: self._print_swap,
            SetMarketStatus: self._set_status,
            TwapSlice: parents.run_slice,
            PlaceTwap: parents.place_twap,
            CancelTwap: parents.cancel_twap,
            PlaceScale: parents.place_scale,
            ClockTick: _let_pass,
        }

    def _print_swap(self, command: PoolTraded, _: int) -> Outcome:
        print_swap(self._market, command)
        return log.DONE

    def _update_pool(self, command: PoolUpdated, _: int) -> Outcome:
        market = self._market
        if not market.pools.knows(command.pool.pool_id):
            return log.DONE
        market.pools_changed = True
        market.put_pool(command.pool)
        market.events.append(PoolChanged(command.pool, from_chain=True))
        if market.status is MarketStatus.TRADING:
            self._matcher.sweep_resting()
        return log.DONE

    def _set_status(self, command: SetMarketStatus, _: int) -> Outcome:
        market = self._market
        if market.status is not command.status:
            market.status = command.status
            market.events.append(MarketStatusChanged(command.status))
            if command.status is MarketStatus.TRADING:
                self._matcher.sweep_resting()  # pools may have moved meanwhile
        return log.DONE

    def _expire(self) -> None:
        market = self._market
        for number in market.expiry.pop_due(market.now_ns):
            order = market.open.by_number.get(number)
            if order is not None:
                market.cancel(order, Reason.TIME_IN_FORCE)

    def _look_at_stops(self) -> None:
        market = self._market
        if market.stops.is_empty:
            market.traded_low = market.traded_high = 0
        else:
            self._matcher.run_stops()

    def _repeat(self, command: AnyCommand, held_raw: int) -> list[AnyEvent]:
        """Free what was held for a command that is known."""
        if held_raw <= 0:
            return REPEATED
        if isinstance(command, PlaceOrder):
            self._desk.give_back(command, held_raw)
        elif isinstance(command, AmendOrder):
            self._amends.give_back(command, held_raw)
        elif isinstance(command, TwapSlice):
            self._parents.give_back_slice(command, held_raw)
        elif isinstance(command, PlaceScale):
            self._parents.give_back_scale(command, held_raw)
        return REPEATED


def _let_pass(_command: ClockTick, _held_raw: int) -> Outcome:
    """Do nothing: what time itself does is done before each command."""
    return log.DONE
