"""A pair's runtime over a memory journal and real ledgers, without processes or sockets."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from actors.engine.commands import Command
from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import (
    AnyLedgerReply,
    BalanceQuery,
    Balances,
    Done,
    GrantPaper,
    LedgerQuery,
    LedgerRequest,
    Post,
    shard_of,
)
from actors.engine.market_api import AnyReply, BatchReply, Query, Request
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.units import Mode, UserId
from actors.errors import UnknownOutcomeError
from actors.journal.memory import MemoryJournal
from actors.journal.snapshots import MemorySnapshots
from actors.pair_recovery import PairRecovery
from actors.pair_runtime import PairRuntime, RuntimeOptions
from actors.shard_link import Patience

SPEC = PairSpec(
    symbol="vaix",
    base=AssetSpec("VAIX", 6),
    quote=AssetSpec("USDC", 6),
    tick_size="0.000001",
    lot_size="1",
)
SHARDS = 2
START_NS = 1_800_000_000 * 10**9


class MemoryShard:
    """One account shard's ledger behind a `BlockingAccountPort`; it can lose calls and answers."""

    def __init__(self, number: int, shards: int = SHARDS) -> None:
        self.ledger = Ledger(number, shards)
        self.early: list[Post] = []
        """Posts that named settlements of other markets."""
        self.on_early: Callable[[], object] = lambda: None
        """Called before one of them is applied."""
        self.lose_requests = 0
        self.lose_answers = 0
        self.serve = 10**9
        """How many more requests reach the ledger; all later ones are lost."""
        self.gate = threading.Event()
        """Requests wait here while it is not set."""
        self.waiting = threading.Event()
        """Set once a request has come to the gate."""
        self.gate.set()
        self._requests = msgspec.msgpack.Decoder(LedgerRequest)
        self._encoder = msgspec.msgpack.Encoder()

    def start(self, request: bytes) -> object:
        """Apply at once, unless the request is to be lost."""
        self.waiting.set()
        self.gate.wait(30)
        if self.lose_requests or not self.serve:
            self.lose_requests = max(0, self.lose_requests - 1)
            return UnknownOutcomeError("account", "request lost")
        self.serve -= 1
        answer = self._encoder.encode(self.ask(self._requests.decode(request)))
        if self.lose_answers:
            self.lose_answers -= 1
            return UnknownOutcomeError("account", "answer lost")
        return answer

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Give the answers, or the loss."""
        answers = []
        for ticket in tickets:
            if isinstance(ticket, UnknownOutcomeError):
                raise ticket
            assert isinstance(ticket, bytes)
            answers.append(ticket)
        return answers

    def ask(self, message: LedgerRequest) -> AnyLedgerReply:
        """Apply a command or answer a query."""
        if isinstance(message, LedgerQuery):
            return self.ledger.query(message)
        if isinstance(message, Post) and message.after:
            self.early.append(message)
            self.on_early()
        return self.ledger.apply(message).reply


@dataclass
class Bench:
    """Everything around one pair; `boot` starts an incarnation over the same disk."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)
    shards: list[MemoryShard] = field(
        default_factory=lambda: [MemoryShard(number) for number in range(SHARDS)]
    )
    now_ns: int = START_NS
    deaths: list[str] = field(default_factory=list)
    inbox_requests_max: int = 20_000
    patience: Patience = field(default_factory=lambda: Patience(30.0, 0.0))

    def __post_init__(self) -> None:
        self.snapshots = MemorySnapshots(self.journal)

    def boot(self, wait: bool = True) -> PairRuntime:
        """Start an incarnation of the pair."""
        recovery = PairRecovery(SPEC, self.shards, self.snapshots, self.patience)
        options = RuntimeOptions(self.inbox_requests_max, lambda: self.now_ns)
        runtime = PairRuntime(SPEC, self.journal, recovery, self.deaths.append, options)
        runtime.start()
        if wait:
            assert runtime.wait_ready(30.0), self.deaths
        return runtime

    def grant(self, user: str, **amounts: int) -> None:
        """Give a user paper funds."""
        owner = UserId(user)
        shard = self.shards[shard_of(owner, SHARDS)]
        assert isinstance(shard.ask(GrantPaper(f"grant/{user}", owner, amounts)), Done)

    def balances(self, user: str) -> dict[str, tuple[int, int]]:
        """Read (available, held) per asset, paper."""
        owner = UserId(user)
        reply = self.shards[shard_of(owner, SHARDS)].ask(BalanceQuery(owner, {}))
        assert isinstance(reply, Balances)
        return {
            balance.asset: (balance.available_raw, balance.held_raw)
            for balance in reply.balances
            if balance.mode is Mode.PAPER
        }

    def validate(self) -> None:
        """Check every ledger."""
        for shard in self.shards:
            shard.ledger.validate()


def batch(
    *asked: Command | Query, mode: Mode = Mode.PAPER, after: dict[str, int] | None = None
) -> bytes:
    """Encode one batch."""
    encoder = msgspec.msgpack.Encoder()
    return encoder.encode(
        [Request(mode, msgspec.Raw(encoder.encode(item)), after or {}) for item in asked]
    )


def replies(answer: bytes) -> list[AnyReply]:
    """Decode one answer."""
    return msgspec.msgpack.decode(answer, type=BatchReply).replies
