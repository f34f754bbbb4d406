"""The client's errors: one class per published code, each telling what to do."""

import pickle

import pytest
from event_trader import codes, errors
from event_trader.wire.failure import ErrorCode

from gateway.errors import status_of

STATUS_CLASSES = {
    400: errors.RequestRejectedError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    413: errors.InvalidRequestError,
    415: errors.InvalidRequestError,
    422: errors.InvalidRequestError,
    429: errors.RateLimitedError,
    500: errors.ServerError,
    503: errors.UnavailableError,
}


def test_every_published_code_has_a_class_of_its_own() -> None:
    """The table has exactly the codes of the wire package, and no class twice."""
    assert set(codes.BY_CODE) == {code.value for code in ErrorCode}
    assert len(set(codes.BY_CODE.values())) == len(codes.BY_CODE)


@pytest.mark.parametrize("code", list(ErrorCode))
def test_class_of_a_code_lies_below_the_class_of_its_status(code: ErrorCode) -> None:
    """Whoever catches by status catches by code as well."""
    base = STATUS_CLASSES.get(status_of(code), errors.APIError)
    assert issubclass(codes.BY_CODE[code.value], base)


@pytest.mark.parametrize("code", list(ErrorCode))
def test_error_survives_pickling_with_all_it_knows(code: ErrorCode) -> None:
    """A process pool hands over class, fields and text unchanged."""
    error = codes.error_class(status_of(code), code)(
        status_of(code), code.value, "Why.", {"a": 1}, "req_7", 2.5, 3
    )
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)
    assert copy.request_id == "req_7"


def test_code_that_is_not_known_gets_the_class_of_its_status() -> None:
    """A newer server's code is still an error of the right kind."""
    assert codes.error_class(409, "BRAND_NEW") is errors.ConflictError
    assert codes.error_class(502, "BRAND_NEW") is errors.ServerError
    assert codes.error_class(418, "BRAND_NEW") is errors.APIError


def test_text_of_an_error_says_what_to_do() -> None:
    """The hint follows the server's message."""
    error = codes.PriceOffTickError(400, "PRICE_OFF_TICK", "0.00301 is no multiple of 0.0001.")
    assert str(error).endswith("What to do: round it to tick_size of client.clob.list_pairs().")
    error = codes.PriceOffTickError(400, "PRICE_OFF_TICK", "no multiple of 0.0001")
    assert "no multiple of 0.0001. What to do: " in str(error)
