"""The runtime of one account shard: an inbox, one writer, one journal record per batch.

A plain class, so that tests and simulations drive it as the Ray shell (`actors.account`) does. A
shard is *recovering* (every call is answered `Recovering`), then *ready*, and at the first append
that fails, or at a broken invariant, *dead*: the process ends before anybody is told anything, and
its successor starts from what is written. *Failed* is a shard whose journal cannot be replayed; it
answers `Recovering` too, and ``status().error`` says what a person has to look at.

Nothing is answered before the batch it belongs to is durable: not even a refusal or a repetition,
because the state they speak of may still be on its way to the disk. The inbox is bounded by the
number of threads that call, as each waits for its answer.
"""

import contextlib
import gc
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final, NamedTuple

import msgspec

from actors.account_courier import Courier
from actors.account_recovery import LedgerReplay, ShardName
from actors.engine.invariants import InvariantError, invariant
from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import (
    Audit,
    BalanceChanged,
    BalanceQuery,
    Delivered,
    LedgerQuery,
    LedgerReply,
    LedgerRequest,
    Post,
    Recovering,
    Refused,
    TransferQuery,
)
from actors.engine.units import Reason
from actors.errors import (
    JournalUnavailableError,
    ShardUnavailableError,
    TandemError,
    UnknownOutcomeError,
)
from actors.journal.account_record import AccountRecord
from actors.journal.recovery import Recovered, recover
from actors.journal.snapshots import SnapshotStore
from actors.ports import BlockingAccountPort, Journal, JournalWriter

RETRY_AFTER_MS: Final = 100
"""When to ask a recovering shard again: about a tenth of what a small recovery takes."""

PARKED_MS: Final = 10
"""When to repeat a balance read that found all waiting places taken."""

COURIER_BATCH: Final = 100
"""Transfers to one shard that are confirmed by one journal record."""


AUDIT_SHARE: Final = 200
"""The running audit goes through all accounts, so it takes at most one part in so many of the
writer's time: half a second of a million accounts is spent once in 100 s."""


class ShardStore(NamedTuple):
    """Where a shard's journal and snapshots are; used by the shard's writer thread only."""

    journal: Journal
    snapshots: SnapshotStore


class ShardOptions(NamedTuple):
    """The bounds of a shard's runtime.

    Attributes:
        early_s: how long a `Post` waits for the settlements of other markets that it names.
        park_s: how long a read waits for the settlements it names, or for a transfer's arrival.
        parked_max: how many may wait at once; further ones are asked to come back. Keep it below
            the number of threads that call, or waiting reads keep the settlements out.
        recover_retry_s: pause before recovery asks a store again that did not answer.
        freezes: whether to take what was recovered out of the garbage collector's sight, where the
            process is the shard's own.
        audit_every_s: the least pause between two audits of a ledger that changes.
    """

    early_s: float = 0.1
    park_s: float = 2.0
    parked_max: int = 8
    recover_retry_s: float = 0.5
    freezes: bool = False
    audit_every_s: float = 5.0


DEFAULT_OPTIONS: Final = ShardOptions()


class ShardState(Enum):
    """The life of a shard."""

    RECOVERING = "recovering"
    READY = "ready"
    FAILED = "failed"
    DEAD = "dead"


class ShardStatus(msgspec.Struct, frozen=True):
    """What a shard says of itself.

    ``number`` is the last journal record applied. ``sums`` are those of `Audit` at the last audit,
    after record ``audited``: (asset, mode, sum, users' available, users' held). Recovery makes the
    first audit, and while the ledger changes there is another every few seconds.
    """

    name: str
    state: str
    ready: bool
    number: int
    epoch: int
    error: str
    sums: list[tuple[str, int, int, int, int]]
    transfers_waiting: int
    audited: int = 0


class _Request(NamedTuple):
    raw: bytes
    message: LedgerRequest
    future: "Future[bytes]"


class _Early(NamedTuple):
    """A `Post` that came before settlements of other markets which it should follow."""

    request: _Request
    after: dict[str, int]
    deadline: float


class _Parked(NamedTuple):
    query: LedgerQuery
    future: "Future[bytes]"
    deadline: float


