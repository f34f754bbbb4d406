"""The bridge from aiohttp to the MCP SDK's HTTP transport, which is an ASGI application.

Every exchange is one POST and one JSON answer, so both are held whole: the request is within the
gateway's bound on bodies, the answer is what one route gives. No session outlives a request, so any
gateway that shares the port can answer any of them.
"""

import asyncio
from typing import Any, Final

from aiohttp import web
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

_KEPT_BACK: Final = frozenset(("authorization", "x-api-key", "cookie"))
"""Headers that the SDK has no use for, and must never be able to log."""


class McpTransport:
    """Runs the SDK's session manager, without sessions, in a task of its own."""

    def __init__(self, server: Server[Any]) -> None:
        # Origin and body size are checked before; see `http`.
        self._manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it."""
        self._task = asyncio.create_task(self._run(), name="mcp")
        await self._started.wait()

    async def stop(self) -> None:
        """Stop it."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        # One task enters and leaves: the manager's task group must not change hands.
        async with self._manager.run():
            self._started.set()
            await self._stopping.wait()

    async def answer(self, request: web.Request, body: bytes, state: object) -> web.Response:
        """Answer a request; handlers find ``state`` under ``tandem`` in the scope."""
        sent: list[dict[str, Any]] = []
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not waiting:  # the client's going away ends nothing: what it asked for is done
                await asyncio.Event().wait()
            return waiting.pop()

        async def send(message: Any) -> None:  # noqa: ANN401 (ASGI's messages are mappings)
            sent.append(message)

        await self._manager.handle_request(_scope(request, state), receive, send)
        return _response(sent)


def _scope(request: web.Request, state: object) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.raw_path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in request.headers.items()
            if name.lower() not in _KEPT_BACK
        ],
        "tandem": state,
    }


def _response(sent: list[dict[str, Any]]) -> web.Response:
    start, *parts = sent
    body = b"".join(part.get("body", b"") for part in parts)
    response = web.Response(status=start["status"], body=body or None)
    for name, value in start["headers"]:
        if name.lower() != b"content-length":
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
    return response
