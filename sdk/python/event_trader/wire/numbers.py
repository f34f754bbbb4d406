"""Numbers as the API writes them: plain decimal text, never a float.

What lives here: the form of a number (digits, at most one point, bounds on its length). What does
not: whether it fits a pair's tick or lot, which only the exchange knows.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

NUMBER_CHARS_MAX = 40
"""Longest number that is read; 10**15 ticks at 24 decimals still fits."""

DECIMALS_MAX = 30
"""Most digits after the point; no asset has more than 36 decimals, no grid here above 30."""

_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_DIGITS = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class JsonNumber:
    """A JSON number with a point or an exponent, kept as the text that was sent.

    A JSON reader makes one of these instead of a float (``parse_float=JsonNumber``), so no money
    ever passes through binary fractions.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text[:NUMBER_CHARS_MAX]


def json_integer(text: str) -> "int | JsonNumber":
    """Read a JSON integer (``parse_int=json_integer``); keeps as text what an int would hide.

    ``-0`` would lose its sign, and thousands of digits would cost quadratic time.
    """
    if text == "-0" or len(text) > NUMBER_CHARS_MAX:
        return JsonNumber(text)
    return int(text)


def plain_decimal(value: Any) -> str:
    """Check that a value is a plain, unsigned decimal, and return its text.

    Accepts text, an integer, or a `JsonNumber` without exponent. Refuses signs, exponents, NaN,
    infinities, underscores, spaces, digits other than 0-9, hexadecimal, more than
    `NUMBER_CHARS_MAX` characters or `DECIMALS_MAX` decimals.

    Raises:
        PydanticCustomError: it is not; the type is ``decimal``.
    """
    if type(value) is str:
        text = value
    elif isinstance(value, JsonNumber):
        text = value.text
    elif isinstance(value, int) and not isinstance(value, bool):
        if value.bit_length() > 4 * NUMBER_CHARS_MAX:
            raise _too_long()
        text = str(value)
    else:
        raise PydanticCustomError("decimal", 'must be a decimal string such as "1.5"')
    if len(text) > NUMBER_CHARS_MAX:
        raise _too_long()
    if _PLAIN.fullmatch(text) is None:
        raise PydanticCustomError(
            "decimal",
            'must be a plain decimal of the digits 0-9 such as "1.5", without sign or exponent',
        )
    if len(text) - text.find(".") - 1 > DECIMALS_MAX and "." in text:
        raise PydanticCustomError("decimal", f"must have at most {DECIMALS_MAX} decimals")
    return text


def _too_long() -> PydanticCustomError:
    return PydanticCustomError("decimal", f"must have at most {NUMBER_CHARS_MAX} characters")


def query_integer(value: Any) -> Any:
    """Read an integer from a query string: digits 0-9 only; anything else is left to be refused."""
    if isinstance(value, str):
        if _DIGITS.fullmatch(value) is None:
            raise PydanticCustomError("int_parsing", "must be an integer of the digits 0-9")
        return int(value)
    return value


def query_boolean(value: Any) -> Any:
    """Read a boolean from a query string: ``true``, ``false``, ``1`` or ``0``."""
    if isinstance(value, str):
        truth = {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
        if truth is None:
            raise PydanticCustomError("bool_parsing", "must be true or false")
        return truth
    return value


DECIMAL_PATTERN = r"^[0-9]{1,40}(\.[0-9]{1,30})?$"

Decimal = Annotated[
    str,
    BeforeValidator(plain_decimal),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": DECIMAL_PATTERN, "maxLength": NUMBER_CHARS_MAX},
                {"type": "number", "minimum": 0},
            ],
            "examples": ["1.5"],
        },
        mode="validation",
    ),
]
"""A number in a request: a decimal string, or a JSON number without exponent."""

DecimalOut = Annotated[
    str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["0.003100"], description="Decimal.")
]
"""A number in a response: always plain decimal text."""

FROM_QUERY = BeforeValidator(query_integer)
"""Reads an integer of a query; behind the bounds, ``Annotated[int, Field(ge=1), FROM_QUERY]``: in
front of them it would keep them from the JSON Schema."""
QueryBoolean = Annotated[bool, BeforeValidator(query_boolean)]

Timestamp = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        examples=["2026-01-02T03:04:05.678Z"],
        description="RFC 3339, UTC, milliseconds.",
    ),
]
