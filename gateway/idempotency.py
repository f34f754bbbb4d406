"""The `Idempotency-Key` header: one intent runs once, whatever crashes, and is answered once.

Of each (user, route, key) Redis holds a record: a MAC of the body, who runs it, and the outcome,
encrypted, once there is one. The command id is derived from the same three, so where a
gateway dies between acting and remembering, the next runner sends the *same* command, and the
engine, the ledger or the identity store answers with the first outcome.

A runner holds a lease; duplicates that arrive meanwhile wait for its outcome or take over when the
lease ends. An outcome that says "nothing happened, try again" (503, 429) is not kept.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from typing import Any, Final

import msgspec
import redis.asyncio
from Crypto.Cipher import AES
from event_trader.wire.failure import ErrorCode

from gateway.errors import ApiError, invalid, unavailable
from gateway.settings import GatewaySettings
from gateway.tokens import derive

_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
_POLL_S: Final = 0.02
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16

_CLAIM = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mac = redis.call('HGET', KEYS[1], 'mac')
if not mac then
  redis.call('HSET', KEYS[1], 'mac', ARGV[1], 'context', ARGV[2], 'runner', ARGV[3],
             'until', string.format('%.0f', now + ARGV[4]))
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  return {'run', ARGV[2]}
end
if mac ~= ARGV[1] then return {'mismatch'} end
local outcome = redis.call('HGET', KEYS[1], 'outcome')
if outcome then return {'done', outcome} end
if tonumber(redis.call('HGET', KEYS[1], 'until')) > now then return {'wait'} end
redis.call('HSET', KEYS[1], 'runner', ARGV[3], 'until', string.format('%.0f', now + ARGV[4]))
return {'run', redis.call('HGET', KEYS[1], 'context')}
"""
"""KEYS: record. ARGV: mac, context, runner, lease ms, TTL s."""

_FINISH = """
if redis.call('HEXISTS', KEYS[1], 'mac') == 0 then return 0 end
if redis.call('HEXISTS', KEYS[1], 'outcome') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'outcome', ARGV[1])
return 1
"""

_RELEASE = """
if redis.call('HGET', KEYS[1], 'runner') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'until', '0')
end
return 0
"""


class Outcome(msgspec.Struct, frozen=True):
    """A response as it was given."""

    status: int
    body: bytes


class Claim(msgspec.Struct, frozen=True):
    """The right to run, or what came of the first run."""

    record: str
    runner: str
    command_id: str
    context: str = ""
    """What the first runner said of the circumstances (its simulation mode)."""
    outcome: Outcome | None = None


class Idempotency:
    """Claims, remembers and repeats."""

    def __init__(self, client: "redis.asyncio.Redis", settings: GatewaySettings) -> None:
        redis_client: Any = client
        self._settings = settings
        self._sealing_key = derive(settings.secret, "outcome")
        self._claim = redis_client.register_script(_CLAIM)
        self._finish = redis_client.register_script(_FINISH)
        self._release = redis_client.register_script(_RELEASE)
        self._redis = redis_client
        self._numbers = 0
        self._start = secrets.token_hex(8)

    def fresh_id(self) -> str:
        """Make a command id for a request without a key: unique, and cheap."""
        self._numbers += 1
        return f"g/{self._start}/{self._numbers:x}"

    async def claim(self, user: str, route: str, key: str, body: bytes, context: str) -> Claim:
        """Claim an intent, or learn its outcome; waits while somebody else runs it.

        Raises:
            ApiError: 409 IDEMPOTENCY_MISMATCH; 503 when the first runner takes too long.
        """
        if _KEY.fullmatch(key) is None:
            raise invalid(
                ("header", "Idempotency-Key"), "must be 1 to 128 printable ASCII characters"
            )
        secret = self._settings.secret
        name = derive(secret, "intent", user, route, key).hex()[:40]
        record = f"tandem:idem:{name}"
        runner = self.fresh_id()
        mac = hmac.new(derive(secret, "body"), body, hashlib.sha256).hexdigest()
        lease_ms = int(self._settings.idempotency_lease_s * 1000)
        args = [mac, context, runner, lease_ms, self._settings.idempotency_ttl_s]
        deadline = time.monotonic() + 2 * self._settings.idempotency_lease_s
        while True:
            answer = await self._claim(keys=[record], args=args)
            word = answer[0].decode()
            if word == "run":
                return Claim(record, runner, f"i/{name}", answer[1].decode())
            if word == "done":
                return Claim(record, runner, f"i/{name}", "", self._open(record, answer[1]))
            if word == "mismatch":
                message = "This Idempotency-Key was used with another body."
                raise ApiError(409, ErrorCode.IDEMPOTENCY_MISMATCH, message)
            if time.monotonic() > deadline:
                raise unavailable(ErrorCode.BUSY, "The first request with this key still runs.")
            await asyncio.sleep(_POLL_S)

    async def finish(self, claim: Claim, outcome: Outcome) -> None:
        """Remember the outcome; it is what every repetition gets."""
        await self._finish(keys=[claim.record], args=[self._seal(claim.record, outcome)])

    async def release(self, claim: Claim) -> None:
        """Let the next repetition run: there is no outcome yet."""
        await self._release(keys=[claim.record], args=[claim.runner])

    def _seal(self, record: str, outcome: Outcome) -> bytes:
        """Encrypt an outcome (it may hold tokens): nonce, tag, ciphertext."""
        cipher = AES.new(self._sealing_key, AES.MODE_GCM, nonce=secrets.token_bytes(_NONCE_BYTES))
        cipher.update(record.encode())
        sealed, tag = cipher.encrypt_and_digest(msgspec.msgpack.encode(outcome))
        return bytes(cipher.nonce) + tag + sealed

    def _open(self, record: str, sealed: bytes) -> Outcome:
        tag_end = _NONCE_BYTES + _TAG_BYTES
        nonce, tag = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:tag_end]
        cipher = AES.new(self._sealing_key, AES.MODE_GCM, nonce=nonce)
        cipher.update(record.encode())
        plain = cipher.decrypt_and_verify(sealed[tag_end:], tag)
        return msgspec.msgpack.decode(plain, type=Outcome)
