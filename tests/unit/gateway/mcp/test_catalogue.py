"""The tools against the contract's table: names, inputs, defaults, schemas, hints."""

import re
from pathlib import Path
from typing import Any

import pytest
from event_trader.wire import base
from event_trader.wire.failure import ErrorCode
from jsonschema import Draft202012Validator

from gateway.mcp.catalogue import TOOLS
from gateway.mcp.server import INSTRUCTIONS
from gateway.mcp.words import ADVICE, WORDS

GUIDE = Path(__file__).parents[4] / "docs" / "mcp.md"
REQUIRED = object()

CONTRACT: dict[str, dict[str, Any]] = {
    "et_clob_list_pairs": {},
    "et_clob_markets": {},
    "et_clob_orderbook": {"symbol": REQUIRED, "depth": 30},
    "et_clob_book": {"symbol": REQUIRED, "depth": 30},
    "et_clob_bbo": {"symbol": REQUIRED},
    "et_clob_stats": {"symbol": REQUIRED},
    "et_clob_venues": {"symbol": REQUIRED},
    "et_clob_balance": {"symbol": REQUIRED},
    "et_clob_active_twaps": {"symbol": REQUIRED},
    "et_clob_recent_trades": {"symbol": REQUIRED, "limit": 50},
    "et_clob_my_trades": {"symbol": REQUIRED, "limit": 50},
    "et_clob_chart": {"symbol": REQUIRED, "interval": "1h", "limit": 100},
    "et_clob_place_order": {
        "symbol": REQUIRED, "side": REQUIRED, "quantity": REQUIRED, "price": "0",
        "order_type": "limit", "mode": "live", "paper": None, "stop_price": None,
        "stp_mode": "cancel_resting", "time_in_force_ms": None, "expire_at": None,
        "display_qty": None, "route_mode": "auto", "position_id": None, "client_order_id": None,
    },
    "et_clob_cancel_order": {"symbol": REQUIRED, "order_id": REQUIRED, "mode": None},
    "et_clob_open_orders": {"symbol": REQUIRED, "mode": None},
    "et_clob_withdraw": {"symbol": REQUIRED, "amount": REQUIRED, "destination": REQUIRED},
    "et_clob_place_twap": {
        "symbol": REQUIRED, "side": REQUIRED, "quantity": REQUIRED, "duration_minutes": 60,
        "num_slices": 10, "price_limit": "0", "mode": "live",
    },
    "et_clob_cancel_twap": {"symbol": REQUIRED, "twap_id": REQUIRED},
    "et_clob_place_scale": {
        "symbol": REQUIRED, "side": REQUIRED, "quantity": REQUIRED, "price_low": REQUIRED,
        "price_high": REQUIRED, "num_orders": 10, "distribution": "linear", "mode": "live",
    },
    "et_clob_cancel_all_orders": {"symbol": None, "pair": None},
}  # fmt: skip
"""The twenty tools as the contract has them: each input with its default."""

FURTHER = {
    "et_clob_ticker", "et_clob_time", "et_clob_order_status", "et_clob_order_history",
    "et_clob_batch_place_orders", "et_clob_batch_cancel_orders", "et_clob_amend_order",
    "et_clob_preflight", "et_clob_kill_switch", "et_clob_dead_mans_switch",
}  # fmt: skip


def test_catalogue_has_the_contract_s_tools_and_no_other() -> None:
    """A name that is missing or misspelled breaks every agent that knows it."""
    assert len(CONTRACT) == 20
    assert set(TOOLS) == set(CONTRACT) | FURTHER


@pytest.mark.parametrize("name", CONTRACT)
def test_tool_takes_the_contract_s_inputs_with_their_defaults(name: str) -> None:
    """Exactly these inputs, required exactly where the contract has a star."""
    schema = TOOLS[name].described.input_schema
    required = set(schema.get("required", ()))
    found = {
        field: REQUIRED if field in required else shown.get("default")
        for field, shown in schema["properties"].items()
    }
    assert found == CONTRACT[name]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", TOOLS)
def test_schemas_are_json_schema_of_objects(name: str) -> None:
    """Both schemas are valid under the dialect the protocol names, and describe objects."""
    described = TOOLS[name].described
    assert described.output_schema is not None
    for schema in (described.input_schema, described.output_schema):
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert not {"ge", "le"} & _words(schema), "a bound that JSON Schema does not know"


def _words(schema: object) -> set[str]:
    if isinstance(schema, dict):
        return set(schema).union(*(_words(part) for part in schema.values()))
    if isinstance(schema, list):
        return set().union(*(_words(part) for part in schema))
    return set()


@pytest.mark.parametrize("name", TOOLS)
def test_hints_are_what_the_route_does(name: str) -> None:
    """Read-only is what a GET is; only orders and withdrawals leave the exchange's own world."""
    tool = TOOLS[name]
    hints = tool.described.annotations
    assert hints is not None
    assert hints.read_only_hint == (tool.route.method == "GET")
    assert hints.destructive_hint == (tool.route.method != "GET")
    assert hints.open_world_hint == ("place" in name or name.endswith(("withdraw", "amend_order")))
    assert hints.idempotent_hint == (tool.route.method in {"GET", "DELETE", "PATCH"})


@pytest.mark.parametrize("name", TOOLS)
def test_description_tells_a_model_what_the_tool_is_for(name: str) -> None:
    """A title and at least a sentence."""
    described = TOOLS[name].described
    assert described.title
    assert described.description is not None
    assert described.description.endswith(".")


@pytest.mark.parametrize("name", TOOLS)
def test_every_input_says_what_to_put_there(name: str) -> None:
    """A model has nothing but these words; a field without any is filled in by guessing."""
    properties = TOOLS[name].described.input_schema["properties"]
    silent = [field for field, shown in properties.items() if not shown.get("description")]
    assert silent == []


def test_items_of_a_batch_say_what_to_put_there() -> None:
    """They are the same fields as those of one order, and mean the same."""
    one = TOOLS["et_clob_place_order"].described.input_schema["properties"]
    batch = TOOLS["et_clob_batch_place_orders"].described.input_schema["properties"]["orders"]
    items = batch["items"]["properties"]
    assert {name: shown["description"] for name, shown in items.items()} == {
        name: shown["description"] for name, shown in one.items() if name in items
    }


def test_words_and_advice_name_tools_and_codes_that_there_are() -> None:
    """A model that is sent to a tool of another name is lost."""
    texts = [INSTRUCTIONS, *WORDS.values(), *ADVICE.values()]
    texts += [tool.description for tool in TOOLS.values()]
    assert set(re.findall(r"et_\w+", " ".join(texts))) <= set(TOOLS)
    assert set(ADVICE) <= {*ErrorCode, "UNREACHABLE"}


def test_guide_names_every_tool_and_no_other() -> None:
    """A tool that nobody can read about is not found by people."""
    named = set(re.findall(r"et_\w+", GUIDE.read_text("utf-8")))
    assert named == set(TOOLS)


def test_answers_are_the_wire_s_own_models() -> None:
    """No output schema is written twice."""
    for tool in TOOLS.values():
        assert tool.route.response is not None
        assert issubclass(tool.route.response, base.ResponseModel)
