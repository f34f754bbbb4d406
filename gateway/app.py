"""The aiohttp application of one gateway: ports in, served routes out.

`build_app` is all the composition root calls. What a route does is in `routes`, what happens to
every request in `middleware` and `endpoint`.
"""

from typing import Final

from aiohttp import web

from gateway import docs
from gateway.deps import DEPS, GatewayDeps
from gateway.endpoint import Endpoint, Route
from gateway.mcp.door import setup as setup_mcp
from gateway.middleware import EDGE, Edge, middleware
from gateway.routes import ROUTES
from gateway.routes.orders import PREFIX
from gateway.server_log import server_logger
from gateway.services import SERVICES, Services
from gateway.ws.routes import setup as setup_websockets

LINGERING_S: Final = 2.0
"""How long the rest of a refused request's body is read and dropped before the connection ends."""

_ORDER_ID: Final = "{order_id:(?!(?:all|batch|history|open)$)[^/]+}"
"""What may stand for an order's id: a fixed path below it is none, whatever the method."""
_ASKED_MOST: Final = [
    f"{PREFIX}/{{symbol}}{place}"
    for place in ("/book/hybrid", "/book", "/orders", "/orders/{order_id}", "/bbo", "/ticker")
]
"""The router tries one path after the other: these first, and all methods of one together."""


def build_app(deps: GatewayDeps) -> web.Application:
    """Build a gateway's application. Starting and stopping the ports is the caller's."""
    services = Services(deps)
    edge = Edge(services)
    app = web.Application(
        middlewares=[middleware(edge)],
        client_max_size=deps.settings.body_bytes_max,
        handler_args={
            "access_log": None,
            "auto_decompress": False,
            "lingering_time": LINGERING_S,
            "logger": server_logger(),
        },
    )
    app[DEPS] = deps
    app[SERVICES] = services
    app[EDGE] = edge
    for route in sorted(ROUTES, key=_rank):
        add_route(app, route, services)
    docs.setup(app)
    setup_websockets(app, services, _symbol_pattern(services))
    setup_mcp(app, services)
    app.on_cleanup.append(_close)
    return app


def _rank(route: Route) -> int:
    return _ASKED_MOST.index(route.path) if route.path in _ASKED_MOST else len(_ASKED_MOST)


def add_route(app: web.Application, route: Route, services: Services) -> None:
    """Serve one declared route; a GET is served to HEAD as well."""
    endpoint = Endpoint(route, services)
    path = route.path.replace("{symbol}", _symbol_pattern(services))
    path = path.replace("}/orders/{order_id}", "}/orders/" + _ORDER_ID)
    app.router.add_route(route.method, path, endpoint.handle)
    if route.method == "GET":
        app.router.add_route("HEAD", path, endpoint.handle)


def _symbol_pattern(services: Services) -> str:
    """Let ``VAIX/USDC`` stand where a symbol stands, with its slash encoded or not."""
    quotes = sorted({spec.quote.symbol for spec in services.specs.values()})
    letters = ["".join(f"[{c.lower()}{c.upper()}]" for c in quote) for quote in quotes]
    return "{symbol:[^/]+(?:/(?:" + "|".join(letters) + "))?}" if quotes else "{symbol}"


async def _close(app: web.Application) -> None:
    app[SERVICES].passwords.close()
