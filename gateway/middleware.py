"""What happens to every request: an id, an answer whatever goes wrong, CORS, a count, a log line.

One middleware, so that a request crosses one frame and not five. Secrets never reach a log: only
the route's template, the status, the time and the principal's id are written.
"""

import re
import secrets
import time
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from event_trader.wire.failure import ErrorCode

from gateway.errors import ApiError, operating_error, unavailable
from gateway.services import Services

_SANE_ID: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")
_ROUTER_CODES: Final = {
    400: ErrorCode.BAD_REQUEST,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.BODY_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
}
_EXPOSED: Final = (
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, "
    "Idempotent-Replayed"
)
REQUEST_ID: Final = web.RequestKey("request_id", str)


def middleware(edge: "Edge") -> Middleware:
    """Make the middleware of a gateway."""

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await edge.handle(request, handler)

    return handle


class Edge:
    """What every request of a gateway passes on its way in and out."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._metrics = services.metrics
        self._origins = frozenset(services.settings.cors_origins)
        self._log_from = _LOG_FROM[services.settings.access_log]
        self._log = structlog.get_logger("gateway").bind(gateway=services.settings.name)
        self._ids_start = secrets.token_hex(6)
        self._ids = 0

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request, whatever its handler does."""
        started = time.perf_counter()
        request_id = self._request_id(request)
        request[REQUEST_ID] = request_id
        response: web.StreamResponse
        try:
            if request.method == "OPTIONS":
                response = _options(request)
            else:
                response = await handler(request)
        except ApiError as error:
            response = self._failed(error, request_id)
        except web.HTTPException as error:
            response = self._http_exception(error, request_id)
        except Exception as error:  # noqa: BLE001 (the last line of defence: answered and logged)
            response = self._unexpected(error, request, request_id)
        if not response.prepared:
            response.headers["X-Request-Id"] = request_id
            self._cors(request, response)
        self._finish(request, response, started, request_id)
        return response

    def outside(self, request: web.BaseRequest, error: ApiError) -> web.Response:
        """Show an error of a request that reached no route."""
        request_id = self._request_id(request)
        response = error.response(request_id)
        response.headers["X-Request-Id"] = request_id
        self._cors(request, response)
        self._metrics.request("OTHER", "unmatched", error.status, 0.0)
        return response

    def _request_id(self, request: web.BaseRequest) -> str:
        given = request.headers.get("X-Request-Id")
        if given is not None and _SANE_ID.fullmatch(given) is not None:
            return given
        self._ids += 1
        return f"req_{self._ids_start}{self._ids:x}"

    def _failed(self, error: ApiError, request_id: str) -> web.Response:
        if error.code is ErrorCode.RATE_LIMITED:
            self._metrics.refused(str(error.details.get("limit", "")))
        return error.response(request_id)

    def _http_exception(self, error: web.HTTPException, request_id: str) -> web.StreamResponse:
        if error.status < 400:
            return error
        code = _ROUTER_CODES.get(error.status, ErrorCode.BAD_REQUEST)
        messages = {
            404: "There is nothing at this path.",
            405: "This path does not take that method.",
            413: f"The body is larger than {self._services.settings.body_bytes_max} bytes.",
        }
        message = messages.get(error.status, error.reason or "The request could not be read.")
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return ApiError(error.status, code, message, headers=headers).response(request_id)

    def _unexpected(
        self, error: Exception, request: web.Request, request_id: str
    ) -> web.StreamResponse:
        shown = operating_error(error) or _store_error(error)
        if shown is not None:
            self._log.warning("unavailable", request_id=request_id, error=type(error).__name__)
            return shown.response(request_id)
        self._metrics.internal_errors.labels(self._metrics.gateway).inc()
        self._log.error(
            "internal_error", request_id=request_id, route=template_of(request), exc_info=error
        )
        message = f"The exchange made a mistake; name the request id {request_id} to its operator."
        return ApiError(500, ErrorCode.INTERNAL, message).response(request_id)

    def _cors(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        origin = request.headers.get("Origin")
        if origin is None:
            return
        if "*" in self._origins:
            response.headers["Access-Control-Allow-Origin"] = "*"
        elif origin in self._origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
        else:
            return
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED

    def _finish(
        self,
        request: web.Request,
        response: web.StreamResponse,
        started: float,
        request_id: str,
    ) -> None:
        seconds = time.perf_counter() - started
        route = template_of(request)
        self._metrics.request(_method(request), route, response.status, seconds)
        if response.status >= self._log_from:
            self._log.info(
                "request",
                method=_method(request),
                route=route,
                status=response.status,
                ms=round(seconds * 1000, 2),
                request_id=request_id,
            )


EDGE: Final = web.AppKey("edge", Edge)


def template_of(request: web.Request) -> str:
    """Give the template of the matched route, never the path itself."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _method(request: web.Request) -> str:
    return request.method if request.method in _METHODS else "OTHER"


_LOG_FROM: Final = {"all": 0, "errors": 400, "off": 1_000}
"""By setting: the lowest status that is logged."""
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"))


def _options(request: web.Request) -> web.Response:
    """Answer a preflight: what the path takes."""
    exception = request.match_info.http_exception
    if isinstance(exception, web.HTTPMethodNotAllowed):
        allowed = sorted({*exception.allowed_methods, "OPTIONS"})
    elif exception is not None:
        raise exception
    else:
        allowed = ["OPTIONS"]
    methods = ", ".join(allowed)
    headers = {"Allow": methods}
    if "Access-Control-Request-Method" in request.headers:
        headers |= {
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": (
                "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-Id, "
                "Mcp-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name"
            ),
            "Access-Control-Max-Age": "600",
        }
    return web.Response(status=204, headers=headers)


def _store_error(error: Exception) -> ApiError | None:
    """Show a Redis that is away as 503; every other store error is a bug."""
    import redis.exceptions as store

    away: tuple[Any, ...] = (store.ConnectionError, store.TimeoutError, store.BusyLoadingError)
    if isinstance(error, (*away, ConnectionError)):
        message = "A part of the exchange is restarting; try again shortly."
        return unavailable(ErrorCode.UNAVAILABLE, message)
    return None
