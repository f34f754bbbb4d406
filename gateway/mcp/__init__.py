"""The exchange as an MCP server: tools, resources and prompts over the routes of the REST API."""

from typing import Final

PATH: Final = "/mcp"
