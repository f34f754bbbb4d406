"""A route as data, and the one way every request goes: who, how often, what, at most once, run.

`Route` says everything about an operation; the app registers it, the OpenAPI document shows it, and
`Endpoint` does what it says, so no handler checks anything of that itself.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec
from aiohttp import web
from event_trader.wire.base import QueryModel
from event_trader.wire.failure import ErrorCode
from pydantic import BaseModel

from actors.engine.pair_spec import PairSpec
from actors.engine.units import Mode
from gateway import body as bodies
from gateway.auth import Principal, credential_of
from gateway.errors import ApiError, operating_error, unauthenticated, unknown_symbol
from gateway.idempotency import Claim, Outcome
from gateway.limits import Check, LimitState
from gateway.services import Services


class Access(Enum):
    """Who may call a route."""

    PUBLIC = "public"
    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"
    JWT = "jwt"
    """Only a logged-in person, never an API key."""


class LimitKind(Enum):
    """Which rate limits a route counts against."""

    NONE = "none"
    GENERAL = "general"
    """Per user, or per IP without one."""
    PLACING = "placing"
    CANCELLING = "cancelling"
    LOGIN = "login"
    REGISTER = "register"


class Call:
    """One request on its way through a handler."""

    __slots__ = (
        "body", "command_id", "limits", "principal", "query", "request", "services", "spec",
    )  # fmt: skip

    def __init__(self, request: web.Request, services: Services) -> None:
        self.request = request
        self.services = services
        self.principal: Principal = NOBODY
        self.spec: PairSpec = NO_SPEC
        self.body: Any = None
        self.query: Any = None
        self.command_id = ""
        self.limits: LimitState | None = None
        """How the tightest limit stands once the request was counted."""

    def mode(self) -> Mode:
        """Decide the request's mode by its body or query."""
        asked = self.body if self.body is not None else self.query
        return self.principal.mode(getattr(asked, "mode", None), getattr(asked, "paper", None))

    def public_mode(self) -> Mode | None:
        """Decide which mode a public read shows; None leaves it to the pair's public one."""
        if self.principal is not NOBODY and self.principal.user.simulation_mode:
            return Mode.PAPER
        if self.query.paper is not None:
            return Mode.PAPER if self.query.paper else Mode.LIVE
        if self.query.mode is None:
            return None
        return Mode.PAPER if self.query.mode == "paper" else Mode.LIVE


NOBODY: Final[Any] = None
"""The principal of a request without credentials; handlers of private routes never see it."""
NO_SPEC: Final[Any] = None
"""The pair of a route without a symbol."""

Handler = Callable[[Call], Awaitable[Any]]


class NoQuery(QueryModel):
    """A route without query parameters."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation of the API.

    ``body_list`` names the field of ``body`` that a bare array stands for. ``cost`` counts the
    orders a body places. ``headers_out`` are documented response headers.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    access: Access = Access.PUBLIC
    limit: LimitKind = LimitKind.GENERAL
    body: type[BaseModel] | None = None
    body_list: str = ""
    body_item: type[BaseModel] | None = None
    """What each item of ``body_list`` is checked against, by the handler, one by one."""
    body_optional: bool = False
    query: type[QueryModel] = NoQuery
    response: type[BaseModel] | None = None
    media_type: str = "application/json"
    status: int = 200
    idempotent: bool = False
    """Takes an Idempotency-Key."""
    cost: Callable[[Any], int] | None = None
    errors: tuple[ErrorCode, ...] = ()
    symbol: bool = True
    """The path's symbol, if there is one, must be listed."""

    @property
    def has_symbol(self) -> bool:
        """True where the path names a pair."""
        return self.symbol and "{symbol}" in self.path


