"""The Ray shell of a gateway: the aiohttp application on an uvloop in a thread of its own.

Builds the ports the application needs, from handles and the store's address; what is served is
`app`'s. Gateways of one machine share the port (``SO_REUSEPORT``), and the kernel spreads the
connections over them.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import structlog
import uvloop
from aiohttp import web

from actors.account import end_process
from actors.account_client import Accounts
from actors.dead_mans_switch import DeadMansSwitch
from actors.engine.units import Mode
from actors.journal.history import HistoryStore
from actors.journal.redis import RedisJournal
from actors.journal.tail import RedisTail, connect_async
from actors.lane_ports import LanePort
from actors.listing import Listing, account_actor, market_name, pair_actor
from actors.pair_client import PairRef
from actors.ray_ports import open_port
from actors.unsettled import Unsettled
from gateway.app import build_app
from gateway.deps import GatewayDeps
from gateway.journal_reads import read_heads, read_records
from gateway.market_data import MarketDataHub, note_settlements
from gateway.server import GatewayRunner, keep_loaded
from gateway.settings import GatewayPlace, GatewaySettings

STOP_TIMEOUT_S = 8.0
SHUTDOWN_TIMEOUT_S = 3.0
"""How long open requests may go on once a gateway stops."""

_LOG = structlog.get_logger("tandem.gateway")


class GatewayStatus(msgspec.Struct, frozen=True):
    """What a gateway says of itself."""

    name: str
    ready: bool
    serving: bool
    waiting: list[str]
    """Markets whose data is not there yet."""
    stale_for_s: float


class GatewayActor:
    """One gateway as an actor."""

    def __init__(self, place: GatewayPlace, settings: GatewaySettings, listing: Listing) -> None:
        self._place = place
        self._settings = settings
        self._listing = listing
        self._loop = uvloop.new_event_loop()
        self._stopping = asyncio.Event()
        self._hub: MarketDataHub | None = None
        self._serving = False
        self._thread = threading.Thread(target=self._main, name="gateway", daemon=True)
        self._thread.start()

    def status(self) -> GatewayStatus:
        """Tell how the gateway is."""
        health = self._hub.health() if self._hub is not None else None
        return GatewayStatus(
            name=self._settings.name,
            ready=self._serving and health is not None and health.ready,
            serving=self._serving,
            waiting=health.waiting if health is not None else self._listing.markets(),
            stale_for_s=round(health.stale_for_s, 1) if health is not None else 0.0,
        )

    def stop(self) -> None:
        """Take no more connections, finish what is open, and close everything."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOP_TIMEOUT_S)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001 (its successor may do better)
            _LOG.exception("gateway_ended", gateway=self._settings.name)
            end_process(f"gateway {self._settings.name}: {type(error).__name__}: {error}")
        finally:
            self._serving = False

    async def _serve(self) -> None:
        closers: list[Callable[[], Awaitable[None]]] = []
        try:
            deps = self._deps(closers)
            await deps.market_data.start()
            runner = GatewayRunner(build_app(deps), handle_signals=False)
            await runner.setup()
            closers.append(runner.cleanup)
            site = web.TCPSite(
                runner,
                self._place.host,
                self._place.port,
                reuse_port=True,
                shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            )
            await site.start()
            keep_loaded()
            self._serving = True
            await self._stopping.wait()
        finally:
            for close in reversed(closers):
                await close()

    def _deps(self, closers: list[Callable[[], Awaitable[None]]]) -> GatewayDeps:
        """Open the ports; what has to be closed is appended to ``closers``."""
        url, listing = self._place.redis_url, self._listing
        client = connect_async(url)
        closers.append(client.aclose)

        def way(actor: str, method: str) -> LanePort:
            port = open_port(actor, method)
            closers.append(port.close)
            return port

        accounts = Accounts([way(account_actor(n), "call") for n in range(listing.shards)])
        pairs: dict[str, PairRef] = {}
        unsettled = Unsettled()
        for spec in listing.pairs:
            pair = PairRef(spec.symbol, way(pair_actor(spec.symbol), "submit"), unsettled)
            pair.on_heads = _teller(accounts)
            pairs[spec.symbol] = pair
            closers.append(pair.close)
        history = HistoryStore(url)
        closers.append(history.close)
        tail = RedisTail(url)
        closers.append(tail.close)
        journal = RedisJournal(url)

        async def close_journal() -> None:
            journal.close()

        closers.append(close_journal)

        specs = {spec.symbol: spec for spec in listing.pairs}
        self._hub = hub = MarketDataHub(specs, pairs, tail, read_heads(client), listing.shards)
        hub.observe(partial(note_settlements, unsettled))
        closers.append(hub.stop)
        return GatewayDeps(
            settings=self._settings,
            listing=listing,
            pairs=pairs,
            accounts=accounts,
            history=history,
            market_data=hub,
            redis=client,
            read_records=read_records(journal.reader),
            dead_mans_switch=DeadMansSwitch(client),
        )


def _teller(accounts: Accounts) -> Callable[[str, tuple[list[int], list[int]]], None]:
    """Tell the account reads which settlements a pair's replies have shown."""

    def tell(symbol: str, heads: tuple[list[int], list[int]]) -> None:
        for mode in Mode:
            accounts.saw(market_name(symbol, mode), heads[mode])

    return tell
