"""What can go wrong when you talk to Tandem.

    EventTraderError
    ├── ConnectionFailedError      nobody answered; nothing is known to have happened
    ├── RequestTimeoutError        no answer in time; a repeated call with the same key is safe
    ├── NotTandemError             something answered, but not Tandem's API
    └── APIError                   Tandem answered with an error (code, message, details)
        ├── RequestRejectedError   400: understood, but cannot be done (no funds, off tick …)
        │   └── InsufficientFundsError
        ├── AuthenticationError    401
        ├── PermissionDeniedError  403
        ├── NotFoundError          404
        ├── ConflictError          409
        │   └── OrderClosedError   the order had ended; `details` holds its final state
        ├── InvalidRequestError    413, 415, 422: the request itself is malformed
        ├── RateLimitedError       429: wait `retry_after_s`
        ├── UnavailableError       503: busy or recovering, nothing happened
        │   └── UnknownOutcomeError  503: it may have happened; ask by the id in `details`
        └── ServerError            any other 5xx

Every error takes positional arguments only, so it can be pickled.
"""

from typing import Any


class EventTraderError(Exception):
    """The root of all errors of this package."""


class ConnectionFailedError(EventTraderError):
    """The server could not be reached."""


class RequestTimeoutError(EventTraderError):
    """The server did not answer in time; the outcome of a write is unknown."""


class NotTandemError(EventTraderError):
    """Whatever answers at this URL does not speak Tandem's API."""


class APIError(EventTraderError):
    """Tandem refused the request.

    Attributes:
        status: the HTTP status.
        code: the stable error code, such as ``INSUFFICIENT_FUNDS``.
        message: one sentence for people.
        details: what the code documents, often empty.
        request_id: name it when you ask for help.
        retry_after_s: seconds to wait before another try; 0 when the server named none.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: dict[str, Any] | None = None,
        request_id: str = "",
        retry_after_s: float = 0.0,
    ) -> None:
        super().__init__(status, code, message, details, request_id, retry_after_s)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.code} (HTTP {self.status}): {self.message}"


class RequestRejectedError(APIError):
    """400: the request was understood, but it cannot be done."""


class InsufficientFundsError(RequestRejectedError):
    """The account has less available than the order needs."""


class AuthenticationError(APIError):
    """401: the key or token is missing, wrong, expired or revoked."""


class PermissionDeniedError(APIError):
    """403: the key may not do this (permission, market, or IP address)."""


class NotFoundError(APIError):
    """404: no such symbol, or no such order of yours."""


class ConflictError(APIError):
    """409: the state of things does not allow it."""


class OrderClosedError(ConflictError):
    """The order had already ended; ``details`` holds its final state."""


class InvalidRequestError(APIError):
    """413, 415 or 422: the request itself is malformed; ``details`` names the field."""


class RateLimitedError(APIError):
    """429: too many requests; wait ``retry_after_s``."""


class UnavailableError(APIError):
    """503: busy or recovering; nothing happened, and a later try may succeed."""


class UnknownOutcomeError(UnavailableError):
    """503: the request may have been applied; repeat it with the same Idempotency-Key to learn."""


class ServerError(APIError):
    """Any other 5xx: a fault of the server's."""


_BY_CODE: dict[str, type[APIError]] = {
    "INSUFFICIENT_FUNDS": InsufficientFundsError,
    "ORDER_CLOSED": OrderClosedError,
    "UNKNOWN_OUTCOME": UnknownOutcomeError,
}
_BY_STATUS: dict[int, type[APIError]] = {
    400: RequestRejectedError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitedError,
    503: UnavailableError,
}


def error_class(status: int, code: str) -> type[APIError]:
    """Name the class for an error response: by code first, then by status."""
    fallback = ServerError if status >= 500 else APIError
    return _BY_CODE.get(code) or _BY_STATUS.get(status, fallback)
