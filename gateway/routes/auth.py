"""Accounts, logins and sessions (`/auth`)."""

from typing import Any, Final, Literal

from aiohttp import web
from event_trader.wire import identity as wire
from event_trader.wire.base import ResponseModel
from event_trader.wire.failure import ErrorCode

from actors.engine.units import UserId
from gateway.api_keys import KEY_PREFIX, ApiKeyRecord, shown_prefix
from gateway.codec import format_time
from gateway.endpoint import Access, Call, LimitKind, Route
from gateway.errors import unauthenticated
from gateway.identity import UserRecord
from gateway.limits import Check
from gateway.services import Services
from gateway.tokens import derive

_NS_PER_MS: Final = 1_000_000


class Me(ResponseModel):
    """Who is logged in."""

    user: wire.User


def shown_user(user: UserRecord) -> dict[str, Any]:
    """Show an account."""
    return {
        "id": user.id,
        "email": user.email,
        "username": user.username,
        "role": user.role,
        "simulation_mode": user.simulation_mode,
        "created_at": format_time(user.created_ms * _NS_PER_MS),
    }


async def register(call: Call) -> dict[str, Any]:
    """Open an account, give it its paper balances, and log it in."""
    services, asked = call.services, call.body
    secret = services.settings.secret
    user = UserRecord(
        id=f"usr_{derive(secret, 'user', call.command_id).hex()[:16]}",
        email=asked.email,
        username=asked.username,
        created_ms=services.now_ms(),
    )
    await services.identity.create_user(user, await services.passwords.hash(asked.password))
    stored = await services.identity.user(user.id) or user
    await grant_paper(services, stored)
    return await _session(call, stored)


async def login(call: Call) -> dict[str, Any]:
    """Begin a session."""
    return await _session(call, await _check_password(call))


async def refresh(call: Call) -> dict[str, Any]:
    """Trade a refresh token for a new pair."""
    services = call.services
    claims = services.tokens.verify_refresh(call.body.refresh_token)
    user_id, generation = await services.identity.rotate(claims, call.command_id)
    user = await services.identity.user(user_id)
    if user is None:
        raise unauthenticated(ErrorCode.TOKEN_INVALID, "The account does not exist any more.")
    return _tokens(services, user, claims.session, generation)


async def logout(call: Call) -> web.Response:
    """End the session of a refresh token, and every access token of it."""
    services = call.services
    claims = services.tokens.verify_refresh(call.body.refresh_token)
    await services.identity.close_session(claims.session)
    services.auth.forget_session(claims.session)
    return web.Response(status=204)


async def me(call: Call) -> dict[str, Any]:
    """Show who is logged in."""
    return {"user": shown_user(call.principal.user)}


async def api_key_login(call: Call) -> dict[str, Any]:
    """Make an API key that may read and trade."""
    services = call.services
    user = await _check_password(call)
    key, record = new_key(services, user.id, call.command_id, call.body.key_name)
    await services.api_keys.add(key, record)
    return {"api_key": key, "api_key_id": record.id}


def new_key(
    services: Services, user_id: str, command_id: str, name: str
) -> tuple[str, ApiKeyRecord]:
    """Make a key and its record; the same command makes the same key again."""
    secret = services.settings.secret
    key = KEY_PREFIX + derive(secret, "api-key", user_id, command_id).hex()
    record = ApiKeyRecord(
        id=f"key_{derive(secret, 'api-key-id', user_id, command_id).hex()[:16]}",
        user=user_id,
        name=name,
        shown=shown_prefix(key),
        trade=True,
        created_ms=services.now_ms(),
    )
    return key, record


async def grant_paper(services: Services, user: UserRecord) -> None:
    """Give a new account its paper balances, once, however often it is asked."""
    if user.granted:
        return
    amounts = services.paper_grants
    await services.deps.accounts.grant(f"grant/{user.id}", UserId(user.id), amounts)
    await services.identity.mark_granted(user.id)


async def _check_password(call: Call) -> UserRecord:
    """Find the account of a name and password; unknown names take as long as wrong passwords."""
    services, asked = call.services, call.body
    kind: Literal["email", "username"] = "username" if asked.email is None else "email"
    name = asked.email if asked.email is not None else asked.username
    if services.settings.limits.enabled:
        rate = services.settings.limits.login_account
        subject = derive(services.settings.secret, "login", name.lower()).hex()[:24]
        await services.limits.count([Check(f"login_account:{subject}", rate)])
    user, stored = await services.identity.find_login(kind, name)
    if not await services.passwords.verify(stored, asked.password) or user is None:
        raise unauthenticated(ErrorCode.INVALID_CREDENTIALS, "The name or password is wrong.")
    await grant_paper(services, user)
    return user


async def _session(call: Call, user: UserRecord) -> dict[str, Any]:
    services = call.services
    session = derive(services.settings.secret, "session", user.id, call.command_id).hex()[:32]
    await services.identity.open_session(session, user.id, services.now_ms())
    return _tokens(services, user, session, 0)


def _tokens(services: Services, user: UserRecord, session: str, generation: int) -> dict[str, Any]:
    return {
        "access_token": services.tokens.access(user.id, session, services.now_ms() // 1000),
        "refresh_token": services.tokens.refresh(session, generation),
        "token_type": "bearer",
        "expires_in": services.settings.access_ttl_s,
        "user": shown_user(user),
    }


_LOGIN_ERRORS: Final = (ErrorCode.INVALID_CREDENTIALS,)

ROUTES: Final = (
    Route(
        method="POST", path="/auth/register", handler=register, tag="auth", status=201,
        summary="Open an account", limit=LimitKind.REGISTER, body=wire.RegisterRequest,
        response=wire.Session, idempotent=True,
        errors=(ErrorCode.EMAIL_TAKEN, ErrorCode.USERNAME_TAKEN),
    ),
    Route(
        method="POST", path="/auth/login", handler=login, tag="auth", summary="Log in",
        limit=LimitKind.LOGIN, body=wire.LoginRequest, response=wire.Session, idempotent=True,
        errors=_LOGIN_ERRORS,
    ),
    Route(
        method="POST", path="/auth/refresh", handler=refresh, tag="auth",
        summary="Trade a refresh token for a new pair of tokens", limit=LimitKind.LOGIN,
        body=wire.RefreshRequest, response=wire.Session, idempotent=True,
        errors=(ErrorCode.TOKEN_INVALID, ErrorCode.REFRESH_REUSED),
    ),
    Route(
        method="POST", path="/auth/logout", handler=logout, tag="auth", status=204,
        summary="End a session", limit=LimitKind.LOGIN, body=wire.LogoutRequest, idempotent=True,
        errors=(ErrorCode.TOKEN_INVALID,),
    ),
    Route(
        method="GET", path="/auth/me", handler=me, tag="auth", summary="Who is logged in",
        access=Access.READ, response=Me,
    ),
    Route(
        method="POST", path="/auth/api-key", handler=api_key_login, tag="auth",
        summary="Make an API key from a name and a password", limit=LimitKind.LOGIN,
        body=wire.ApiKeyLoginRequest, response=wire.ApiKeyFromLogin, idempotent=True,
        errors=(*_LOGIN_ERRORS, ErrorCode.TOO_MANY_KEYS),
    ),
)  # fmt: skip
