"""A market trading at random by seed, and the records a pair would write of it."""

from random import Random

import msgspec

from actors.engine.commands import AnyCommand, CancelOrder, PlaceOrder
from actors.engine.ledger_commands import Settlement, shard_of
from actors.engine.pair_engine import PairEngine
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.settlement import Posting
from actors.engine.units import Mode, OrderNo, OrderType, Side, UserId
from actors.journal.market_record import MarketRecord, Step

SPEC = PairSpec("vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1")
SHARDS = 2
STREAM = "vaix.paper"
USERS = [UserId(f"usr_{name}") for name in ("ada", "ben", "cleo", "dan")]


class Market:
    """Plays the pair: runs commands, and encodes what it would journal."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.engine = PairEngine(SPEC, Mode.PAPER, SHARDS)
        self.number = 0
        self.heads = [0] * SHARDS
        self.acks = [0] * SHARDS
        self.commands = 0

    def record(self, size: int = 8) -> bytes:
        """Run one batch of random commands, and give its record's body."""
        self.number += 1
        time_ns = self.number * 1_000_000
        steps = []
        self.engine.begin(time_ns, self.number)
        for _ in range(size):
            command = self._command()
            need = self.engine.hold_for(command, time_ns)
            held_raw = need.most_raw if need is not None else 0
            events = self.engine.apply(command, held_raw)
            steps.append(Step(command, held_raw, list(events)))
        levels = self.engine.drain_levels()
        settlements = self._settle(self.engine.drain_postings())
        self.engine.close_record()
        record = MarketRecord(
            time_ns,
            steps,
            levels,
            settlements,
            self.engine.book_seq,
            self.engine.hybrid_seq,
            self.engine.trade_seq,
            list(self.heads),
            list(self.acks),
        )
        for shard, head in enumerate(self.heads):  # the shards confirm now and then, not at once
            if self.random.random() < 0.3:
                self.acks[shard] = head
        return msgspec.msgpack.encode(record)

    def _settle(self, postings: list[Posting]) -> list[tuple[int, Settlement]]:
        owed: dict[int, list[Posting]] = {}
        for posting in postings:
            owed.setdefault(shard_of(posting.user, SHARDS), []).append(posting)
        settlements = []
        for shard, parts in sorted(owed.items()):
            self.heads[shard] += 1
            settlements.append((shard, Settlement(self.heads[shard], parts)))
        return settlements

    def _command(self) -> AnyCommand:
        self.commands += 1
        identity = f"c{self.commands}"
        user = self.random.choice(USERS)
        if self.random.random() < 0.3:
            return CancelOrder(identity, user, OrderNo(self.random.randint(1, self.commands)))
        side = self.random.choice(list(Side))
        return PlaceOrder(
            identity,
            user,
            side,
            self.random.choice([OrderType.LIMIT, OrderType.LIMIT, OrderType.IOC]),
            size_lots=self.random.randint(1, 50),
            price_ticks=3_000 + self.random.randint(-20, 20),
        )
