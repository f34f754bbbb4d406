"""From a request's headers to a `Principal`, verified at most `principal_cache_s` ago.

A verified token or key is trusted from memory for that long (0.25 s by default) and then looked up
again, so a revocation holds on every gateway well within a second, and a busy trader costs Redis
four reads a second instead of one per request. Refusals are not cached.
"""

import asyncio
import ipaddress
import time
from typing import Any, Final

import msgspec
from aiohttp import web
from event_trader.wire.failure import ErrorCode

from actors.engine.units import Mode, UserId
from gateway.api_keys import KEY_CHARS, KEY_PREFIX, ApiKeyRecord, ApiKeys
from gateway.errors import ApiError, unauthenticated
from gateway.identity import Identity, UserRecord
from gateway.settings import GatewaySettings, Tier
from gateway.tokens import Tokens

TOKEN_CHARS_MAX: Final = 4_096
_CACHE_ENTRIES_MAX: Final = 50_000
_TOUCH_EVERY_S: Final = 30.0

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may do."""

    user: UserRecord
    tier: Tier
    session: str = ""
    """The session of a JWT; "" for an API key."""
    key_id: str = ""
    """The API key's id; "" for a JWT."""
    can_read: bool = True
    can_trade: bool = True
    can_withdraw: bool = True
    networks: tuple[Any, ...] = ()
    """Addresses an API key may be used from; empty for any."""
    markets: frozenset[str] = frozenset()
    """Pairs an API key may be used for; empty for any."""
    expires_s: float = 0.0
    """When the token or key ends by itself, Unix time; 0 for never."""

    @property
    def user_id(self) -> UserId:
        """The account's id."""
        return UserId(self.user.id)

    def mode(self, mode: str | None, paper: bool | None) -> Mode:  # noqa: FBT001 (the wire's field)
        """Decide which world a request is for: the account's switch, ``paper``, then ``mode``."""
        if self.user.simulation_mode:
            return Mode.PAPER
        if paper is not None:
            return Mode.PAPER if paper else Mode.LIVE
        return Mode.PAPER if mode == "paper" else Mode.LIVE

    def check_market(self, symbol: str) -> None:
        """Refuse a market that an API key may not be used for.

        Raises:
            ApiError: 403 MARKET_NOT_ALLOWED.
        """
        if self.markets and symbol not in self.markets:
            message = f"This API key may not be used for {symbol}."
            raise ApiError(403, ErrorCode.MARKET_NOT_ALLOWED, message)


class Authenticator:
    """Verifies credentials, with a short memory."""

    def __init__(
        self, settings: GatewaySettings, tokens: Tokens, identity: Identity, keys: ApiKeys
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._identity = identity
        self._keys = keys
        self._cache: dict[str, tuple[Principal, float]] = {}
        self._asking: dict[str, asyncio.Future[Principal]] = {}
        self._touched: dict[str, float] = {}

    def forget(self, user_id: str) -> None:
        """Drop what is remembered of a user, because it has just changed."""
        stale = [key for key, (who, _) in self._cache.items() if who.user.id == user_id]
        for key in stale:
            del self._cache[key]

    def forget_session(self, session: str) -> None:
        """Drop what is remembered of a session, because it has just ended."""
        stale = [key for key, (who, _) in self._cache.items() if who.session == session]
        for key in stale:
            del self._cache[key]

    async def verify(self, credential: str, remote: str) -> Principal:
        """Verify an access token or API key, used from an address.

        Raises:
            ApiError: 401 for a bad, expired or revoked one; 403 IP_NOT_ALLOWED.
        """
        now = time.monotonic()
        cached = self._cache.get(credential)
        if cached is not None and now < cached[1]:
            principal = cached[0]
        else:
            principal = await self._ask_once(credential)
        if principal.expires_s and principal.expires_s <= time.time():
            code = ErrorCode.TOKEN_EXPIRED if principal.session else ErrorCode.KEY_INVALID
            raise unauthenticated(code, "The token or key has expired.")
        if principal.networks:
            _check_address(principal.networks, remote)
        return principal

    async def _ask_once(self, credential: str) -> Principal:
        """Look a credential up; requests that arrive meanwhile share the answer."""
        asking = self._asking.get(credential)
        if asking is not None:
            return await asyncio.shield(asking)
        task = asyncio.ensure_future(self._ask(credential))
        self._asking[credential] = task
        task.add_done_callback(lambda _: self._asking.pop(credential, None))
        return await asyncio.shield(task)

    async def _ask(self, credential: str) -> Principal:
        started = time.monotonic()
        if len(credential) > TOKEN_CHARS_MAX:
            raise unauthenticated(ErrorCode.TOKEN_INVALID, "The token is too long.")
        is_key = credential.startswith(KEY_PREFIX)
        principal = await (self._from_key if is_key else self._from_token)(credential)
        if len(self._cache) >= _CACHE_ENTRIES_MAX:
            self._cache.clear()
        self._cache[credential] = (principal, started + self._settings.principal_cache_s)
        return principal

    async def _from_token(self, token: str) -> Principal:
        claims = self._tokens.verify_access(token)
        user = await self._identity.user_in_session(claims.user, claims.session)
        if user is None:
            raise unauthenticated(ErrorCode.TOKEN_INVALID, "The session has ended; log in again.")
        return Principal(
            user=user,
            tier=self._settings.limits.tier(user.tier),
            session=claims.session,
            expires_s=float(claims.expires_s),
        )

    async def _from_key(self, key: str) -> Principal:
        record = await self._keys.find(key) if len(key) == KEY_CHARS else None
        if record is None or not record.is_active:
            raise unauthenticated(ErrorCode.KEY_INVALID, "The API key is not valid.")
        user = await self._identity.user(record.user)
        if user is None:
            raise unauthenticated(ErrorCode.KEY_INVALID, "The API key is not valid.")
        await self._touch(key, record)
        return Principal(
            user=user,
            tier=self._settings.limits.tier(user.tier),
            key_id=record.id,
            can_read=record.read,
            can_trade=record.trade,
            can_withdraw=record.withdraw,
            networks=tuple(ipaddress.ip_network(n, strict=False) for n in record.ip_whitelist),
            markets=frozenset(record.allowed_markets),
            expires_s=record.expires_ms / 1000,
        )

    async def _touch(self, key: str, record: ApiKeyRecord) -> None:
        now = time.monotonic()
        if now - self._touched.get(record.id, -_TOUCH_EVERY_S) >= _TOUCH_EVERY_S:
            self._touched[record.id] = now
            await self._keys.touch(key, int(time.time() * 1000))


def credential_of(request: web.Request) -> str | None:
    """Find the credential in ``Authorization: Bearer`` or ``X-API-Key``; None without either.

    Raises:
        ApiError: 401 for another scheme or an empty value.
    """
    headers = request.headers
    authorization = headers.get("Authorization")
    if authorization is None:
        key = headers.get("X-API-Key")
        if key is None:
            return None
        if not key.startswith(KEY_PREFIX):
            raise unauthenticated(ErrorCode.KEY_INVALID, "X-API-Key must hold an evt_ key.")
        return key
    scheme, _, value = authorization.partition(" ")
    value = value.strip()
    if scheme.lower() != "bearer" or not value:
        message = "The Authorization header must be 'Bearer <token or key>'."
        raise unauthenticated(ErrorCode.UNAUTHENTICATED, message)
    return value


def _check_address(networks: tuple[Network, ...], remote: str) -> None:
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        address = None
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    if address is None or not any(address in network for network in networks):
        message = "This API key may not be used from your address."
        raise ApiError(403, ErrorCode.IP_NOT_ALLOWED, message)
