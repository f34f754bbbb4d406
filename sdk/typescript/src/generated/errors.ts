// Made by generate.py; change the Python sources and run it again.
import { APIError, EventTraderError } from "../base_errors.js";

/** The server could not be reached. */
export class ConnectionFailedError extends EventTraderError {}

/** The server did not answer in time; the outcome of a write is unknown. */
export class RequestTimeoutError extends EventTraderError {}

/** Whatever answers at this URL does not speak Tandem's API. */
export class NotTandemError extends EventTraderError {}

/** The server is older than this client and lacks what was asked for. */
export class ServerTooOldError extends EventTraderError {}

/** A stream cannot go on. */
export class StreamError extends EventTraderError {}

/** The server closed the stream because it was read too slowly. */
export class SlowReaderError extends StreamError {}

/** The stream's checksums fail again and again. */
export class StreamCorruptError extends StreamError {}

/** 400: the request was understood, but it cannot be done. */
export class RequestRejectedError extends APIError {}

/** 401: the key or token is missing, wrong, expired or revoked. */
export class AuthenticationError extends APIError {}

/** 403: the key may not do this (permission, market, or IP address). */
export class PermissionDeniedError extends APIError {
  static override readonly hint: string =
    "use a key with the permission, see client.account.apiKeys()";
}

/** 404: no such path, symbol, or order of yours. */
export class NotFoundError extends APIError {}

/** 409: the state of things does not allow it. */
export class ConflictError extends APIError {}

/** 413, 415 or 422: the request itself is malformed; the message names the field. */
export class InvalidRequestError extends APIError {}

/** 429: too many requests; wait `retryAfterS`. */
export class RateLimitedError extends APIError {
  static override readonly hint: string =
    "wait retryAfterS seconds, and read streams instead of polling";
}

/** 503: busy or recovering; nothing happened, and a later try may succeed. */
export class UnavailableError extends APIError {
  static override readonly hint: string =
    "try again after retryAfterS";
}

/** 503: the request may have been applied; repeat it with the same Idempotency-Key to learn. */
export class UnknownOutcomeError extends UnavailableError {
  static override readonly hint: string =
    "repeat it with the same idempotencyKey, or look at client.clob.openOrders()";
}

/** Any other 5xx: a fault of the server's. */
export class ServerError extends APIError {
  static override readonly hint: string =
    "name the request id to the operator of the exchange";
}

/** The request could not be read. */
export class BadRequestError extends RequestRejectedError {
  static override readonly hint: string =
    "check the path and the body against the API reference";
}

/** A field is missing, unknown or of the wrong form. */
export class ValidationErrorError extends InvalidRequestError {
  static override readonly hint: string =
    "correct the field that the message names";
}

/** The body is not JSON. */
export class InvalidJsonError extends InvalidRequestError {
  static override readonly hint: string =
    "send a JSON body";
}

/** A key appears twice in the body. */
export class DuplicateKeyError extends InvalidRequestError {
  static override readonly hint: string =
    "send every key once";
}

/** The body is nested too deeply. */
export class TooDeepError extends InvalidRequestError {
  static override readonly hint: string =
    "send a flatter body";
}

/** The body is larger than the server reads. */
export class BodyTooLargeError extends InvalidRequestError {
  static override readonly hint: string =
    "send smaller batches";
}

/** The body is not declared as JSON. */
export class UnsupportedMediaTypeError extends InvalidRequestError {
  static override readonly hint: string =
    "send Content-Type: application/json";
}

/** The path does not take that method. */
export class MethodNotAllowedError extends APIError {
  static override readonly hint: string =
    "check the method against the API reference";
}

/** The request carries no credential. */
export class UnauthenticatedError extends AuthenticationError {
  static override readonly hint: string =
    "give apiKey, or log in with EventTrader.fromCredentials";
}

/** The name or the password is wrong. */
export class InvalidCredentialsError extends AuthenticationError {
  static override readonly hint: string =
    "check email and password";
}

/** The access token has expired. */
export class TokenExpiredError extends AuthenticationError {
  static override readonly hint: string =
    "log in again with EventTrader.fromCredentials";
}

/** The token is not one of this exchange's. */
export class TokenInvalidError extends AuthenticationError {
  static override readonly hint: string =
    "log in again, and check that baseUrl is the exchange that issued the token";
}

