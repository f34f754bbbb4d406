"""MCP over two gateways on one port: no request needs the gateway of the one before."""

import time
from typing import Any

import aiohttp
import pytest

from tests.integration.cluster import Answer, Cluster

pytestmark = pytest.mark.ray

REVOKED_WITHIN_S = 15.0
"""A second by `principal_cache_s`; the rest is for a machine that is busy."""
KEY = {"name": "agent", "permissions": {"read": True, "trade": True}}
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "tests", "version": "1"},
}


async def ask(
    cluster: Cluster, http: aiohttp.ClientSession, key: str, method: str, params: dict[str, Any]
) -> Answer:
    """Send one message of the protocol."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return await cluster.ask(
        http, "POST", "/mcp", message, X_API_Key=key, Accept="application/json"
    )


async def test_one_conversation_over_two_gateways_ends_with_its_key(cluster: Cluster) -> None:
    """What one gateway began the other goes on with; a revoked key stops at both."""
    balance = {"name": "et_clob_balance", "arguments": {"symbol": "vaix"}}
    order = {"symbol": "vaix", "side": "buy", "quantity": "1", "price": "0.0001"}
    async with cluster.connections(each=1) as found:
        await cluster.ready()
        first, second = (sessions[0] for sessions in found.values())
        token = "Bearer " + (await cluster.register(first))["access_token"]
        made = await cluster.ask(first, "POST", "/api/v1/api-keys", KEY, Authorization=token)
        key = made.body["key"]
        assert (await ask(cluster, first, key, "initialize", HELLO)).status == 200
        placing = {"name": "et_clob_place_order", "arguments": order}
        placed = (await ask(cluster, second, key, "tools/call", placing)).body["result"]
        named = {"symbol": "vaix", "order_id": placed["structuredContent"]["order_id"]}
        cancelling = {"name": "et_clob_cancel_order", "arguments": named}
        ended = (await ask(cluster, first, key, "tools/call", cancelling)).body["result"]
        assert ended["structuredContent"]["status"] == "canceled"
        for http in (first, second):
            assert (await ask(cluster, http, key, "tools/call", balance)).status == 200
        path = f"/api/v1/api-keys/{made.body['id']}"
        assert (await cluster.ask(first, "DELETE", path, Authorization=token)).status < 300
        revoked_at = time.monotonic()
        for http in (first, second):
            asked_at, answer = revoked_at, await ask(cluster, http, key, "tools/call", balance)
            while answer.status != 401:
                assert asked_at - revoked_at < REVOKED_WITHIN_S, "the key still works"
                asked_at = time.monotonic()
                answer = await ask(cluster, http, key, "tools/call", balance)
            assert answer.body["error"]["code"] == "KEY_INVALID"
