"""The reader at `/docs`: Swagger UI out of its package, with nothing from anywhere else.

The page, its files and the document it reads all come from this gateway, so it works without a
network, and its Content-Security-Policy lets a browser load nothing else. Requests that are tried
out go to this gateway too; a key typed in stays in the page and is gone when it is closed.
"""

import importlib.util
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

_FILES: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
"""What the page needs of the package."""
_SOURCES: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # Swagger UI writes style attributes
    "img-src": "'self' data:",  # its style sheet has its icons inside
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(f"{kind} {from_}" for kind, from_ in _SOURCES.items()),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tandem API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="reader"><noscript>This page needs JavaScript; the document itself is
<a href="openapi.json">openapi.json</a>.</noscript></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START: Final = """\
"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reader",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  syntaxHighlight: { theme: "idea" },
  validatorUrl: null,
});
"""


def page() -> web.Response:
    """Make the page; the rest is what `setup` serves below it."""
    return web.Response(text=_PAGE, content_type="text/html", headers=_HEADERS)


def setup(app: web.Application) -> None:
    """Serve the files of the page below ``/docs/``."""
    directory = _assets()
    for name in _FILES:
        app.router.add_get(f"/docs/{name}", _file(directory / name))
    app.router.add_get("/docs/start.js", _start)


def _assets() -> Path:
    """Find the package's files without importing it: its code is of no use here.

    Raises:
        RuntimeError: it is not installed.
    """
    found = importlib.util.find_spec("swagger_ui")
    if found is None or found.origin is None:
        raise RuntimeError("swagger-ui-py is not installed; run make install")
    return Path(found.origin).parent / "static"


def _file(path: Path) -> Handler:
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}

    async def handle(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(path, headers=headers)

    return handle


async def _start(_: web.Request) -> web.StreamResponse:
    return web.Response(text=_START, content_type="text/javascript", headers=_HEADERS)
