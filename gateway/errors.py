"""Every way a request can fail, and how each is shown: status, code, headers, both body forms.

What lives here: `ApiError`, the table from engine reasons to statuses, and the translation of the
other rooms' errors. Who raises them: auth, limits, codec, body reading, and the routes.
"""

from typing import Any, Final

import msgspec
from aiohttp import web
from event_trader.wire.failure import ErrorCode

from actors.engine.market_api import AnyReply, BusyReply, MalformedReply, RefusedReply, UnknownReply
from actors.engine.units import Reason
from actors.errors import (
    CommandRefusedError,
    JournalUnavailableError,
    UnavailableError,
    UnknownOutcomeError,
)

REASON_STATUS: Final[dict[Reason, int]] = {
    Reason.ORDER_NOT_FOUND: 404,
    Reason.TWAP_NOT_FOUND: 404,
    Reason.ORDER_CLOSED: 409,
    Reason.TWAP_CLOSED: 409,
    Reason.IDEMPOTENCY_MISMATCH: 409,
    Reason.LIVE_NOT_ENABLED: 409,
    Reason.NOT_AMENDABLE: 409,
}
"""Reasons whose refusal is not a 400."""

CODE_STATUS: Final[dict[ErrorCode, int]] = {
    **{ErrorCode[reason.name]: status for reason, status in REASON_STATUS.items()},
    ErrorCode.VALIDATION_ERROR: 422,
    ErrorCode.INVALID_JSON: 422,
    ErrorCode.DUPLICATE_KEY: 422,
    ErrorCode.TOO_DEEP: 422,
    ErrorCode.BODY_TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.INVALID_CREDENTIALS: 401,
    ErrorCode.TOKEN_EXPIRED: 401,
    ErrorCode.TOKEN_INVALID: 401,
    ErrorCode.REFRESH_REUSED: 401,
    ErrorCode.KEY_INVALID: 401,
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.IP_NOT_ALLOWED: 403,
    ErrorCode.MARKET_NOT_ALLOWED: 403,
    ErrorCode.JWT_REQUIRED: 403,
    ErrorCode.EMAIL_TAKEN: 409,
    ErrorCode.USERNAME_TAKEN: 409,
    ErrorCode.KEY_NOT_FOUND: 404,
    ErrorCode.TOO_MANY_KEYS: 409,
    ErrorCode.SUB_ACCOUNT_NOT_FOUND: 404,
    ErrorCode.TOO_MANY_SUB_ACCOUNTS: 409,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.BUSY: 503,
    ErrorCode.RECOVERING: 503,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.UNKNOWN_OUTCOME: 503,
    ErrorCode.INTERNAL: 500,
    ErrorCode.UNKNOWN_SYMBOL: 404,
    ErrorCode.DEAD_MANS_SWITCH_INACTIVE: 409,
    ErrorCode.PAPER_NOT_WITHDRAWABLE: 409,
    ErrorCode.OPEN_ORDERS_REMAIN: 409,
    ErrorCode.TOO_MANY_CONNECTIONS: 429,
    ErrorCode.UPGRADE_REQUIRED: 426,
}
"""The status of every code that is not a 400."""


def status_of(code: ErrorCode) -> int:
    """Give the status a code comes with."""
    return CODE_STATUS.get(code, 400)


REFUSALS: Final = tuple(r for r in Reason if Reason.NONE < r < Reason.CLOSE_REASONS)
"""Every reason a command can be refused for; each has an `ErrorCode` of the same name."""

RETRY_AFTER_DEFAULT_S: Final = 1

_ENCODER = msgspec.json.Encoder()


class ApiError(Exception):
    """A request that is answered with an error.

    Args:
        status: the HTTP status.
        code: the stable code.
        message: one sentence for people: what was wrong, what was expected.
        details: what the code documents.
        problems: for 422, the list shown as ``detail``.
        headers: further response headers.
    """

    def __init__(
        self,
        status: int,
        code: ErrorCode,
        message: str,
        details: dict[str, Any] | None = None,
        problems: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, message, details, problems, headers)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}
        self.problems = problems
        self.headers = headers or {}

    def info(self) -> dict[str, Any]:
        """Show the error as the ``error`` object."""
        return {"code": self.code.value, "message": self.message, "details": self.details}

    def body(self, request_id: str) -> bytes:
        """Encode the whole error body."""
        detail: Any = self.message if self.problems is None else self.problems
        return _ENCODER.encode({"detail": detail, "error": self.info(), "request_id": request_id})

    def response(self, request_id: str) -> web.Response:
        """Make the HTTP response; one that says ``Connection: close`` also does it."""
        response = web.Response(
            status=self.status,
            body=self.body(request_id),
            content_type="application/json",
            headers=self.headers,
        )
        if self.headers.get("Connection") == "close":
            response.force_close()
        return response


