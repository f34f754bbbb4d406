"""The form of a number on the wire."""

import json

import pytest
from event_trader.wire.numbers import JsonNumber, json_integer, plain_decimal
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from tests.malformed import NUMBERS


@pytest.mark.parametrize("text", NUMBERS)
def test_malformed_number_is_refused(text: str) -> None:
    """Nothing of the table passes, however it is spelled."""
    with pytest.raises((PydanticCustomError, ValueError)):
        plain_decimal(json.loads(text, parse_float=JsonNumber, parse_int=json_integer))


@given(st.integers(0, 10**38))
def test_integer_and_its_text_are_the_same_number(value: int) -> None:
    """A JSON integer stands for its digits."""
    assert plain_decimal(value) == plain_decimal(str(value)) == str(value)


@given(st.from_regex(r"[0-9]{1,9}\.[0-9]{1,30}", fullmatch=True))
def test_plain_decimal_is_returned_untouched(text: str) -> None:
    """Digits are never rounded or rewritten on the way in."""
    assert plain_decimal(text) == text
    assert plain_decimal(JsonNumber(text)) == text


@given(st.text(max_size=50))
def test_any_text_is_a_plain_decimal_or_refused(text: str) -> None:
    """What passes is ASCII digits with at most one point."""
    try:
        passed = plain_decimal(text)
    except PydanticCustomError:
        return
    assert set(passed) <= set("0123456789.")
    assert passed.count(".") <= 1
