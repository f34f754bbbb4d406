"""The JSON Schema of every wire model, for clients in other languages.

    python -m event_trader.wire.schema > wire.json

Requests are described as they are sent, responses as they are received; the order of models and of
keys is fixed, so that two exports can be compared as text.
"""

import importlib
import inspect
import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from event_trader.wire.base import QueryModel, RequestModel

_MODULES = ("failure", "funds", "identity", "market", "orders", "system")
_BASES = ("RequestModel", "QueryModel", "ResponseModel")


def models() -> list[type[BaseModel]]:
    """List every model of the wire package, by name."""
    found: dict[str, type[BaseModel]] = {}
    for name in _MODULES:
        module = importlib.import_module(f"event_trader.wire.{name}")
        for kind in vars(module).values():
            if inspect.isclass(kind) and issubclass(kind, BaseModel) and _is_ours(kind, name):
                found[kind.__name__] = kind
    return [found[name] for name in sorted(found)]


def schema() -> dict[str, Any]:
    """Give one JSON Schema document whose ``$defs`` holds every model."""
    _, document = models_json_schema(
        [
            (
                kind,
                "validation" if issubclass(kind, (RequestModel, QueryModel)) else "serialization",
            )
            for kind in models()
        ],
        title="Tandem wire models",
    )
    return document


def _is_ours(kind: type[BaseModel], module: str) -> bool:
    return kind.__module__.endswith(f".{module}") and kind.__name__ not in _BASES


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")
