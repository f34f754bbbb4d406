"""MCP clients that nobody here wrote, behind one face: the official ones for Python and TypeScript.

The TypeScript one runs in Node, bridged by ``mcp_client/client.mjs``; its packages and the
conformance suite's come from the lock file beside it.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError

HERE = Path(__file__).parent / "mcp_client"
MODULES = HERE / "node_modules"
SERVER = (sys.executable, "-m", "tandem", "mcp")
NODE_MISSING = "NO TEST OF MCP WITH NODE'S CLIENT OR THE CONFORMANCE SUITE RAN: install Node 20"
ANSWER_WITHIN_S = 120.0


def node_packages() -> None:
    """Install what the lock file pins, unless it is there; skip loudly without Node."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(NODE_MISSING)
    finished, lock = MODULES / ".package-lock.json", HERE / "package-lock.json"
    if finished.exists() and finished.stat().st_mtime >= lock.stat().st_mtime:
        return
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"npm ci failed in {HERE}:\n{done.stderr[-2000:]}"


class ProtocolError(Exception):
    """The server answered with an error of the protocol."""


class McpClient(Protocol):
    """What the tests ask of a client; results are JSON as it was on the wire."""

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool."""
        ...

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Make another request: listTools, readResource, getPrompt … in TypeScript's names."""
        ...


class PythonClient:
    """The official Python client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool."""
        return await self.ask("callTool", {"name": name, "arguments": arguments})

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Make a request."""
        client = self.client
        methods: dict[str, Any] = {
            "callTool": client.call_tool,
            "listTools": client.list_tools,
            "listResources": client.list_resources,
            "listResourceTemplates": client.list_resource_templates,
            "readResource": client.read_resource,
            "listPrompts": client.list_prompts,
            "getPrompt": client.get_prompt,
        }
        try:
            result = await methods[method](**params)
        except MCPError as error:
            raise ProtocolError(error.message) from error
        return dict(result.model_dump(mode="json", by_alias=True))


@asynccontextmanager
async def python_http(url: str, key: str, mode: str) -> AsyncIterator[PythonClient]:
    """Connect over HTTP; ``mode`` is ``auto`` (the newest revision) or ``legacy``."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        create_mcp_http_client(headers=headers) as http,
        Client(streamable_http_client(url + "/mcp", http_client=http), mode=mode) as client,
    ):
        yield PythonClient(client)


@asynccontextmanager
async def python_stdio(url: str, key: str) -> AsyncIterator[PythonClient]:
    """Start `tandem mcp` and connect to it."""
    settings = {"ET_API_KEY": key, "ET_BASE_URL": url}
    server = StdioServerParameters(command=SERVER[0], args=list(SERVER[1:]), env=settings)
    async with Client(stdio_client(server)) as client:
        yield PythonClient(client)


class NodeClient:
    """The official TypeScript client, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool."""
        return await self.ask("callTool", {"name": name, "arguments": arguments})

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Make a request."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"method": method, "params": params}).encode() + b"\n")
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """Read the next line of the bridge."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), ANSWER_WITHIN_S)
        assert line, "the client ended"
        said = json.loads(line)
        if "error" in said:
            raise ProtocolError(said["error"]["message"])
        return dict(said["result"])


@asynccontextmanager
async def node(*arguments: str, **environ: str) -> AsyncIterator[NodeClient]:
    """Start the bridge and connect."""
    process = await asyncio.create_subprocess_exec(
        "node", "client.mjs", *arguments, cwd=HERE, limit=2**22, env={**environment(), **environ},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        client = NodeClient(process)
        greeting = await client.answer()
        assert greeting["server"]["name"] == "tandem"
        yield client
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), ANSWER_WITHIN_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def environment() -> dict[str, str]:
    """Give the environment without anybody's settings for a client."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ET_")}


@asynccontextmanager
async def connected(kind: str, url: str, key: str) -> AsyncIterator[McpClient]:
    """Connect the client of a kind: ``python`` or ``node``, and ``http``, ``legacy``, ``stdio``."""
    language, transport = kind.split("-")
    if language == "node":
        node_packages()
        if transport == "http":
            async with node("http", url + "/mcp", key) as client:
                yield client
        else:
            async with node("stdio", *SERVER, ET_API_KEY=key, ET_BASE_URL=url) as client:
                yield client
    elif transport == "stdio":
        async with python_stdio(url, key) as found:
            yield found
    else:
        mode = "auto" if transport == "http" else "legacy"
        async with python_http(url, key, mode) as found:
            yield found


KINDS = ("python-http", "python-legacy", "python-stdio", "node-http", "node-stdio")
