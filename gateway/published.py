"""What the supervisor publishes of everybody, as a gateway reads it; nothing while it is not there.

No actor is asked: a request that shows this costs one read of the store.
"""

import asyncio
from typing import Any, Final

from redis.exceptions import RedisError

from actors.exchange_status import STATUS, read_actors
from gateway.services import Services

_PATIENCE_S: Final = 2.0


async def published_actors(services: Services) -> dict[str, Any]:
    """Read the actors' statuses by name; {} where nothing is published, or the store is away."""
    client: Any = services.deps.redis
    try:
        document = await asyncio.wait_for(client.get(STATUS), _PATIENCE_S)
    except (RedisError, OSError, TimeoutError):
        return {}
    return read_actors(document)
