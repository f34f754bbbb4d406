"""The page of MCP tools, from the catalogue that the gateway's own MCP server serves."""

import copy
import re

from docs_site.calls import calls
from docs_site.rest import anchor, page_of, python_link
from docs_site.schemas import fields_table
from gateway.mcp.catalogue import TOOLS
from gateway.mcp.guides import GUIDES
from gateway.mcp.places import RESOURCES, TEMPLATES
from gateway.mcp.tool import Effect, Tool

PATH = "reference/mcp-tools.md"
_MODELS = "rest/models.md"
_HEAD = """\
# MCP tools

How to connect, and what an agent should be allowed, is told under [MCP](../mcp.md). Each tool is a
route of the REST API, with its limits, permissions, errors and answer."""
_EFFECTS = {
    Effect.READ: "Only reads.",
    Effect.PLACE: "Changes orders, and what is filled cannot be taken back.",
    Effect.CANCEL: "Cancels; doing it again changes nothing more.",
    Effect.AMEND: "Changes an order; doing it again changes nothing more.",
    Effect.ARM: "Arms, feeds or disarms a switch that cancels.",
}


def page() -> str:
    """Make the page: every tool, then resources and prompts."""
    asked = calls()
    parts = [_HEAD, *(_tool(tool, asked) for tool in TOOLS.values()), _places(), _prompts()]
    return "\n\n".join(parts) + "\n"


def _tool(tool: Tool, asked: dict[str, str]) -> str:
    route, schema = tool.route, copy.deepcopy(tool.input_schema)
    definitions = {f"#/$defs/{name}": inner for name, inner in schema.get("$defs", {}).items()}
    schema["properties"] = {
        name: definitions.get(inner.get("$ref", ""), inner)
        for name, inner in schema.get("properties", {}).items()
    }
    place = f"rest/{page_of(route.tag)}#{anchor(route.method, route.path)}"
    answer = route.response.__name__ if route.response is not None else ""
    call = asked.get(f"{route.method} {re.sub(r'{[^}]*}', '{}', route.path)}")
    lines = [
        f"## `{tool.name}` {{ #{tool.name.replace('_', '-')} }}",
        f"{tool.description} {_EFFECTS[tool.effect]}",
        fields_table(schema, _MODELS) or "It takes no arguments.",
        f"Answers [{answer}]({_MODELS}#{answer.lower()}), as [`{route.method} "
        f"{route.path}`]({place}) does. {python_link(call)}".rstrip(),
    ]
    return "\n\n".join(lines)


def _places() -> str:
    rows = [f"| `{one.uri}` | {one.description} |" for one in RESOURCES]
    rows += [f"| `{one.uri_template}` | {one.description} |" for one in TEMPLATES]
    return "\n".join(["## Resources", "", "| address | |", "|---|---|", *rows])


def _prompts() -> str:
    rows = [
        f"| `{guide.name}` | {', '.join(f'`{one.name}`' for one in guide.arguments)} "
        f"| {guide.description} |"
        for guide in GUIDES.values()
    ]
    return "\n".join(["## Prompts", "", "| name | arguments | |", "|---|---|---|", *rows])
