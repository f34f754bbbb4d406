"""One error class for each code that the API can answer with, and the table from code to class.

The table is checked against the published codes by a test. A code that this version of the client
does not know gets the class of its HTTP status. How the classes hang together: `errors`.
"""

from event_trader.errors import (
    APIError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RequestRejectedError,
    ServerError,
    UnavailableError,
    UnknownOutcomeError,
)


class BadRequestError(RequestRejectedError):
    """The request could not be read."""

    hint = "check the path and the body against the API reference"


class ValidationErrorError(InvalidRequestError):
    """A field is missing, unknown or of the wrong form."""

    hint = "correct the field that the message names"


class InvalidJsonError(InvalidRequestError):
    """The body is not JSON."""

    hint = "send a JSON body"


class DuplicateKeyError(InvalidRequestError):
    """A key appears twice in the body."""

    hint = "send every key once"


class TooDeepError(InvalidRequestError):
    """The body is nested too deeply."""

    hint = "send a flatter body"


class BodyTooLargeError(InvalidRequestError):
    """The body is larger than the server reads."""

    hint = "send smaller batches"


class UnsupportedMediaTypeError(InvalidRequestError):
    """The body is not declared as JSON."""

    hint = "send Content-Type: application/json"


class MethodNotAllowedError(APIError):
    """The path does not take that method."""

    hint = "check the method against the API reference"


class UnauthenticatedError(AuthenticationError):
    """The request carries no credential."""

    hint = "give api_key=, or log in with EventTrader.from_credentials"


class InvalidCredentialsError(AuthenticationError):
    """The name or the password is wrong."""

    hint = "check email and password"


class TokenExpiredError(AuthenticationError):
    """The access token has expired."""

    hint = "log in again with EventTrader.from_credentials"


class TokenInvalidError(AuthenticationError):
    """The token is not one of this exchange's."""

    hint = "log in again, and check that base_url is the exchange that issued the token"


class RefreshReusedError(AuthenticationError):
    """The refresh token was used before, so its session has ended."""

    hint = "log in again, and share one client instead of copying its tokens"


class KeyInvalidError(AuthenticationError):
    """The API key is unknown, revoked or expired."""

    hint = "check the key (evt_ and 64 hex digits), and that base_url is the exchange it is from"


class IpNotAllowedError(PermissionDeniedError):
    """The key may not be used from this address."""

    hint = "add the address to the key's ip_whitelist"


class MarketNotAllowedError(PermissionDeniedError):
    """The key may not trade this pair."""

    hint = "add the pair to the key's allowed_markets"


class JwtRequiredError(PermissionDeniedError):
    """An API key may not do this."""

    hint = "log in with EventTrader.from_credentials for this call"


class EmailTakenError(ConflictError):
    """An account with this email exists."""

    hint = "log in instead, or use another email"


class UsernameTakenError(ConflictError):
    """An account with this username exists."""

    hint = "choose another username"


class KeyNotFoundError(NotFoundError):
    """There is no such API key of yours."""

    hint = "list the keys with client.account.api_keys()"


class TooManyKeysError(ConflictError):
    """The account has all the API keys it may have."""

    hint = "delete one that is not used"


class SubAccountNotFoundError(NotFoundError):
    """There is no such sub-account of yours."""

    hint = "list them with client.account.sub_accounts()"


class TooManySubAccountsError(ConflictError):
    """The account has all the sub-accounts it may have."""

    hint = "use one of those there are"


class UnknownAssetError(RequestRejectedError):
    """There is no such asset."""

    hint = "use an asset of client.account.balances()"


class InvalidAmountError(RequestRejectedError):
    """The amount is zero, too fine or too large."""

    hint = "send a positive amount with no more decimals than the asset has"


class IdempotencyMismatchError(ConflictError):
    """The Idempotency-Key was used before with another body."""

    hint = "use one key per intent"


class BusyError(UnavailableError):
    """The market is busy; nothing happened."""

    hint = "try again after retry_after_s"


class RecoveringError(UnavailableError):
    """The market is recovering; nothing happened."""

    hint = "try again after retry_after_s"


class InternalError(ServerError):
    """The exchange made a mistake."""

    hint = "name the request id to its operator"


class UnknownSymbolError(NotFoundError):
    """There is no such pair."""

    hint = "list the pairs with client.clob.list_pairs()"


class PriceOffTickError(RequestRejectedError):
    """The price is not a multiple of the pair's tick."""

    hint = "round it to tick_size of client.clob.list_pairs()"


