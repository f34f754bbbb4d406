"""JSON Schema as a reader likes it: one word or link for a type, one table for an object."""

from typing import Any

Schema = dict[str, Any]

_FORMS = {
    "Decimal.": "decimal",
    "RFC 3339, UTC, milliseconds.": "time",
}
"""Strings of a form that the introduction of the reference explains."""


def type_text(schema: Schema, models: str) -> str:
    """Name a schema's type in Markdown; ``models`` is the page that has the named ones."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}]({models}#{name.lower()})"
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(type_text(option, models) for option in options))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        items = schema.get("items") or {}
        return f"list of {type_text(items, models)}" if items else "list"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_text(schema['additionalProperties'], models)}"
    return _FORMS.get(schema.get("description", ""), str(schema.get("type", "any")))


def remark(schema: Schema) -> str:
    """Say what a field's schema tells beyond its type: words, bounds, the default."""
    words = schema.get("description", "")
    parts = [] if words in _FORMS else [words]
    for bounded in (schema, *schema.get("anyOf", ())):
        parts += [f"{label} {bounded[key]}." for key, label in _BOUNDS.items() if key in bounded]
    default = schema.get("default")
    if default not in (None, "", []) and not isinstance(default, dict):
        shown = str(default).lower() if isinstance(default, bool) else default
        parts.append(f"Default `{shown}`.")
    return " ".join(cell(part) for part in parts if part)


_BOUNDS = {
    "minimum": "At least",
    "ge": "At least",
    "maximum": "At most",
    "le": "At most",
    "minLength": "Characters at least",
    "maxLength": "Characters at most",
    "maxItems": "Items at most",
}


def cell(text: str) -> str:
    """Make a text fit into a table's cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")


def fields_table(schema: Schema, models: str) -> str:
    """Lay out an object's fields; empty where it has none."""
    properties: dict[str, Schema] = schema.get("properties", {})
    required = set(schema.get("required", ()))
    rows = [
        f"| `{name}`{'' if name in required else ' *(optional)*'} | "
        f"{type_text(inner, models)} | {remark(inner)} |"
        for name, inner in properties.items()
    ]
    return "\n".join(["| field | type | |", "|---|---|---|", *rows]) if rows else ""
