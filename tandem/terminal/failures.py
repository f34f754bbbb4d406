"""What a person is told when a command cannot be done: one line that says what to do, and a status.

Exit statuses: 1 the exchange refused, or there is no such thing; 2 wrong usage; 3 it is about who
you are; 4 no exchange can be reached, or it cannot serve now.
"""

import re
from typing import Final

from event_trader.codes import JwtRequiredError, OrderNotFoundError, UnknownSymbolError
from event_trader.errors import (
    APIError,
    AuthenticationError,
    ConnectionFailedError,
    EventTraderError,
    NotTandemError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    ServerTooOldError,
    SlowReaderError,
    UnavailableError,
    UnknownOutcomeError,
)

REFUSED: Final = 1
USAGE: Final = 2
WHO: Final = 3
UNREACHABLE: Final = 4
TOO_SLOW: Final = "the exchange closed the stream, because this terminal reads it too slowly"


class TerminalError(Exception):
    """A command cannot be done; the message says why and what to do."""

    status = REFUSED


class UsageError(TerminalError):
    """The command was written wrongly."""

    status = USAGE


class NotLoggedInError(TerminalError):
    """Nobody is logged in at this exchange, or not any more."""

    status = WHO


def explain(error: EventTraderError) -> tuple[str, int]:
    """Say what to do about an error of the client, in the words of the command line."""
    if isinstance(error, APIError):
        return _refusal(error)
    if isinstance(error, ServerTooOldError):
        return f"{error} (or use the `tandem` of its own version)", UNREACHABLE
    if isinstance(error, NotTandemError):
        told = _named(error)
        more = "" if "--base-url" in told else "; name an exchange with --base-url"
        return told + more, UNREACHABLE
    if isinstance(error, ConnectionFailedError):
        where = re.match(r"cannot reach \S+(?=:)", str(error))
        told = where.group() if where else _named(error)
        return f"{told}; start one with `tandem up`, or name another with --base-url", UNREACHABLE
    if isinstance(error, RequestTimeoutError):
        return f"{error}; look with `tandem orders` before you repeat an order", UNREACHABLE
    if isinstance(error, SlowReaderError):
        return f"{TOO_SLOW}; run it closer to the exchange, or look without --watch", UNREACHABLE
    return str(error), REFUSED


_REFUSALS: Final[tuple[tuple[type[APIError], str, int], ...]] = (
    (JwtRequiredError, "{told}; log in with a password instead of a key: `tandem login`", WHO),
    (AuthenticationError, "{told} ({code}); log in with `tandem login`", WHO),
    (PermissionDeniedError, "{told} ({code}); use a key that may, see `tandem keys list`", WHO),
    (UnknownSymbolError, "{told}; `tandem markets` lists what there is", REFUSED),
    (
        OrderNotFoundError,
        "{told}; `tandem orders` and `tandem orders --history` list yours",
        REFUSED,
    ),
    (RateLimitedError, "{told}; wait {wait} s and try again", UNREACHABLE),
    (UnknownOutcomeError, "{told}; it may have happened: look with `tandem orders`", UNREACHABLE),
    (UnavailableError, "it cannot serve now ({told}); try again in {wait} s", UNREACHABLE),
    (ServerError, "{told}; name request {request} to the exchange's operator", UNREACHABLE),
    (APIError, "{told} [{code}] (request {request})", REFUSED),
)
"""What is said of a refusal: the first class that fits, from the narrow to the wide."""


def _refusal(error: APIError) -> tuple[str, int]:
    said, status = next(
        (text, status) for kind, text, status in _REFUSALS if isinstance(error, kind)
    )
    facts = {"told": error.message.rstrip("."), "code": error.code, "request": error.request_id}
    return said.format(**facts, wait=max(1, round(error.retry_after_s))), status


def _named(error: EventTraderError) -> str:
    return str(error).replace("; check base_url", "").replace("base_url", "--base-url")
