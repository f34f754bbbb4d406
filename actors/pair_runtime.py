"""The runtime of one pair: a bounded inbox, one writer thread, two markets.

A plain class, so that tests and simulations drive it as the Ray shell (`actors.pair`) does. It is
*recovering* (every call is answered ``BusyReply(recovering)``), then *ready*, and *dead* at the
first thing that makes its memory doubtful: an append that fails or is fenced, a shard that stays
silent, a broken invariant. Dead ends the process before anybody is answered; the successor starts
from what is written. *Failed* is a pair whose journal cannot be replayed: it goes on to answer
``BusyReply``, and its status says what a person has to look at.

A round takes what waits in the inbox, adds the engine's own due commands, holds, applies, appends
both markets' records in one round trip, and only then answers. Queries of a round are answered
last, so nobody is shown what a crash could take back. Where more waits already, the shards are
asked for the next round's holds before this one is applied: they hold while the pair matches and
writes, and neither waits for the other.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from threading import Event, Thread
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from actors.engine.commands import AnyCommand, ClockTick, Command, TwapSlice, encode
from actors.engine.market_api import (
    AnyQuery,
    AnyReply,
    BatchReply,
    BusyReply,
    MalformedReply,
    Request,
)
from actors.engine.pair_spec import PairSpec
from actors.engine.units import NS_PER_S, Mode
from actors.errors import (
    CorruptRecordError,
    ReplayMismatchError,
    TandemError,
    TrimmedError,
    UnknownOutcomeError,
)
from actors.inbox import Batch, Inbox
from actors.market_writer import SETTLE_AFTER_S, MarketStatusLine, MarketWriter, Round
from actors.ports import Journal

RETRY_BUSY_MS: Final = 100
RETRY_RECOVERING_MS: Final = 250
HEAR_AFTER_S: Final = 0.005
"""How long an idle writer waits for new work before it hears a shard's answer: long enough that the
answer is there already."""
IDLE_MAX_S: Final = 60.0
LATENCIES_KEPT: Final = 4_096

_OWN: Final = (TwapSlice, ClockTick)
"""Commands that only a pair itself may give."""
_LOG = structlog.get_logger("tandem.pair")


class Recovery(NamedTuple):
    """What recovery gives the runtime."""

    markets: list[MarketWriter]
    """Both, ready to trade, in the order of `Mode`."""
    last_ns: int
    """The time of the last record of either; time goes on from there."""


Recover = Callable[[Journal], Recovery]
"""Recovers a pair from its journal; see `actors.pair_recovery`."""


class PairState(Enum):
    """The life of a pair."""

    RECOVERING = "recovering"
    READY = "ready"
    FAILED = "failed"
    DEAD = "dead"


class PairStatus(msgspec.Struct, frozen=True):
    """What a pair says of itself. Latencies are of batches: from the inbox to the answer."""

    symbol: str
    state: str
    ready: bool
    detail: str
    recovery_s: float
    waiting: int
    commands: int
    rounds: int
    latency_us_p50: int
    latency_us_p99: int
    latency_us_p999: int
    markets: list[MarketStatusLine]


@dataclass(frozen=True)
class RuntimeOptions:
    """The bounds and the clock of a runtime.

    Args:
        inbox_requests_max: beyond it a batch is answered ``BusyReply``.
        clock_ns: Unix time; commands carry it, made monotonic.
    """

    inbox_requests_max: int = 20_000
    clock_ns: Callable[[], int] = time.time_ns


@dataclass(slots=True)
class _Answer:
    """Where one request's reply comes from: a position in a round, a query, or known already."""

    mode: Mode
    position: int = -1
    query: Any = None
    reply: AnyReply | None = None


