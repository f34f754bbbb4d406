"""API keys of an account (`/api/v1/api-keys`), for logged-in people only."""

from typing import Any, Final

import msgspec
from aiohttp import web
from event_trader.wire import identity as wire
from event_trader.wire.failure import ErrorCode

from gateway.api_keys import ApiKeyRecord, StoredKey
from gateway.codec import format_time
from gateway.endpoint import Access, Call, Route
from gateway.errors import invalid
from gateway.routes.auth import new_key
from gateway.services import Services

_NS_PER_MS: Final = 1_000_000
_DAY_MS: Final = 86_400_000


async def create(call: Call) -> dict[str, Any]:
    """Make a key; this answer is the only one that shows it."""
    services, asked = call.services, call.body
    key, record = new_key(services, call.principal.user.id, call.command_id, asked.name)
    expires_ms = record.created_ms + (asked.expires_in_days or 0) * _DAY_MS
    record = msgspec.structs.replace(
        record,
        read=asked.permissions.read,
        trade=asked.permissions.trade,
        withdraw=asked.permissions.withdraw,
        ip_whitelist=asked.ip_whitelist,
        allowed_markets=_markets(services, asked.allowed_markets),
        expires_ms=expires_ms if asked.expires_in_days else 0,
    )
    await services.api_keys.add(key, record)
    return {"key": key, **_shown(record)}


async def list_keys(call: Call) -> dict[str, Any]:
    """List the account's keys."""
    keys = await call.services.api_keys.list(call.principal.user.id)
    return {"api_keys": [_listed(key) for key in keys]}


async def change(call: Call) -> dict[str, Any]:
    """Change a key; what it may do changes on every gateway within a second."""
    services, asked = call.services, call.body
    user_id = call.principal.user.id
    stored = await services.api_keys.get(user_id, call.request.match_info["key_id"])
    changes: dict[str, Any] = {}
    for field in ("name", "ip_whitelist", "is_active"):
        value = getattr(asked, field)
        if value is not None:
            changes[field] = value
    if asked.allowed_markets is not None:
        changes["allowed_markets"] = _markets(services, asked.allowed_markets)
    if asked.permissions is not None:
        changes |= asked.permissions.model_dump()
    record = msgspec.structs.replace(stored.record, **changes)
    await services.api_keys.replace(record)
    services.auth.forget(user_id)
    return _listed(StoredKey(record, stored.last_used_ms))


async def delete(call: Call) -> web.Response:
    """Revoke a key."""
    user_id = call.principal.user.id
    await call.services.api_keys.delete(user_id, call.request.match_info["key_id"])
    call.services.auth.forget(user_id)
    return web.Response(status=204)


def _markets(services: Services, symbols: list[str]) -> list[str]:
    found = []
    for at, symbol in enumerate(symbols):
        spec = services.find_spec(symbol)
        if spec is None:
            raise invalid(("body", "allowed_markets", at), "is not a listed pair")
        if spec.symbol not in found:
            found.append(spec.symbol)
    return found


def _shown(record: ApiKeyRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "permissions": {
            "read": record.read,
            "trade": record.trade,
            "withdraw": record.withdraw,
        },
        "ip_whitelist": record.ip_whitelist,
        "allowed_markets": record.allowed_markets,
        "is_active": record.is_active,
        "expires_at": format_time(record.expires_ms * _NS_PER_MS) if record.expires_ms else None,
        "created_at": format_time(record.created_ms * _NS_PER_MS),
    }


def _listed(key: StoredKey) -> dict[str, Any]:
    used = format_time(key.last_used_ms * _NS_PER_MS) if key.last_used_ms else None
    return {**_shown(key.record), "key_prefix": key.record.shown, "last_used_at": used}


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/api-keys", handler=list_keys, tag="api keys",
        summary="List the API keys", access=Access.JWT, response=wire.ApiKeyList,
    ),
    Route(
        method="POST", path="/api/v1/api-keys", handler=create, tag="api keys", status=201,
        summary="Make an API key", access=Access.JWT, body=wire.ApiKeyRequest,
        response=wire.NewApiKey, idempotent=True, errors=(ErrorCode.TOO_MANY_KEYS,),
    ),
    Route(
        method="PATCH", path="/api/v1/api-keys/{key_id}", handler=change, tag="api keys",
        summary="Change an API key", access=Access.JWT, body=wire.ApiKeyChange,
        response=wire.ApiKey, errors=(ErrorCode.KEY_NOT_FOUND,),
    ),
    Route(
        method="DELETE", path="/api/v1/api-keys/{key_id}", handler=delete, tag="api keys",
        status=204, summary="Revoke an API key", access=Access.JWT,
        errors=(ErrorCode.KEY_NOT_FOUND,),
    ),
)  # fmt: skip
