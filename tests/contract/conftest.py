"""The stores the contract suites run on."""

from tests.store import store_url, valkey

__all__ = ["store_url", "valkey"]
