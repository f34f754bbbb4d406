"""One started exchange for the tests that need real processes: two gateways, one port, few pairs.

Limits are the contract's own kind with small numbers, so that a test can reach them at once.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from tests.running import RunningExchange

PLACING_MAX = 60
WEBSOCKETS_MAX = 5
READY_WITHIN_S = 120.0
PREFIX = "/api/v1/exchange"
PASSWORD = "correct horse battery"
CONFIG = f"""
[assets.USDC]
decimals = 6
paper_grant = "100000"

[assets.VAIX]
decimals = 6
paper_grant = "30000000"

[pairs.vaix]
base = "VAIX"
quote = "USDC"
tick_size = "0.000001"
lot_size = "1"

[limits.default]
public_ip = {{ count = 100000, per_s = 60 }}
login_ip = {{ count = 1000, per_s = 60 }}
login_account = {{ count = 1000, per_s = 60 }}
register_ip = {{ count = 1000, per_s = 60 }}
websockets_per_ip = {WEBSOCKETS_MAX}

[limits.default.tiers.standard]
user = {{ count = 1000, per_s = 60 }}
cancelling = {{ count = 60, per_s = 60 }}
placing = {{ count = {PLACING_MAX}, per_s = 60 }}
placing_pair = {{ count = 1000, per_s = 1 }}
"""


class Answer:
    """A response that has been read."""

    def __init__(self, status: int, headers: dict[str, str], raw: bytes) -> None:
        self.status = status
        self.headers = headers
        self.raw = raw

    @property
    def body(self) -> Any:
        """The JSON body."""
        return json.loads(self.raw)


class Cluster:
    """A running exchange, and how tests speak to it."""

    def __init__(self, directory: Path) -> None:
        config = directory / "exchange.toml"
        config.write_text(CONFIG, "utf-8")
        options = ("--gateways", "2", "--config", str(config))
        self.exchange = RunningExchange(directory / "data", *options)
        self.url = self.exchange.base_url

    def kill(self, mark: str) -> int:
        """Kill every process whose title has the mark; returns how many there were."""
        assert self.exchange.process is not None
        found = 0
        for process in psutil.Process(self.exchange.process.pid).children(recursive=True):
            try:
                if mark in " ".join(process.cmdline()):
                    process.kill()
                    found += 1
            except psutil.Error:
                continue
        return found

    async def ready(self) -> None:
        """Wait until the exchange can trade."""
        deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
        while True:
            try:
                async with aiohttp.ClientSession() as http, http.get(self.url + "/ready") as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, OSError):
                pass
            assert asyncio.get_running_loop().time() < deadline, "not ready again in time"
            await asyncio.sleep(0.05)

    async def register(self, http: aiohttp.ClientSession, password: str = PASSWORD) -> Any:
        """Open an account; gives the answer, with its tokens."""
        name = f"u{uuid.uuid4().hex[:12]}"
        body = {"email": f"{name}@example.com", "username": name, "password": password}
        body |= {"tos_accepted": True, "privacy_policy_accepted": True}  # type: ignore[dict-item]
        answer = await self.ask(http, "POST", "/auth/register", body)
        assert answer.status == 201, answer.raw
        return answer.body

    async def ask(
        self, http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str
    ) -> Answer:
        """Send one request; header names are given with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with http.request(method, self.url + path, json=body, headers=named) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def complete(self) -> None:
        """Wait until both gateways serve and the exchange can trade."""
        async with self.connections(each=1):
            await self.ready()

    async def patiently(self, send: Callable[[aiohttp.ClientSession], Any]) -> Answer:
        """Repeat a request while nobody answers (status 0 tells so too) or the answer is 503."""
        deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
        while True:
            try:
                async with aiohttp.ClientSession() as http:
                    answer: Answer = await send(http)
                if answer.status not in {0, 503}:
                    return answer
            except (aiohttp.ClientError, OSError):
                pass
            assert asyncio.get_running_loop().time() < deadline, "no definite answer in time"
            await asyncio.sleep(0.1)

    @asynccontextmanager
    async def connections(self, each: int) -> AsyncIterator[dict[str, list[aiohttp.ClientSession]]]:
        """Open connections, each kept alive, until every gateway has at least so many."""
        deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
        async with AsyncExitStack() as stack:
            found: dict[str, list[aiohttp.ClientSession]] = {}
            while len(found) < 2 or min(map(len, found.values())) < each:
                assert asyncio.get_running_loop().time() < deadline, f"only {found.keys()} answer"
                connector = aiohttp.TCPConnector(limit=1, force_close=False)
                http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
                try:
                    answer = await self.ask(http, "GET", "/health")
                except (aiohttp.ClientError, OSError):  # a gateway that is still starting
                    await asyncio.sleep(0.05)
                    continue
                found.setdefault(answer.body["gateway"], []).append(http)
            yield found