class ShardRuntime:
    """One shard's runtime; `call` and `status` may be used from any thread.

    Args:
        name: the shard, and of how many.
        store: its journal and snapshots.
        peers: the ways to the other shards, by number.
        die: ends the process with a message; must not return in production.
        options: the bounds.
        clock_ns: Unix time for the records; it never influences the ledger.
    """

    def __init__(
        self,
        name: ShardName,
        store: ShardStore,
        peers: dict[int, BlockingAccountPort],
        die: Callable[[str], None],
        options: ShardOptions = DEFAULT_OPTIONS,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.name = name
        self._store = store
        self._die = die
        self._options = options
        self._clock_ns = clock_ns
        self._state = ShardState.RECOVERING
        self._error = ""
        self._ledger = Ledger(name.shard, name.shards)
        self._number = 0
        self._writer: JournalWriter | None = None
        self._sums: list[tuple[str, int, int, int, int]] = []
        self._audited = 0
        self._audit_at = 0.0
        self._waiting = 0
        self._inbox: SimpleQueue[_Request | None] = SimpleQueue()
        self._parked: list[_Parked] = []
        self._early: list[_Early] = []
        self._stopping = Event()
        self._couriers = {n: Courier(n, port, self._confirm) for n, port in peers.items()}
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder[LedgerRequest](LedgerRequest)
        self._thread = Thread(target=self._run, name=f"{name.stream}-writer", daemon=True)

    def start(self) -> None:
        """Begin to recover in the background; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Serve what has arrived, then end all threads."""
        self._stopping.set()
        self._inbox.put(None)
        for courier in self._couriers.values():
            courier.stop()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def call(self, request: bytes) -> bytes:
        """Answer one encoded `LedgerRequest`; blocks until what it did is durable.

        Raises:
            ShardUnavailableError: the shard has been stopped, or is dead.
        """
        if self._state in {ShardState.RECOVERING, ShardState.FAILED}:
            failed = self._state is ShardState.FAILED
            return self._encoder.encode(Recovering(RETRY_AFTER_MS, failed))
        try:
            message = self._decoder.decode(request)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return self._encoder.encode(
                Refused(Reason.INVALID_COMBINATION, f"not a request of the ledger's: {error}")
            )
        if isinstance(message, Delivered):
            return self._encoder.encode(
                Refused(Reason.INVALID_COMBINATION, "only the shard itself says Delivered")
            )
        return self._ask(request, message)

    def status(self) -> ShardStatus:
        """Tell how the shard is; never waits."""
        return ShardStatus(
            self.name.stream,
            self._state.value,
            self._state is ShardState.READY,
            self._number,
            self._writer.epoch if self._writer is not None else 0,
            self._error,
            self._sums,
            self._waiting,
            self._audited,
        )

    def _ask(self, raw: bytes, message: LedgerRequest) -> bytes:
        future: Future[bytes] = Future()
        self._inbox.put(_Request(raw, message, future))
        if self._ended():
            self._turn_away()
        return future.result()

    def _ended(self) -> bool:
        return self._state is ShardState.DEAD

    def _confirm(self, delivered: Delivered) -> None:
        self._ask(self._encoder.encode(delivered), delivered)

    def _run(self) -> None:
        try:
            recovered = self._recover()
            if recovered is None:
                return
            self._ledger, self._number = recovered.state, recovered.number
            self._audit()
            if self._options.freezes:
                gc.collect()
                gc.freeze()
            for courier in self._couriers.values():
                courier.start()
            self._state = ShardState.READY
            self._offer_transfers()
            self._serve()
        except Exception as error:  # noqa: BLE001 - whatever it was, memory is not to be trusted
            self._end(f"{type(error).__name__}: {error}", [])

    def _recover(self) -> Recovered[Ledger] | None:
        stream, journal = self.name.stream, self._store.journal
        while not self._stopping.is_set():
            try:
                self._writer = journal.acquire(stream)
                recovered = recover(
                    stream,
                    journal.reader(stream),
                    self._store.snapshots,
                    LedgerReplay(self.name),
                    self._writer.head.number,
                )
                recovered.state.validate()
            except JournalUnavailableError as error:
                self._error = f"{error}"
                self._stopping.wait(self._options.recover_retry_s)
            except (TandemError, InvariantError) as error:
                self._error = f"{error}"
                self._state = ShardState.FAILED
                return None
            else:
                self._error = ""
                return recovered
        return None

    def _serve(self) -> None:
        while not (self._stopping.is_set() and self._inbox.empty()):
            if not self._step(self._admit(self._take())):
                return
            if self._audited != self._number and time.monotonic() >= self._audit_at:
                self._audit()
        self._error = "it was stopped"
        self._state = ShardState.DEAD
        self._turn_away()

    def _take(self) -> list[_Request | None]:
        try:
            batch = [self._inbox.get(timeout=self._patience())]
        except Empty:
            return []
        while True:
            try:
                batch.append(self._inbox.get_nowait())
            except Empty:
                return batch

    def _admit(self, taken: list[_Request | None]) -> list[_Request]:
        """Choose what may be applied now: nothing waits but a `Post` that is early."""
        now = time.monotonic()
        ripe = [early for early in self._early if self._is_ripe(early, now)]
        self._early = [early for early in self._early if early not in ripe]
        admitted = [early.request for early in ripe]
        for request in taken:
            if request is None:
                continue
            message = request.message
            if isinstance(message, Post) and not self._settled(message.after):
                deadline = now + self._options.early_s
                self._early.append(_Early(request, message.after, deadline))
            else:
                admitted.append(request)
        return admitted

    def _is_ripe(self, early: _Early, now: float) -> bool:
        return early.deadline <= now or self._settled(early.after)

    def _patience(self) -> float | None:
        if any(self._settled(early.after) for early in self._early):
            return 0.0
        due = [parked.deadline for parked in self._parked]
        due += [early.deadline for early in self._early]
        if self._audited != self._number:
            due.append(self._audit_at)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _audit(self) -> None:
        """Add up all accounts between two batches.

        Raises:
            InvariantError: a sum is not zero; nothing of this memory is to be used again.
        """
        began = time.monotonic()
        self._sums, self._audited = self._ledger.sums(), self._number
        for asset, mode, total, _, _ in self._sums:
            invariant(total == 0, f"{asset} in mode {mode} sums to {total}, must be 0")
        now = time.monotonic()
        self._audit_at = now + max(self._options.audit_every_s, AUDIT_SHARE * (now - began))

    def _step(self, batch: list[_Request]) -> bool:
        """Apply, journal and answer one batch; returns False when that was the end."""
        replies: list[tuple[_Request, LedgerReply]] = []
        queries: list[tuple[LedgerQuery, Future[bytes]]] = []
        commands: list[msgspec.Raw] = []
        events: list[BalanceChanged] = []
        try:
            for request in batch:
                message = request.message
                if isinstance(message, LedgerQuery):
                    queries.append((message, request.future))
                    continue
                applied = self._ledger.apply(message)
                replies.append((request, applied.reply))
                if applied.changed:
                    commands.append(msgspec.Raw(request.raw))
                    events.extend(applied.events)
            if commands:
                self._append(AccountRecord(self._clock_ns(), commands, events))
        except Exception as error:  # noqa: BLE001 - whatever it was, memory ran ahead of the disk
            self._end(f"{type(error).__name__}: {error}", batch)
            return False
        for request, reply in replies:
            request.future.set_result(self._encoder.encode(reply))
        self._answer(queries)
        if commands:
            self._offer_transfers()
        return True

    def _append(self, record: AccountRecord) -> None:
        if self._writer is None:
            raise JournalUnavailableError(self.name.stream, "there is no writer yet")
        number = self._writer.append([self._encoder.encode(record)])
        if number != self._number + 1:
            raise InvariantError(
                f"{self.name.stream}: the record became number {number}, the ledger stood at "
                f"{self._number}"
            )
        self._number = number

    def _answer(self, queries: list[tuple[LedgerQuery, "Future[bytes]"]]) -> None:
        now = time.monotonic()
        still = []
        for parked in self._parked:
            if parked.deadline <= now or self._is_due(parked.query):
                self._answer_now(parked.query, parked.future)
            else:
                still.append(parked)
        self._parked = still
        for query, future in queries:
            if self._is_due(query):
                self._answer_now(query, future)
            elif len(self._parked) < self._options.parked_max:
                self._parked.append(_Parked(query, future, now + self._options.park_s))
            else:
                future.set_result(self._encoder.encode(Recovering(PARKED_MS)))

    def _answer_now(self, query: LedgerQuery, future: "Future[bytes]") -> None:
        reply = self._ledger.query(query)
        if isinstance(reply, Audit):
            self._sums, self._audited = reply.sums, self._number
        future.set_result(self._encoder.encode(reply))

    def _is_due(self, query: LedgerQuery) -> bool:
        if isinstance(query, TransferQuery):
            return not self._ledger.transfers.is_leaving(query.command_id, query.to_shard)
        return not isinstance(query, BalanceQuery) or self._settled(query.after)

    def _settled(self, after: dict[str, int]) -> bool:
        return all(self._ledger.last_settlement(m) >= number for m, number in after.items())

    def _offer_transfers(self) -> None:
        transfers = self._ledger.transfers
        self._waiting = sum(len(o.pending) for o in transfers.outboxes.values())
        for there, courier in self._couriers.items():
            if there in transfers.outboxes:
                courier.offer(transfers.waiting(there, COURIER_BATCH))

    def _end(self, message: str, batch: list[_Request]) -> None:
        """End the process; what follows `die` is reached only where that returns, as in tests."""
        self._error = message
        self._state = ShardState.DEAD
        self._die(f"{self.name.stream}: {message}")
        for courier in self._couriers.values():
            courier.stop()
        for request in batch:
            request.future.set_exception(UnknownOutcomeError(self.name.stream, message))
        self._turn_away()

    def _turn_away(self) -> None:
        """Answer all who wait that nothing was done for them."""
        futures = [parked.future for parked in self._parked]
        futures += [early.request.future for early in self._early]
        self._parked, self._early = [], []
        while True:
            try:
                request = self._inbox.get_nowait()
            except Empty:
                break
            if request is not None:
                futures.append(request.future)
        for future in futures:
            # The writer and a late caller may both be here, about the same parked read.
            with contextlib.suppress(InvalidStateError):
                future.set_exception(ShardUnavailableError(self.name.stream, self._error))
