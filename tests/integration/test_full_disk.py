"""A disk without space: the store's writes fail as they do then, and nothing is acknowledged.

The kernel's bound on a file's size stands in for the end of the disk: the write that crosses it is
cut short and the next one fails (EFBIG for ENOSPC), in the running server and in each one that is
started in its place, until the bound is lifted.
"""

import asyncio
import contextlib
import resource
import sys
import uuid
from collections import Counter

import aiohttp
import psutil
import pytest

from tests.integration.cluster import PREFIX, Answer, Cluster

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(sys.platform != "linux", reason="prlimit(2) is Linux' own"),
]

ROOM_BYTES = 8_000
REFUSALS_MIN = 3
FULL_WITHIN_S = 90.0
"""By then so many orders were refused and the server has ended."""
PLACE = f"{PREFIX}/vaix/orders"
ORDER = {"side": "buy", "quantity": "3", "price": "0.0001", "mode": "paper"}
NO_ANSWER = Answer(0, {}, b"")


class Disk:
    """The space that the store has left."""

    def __init__(self, cluster: Cluster) -> None:
        assert cluster.exchange.process is not None
        self.driver = psutil.Process(cluster.exchange.process.pid)
        self.files = cluster.exchange.data_dir / "appendonlydir"

    def fill(self) -> None:
        """Leave a few kilobytes, to this server and to its successors."""
        self._bound(max(path.stat().st_size for path in self.files.iterdir()) + ROOM_BYTES)

    def free(self) -> None:
        """Give space again."""
        self._bound(resource.RLIM_INFINITY)

    def servers(self) -> list[int]:
        """Name the store's processes: one, or none while it is down."""
        found = []
        for process in self.driver.children():
            with contextlib.suppress(psutil.Error):
                if "valkey" in " ".join(process.cmdline()):
                    found.append(process.pid)
        return found

    def _bound(self, soft: int) -> None:
        """Bound the driver first: what it starts from now on inherits it."""
        for pid in (self.driver.pid, *self.servers()):
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))


class Buyer:
    """Places small orders, each under a key of its own."""

    def __init__(self, cluster: Cluster, http: aiohttp.ClientSession, token: str) -> None:
        self.cluster = cluster
        self.http = http
        self.token = token
        self.placed: dict[str, str] = {}
        """Order id by key, of what was acknowledged."""

    async def place(self, key: str) -> Answer:
        """Place once; status 0 stands for "no answer"."""
        headers = {"Authorization": self.token, "Idempotency_Key": key}
        try:
            async with asyncio.timeout(15):
                answer = await self.cluster.ask(self.http, "POST", PLACE, ORDER, **headers)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return NO_ANSWER
        if answer.status == 200:
            self.placed[key] = answer.body["order_id"]
        return answer

    async def open_ids(self) -> list[str]:
        """List the ids of the user's open orders."""

        async def get(http: aiohttp.ClientSession) -> Answer:
            path = f"{PREFIX}/vaix/orders/open?mode=paper"
            return await self.cluster.ask(http, "GET", path, Authorization=self.token)

        answer = await self.cluster.patiently(get)
        assert answer.status == 200, answer.raw
        return [order["order_id"] for order in answer.body["orders"]]


async def test_disk_full_acknowledges_nothing_and_recovers_with_space(cluster: Cluster) -> None:
    """Orders are answered 503 until there is space; what was acknowledged is there, once."""
    await cluster.complete()
    disk = Disk(cluster)
    async with aiohttp.ClientSession() as http:
        account = await cluster.register(http)
        buyer = Buyer(cluster, http, "Bearer " + account["access_token"])
        for _ in range(5):
            assert (await buyer.place(uuid.uuid4().hex)).status == 200
        disk.fill()
        try:
            first_server = disk.servers()
            uncertain, answers = await _until_full(buyer)
            before = dict(buyer.placed)
            deadline = asyncio.get_running_loop().time() + FULL_WITHIN_S
            # The server ends rather than answer for a lost write.
            while disk.servers() == first_server or refusals(answers) < REFUSALS_MIN:
                assert asyncio.get_running_loop().time() < deadline, (first_server, len(answers))
                answers.append(await buyer.place(uncertain))
                health = await cluster.ask(http, "GET", "/health")
                assert health.status == 200, health.raw
                await asyncio.sleep(0.2)
            assert buyer.placed == before
        finally:
            disk.free()
        told = Counter(answer.status for answer in answers)
        assert set(told) <= {0, 503}, told
        for answer in answers:
            if answer.status == 503:
                assert int(answer.headers["Retry-After"]) >= 1
                assert answer.body["error"]["code"]
        await cluster.complete()
        settled = await cluster.patiently(lambda _: buyer.place(uncertain))
        assert settled.status == 200, settled.raw
        assert sorted(await buyer.open_ids()) == sorted(buyer.placed.values())
    print(f"answers while the disk was full: {dict(told)}; {len(buyer.placed)} orders, all there")


def refusals(answers: list[Answer]) -> int:
    """Count the answers that say "not now"."""
    return sum(answer.status == 503 for answer in answers)


async def _until_full(buyer: Buyer) -> tuple[str, list[Answer]]:
    """Place until the first answer that is no acknowledgement; gives its key and it."""
    for _ in range(40):
        key = uuid.uuid4().hex
        answer = await buyer.place(key)
        if answer.status != 200:
            return key, [answer]
    raise AssertionError("the disk did not fill up")
