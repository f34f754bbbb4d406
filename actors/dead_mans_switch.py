"""Dead man's switches: who must be heard from by when, kept in Redis for every gateway to share.

Gateways arm, beat and disarm (`DeadMansSwitch`); the supervisor sweeps (`Sweeper`): whoever is
overdue has everything cancelled, on every pair and in both modes. A sweep repeats until every pair
has answered, under ids that make the repetitions one command.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec
import redis
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from actors.engine.commands import CancelAll, encode
from actors.engine.market_api import BatchReply, BusyReply, MalformedReply, Request
from actors.engine.units import NS_PER_MS, Mode, Reason, UserId
from actors.errors import TandemError
from actors.ports import BlockingAccountPort

DEADLINES: Final = "tandem:dms"
"""A sorted set: user by deadline, in Unix milliseconds."""
TIMEOUTS: Final = "tandem:dms:timeouts"
"""A hash: what each armed user asked for, in milliseconds."""
DUE_MAX: Final = 100
"""Users that one sweep takes on."""

_BEAT: Final = """
local timeout = redis.call('HGET', KEYS[2], ARGV[1])
if not timeout or not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
local deadline = tonumber(ARGV[2]) + tonumber(timeout)
redis.call('ZADD', KEYS[1], string.format('%.0f', deadline), ARGV[1])
return {timeout, string.format('%.0f', deadline)}
"""

_FIRED: Final = """
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
"""

_LOG = structlog.get_logger("tandem.dead_mans_switch")


class DeadMansSwitch:
    """The switches as a gateway handles them.

    Args:
        client: the store, from the gateway's own loop.
        clock_ns: Unix time.
    """

    def __init__(
        self, client: "redis.asyncio.Redis", clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._client = client
        self._clock_ns = clock_ns

    async def arm(self, user: UserId, timeout_ms: int) -> int:
        """Arm a user's switch, or set it anew; returns the deadline in Unix milliseconds."""
        deadline_ms = self._clock_ns() // NS_PER_MS + timeout_ms
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(TIMEOUTS, user, str(timeout_ms))
            pipeline.zadd(DEADLINES, {user: deadline_ms})
            await pipeline.execute()
        return deadline_ms

    async def beat(self, user: UserId) -> tuple[int, int] | None:
        """Let the time begin anew; returns (timeout, deadline), or None where nothing is armed."""
        now_ms = self._clock_ns() // NS_PER_MS
        answer = cast(
            "list[bytes] | None",
            await cast("Any", self._client.eval(_BEAT, 2, DEADLINES, TIMEOUTS, user, str(now_ms))),
        )
        return None if answer is None else (int(answer[0]), int(answer[1]))

    async def disarm(self, user: UserId) -> None:
        """Disarm a user's switch; harmless where none is armed."""
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.zrem(DEADLINES, user)
            pipeline.hdel(TIMEOUTS, user)
            await pipeline.execute()


class Sweeper:
    """Cancels everything of whoever is overdue; used by one thread.

    Args:
        client: the store.
        pairs: the way to each pair, by symbol.
        clock_ns: Unix time.
    """

    def __init__(
        self,
        client: "redis.Redis",
        pairs: Mapping[str, BlockingAccountPort],
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._client = client
        self._pairs = pairs
        self._clock_ns = clock_ns
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(BatchReply)

    def sweep(self) -> int:
        """Fire every overdue switch once; returns how many were carried out everywhere.

        Raises:
            RedisError: the store did not answer; sweep again later.
        """
        now_ms = self._clock_ns() // NS_PER_MS
        due = cast(
            "list[tuple[bytes, float]]",
            self._client.zrange(
                DEADLINES, 0, now_ms, byscore=True, offset=0, num=DUE_MAX, withscores=True
            ),
        )
        fired = 0
        for name, deadline in due:
            user, deadline_ms = UserId(name.decode()), int(deadline)
            cancelled = [self._cancel(symbol, user, deadline_ms) for symbol in self._pairs]
            if all(cancelled):
                self._client.eval(_FIRED, 2, DEADLINES, TIMEOUTS, user, str(deadline_ms))
                _LOG.info("dead_mans_switch_fired", user=user)
                fired += 1
        return fired

    def _cancel(self, symbol: str, user: UserId, deadline_ms: int) -> bool:
        """Cancel on one pair in both modes; false where that must be tried again."""
        command = CancelAll(f"dms/{deadline_ms}/{user}", user, None, Reason.DEAD_MANS_SWITCH)
        body = msgspec.Raw(encode(command))
        port = self._pairs[symbol]
        try:
            answer = port.wait([port.start(self._encoder.encode([Request(m, body) for m in Mode]))])
            replies = self._decoder.decode(answer[0]).replies
        except TandemError as error:
            _LOG.warning("dead_mans_switch_waits", pair=symbol, detail=str(error))
            return False
        return not any(isinstance(reply, BusyReply | MalformedReply) for reply in replies)


def sweep_for_ever(sweeper: Sweeper, pause: Callable[[], bool]) -> None:
    """Sweep until ``pause`` (which waits between two sweeps) says to stop."""
    while not pause():
        try:
            sweeper.sweep()
        except RedisError as error:
            _LOG.warning("dead_mans_switch_store", detail=str(error))
