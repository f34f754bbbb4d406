"""Reading a request's body and query, strictly, into wire models.

JSON is RFC 8259 and no more: UTF-8, no duplicate keys, no NaN, no comments, at most `DEPTH_MAX`
levels. A number with a point or exponent stays text (`wire.numbers.JsonNumber`). What the values
mean is the codec's.
"""

import asyncio
import json
import re
from typing import Any, Final, Generic, NoReturn, TypeVar

from aiohttp import web
from event_trader.wire.failure import ErrorCode
from event_trader.wire.numbers import JsonNumber, json_integer
from pydantic import BaseModel, ValidationError

from gateway.errors import ApiError, invalid

DEPTH_MAX = 32
"""Deepest nesting of a body; the contract's own bodies need three."""

_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)

_QUERIES_KEPT: Final = 256
_QUERY_KEPT_CHARS: Final = 200
Model = TypeVar("Model", bound=BaseModel)


_FORMS: Final = {
    "email": "must be an email address such as ada@example.com",
    "username": "must have 3 to 50 characters of A-Z a-z 0-9 _ . -",
    "client_order_id": "must have 1 to 64 characters of A-Z a-z 0-9 _ . : -",
    "destination": "must be an address of 1 to 128 characters of A-Z a-z 0-9 : _ -",
    "symbol": "must be a pair such as vaix or VAIX/USDC",
    "order_id": "must be an id such as ord_vaix_p_17",
    "twap_id": "must be an id such as twap_vaix_p_17",
}
"""What people are told instead of a field's regular expression."""


class _DuplicateKeyError(ValueError):
    """An object names a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=JsonNumber,
    parse_int=json_integer,
    parse_constant=_constant,
)


def parse_json(raw: bytes) -> Any:  # noqa: ANN401 (any JSON)
    """Decode one JSON text.

    Raises:
        ApiError: 422 with INVALID_JSON, DUPLICATE_KEY or TOO_DEEP.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad_json("is not UTF-8") from None
    if text.count("[") + text.count("{") > DEPTH_MAX and _depth(text) > DEPTH_MAX:
        raise ApiError(
            422,
            ErrorCode.TOO_DEEP,
            f"The body is nested deeper than {DEPTH_MAX} levels.",
            problems=[{"loc": ["body"], "msg": "nested too deep", "type": "too_deep"}],
        )
    try:
        return _DECODER.decode(text)
    except _DuplicateKeyError as error:
        key = str(error)[:100]
        raise ApiError(
            422,
            ErrorCode.DUPLICATE_KEY,
            f"The body names {key!r} twice.",
            {"field": key},
            [{"loc": ["body", key], "msg": "named twice", "type": "duplicate_key"}],
        ) from None
    except (ValueError, RecursionError) as error:
        raise _bad_json(str(error)[:100] or "could not be read") from None


def _bad_json(why: str) -> ApiError:
    problem = {"loc": ["body"], "msg": why, "type": "json_invalid"}
    return ApiError(
        422, ErrorCode.INVALID_JSON, f"The body is not valid JSON: {why}.", None, [problem]
    )


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _STRUCTURE.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


async def read_body(request: web.Request, bytes_max: int, timeout_s: float) -> bytes:
    """Read the raw body within its bounds.

    Raises:
        ApiError: 415 for another content type or a compressed body, 413 for too much, 400 for one
            that is not whole in time.
    """
    headers = request.headers
    if headers.get("Content-Encoding", "identity").lower() not in {"identity", ""}:
        raise _media_type("A body must not be compressed.")
    if request.content_type != "application/json":
        raise _media_type("The Content-Type must be application/json.")
    charset = request.charset
    if charset is not None and charset.lower() not in {"utf-8", "utf8"}:
        raise _media_type("The charset must be utf-8.")
    if (request.content_length or 0) > bytes_max:
        raise _too_large(bytes_max)
    try:
        if request.content.is_eof():  # nothing to wait for, as nearly always
            return await request.read()
        async with asyncio.timeout(timeout_s):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(bytes_max) from None
    except TimeoutError:
        # An unreadable chunk ends here too: aiohttp's parser stops at it and tells nobody.
        message = f"The body was not whole after {timeout_s:g} s."
        closing = {"Connection": "close"}
        raise ApiError(400, ErrorCode.BAD_REQUEST, message, headers=closing) from None


def _media_type(message: str) -> ApiError:
    return ApiError(415, ErrorCode.UNSUPPORTED_MEDIA_TYPE, message)


def _too_large(bytes_max: int) -> ApiError:
    return ApiError(
        413,
        ErrorCode.BODY_TOO_LARGE,
        f"The body is larger than {bytes_max} bytes.",
        {"bytes_max": bytes_max},
        headers={"Connection": "close"},
    )


def validate(model: type[Model], value: object, where: tuple[str | int, ...] = ("body",)) -> Model:
    """Check a decoded value against its model.

    Raises:
        ApiError: 422 with one problem per fault, each naming its field.
    """
    if not isinstance(value, dict):
        raise invalid(where, "must be a JSON object", "model_type")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise validation_error(error, where) from None


def validation_error(error: ValidationError, where: tuple[str | int, ...]) -> ApiError:
    """Show pydantic's findings in the contract's form; never the input itself."""
    problems = []
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        loc = [*where, *(_part(part) for part in found["loc"])]
        if not found["loc"] and found["type"] in {"price_low", "price_high", "destination"}:
            loc.append(found["type"])
        told = found["msg"]
        if found["type"] == "string_pattern_mismatch":
            told = _FORMS.get(str(loc[-1]), told)
        problems.append({"loc": loc, "msg": told, "type": found["type"]})
    first = problems[0]
    name = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    message = f"{name}: {first['msg']}"
    fields = [".".join(str(p) for p in problem["loc"][1:]) for problem in problems]
    return ApiError(
        422, ErrorCode.VALIDATION_ERROR, message, {"fields": [f for f in fields if f]}, problems
    )


def _part(part: str | int) -> str | int:
    return part[:100] if isinstance(part, str) else part


class QueryReader(Generic[Model]):
    """Reads a route's query strings into its model; remembers what the same few of them meant.

    Args:
        model: the parameters; an instance is frozen, so that many requests can share one.
        closed: a parameter the route does not know is refused (the request changes state) rather
            than ignored (it only reads).
    """

    def __init__(self, model: type[Model], *, closed: bool) -> None:
        self._model = model
        self._closed = closed
        self._known: dict[str, Model] = {}

    def read(self, request: web.Request) -> Model:
        """Read the query string. A parameter that is named twice is refused.

        Raises:
            ApiError: 422 naming the parameter.
        """
        text = request.rel_url.raw_query_string
        found = self._known.get(text)
        if found is not None:
            return found
        read = self._parse(request)
        if len(text) <= _QUERY_KEPT_CHARS:
            if len(self._known) >= _QUERIES_KEPT:
                self._known.clear()
            self._known[text] = read
        return read

    def _parse(self, request: web.Request) -> Model:
        fields = self._model.model_fields
        values: dict[str, str] = {}
        for name, value in request.rel_url.query.items():
            if name not in fields and not self._closed:
                continue
            if name in values:
                raise invalid(("query", name[:100]), "is given twice", "duplicate_key")
            values[name] = value
        try:
            return self._model.model_validate(values)
        except ValidationError as error:
            raise validation_error(error, ("query",)) from None