/** The refresh token was used before, so its session has ended. */
export class RefreshReusedError extends AuthenticationError {
  static override readonly hint: string =
    "log in again, and share one client instead of copying its tokens";
}

/** The API key is unknown, revoked or expired. */
export class KeyInvalidError extends AuthenticationError {
  static override readonly hint: string =
    "check the key (evt_ and 64 hex digits), and that baseUrl is the exchange it is from";
}

/** The key may not be used from this address. */
export class IpNotAllowedError extends PermissionDeniedError {
  static override readonly hint: string =
    "add the address to the key's ipWhitelist";
}

/** The key may not trade this pair. */
export class MarketNotAllowedError extends PermissionDeniedError {
  static override readonly hint: string =
    "add the pair to the key's allowedMarkets";
}

/** An API key may not do this. */
export class JwtRequiredError extends PermissionDeniedError {
  static override readonly hint: string =
    "log in with EventTrader.fromCredentials for this call";
}

/** An account with this email exists. */
export class EmailTakenError extends ConflictError {
  static override readonly hint: string =
    "log in instead, or use another email";
}

/** An account with this username exists. */
export class UsernameTakenError extends ConflictError {
  static override readonly hint: string =
    "choose another username";
}

/** There is no such API key of yours. */
export class KeyNotFoundError extends NotFoundError {
  static override readonly hint: string =
    "list the keys with client.account.apiKeys()";
}

/** The account has all the API keys it may have. */
export class TooManyKeysError extends ConflictError {
  static override readonly hint: string =
    "delete one that is not used";
}

/** There is no such sub-account of yours. */
export class SubAccountNotFoundError extends NotFoundError {
  static override readonly hint: string =
    "list them with client.account.subAccounts()";
}

/** The account has all the sub-accounts it may have. */
export class TooManySubAccountsError extends ConflictError {
  static override readonly hint: string =
    "use one of those there are";
}

/** There is no such asset. */
export class UnknownAssetError extends RequestRejectedError {
  static override readonly hint: string =
    "use an asset of client.account.balances()";
}

/** The amount is zero, too fine or too large. */
export class InvalidAmountError extends RequestRejectedError {
  static override readonly hint: string =
    "send a positive amount with no more decimals than the asset has";
}

/** The Idempotency-Key was used before with another body. */
export class IdempotencyMismatchError extends ConflictError {
  static override readonly hint: string =
    "use one key per intent";
}

/** The market is busy; nothing happened. */
export class BusyError extends UnavailableError {
  static override readonly hint: string =
    "try again after retryAfterS";
}

/** The market is recovering; nothing happened. */
export class RecoveringError extends UnavailableError {
  static override readonly hint: string =
    "try again after retryAfterS";
}

/** The exchange made a mistake. */
export class InternalError extends ServerError {
  static override readonly hint: string =
    "name the request id to its operator";
}

/** There is no such pair. */
export class UnknownSymbolError extends NotFoundError {
  static override readonly hint: string =
    "list the pairs with client.clob.listPairs()";
}

/** The price is not a multiple of the pair's tick. */
export class PriceOffTickError extends RequestRejectedError {
  static override readonly hint: string =
    "round it to tick_size of client.clob.listPairs()";
}

/** The quantity is not a multiple of the pair's lot. */
export class QuantityOffLotError extends RequestRejectedError {
  static override readonly hint: string =
    "round it to lot_size of client.clob.listPairs()";
}

/** The pair takes no new orders now. */
export class MarketHaltedError extends RequestRejectedError {
  static override readonly hint: string =
    "wait until its status is trading again; cancelling still works";
}

/** The quantity cannot be used. */
export class InvalidQuantityError extends RequestRejectedError {
  static override readonly hint: string =
    "send a positive quantity";
}

/** The quantity is below the pair's minimum. */
export class QuantityTooSmallError extends RequestRejectedError {
  static override readonly hint: string =
    "send at least min_order_size of client.clob.listPairs()";
}

/** The quantity is larger than the pair can hold. */
export class QuantityTooLargeError extends RequestRejectedError {
  static override readonly hint: string =
    "split the order";
}

/** The price cannot be used. */
export class InvalidPriceError extends RequestRejectedError {
  static override readonly hint: string =
    "send a positive price within the pair's range";
}

/** This order type needs a price. */
export class PriceRequiredError extends RequestRejectedError {
  static override readonly hint: string =
    "send price";
}