def invalid(loc: tuple[str | int, ...], message: str, kind: str = "value_error") -> ApiError:
    """Make a 422 for one field."""
    return ApiError(
        422,
        ErrorCode.VALIDATION_ERROR,
        f"{'.'.join(str(part) for part in loc[1:]) or loc[0]}: {message}",
        problems=[{"loc": list(loc), "msg": message, "type": kind}],
    )


def unauthenticated(code: ErrorCode, message: str) -> ApiError:
    """Make a 401 with the challenge the contract asks for."""
    return ApiError(401, code, message, headers={"WWW-Authenticate": "Bearer"})


def unavailable(code: ErrorCode, message: str, retry_after_s: float = 1.0) -> ApiError:
    """Make a 503 that says when to come back."""
    seconds = max(RETRY_AFTER_DEFAULT_S, int(-(-retry_after_s // 1)))
    return ApiError(503, code, message, headers={"Retry-After": str(seconds)})


def unknown_outcome(command_id: str) -> ApiError:
    """Make the 503 for a request that may or may not have been applied."""
    return ApiError(
        503,
        ErrorCode.UNKNOWN_OUTCOME,
        "The outcome is unknown; repeat the request with the same Idempotency-Key to learn it.",
        {"command_id": command_id},
        headers={"Retry-After": str(RETRY_AFTER_DEFAULT_S)},
    )


def unknown_symbol(symbol: str) -> ApiError:
    """Make the 404 for a symbol that is not listed."""
    return ApiError(404, ErrorCode.UNKNOWN_SYMBOL, f"There is no pair {symbol[:40]!r}.")


def order_not_found() -> ApiError:
    """Make the 404 for an order that does not exist or is somebody else's."""
    return ApiError(404, ErrorCode.ORDER_NOT_FOUND, "There is no such order of yours.")


def twap_not_found() -> ApiError:
    """Make the 404 for a TWAP that does not exist or is somebody else's."""
    return ApiError(404, ErrorCode.TWAP_NOT_FOUND, "There is no such TWAP of yours.")


def refused(reason: Reason, message: str, details: dict[str, Any] | None = None) -> ApiError:
    """Show a business refusal of the engine's or of an account shard's."""
    status = REASON_STATUS.get(reason, 400)
    text = message or reason.name.replace("_", " ").capitalize() + "."
    return ApiError(status, ErrorCode[reason.name], text, details)


def reply_error(reply: AnyReply, command_id: str = "") -> ApiError:
    """Show a pair's reply that is not the expected one.

    Raises:
        TypeError: the reply means success, and the caller should have used it.
    """
    if isinstance(reply, RefusedReply):
        return refused(reply.reason, reply.message)
    if isinstance(reply, BusyReply):
        code = ErrorCode.RECOVERING if reply.recovering else ErrorCode.BUSY
        word = "is recovering" if reply.recovering else "is busy"
        if reply.failed:
            word = "has failed, and waits for its operator"
        message = f"The market {word}; nothing happened."
        return unavailable(code, message, reply.retry_after_ms / 1000)
    if isinstance(reply, UnknownReply):
        return unknown_outcome(command_id)
    if isinstance(reply, MalformedReply):
        raise TypeError(f"a pair could not read the gateway's command: {reply.message}")
    raise TypeError(f"unexpected reply {type(reply).__name__}")


def operating_error(error: Exception, command_id: str = "") -> ApiError | None:
    """Show an operating error of another room, or None when it is a bug."""
    if isinstance(error, UnavailableError):
        message = "A part of the exchange is restarting; nothing happened."
        return unavailable(ErrorCode.RECOVERING, message)
    if isinstance(error, JournalUnavailableError):
        return unavailable(ErrorCode.UNAVAILABLE, "The store is restarting; try again shortly.")
    if isinstance(error, UnknownOutcomeError):
        return unknown_outcome(command_id)
    if isinstance(error, CommandRefusedError):
        return refused(error.reason, error.detail)
    return None
