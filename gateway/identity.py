"""Users and sessions in Redis: who exists, who is logged in. API keys: `api_keys`.

Keys: ``tandem:identity:user:<id>`` (hash), ``:email:<lower>`` and ``:username:<lower>`` (the id),
``:session:<sid>`` (hash; gone means revoked), ``:subs:<id>`` (sub-accounts). No token and no
password is ever stored: only argon2id hashes, and generation numbers of refresh tokens.
"""

from typing import Any, Final, Literal

import msgspec
import redis.asyncio
from event_trader.wire.failure import ErrorCode

from gateway.errors import ApiError, unauthenticated
from gateway.tokens import RefreshClaims

PREFIX: Final = "tandem:identity:"

_CREATE = """
for i = 1, 2 do
  local owner = redis.call('GET', KEYS[i])
  if owner and owner ~= ARGV[1] then return i end
end
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('HSET', KEYS[3], unpack(ARGV, 2))
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[1])
return 0
"""
"""KEYS: email, username, user. ARGV: id, the user's fields. Answers 1 or 2 for a taken name."""

_RENAME = """
local owner = redis.call('GET', KEYS[2])
if owner and owner ~= ARGV[1] then return 1 end
if KEYS[1] ~= KEYS[2] and redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
return 0
"""
"""KEYS: old name, new name, user. ARGV: id, field, value. Answers 1 for a taken name."""

_ROTATE = """
local found = redis.call('HMGET', KEYS[1], 'user', 'generation', 'rotated_by')
if not found[1] then return {'', 0} end
local current, asked = tonumber(found[2]), tonumber(ARGV[1])
if asked == current then
  redis.call('HSET', KEYS[1], 'generation', current + 1, 'rotated_by', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  return {found[1], current + 1}
end
if asked == current - 1 and found[3] == ARGV[2] then return {found[1], current} end
redis.call('DEL', KEYS[1])
return {'', -1}
"""
"""KEYS: session. ARGV: generation, command id, TTL. Answers the user and the new generation;
an older generation (unless the same command rotated it) ends the session."""


class UserRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A user as stored."""

    id: str
    email: str
    username: str
    role: Literal["user", "admin"] = "user"
    simulation_mode: bool = True
    tier: str = "standard"
    created_ms: int = 0
    granted: bool = False
    """Paper balances were given; false only when a crash fell into the registration."""


class Identity:
    """Reads and writes users and sessions."""

    def __init__(self, client: "redis.asyncio.Redis", refresh_ttl_s: int) -> None:
        self._redis: Any = client
        self._refresh_ttl_s = refresh_ttl_s
        self._create = self._redis.register_script(_CREATE)
        self._rename = self._redis.register_script(_RENAME)
        self._rotate = self._redis.register_script(_ROTATE)

    async def create_user(self, user: UserRecord, password_hash: str) -> None:
        """Store a new user under its email and username; the same id again changes nothing.

        Raises:
            ApiError: 409 EMAIL_TAKEN or USERNAME_TAKEN.
        """
        fields = [
            *("email", user.email, "username", user.username, "role", user.role),
            *("simulation_mode", _flag(on=user.simulation_mode), "tier", user.tier),
            *("created_ms", str(user.created_ms), "password", password_hash, "granted", "0"),
        ]
        keys = [_name_key("email", user.email), _name_key("username", user.username)]
        taken = await self._create(keys=[*keys, _user_key(user.id)], args=[user.id, *fields])
        if taken:
            raise _taken("email" if taken == 1 else "username")

    async def rename(self, user: UserRecord, field: Literal["email", "username"], new: str) -> None:
        """Change an email or username, keeping both unique.

        Raises:
            ApiError: 409 EMAIL_TAKEN or USERNAME_TAKEN.
        """
        old = user.email if field == "email" else user.username
        keys = [_name_key(field, old), _name_key(field, new), _user_key(user.id)]
        if await self._rename(keys=keys, args=[user.id, field, new]):
            raise _taken(field)

    async def set_simulation_mode(self, user_id: str, *, on: bool) -> None:
        """Switch an account between paper-only and live."""
        await self._redis.hset(_user_key(user_id), "simulation_mode", _flag(on=on))

    async def set_tier(self, user_id: str, tier: str) -> None:
        """Put an account into a tier (operators only)."""
        await self._redis.hset(_user_key(user_id), "tier", tier)

    async def mark_granted(self, user_id: str) -> None:
        """Remember that the account has its paper balances."""
        await self._redis.hset(_user_key(user_id), "granted", "1")

    async def user(self, user_id: str) -> UserRecord | None:
        """Read a user."""
        return _record(user_id, await self._redis.hgetall(_user_key(user_id)))

    async def user_in_session(self, user_id: str, session: str) -> UserRecord | None:
        """Read a user if the session still lives."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hget(_session_key(session), "user")
        pipeline.hgetall(_user_key(user_id))
        owner, fields = await pipeline.execute()
        return _record(user_id, fields) if text(owner) == user_id else None

    async def find_login(
        self, kind: Literal["email", "username"], name: str
    ) -> tuple[UserRecord | None, str | None]:
        """Find a user and the password hash by email or username; (None, None) if unknown."""
        user_id = text(await self._redis.get(_name_key(kind, name)))
        if not user_id:
            return None, None
        fields = await self._redis.hgetall(_user_key(user_id))
        return _record(user_id, fields), text(fields.get(b"password", b"")) or None

    async def open_session(self, session: str, user_id: str, now_ms: int) -> None:
        """Begin a session at generation 0; the same session again changes nothing."""
        key = _session_key(session)
        if await self._redis.hsetnx(key, "user", user_id):
            await self._redis.hset(key, mapping={"generation": 0, "created_ms": now_ms})
        await self._redis.expire(key, self._refresh_ttl_s)

    async def rotate(self, claims: RefreshClaims, command_id: str) -> tuple[str, int]:
        """Use up a refresh token; give the user and the next generation.

        Raises:
            ApiError: 401 TOKEN_INVALID for an ended session; REFRESH_REUSED for a used token,
                and then the whole session has ended.
        """
        keys = [_session_key(claims.session)]
        args: list[str | int] = [claims.generation, command_id, self._refresh_ttl_s]
        owner, generation = await self._rotate(keys=keys, args=args)
        if generation < 0:
            message = "This refresh token was used before; the session has been ended."
            raise unauthenticated(ErrorCode.REFRESH_REUSED, message)
        if not owner:
            raise unauthenticated(ErrorCode.TOKEN_INVALID, "The session has ended; log in again.")
        return text(owner), int(generation)

    async def close_session(self, session: str) -> None:
        """End a session: its refresh token and every access token of it."""
        await self._redis.delete(_session_key(session))

    async def add_sub_account(self, owner: str, sub_id: str, label: str, now_ms: int) -> None:
        """Remember a sub-account of an owner; the same id again changes nothing."""
        value = msgspec.json.encode({"label": label, "created_ms": now_ms})
        await self._redis.hsetnx(f"{PREFIX}subs:{owner}", sub_id, value)

    async def sub_accounts(self, owner: str) -> list[tuple[str, str, int]]:
        """List an owner's sub-accounts, oldest first: id, label, creation time in ms."""
        found = await self._redis.hgetall(f"{PREFIX}subs:{owner}")
        rows = []
        for sub_id, value in found.items():
            decoded = msgspec.json.decode(value)
            rows.append((text(sub_id), str(decoded["label"]), int(decoded["created_ms"])))
        return sorted(rows, key=lambda row: (row[2], row[0]))


def text(value: object) -> str:
    """Decode what Redis answered; "" for nothing."""
    if value is None:
        return ""
    return value.decode() if isinstance(value, bytes) else str(value)


def _record(user_id: str, fields: dict[bytes, bytes]) -> UserRecord | None:
    if not fields or b"email" not in fields:
        return None
    return UserRecord(
        id=user_id,
        email=text(fields[b"email"]),
        username=text(fields[b"username"]),
        role="admin" if fields.get(b"role") == b"admin" else "user",
        simulation_mode=fields.get(b"simulation_mode") != b"0",
        tier=text(fields.get(b"tier")) or "standard",
        created_ms=int(fields.get(b"created_ms", b"0")),
        granted=fields.get(b"granted") == b"1",
    )


def _taken(field: str) -> ApiError:
    code = ErrorCode.EMAIL_TAKEN if field == "email" else ErrorCode.USERNAME_TAKEN
    return ApiError(409, code, f"This {field} already has an account.", {"field": field})


def _flag(*, on: bool) -> str:
    return "1" if on else "0"


def _user_key(user_id: str) -> str:
    return f"{PREFIX}user:{user_id}"


def _session_key(session: str) -> str:
    return f"{PREFIX}session:{session}"


def _name_key(kind: str, name: str) -> str:
    return f"{PREFIX}{kind}:{name.lower()}"
