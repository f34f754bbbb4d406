"""Why a connection did not come about or was lost, as ccxt's exceptions that say what to do."""

import re
from collections.abc import Callable

import aiohttp
from ccxt.base import errors as ccxt

_CLOSED = re.compile(r"closing code (\d+)$")
_BY_CLOSE: dict[int, tuple[type[ccxt.BaseError], str]] = {
    4401: (ccxt.AuthenticationError, "the key is not good, or not any more: use another one"),
    4403: (ccxt.PermissionDenied, "the key may not be used here: give it the permission"),
    4408: (
        ccxt.NetworkError,
        "it was read too slowly: the next call goes on, but do less between two of them",
    ),
    4429: (
        ccxt.RateLimitExceeded,
        "there are too many connections from here: watch fewer markets, or close other programs",
    ),
}
_BY_STATUS: dict[int, tuple[type[ccxt.BaseError], str]] = {
    429: _BY_CLOSE[4429],
    503: (ccxt.ExchangeNotAvailable, "the exchange is busy or starting: try again in a moment"),
}
_WRONG_PLACE = (
    ccxt.BadResponse,
    "this is not Tandem's stream: check urls, and proxies in between",
)
_NOBODY = 'is the exchange running there, and is urls["api"] right?'


def stream_error(name: str, url: str, error: ccxt.NetworkError) -> ccxt.BaseError:
    """Give the exception for what ended a stream, or kept it from opening.

    Args:
        name: the exchange's id.
        url: the stream's.
        error: ccxt's; its first argument is the cause, or a sentence with the closing code.
    """
    cause = error.args[0] if error.args else ""
    closed = _CLOSED.search(str(cause))
    kind: type[ccxt.BaseError]
    if isinstance(cause, aiohttp.WSServerHandshakeError):
        kind, advice = _BY_STATUS.get(cause.status, _WRONG_PLACE)
        return kind(f"{name} {url} was refused with HTTP {cause.status}: {advice}")
    if isinstance(cause, OSError | aiohttp.ClientError):
        return ccxt.NetworkError(f"{name} {url} cannot be reached ({cause}): {_NOBODY}")
    if closed is not None and int(closed[1]) in _BY_CLOSE:
        kind, advice = _BY_CLOSE[int(closed[1])]
        return kind(f"{name} {url} was closed ({closed[1]}): {advice}")
    return error


def unanswered(
    name: str, asked: tuple[str, str], error: ccxt.NetworkError
) -> ccxt.NetworkError | None:
    """Give a better exception for a request that nobody answered; None for one that was refused.

    Args:
        name: the exchange's id.
        asked: method and URL.
        error: what ccxt raised.
    """
    if str(error) != " ".join((name, *asked)):
        return None
    again: Callable[[str], ccxt.NetworkError] = type(error)
    return again(f"{error} had no answer: {_NOBODY}")
