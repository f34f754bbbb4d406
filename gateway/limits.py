"""Rate limits, counted exactly across all gateways of an exchange by one script in Redis.

The count is a sliding window: at most ``count`` events in *any* window of ``per_s`` seconds, by
Redis' clock. A request may face several limits at once (its pair's and its user's); it is counted
against all of them or, when one refuses, against none.

Three things keep it cheap without letting anything extra through. Checks gather into one pipeline
while the last one is in flight. A refusal is remembered until the moment it could end. And of a
limit of at least `CREDIT_LIMIT_MIN` events, a gateway draws ahead what it spent in the last
`CREDIT_S`, twice that when it ran out before, and at most one part in `CREDIT_SHARE` of the limit.
What it does not spend within `CREDIT_S` is lost, never added; a subject of steady or rising demand
loses next to nothing. While a draw is under way, others of the same subject wait for it.

The counts live in Redis' memory only: they are not worth an fsync each, and a Redis that dies
forgets at most one window of them.
"""

import asyncio
import hashlib
import math
import time
from typing import Any, Final, NamedTuple

import msgspec
import redis.asyncio
from event_trader.wire.failure import ErrorCode
from redis.exceptions import NoScriptError

from gateway.errors import ApiError
from gateway.settings import Rate

CREDIT_SHARE: Final = 200
CREDIT_LIMIT_MIN: Final = 3_200
"""Smaller limits are asked for one by one: what could be drawn ahead of them saves nothing."""
CREDIT_S: Final = 0.1
_CREDIT_US: Final = int(CREDIT_S * 1_000_000)
"""Added to the window of what is drawn ahead: it may be spent that much later than it is logged."""
_REFUSALS_MAX: Final = 100_000
_CREDITS_MAX: Final = 50_000

_SCRIPT = """
if redis.replicate_commands then redis.replicate_commands() end
redis.set_repl(redis.REPL_NONE)
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local used, answers = {}, {}
local refused = false
for i = 1, #KEYS / 2 do
  local log, sum = KEYS[2 * i - 1], KEYS[2 * i]
  local count, window, cost = ARGV[4*i-3] + 0, ARGV[4*i-2] + 0, ARGV[4*i-1] + 0
  local total = tonumber(redis.call('GET', sum) or '0')
  local oldest = redis.call('LINDEX', log, -1)
  while oldest do
    local at, weight = string.match(oldest, '(%d+) (%d+)')
    if at + window > now then break end
    redis.call('RPOP', log)
    total = total - weight
    redis.call('SET', sum, total)
    oldest = redis.call('LINDEX', log, -1)
  end
  if not oldest then total = 0 end
  used[i] = total
  local wait = 0
  if total + cost > count then
    refused = true
    local freed, back = 0, -1
    while total - freed + cost > count do
      local entry = redis.call('LINDEX', log, back)
      if not entry then wait = window break end
      local at, weight = string.match(entry, '(%d+) (%d+)')
      freed = freed + weight
      wait = at + window - now
      back = back - 1
    end
  end
  answers[i] = {0, count - total, wait}
end
if refused then return answers end
for i = 1, #KEYS / 2 do
  local log, sum = KEYS[2 * i - 1], KEYS[2 * i]
  local count, window, cost = ARGV[4*i-3] + 0, ARGV[4*i-2] + 0, ARGV[4*i-1] + 0
  local drawn = math.min(math.max(cost, ARGV[4*i] + 0), count - used[i])
  redis.call('LPUSH', log, string.format('%.0f %d', now, drawn))
  local life = math.ceil(window / 1000) + 1000
  redis.call('PEXPIRE', log, life)
  redis.call('SET', sum, used[i] + drawn, 'PX', life)
  local at = string.match(redis.call('LINDEX', log, -1), '(%d+)')
  answers[i] = {drawn, count - used[i] - drawn, at + window - now}
end
return answers
"""
"""KEYS: log and sum of each limit. ARGV: count, window in us, cost, how many to draw, of each.
Answers, of each, {drawn, remaining, us until the count falls (or, refused, until it would fit)}."""


