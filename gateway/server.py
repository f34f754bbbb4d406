"""aiohttp's server, with the contract's errors where a request never reaches a route.

What the HTTP parser refuses and an expectation nobody can meet are answered before any middleware
runs, by aiohttp in plain text. Here they get both error forms and a request id like every other.
"""

import gc
from collections.abc import Coroutine
from typing import Any, Final

from aiohttp import web
from event_trader.wire.failure import ErrorCode

from gateway.errors import ApiError
from gateway.middleware import EDGE, Edge

_CHARS_MAX: Final = 80
_EXPECTATION: Final = "The only expectation that can be met is 100-continue."


class GatewayRunner(web.AppRunner):
    """Runs a gateway's application; takes the place of `aiohttp.web.AppRunner`."""

    async def _make_server(self) -> web.Server:
        return _Server(await super()._make_server(), self.app[EDGE])


class _Server(web.Server):
    """Makes one `_Protocol` per connection, with what ``made`` would have given its own."""

    def __init__(self, made: web.Server, edge: Edge) -> None:
        super().__init__(
            made.request_handler,
            request_factory=made.request_factory,
            loop=made._loop,  # noqa: SLF001 (there is no other way to take its place)
            **made._kwargs,  # noqa: SLF001
        )
        self._edge = edge

    def __call__(self) -> web.RequestHandler:
        return _Protocol(self._edge, self, loop=self._loop, **self._kwargs)


class _Protocol(web.RequestHandler):
    """One connection; says in our words what aiohttp would have said in its own."""

    __slots__ = ("_edge",)

    def __init__(self, edge: Edge, manager: web.Server, **options: Any) -> None:  # noqa: ANN401
        super().__init__(manager, **options)
        self._edge = edge

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer bytes that are no request (400), or a fault outside of every route (500)."""
        super().handle_error(request, status, exc, message)  # logs it; raises if it is too late
        if status == web.HTTPBadRequest.status_code:
            error = ApiError(400, ErrorCode.BAD_REQUEST, unreadable(message or ""))
        else:
            error = ApiError(500, ErrorCode.INTERNAL, "The exchange made a mistake.")
        response = self._edge.outside(request, error)
        response.force_close()
        return response

    def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> "Coroutine[Any, Any, tuple[web.StreamResponse, bool]]":
        """Show an ``Expect`` that was refused before the middleware; pass all else on."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = self._edge.outside(request, ApiError(417, ErrorCode.BAD_REQUEST, _EXPECTATION))
        return super().finish_response(request, resp, start_time)


def unreadable(said: str) -> str:
    """Say why bytes are no request: the parser's reason, without the bytes that it quotes."""
    reason = said.partition("\n")[0].partition(":")[0].strip().rstrip(".")[:_CHARS_MAX]
    return f"This is no valid HTTP/1.1 request: {reason or 'it could not be read'}."


def keep_loaded() -> None:
    """Take what has been loaded so far out of the garbage collector's sight: it stays for good.

    Else every full collection, one a second under load, walks through all modules and models, and
    nobody is served for 0.1 s.
    """
    gc.freeze()
