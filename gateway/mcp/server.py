"""The MCP server itself, the same over every transport: what it offers, and how errors look.

An error of the API is a tool's result with ``isError``; what was not a sensible request of the
protocol (an unknown tool, prompt or resource) is a protocol error, as MCP asks. `build_server`
makes it; who answers the calls is the transport's (`backend_of`).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)

from gateway.mcp import places
from gateway.mcp.backend import Backend, CallRefusedError
from gateway.mcp.catalogue import TOOLS
from gateway.mcp.guides import GUIDES
from gateway.mcp.tool import IDEMPOTENCY_KEY
from gateway.mcp.words import ADVICE

NAME: Final = "tandem"
INSTRUCTIONS: Final = """\
Tandem is an exchange: pairs such as VAIX/USDC (symbol vaix), traded on an order book beside which
AMM pools stand as depth; et_clob_orderbook shows both together, which is what an order can take.
quantity is always in the base asset, price in the quote asset per unit of base; both are decimal
strings ("0.0031"), multiples of the pair's lot_size and tick_size: read et_clob_list_pairs first.
Fees are in the quote asset. mode is paper or live (real funds); an account in simulation mode
always trades paper, and every answer says which mode applied. Market data needs no key; the account
and orders do.
An order's status is open or partially_filled while it rests, pending_trigger while a stop waits,
then filled, canceled, expired or rejected; an ioc or market order that finds nothing is canceled
with a reason, and that is no error.
An error begins with a stable code. RATE_LIMITED, BUSY and RECOVERING: nothing happened, call again
after the time it names. UNKNOWN_OUTCOME and UNREACHABLE: it may have happened, so read
et_clob_open_orders and et_clob_order_history before you place anything again. With any other code
nothing happened, and the same call would fail again: change it, or ask your user."""
COMPLETIONS_MAX: Final = 100
"""The protocol's own bound on the values of a completion."""
REFUSED: Final = -32000
"""The JSON-RPC code of a resource or completion that the exchange refused."""
_STATIC: Final = CacheHint(ttl_ms=300_000, scope="public")
"""What lists say changes only with the exchange's version."""

Context = ServerRequestContext[Any, Any]
BackendOf = Callable[[Context], Backend]
ArgumentsOf = Callable[[Context, Mapping[str, Any]], Mapping[str, Any]]


def build_server(version: str, backend_of: BackendOf, arguments_of: ArgumentsOf) -> Server[Any]:
    """Make the server.

    Args:
        version: the exchange's.
        backend_of: gives whoever answers on behalf of a request's caller.
        arguments_of: gives a call's arguments with their numbers as they were sent, where the
            transport still has that text.
    """
    offers = Offers(backend_of, arguments_of)
    return Server(
        NAME,
        version=version,
        title="Tandem exchange",
        instructions=INSTRUCTIONS,
        cache_hints={
            "tools/list": _STATIC,
            "prompts/list": _STATIC,
            "resources/list": _STATIC,
            "resources/templates/list": _STATIC,
            "server/discover": _STATIC,
        },
        get_tool_input_schema=_input_schema,
        on_list_tools=offers.list_tools,
        on_call_tool=offers.call_tool,
        on_list_resources=offers.list_resources,
        on_list_resource_templates=offers.list_templates,
        on_read_resource=offers.read_resource,
        on_list_prompts=offers.list_prompts,
        on_get_prompt=offers.get_prompt,
        on_completion=offers.complete,
    )


def _input_schema(name: str) -> Mapping[str, Any] | None:
    tool = TOOLS.get(name)
    return tool.described.input_schema if tool is not None else None