class QuantityOffLotError(RequestRejectedError):
    """The quantity is not a multiple of the pair's lot."""

    hint = "round it to lot_size of client.clob.list_pairs()"


class MarketHaltedError(RequestRejectedError):
    """The pair takes no new orders now."""

    hint = "wait until its status is trading again; cancelling still works"


class InvalidQuantityError(RequestRejectedError):
    """The quantity cannot be used."""

    hint = "send a positive quantity"


class QuantityTooSmallError(RequestRejectedError):
    """The quantity is below the pair's minimum."""

    hint = "send at least min_order_size of client.clob.list_pairs()"


class QuantityTooLargeError(RequestRejectedError):
    """The quantity is larger than the pair can hold."""

    hint = "split the order"


class InvalidPriceError(RequestRejectedError):
    """The price cannot be used."""

    hint = "send a positive price within the pair's range"


class PriceRequiredError(RequestRejectedError):
    """This order type needs a price."""

    hint = "send price="


class StopPriceRequiredError(RequestRejectedError):
    """A stop order needs a trigger."""

    hint = "send stop_price="


class InvalidStopPriceError(RequestRejectedError):
    """The stop price cannot be used."""

    hint = "send a positive multiple of tick_size"


class InvalidDisplayQtyError(RequestRejectedError):
    """The visible tranche cannot be used."""

    hint = "send a multiple of lot_size, not above quantity"


class InvalidExpiryError(RequestRejectedError):
    """The expiry cannot be used."""

    hint = "send a time in the future (expire_at is in epoch microseconds)"


class InvalidPriceRangeError(RequestRejectedError):
    """The price range cannot be used."""

    hint = "send price_low below price_high, at least num_orders ticks apart"


class InvalidSlicesError(RequestRejectedError):
    """The quantity cannot be split into that many parts."""

    hint = "use fewer slices or orders, or a larger quantity"


class LiveNotEnabledError(ConflictError):
    """The pair does not trade live."""

    hint = 'use mode="paper"'


class InvalidCombinationError(RequestRejectedError):
    """Fields of the order contradict each other."""

    hint = "leave out the field that the message names"


class OrderNotFoundError(NotFoundError):
    """There is no such order of yours."""

    hint = "check the order id and the account; see client.clob.order_history()"


class OrderClosedError(ConflictError):
    """The order had already ended; ``details`` holds its final state."""

    hint = 'read details["order"] for how it ended'


class TwapNotFoundError(NotFoundError):
    """There is no such TWAP of yours."""

    hint = "list the running ones with client.clob.active_twaps()"


class TwapClosedError(ConflictError):
    """The TWAP had already ended."""

    hint = "nothing remains to be cancelled"


class NothingToAmendError(RequestRejectedError):
    """The amendment changes nothing."""

    hint = "send a new price or quantity"


class NotAmendableError(ConflictError):
    """This order cannot be amended so."""

    hint = "cancel it and place a new one"


class TooManyOpenOrdersError(RequestRejectedError):
    """The account has all the open orders it may have on this pair."""

    hint = "cancel some first"


class InsufficientFundsError(RequestRejectedError):
    """The account has less available than the order needs."""

    hint = "see client.clob.balance(); open orders hold funds too"


class WouldTakeError(RequestRejectedError):
    """The post-only order would have taken."""

    hint = "place it further from the other side"


class WouldNotFillError(RequestRejectedError):
    """The fill-or-kill order cannot be filled whole."""

    hint = "send a smaller quantity or a better price, or use ioc"


class StopWouldTriggerError(RequestRejectedError):
    """The stop would trigger at once."""

    hint = "place it on the far side of the last price"


class NoReferencePriceError(RequestRejectedError):
    """The pair has no price yet to measure from."""

    hint = "use a limit order"


class DeadMansSwitchInactiveError(ConflictError):
    """The dead man's switch is not armed, or has gone off."""

    hint = "arm it with client.clob.activate_dms()"


class PaperNotWithdrawableError(ConflictError):
    """Paper funds cannot be withdrawn."""

    hint = "switch simulation_mode off and use live funds"


class OpenOrdersRemainError(ConflictError):
    """Open orders stand in the way."""

    hint = "cancel them first"


class UpgradeRequiredError(APIError):
    """The path is a WebSocket channel."""

    hint = "use client.stream"


class TooManyConnectionsError(RateLimitedError):
    """This address has all the connections it may have on this channel."""

    hint = "close one, or read several streams from one connection"


