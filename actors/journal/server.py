"""What the journal needs of a Redis server, checked at start with messages that say what to do.

The embedded server is configured by `tandem.valkey`; this is for servers somebody else runs.
"""

from typing import Any, Final, NamedTuple, cast

import redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from actors.errors import JournalUnavailableError, TandemError
from actors.journal.redis import key

REDIS_MIN: Final = (6, 2)
"""XTRIM MINID and XRANGE's exclusive bounds came with 6.2."""


class RedisTooOldError(TandemError):
    """The server lacks commands the journal needs; the argument is its version."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version

    def __str__(self) -> str:
        return (
            f"Redis {self.version} is too old: Tandem needs Redis 6.2 or newer, or Valkey; "
            "upgrade it, or leave TANDEM_REDIS_URL empty to use the embedded server"
        )


class RedisUnsuitableError(TandemError):
    """The server would lose acknowledged records, or is of a kind the journal cannot use.

    Args:
        found: what was found.
        remedy: what to do about it.
    """

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found, remedy)
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        return f"this Redis cannot hold the journal: {self.found}; {self.remedy}"


class ServerReport(NamedTuple):
    """What was found out about a server that may be used."""

    product: str
    """``redis`` or ``valkey``."""
    version: str
    warnings: list[str]
    """Sentences for the log: what could not be checked, or was allowed by a setting."""


def check_server(client: "redis.Redis", *, allow_weak_durability: bool = False) -> ServerReport:
    """Look at version, role and durability of the server behind ``client``.

    Args:
        client: a connection to it.
        allow_weak_durability: use a server that may lose acknowledged records all the same.

    Raises:
        RedisTooOldError: older than Redis 6.2.
        RedisUnsuitableError: a cluster, a replica, without ``appendfsync always``, or its user may
            not ring the bells that tell followers of a new record.
        JournalUnavailableError: the server did not answer.
    """
    warnings: list[str] = []
    try:
        info = client.info()
        settings = _settings(client, warnings)
        _ring(client)
    except RedisError as error:
        raise JournalUnavailableError("*", f"{type(error).__name__}: {error}") from error
    version = str(info.get("redis_version", "0"))
    product = "valkey" if "valkey_version" in info else "redis"
    if product == "redis" and _numbers(version) < REDIS_MIN:
        raise RedisTooOldError(version)
    if int(info.get("cluster_enabled", 0)):
        raise RedisUnsuitableError(
            "it is a node of a Redis Cluster", "use a single primary, with replicas if you like"
        )
    if info.get("role", "master") != "master":
        raise RedisUnsuitableError("it is a replica", "name the primary in TANDEM_REDIS_URL")
    weakness = _weakness(info, settings)
    if weakness and not allow_weak_durability:
        raise RedisUnsuitableError(
            f"{weakness}, so acknowledged orders could be lost",
            "run `CONFIG SET appendonly yes` and `CONFIG SET appendfsync always` there, or accept "
            "the loss with TANDEM_REDIS_ALLOW_WEAK_DURABILITY=true",
        )
    if weakness:
        warnings.append(f"{weakness}: acknowledged orders may be lost when Redis or its host dies")
    return ServerReport(product, str(info.get("valkey_version", version)), warnings)


def _settings(client: "redis.Redis", warnings: list[str]) -> dict[str, str]:
    try:
        found = cast("dict[str, str]", client.config_get("appendfsync", "maxmemory-policy"))
    except (NoPermissionError, ResponseError):
        warnings.append(
            "the Redis user may not run CONFIG GET, so `appendfsync always` could not be checked; "
            "allow it with `+config|get`, or make sure of it yourself"
        )
        return {}
    return found


def _ring(client: "redis.Redis") -> None:
    try:
        client.publish(key("check", "journal"), b"")
    except NoPermissionError as error:
        raise RedisUnsuitableError(
            "its user may not publish on the channels tandem:*",
            "allow it with `ACL SETUSER <name> &tandem:* +@pubsub`",
        ) from error


def _weakness(info: dict[str, Any], settings: dict[str, str]) -> str:
    if not int(info.get("aof_enabled", 0)):
        return "its append-only file is off"
    fsync = settings.get("appendfsync", "always")
    if fsync != "always":
        return f"appendfsync is {fsync}, not always"
    policy = settings.get("maxmemory-policy", "noeviction")
    if policy != "noeviction" and int(info.get("maxmemory", 0)):
        return f"maxmemory-policy is {policy}, which may evict the journal"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
