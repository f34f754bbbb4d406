"""The REST reference, page by page, from the OpenAPI document that the gateway serves."""

import json
import re
from typing import Any

from docs_site.calls import calls
from docs_site.schemas import Schema, cell, fields_table, remark, type_text

DIRECTORY = "reference/rest"
_MODELS = "models.md"
_WORDS = {
    "account": "The account",
    "api keys": "API keys",
    "auth": "Log-in",
    "dead man's switch": "Dead man's switch",
    "fees": "Fees",
    "funds": "Funds",
    "market data": "Market data",
    "orders": "Orders",
    "sub-accounts": "Sub-accounts",
    "system": "The exchange itself",
    "twap and scale": "TWAP and scale",
}
"""Titles of the pages; a tag that is not here is its own title."""


def pages(document: Schema) -> dict[str, str]:
    """Make every page: its path below ``docs/``, and its Markdown."""
    tags = [tag["name"] for tag in document["tags"]]
    made = {f"{DIRECTORY}/{page_of(tag)}": _tag_page(document, tag) for tag in tags}
    made[f"{DIRECTORY}/index.md"] = _index(document, tags)
    made[f"{DIRECTORY}/{_MODELS}"] = _models_page(document)
    return made


def page_of(tag: str) -> str:
    """Name the page of a tag."""
    return re.sub(r"[^a-z]+", "-", tag.replace("'", "")).strip("-") + ".md"


def anchor(method: str, path: str) -> str:
    """Name the place of an operation on its page."""
    return re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-")


def operations(document: Schema, tag: str) -> list[tuple[str, str, Schema]]:
    """List a tag's operations as (method, path, operation)."""
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag in operation["tags"]
    ]


def _index(document: Schema, tags: list[str]) -> str:
    parts = ["# REST", document["info"]["description"].strip(), _FORMS_TEXT]
    for tag in tags:
        page = page_of(tag)
        parts.append(f"## [{_WORDS.get(tag, tag)}]({page})")
        rows = [
            f"| `{method}` | [`{path}`]({page}#{anchor(method, path)}) | {cell(op['summary'])} |"
            for method, path, op in operations(document, tag)
        ]
        parts.append("\n".join(["| | path | |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


_FORMS_TEXT = """\
In the tables a *decimal* is a string such as `"0.0031"`, and a *time* is a string such as
`"2026-01-02T03:04:05.678Z"`. The same document, for machines, is `/openapi.json` of every gateway;
`/docs` shows it with a form for each request."""


def _tag_page(document: Schema, tag: str) -> str:
    asked = calls()
    parts = [f"# {_WORDS.get(tag, tag)}"]
    for method, path, operation in operations(document, tag):
        parts += _operation(document, method, path, operation)
        call = asked.get(f"{method} {re.sub(r'{[^}]*}', '{}', path)}")
        parts.append(python_link(call))
    return "\n\n".join(part for part in parts if part) + "\n"


_CLASSES = {"clob": "clob.Clob", "account": "account.Account", "system": "account.System"}


def python_link(call: str | None) -> str:
    """Link to a method of the Python client, where there is one."""
    return f"Python: [`{call}`][event_trader.{_target(call)}]" if call is not None else ""


def _target(call: str) -> str:
    """Name the object in the Python reference that a call is."""
    first, *rest = call.split(".")
    if first == "client":
        return f"{_CLASSES[rest[0]]}.{rest[1]}"
    return f"client.{call}"


def _operation(document: Schema, method: str, path: str, operation: Schema) -> list[str]:
    return [
        f"## {operation['summary']} {{ #{anchor(method, path)} }}",
        f"`{method} {path}`",
        _prose(operation["description"]),
        _who(operation["security"]),
        _parameters(operation["parameters"]),
        *_body(document, operation),
        *_answers(operation),
    ]


def _prose(text: str) -> str:
    """Turn a docstring into a paragraph; its sections are for whoever reads the code."""
    plain = re.split(r"\n\s*(?:Raises|Args|Returns):", text)[0]
    return " ".join(plain.split()).replace("``", "`")


def _who(security: list[dict[str, Any]]) -> str:
    kinds = {kind for option in security for kind in option}
    if {} in security:
        return "Needs no credential."
    if kinds == {"bearer"}:
        return "Needs a log-in (a bearer token); an API key may not do it."
    return "Needs a bearer token or an API key."


def _parameters(parameters: list[Schema]) -> str:
    rows = []
    for one in parameters:
        words = " ".join(w for w in (one.get("description", ""), remark(one["schema"])) if w)
        needed = "" if one["required"] else " *(optional)*"
        kind = type_text(one["schema"], _MODELS)
        rows.append(f"| `{one['name']}`{needed} | {one['in']} | {kind} | {cell(words)} |")
    return "\n".join(["| parameter | in | type | |", "|---|---|---|---|", *rows]) if rows else ""


def _body(document: Schema, operation: Schema) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return []
    schema = content["schema"]
    whole = next((s for s in (schema, *schema.get("anyOf", ())) if "$ref" in s), schema)
    named = document["components"]["schemas"].get(whole.get("$ref", "").rsplit("/", 1)[-1], whole)
    parts = [f"Body: {type_text(schema, _MODELS)}", fields_table(named, _MODELS)]
    if "example" in content:
        parts.append(f"```json\n{json.dumps(content['example'], indent=2)}\n```")
    return parts


def _answers(operation: Schema) -> list[str]:
    parts = []
    rows = []
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            contents: list[Schema] = list(answer.get("content", {}).values())
            shown = type_text(contents[0]["schema"], _MODELS) if contents else "nothing"
            parts.append(f"Answer {status}: {shown}")
            continue
        codes = ", ".join(
            f"[`{code}`](../errors.md#{code.lower()})" for code in answer["x-error-codes"]
        )
        rows.append(f"| {status} | {codes} |")
    if rows:
        parts.append("\n".join(["| status | codes |", "|---|---|", *rows]))
    return parts


def _models_page(document: Schema) -> str:
    parts = ["# Bodies and answers", "Every JSON object of the API, by name."]
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(f"## {name}")
        parts.append(_prose(schema.get("description", "")))
        if "enum" in schema:
            parts.append(", ".join(f"`{value}`" for value in schema["enum"]))
        parts.append(fields_table(schema, _MODELS))
    return "\n\n".join(part for part in parts if part) + "\n"
