"""`tandem mcp`: the MCP server over stdin and stdout, in front of an exchange somewhere else.

Calls go through the Python client, so keys, retries and timeouts are its. Only the protocol is ever
written to stdout; what is to be said to a person goes to stderr.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping
from importlib.metadata import version as package_version
from typing import Any, Final

from event_trader.errors import APIError, AuthenticationError, EventTraderError, NotFoundError
from event_trader.transport import HttpTransport

from actors.errors import TandemError
from gateway.mcp.backend import Asked, CallRefusedError

DEFAULT_URL: Final = "http://127.0.0.1:8080"
TIMEOUT_S: Final = 15.0
"""One try of a request; a model that waits longer takes the tool for broken."""
RETRIES_MAX: Final = 2
_SET_URL: Final = f"set ET_BASE_URL to one, such as {DEFAULT_URL}"
UNREACHABLE: Final = "UNREACHABLE"
"""The code of a call that got no answer of an exchange."""


class McpSetupError(TandemError):
    """The server cannot start as it is set up."""


class RemoteBackend:
    """Answers REST requests by sending them to an exchange."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http

    async def call(self, asked: Asked) -> Any:  # noqa: ANN401 (a JSON body)
        """Send one request.

        Raises:
            CallRefusedError: the exchange refused, or none could be reached.
        """
        try:
            return await self._http.request(
                asked.method,
                asked.path,
                params=asked.query,
                json=asked.body,
                idempotency_key=asked.idempotency_key,
            )
        except APIError as error:
            raise CallRefusedError(
                error.code,
                error.message,
                error.status,
                error.details,
                error.request_id,
                error.retry_after_s,
            ) from error
        except EventTraderError as error:
            raise CallRefusedError(UNREACHABLE, _told(error)) from error


def run(environ: Mapping[str, str]) -> int:
    """Serve until stdin ends; returns the exit status.

    Raises:
        McpSetupError: the URL or the key in the settings cannot be used.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    url = environ.get("ET_BASE_URL") or DEFAULT_URL
    key = environ.get("ET_API_KEY") or None
    try:
        http = HttpTransport(url, key, TIMEOUT_S, RETRIES_MAX)
    except ValueError as error:
        raise McpSetupError(_told(error)) from None
    asyncio.run(_serve(http, with_key=key is not None))
    return 0


async def _serve(http: HttpTransport, *, with_key: bool) -> None:
    async with http:
        await check(http, with_key=with_key)
        # Only now: what has to be told is told before seconds of imports.
        from mcp.server.stdio import stdio_server

        from gateway.mcp.server import build_server

        backend = RemoteBackend(http)
        server = build_server(
            package_version("tandem-exchange"), lambda _: backend, lambda _, arguments: arguments
        )
        if not with_key:
            _say("no ET_API_KEY is set: only market data can be read")
        _say(f"serving {http.base_url}; logs go to stderr")
        # The thread that waits for stdin cannot be called back, and nothing here has to be saved.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())


async def check(http: HttpTransport, *, with_key: bool) -> None:
    """Ask the exchange once, so that a wrong setting is told at the start.

    Raises:
        McpSetupError: no exchange answers there, or it does not take the key.
    """
    try:
        found = await http.get("/api/v1/account" if with_key else "/health")
        if not with_key and (not isinstance(found, dict) or "gateway" not in found):
            raise McpSetupError(f"what answers at {http.base_url} is no exchange; {_SET_URL}")
    except NotFoundError:
        raise McpSetupError(f"{http.base_url} is not the root of an exchange; {_SET_URL}") from None
    except AuthenticationError as error:
        raise McpSetupError(
            f"{http.base_url} does not accept ET_API_KEY ({error.code}: {error.message}) Make a "
            "key with `tandem keys create NAME --trade` and set ET_API_KEY to it."
        ) from None
    except APIError:
        return  # an exchange, and it knows the key: each call will say what it may not do
    except EventTraderError as error:
        raise McpSetupError(_told(error)) from None


def _told(error: Exception) -> str:
    """Say it with the names of the settings, not those of the client's arguments."""
    return str(error).replace("base_url", "ET_BASE_URL").replace("api_key", "ET_API_KEY")


def _say(line: str) -> None:
    sys.stderr.write(f"tandem mcp: {line}\n")
    sys.stderr.flush()
