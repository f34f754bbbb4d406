"""The generated reference: every route, code and page is there, whatever is added later."""

import re
from pathlib import Path

from event_trader import codes
from event_trader.wire.failure import ErrorCode

from docs_site import errors, rest, tools
from docs_site.calls import calls
from docs_site.navigation import expand
from docs_site.schemas import fields_table, remark, type_text
from gateway.mcp.catalogue import TOOLS
from gateway.openapi import document
from gateway.routes import ROUTES

DOCUMENT = document(ROUTES, "1.2.3")
PAGES = rest.pages(DOCUMENT)
DOCS = Path(__file__).parents[3] / "docs"


def test_every_route_has_its_place_in_the_reference() -> None:
    """A heading of its own on one page, with its path, who may call it, and its answer."""
    for route in ROUTES:
        place = f"{{ #{rest.anchor(route.method, route.path)} }}"
        found = [text for text in PAGES.values() if place in text]
        assert len(found) == 1, (route.method, route.path)
        section = found[0].split(place)[1].split("\n## ")[0]
        assert f"`{route.method} {route.path}`" in section
        assert "Needs " in section
        assert "Answer 20" in section


def test_every_body_field_of_a_route_is_explained() -> None:
    """The table has each field of the request's model, and says which may be left out."""
    page = PAGES["reference/rest/orders.md"]
    section = page.split("{ #post-api-v1-exchange-symbol-orders }")[1].split("\n## ")[0]
    for name in DOCUMENT["components"]["schemas"]["PlaceOrderRequest"]["properties"]:
        assert f"| `{name}`" in section
    assert "| `side` |" in section
    assert "| `price` *(optional)* |" in section


def test_index_links_to_every_operation() -> None:
    """As many links as routes."""
    assert PAGES["reference/rest/index.md"].count("](") >= len(ROUTES)
    linked = set(re.findall(r"\(([a-z-]+\.md)#", PAGES["reference/rest/index.md"]))
    assert linked == {rest.page_of(tag["name"]) for tag in DOCUMENT["tags"]}


def test_every_code_has_its_section_with_its_class_and_what_to_do() -> None:
    """Anchor, status, class, and the hint where there is one."""
    page = errors.page()
    for code in ErrorCode:
        section = page.split(f"{{ #{code.value.lower()} }}")[1].split("\n## ")[0]
        kind = codes.BY_CODE[code.value]
        assert kind.__name__ in section
        assert kind.hint in section


def test_every_tool_has_its_section_and_a_method_of_the_client() -> None:
    """Its arguments, its answer, and the call that does the same from Python."""
    page, asked = tools.page(), calls()
    for tool in TOOLS.values():
        section = page.split(f"## `{tool.name}`")[1].split("\n## ")[0]
        for name in tool.arguments.model_fields:
            assert f"| `{name}`" in section, (tool.name, name)
        call = asked[f"{tool.route.method} {re.sub(r'{[^}]*}', '{}', tool.route.path)}"]
        assert f"[`{call}`]" in section


def test_navigation_takes_patterns_in_order_and_leaves_no_page_out() -> None:
    """A page is listed once, where the first pattern has it; the rest come last."""
    pages = ["b/x.md", "a.md", "b/index.md", "b/y.md", "new.md"]
    nav = [{"Home": "a.md"}, {"B": ["b/index.md", "b/y.md", "b/*"]}, {"Nothing": ["c/*"]}]
    assert expand(nav, pages) == [
        {"Home": "a.md"},
        {"B": ["b/index.md", "b/y.md", "b/x.md"]},
        {"More": ["new.md"]},
    ]


def test_types_are_named_as_a_reader_says_them() -> None:
    """References link, enumerations list, decimals are decimals."""
    decimal = {"type": "string", "description": "Decimal."}
    assert type_text({"anyOf": [decimal, {"type": "null"}]}, "m.md") == "decimal or null"
    assert type_text({"$ref": "#/components/schemas/Order"}, "m.md") == "[Order](m.md#order)"
    assert type_text({"type": "array", "items": decimal}, "m.md") == "list of decimal"
    assert type_text({"enum": ["buy", "sell"]}, "m.md") == "`buy`, `sell`"
    assert remark({"description": "A | b.", "minimum": 1, "default": False}) == (
        "A \\| b. At least 1. Default `false`."
    )
    bounded = {"anyOf": [{"type": "integer", "minimum": 5}, {"type": "null"}]}
    assert remark(bounded) == "At least 5."
    assert fields_table({"properties": {}}, "m.md") == ""
