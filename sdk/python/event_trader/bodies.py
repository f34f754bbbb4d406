"""How values are written into requests, and taken out of answers."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

from event_trader.errors import NotTandemError

PREFIX = "/api/v1/exchange"

Json = dict[str, Any]
Number = str | int | Decimal
"""A quantity or price: a decimal string is best; floats are refused, they cannot hold 0.1."""


def decimal_text(name: str, value: Any) -> str:
    """Show a number as the API writes it.

    Raises:
        TypeError: it is a float or something else that cannot hold a decimal exactly.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise TypeError(
            f"{name} must be a decimal string, an int or a Decimal, was {type(value).__name__}"
        )
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def plain(fields: Json) -> Json:
    """Show the Decimals of an order's fields as the API writes them.

    Raises:
        TypeError: one is a float.
    """
    return {
        name: decimal_text(name, value) if isinstance(value, (float, Decimal)) else value
        for name, value in fields.items()
    }


def pair_name(symbol: str) -> str:
    """Give a pair's name as a path has it: ``vaix``, ``VAIX`` and ``VAIX/USDC`` all name one."""
    if not symbol:
        raise ValueError('symbol must not be empty; give a base symbol such as "vaix"')
    return quote(symbol.replace("/", "-"), safe="")


def pair_path(symbol: str) -> str:
    """Give the path under which a pair's routes are."""
    return f"{PREFIX}/{pair_name(symbol)}"


def id_path(identifier: str) -> str:
    """Give an id as a path has it."""
    if not identifier:
        raise ValueError("the id must not be empty")
    return quote(identifier, safe="")


def member(body: Any, name: str) -> Any:
    """Take a field of an answer.

    Raises:
        NotTandemError: it is not there, so this is not Tandem's answer.
    """
    if not isinstance(body, dict) or name not in body:
        raise NotTandemError(f"the answer has no {name!r}: this is not Tandem; check base_url")
    return body[name]


def present(**fields: Any) -> Json:
    """Leave out the fields that are None."""
    return {name: value for name, value in fields.items() if value is not None}
