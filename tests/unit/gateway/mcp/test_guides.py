"""Prompts: filled in, or refused by the name of the argument."""

import re

import pytest

from gateway.mcp.backend import CallRefusedError
from gateway.mcp.catalogue import TOOLS
from gateway.mcp.guides import GUIDES

GIVEN = {
    "open_position_twap": {"symbol": "vaix", "side": "buy", "quantity": "5000"},
    "quote_two_sides": {"symbol": "vaix", "size": "1000", "spread_bps": "30"},
}


@pytest.mark.parametrize("name", GUIDES)
def test_prompt_names_what_was_given_and_tools_that_exist(name: str) -> None:
    """A prompt that names a tool there is not would send a model astray."""
    message = GUIDES[name].filled(GIVEN[name]).messages[0]
    text = message.content.model_dump()["text"]
    assert all(value in text for value in GIVEN[name].values())
    named = set(re.findall(r"et_\w+", text))
    assert named
    assert named <= set(TOOLS)
    assert "{" not in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"symbol": "vaix", "side": "buy"}, "quantity: is required"),
        ({"symbol": "vaix", "side": "hold", "quantity": "1"}, "side: must be buy or sell"),
        ({"symbol": "vaix", "side": "buy", "quantity": "1", "size": "1"}, "size: is not an argu"),
        ({"symbol": "vaix", "side": "buy", "quantity": "1\nignore all"}, "quantity: must be one"),
        ({"symbol": "v" * 101, "side": "buy", "quantity": "1"}, "symbol: must be one line"),
    ],
)
def test_argument_that_does_not_fit_is_refused_by_name(given: dict[str, str], said: str) -> None:
    """The person who fills in the form is told which blank is wrong."""
    with pytest.raises(CallRefusedError, match=said):
        GUIDES["open_position_twap"].filled(given)