/** A stop order needs a trigger. */
export class StopPriceRequiredError extends RequestRejectedError {
  static override readonly hint: string =
    "send stopPrice";
}

/** The stop price cannot be used. */
export class InvalidStopPriceError extends RequestRejectedError {
  static override readonly hint: string =
    "send a positive multiple of tick_size";
}

/** The visible tranche cannot be used. */
export class InvalidDisplayQtyError extends RequestRejectedError {
  static override readonly hint: string =
    "send a multiple of lot_size, not above quantity";
}

/** The expiry cannot be used. */
export class InvalidExpiryError extends RequestRejectedError {
  static override readonly hint: string =
    "send a time in the future (expireAt is in epoch microseconds)";
}

/** The price range cannot be used. */
export class InvalidPriceRangeError extends RequestRejectedError {
  static override readonly hint: string =
    "send priceLow below priceHigh, at least numOrders ticks apart";
}

/** The quantity cannot be split into that many parts. */
export class InvalidSlicesError extends RequestRejectedError {
  static override readonly hint: string =
    "use fewer slices or orders, or a larger quantity";
}

/** The pair does not trade live. */
export class LiveNotEnabledError extends ConflictError {
  static override readonly hint: string =
    "use mode: \"paper\"";
}

/** Fields of the order contradict each other. */
export class InvalidCombinationError extends RequestRejectedError {
  static override readonly hint: string =
    "leave out the field that the message names";
}

/** There is no such order of yours. */
export class OrderNotFoundError extends NotFoundError {
  static override readonly hint: string =
    "check the order id and the account; see client.clob.orderHistory()";
}

/** The order had already ended; `details` holds its final state. */
export class OrderClosedError extends ConflictError {
  static override readonly hint: string =
    "read details[\"order\"] for how it ended";
}

/** There is no such TWAP of yours. */
export class TwapNotFoundError extends NotFoundError {
  static override readonly hint: string =
    "list the running ones with client.clob.activeTwaps()";
}

/** The TWAP had already ended. */
export class TwapClosedError extends ConflictError {
  static override readonly hint: string =
    "nothing remains to be cancelled";
}

/** The amendment changes nothing. */
export class NothingToAmendError extends RequestRejectedError {
  static override readonly hint: string =
    "send a new price or quantity";
}

/** This order cannot be amended so. */
export class NotAmendableError extends ConflictError {
  static override readonly hint: string =
    "cancel it and place a new one";
}

/** The account has all the open orders it may have on this pair. */
export class TooManyOpenOrdersError extends RequestRejectedError {
  static override readonly hint: string =
    "cancel some first";
}

/** The account has less available than the order needs. */
export class InsufficientFundsError extends RequestRejectedError {
  static override readonly hint: string =
    "see client.clob.balance(); open orders hold funds too";
}

/** The post-only order would have taken. */
export class WouldTakeError extends RequestRejectedError {
  static override readonly hint: string =
    "place it further from the other side";
}

/** The fill-or-kill order cannot be filled whole. */
export class WouldNotFillError extends RequestRejectedError {
  static override readonly hint: string =
    "send a smaller quantity or a better price, or use ioc";
}

/** The stop would trigger at once. */
export class StopWouldTriggerError extends RequestRejectedError {
  static override readonly hint: string =
    "place it on the far side of the last price";
}

/** The pair has no price yet to measure from. */
export class NoReferencePriceError extends RequestRejectedError {
  static override readonly hint: string =
    "use a limit order";
}

/** The dead man's switch is not armed, or has gone off. */
export class DeadMansSwitchInactiveError extends ConflictError {
  static override readonly hint: string =
    "arm it with client.clob.activateDms()";
}

/** Paper funds cannot be withdrawn. */
export class PaperNotWithdrawableError extends ConflictError {
  static override readonly hint: string =
    "switch simulationMode off and use live funds";
}

/** Open orders stand in the way. */
export class OpenOrdersRemainError extends ConflictError {
  static override readonly hint: string =
    "cancel them first";
}

/** The path is a WebSocket channel. */
export class UpgradeRequiredError extends APIError {
  static override readonly hint: string =
    "use client.stream";
}

/** This address has all the connections it may have on this channel. */
export class TooManyConnectionsError extends RateLimitedError {
  static override readonly hint: string =
    "close one, or read several streams from one connection";
}

