"""A tool as data: which route it calls, which of the route's fields it takes, what it does.

The schemas come from the wire models of the route: `arguments_model` picks the fields, the answer
is the route's own. Numbers keep the text in which they were sent.
"""

import math
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Final
from urllib.parse import quote

from event_trader.wire.base import RequestModel
from event_trader.wire.numbers import JsonNumber
from mcp_types import Tool as ToolDescription
from mcp_types import ToolAnnotations
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from gateway.body import validation_error
from gateway.endpoint import Route
from gateway.mcp.backend import Asked, CallRefusedError
from gateway.mcp.words import worded

EXACT_DIGITS: Final = 15
"""Every decimal of so many significant digits survives a binary double (IEEE 754)."""
IDEMPOTENCY_KEY: Final = "tandem/idempotency-key"
"""Where a call's ``_meta`` may carry a key of the caller's own."""

Symbol = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9/\-]{0,39}$",
        description="A pair, by its base symbol (vaix) or in full (VAIX/USDC).",
        examples=["vaix"],
    ),
]
Id = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{2,8}_[A-Za-z0-9_.\-]{1,100}$",
        description="An id as the exchange gave it.",
        examples=["ord_vaix_p_17"],
    ),
]
PATH_FIELDS: Final[dict[str, Any]] = {"symbol": Symbol, "order_id": Id, "twap_id": Id}


class Effect(Enum):
    """What a tool does to the world, as MCP's hints: destructive, idempotent, open world.

    Orders trade with other people's and withdrawals leave the exchange: an open world. A placed
    order may fill at once, and what is filled cannot be taken back: destructive.
    """

    READ = (False, True, False)
    PLACE = (True, False, True)
    CANCEL = (True, True, False)
    AMEND = (True, True, True)
    ARM = (True, False, False)

    def annotations(self, title: str) -> ToolAnnotations:
        """Give the hints of a tool."""
        destructive, idempotent, open_world = self.value
        return ToolAnnotations(
            title=title,
            read_only_hint=self is Effect.READ,
            destructive_hint=destructive,
            idempotent_hint=idempotent,
            open_world_hint=open_world,
        )


@dataclass(frozen=True)
class Tool:
    """One tool. ``arguments`` is what a call is checked against; the route checks again."""

    name: str
    title: str
    description: str
    effect: Effect
    arguments: type[BaseModel]
    route: Route

    def routed(self, values: dict[str, Any]) -> tuple[Route, dict[str, Any]]:
        """Choose the route of a call, and what of the arguments goes there."""
        return self.route, values

    def ask(self, arguments: Mapping[str, Any], key: str | None) -> Asked:
        """Make the request of a call.

        Raises:
            CallRefusedError: an argument is unknown, missing or malformed; the message names it.
        """
        try:
            checked = self.arguments.model_validate(exact(dict(arguments)))
        except ValidationError as error:
            found = validation_error(error, ("arguments",))
            raise CallRefusedError(found.code, found.message, found.status, found.details) from None
        values = checked.model_dump(exclude_unset=True)
        return request_of(*self.routed(values), key)

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """Describe the arguments, each with what a model has to know of it."""
        schema = self.arguments.model_json_schema()
        return worded(self.name, schema, reads=self.effect is Effect.READ)

    @cached_property
    def described(self) -> ToolDescription:
        """Describe it as ``tools/list`` shows it."""
        answer = self.route.response
        if answer is None:
            raise TypeError(f"{self.name}: its route declares no response model")
        return ToolDescription(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=self.input_schema,
            output_schema=answer.model_json_schema(mode="serialization"),
            annotations=self.effect.annotations(self.title),
        )


def arguments_model(
    name: str, route: Route, takes: Sequence[str], required: Collection[str] = ()
) -> type[BaseModel]:
    """Make the model of a tool's arguments from its route's path, body and query.

    ``required`` names fields that the route leaves open (it knows them by two names).
    """
    fields: dict[str, Any] = {}
    for field in takes:
        if f"{{{field}}}" in route.path:
            fields[field] = (PATH_FIELDS[field], ...)
        elif route.body is not None and field in route.body.model_fields:
            fields[field] = _body_field(route, field, required=field in required)
        else:
            fields[field] = _query_field(route.query.model_fields[field])
    made: type[BaseModel] = create_model(name, __base__=RequestModel, **fields)
    return made


def _body_field(route: Route, name: str, *, required: bool) -> tuple[Any, Any]:
    assert route.body is not None  # noqa: S101 (the caller has checked; this tells the type checker)
    found = route.body.model_fields[name]
    annotation: Any = found.annotation
    if name == route.body_list and route.body_item is not None:
        # The route checks each item for itself, so that one bad item does not stop the others.
        schema: dict[str, Any] = {"items": route.body_item.model_json_schema()}
        return (
            list[Any],
            Field(min_length=1, max_length=_longest(found), json_schema_extra=schema),
        )
    if required:
        annotation = next(part for part in annotation.__args__ if part is not type(None))
        return (annotation, Field(description=found.description))
    return (annotation, found)


def _longest(found: FieldInfo) -> int:
    return next(int(m.max_length) for m in found.metadata if hasattr(m, "max_length"))


def _query_field(found: FieldInfo) -> tuple[Any, Any]:
    """Read a query parameter from JSON: an integer is one, not its text."""
    bounds = [part for part in found.metadata if not isinstance(part, BeforeValidator)]
    annotation: Any = found.annotation
    for bound in bounds:
        annotation = Annotated[annotation, bound]
    return (annotation, Field(found.default, description=found.description))


def request_of(route: Route, values: Mapping[str, Any], key: str | None) -> Asked:
    """Sort a call's values into path, body and query."""
    path, query, body = route.path, {}, {}
    for name, value in values.items():
        if f"{{{name}}}" in route.path:
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        elif route.body is not None and name in route.body.model_fields:
            body[name] = plain(value)
        elif value is not None:
            query[name] = str(value)
    return Asked(
        method=route.method,
        path=path,
        query=query,
        body=body if route.body is not None else None,
        idempotency_key=(key or secrets.token_hex(16)) if route.idempotent else None,
    )


def exact(value: Any) -> Any:  # noqa: ANN401 (any JSON)
    """Replace binary fractions by the decimal text they were sent as.

    Raises:
        CallRefusedError: a number has more digits than a double keeps, so the text is lost.
    """
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return JsonNumber(str(value))
    number = Decimal(repr(value))
    if len(number.as_tuple().digits) > EXACT_DIGITS:
        message = f"{value!r} is too long for a JSON number; send it as a decimal string."
        raise CallRefusedError("VALIDATION_ERROR", message, 422)
    return JsonNumber(format(number, "f"))


def plain(value: Any) -> Any:  # noqa: ANN401 (any JSON)
    """Show numbers that were kept as text as the text that they are."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.text if isinstance(value, JsonNumber) else value
