"""A server that would lose records is refused with a sentence that says what to do."""

import pickle
from collections.abc import Mapping
from typing import Any, cast

import pytest
import redis
from redis.exceptions import NoPermissionError

from actors.journal.server import RedisTooOldError, RedisUnsuitableError, check_server

GOOD: Mapping[str, Any] = {"redis_version": "7.4.1", "aof_enabled": 1, "role": "master"}
SETTINGS = {"appendfsync": "always", "maxmemory-policy": "noeviction"}


class Answers:
    """Servers that are not at hand: answers as their versions and settings give them."""

    def __init__(self, info: Mapping[str, Any], settings: Mapping[str, str] | None) -> None:
        self._info = info
        self._settings = settings

    def info(self) -> Mapping[str, Any]:
        """What INFO says."""
        return self._info

    def config_get(self, *names: str) -> Mapping[str, str]:
        """What CONFIG GET says, where the user may ask."""
        if self._settings is None:
            raise NoPermissionError("NOPERM this user has no permissions to run 'config|get'")
        return {name: self._settings[name] for name in names}

    def publish(self, *_: object) -> int:
        """How many PUBLISH reached: nobody listens."""
        return 0


def client(settings: Mapping[str, str] | None = SETTINGS, **info: object) -> "redis.Redis":
    """A connection to such a server."""
    return cast("redis.Redis", Answers({**GOOD, **info}, settings))


@pytest.mark.parametrize(
    ("info", "product", "version"),
    [
        ({}, "redis", "7.4.1"),
        ({"redis_version": "6.2.0"}, "redis", "6.2.0"),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2"}, "valkey", "9.1.2"),
    ],
)
def test_check_of_a_durable_server_accepts_it(
    info: dict[str, object], product: str, version: str
) -> None:
    """Redis from 6.2 and Valkey are used without a word."""
    assert check_server(client(**info)) == (product, version, [])


@pytest.mark.parametrize("version", ["6.0.16", "5.0.7", "2.8"])
def test_check_of_an_old_redis_names_its_version(version: str) -> None:
    """The message says what is needed, and survives a pickle."""
    with pytest.raises(RedisTooOldError, match=f"Redis {version} is too old") as caught:
        check_server(client(redis_version=version))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("info", "settings", "found"),
    [
        ({"aof_enabled": 0}, SETTINGS, "append-only file is off"),
        ({}, {**SETTINGS, "appendfsync": "everysec"}, "appendfsync is everysec"),
        ({"maxmemory": 9}, {**SETTINGS, "maxmemory-policy": "allkeys-lru"}, "may evict"),
    ],
)
def test_check_of_a_weak_server_refuses_unless_allowed(
    info: dict[str, object], settings: dict[str, str], found: str
) -> None:
    """Who accepts the loss of acknowledged orders must say so, and is reminded."""
    with pytest.raises(RedisUnsuitableError, match=found):
        check_server(client(settings, **info))
    (warning,) = check_server(client(settings, **info), allow_weak_durability=True).warnings
    assert "may be lost" in warning


@pytest.mark.parametrize(
    ("info", "found"),
    [({"cluster_enabled": 1}, "Redis Cluster"), ({"role": "slave"}, "replica")],
)
def test_check_of_the_wrong_kind_of_server_refuses_always(
    info: dict[str, object], found: str
) -> None:
    """No setting makes a replica or a cluster node a place for the journal."""
    with pytest.raises(RedisUnsuitableError, match=found):
        check_server(client(**info), allow_weak_durability=True)


def test_check_without_permission_to_ask_warns() -> None:
    """What could not be checked is said, with the permission that is missing."""
    (warning,) = check_server(client(None)).warnings
    assert "+config|get" in warning
