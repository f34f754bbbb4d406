"""Write ``src/generated/``: what the TypeScript client shares with the Python one.

    .venv/bin/python sdk/typescript/generate.py

Wire types come from the JSON Schema of `event_trader.wire`, the error classes with their hints from
`event_trader.codes`, and the table of routes from the gateway. A unit test compares the files with
what this program makes, so the two clients cannot drift apart.
"""

import inspect
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from event_trader import codes, errors
from event_trader.wire.schema import schema

from gateway.routes import ROUTES

TARGET = Path(__file__).parent / "src" / "generated"
HEAD = "// Made by generate.py; change the Python sources and run it again.\n"
HAND_WRITTEN = (errors.EventTraderError, errors.APIError)
"""What `src/base_errors.ts` holds: the classes with behaviour."""
NO_DATA = ("GET /docs", "GET /openapi.json", "GET /metrics")
"""Routes whose answers are not wire models."""


def camel(text: str) -> str:
    """Write the names of methods and options in a text as TypeScript has them."""
    words = re.sub(r"(\w)=\"", r'\1: "', re.sub(r"(\w)=(?=[, ]|$)", r"\1", text))
    name = r"\b(?!(?:tick_size|lot_size|min_order_size)\b)[a-z0-9]+(?:_[a-z0-9]+)+\b"
    return re.sub(name, lambda found: _camel_name(found[0]), words)


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def comment(text: str, indent: str = "") -> str:
    """Write a description as a doc comment."""
    lines = " ".join(text.partition("\n\n")[0].split()).replace("``", "`").replace("*/", "* /")
    return f"{indent}/** {lines} */\n"


def type_of(node: dict[str, Any]) -> str:
    """Write a JSON Schema node as a type."""
    if "$ref" in node:
        return str(node["$ref"]).rpartition("/")[2]
    if "const" in node:
        return json.dumps(node["const"])
    if "enum" in node:
        return " | ".join(json.dumps(value) for value in node["enum"])
    for key in ("anyOf", "oneOf"):
        if key in node:
            options = node[key]
            if {option.get("type") for option in options} == {"string", "number"}:
                return "DecimalInput"
            return " | ".join(dict.fromkeys(type_of(option) for option in options))
    return _plain_type(node)


def _plain_type(node: dict[str, Any]) -> str:
    kind = node.get("type")
    if kind == "array":
        if "prefixItems" in node:
            return "[" + ", ".join(type_of(item) for item in node["prefixItems"]) + "]"
        item = type_of(node.get("items", {}))
        if node.get("maxItems") == node.get("minItems") == 2:
            return f"[{item}, {item}]"
        return f"({item})[]" if " | " in item else f"{item}[]"
    if kind == "object":
        if "properties" in node:
            return "{\n" + _fields(node) + "}"
        values = node.get("additionalProperties", True)
        value = type_of(values) if isinstance(values, dict) else "unknown"
        return f"Record<string, {value}>"
    names = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}
    return names.get(str(kind), "null" if kind == "null" else "unknown")


def _fields(node: dict[str, Any]) -> str:
    required = set(node.get("required", ()))
    written = ""
    for name, field in node["properties"].items():
        if "description" in field:
            written += comment(field["description"], "  ")
        written += f"  {name}{'' if name in required else '?'}: {type_of(field)};\n"
    return written


def wire() -> str:
    """Make ``wire.ts``: one type for each wire model."""
    text = HEAD + "\n" + comment("A decimal as requests take it: a string, or an integer number.")
    text += "export type DecimalInput = string | number | bigint;\n"
    models = schema()["$defs"]
    for route in ROUTES:
        if route.response is not None and route.response.__name__ not in models:
            models[route.response.__name__] = route.response.model_json_schema(mode="serialization")
    for name, node in sorted(models.items()):
        text += "\n" + comment(node.get("description", name))
        if node.get("type") == "object" and "properties" in node:
            text += f"export interface {name} {type_of(node)}\n"
        else:
            text += f"export type {name} = {type_of(node)};\n"
    return text


def routes() -> str:
    """Make ``routes.ts``: every route of the gateway with the type of its answer."""
    found = {f"{route.method} {route.path}": route.response for route in ROUTES}
    used = sorted({kind.__name__ for kind in found.values() if kind is not None})
    text = HEAD + "import type {\n" + "".join(f"  {name},\n" for name in used)
    text += '} from "./wire.js";\n\n'
    text += comment("Every route of the exchange, and what it answers.")
    text += "export interface Routes {\n"
    for route, kind in sorted(found.items()):
        answer = kind.__name__ if kind is not None else "undefined"
        if route in NO_DATA:
            answer = "Record<string, unknown>" if route == "GET /openapi.json" else "string"
        text += f'  "{route}": {answer};\n'
    return text + "}\n"


def error_classes() -> str:
    """Make ``errors.ts``: the tree of errors below the two hand-written ones, and the tables."""
    found = [kind for module in (errors, codes) for kind in _classes(module)]
    text = HEAD + 'import { APIError, EventTraderError } from "../base_errors.js";\n'
    for kind in found:
        text += "\n" + comment(camel(inspect.getdoc(kind) or ""))
        text += f"export class {kind.__name__} extends {kind.__mro__[1].__name__} {{"
        hint = vars(kind).get("hint", "")
        if hint:
            words = json.dumps(camel(hint))
            text += f"\n  static override readonly hint: string =\n    {words};\n"
        text += "}\n"
    text += "\n" + comment("The class of every code.")
    text += "export const BY_CODE: Readonly<Record<string, typeof APIError>> = {\n"
    text += "".join(f"  {code}: {kind.__name__},\n" for code, kind in codes.BY_CODE.items())
    text += "};\n\n" + comment("The class of a code that this client does not know.")
    text += "export const BY_STATUS: Readonly<Record<number, typeof APIError>> = {\n"
    by_status = {n: codes.error_class(n, "") for n in range(400, 600)}
    known = {n: k for n, k in by_status.items() if k not in (errors.APIError, errors.ServerError)}
    text += "".join(f"  {status}: {kind.__name__},\n" for status, kind in known.items())
    return text + "};\n"


def _classes(module: ModuleType) -> list[type[Exception]]:
    return [
        kind
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and issubclass(kind, errors.EventTraderError)
        and kind.__module__ == module.__name__
        and kind not in HAND_WRITTEN
    ]


def make() -> dict[str, str]:
    """Make all files; name to text."""
    return {"wire.ts": wire(), "routes.ts": routes(), "errors.ts": error_classes()}


def main() -> None:
    """Write the files."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in make().items():
        (TARGET / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
