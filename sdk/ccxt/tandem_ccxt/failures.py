"""Which ccxt exception each of Tandem's error codes is."""

from ccxt.base import errors as ccxt

BY_CODE: dict[str, type[ccxt.BaseError]] = {
    # The request itself.
    "BAD_REQUEST": ccxt.BadRequest,
    "VALIDATION_ERROR": ccxt.BadRequest,
    "INVALID_JSON": ccxt.BadRequest,
    "DUPLICATE_KEY": ccxt.BadRequest,
    "TOO_DEEP": ccxt.BadRequest,
    "BODY_TOO_LARGE": ccxt.BadRequest,
    "UNSUPPORTED_MEDIA_TYPE": ccxt.BadRequest,
    "NOT_FOUND": ccxt.NotSupported,
    "METHOD_NOT_ALLOWED": ccxt.NotSupported,
    # Who asks.
    "UNAUTHENTICATED": ccxt.AuthenticationError,
    "INVALID_CREDENTIALS": ccxt.AuthenticationError,
    "TOKEN_EXPIRED": ccxt.AuthenticationError,
    "TOKEN_INVALID": ccxt.AuthenticationError,
    "REFRESH_REUSED": ccxt.AuthenticationError,
    "KEY_INVALID": ccxt.AuthenticationError,
    "PERMISSION_DENIED": ccxt.PermissionDenied,
    "IP_NOT_ALLOWED": ccxt.PermissionDenied,
    "MARKET_NOT_ALLOWED": ccxt.PermissionDenied,
    "JWT_REQUIRED": ccxt.PermissionDenied,
    # Accounts and keys.
    "EMAIL_TAKEN": ccxt.BadRequest,
    "USERNAME_TAKEN": ccxt.BadRequest,
    "KEY_NOT_FOUND": ccxt.BadRequest,
    "TOO_MANY_KEYS": ccxt.OperationRejected,
    "SUB_ACCOUNT_NOT_FOUND": ccxt.BadRequest,
    "TOO_MANY_SUB_ACCOUNTS": ccxt.OperationRejected,
    "UNKNOWN_ASSET": ccxt.BadSymbol,
    "INVALID_AMOUNT": ccxt.BadRequest,
    # Limits and the state of the exchange.
    "RATE_LIMITED": ccxt.RateLimitExceeded,
    "IDEMPOTENCY_MISMATCH": ccxt.DuplicateOrderId,
    "BUSY": ccxt.ExchangeNotAvailable,
    "RECOVERING": ccxt.OnMaintenance,
    "UNAVAILABLE": ccxt.ExchangeNotAvailable,
    # It may have happened: ccxt calls that a request whose answer did not come.
    "UNKNOWN_OUTCOME": ccxt.RequestTimeout,
    "INTERNAL": ccxt.ExchangeError,
    # The symbol, the number and the grid.
    "UNKNOWN_SYMBOL": ccxt.BadSymbol,
    "PRICE_OFF_TICK": ccxt.InvalidOrder,
    "QUANTITY_OFF_LOT": ccxt.InvalidOrder,
    # Refusals of the matching engine.
    "MARKET_HALTED": ccxt.MarketClosed,
    "INVALID_QUANTITY": ccxt.InvalidOrder,
    "QUANTITY_TOO_SMALL": ccxt.InvalidOrder,
    "QUANTITY_TOO_LARGE": ccxt.InvalidOrder,
    "INVALID_PRICE": ccxt.InvalidOrder,
    "PRICE_REQUIRED": ccxt.InvalidOrder,
    "STOP_PRICE_REQUIRED": ccxt.InvalidOrder,
    "INVALID_STOP_PRICE": ccxt.InvalidOrder,
    "INVALID_DISPLAY_QTY": ccxt.InvalidOrder,
    "INVALID_EXPIRY": ccxt.InvalidOrder,
    "INVALID_PRICE_RANGE": ccxt.InvalidOrder,
    "INVALID_SLICES": ccxt.InvalidOrder,
    "LIVE_NOT_ENABLED": ccxt.PermissionDenied,
    "INVALID_COMBINATION": ccxt.InvalidOrder,
    "ORDER_NOT_FOUND": ccxt.OrderNotFound,
    # ccxt's name for "there is no such order to cancel any more".
    "ORDER_CLOSED": ccxt.OrderNotFound,
    "TWAP_NOT_FOUND": ccxt.OrderNotFound,
    "TWAP_CLOSED": ccxt.OrderNotFound,
    "NOTHING_TO_AMEND": ccxt.InvalidOrder,
    "NOT_AMENDABLE": ccxt.InvalidOrder,
    "TOO_MANY_OPEN_ORDERS": ccxt.OperationRejected,
    "INSUFFICIENT_FUNDS": ccxt.InsufficientFunds,
    "WOULD_TAKE": ccxt.OrderImmediatelyFillable,
    "WOULD_NOT_FILL": ccxt.OrderNotFillable,
    "STOP_WOULD_TRIGGER": ccxt.OrderImmediatelyFillable,
    "NO_REFERENCE_PRICE": ccxt.InvalidOrder,
    # What a switch or a withdrawal can meet.
    "DEAD_MANS_SWITCH_INACTIVE": ccxt.OperationRejected,
    "PAPER_NOT_WITHDRAWABLE": ccxt.OperationRejected,
    "OPEN_ORDERS_REMAIN": ccxt.OperationRejected,
    # WebSocket channels.
    "UPGRADE_REQUIRED": ccxt.BadRequest,
    "TOO_MANY_CONNECTIONS": ccxt.RateLimitExceeded,
}
"""Codes are append-only, and so is this table; one it does not know goes by its HTTP status."""

BY_STATUS: dict[int, type[ccxt.BaseError]] = {
    400: ccxt.OperationRejected,
    401: ccxt.AuthenticationError,
    403: ccxt.PermissionDenied,
    404: ccxt.BadRequest,
    405: ccxt.NotSupported,
    409: ccxt.OperationRejected,
    413: ccxt.BadRequest,
    415: ccxt.BadRequest,
    422: ccxt.BadRequest,
    429: ccxt.RateLimitExceeded,
    503: ccxt.ExchangeNotAvailable,
}


def error_class(status: int, code: str) -> type[ccxt.BaseError]:
    """Name the exception for a refusal: by code first, then by HTTP status."""
    return BY_CODE.get(code) or BY_STATUS.get(status, ccxt.ExchangeError)
