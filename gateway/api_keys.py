"""API keys in Redis: only the SHA-256 of a key is stored, beside what the key may do.

Keys: ``tandem:identity:key:<sha256>`` (hash) and ``tandem:identity:keys:<user>`` (key id to
SHA-256, in order of creation). Deleting the hash revokes the key.
"""

import hashlib
from typing import Any, Final

import msgspec
import redis.asyncio
from event_trader.wire.failure import ErrorCode

from gateway.errors import ApiError
from gateway.identity import PREFIX, text

KEY_PREFIX: Final = "evt_"
KEY_CHARS: Final = len(KEY_PREFIX) + 64
_SHOWN_CHARS: Final = 12

_ADD = """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[3]) then return 1 end
redis.call('HSET', KEYS[1], 'data', ARGV[4])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 0
"""
"""KEYS: key, user's keys. ARGV: key id, SHA-256, bound, data. Answers 1 when there are too many."""

_REPLACE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[1])
return 1
"""


class ApiKeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A key as stored. Times are Unix milliseconds; ``expires_ms`` 0 is never."""

    id: str
    user: str
    name: str
    shown: str
    """The first characters, for people to recognise it by."""
    read: bool = True
    trade: bool = False
    withdraw: bool = False
    ip_whitelist: list[str] = []
    allowed_markets: list[str] = []
    is_active: bool = True
    created_ms: int = 0
    expires_ms: int = 0


class StoredKey(msgspec.Struct, frozen=True):
    """A key with when it was last used (0 for never)."""

    record: ApiKeyRecord
    last_used_ms: int


def digest(key: str) -> str:
    """Hash a key as it is stored."""
    return hashlib.sha256(key.encode()).hexdigest()


def shown_prefix(key: str) -> str:
    """Give the part of a key that lists may show."""
    return key[:_SHOWN_CHARS]


class ApiKeys:
    """Reads and writes keys."""

    def __init__(self, client: "redis.asyncio.Redis", keys_max: int) -> None:
        self._redis: Any = client
        self._keys_max = keys_max
        self._add = self._redis.register_script(_ADD)
        self._replace = self._redis.register_script(_REPLACE)

    async def add(self, key: str, record: ApiKeyRecord) -> None:
        """Store a new key; the same id again changes nothing.

        Raises:
            ApiError: 409 TOO_MANY_KEYS.
        """
        sha = digest(key)
        keys = [_key(sha), _list_key(record.user)]
        data = msgspec.json.encode(record)
        args: list[str | int | bytes] = [record.id, sha, self._keys_max, data]
        if await self._add(keys=keys, args=args):
            message = f"An account has at most {self._keys_max} keys; delete one first."
            raise ApiError(409, ErrorCode.TOO_MANY_KEYS, message)

    async def find(self, key: str) -> ApiKeyRecord | None:
        """Find what a presented key may do."""
        data = await self._redis.hget(_key(digest(key)), "data")
        return None if data is None else msgspec.json.decode(data, type=ApiKeyRecord)

    async def list(self, user: str) -> "list[StoredKey]":
        """List a user's keys, oldest first."""
        shas = await self._redis.hvals(_list_key(user))
        pipeline = self._redis.pipeline(transaction=False)
        for sha in shas:
            pipeline.hmget(_key(text(sha)), "data", "last_used_ms")
        found = [
            StoredKey(msgspec.json.decode(data, type=ApiKeyRecord), int(used or 0))
            for data, used in await pipeline.execute()
            if data is not None
        ]
        return sorted(found, key=lambda key: (key.record.created_ms, key.record.id))

    async def get(self, user: str, key_id: str) -> StoredKey:
        """Read one key of a user's.

        Raises:
            ApiError: 404 KEY_NOT_FOUND.
        """
        sha = await self._sha(user, key_id)
        data, used = await self._redis.hmget(_key(sha), "data", "last_used_ms")
        if data is None:
            raise _not_found()
        return StoredKey(msgspec.json.decode(data, type=ApiKeyRecord), int(used or 0))

    async def replace(self, record: ApiKeyRecord) -> None:
        """Store a changed key.

        Raises:
            ApiError: 404 KEY_NOT_FOUND.
        """
        sha = await self._sha(record.user, record.id)
        if not await self._replace(keys=[_key(sha)], args=[msgspec.json.encode(record)]):
            raise _not_found()

    async def delete(self, user: str, key_id: str) -> None:
        """Revoke a key.

        Raises:
            ApiError: 404 KEY_NOT_FOUND.
        """
        sha = await self._sha(user, key_id)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.delete(_key(sha))
        pipeline.hdel(_list_key(user), key_id)
        await pipeline.execute()

    async def touch(self, key: str, now_ms: int) -> None:
        """Remember that a key was used."""
        await self._redis.hset(_key(digest(key)), "last_used_ms", now_ms)

    async def _sha(self, user: str, key_id: str) -> str:
        sha = text(await self._redis.hget(_list_key(user), key_id))
        if not sha:
            raise _not_found()
        return sha


def _not_found() -> ApiError:
    return ApiError(404, ErrorCode.KEY_NOT_FOUND, "There is no such API key of yours.")


def _key(sha: str) -> str:
    return f"{PREFIX}key:{sha}"


def _list_key(user: str) -> str:
    return f"{PREFIX}keys:{user}"