class Check(NamedTuple):
    """One limit that a request faces."""

    name: str
    """Unique per limit and subject: ``placing:usr_1``."""
    rate: Rate
    cost: int = 1


class LimitState(msgspec.Struct):
    """How a limit stands after a request, for its ``X-RateLimit-*`` headers."""

    limit: int
    remaining: int
    reset_s: float
    """Seconds until the count falls."""

    def headers(self) -> dict[str, str]:
        """Show the state in the contract's headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.remaining)),
            "X-RateLimit-Reset": str(math.ceil(time.time() + max(0.0, self.reset_s))),
        }


class _Credit(msgspec.Struct):
    drawn: int
    left: int
    until: float
    remaining: int
    reset_at: float

    def covers(self, cost: int, now: float) -> bool:
        return self.left >= cost and now < self.until

    def next_draw(self, cost: int, now: float) -> int:
        """Say how much to draw after this credit: what it saw spent, twice that if it ran out."""
        if now < self.until:
            return max(cost, 2 * self.drawn)
        return max(cost, self.drawn - self.left if now < self.until + CREDIT_S else 0)


class _Waiting(NamedTuple):
    checks: list[Check]
    draws: list[int]
    future: "asyncio.Future[list[list[int]]]"


class Limits:
    """Counts requests; the one instance of a gateway."""

    def __init__(self, client: "redis.asyncio.Redis", *, enabled: bool) -> None:
        self._enabled = enabled
        self._redis: Any = client
        self._sha = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
        self._refusals: dict[str, tuple[int, float, int]] = {}
        self._credits: dict[str, _Credit] = {}
        self._drawing: dict[str, asyncio.Future[None]] = {}
        self._waiting: list[_Waiting] = []
        self._flusher: asyncio.Task[None] | None = None

    async def count(self, checks: list[Check]) -> LimitState | None:
        """Count one request against its limits.

        Returns:
            The tightest limit's state, or None where nothing is limited.

        Raises:
            ApiError: 429 RATE_LIMITED with Retry-After; nothing was counted.
        """
        if not self._enabled or not checks:
            return None
        while True:
            now = time.monotonic()
            for check in checks:
                self._recall_refusal(check, now)
            lacking = [check for check in checks if not self._covers(check, now)]
            if not lacking:
                return self._spend(checks, now)
            under_way = next((d for c in lacking if (d := self._drawing.get(c.name))), None)
            if under_way is None:
                return await self._draw(checks, lacking, now)
            await asyncio.shield(under_way)

    def _covers(self, check: Check, now: float) -> bool:
        credit = self._credits.get(check.name)
        return credit is not None and credit.covers(check.cost, now)

    async def _draw(self, checks: list[Check], lacking: list[Check], now: float) -> LimitState:
        """Count at Redis what no credit covers, and pay the rest from credits."""
        covered = [check for check in checks if check not in lacking]
        tightest = self._spend(covered, now)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ahead = [check.name for check in lacking if check.rate.count >= CREDIT_LIMIT_MIN]
        self._drawing.update(dict.fromkeys(ahead, done))
        try:
            answers = await self._ask(lacking, [self._to_draw(check, now) for check in lacking])
            return _tighter(tightest, self._read(lacking, answers))
        except BaseException:
            for check in covered:
                if check.name in self._credits:
                    self._credits[check.name].left += check.cost
            raise
        finally:
            for name in ahead:
                self._drawing.pop(name, None)
            done.set_result(None)

    def _to_draw(self, check: Check, now: float) -> int:
        if check.rate.count < CREDIT_LIMIT_MIN:
            return check.cost
        last = self._credits.get(check.name)
        wish = last.next_draw(check.cost, now) if last else check.cost
        return max(check.cost, min(wish, check.rate.count // CREDIT_SHARE))

    def _recall_refusal(self, check: Check, now: float) -> None:
        known = self._refusals.get(check.name)
        if known is None:
            return
        cost, until, remaining = known
        if now >= until:
            del self._refusals[check.name]
        elif check.cost >= cost:
            raise _refusal(check, remaining, until - now)

    def _spend(self, checks: list[Check], now: float) -> LimitState | None:
        """Pay from what was drawn before; every check must be covered."""
        tightest: LimitState | None = None
        for check in checks:
            credit = self._credits[check.name]
            credit.left -= check.cost
            state = LimitState(
                check.rate.count, credit.remaining + credit.left, credit.reset_at - now
            )
            tightest = _tighter(tightest, state)
        return tightest

    def _read(self, checks: list[Check], answers: list[list[int]]) -> LimitState:
        now = time.monotonic()
        granted = all(answer[0] for answer in answers)
        tightest: LimitState | None = None
        for check, (drawn, remaining, wait_us) in zip(checks, answers, strict=True):
            wait_s = wait_us / 1e6
            if not granted:
                if remaining < check.cost:
                    self._remember_refusal(check, now + wait_s, remaining)
                    raise _refusal(check, remaining, wait_s)
                continue
            left = drawn - check.cost
            if check.rate.count >= CREDIT_LIMIT_MIN:
                credit = _Credit(drawn, left, now + CREDIT_S, remaining, now + wait_s)
                self._keep(check, credit)
            state = LimitState(check.rate.count, remaining + left, wait_s)
            tightest = _tighter(tightest, state)
        if tightest is None:
            raise RuntimeError("a limit refused without being exceeded; its script is broken")
        return tightest

    def _remember_refusal(self, check: Check, until: float, remaining: int) -> None:
        if len(self._refusals) >= _REFUSALS_MAX:
            self._refusals.clear()
        self._refusals[check.name] = (check.cost, until, remaining)

    def _keep(self, check: Check, credit: _Credit) -> None:
        if len(self._credits) >= _CREDITS_MAX:
            self._credits.clear()
        self._credits[check.name] = credit

    async def _ask(self, checks: list[Check], draws: list[int]) -> list[list[int]]:
        future: asyncio.Future[list[list[int]]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(checks, draws, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.ensure_future(self._flush())
        return await future

    async def _flush(self) -> None:
        """Send what waits, in one pipeline at a time, until nothing waits."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                answers = await self._send(batch)
            except Exception as error:  # noqa: BLE001 (each waiter gets it, whatever it is)
                for waiting in batch:
                    if not waiting.future.done():
                        waiting.future.set_exception(error)
                continue
            for waiting, answer in zip(batch, answers, strict=True):
                if not waiting.future.done():
                    waiting.future.set_result(answer)

    async def _send(self, batch: list[_Waiting]) -> list[list[list[int]]]:
        try:
            return await self._evaluate(batch)
        except NoScriptError:
            # A store that was restarted: nothing of the pipeline ran, so all of it runs again.
            await self._redis.script_load(_SCRIPT)
            return await self._evaluate(batch)

    async def _evaluate(self, batch: list[_Waiting]) -> list[list[list[int]]]:
        pipeline = self._redis.pipeline(transaction=False)
        for waiting in batch:
            keys: list[str] = []
            args: list[int] = []
            for check, draw in zip(waiting.checks, waiting.draws, strict=True):
                base = f"tandem:limits:{{{check.name}}}"
                keys += (base, f"{base}:sum")
                window_us = check.rate.per_s * 1_000_000
                if check.rate.count >= CREDIT_LIMIT_MIN:
                    window_us += _CREDIT_US
                args += (check.rate.count, window_us, check.cost, draw)
            pipeline.evalsha(self._sha, len(keys), *keys, *args)
        answers: list[list[list[int]]] = await pipeline.execute()
        return answers


def _tighter(known: LimitState | None, state: LimitState) -> LimitState:
    if known is None or state.remaining * known.limit < known.remaining * state.limit:
        return state
    return known


def _refusal(check: Check, remaining: int, wait_s: float) -> ApiError:
    seconds = max(1, math.ceil(wait_s))
    state = LimitState(check.rate.count, remaining, wait_s)
    kind = check.name.partition(":")[0]
    return ApiError(
        429,
        ErrorCode.RATE_LIMITED,
        f"More than {check.rate.count} in {check.rate.per_s} s ({kind}); wait {seconds} s.",
        {"limit": kind, "count": check.rate.count, "per_s": check.rate.per_s},
        headers={"Retry-After": str(seconds), **state.headers()},
    )
