"""The stores the contract suites run on: the embedded Valkey, and the oldest Redis allowed."""

import pytest

from tests.store import STORES, emptied_store, oldest_redis, valkey

__all__ = ["oldest_redis", "valkey"]


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty store of each kind."""
    return emptied_store(request, request.param)
