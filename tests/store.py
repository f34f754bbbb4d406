"""A real Valkey server for tests: one per session, emptied before each test that asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.journal.redis import connect
from tandem.valkey import EmbeddedValkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """The server, for tests that look at the process; leave it running."""
    with EmbeddedValkey(Path(tmp_path_factory.mktemp("valkey"))) as server:
        yield server


@pytest.fixture
def store_url(valkey: EmbeddedValkey) -> str:
    """The address of an empty store."""
    with connect(valkey.url) as client:
        client.flushall()
    return valkey.url
