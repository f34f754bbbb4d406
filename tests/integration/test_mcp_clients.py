"""Every tool, resource and prompt, through the official clients of two languages, both transports.

The clients hold each structured result to the tool's output schema themselves.
"""

import json
import secrets
from typing import Any

import pytest

from gateway.mcp.catalogue import TOOLS
from gateway.mcp.guides import GUIDES
from tests.clients import new_key
from tests.mcp_clients import KINDS, McpClient, ProtocolError, connected
from tests.running import RunningExchange

LOW = "0.001"
"""A price far below the market: what is bought at it rests."""


class Agent:
    """Calls tools, and remembers which."""

    def __init__(self, client: McpClient) -> None:
        self.client = client
        self.called: set[str] = set()

    async def __call__(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that succeeds; its text says the same as its structured content."""
        self.called.add(name)
        result = await self.client.call(name, **arguments)
        assert not result["isError"], result
        structured: dict[str, Any] = result["structuredContent"]
        assert json.loads(result["content"][0]["text"]) == structured
        return structured

    async def refused(self, name: str, **arguments: Any) -> str:
        """Call a tool that is refused; gives the code, which its text begins with."""
        self.called.add(name)
        result = await self.client.call(name, **arguments)
        assert result["isError"], result
        error = result["_meta"]["tandem/error"]
        first = result["content"][0]["text"].splitlines()[0]
        assert first == f"{error['code']}: {error['message']}"
        return str(error["code"])


async def _read_the_market(agent: Agent) -> None:
    pairs = await agent("et_clob_list_pairs")
    assert {pair["symbol"] for pair in pairs["pairs"]} >= {"vaix", "btc"}
    assert len((await agent("et_clob_markets"))["markets"]) == len(pairs["pairs"])
    assert (await agent("et_clob_time"))["epoch_ms"] > 0
    for name in ("book", "orderbook"):
        book = await agent(f"et_clob_{name}", symbol="VAIX/USDC", depth=5)
        assert book["hybrid"] == (name == "orderbook")
    for name in ("bbo", "stats", "venues", "ticker"):
        assert (await agent(f"et_clob_{name}", symbol="vaix"))["symbol"] == "vaix"


async def _read_the_account(agent: Agent) -> None:
    assert (await agent("et_clob_balance", symbol="vaix"))["quote"]["total"] == "100000"
    assert (await agent("et_clob_preflight", symbol="vaix"))["quote_balance"] == "100000"
    assert (await agent("et_clob_open_orders", symbol="vaix"))["orders"] == []
    assert (await agent("et_clob_active_twaps", symbol="vaix"))["twaps"] == []


async def _trade(agent: Agent) -> None:
    order = {"symbol": "vaix", "side": "buy", "quantity": "1000", "price": LOW}
    mine = secrets.token_hex(8)
    placed = await agent("et_clob_place_order", **order, client_order_id=mine)
    assert (placed["status"], placed["client_order_id"], placed["mode"]) == ("open", mine, "paper")
    named = {"symbol": "vaix", "order_id": placed["order_id"]}
    assert (await agent("et_clob_amend_order", **named, quantity=900))["quantity"] == "900"
    assert (await agent("et_clob_order_status", **named))["remaining_quantity"] == "900"
    assert (await agent("et_clob_cancel_order", **named))["status"] == "canceled"
    assert await agent.refused("et_clob_cancel_order", **named) == "ORDER_CLOSED"
    history = await agent("et_clob_order_history", symbol="vaix", limit=1)
    assert history["orders"][0]["order_id"] == placed["order_id"]
    bought = await agent(
        "et_clob_place_order", symbol="vaix", side="buy", quantity="500", order_type="market"
    )
    assert bought["status"] == "filled"
    own = await agent("et_clob_my_trades", symbol="vaix")
    assert own["trades"][0]["order_id"] == bought["order_id"]
    assert (await agent("et_clob_recent_trades", symbol="vaix", limit=5))["trades"]
    chart = await agent("et_clob_chart", symbol="vaix", interval="1m", limit=1)
    assert (chart["interval"], len(chart["candles"])) == ("1m", 1)
    rich = {**order, "quantity": "1000000000"}
    assert await agent.refused("et_clob_place_order", **rich) == "INSUFFICIENT_FUNDS"


async def _trade_in_bulk(agent: Agent) -> None:
    good = {"side": "buy", "quantity": "1000", "price": LOW}
    batch = await agent(
        "et_clob_batch_place_orders", symbol="vaix", orders=[good, {**good, "price": "x"}]
    )
    assert (batch["successful"], batch["failed"]) == (1, 1)
    ids = [batch["results"][0]["order_id"]]
    cancelled = await agent("et_clob_batch_cancel_orders", symbol="vaix", order_ids=ids)
    assert cancelled["successful"] == 1
    scale = {"symbol": "vaix", "side": "buy", "quantity": "3000", "num_orders": 3}
    placed = await agent("et_clob_place_scale", **scale, price_low="0.001", price_high="0.0012")
    assert len(placed["orders"]) == 3
    assert (await agent("et_clob_cancel_all_orders", symbol="vaix"))["cancelled"] == 3
    twap = await agent(
        "et_clob_place_twap", symbol="vaix", side="buy", quantity="6000", price_limit=LOW
    )
    assert (twap["num_slices"], twap["status"]) == (10, "active")
    running = await agent("et_clob_active_twaps", symbol="vaix")
    assert [one["twap_id"] for one in running["twaps"]] == [twap["twap_id"]]
    ended = await agent("et_clob_cancel_twap", symbol="vaix", twap_id=twap["twap_id"])
    assert ended["status"] == "canceled"


async def _switch_off(agent: Agent) -> None:
    armed = await agent("et_clob_dead_mans_switch", timeout_ms=60_000)
    assert armed["active"]
    assert (await agent("et_clob_dead_mans_switch", action="heartbeat"))["active"]
    assert not (await agent("et_clob_dead_mans_switch", action="disarm"))["active"]
    for tool in ("et_clob_kill_switch", "et_clob_cancel_all_orders"):
        await agent("et_clob_place_order", symbol="vaix", side="buy", quantity="1000", price=LOW)
        assert (await agent(tool))["cancelled"] == 1
    refused = await agent.refused("et_clob_withdraw", symbol="vaix", amount="1", destination="0xa")
    assert refused == "PERMISSION_DENIED"


async def _read_resources(client: McpClient) -> None:
    listed = await client.ask("listResources", {})
    assert {one["uri"] for one in listed["resources"]} == {"tandem://pairs", "tandem://account"}
    templates = await client.ask("listResourceTemplates", {})
    assert templates["resourceTemplates"][0]["uriTemplate"] == "tandem://{symbol}/book"
    for uri, field in (
        ("tandem://pairs", "pairs"),
        ("tandem://account", "balances"),
        ("tandem://vaix/book", "bids"),
    ):
        read = await client.ask("readResource", {"uri": uri})
        assert field in json.loads(read["contents"][0]["text"])
    for uri, said in (("tandem://nope", "no resource"), ("tandem://nope/book", "UNKNOWN_SYMBOL")):
        with pytest.raises(ProtocolError, match=said):
            await client.ask("readResource", {"uri": uri})


async def _get_prompts(client: McpClient) -> None:
    prompts = await client.ask("listPrompts", {})
    assert {prompt["name"] for prompt in prompts["prompts"]} == set(GUIDES)
    given = {"symbol": "vaix", "size": "1000"}
    quote = await client.ask("getPrompt", {"name": "quote_two_sides", "arguments": given})
    assert "1000 a side" in quote["messages"][0]["content"]["text"]
    with pytest.raises(ProtocolError, match="size: is required"):
        await client.ask("getPrompt", {"name": "quote_two_sides", "arguments": {"symbol": "v"}})


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_works_through_an_official_client(
    running_exchange: RunningExchange, kind: str
) -> None:
    """All thirty tools are called, and do what REST does; resources and prompts are read."""
    url = running_exchange.base_url
    async with connected(kind, url, await new_key(url)) as client:
        listed = await client.ask("listTools", {})
        assert {tool["name"] for tool in listed["tools"]} == set(TOOLS)
        assert all(tool["outputSchema"]["type"] == "object" for tool in listed["tools"])
        agent = Agent(client)
        await _read_the_market(agent)
        await _read_the_account(agent)
        await _trade(agent)
        await _trade_in_bulk(agent)
        await _switch_off(agent)
        assert agent.called == set(TOOLS)
        print(f"{kind}: {len(agent.called)} tools called")
        await _read_resources(client)
        await _get_prompts(client)
        with pytest.raises(ProtocolError, match="no tool 'et_clob_nope'"):
            await client.call("et_clob_nope")
        assert await agent.refused("et_clob_bbo", symbol="nope") == "UNKNOWN_SYMBOL"
        assert await agent.refused("et_clob_bbo", symbol="vaix", mood="x") == "VALIDATION_ERROR"
