"""Password hashes (argon2id), computed in a few threads and never on the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type
from event_trader.wire.failure import ErrorCode

from gateway.errors import unavailable
from gateway.settings import PasswordSettings

_Result = TypeVar("_Result")


class Passwords:
    """Hashes and verifies; a bounded number may wait for a thread."""

    def __init__(self, settings: PasswordSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.time_cost,
            memory_cost=settings.memory_kib,
            parallelism=settings.parallelism,
            type=Type.ID,
        )
        self._pool = ThreadPoolExecutor(settings.threads, "passwords")
        self._waiting = 0
        self._waiting_max = settings.waiting_max
        self._decoy = self._hasher.hash("decoy")

    async def hash(self, password: str) -> str:
        """Hash a new password.

        Raises:
            ApiError: 503 BUSY when too many hashes wait.
        """
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Check a password; without a stored hash it takes as long and is false.

        Raises:
            ApiError: 503 BUSY when too many hashes wait.
        """
        return await self._run(lambda: self._verify(stored, password))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            good = self._hasher.verify(stored or self._decoy, password)
        except (VerificationError, InvalidHashError):
            return False
        return good and stored is not None

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        if self._waiting >= self._waiting_max:
            raise unavailable(ErrorCode.BUSY, "Too many logins at once; nothing happened.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
