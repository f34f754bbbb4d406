"""One real pair for benchmarks: a pair actor, an account shard and a durable store under Ray.

As in the exchange, an order is held at the shard, matched, journaled with fsync (Valkey with
its append-only file on ``always``) and only then answered. Only gateway, feeds and supervisor are
missing. Call `ray_runtime.prepare` before this module is imported.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from actors.engine.commands import PlaceOrder, encode
from actors.engine.ledger_commands import AnyLedgerReply, GrantPaper, Recovering
from actors.engine.market_api import (
    BatchReply,
    BusyReply,
    DepthQuery,
    MalformedReply,
    RefusedReply,
    Request,
)
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.units import Mode, OrderType, Side, UserId
from actors.errors import TandemError
from actors.lane import LanePlan
from actors.listing import account_actor, pair_actor
from actors.pair_runtime import PairStatus
from actors.registry import ActorPlan
from actors.wiring import open_pair, open_shard
from load_tests.table import Row, quantile
from tandem import ray_runtime
from tandem.valkey import EmbeddedValkey

SPEC: Final = PairSpec(
    "bench", AssetSpec("BENCH", 6), AssetSpec("USDC", 6), "0.000001", "1", max_open_orders=2_000
)
PRICE: Final = 3_000
"""Ticks: 0.003 USDC."""
USERS: Final = tuple(UserId(f"usr_bench_{number}") for number in range(200))

_BATCH: Final = 256
_IN_FLIGHT: Final = 2
_SECONDS: Final = 5.0
_OPEN_ORDERS: Final = 100_000
_READY_WITHIN_S: Final = 120.0
_GRANT: Final = {"BENCH": 10**15, "USDC": 10**15}

_replies = msgspec.msgpack.Decoder(BatchReply)


class BenchError(Exception):
    """The exchange did not do what is to be measured; the message says what it did."""


class PairStage:
    """The started pair, as its callers see it."""

    def __init__(self, symbol: str) -> None:
        from actors.ray_ports import open_blocking_port, open_port

        self.name = pair_actor(symbol)
        self._pair = open_port(self.name, "submit", 60.0)
        self._shard = open_blocking_port(account_actor(0), "call", 30.0)

    async def submit(self, batch: bytes) -> BatchReply:
        """Send an encoded batch, and decode what comes back.

        Raises:
            BenchError: an item was refused.
        """
        answer = _replies.decode(await self._pair.call(batch))
        for reply in answer.replies:
            if isinstance(reply, (RefusedReply, MalformedReply)):
                raise BenchError(f"a command was refused: {reply}")
        return answer

    async def wait_ready(self) -> float:
        """Ask until the pair answers; returns the seconds it took."""
        begin = time.perf_counter()
        question = encode_batch([DepthQuery()])
        while time.perf_counter() - begin < _READY_WITHIN_S:
            try:
                answer = _replies.decode(await self._pair.call(question))
            except TandemError:
                answer = None  # the former incarnation is going, the next one is not there yet
            if answer is not None and not isinstance(answer.replies[0], BusyReply):
                return time.perf_counter() - begin
            await asyncio.sleep(0.01)
        raise BenchError(f"the pair was not ready within {_READY_WITHIN_S} s")

    def grant(self, users: tuple[UserId, ...]) -> None:
        """Give accounts their paper money."""
        decode = msgspec.msgpack.Decoder(AnyLedgerReply).decode
        for user in users:
            request = msgspec.msgpack.encode(GrantPaper(f"grant/{user}", user, _GRANT))
            while isinstance(decode(self._shard.wait([self._shard.start(request)])[0]), Recovering):
                time.sleep(0.05)

    def status(self) -> PairStatus | None:
        """Ask how the pair is; None while nobody is there."""
        import ray
        import ray.exceptions

        from actors import registry

        try:
            found: PairStatus
            _, found = ray.get(registry.find(self.name).status.remote(), timeout=5.0)
        except (ray.exceptions.RayError, TandemError):
            return None
        return found

    async def kill(self) -> float:
        """End the pair's process at once; returns the seconds until its successor answers.

        Raises:
            BenchError: it did not come back.
        """
        import ray

        from actors import registry

        before = self.status()
        epoch = before.markets[0].epoch if before else 0
        ray.kill(registry.find(self.name), no_restart=False)
        begin = time.perf_counter()
        while time.perf_counter() - begin < _READY_WITHIN_S:
            status = self.status()
            if status is not None and status.ready and status.markets[0].epoch > epoch:
                await self.wait_ready()
                return time.perf_counter() - begin
            await asyncio.sleep(0.02)
        raise BenchError(f"the pair did not come back within {_READY_WITHIN_S} s")


@contextmanager
def stage(directory: Path) -> Iterator[PairStage]:
    """Start store, Ray, shard and pair in a directory, and end them again."""
    with EmbeddedValkey(directory) as store:
        ray_runtime.start_local(directory, {"account": 1.0, "pair": 1.0}, workers=2)
        lanes = directory / "lanes"
        lanes.mkdir(mode=0o700)
        try:
            from actors import registry

            shard = registry.start(
                ActorPlan(
                    account_actor(0),
                    "actors.account:AccountShard",
                    (0, 1, partial(open_shard, store.url, 0, 1)),
                    "account",
                    threads=16,
                    lane=LanePlan("call", str(lanes)),
                )
            )
            actor = registry.start(
                ActorPlan(
                    pair_actor(SPEC.symbol),
                    "actors.pair:PairActor",
                    (SPEC, partial(open_pair, store.url, SPEC, 1), 20_000),
                    "pair",
                    threads=16,
                    lane=LanePlan("submit", str(lanes)),
                )
            )
            yield PairStage(SPEC.symbol)
            del shard, actor  # an actor lives as long as its maker holds it
        finally:
            ray_runtime.stop()


def encode_batch(items: list[PlaceOrder] | list[DepthQuery]) -> bytes:
    """Encode a batch as a gateway does."""
    return msgspec.msgpack.encode(
        [
            Request(
                Mode.PAPER,
                msgspec.Raw(
                    encode(item) if isinstance(item, PlaceOrder) else msgspec.msgpack.encode(item)
                ),
            )
            for item in items
        ]
    )


def crossing_batch(number: int, size: int = _BATCH) -> bytes:
    """Make a batch of buys and sells in turn at one price, each by the next user: all trade."""
    first = number * size
    return encode_batch(
        [
            PlaceOrder(f"x{at}", USERS[at % len(USERS)], Side(at % 2), OrderType.LIMIT, 10, PRICE)
            for at in range(first, first + size)
        ]
    )


def resting_batch(number: int, size: int = 1_000) -> bytes:
    """Make a batch of orders that stay on the book, spread over 500 prices a side."""
    first = number * size
    orders = []
    for at in range(first, first + size):
        side = Side(at % 2)
        away = 1 + at // 2 % 500
        price = PRICE - away if side is Side.BUY else PRICE + away
        user = USERS[at % len(USERS)]
        orders.append(PlaceOrder(f"r{at}", user, side, OrderType.LIMIT, 10, price))
    return encode_batch(orders)


def measure_orders(directory: Path) -> tuple[str, list[Row]]:
    """Measure durable orders a second through one pair actor."""
    with stage(directory) as pair:
        pair.grant(USERS)
        orders, seconds, latencies = asyncio.run(_drive(pair))
    latencies.sort()
    rows = [
        Row(
            f"orders in batches of {_BATCH}, {_IN_FLIGHT} in flight",
            f"{orders / seconds:,.0f}/s",
            f"batch p50 {quantile(latencies, 0.5) * 1e3:.1f} ms, "
            f"p99 {quantile(latencies, 0.99) * 1e3:.1f} ms",
        )
    ]
    return (
        "Durable orders through one pair actor: hold, match, fsync, settle; every order trades",
        rows,
    )


async def _drive(pair: PairStage) -> tuple[int, float, list[float]]:
    await pair.wait_ready()
    await pair.submit(crossing_batch(0))
    made = [crossing_batch(number) for number in range(1, 400)]
    latencies: list[float] = []
    begin = time.perf_counter()

    async def lane() -> None:
        while made and time.perf_counter() - begin < _SECONDS:
            batch = made.pop()
            sent = time.perf_counter()
            await pair.submit(batch)
            latencies.append(time.perf_counter() - sent)

    await asyncio.gather(*(lane() for _ in range(_IN_FLIGHT)))
    return len(latencies) * _BATCH, time.perf_counter() - begin, latencies


def measure_recovery(directory: Path) -> tuple[str, list[Row]]:
    """Measure how long a killed pair with many open orders takes to answer again."""
    with stage(directory) as pair:
        pair.grant(USERS)
        seconds = asyncio.run(_recover(pair))
    rows = [
        Row(f"{_OPEN_ORDERS:,} open orders, no snapshot", f"{seconds:.2f} s", "goal: below 5 s")
    ]
    return "From kill -9 of the pair's process to its next answer", rows


async def _recover(pair: PairStage) -> float:
    await pair.wait_ready()
    for number in range(_OPEN_ORDERS // 1_000):
        await pair.submit(resting_batch(number))
    return await pair.kill()
