"""Every input of every tool, with values of every wrong kind: refused clearly, nothing changed."""

import json
import random
from typing import Any, Final

import pytest
from event_trader.wire.failure import ErrorCode

from gateway.mcp.catalogue import TOOLS
from tests.gateways import Gateway

ORDER: Final = {"side": "buy", "quantity": "0.5", "price": "1"}
"""An order that is well formed, and refused for its lot whatever else is right about it."""
VALID: Final[dict[str, Any]] = {
    "symbol": "vaix", "order_id": "ord_vaix_p_1", "twap_id": "twap_vaix_p_1", **ORDER,
    "price_low": "1", "price_high": "2", "orders": [ORDER], "order_ids": ["ord_vaix_p_1"],
    "amount": "1", "destination": "0xabc",
}  # fmt: skip
"""A value for each input that is required somewhere."""
WRONG: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 10**30, 1e300, float("1e-7"), "", " ", "0", "-1", "1e5", "NaN",
    "٣", "null", "../..", "%2e%2e", "a/../b", "x" * 5_000, "\u0000", "\u202e", "'; --", "<b>", [],
    [[]], [None], {}, {"a": 1}, [{"side": "buy"}] * 3, ["x"] * 60,
)  # fmt: skip
CODES: Final = {code.value for code in ErrorCode} - {"INTERNAL"}
SAMPLE: Final = 400
"""How many of all the cases run in CI; their order is by a seed that is printed."""


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Make each case: a tool and its arguments, one of which is wrong, unknown or missing."""
    made = []
    for name, tool in TOOLS.items():
        properties = tool.described.input_schema["properties"]
        required = tool.described.input_schema.get("required", [])
        valid = {field: VALID[field] for field in required}
        made += [(name, valid | {field: value}) for field in properties for value in WRONG]
        made += [(name, {k: v for k, v in valid.items() if k != field}) for field in required]
        made += [(name, valid | {field: "1"}) for field in ("", "Symbol", "symbol ", "__proto__")]
    return made


async def refuse_all(gateway: Gateway, asked: list[tuple[str, dict[str, Any]]]) -> int:
    """Make the calls; gives how many were refused. Placing calls all have to be."""
    token = (await gateway.register())["access_token"]
    refused = 0
    for name, arguments in asked:
        message = {
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": name, "arguments": arguments},
        }  # fmt: skip
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        status, answer = await gateway.call(
            "POST", "/mcp", token=token, data=json.dumps(message), headers=headers
        )
        assert status == 200, (name, arguments, answer)
        assert "error" not in answer, (name, arguments, answer)
        result = answer["result"]
        if result["isError"]:
            refused += 1
            code, _, words = result["content"][0]["text"].partition(": ")
            assert code in CODES, (name, arguments, result)
            assert words, (name, arguments, result)
        elif "place" in name:
            # Only a batch succeeds as a whole, and tells of each order that it was refused.
            assert result["structuredContent"]["successful"] == 0, (name, arguments, result)
            refused += 1
    _, found = await gateway.call("GET", "/api/v1/exchange/vaix/orders", token=token)
    assert found["orders"] == []
    _, balance = await gateway.call("GET", "/api/v1/exchange/vaix/balance", token=token)
    assert (balance["quote"]["total"], balance["quote"]["locked"]) == ("100000", "0")
    return refused


async def test_wrong_inputs_are_refused_and_change_nothing(gateway: Gateway) -> None:
    """A sample of all cases, another one each time."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    asked = random.Random(seed).sample(cases(), SAMPLE)
    assert await refuse_all(gateway, asked) > SAMPLE // 2


@pytest.mark.slow
async def test_every_wrong_input_is_refused_and_changes_nothing(gateway: Gateway) -> None:
    """All of them."""
    asked = cases()
    refused = await refuse_all(gateway, asked)
    print(f"{len(asked)} bad inputs over MCP, {refused} refused")
    assert refused > len(asked) // 2
