"""A whole exchange in one process behind a real gateway: pairs, shards, a Valkey, a client."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import Any, cast

from aiohttp.test_utils import TestClient, TestServer
from event_trader.wire.failure import ErrorResponse

from actors.account_client import Accounts
from actors.account_recovery import ShardName
from actors.account_shard import ShardRuntime, ShardStore
from actors.dead_mans_switch import DeadMansSwitch
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.journal.history import HistoryStore, HistoryWriter
from actors.journal.redis import RedisJournal
from actors.journal.snapshots import RedisSnapshots
from actors.journal.tail import RedisTail, connect_async
from actors.listing import Listing
from actors.pair_client import PairRef
from actors.pair_recovery import PairRecovery
from actors.pair_runtime import PairRuntime
from actors.ports import BlockingAccountPort
from actors.unsettled import Unsettled
from gateway.app import build_app
from gateway.deps import GatewayDeps
from gateway.journal_reads import read_heads, read_records
from gateway.market_data import MarketDataHub, note_settlements
from gateway.openapi import document
from gateway.routes import ROUTES
from gateway.server import GatewayRunner
from gateway.settings import GatewaySettings, LimitSettings, PasswordSettings, limit_preset

SECRET = b"the same thirty-two bytes or more"
CHEAP = PasswordSettings(time_cost=1, memory_kib=64, parallelism=1)
USDC = AssetSpec("USDC", 6, paper_grant="100000")
VAIX = PairSpec(
    symbol="vaix",
    base=AssetSpec("VAIX", 6, paper_grant="30000000"),
    quote=USDC,
    tick_size="0.000001",
    lot_size="1",
)
BTC = PairSpec(
    symbol="btc",
    base=AssetSpec("BTC", 8, paper_grant="2"),
    quote=USDC,
    tick_size="0.01",
    lot_size="0.0001",
)
PAIRS = (VAIX, BTC)
SHARDS = 2
PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


class PairThread:
    """A pair's runtime, whichever is in place, behind a `PairPort`: each call waits in a thread."""

    def __init__(self, runtimes: dict[str, PairRuntime], symbol: str) -> None:
        self._runtimes = runtimes
        self._symbol = symbol

    async def call(self, batch: bytes) -> bytes:
        """Submit a batch."""
        return await asyncio.to_thread(self._runtimes[self._symbol].submit, batch)


class ShardThread:
    """A shard's runtime behind both of its ports: each call waits in a thread.

    It exists before its runtime, because shards are each other's peers.
    """

    runtime: ShardRuntime

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(4)

    async def call(self, request: bytes) -> bytes:
        """Ask, from an event loop."""
        return await asyncio.to_thread(self.runtime.call, request)

    def start(self, request: bytes) -> object:
        """Ask, from a writer thread."""
        return self._pool.submit(self.runtime.call, request)

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Give the answers."""
        return [cast("Future[bytes]", ticket).result(60.0) for ticket in tickets]

    def close(self) -> None:
        """End the runtime and its threads."""
        self.runtime.stop()
        self._pool.shutdown()


class Exchange:
    """Pairs and shards over one store, and as many gateways as a test opens."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.deaths: list[str] = []
        self.shards = [ShardThread() for _ in range(SHARDS)]
        for number in range(SHARDS):
            self.make_shard(number)
        self.runtimes: dict[str, PairRuntime] = {}
        self.history = HistoryWriter(url, Listing(PAIRS, SHARDS).markets())

    def start(self) -> None:
        """Start every shard and pair, and the history writer."""
        for shard in self.shards:
            shard.runtime.start()
        for spec in PAIRS:
            self.make_pair(spec).start()
        for runtime in self.runtimes.values():
            assert runtime.wait_ready(60.0), self.deaths
        self.history.start()

    def make_shard(self, number: int) -> ShardRuntime:
        """Put a new runtime, not yet started, in the place of a shard's."""
        store = ShardStore(RedisJournal(self.url), RedisSnapshots(self.url))
        peers: dict[int, BlockingAccountPort] = dict(enumerate(self.shards))
        del peers[number]
        made = ShardRuntime(ShardName(number, SHARDS), store, peers, self.deaths.append)
        self.shards[number].runtime = made
        return made

    def make_pair(self, spec: PairSpec) -> PairRuntime:
        """Put a new runtime, not yet started, in the place of a pair's."""
        recovery = PairRecovery(spec, self.shards, RedisSnapshots(self.url))
        made = PairRuntime(spec, RedisJournal(self.url), recovery, self.deaths.append)
        self.runtimes[spec.symbol] = made
        return made

    def stop(self) -> None:
        """End everything."""
        self.history.stop()
        for runtime in self.runtimes.values():
            runtime.stop()
        for shard in self.shards:
            shard.close()


