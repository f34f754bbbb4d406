"""The way into MCP from the application: the path ``/mcp``, open once the SDK has been loaded.

The SDK takes a second or more to import, and a gateway that comes back after a fault should not
wait for it: it is loaded beside the first requests, and the first of MCP's own wait.
"""

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from gateway.mcp import PATH
from gateway.server import keep_loaded
from gateway.services import Services

if TYPE_CHECKING:
    from gateway.mcp.http import McpEndpoint


def setup(app: web.Application, services: Services) -> None:
    """Serve MCP on an application."""
    door = Door(app, services)
    app.router.add_post(PATH, door.handle)
    app.on_startup.append(door.open)
    app.on_cleanup.append(door.close)


class Door:
    """Loads the endpoint, and leads requests to it."""

    def __init__(self, app: web.Application, services: Services) -> None:
        self._app = app
        self._services = services
        self._loading: asyncio.Task[McpEndpoint] | None = None

    async def open(self, _: web.Application) -> None:
        """Begin to load; the application calls this when it starts."""
        self._loading = asyncio.create_task(self._load(), name="mcp-load")

    async def close(self, _: web.Application) -> None:
        """Stop what runs; the application calls this when it ends."""
        if self._loading is not None:
            await (await self._loading).stop()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        assert self._loading is not None  # noqa: S101 (nothing is served before `open`)
        endpoint = await asyncio.shield(self._loading)
        return await endpoint.handle(request)

    async def _load(self) -> "McpEndpoint":
        kind = await asyncio.to_thread(_import)
        endpoint = kind(self._app, self._services)
        await endpoint.start()
        keep_loaded()
        return endpoint


def _import() -> "type[McpEndpoint]":
    from gateway.mcp.http import McpEndpoint

    return McpEndpoint
