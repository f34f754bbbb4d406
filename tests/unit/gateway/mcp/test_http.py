"""Which pages of a browser may reach MCP."""

import pytest

from gateway.errors import ApiError
from gateway.mcp.http import check_origin

NAMED = frozenset({"https://desk.example.com"})


@pytest.mark.parametrize(
    "origin",
    [None, "http://localhost", "http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:1",
     "https://desk.example.com"],
)  # fmt: skip
def test_origin_of_this_machine_or_by_name_is_let_in(origin: str | None) -> None:
    """Programs send no origin; tools on this machine and named pages send one that is known."""
    check_origin(origin, NAMED)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example.com", "null", "", "*", "https://desk.example.com.evil.com",
     "http://localhost.evil.com", "http://evil.com/localhost", "http://[::1", "file://"],
)  # fmt: skip
def test_other_origin_is_refused(origin: str) -> None:
    """A page whose name was pointed at this machine shows its own origin."""
    with pytest.raises(ApiError) as caught:
        check_origin(origin, NAMED)
    assert caught.value.status == 403
