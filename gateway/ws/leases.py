"""How many connections an address has per channel, counted exactly across all gateways.

Each open connection is a member of a sorted set in Redis, scored with the time its lease ends. A
gateway renews its leases; those of a killed gateway end by themselves within `LEASE_S`. Times are
Redis' own, so gateways' clocks do not matter.
"""

import asyncio
import secrets
from typing import Final

import redis.asyncio
from redis.exceptions import RedisError

from actors.errors import UnavailableError

LEASE_S: Final = 20
RENEW_EVERY_S: Final = 6.0

_ACQUIRE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""
_RENEW: Final = """
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], ends, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""


class Lease:
    """One counted connection."""

    __slots__ = ("key", "member")

    def __init__(self, key: str, member: str) -> None:
        self.key = key
        self.member = member


class ConnectionLeases:
    """Counts open connections by address and channel.

    Args:
        client: the shared Redis.
        maximum: connections per address and channel.
        enabled: False counts nothing (the ``off`` preset).
    """

    def __init__(self, client: "redis.asyncio.Redis", maximum: int, *, enabled: bool) -> None:
        self._client = client
        self._maximum = maximum
        self._enabled = enabled
        self._held: set[Lease] = set()
        self._acquire = client.register_script(_ACQUIRE)
        self._renew = client.register_script(_RENEW)
        self._task: asyncio.Task[None] | None = None

    async def acquire(self, address: str, channel: str) -> Lease | None:
        """Count one more connection; None when the address has all it may have.

        Raises:
            UnavailableError: Redis did not answer; nothing is known to be counted.
        """
        lease = Lease(f"tandem:limits:ws:{channel}:{address}", secrets.token_hex(8))
        if not self._enabled:
            return lease
        try:
            granted = await self._acquire(
                keys=[lease.key], args=[self._maximum, LEASE_S * 1_000, lease.member]
            )
        except RedisError as error:
            raise UnavailableError("redis", type(error).__name__) from error
        if not granted:
            return None
        self._held.add(lease)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._renew_all())
        return lease

    async def release(self, lease: Lease) -> None:
        """Count one connection less; where Redis does not answer, the lease just ends."""
        if lease not in self._held:
            return
        self._held.discard(lease)
        try:
            await self._client.zrem(lease.key, lease.member)
        except RedisError:
            return

    async def stop(self) -> None:
        """Renew no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _renew_all(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            by_key: dict[str, list[str]] = {}
            for lease in self._held:
                by_key.setdefault(lease.key, []).append(lease.member)
            try:
                for key, members in by_key.items():
                    await self._renew(keys=[key], args=[LEASE_S * 1_000, *members])
            except RedisError:
                continue
