"""The exported JSON Schema: every model of every route, and the error codes."""

from event_trader.wire import schema
from event_trader.wire.failure import ErrorCode

from gateway.routes import ROUTES


def test_export_describes_every_model_that_a_route_names() -> None:
    """Nothing a client sends or receives is left out, unless a route made it for itself."""
    known = schema.schema()["$defs"]
    for route in ROUTES:
        for model in (route.body, route.body_item, route.query, route.response):
            if model is not None and model.__module__.startswith("event_trader.wire"):
                assert any(name.split("-")[0] == model.__name__ for name in known), model


def test_export_lists_every_error_code() -> None:
    """The enum is in the document, in its order."""
    assert schema.schema()["$defs"]["ErrorCode"]["enum"] == [code.value for code in ErrorCode]


def test_export_uses_only_words_of_json_schema() -> None:
    """A bound that pydantic could not place shows as its own name, and no client would heed it."""
    stray: list[str] = []

    def look(node: object, path: str) -> None:
        if isinstance(node, dict):
            stray.extend(f"{path}/{word}" for word in ("ge", "gt", "le", "lt") if word in node)
            for name, below in node.items():
                look(below, f"{path}/{name}")
        elif isinstance(node, list):
            for at, below in enumerate(node):
                look(below, f"{path}/{at}")

    look(schema.schema(), "")
    assert stray == []
