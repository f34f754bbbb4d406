"""The WebSocket paths: which market a request means, who asks, and the session it gets.

`setup` is all the app calls. Everything that can be refused is refused before the upgrade, as a
REST error in both forms; a bad credential of the private channel is told after it, because only
then can a browser see why (close code 4401).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web
from event_trader.wire.failure import ErrorCode
from redis.exceptions import RedisError

from actors.engine.pair_spec import PairSpec
from actors.engine.units import Mode
from actors.errors import JournalUnavailableError
from gateway.auth import credential_of
from gateway.errors import ApiError, invalid, unavailable, unknown_symbol
from gateway.market import Market
from gateway.middleware import REQUEST_ID
from gateway.services import Services
from gateway.ws.clob import CHANNELS, PUBLIC_CHANNELS, ClobSession
from gateway.ws.connections import Connections, require_upgrade
from gateway.ws.leases import ConnectionLeases
from gateway.ws.private import AccountSession, PrivateSession
from gateway.ws.private_hub import PrivateHub
from gateway.ws.protocol import Session
from gateway.ws.public import BookSession, LatestSession, MarketsSession, TradesSession

RECHECK_S: Final = 0.6
"""How often an open account connection's credential is looked up again."""
CREDENTIAL_CHARS_MAX: Final = 4_096

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebSockets:
    """The channels of one gateway."""

    def __init__(self, services: Services) -> None:
        deps, limits = services.deps, services.settings.limits
        leases = ConnectionLeases(deps.redis, limits.websockets_per_ip, enabled=limits.enabled)
        self.connections = Connections(leases, services.remote.of)
        self.private_hub = PrivateHub(
            deps.market_data, deps.listing, deps.read_records or _no_records
        )
        self._services = services
        self._hub = deps.market_data
        self._clock = self.connections.clock

    async def book(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws/exchange/{symbol}/book``."""
        market = await self._market(request)
        hybrid = _flag(request, "hybrid")
        return await self._serve(
            request, "book", lambda: BookSession(self._clock, market, hybrid=hybrid)
        )

    async def trades(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws/exchange/{symbol}/trades``."""
        market = await self._market(request)
        return await self._serve(request, "trades", lambda: TradesSession(self._clock, market))

    async def price(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws/exchange/{symbol}/price``."""
        market = await self._market(request)
        return await self._serve(
            request, "price", lambda: LatestSession(self._clock, market, market.price)
        )

    async def bbo(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws/exchange/{symbol}/bbo``."""
        market = await self._market(request)
        return await self._serve(
            request, "bbo", lambda: LatestSession(self._clock, market, market.bbo)
        )

    async def markets(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws/exchange/markets``."""
        require_upgrade(request)
        rows = self._hub.rows(await self._mode(request))
        return await self._serve(request, "markets", lambda: MarketsSession(self._clock, rows))

    async def private(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws/exchange/private``."""
        require_upgrade(request)
        credential = _credential(request)
        gate = AccountGate(self._services, request)

        def session() -> Session:
            made = PrivateSession(self._clock, self.private_hub, gate.ask)
            return gate.guard(made, credential)

        return await self._serve_account(request, "private", session, gate)

    async def clob(self, request: web.Request) -> web.StreamResponse:
        """Serve ``/ws/clob``."""
        require_upgrade(request)
        channels = _channels(request)
        symbol = request.query.get("pair") or "VAIX/USDC"
        spec = self._services.find_spec(symbol)
        if spec is None:
            raise unknown_symbol(symbol)
        market = self._ready(spec, await self._mode(request))
        credential = _credential(request)
        gate = AccountGate(self._services, request)

        def session() -> Session:
            made = ClobSession(self._clock, self.private_hub, gate.ask, market, channels)
            return gate.guard(made, credential)

        return await self._serve_account(request, "clob", session, gate)

    async def stop(self, _: web.Application) -> None:
        """End all connections; the app calls it when it shuts down."""
        await self.connections.stop()
        await self.private_hub.stop()

    async def _serve(
        self, request: web.Request, channel: str, session: Callable[[], Session]
    ) -> web.StreamResponse:
        return await self.connections.serve(request, channel, session)

    async def _serve_account(
        self,
        request: web.Request,
        channel: str,
        session: Callable[[], Session],
        gate: "AccountGate",
    ) -> web.StreamResponse:
        try:
            return await self._serve(request, channel, session)
        finally:
            await gate.stop()

    async def _market(self, request: web.Request) -> Market:
        """Find the market that a public channel's path and query mean."""
        spec = self._services.find_spec(request.match_info["symbol"])
        if spec is None:
            raise unknown_symbol(request.match_info["symbol"])
        require_upgrade(request)
        return self._ready(spec, await self._mode(request))

    def _ready(self, spec: PairSpec, mode: Mode | None) -> Market:
        market = self._hub.market(spec.symbol, mode)
        if market is None or not market.ready:
            message = "The market is recovering; connect again shortly."
            raise unavailable(ErrorCode.RECOVERING, message)
        return market

    async def _mode(self, request: web.Request) -> Mode | None:
        """Decide which mode a public channel shows; None leaves it to the pair."""
        credential = credential_of(request)
        if credential is not None:
            address = self._services.remote.of(request)
            principal = await self._services.auth.verify(credential, address)
            if principal.user.simulation_mode:
                return Mode.PAPER
        asked = request.query.get("mode")
        if asked is None:
            return None
        if asked not in {"paper", "live"}:
            raise invalid(("query", "mode"), "must be paper or live")
        return Mode.PAPER if asked == "paper" else Mode.LIVE


class AccountGate:
    """Looks a connection's credential up, and again and again while it is open."""

    def __init__(self, services: Services, request: web.Request) -> None:
        self._auth = services.auth
        self._address = services.remote.of(request)
        self._session: AccountSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("gateway.ws")

    def guard(self, session: AccountSession, credential: str | None) -> AccountSession:
        """Watch over a session; a credential that came with the request is looked up at once."""
        self._session = session
        if credential is not None:
            session.authenticate(credential)
        return session

    def ask(self, credential: str) -> None:
        """Look a credential up, and keep looking."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch(credential))

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self, credential: str) -> None:
        session = self._session
        while session is not None and session.closing is None:
            try:
                principal = await self._auth.verify(credential, self._address)
            except ApiError as error:
                if error.status in {401, 403}:
                    session.refused(error.code.value, error.message)
                    return
            except (RedisError, OSError) as error:
                # Nothing is known just now: who was let in stays, who was not waits.
                self._log.warning("identity_unavailable", error=type(error).__name__)
            else:
                session.authenticated(principal)
            await asyncio.sleep(RECHECK_S)


def setup(app: web.Application, services: Services, symbol_pattern: str) -> WebSockets:
    """Add every channel to the app.

    Args:
        app: the gateway's application.
        services: its parts.
        symbol_pattern: what stands for a symbol in a path, such as ``{symbol}``.

    Returns:
        The channels, which end with the app.
    """
    sockets = WebSockets(services)
    prefix = f"/ws/exchange/{symbol_pattern}"
    paths: list[tuple[str, Handler]] = [
        ("/ws/exchange/markets", sockets.markets),
        ("/ws/exchange/private", sockets.private),
        (f"{prefix}/book", sockets.book),
        (f"{prefix}/trades", sockets.trades),
        (f"{prefix}/price", sockets.price),
        (f"{prefix}/bbo", sockets.bbo),
        ("/ws/clob", sockets.clob),
    ]
    for path, handler in paths:
        app.router.add_get(path, _closing_on_refusal(handler), allow_head=False)
    app.on_shutdown.append(sockets.stop)
    return sockets


def _closing_on_refusal(handler: Handler) -> Handler:
    """Close the connection after a refusal: it was asked to stop speaking HTTP."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ApiError as error:
            response = error.response(str(request.get(REQUEST_ID, "")))
            response.force_close()
            return response

    return handle


def _flag(request: web.Request, name: str) -> bool:
    value = request.query.get(name, "false").lower()
    if value in {"true", "1"}:
        return True
    if value in {"false", "0"}:
        return False
    raise invalid(("query", name), "must be true or false")


def _channels(request: web.Request) -> tuple[str, ...]:
    """Read the comma-separated channels; without any, the public ones."""
    named = [name for name in request.query.get("channels", "").split(",") if name.strip()]
    found = tuple(dict.fromkeys(name.strip() for name in named)) or PUBLIC_CHANNELS
    for name in found:
        if name not in CHANNELS:
            known = ", ".join(CHANNELS)
            raise invalid(("query", "channels"), f"must be some of {known}, was {name[:40]!r}")
    return found


def _credential(request: web.Request) -> str | None:
    """Find the credential in the query (the origin's way) or in the headers."""
    token = request.query.get("token")
    if token:
        return token[: CREDENTIAL_CHARS_MAX + 1]
    return credential_of(request)


async def _no_records(stream: str, *_: int) -> list[tuple[int, bytes]]:
    raise JournalUnavailableError(stream, "this gateway has no reader of the journal")
