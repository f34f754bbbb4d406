"""MCP as streamable HTTP at ``/mcp``: REST's authentication, limits and bounds; checked origins.

A tool call is a request to the gateway's own application, made in its process: it crosses the same
middleware, the same endpoint and the same handler as the REST request it stands for, with the
caller's own credentials. What calls no route is counted as a public read.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import StreamReader, web
from aiohttp.http import RawRequestMessage
from event_trader.wire.failure import ErrorCode
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gateway import body as bodies
from gateway.endpoint import Call, Endpoint, Route
from gateway.errors import ApiError
from gateway.mcp import PATH
from gateway.mcp.asgi import McpTransport
from gateway.mcp.backend import Asked, Backend, CallRefusedError
from gateway.mcp.server import Context, build_server
from gateway.middleware import REQUEST_ID
from gateway.services import Services

_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_PASSED_ON: Final = ("Authorization", "X-API-Key", "X-Forwarded-For", "User-Agent")
_PARSE_ERROR: Final = -32700
_INVALID_REQUEST: Final = -32600
"""Both as JSON-RPC 2.0 has them in section 5.1."""


def _backend(ctx: Context) -> Backend:
    return _state(ctx)


def _state(ctx: Context) -> "_OneRequest":
    request: Any = ctx.request  # starlette's, made of the scope that the bridge made
    state: _OneRequest = request.scope["tandem"]
    return state


def _arguments(ctx: Context, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a call's arguments as the gateway's own strict reader read them."""
    read = _state(ctx).message["params"].get("arguments")
    return read if isinstance(read, dict) else arguments


async def _nothing(_: Call) -> None:
    """Stand where a route has its handler; the endpoint below answers for itself."""


class McpEndpoint(Endpoint):
    """Answers one MCP request; who may ask, and how often, is decided as for any endpoint."""

    def __init__(self, app: web.Application, services: Services) -> None:
        route = Route(
            method="POST", path=PATH, handler=_nothing, summary="MCP", tag="mcp", symbol=False
        )
        super().__init__(route, services)
        self._app = app
        server = build_server(services.settings.version, _backend, _arguments)
        self._transport = McpTransport(server)
        self.start, self.stop = self._transport.start, self._transport.stop
        self._settings = services.settings
        self._origins = frozenset(services.settings.cors_origins) - {"*"}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request.

        Raises:
            ApiError: it is refused before it is read as MCP: 401, 403, 413, 415, 429.
        """
        check_origin(request.headers.get("Origin"), self._origins)
        call = Call(request, self._services)
        await self._authenticate(call)
        settings = self._settings
        raw = await bodies.read_body(request, settings.body_bytes_max, settings.body_timeout_s)
        try:
            message = bodies.parse_json(raw)
        except ApiError as error:
            await self._count(call)
            return _unreadable(_PARSE_ERROR, error.message, error.code)
        if isinstance(message, dict) and not isinstance(message.get("id", ""), (str, int)):
            await self._count(call)
            # The SDK would take it for a notification, and answer nothing.
            return _unreadable(_INVALID_REQUEST, "id must be a string or an integer")
        state = _OneRequest(self._app, request, message)
        response = await self._transport.answer(request, raw, state)
        if not state.called:
            limits = await self._count(call)
            response.headers.update(limits.headers() if limits is not None else {})
        return response


class _OneRequest:
    """What belongs to one MCP request: its message, and the way to REST in its caller's name."""

    def __init__(self, app: web.Application, request: web.Request, message: Any) -> None:  # noqa: ANN401 (any JSON)
        self._app = app
        self._request = request
        self.message = message
        self.called = False

    async def call(self, asked: Asked) -> Any:  # noqa: ANN401 (a JSON body)
        """Let the application answer a REST request.

        Raises:
            CallRefusedError: it answered with an error.
        """
        self.called = True
        inner = self._inner(asked)
        # Private, and there is no other door: what a socket's request goes through, all of it.
        response = await self._app._handle(inner)  # noqa: SLF001
        if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
            raise TypeError(f"{asked.method} {asked.path} has no body that could be shown")
        answer = json.loads(response.body)
        if response.status < 400:
            return answer
        error = answer["error"]
        raise CallRefusedError(
            error["code"],
            error["message"],
            response.status,
            error["details"] or _problems(answer["detail"]),
            answer["request_id"],
            float(response.headers.get("Retry-After", "0")),
        )

    def _inner(self, asked: Asked) -> web.Request:
        outer, loop = self._request, asyncio.get_running_loop()
        body = json.dumps(asked.body).encode() if asked.body is not None else b""
        headers = CIMultiDict(
            (name, value)
            for name in _PASSED_ON
            for value in outer.headers.getall(name, ())
        )  # fmt: skip
        headers["X-Request-Id"] = outer[REQUEST_ID]
        if body:
            headers["Content-Type"] = "application/json"
            headers["Content-Length"] = str(len(body))
        if asked.idempotency_key is not None:
            headers["Idempotency-Key"] = asked.idempotency_key
        payload = StreamReader(outer.protocol, len(body) + 1, loop=loop)
        payload.feed_data(body)
        payload.feed_eof()
        url = URL(asked.path, encoded=True).with_query(asked.query)
        message = RawRequestMessage(
            asked.method,
            str(url),
            outer.version,
            CIMultiDictProxy(headers),
            tuple((name.encode(), value.encode()) for name, value in headers.items()),
            should_close=False,
            compression=None,
            upgrade=False,
            chunked=False,
            url=url,
        )
        return web.Request(message, payload, outer.protocol, outer.writer, outer.task, loop)


def check_origin(origin: str | None, allowed: frozenset[str]) -> None:
    """Let a browser's page in only from this machine, or from an origin that is named.

    A page whose name was pointed at this machine (DNS rebinding) shows its own origin, whatever
    the Host header says. ``*`` names none: it is what pages may do with REST, where nothing is
    reachable that needs no key.

    Raises:
        ApiError: 403 PERMISSION_DENIED.
    """
    if origin is None or origin in allowed:
        return
    try:
        host = urlsplit(origin).hostname
    except ValueError:
        host = None
    if host in _LOOPBACK:
        return
    message = "This origin may not use MCP; name it in the gateway's cors_origins."
    raise ApiError(403, ErrorCode.PERMISSION_DENIED, message, {"header": "Origin"})


def _problems(detail: Any) -> dict[str, Any]:  # noqa: ANN401 (text or a list)
    return {"problems": detail} if isinstance(detail, list) else {}


def _unreadable(number: int, message: str, code: ErrorCode = ErrorCode.BAD_REQUEST) -> web.Response:
    """Show a body that is no message as JSON-RPC does."""
    info = {"code": number, "message": message, "data": {"code": code.value}}
    body = {"jsonrpc": "2.0", "id": None, "error": info}
    return web.json_response(body, status=400)
