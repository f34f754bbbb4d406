"""What can go wrong when you talk to Tandem.

    EventTraderError
    ├── ConnectionFailedError      nobody answered; nothing is known to have happened
    ├── RequestTimeoutError        no answer in time; a repeated call with the same key is safe
    ├── NotTandemError             something answered, but not Tandem's API
    ├── ServerTooOldError          a Tandem, but one without what was asked for
    ├── StreamError                a stream cannot go on
    │   ├── SlowReaderError        the server closed it: it was read too slowly
    │   └── StreamCorruptError     its checksums keep failing
    └── APIError                   Tandem answered with an error (code, message, details)
        ├── RequestRejectedError   400: understood, but cannot be done (no funds, off tick …)
        ├── AuthenticationError    401
        ├── PermissionDeniedError  403
        ├── NotFoundError          404
        ├── ConflictError          409
        ├── InvalidRequestError    413, 415, 422: the request itself is malformed
        ├── RateLimitedError       429: wait `retry_after_s`
        ├── UnavailableError       503: busy or recovering, nothing happened
        │   └── UnknownOutcomeError  503: it may have happened; repeat with the same key to learn
        └── ServerError            any other 5xx

Below these stands one class per error code, such as `InsufficientFundsError`, in `codes`. Every
error takes positional arguments only, so it can be pickled.
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


class ServerTooOldError(EventTraderError):
    """The server is older than this client and lacks what was asked for."""


class StreamError(EventTraderError):
    """A stream cannot go on."""


class SlowReaderError(StreamError):
    """The server closed the stream because it was read too slowly."""


class StreamCorruptError(StreamError):
    """The stream's checksums fail again and again."""


class APIError(EventTraderError):
    """Tandem refused the request.

    Attributes:
        status: the HTTP status.
        code: the stable error code, such as ``INSUFFICIENT_FUNDS``.
        message: one sentence for people.
        details: what the code documents, often empty.
        request_id: name it when you ask for help.
        retry_after_s: seconds to wait before another try; 0 when the server named none.
        tries: how often the request was sent before this answer came.
        hint: what to do about it; empty where the message says it all.

    Example:
        >>> try:
        ...     await client.clob.place_order("vaix", "buy", "1000", price="0.003")
        ... except InsufficientFundsError as error:
        ...     print(error.message, error.request_id)
    """

    hint = ""

    def __init__(  # noqa: PLR0917 (positional, so that it pickles)
        self,
        status: int,
        code: str,
        message: str,
        details: dict[str, Any] | None = None,
        request_id: str = "",
        retry_after_s: float = 0.0,
        tries: int = 1,
    ) -> None:
        super().__init__(status, code, message, details, request_id, retry_after_s, tries)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.tries = tries

    def __str__(self) -> str:
        text = f"{self.code} (HTTP {self.status}): {self.message}"
        return f"{text.rstrip('.')}. What to do: {self.hint}." if self.hint else text


class RequestRejectedError(APIError):
    """400: the request was understood, but it cannot be done."""


class AuthenticationError(APIError):
    """401: the key or token is missing, wrong, expired or revoked."""


class PermissionDeniedError(APIError):
    """403: the key may not do this (permission, market, or IP address)."""

    hint = "use a key with the permission, see client.account.api_keys()"


class NotFoundError(APIError):
    """404: no such path, symbol, or order of yours."""


class ConflictError(APIError):
    """409: the state of things does not allow it."""


class InvalidRequestError(APIError):
    """413, 415 or 422: the request itself is malformed; the message names the field."""


class RateLimitedError(APIError):
    """429: too many requests; wait ``retry_after_s``."""

    hint = "wait retry_after_s seconds, and read streams instead of polling"


class UnavailableError(APIError):
    """503: busy or recovering; nothing happened, and a later try may succeed."""

    hint = "try again after retry_after_s"


class UnknownOutcomeError(UnavailableError):
    """503: the request may have been applied; repeat it with the same Idempotency-Key to learn."""

    hint = "repeat it with the same idempotency_key, or look at client.clob.open_orders()"


class ServerError(APIError):
    """Any other 5xx: a fault of the server's."""

    hint = "name the request id to the operator of the exchange"
