"""The OpenAPI 3.1 document, made from the routes and the wire models: it cannot say anything else.

Which errors a route can answer follows from what it declares: who may call it, whether it is
limited, has a body, names a pair, and its own codes.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from event_trader.wire.failure import ErrorCode, ErrorResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.body_examples import BODY_EXAMPLES
from gateway.endpoint import Access, LimitKind, Route
from gateway.errors import status_of
from gateway.services import Services

_REF: Final = "#/components/schemas/{model}"
_PATH_PARAMETER: Final = re.compile(r"{(\w+)}")
_PATH_PARAMETERS: Final = {
    "symbol": ("The pair: vaix, VAIX, VAIX/USDC (slash encoded) or vaix-usdc.", "vaix"),
    "order_id": ("The order's id.", "ord_vaix_p_17"),
    "twap_id": ("The TWAP's id.", "twap_vaix_p_3"),
    "key_id": ("The API key's id.", "key_3f9a0c51d2e84b76"),
}
_STATUS_WORDS: Final = {
    400: "Understood, but it cannot be done.",
    401: "The token or key is missing, wrong, expired or revoked.",
    403: "The key may not do this.",
    404: "No such thing, or not yours.",
    409: "The state of things does not allow it.",
    413: "The body is too large.",
    415: "The body is not plain JSON.",
    422: "The request is malformed; `detail` lists every fault with its field.",
    429: "Too many requests.",
    503: "Busy or recovering; come back after Retry-After.",
}
_INTEGER_HEADER: Final = {"schema": {"type": "integer"}}
_INTRODUCTION: Final = """\
Prices, sizes and amounts are decimal strings in both directions. In requests a JSON number is
taken too, if it is written without exponent. At most 40 characters and 30 decimals; no sign.

Output shows prices with the places of the pair's tick and sizes with those of its lot; amounts
show the digits they need.

A simulation account (every new one) reads and writes paper only, whatever `mode` says.

Unknown body fields are refused by name everywhere; unknown query parameters where the request
changes something, and ignored where it only reads.

Every error has `detail`, `error` and `request_id`; `error.code` is one of `ErrorCode`.
"""


def document_bytes(routes: Sequence[Route], services: Services) -> bytes:
    """Encode the document, once per gateway."""
    key = (id(routes), services.settings.version)
    found = _MADE.get(key)
    if found is None:
        made = document(routes, services.settings.version)
        found = _MADE[key] = msgspec.json.encode(made)
    return found


_MADE: dict[tuple[int, str], bytes] = {}


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Make the document."""
    names, definitions = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, names)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    tags = sorted({route.tag for route in routes})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem exchange",
            "version": version,
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A JWT access token, or an evt_ API key.",
                },
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


Names = dict[type[BaseModel], dict[str, Any]]
"""The schema (a reference) of each model a route names."""


def _schemas(routes: Iterable[Route]) -> tuple[Names, dict[str, Any]]:
    """Make the schemas of all models: bodies as they are read, responses as they are written."""
    wanted: list[tuple[type[BaseModel], Any]] = [(ErrorResponse, "serialization")]
    for route in routes:
        for model in (route.body, route.body_item):
            if model is not None and (model, "validation") not in wanted:
                wanted.append((model, "validation"))
        if route.response is not None and (route.response, "serialization") not in wanted:
            wanted.append((route.response, "serialization"))
    found, top = models_json_schema(wanted, ref_template=_REF)
    names: Names = {
        model: schema for (model, _), schema in found.items() if issubclass(model, BaseModel)
    }
    definitions: dict[str, Any] = top["$defs"]
    for route in routes:
        if route.body is not None and route.body_item is not None:
            properties = definitions[route.body.__name__]["properties"]
            properties[route.body_list]["items"] = names[route.body_item]
    return names, definitions


def _operation(route: Route, names: Names) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": (route.handler.__doc__ or route.summary).strip(),
        "tags": [route.tag],
        "parameters": _parameters(route),
        "responses": _responses(route, names),
        "security": _security(route.access),
    }
    if route.body is not None:
        content = {"schema": _body_schema(route, names)}
        example = BODY_EXAMPLES.get(route.body.__name__)
        if example is not None:
            content["example"] = example
        operation["requestBody"] = {
            "required": not route.body_optional,
            "content": {"application/json": content},
        }
    return operation


def _operation_id(route: Route) -> str:
    path = route.path.removeprefix("/api/v1/exchange")
    if path == route.path and not path.startswith("/api"):
        path = f"/root{path}"
    words = f"{route.method} {path.removeprefix('/api/v1')}".lower()
    return re.sub(r"[^a-z0-9]+", "_", words).strip("_")


def _security(access: Access) -> list[dict[str, list[str]]]:
    if access is Access.JWT:
        return [{"bearer": []}]
    either: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]
    return [{}, *either] if access is Access.PUBLIC else either


