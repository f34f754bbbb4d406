"""Errors as the API writes them: the codes, and the body that carries one."""

import sys
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

if sys.version_info >= (3, 11):  # noqa: UP036 (the client's package runs on 3.10 too)
    from enum import StrEnum  # novermin (the other branch has it too)
else:
    from enum import Enum

    class StrEnum(str, Enum):  # noqa: UP042 (the SDK runs on Python 3.10)
        """What 3.11 has built in: members that print as their values."""

        __str__ = str.__str__


class ErrorCode(StrEnum):
    """Every code an error can have. Append-only: a code never changes its meaning."""

    # The request itself.
    BAD_REQUEST = "BAD_REQUEST"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    INVALID_JSON = "INVALID_JSON"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    TOO_DEEP = "TOO_DEEP"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    # Who asks.
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 (a code, not a secret)
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 (a code, not a secret)
    REFRESH_REUSED = "REFRESH_REUSED"
    KEY_INVALID = "KEY_INVALID"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    IP_NOT_ALLOWED = "IP_NOT_ALLOWED"
    MARKET_NOT_ALLOWED = "MARKET_NOT_ALLOWED"
    JWT_REQUIRED = "JWT_REQUIRED"
    # Accounts and keys.
    EMAIL_TAKEN = "EMAIL_TAKEN"
    USERNAME_TAKEN = "USERNAME_TAKEN"
    KEY_NOT_FOUND = "KEY_NOT_FOUND"
    TOO_MANY_KEYS = "TOO_MANY_KEYS"
    SUB_ACCOUNT_NOT_FOUND = "SUB_ACCOUNT_NOT_FOUND"
    TOO_MANY_SUB_ACCOUNTS = "TOO_MANY_SUB_ACCOUNTS"
    UNKNOWN_ASSET = "UNKNOWN_ASSET"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    # Limits and state of the exchange.
    RATE_LIMITED = "RATE_LIMITED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    BUSY = "BUSY"
    RECOVERING = "RECOVERING"
    UNAVAILABLE = "UNAVAILABLE"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"
    INTERNAL = "INTERNAL"
    # The symbol, the number and the grid.
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    QUANTITY_OFF_LOT = "QUANTITY_OFF_LOT"
    # Refusals of the matching engine.
    MARKET_HALTED = "MARKET_HALTED"
    INVALID_QUANTITY = "INVALID_QUANTITY"
    QUANTITY_TOO_SMALL = "QUANTITY_TOO_SMALL"
    QUANTITY_TOO_LARGE = "QUANTITY_TOO_LARGE"
    INVALID_PRICE = "INVALID_PRICE"
    PRICE_REQUIRED = "PRICE_REQUIRED"
    STOP_PRICE_REQUIRED = "STOP_PRICE_REQUIRED"
    INVALID_STOP_PRICE = "INVALID_STOP_PRICE"
    INVALID_DISPLAY_QTY = "INVALID_DISPLAY_QTY"
    INVALID_EXPIRY = "INVALID_EXPIRY"
    INVALID_PRICE_RANGE = "INVALID_PRICE_RANGE"
    INVALID_SLICES = "INVALID_SLICES"
    LIVE_NOT_ENABLED = "LIVE_NOT_ENABLED"
    INVALID_COMBINATION = "INVALID_COMBINATION"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    ORDER_CLOSED = "ORDER_CLOSED"
    TWAP_NOT_FOUND = "TWAP_NOT_FOUND"
    TWAP_CLOSED = "TWAP_CLOSED"
    NOTHING_TO_AMEND = "NOTHING_TO_AMEND"
    NOT_AMENDABLE = "NOT_AMENDABLE"
    TOO_MANY_OPEN_ORDERS = "TOO_MANY_OPEN_ORDERS"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    WOULD_TAKE = "WOULD_TAKE"
    WOULD_NOT_FILL = "WOULD_NOT_FILL"
    STOP_WOULD_TRIGGER = "STOP_WOULD_TRIGGER"
    NO_REFERENCE_PRICE = "NO_REFERENCE_PRICE"
    # What a switch or a withdrawal can meet.
    DEAD_MANS_SWITCH_INACTIVE = "DEAD_MANS_SWITCH_INACTIVE"
    PAPER_NOT_WITHDRAWABLE = "PAPER_NOT_WITHDRAWABLE"
    OPEN_ORDERS_REMAIN = "OPEN_ORDERS_REMAIN"
    # WebSocket channels.
    UPGRADE_REQUIRED = "UPGRADE_REQUIRED"
    TOO_MANY_CONNECTIONS = "TOO_MANY_CONNECTIONS"


class FieldProblem(BaseModel):
    """One fault of a request: where, what, and of which kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    loc: list[str | int] = Field(examples=[["body", "quantity"]])
    msg: str
    type: str


class ErrorInfo(BaseModel):
    """The error itself; ``details`` is what the code documents, often empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: ErrorCode
    message: str
    details: dict[str, Any]


class ErrorResponse(BaseModel):
    """Every error, in both forms that clients read: ``detail`` and ``error``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    detail: str | list[FieldProblem]
    error: ErrorInfo
    request_id: str
