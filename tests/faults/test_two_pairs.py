"""Two incarnations of one pair at once: the newer one fences the older, whatever that is doing."""

import os
import threading
from pathlib import Path

import msgspec

from actors.account_recovery import ShardName
from actors.account_shard import ShardRuntime, ShardStore
from actors.engine.commands import PlaceOrder
from actors.engine.ledger_commands import Done, GrantPaper, shard_of
from actors.engine.market_api import OpenOrdersQuery, OrderReply, OrdersReply, OutcomeQuery
from actors.engine.units import OrderType, Side, UserId
from actors.errors import UnknownOutcomeError
from actors.journal.redis import RedisJournal
from actors.journal.snapshots import RedisSnapshots
from actors.pair_recovery import PairRecovery
from actors.pair_runtime import PairRuntime, PairState
from actors.ports import BlockingAccountPort
from tandem.valkey import EmbeddedValkey
from tests.gateways import ShardThread
from tests.running import wait_until
from tests.unit.actors.pairs import SHARDS, SPEC, batch, replies

INCARNATIONS = 20 if os.environ.get("TANDEM_LONG") else 5
CLIENTS = 3
USERS = [UserId(f"usr_{n}") for n in range(CLIENTS)]
NOTIONAL_RAW = 1_000
_ENCODE = msgspec.msgpack.encode


class World:
    """Real shards over a real store, and pairs that come while others are still there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.shard_deaths: list[str] = []
        self.shards = [ShardThread() for _ in range(SHARDS)]
        for number, shard in enumerate(self.shards):
            store = ShardStore(RedisJournal(url), RedisSnapshots(url))
            peers: dict[int, BlockingAccountPort] = dict(enumerate(self.shards))
            del peers[number]
            name = ShardName(number, SHARDS)
            shard.runtime = ShardRuntime(name, store, peers, self.shard_deaths.append)
        for shard in self.shards:
            shard.runtime.start()
        for shard in self.shards:
            wait_until(lambda shard=shard: shard.runtime.status().ready, 60, "the shard")
        self.newest: PairRuntime | None = None

    def boot(self, deaths: list[str]) -> PairRuntime:
        """Start one more incarnation of the pair, and wait until it is ready."""
        recovery = PairRecovery(SPEC, self.shards, RedisSnapshots(self.url))
        runtime = PairRuntime(SPEC, RedisJournal(self.url), recovery, deaths.append)
        runtime.start()
        assert runtime.wait_ready(60.0), deaths
        return runtime


class Client:
    """Places orders at one incarnation until it answers no more; keeps what was acknowledged."""

    def __init__(self, name: str, user: UserId, runtime: PairRuntime) -> None:
        self.name = name
        self.user = user
        self.runtime = runtime
        self.acknowledged: list[str] = []
        self.refused_by_death = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        for number in range(100_000):
            command_id = f"{self.name}/{number}"
            order = PlaceOrder(
                command_id,
                self.user,
                Side.BUY,
                OrderType.LIMIT,
                1,
                NOTIONAL_RAW,
                open_orders_max=100_000,
            )
            try:
                answer = replies(self.runtime.submit(batch(order)))[0]
            except UnknownOutcomeError:
                self.refused_by_death = True
                return
            if not isinstance(answer, OrderReply):
                return
            self.acknowledged.append(command_id)


def _grant(world: World) -> None:
    for user in USERS:
        shard = world.shards[shard_of(user, SHARDS)].runtime
        ledger_reply = shard.call(_ENCODE(GrantPaper(f"grant/{user}", user, {"USDC": 10**12})))
        assert ledger_reply == _ENCODE(Done())


def _held(world: World) -> int:
    """Stop the shards, and add up what their ledgers hold."""
    held = 0
    for shard in world.shards:
        shard.close()
        shard.runtime._ledger.validate()
        for market in shard.runtime._ledger.markets.values():
            held += sum(position.held_buy for position in market.positions.values())
    return held


def test_newer_pair_under_load_silences_the_older(tmp_path: Path) -> None:
    """Each successor starts under load; what it finds is exactly what was acknowledged, and more.

    No acknowledgement leaves the older one after the newer one is ready; every one that left before
    is known to the newer; and the shards hold for what is open, no more.
    """
    acknowledged: list[tuple[UserId, str]] = []
    with EmbeddedValkey(tmp_path) as server:
        world = World(server.url)
        _grant(world)
        deaths: list[str] = []
        older = world.boot(deaths)
        for life in range(INCARNATIONS):
            clients = [Client(f"{life}/{user}", user, older) for user in USERS]
            for client in clients:
                wait_until(lambda client=client: len(client.acknowledged) > 20, 60, "orders")
            newer = world.boot(deaths)
            at_ready = [len(client.acknowledged) for client in clients]
            for client in clients:
                client.thread.join(60)
                assert not client.thread.is_alive()
                acknowledged += [(client.user, command) for command in client.acknowledged]
            late = [len(c.acknowledged) - n for c, n in zip(clients, at_ready, strict=True)]
            assert max(late) <= 1  # an answer that was on its way while this thread looked
            # Callers are told first.
            wait_until(lambda life=life: len(deaths) == life + 1, 60, "the death")
            assert older.state is PairState.DEAD
            assert all(client.refused_by_death for client in clients)
            older = newer
        asked = [OutcomeQuery(user, command) for user, command in acknowledged]
        known = replies(older.submit(batch(*asked)))
        lost = [
            command
            for command, reply in zip(acknowledged, known, strict=True)
            if not isinstance(reply, OrderReply)
        ]
        assert lost == []
        numbers = [reply.order.order_no for reply in known if isinstance(reply, OrderReply)]
        assert len(set(numbers)) == len(acknowledged)
        shown = replies(older.submit(batch(*(OpenOrdersQuery(user) for user in USERS))))
        orders = sum(len(reply.orders) for reply in shown if isinstance(reply, OrdersReply))
        older.stop()
        held = _held(world)
    assert world.shard_deaths == []
    assert orders >= len(acknowledged)
    assert orders * NOTIONAL_RAW <= held <= orders * (NOTIONAL_RAW + 1)
    print(f"{INCARNATIONS} successions, {len(acknowledged)} acknowledged orders, {orders} open")
