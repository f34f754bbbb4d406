"""Account shards in one process, on the memory journal."""

import threading
import time
from collections.abc import Callable

import msgspec

from actors.account_recovery import ShardName
from actors.account_shard import ShardOptions, ShardRuntime, ShardStore
from actors.engine.ledger_commands import (
    AnyLedgerReply,
    BalanceQuery,
    Balances,
    LedgerCommand,
    LedgerQuery,
)
from actors.engine.units import UserId
from actors.journal.memory import MemoryJournal
from actors.journal.snapshots import MemorySnapshots, SnapshotStore
from actors.ports import BlockingAccountPort, Journal

DEADLINE_S = 30.0
ALONE = ShardName(0, 1)
IMPATIENT = ShardOptions(park_s=0.2)


def wait_until(condition: Callable[[], object]) -> None:
    """Poll until the condition holds; fails after `DEADLINE_S`."""
    deadline = time.monotonic() + DEADLINE_S
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.002)


class Shard:
    """A runtime under test, and what it said when it died."""

    def __init__(
        self,
        journal: Journal,
        name: ShardName = ALONE,
        peers: dict[int, BlockingAccountPort] | None = None,
        options: ShardOptions = IMPATIENT,
        snapshots: SnapshotStore | None = None,
    ) -> None:
        self.deaths: list[str] = []
        store = ShardStore(journal, snapshots or MemorySnapshots(MemoryJournal()))
        self.runtime = ShardRuntime(
            name, store, peers or {}, self.deaths.append, options, lambda: 1_000
        )
        self._decoder = msgspec.msgpack.Decoder(AnyLedgerReply)

    def ready(self) -> "Shard":
        """Start, and wait for the end of recovery."""
        self.runtime.start()
        wait_until(lambda: self.runtime.status().state != "recovering")
        return self

    def ask(self, request: LedgerCommand | LedgerQuery) -> AnyLedgerReply:
        """Call as a peer does: bytes there and back."""
        reply: AnyLedgerReply = self._decoder.decode(
            self.runtime.call(msgspec.msgpack.encode(request))
        )
        return reply

    def available(self, user: UserId, asset: str = "USDC") -> int:
        """Read available funds; 0 for an asset the owner never had."""
        reply = self.ask(BalanceQuery(user, {}))
        assert isinstance(reply, Balances)
        return sum(b.available_raw for b in reply.balances if b.asset == asset)


class Asking:
    """One call on its way in a thread of its own."""

    def __init__(self, shard: Shard, request: LedgerCommand | LedgerQuery) -> None:
        self.reply: AnyLedgerReply | Exception | None = None
        self._shard = shard
        self._request = request
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def answer(self) -> AnyLedgerReply | Exception:
        """Wait for the outcome."""
        self._thread.join(DEADLINE_S)
        assert self.reply is not None, "no answer came"
        return self.reply

    def _run(self) -> None:
        try:
            self.reply = self._shard.ask(self._request)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.reply = error


class GatedJournal:
    """A memory journal whose appends wait until the gate is opened."""

    def __init__(self) -> None:
        self.inner = MemoryJournal()
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def acquire(self, stream: str) -> object:
        """Give a writer that waits at the gate."""
        writer = self.inner.acquire(stream)
        append = writer.append

        def gated(bodies: list[bytes]) -> int:
            self.waiting.set()
            assert self.gate.wait(DEADLINE_S)
            return append(bodies)

        writer.append = gated  # type: ignore[method-assign]
        return writer
