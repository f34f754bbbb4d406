"""The Python client of the Tandem exchange.

from event_trader import EventTrader

async with EventTrader(api_key="evt_...") as client:
await client.clob.place_order("vaix", "buy", "1000", price="0.003")
"""

from event_trader.client import EventTrader
from event_trader.errors import (
    APIError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    EventTraderError,
    InsufficientFundsError,
    InvalidRequestError,
    NotFoundError,
    NotTandemError,
    OrderClosedError,
    PermissionDeniedError,
    RateLimitedError,
    RequestRejectedError,
    RequestTimeoutError,
    ServerError,
    UnavailableError,
    UnknownOutcomeError,
)

__all__ = [
    "APIError",
    "AuthenticationError",
    "ConflictError",
    "ConnectionFailedError",
    "EventTrader",
    "EventTraderError",
    "InsufficientFundsError",
    "InvalidRequestError",
    "NotFoundError",
    "NotTandemError",
    "OrderClosedError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestRejectedError",
    "RequestTimeoutError",
    "ServerError",
    "UnavailableError",
    "UnknownOutcomeError",
]
