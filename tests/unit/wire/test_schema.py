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
