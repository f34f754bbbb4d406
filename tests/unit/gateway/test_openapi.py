"""The OpenAPI document is valid, complete, and names everything once."""

import re

import msgspec
from event_trader.wire.failure import ErrorCode

from gateway.body_examples import BODY_EXAMPLES
from gateway.openapi import document
from gateway.routes import ROUTES

DOCUMENT = document(ROUTES, "1.2.3")


def test_document_lists_every_route_once() -> None:
    """Every declared route is an operation with an id of its own."""
    operations = [op for path in DOCUMENT["paths"].values() for op in path.values()]
    assert len(operations) == len(ROUTES)
    assert len({op["operationId"] for op in operations}) == len(ROUTES)


def test_document_has_the_contracts_operations() -> None:
    """The 25 endpoints, and those listed with them, are there."""
    prefix = "/api/v1/exchange"
    wanted = [
        ("get", "/pairs"), ("get", "/markets"), ("get", "/{symbol}/stats"),
        ("get", "/{symbol}/chart"), ("get", "/{symbol}/venues"), ("get", "/{symbol}/book/hybrid"),
        ("get", "/{symbol}/book"), ("get", "/{symbol}/bbo"), ("get", "/{symbol}/trades"),
        ("post", "/{symbol}/orders"), ("delete", "/{symbol}/orders/{order_id}"),
        ("post", "/{symbol}/twap"), ("delete", "/{symbol}/twap/{twap_id}"),
        ("get", "/{symbol}/twap"), ("post", "/{symbol}/scale"), ("get", "/{symbol}/ticker"),
        ("get", "/time"), ("get", "/{symbol}/orders/{order_id}"),
        ("get", "/{symbol}/orders/history"), ("post", "/{symbol}/orders/batch"),
        ("delete", "/{symbol}/orders/batch"), ("get", "/{symbol}/orders/open"),
        ("get", "/{symbol}/trades/mine"), ("get", "/{symbol}/balance"),
        ("post", "/{symbol}/withdraw"), ("get", "/{symbol}/orders"),
        ("delete", "/{symbol}/orders"), ("delete", "/orders/all"),
        ("patch", "/{symbol}/orders/{order_id}"), ("patch", "/{symbol}/orders/batch"),
        ("post", "/dead-mans-switch"), ("post", "/dead-mans-switch/heartbeat"),
        ("delete", "/dead-mans-switch"), ("get", "/fee-schedule"), ("get", "/my-fees"),
        ("get", "/metrics"), ("get", "/sub-accounts"), ("post", "/sub-accounts"),
        ("post", "/sub-accounts/transfer"),
    ]  # fmt: skip
    for method, path in wanted:
        assert method in DOCUMENT["paths"][prefix + path], (method, path)


def test_references_all_lead_somewhere() -> None:
    """Every $ref names a schema of the document."""
    text = msgspec.json.encode(DOCUMENT).decode()
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert names <= DOCUMENT["components"]["schemas"].keys()
    codes = DOCUMENT["components"]["schemas"]["ErrorCode"]["enum"]
    assert codes == [code.value for code in ErrorCode]


def test_example_of_a_body_is_one_that_its_route_takes() -> None:
    """Each is read by its model as a request is, and none is for a model that is not there."""
    bodies = {route.body.__name__: route for route in ROUTES if route.body is not None}
    assert set(BODY_EXAMPLES) <= set(bodies)
    for name, example in BODY_EXAMPLES.items():
        route = bodies[name]
        assert route.body is not None
        checked = route.body.model_validate_json(msgspec.json.encode(example))
        if route.body_item is not None:
            for item in getattr(checked, route.body_list):
                route.body_item.model_validate_json(msgspec.json.encode(item))


def test_fixed_paths_come_before_the_patterns_that_would_swallow_them() -> None:
    """``/orders/history`` is registered before ``/orders/{order_id}``."""
    order = [(route.method, route.path) for route in ROUTES]
    base = "/api/v1/exchange/{symbol}/orders"
    for method, name in (("GET", "history"), ("GET", "open"), ("DELETE", "batch"),
                         ("PATCH", "batch")):  # fmt: skip
        assert order.index((method, f"{base}/{name}")) < order.index(
            (method, f"{base}/{{order_id}}")
        )


def test_state_changing_posts_all_take_an_idempotency_key() -> None:
    """The contract promises it for every POST that changes state: here that is all of them."""
    assert [route.path for route in ROUTES if route.method == "POST" and not route.idempotent] == []