/** The class of every code. */
export const BY_CODE: Readonly<Record<string, typeof APIError>> = {
  BAD_REQUEST: BadRequestError,
  VALIDATION_ERROR: ValidationErrorError,
  INVALID_JSON: InvalidJsonError,
  DUPLICATE_KEY: DuplicateKeyError,
  TOO_DEEP: TooDeepError,
  BODY_TOO_LARGE: BodyTooLargeError,
  UNSUPPORTED_MEDIA_TYPE: UnsupportedMediaTypeError,
  NOT_FOUND: NotFoundError,
  METHOD_NOT_ALLOWED: MethodNotAllowedError,
  UNAUTHENTICATED: UnauthenticatedError,
  INVALID_CREDENTIALS: InvalidCredentialsError,
  TOKEN_EXPIRED: TokenExpiredError,
  TOKEN_INVALID: TokenInvalidError,
  REFRESH_REUSED: RefreshReusedError,
  KEY_INVALID: KeyInvalidError,
  PERMISSION_DENIED: PermissionDeniedError,
  IP_NOT_ALLOWED: IpNotAllowedError,
  MARKET_NOT_ALLOWED: MarketNotAllowedError,
  JWT_REQUIRED: JwtRequiredError,
  EMAIL_TAKEN: EmailTakenError,
  USERNAME_TAKEN: UsernameTakenError,
  KEY_NOT_FOUND: KeyNotFoundError,
  TOO_MANY_KEYS: TooManyKeysError,
  SUB_ACCOUNT_NOT_FOUND: SubAccountNotFoundError,
  TOO_MANY_SUB_ACCOUNTS: TooManySubAccountsError,
  UNKNOWN_ASSET: UnknownAssetError,
  INVALID_AMOUNT: InvalidAmountError,
  RATE_LIMITED: RateLimitedError,
  IDEMPOTENCY_MISMATCH: IdempotencyMismatchError,
  BUSY: BusyError,
  RECOVERING: RecoveringError,
  UNAVAILABLE: UnavailableError,
  UNKNOWN_OUTCOME: UnknownOutcomeError,
  INTERNAL: InternalError,
  UNKNOWN_SYMBOL: UnknownSymbolError,
  PRICE_OFF_TICK: PriceOffTickError,
  QUANTITY_OFF_LOT: QuantityOffLotError,
  MARKET_HALTED: MarketHaltedError,
  INVALID_QUANTITY: InvalidQuantityError,
  QUANTITY_TOO_SMALL: QuantityTooSmallError,
  QUANTITY_TOO_LARGE: QuantityTooLargeError,
  INVALID_PRICE: InvalidPriceError,
  PRICE_REQUIRED: PriceRequiredError,
  STOP_PRICE_REQUIRED: StopPriceRequiredError,
  INVALID_STOP_PRICE: InvalidStopPriceError,
  INVALID_DISPLAY_QTY: InvalidDisplayQtyError,
  INVALID_EXPIRY: InvalidExpiryError,
  INVALID_PRICE_RANGE: InvalidPriceRangeError,
  INVALID_SLICES: InvalidSlicesError,
  LIVE_NOT_ENABLED: LiveNotEnabledError,
  INVALID_COMBINATION: InvalidCombinationError,
  ORDER_NOT_FOUND: OrderNotFoundError,
  ORDER_CLOSED: OrderClosedError,
  TWAP_NOT_FOUND: TwapNotFoundError,
  TWAP_CLOSED: TwapClosedError,
  NOTHING_TO_AMEND: NothingToAmendError,
  NOT_AMENDABLE: NotAmendableError,
  TOO_MANY_OPEN_ORDERS: TooManyOpenOrdersError,
  INSUFFICIENT_FUNDS: InsufficientFundsError,
  WOULD_TAKE: WouldTakeError,
  WOULD_NOT_FILL: WouldNotFillError,
  STOP_WOULD_TRIGGER: StopWouldTriggerError,
  NO_REFERENCE_PRICE: NoReferencePriceError,
  DEAD_MANS_SWITCH_INACTIVE: DeadMansSwitchInactiveError,
  PAPER_NOT_WITHDRAWABLE: PaperNotWithdrawableError,
  OPEN_ORDERS_REMAIN: OpenOrdersRemainError,
  UPGRADE_REQUIRED: UpgradeRequiredError,
  TOO_MANY_CONNECTIONS: TooManyConnectionsError,
};

/** The class of a code that this client does not know. */
export const BY_STATUS: Readonly<Record<number, typeof APIError>> = {
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
};