class Offers:
    """The handlers of the protocol's requests."""

    def __init__(self, backend_of: BackendOf, arguments_of: ArgumentsOf) -> None:
        self._backend_of = backend_of
        self._arguments_of = arguments_of

    async def list_tools(self, _: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        """List the tools, all on one page."""
        return ListToolsResult(tools=[tool.described for tool in TOOLS.values()])

    async def call_tool(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        """Call a tool; a refusal is a result with ``isError``.

        Raises:
            MCPError: there is no tool of that name.
        """
        tool = TOOLS.get(params.name)
        if tool is None:
            message = f"There is no tool {params.name[:100]!r}; tools/list names those there are."
            raise MCPError(INVALID_PARAMS, message)
        arguments = self._arguments_of(ctx, params.arguments or {})
        try:
            asked = tool.ask(arguments, _key_of(ctx))
            answer = await self._backend_of(ctx).call(asked)
        except CallRefusedError as refusal:
            return _refused(refusal)
        return CallToolResult(content=[TextContent(text=_text(answer))], structured_content=answer)

    async def list_resources(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """List the resources that have one address."""
        return ListResourcesResult(resources=places.RESOURCES)

    async def list_templates(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """List the resources there are one of per pair."""
        return ListResourceTemplatesResult(resource_templates=places.TEMPLATES)

    async def read_resource(
        self, ctx: Context, params: ReadResourceRequestParams
    ) -> ReadResourceResult:
        """Read a resource.

        Raises:
            MCPError: there is none, or the exchange refused; ``data`` holds the error.
        """
        try:
            found = await places.read(self._backend_of(ctx), params.uri)
        except CallRefusedError as refusal:
            message = f"{refusal.code}: {refusal.message}"
            raise MCPError(REFUSED, message, refusal.shown()) from None
        if found is None:
            message = f"There is no resource {params.uri[:200]!r}; resources/list names those."
            raise MCPError(INVALID_PARAMS, message, {"uri": params.uri[:200]})
        contents = TextResourceContents(uri=params.uri, mime_type=places.MIME, text=_text(found))
        # Books and funds change by the moment, and funds are the caller's own.
        return ReadResourceResult(contents=[contents], ttl_ms=0, cache_scope="private")

    async def list_prompts(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        """List the prompts."""
        return ListPromptsResult(prompts=[guide.described() for guide in GUIDES.values()])

    async def get_prompt(self, _: Context, params: GetPromptRequestParams) -> GetPromptResult:
        """Write a prompt out.

        Raises:
            MCPError: there is none of that name, or its arguments do not fit.
        """
        guide = GUIDES.get(params.name)
        if guide is None:
            message = f"There is no prompt {params.name[:100]!r}; prompts/list names those."
            raise MCPError(INVALID_PARAMS, message)
        try:
            return guide.filled(params.arguments or {})
        except CallRefusedError as refusal:
            raise MCPError(INVALID_PARAMS, refusal.message) from None

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        """Complete a symbol, or an argument that has few values; nothing for anything else."""
        asked = params.argument
        values: list[str] = []
        if isinstance(params.ref, ResourceTemplateReference):
            if params.ref.uri == places.BOOK_URI and asked.name == "symbol":
                values = await self._symbols(ctx)
        elif (guide := GUIDES.get(params.ref.name)) is not None:
            for argument in guide.arguments:
                if argument.name == asked.name:
                    symbol = asked.name == "symbol"
                    values = await self._symbols(ctx) if symbol else list(argument.choices)
        fitting = [value for value in values if value.startswith(asked.value.lower())]
        shown = fitting[:COMPLETIONS_MAX]
        more = len(fitting) > len(shown)
        return CompleteResult(
            completion=Completion(values=shown, total=len(fitting), has_more=more)
        )

    async def _symbols(self, ctx: Context) -> list[str]:
        try:
            return await places.symbols(self._backend_of(ctx))
        except CallRefusedError as refusal:
            message = f"{refusal.code}: {refusal.message}"
            raise MCPError(REFUSED, message, refusal.shown()) from None


def _key_of(ctx: Context) -> str | None:
    key = dict(ctx.meta or {}).get(IDEMPOTENCY_KEY)
    return key if isinstance(key, str) else None


def _text(value: Any) -> str:  # noqa: ANN401 (any JSON)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refused(refusal: CallRefusedError) -> CallToolResult:
    """Show a refusal to a model as text, and to a program under ``_meta``.

    Structured content would have to be what the tool's output schema promises, and is not.
    """
    lines = [f"{refusal.code}: {refusal.message}"]
    if refusal.details:
        lines.append(f"details: {_text(refusal.details)}")
    if (advice := ADVICE.get(refusal.code)) is not None:
        lines.append(f"What to do: {advice}")
    if refusal.retry_after_s:
        lines.append(f"Try again in {refusal.retry_after_s:g} s.")
    if refusal.request_id:
        lines.append(f"request_id: {refusal.request_id}")
    return CallToolResult(
        content=[TextContent(text="\n".join(lines))],
        is_error=True,
        _meta={"tandem/error": refusal.shown()},
    )