BY_CODE: dict[str, type[APIError]] = {
    "BAD_REQUEST": BadRequestError,
    "VALIDATION_ERROR": ValidationErrorError,
    "INVALID_JSON": InvalidJsonError,
    "DUPLICATE_KEY": DuplicateKeyError,
    "TOO_DEEP": TooDeepError,
    "BODY_TOO_LARGE": BodyTooLargeError,
    "UNSUPPORTED_MEDIA_TYPE": UnsupportedMediaTypeError,
    "NOT_FOUND": NotFoundError,
    "METHOD_NOT_ALLOWED": MethodNotAllowedError,
    "UNAUTHENTICATED": UnauthenticatedError,
    "INVALID_CREDENTIALS": InvalidCredentialsError,
    "TOKEN_EXPIRED": TokenExpiredError,
    "TOKEN_INVALID": TokenInvalidError,
    "REFRESH_REUSED": RefreshReusedError,
    "KEY_INVALID": KeyInvalidError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "IP_NOT_ALLOWED": IpNotAllowedError,
    "MARKET_NOT_ALLOWED": MarketNotAllowedError,
    "JWT_REQUIRED": JwtRequiredError,
    "EMAIL_TAKEN": EmailTakenError,
    "USERNAME_TAKEN": UsernameTakenError,
    "KEY_NOT_FOUND": KeyNotFoundError,
    "TOO_MANY_KEYS": TooManyKeysError,
    "SUB_ACCOUNT_NOT_FOUND": SubAccountNotFoundError,
    "TOO_MANY_SUB_ACCOUNTS": TooManySubAccountsError,
    "UNKNOWN_ASSET": UnknownAssetError,
    "INVALID_AMOUNT": InvalidAmountError,
    "RATE_LIMITED": RateLimitedError,
    "IDEMPOTENCY_MISMATCH": IdempotencyMismatchError,
    "BUSY": BusyError,
    "RECOVERING": RecoveringError,
    "UNAVAILABLE": UnavailableError,
    "UNKNOWN_OUTCOME": UnknownOutcomeError,
    "INTERNAL": InternalError,
    "UNKNOWN_SYMBOL": UnknownSymbolError,
    "PRICE_OFF_TICK": PriceOffTickError,
    "QUANTITY_OFF_LOT": QuantityOffLotError,
    "MARKET_HALTED": MarketHaltedError,
    "INVALID_QUANTITY": InvalidQuantityError,
    "QUANTITY_TOO_SMALL": QuantityTooSmallError,
    "QUANTITY_TOO_LARGE": QuantityTooLargeError,
    "INVALID_PRICE": InvalidPriceError,
    "PRICE_REQUIRED": PriceRequiredError,
    "STOP_PRICE_REQUIRED": StopPriceRequiredError,
    "INVALID_STOP_PRICE": InvalidStopPriceError,
    "INVALID_DISPLAY_QTY": InvalidDisplayQtyError,
    "INVALID_EXPIRY": InvalidExpiryError,
    "INVALID_PRICE_RANGE": InvalidPriceRangeError,
    "INVALID_SLICES": InvalidSlicesError,
    "LIVE_NOT_ENABLED": LiveNotEnabledError,
    "INVALID_COMBINATION": InvalidCombinationError,
    "ORDER_NOT_FOUND": OrderNotFoundError,
    "ORDER_CLOSED": OrderClosedError,
    "TWAP_NOT_FOUND": TwapNotFoundError,
    "TWAP_CLOSED": TwapClosedError,
    "NOTHING_TO_AMEND": NothingToAmendError,
    "NOT_AMENDABLE": NotAmendableError,
    "TOO_MANY_OPEN_ORDERS": TooManyOpenOrdersError,
    "INSUFFICIENT_FUNDS": InsufficientFundsError,
    "WOULD_TAKE": WouldTakeError,
    "WOULD_NOT_FILL": WouldNotFillError,
    "STOP_WOULD_TRIGGER": StopWouldTriggerError,
    "NO_REFERENCE_PRICE": NoReferencePriceError,
    "DEAD_MANS_SWITCH_INACTIVE": DeadMansSwitchInactiveError,
    "PAPER_NOT_WITHDRAWABLE": PaperNotWithdrawableError,
    "OPEN_ORDERS_REMAIN": OpenOrdersRemainError,
    "UPGRADE_REQUIRED": UpgradeRequiredError,
    "TOO_MANY_CONNECTIONS": TooManyConnectionsError,
}
"""The class of every code. Codes are append-only, and so is this table."""

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
    return BY_CODE.get(code) or _BY_STATUS.get(status, fallback)