class Endpoint:
    """Runs one route's requests."""

    def __init__(self, route: Route, services: Services) -> None:
        self.route = route
        self._services = services
        closed = route.method not in {"GET", "HEAD"}
        self._query = bodies.QueryReader(route.query, closed=closed)
        self._encode = msgspec.json.Encoder().encode

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request.

        Raises:
            ApiError: whatever is wrong with it; the middleware shows it.
        """
        call = Call(request, self._services)
        try:
            response = await self._answer(call)
        except ApiError as error:
            if call.limits is not None:
                error.headers = {**call.limits.headers(), **error.headers}
            raise
        if call.limits is not None:
            response.headers.update(call.limits.headers())
        return response

    async def _answer(self, call: Call) -> web.Response:
        """Find out who asks, how often, and what; then run it, at most once."""
        route, services, request = self.route, self._services, call.request
        await self._authenticate(call)
        if route.has_symbol:
            self._find_pair(call)
        if route.cost is None:
            call.limits = await self._count(call)
        raw = await self._read(call)
        if route.cost is not None:
            call.limits = await self._count(call, route.cost(call.body))
        key = request.headers.get("Idempotency-Key") if route.idempotent else None
        if key is None:
            call.command_id = services.idempotency.fresh_id()
            return await self._run(call)
        return await self._run_once(call, key, raw)

    async def _authenticate(self, call: Call) -> None:
        access, services, request = self.route.access, self._services, call.request
        try:
            credential = credential_of(request)
            if credential is None:
                if access is Access.PUBLIC:
                    return
                message = "This needs a bearer token or an API key."
                raise unauthenticated(ErrorCode.UNAUTHENTICATED, message)
            if access is Access.PUBLIC and self.route.limit is not LimitKind.GENERAL:
                return
            principal = await services.auth.verify(credential, services.remote.of(request))
        except ApiError as error:
            if error.status == 401:
                call.limits = await services.limits.count(self._by_address(request))
            raise
        _check_access(principal, access)
        call.principal = principal

    def _find_pair(self, call: Call) -> None:
        symbol = call.request.match_info["symbol"]
        spec = self._services.find_spec(symbol)
        if spec is None:
            raise unknown_symbol(symbol)
        if self.route.access is not Access.PUBLIC:
            call.principal.check_market(spec.symbol)
        call.spec = spec

    async def _count(self, call: Call, cost: int = 1) -> LimitState | None:
        services = self._services
        if not services.settings.limits.enabled:
            return None
        return await services.limits.count(self._checks(call, cost))

    def _checks(self, call: Call, cost: int) -> list[Check]:
        kind, principal = self.route.limit, call.principal
        limits = self._services.settings.limits
        if kind is LimitKind.NONE:
            return []
        if kind in {LimitKind.LOGIN, LimitKind.REGISTER}:
            rate = limits.login_ip if kind is LimitKind.LOGIN else limits.register_ip
            return [Check(f"{kind.value}:{self._services.remote.of(call.request)}", rate)]
        if principal is NOBODY:
            return self._by_address(call.request)
        user, tier = principal.user.id, principal.tier
        if kind is LimitKind.CANCELLING:
            return [Check(f"cancelling:{user}", tier.cancelling)]
        if kind is LimitKind.PLACING:
            pair = f"placing_pair:{user}:{call.spec.symbol}"
            return [
                Check(pair, tier.placing_pair, cost),
                Check(f"placing:{user}", tier.placing, cost),
            ]
        return [Check(f"user:{user}", tier.user)]

    def _by_address(self, request: web.Request) -> list[Check]:
        rate = self._services.settings.limits.public_ip
        return [Check(f"public:{self._services.remote.of(request)}", rate)]

    async def _read(self, call: Call) -> bytes:
        """Read query and body into their models; returns the raw body."""
        route, request = self.route, call.request
        call.query = self._query.read(request)
        if route.body is None:
            return b""
        if route.body_optional and not request.can_read_body:
            call.body = route.body.model_validate({})
            return b""
        settings = self._services.settings
        raw = await bodies.read_body(request, settings.body_bytes_max, settings.body_timeout_s)
        value = bodies.parse_json(raw)
        if route.body_list and isinstance(value, list):
            value = {route.body_list: value}
        call.body = bodies.validate(route.body, value)
        return raw

    async def _run(self, call: Call) -> web.Response:
        try:
            result = await self.route.handler(call)
        except ApiError:
            raise
        except Exception as error:
            shown = operating_error(error, call.command_id)
            if shown is None:
                raise
            raise shown from error
        if isinstance(result, web.Response):
            return result
        if result is None:
            return web.Response(status=self.route.status)
        payload = result if isinstance(result, bytes) else self._encode(result)
        return web.Response(
            status=self.route.status, body=payload, content_type=self.route.media_type
        )

    async def _run_once(self, call: Call, key: str, raw: bytes) -> web.Response:
        """Run at most once per user, route, path and key; repeat the first outcome otherwise."""
        services, principal = self._services, call.principal
        user = "" if principal is NOBODY else principal.user.id
        simulated = "" if principal is NOBODY else str(int(principal.user.simulation_mode))
        place = f"{self.route.method} {call.request.path} {call.request.query_string}"
        claim = await services.idempotency.claim(user, place, key, raw, simulated)
        if claim.outcome is not None:
            return _repeat(claim.outcome)
        call.command_id = claim.command_id
        if claim.context and claim.context != simulated:
            user_then = msgspec.structs.replace(
                principal.user, simulation_mode=claim.context == "1"
            )
            call.principal = msgspec.structs.replace(principal, user=user_then)
        return await self._run_claimed(call, claim)

    async def _run_claimed(self, call: Call, claim: Claim) -> web.Response:
        idempotency = self._services.idempotency
        try:
            response = await self._run(call)
        except ApiError as error:
            if error.status in {429, 503}:
                await idempotency.release(claim)
            else:
                # The body is kept without its request id: each repetition shows its own.
                kept = msgspec.json.encode([error.code.value, error.message, error.details])
                await idempotency.finish(claim, Outcome(-error.status, kept))
            raise
        except BaseException:
            await idempotency.release(claim)
            raise
        kept = response.body if isinstance(response.body, bytes) else b""
        await idempotency.finish(claim, Outcome(response.status, kept))
        return response


def _repeat(outcome: Outcome) -> web.Response:
    headers = {"Idempotent-Replayed": "true"}
    if outcome.status < 0:
        code, message, details = msgspec.json.decode(outcome.body)
        raise ApiError(-outcome.status, ErrorCode(code), message, details, headers=headers)
    if not outcome.body:
        return web.Response(status=outcome.status, headers=headers)
    return web.Response(
        status=outcome.status,
        body=outcome.body,
        content_type="application/json",
        headers=headers,
    )


def _check_access(principal: Principal, access: Access) -> None:
    if access is Access.JWT:
        if not principal.session:
            message = "This needs a login (a JWT); an API key may not do it."
            raise ApiError(403, ErrorCode.JWT_REQUIRED, message)
        return
    allowed = {
        Access.PUBLIC: True,
        Access.READ: principal.can_read,
        Access.TRADE: principal.can_trade,
        Access.WITHDRAW: principal.can_withdraw,
    }[access]
    if not allowed:
        message = f"This API key has no {access.value} permission."
        details = {"permission": access.value}
        raise ApiError(403, ErrorCode.PERMISSION_DENIED, message, details)
