"""Query strings: read once, the same ever after, and never mistaken for one another."""

import pytest
from aiohttp.test_utils import make_mocked_request
from event_trader.wire.market import DepthQuery

from gateway.body import QueryReader
from gateway.errors import ApiError


def test_same_string_gives_the_same_parameters() -> None:
    """One frozen model serves all requests that ask alike; an unknown name is ignored on reads."""
    reader = QueryReader(DepthQuery, closed=False)
    first = reader.read(make_mocked_request("GET", "/book?depth=30&mode=paper"))
    assert reader.read(make_mocked_request("GET", "/book?depth=30&mode=paper")) is first
    assert (first.depth, first.mode) == (30, "paper")
    assert reader.read(make_mocked_request("GET", "/book?depth=30&extra=1")).depth == 30
    assert reader.read(make_mocked_request("GET", "/book")).depth == DepthQuery().depth


def test_more_strings_than_are_kept_are_all_read_right() -> None:
    """A thousand of them, twice round."""
    reader = QueryReader(DepthQuery, closed=False)
    for number in (*range(1_000), *range(1_000)):
        read = reader.read(make_mocked_request("GET", f"/book?depth={1 + number % 500}&n={number}"))
        assert read.depth == 1 + number % 500


@pytest.mark.parametrize("query", ["depth=x", "depth=1&depth=1", "depth=0"])
def test_what_cannot_be_read_is_refused_every_time(query: str) -> None:
    """The refusal names the parameter, the second time as well."""
    reader = QueryReader(DepthQuery, closed=False)
    for _ in range(2):
        with pytest.raises(ApiError, match="depth"):
            reader.read(make_mocked_request("GET", f"/book?{query}"))


def test_unknown_parameter_of_a_change_is_refused() -> None:
    """A request that changes something must not carry what nobody reads."""
    reader = QueryReader(DepthQuery, closed=True)
    with pytest.raises(ApiError, match="extra"):
        reader.read(make_mocked_request("POST", "/orders?extra=1"))