def _body_schema(route: Route, names: Names) -> dict[str, Any]:
    assert route.body is not None  # noqa: S101 (the caller has checked; this tells the type checker)
    schema = names[route.body]
    if not route.body_list:
        return schema
    listed = route.body.model_json_schema()["properties"][route.body_list]
    bare = {key: listed[key] for key in ("type", "items", "minItems", "maxItems")}
    if route.body_item is not None:
        bare["items"] = names[route.body_item]
    return {"anyOf": [schema, bare]}


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in _PATH_PARAMETER.findall(route.path):
        words, example = _PATH_PARAMETERS[name]
        found.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": words,
                "schema": {"type": "string", "minLength": 1},
                "example": example,
            }
        )
    for name, schema in route.query.model_json_schema().get("properties", {}).items():
        found.append({"name": name, "in": "query", "required": False, "schema": _plain(schema)})
    if route.idempotent:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key returns the first outcome without running again.",
                "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,128}$"},
            }
        )
    return found


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Show an optional parameter as what it is when it is given."""
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    kept = {key: value for key, value in schema.items() if key not in {"anyOf", "title"}}
    if len(options) == 1:
        kept.pop("default", None)
        return {**options[0], **kept}
    return kept if not options else {**kept, "anyOf": options}


def _responses(route: Route, names: Names) -> dict[str, Any]:
    success: dict[str, Any] = {"description": route.summary, "headers": _headers(route)}
    if route.response is not None:
        success["content"] = {route.media_type: {"schema": names[route.response]}}
    elif route.status != 204:
        schema = {"type": "object" if route.media_type == "application/json" else "string"}
        success["content"] = {route.media_type: {"schema": schema}}
    responses: dict[str, Any] = {str(route.status): success}
    by_status: dict[int, list[ErrorCode]] = {}
    for code in dict.fromkeys(_codes(route)):
        by_status.setdefault(status_of(code), []).append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = _failure(status, codes, names)
    return responses


def _headers(route: Route) -> dict[str, Any]:
    headers: dict[str, Any] = {"X-Request-Id": {"schema": {"type": "string"}}}
    if route.limit is not LimitKind.NONE:
        for name in ("Limit", "Remaining", "Reset"):
            headers[f"X-RateLimit-{name}"] = _INTEGER_HEADER
    return headers


def _failure(status: int, codes: list[ErrorCode], names: Names) -> dict[str, Any]:
    listed = ", ".join(codes)
    headers: dict[str, Any] = {"X-Request-Id": {"schema": {"type": "string"}}}
    if status in {429, 503}:
        headers["Retry-After"] = {"schema": {"type": "integer", "minimum": 1}}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    return {
        "description": f"{_STATUS_WORDS.get(status, '')} Codes: {listed}.".strip(),
        "headers": headers,
        "content": {"application/json": {"schema": names[ErrorResponse]}},
        "x-error-codes": [str(code) for code in codes],
    }


def _codes(route: Route) -> list[ErrorCode]:
    """List every code a route can answer with."""
    codes = list(route.errors)
    if route.path.endswith("{symbol}/orders/{order_id}"):
        codes.append(ErrorCode.METHOD_NOT_ALLOWED)  # where a fixed path stands in the id's place
    codes += [ErrorCode.UNAUTHENTICATED, ErrorCode.TOKEN_INVALID, ErrorCode.TOKEN_EXPIRED]
    codes += [ErrorCode.KEY_INVALID, ErrorCode.IP_NOT_ALLOWED]
    if route.access is Access.JWT:
        codes.append(ErrorCode.JWT_REQUIRED)
    elif route.access is not Access.PUBLIC:
        codes.append(ErrorCode.PERMISSION_DENIED)
    if route.has_symbol:
        codes += [ErrorCode.UNKNOWN_SYMBOL, ErrorCode.MARKET_NOT_ALLOWED]
    if "{" in route.path:
        codes.append(ErrorCode.NOT_FOUND)
    if route.body is not None:
        codes += [ErrorCode.BODY_TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE]
        codes += [ErrorCode.INVALID_JSON, ErrorCode.DUPLICATE_KEY, ErrorCode.TOO_DEEP]
    codes.append(ErrorCode.VALIDATION_ERROR)
    if route.idempotent:
        codes.append(ErrorCode.IDEMPOTENCY_MISMATCH)
    if route.limit is not LimitKind.NONE:
        codes.append(ErrorCode.RATE_LIMITED)
    codes += [ErrorCode.BUSY, ErrorCode.RECOVERING, ErrorCode.UNAVAILABLE]
    if route.method != "GET":
        codes.append(ErrorCode.UNKNOWN_OUTCOME)
    return codes