@dataclass(slots=True)
class _Turn:
    """One round of both markets, from its requests to its answers."""

    now_ns: int
    batches: list[Batch]
    answers: list[list[_Answer]]
    """Per batch, in the order of its requests."""
    rounds: list[Round]
    """Per market."""
    own: list[int]
    """Per market, how many of the first commands are the pair's own."""

    def own_ids(self, mode: int) -> set[str]:
        """Name the pair's own commands in a market's round."""
        return {command.command_id for command in self.rounds[mode].commands[: self.own[mode]]}

    def fail(self, error: UnknownOutcomeError) -> None:
        """Let the callers know that what became of their requests is in the journal."""
        for batch in self.batches:
            if not batch.answer.done():
                batch.answer.set_exception(error)


class PairRuntime:
    """One pair's runtime; `submit` and `status` may be used from any thread.

    Args:
        spec: the pair.
        journal: the store of both markets' streams; used by the writer thread only.
        recover: makes the markets.
        die: ends the process with a message; must not return in production.
        options: bounds and clock.
    """

    def __init__(
        self,
        spec: PairSpec,
        journal: Journal,
        recover: Recover,
        die: Callable[[str], None],
        options: RuntimeOptions | None = None,
    ) -> None:
        self.spec = spec
        self.state = PairState.RECOVERING
        self._options = options or RuntimeOptions()
        self._journal = journal
        self._recover = recover
        self._die = die
        self._inbox = Inbox(self._options.inbox_requests_max)
        self._markets: list[MarketWriter] = []
        self._now_ns = 0
        self._next: _Turn | None = None
        self._stopping = False
        self._settled = Event()
        self._detail = ""
        self._recovery_s = 0.0
        self._commands = 0
        self._rounds = 0
        self._latencies_us: deque[int] = deque(maxlen=LATENCIES_KEPT)
        self._encoder = msgspec.msgpack.Encoder()
        self._items = msgspec.msgpack.Decoder(list[Request])
        self._bodies: msgspec.msgpack.Decoder[AnyCommand | AnyQuery] = msgspec.msgpack.Decoder(
            AnyCommand | AnyQuery
        )
        self._thread = Thread(target=self._run, name=f"writer-{spec.symbol}", daemon=True)

    def start(self) -> None:
        """Recover in the background, then serve."""
        self._thread.start()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until recovery has ended; true when it ended well."""
        self._settled.wait(timeout_s)
        return self.state is PairState.READY

    def stop(self, timeout_s: float = 5.0) -> None:
        """Answer what has arrived, deliver what is owed, and end the writer thread."""
        self._stopping = True
        self._inbox.close()
        self._thread.join(timeout_s)

    def submit(self, batch: bytes) -> bytes:
        """Run one encoded batch of `Request`, and wait for its encoded `BatchReply`.

        Raises:
            UnknownOutcomeError: the runtime died; what became of the batch is in the journal.
        """
        try:
            requests = self._items.decode(batch)
        except msgspec.MsgspecError as error:
            return self._encode([MalformedReply(f"the batch is not readable: {error}")])
        if self.state in {PairState.RECOVERING, PairState.FAILED}:
            return self._refuse(requests, recovering=True)
        if self.state is PairState.DEAD:
            raise UnknownOutcomeError(self.spec.symbol, self._detail)
        waiting = Batch(requests, time.perf_counter_ns())
        if not self._inbox.put(waiting):
            return self._refuse(requests, recovering=False)
        return waiting.answer.result()

    def status(self) -> PairStatus:
        """Tell how the pair is; figures may be a round old."""
        latencies = sorted(self._latencies_us.copy())

        def percentile(share: float) -> int:
            return latencies[min(len(latencies) - 1, int(len(latencies) * share))]

        return PairStatus(
            symbol=self.spec.symbol,
            state=self.state.value,
            ready=self.state is PairState.READY,
            detail=self._detail,
            recovery_s=round(self._recovery_s, 3),
            waiting=self._inbox.waiting,
            commands=self._commands,
            rounds=self._rounds,
            latency_us_p50=percentile(0.5) if latencies else 0,
            latency_us_p99=percentile(0.99) if latencies else 0,
            latency_us_p999=percentile(0.999) if latencies else 0,
            markets=[market.status() for market in self._markets],
        )

    def _run(self) -> None:
        try:
            self._begin()
        except (CorruptRecordError, TrimmedError, ReplayMismatchError) as error:
            self._detail = str(error)
            self.state = PairState.FAILED
            _LOG.critical("pair_failed", pair=self.spec.symbol, detail=self._detail)
            return
        except Exception as error:  # noqa: BLE001 (a successor may do better)
            self._give_up(error)
            return
        finally:
            self._settled.set()
        self._work()

    def _begin(self) -> None:
        begun = time.monotonic()
        self._markets, self._now_ns = self._recover(self._journal)
        self._recovery_s = time.monotonic() - begun
        self.state = PairState.READY
        sequences = {market.journal.stream: market.journal.head.number for market in self._markets}
        _LOG.info("pair_ready", pair=self.spec.symbol, seconds=self._recovery_s, **sequences)

    def _work(self) -> None:
        try:
            while not (self._stopping and self._inbox.waiting == 0 and self._next is None):
                self._turn()
            while any(market.awaits or market.owes for market in self._markets):
                for market in self._markets:
                    market.settle()
        except Exception as error:  # noqa: BLE001 (whatever it was, memory is doubtful now)
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        plain = isinstance(error, TandemError)
        self._detail = str(error) if plain else f"{type(error).__name__}: {error}"
        self.state = PairState.DEAD
        self._die(f"pair {self.spec.symbol}: {self._detail}")
        self._inbox.close()
        for batch in self._inbox.take(0, self._options.inbox_requests_max):
            batch.answer.set_exception(UnknownOutcomeError(self.spec.symbol, self._detail))

    def _turn(self) -> None:
        """Serve one round; the shards hold for the next one while this one is matched and written.

        The next round is planned on the book as this one finds it, just as a command is planned on
        the book as the commands before it in its own round find it. Nobody in it has seen this
        round's replies, and its `Post` carries the settlements of all rounds that are answered.
        """
        turn, self._next = self._next or self._gather(self._idle_s()), None
        if turn is None:
            for market in self._markets:
                market.settle()
            return
        try:
            for market, part in zip(self._markets, turn.rounds, strict=True):
                market.collect(part)
            if self._inbox.waiting:
                self._next = self._gather(0.0, turn)
            self._finish(turn)
        except Exception as error:
            turn.fail(UnknownOutcomeError(self.spec.symbol, str(error)))
            if self._next is not None:
                self._next.fail(UnknownOutcomeError(self.spec.symbol, str(error)))
            raise

    def _idle_s(self) -> float:
        if self._stopping:
            return 0.0
        if any(market.awaits for market in self._markets):
            return HEAR_AFTER_S
        if any(market.owes for market in self._markets):
            return SETTLE_AFTER_S
        dues = [due for market in self._markets if (due := market.engine.next_due_ns())]
        if not dues:
            return IDLE_MAX_S
        wait_ns = min(dues) - self._options.clock_ns()
        return min(IDLE_MAX_S, max(0.0, wait_ns / NS_PER_S))

    def _gather(self, wait_s: float, before: _Turn | None = None) -> _Turn | None:
        """Take a round's requests, name its commands, and ask the shards for its holds.

        Args:
            wait_s: how long to wait for a first request.
            before: the round that is not applied yet, whose own commands are due no more.

        Returns:
            The round, or None where there is nothing to do.
        """
        batches = self._inbox.take(wait_s)
        try:
            self._now_ns = now_ns = max(self._now_ns, self._options.clock_ns())
            commands = self._due(now_ns, before)
            if not batches and not any(commands):
                return None
            encoded = [[msgspec.Raw(encode(command)) for command in own] for own in commands]
            own = [len(mine) for mine in commands]
            answers = [[self._sort(one, commands, encoded) for one in b.requests] for b in batches]
            rounds = [
                market.plan(mine, now_ns, as_came)
                for market, mine, as_came in zip(self._markets, commands, encoded, strict=True)
            ]
            for batch, placed in zip(batches, answers, strict=True):
                for request, answer in zip(batch.requests, placed, strict=True):
                    if request.after and answer.position >= 0:
                        rounds[answer.mode].after[answer.position] = request.after
            for market, part in zip(self._markets, rounds, strict=True):
                market.ask(part)
        except Exception as error:
            for batch in batches:
                batch.answer.set_exception(UnknownOutcomeError(self.spec.symbol, str(error)))
            raise
        return _Turn(now_ns, batches, answers, rounds, own)

    def _due(self, now_ns: int, before: _Turn | None) -> list[list[AnyCommand]]:
        """Name what time asks for, per market, but for what the round before already does."""
        due = [market.engine.due(now_ns) for market in self._markets]
        if before is None:
            return due
        return [
            [command for command in mine if command.command_id not in before.own_ids(mode)]
            for mode, mine in enumerate(due)
        ]

    def _finish(self, turn: _Turn) -> None:
        """Apply a round, write it, and only then answer and deliver."""
        markets, rounds = self._markets, turn.rounds
        for market, part in zip(markets, rounds, strict=True):
            market.apply(part, turn.now_ns)
        work = [
            (market.journal, [part.body])
            for market, part in zip(markets, rounds, strict=True)
            if part.body is not None
        ]
        if work:
            self._journal.append_many(work)
        heads = self._heads()
        for batch, answers in zip(turn.batches, turn.answers, strict=True):
            replies = [self._reply(answer, rounds) for answer in answers]
            batch.answer.set_result(self._encode(replies, heads))
            self._latencies_us.append((time.perf_counter_ns() - batch.arrived_ns) // 1_000)
        self._commands += sum(len(part.commands) for part in rounds)
        self._rounds += 1
        following = self._next
        for mode, market in enumerate(markets):
            market.deliver(idle=False, asked=following.rounds[mode].needs if following else ())

    def _sort(
        self,
        request: Request,
        commands: list[list[AnyCommand]],
        encoded: list[list[msgspec.Raw]],
    ) -> _Answer:
        """Decode one request, and put a command and its bytes where they belong."""
        mode = request.mode
        try:
            body = self._bodies.decode(request.body)
        except msgspec.MsgspecError as error:
            return _Answer(mode, reply=MalformedReply(str(error)))
        if isinstance(body, _OWN):
            return _Answer(mode, reply=MalformedReply(f"{type(body).__name__} is the pair's own"))
        if not isinstance(body, Command):
            return _Answer(mode, query=body)
        if not 1 <= len(body.command_id) <= 64:
            return _Answer(mode, reply=MalformedReply("command_id must have 1 to 64 characters"))
        mine = commands[mode]
        mine.append(body)
        encoded[mode].append(request.body)
        return _Answer(mode, len(mine) - 1)

    def _reply(self, answer: _Answer, rounds: list[Round]) -> AnyReply:
        if answer.reply is not None:
            return answer.reply
        if answer.position >= 0:
            return rounds[answer.mode].replies[answer.position]
        return self._markets[answer.mode].query(answer.query)

    def _heads(self) -> tuple[list[int], list[int]]:
        paper, live = self._markets
        return paper.settlement_heads, live.settlement_heads

    def _refuse(self, requests: Sequence[Request], *, recovering: bool) -> bytes:
        retry_ms = RETRY_RECOVERING_MS if recovering else RETRY_BUSY_MS
        busy: AnyReply = BusyReply(recovering, retry_ms, failed=self.state is PairState.FAILED)
        return self._encode([busy] * len(requests))

    def _encode(
        self,
        replies: list[AnyReply],
        heads: tuple[list[int], list[int]] = ([], []),
    ) -> bytes:
        incarnation = self._markets[Mode.PAPER].journal.epoch if self._markets else 0
        return msgspec.msgpack.encode(BatchReply(replies, heads, incarnation))