class Gateway:
    """One gateway with a client of it."""

    def __init__(self, client: "TestClient[Any, Any]", deps: GatewayDeps) -> None:
        self.client = client
        self.deps = deps
        self.last_headers: Mapping[str, str] = {}

    async def call(
        self, method: str, path: str, *, token: str = "", headers: dict[str, str] | None = None,
        **options: Any,
    ) -> tuple[int, Any]:  # fmt: skip
        """Send one request; returns status and decoded body."""
        sent = dict(headers or {})
        if token.startswith("evt_"):
            sent["X-API-Key"] = token
        elif token:
            sent["Authorization"] = f"Bearer {token}"
        async with self.client.request(method, path, headers=sent, **options) as response:
            raw = await response.read()
            assert response.headers["X-Request-Id"]
            is_json = response.content_type == "application/json" and raw
            body = await response.json() if is_json else raw.decode()
            check_documented(method, response.url.raw_path, response.status, body)
            self.last_headers = response.headers
            return response.status, body

    async def register(self, name: str = "") -> dict[str, Any]:
        """Open an account; returns the session."""
        name = name or f"user{next(_numbers)}"
        status, body = await self.call(
            "POST",
            "/auth/register",
            json={
                "email": f"{name}@example.com",
                "username": name,
                "password": PASSWORD,
                "tos_accepted": True,
                "privacy_policy_accepted": True,
            },
        )
        assert status == 201, body
        return dict(body)

    async def order(self, token: str, symbol: str = "vaix", **fields: Any) -> tuple[int, Any]:
        """Place an order."""
        path = f"/api/v1/exchange/{symbol}/orders"
        return await self.call("POST", path, token=token, json=fields)


class GatewayServer(TestServer):
    """aiohttp's test server with the gateway's own runner, as `gateway.actor` starts it."""

    async def _make_runner(self, **options: Any) -> GatewayRunner:
        return GatewayRunner(self.app, **options)


@asynccontextmanager
async def open_gateway(
    exchange: Exchange, limits: LimitSettings | None = None, **settings: Any
) -> AsyncIterator[Gateway]:
    """Open one gateway over an exchange."""
    client = connect_async(exchange.url)
    runtimes = exchange.runtimes
    unsettled = Unsettled()
    pairs = {name: PairRef(name, PairThread(runtimes, name), unsettled) for name in runtimes}
    accounts = Accounts(exchange.shards)
    for ref in pairs.values():
        ref.on_heads = lambda symbol, heads: [
            accounts.saw(f"{symbol}.{mode}", numbers)
            for mode, numbers in zip(("paper", "live"), heads, strict=True)
        ]
    specs = {spec.symbol: spec for spec in PAIRS}
    hub = MarketDataHub(specs, pairs, RedisTail(exchange.url), read_heads(client), SHARDS)
    hub.observe(partial(note_settlements, unsettled))
    journal = RedisJournal(exchange.url)
    history = HistoryStore(exchange.url)
    deps = GatewayDeps(
        settings=GatewaySettings(
            secret=SECRET, passwords=CHEAP, limits=limits or limit_preset("off"), access_log="off",
            **settings,
        ),
        listing=Listing(PAIRS, SHARDS),
        pairs=pairs,
        accounts=accounts,
        history=history,
        market_data=hub,
        redis=client,
        read_records=read_records(journal.reader),
        dead_mans_switch=DeadMansSwitch(client),
    )  # fmt: skip
    await hub.start()
    assert await hub.wait_ready(60.0)
    test_client = TestClient(GatewayServer(build_app(deps)))
    await test_client.start_server()
    try:
        yield Gateway(test_client, deps)
    finally:
        for closing in (test_client, hub, history, *pairs.values()):
            close = closing.stop if isinstance(closing, MarketDataHub) else closing.close
            try:
                await asyncio.wait_for(close(), 30.0)
            except TimeoutError:
                stacks = [str(task) for task in asyncio.all_tasks()]
                raise AssertionError(f"{closing} did not close: {stacks}") from None
        await client.aclose()
        journal.close()


def check_documented(method: str, path: str, status: int, body: Any) -> None:
    """Hold an answer to what its route declares: the status, and every field of the body."""
    route = next((r for r in ROUTES if r.method == method and _template(r.path)(path)), None)
    if route is None:
        return
    responses = _document()["paths"][route.path][method.lower()]["responses"]
    assert str(status) in responses, (method, path, status, body)
    if status >= 400:
        code = ErrorResponse.model_validate(body).error.code
        assert code in responses[str(status)]["x-error-codes"], (method, path, status, code)
    elif route.response is not None:
        route.response.model_validate(body)


@lru_cache
def _document() -> dict[str, Any]:
    return document(ROUTES, "test")


@lru_cache
def _template(path: str) -> Callable[[str], object]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", path)).fullmatch
