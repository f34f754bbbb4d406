"""Unit tests are of pure code: no Ray, no socket beyond this process's own loop."""

import socket

import pytest
import ray


@pytest.fixture(autouse=True)
def _no_ray_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse what belongs in an integration test."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a unit test starts no Ray and opens no connection")

    monkeypatch.setattr(ray, "init", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
