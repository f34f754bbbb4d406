"""Resources: what can be read by address, each one or two reads of the REST API."""

import asyncio
import re
from typing import Any, Final

from mcp_types import Resource, ResourceTemplate

from gateway.mcp.backend import Asked, Backend
from gateway.routes.orders import PREFIX

MIME: Final = "application/json"
BOOK_URI: Final = "tandem://{symbol}/book"
_BOOK: Final = re.compile(r"tandem://([A-Za-z0-9][A-Za-z0-9\-]{0,39})/book")

RESOURCES: Final = [
    Resource(
        name="pairs",
        uri="tandem://pairs",
        title="Listed pairs",
        description="Every pair with its tick, lot, smallest order, fees and pools.",
        mime_type=MIME,
    ),
    Resource(
        name="account",
        uri="tandem://account",
        title="Your account",
        description="The account, and its funds of every asset in paper and live.",
        mime_type=MIME,
    ),
]
TEMPLATES: Final = [
    ResourceTemplate(
        name="book",
        uri_template=BOOK_URI,
        title="A pair's book",
        description="The hybrid book of a pair: resting orders and AMM depth, best first.",
        mime_type=MIME,
    )
]


async def read(backend: Backend, uri: str) -> Any | None:  # noqa: ANN401 (a JSON body)
    """Read a resource; None where there is none at the address.

    Raises:
        CallRefusedError: it could not be read.
    """
    if uri == "tandem://pairs":
        return await _get(backend, f"{PREFIX}/pairs")
    if uri == "tandem://account":
        account, funds = await asyncio.gather(
            _get(backend, "/api/v1/account"), _get(backend, "/api/v1/account/balances")
        )
        return {"account": account, **funds}
    match = _BOOK.fullmatch(uri)
    return await _get(backend, f"{PREFIX}/{match[1]}/book/hybrid") if match else None


async def symbols(backend: Backend) -> list[str]:
    """List the symbols of the pairs, for completions."""
    pairs = await _get(backend, f"{PREFIX}/pairs")
    return [str(pair["symbol"]) for pair in pairs["pairs"]]


async def _get(backend: Backend, path: str) -> Any:  # noqa: ANN401 (a JSON body)
    return await backend.call(Asked(method="GET", path=path, query={}))
