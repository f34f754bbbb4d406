"""Reads of a Solana node: groups that are never torn, and answers that cannot be believed."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chain_feeds.errors import SourceLostError
from chain_feeds.settings import ChainSettings, ChainTable
from chain_feeds.sources.solana_reads import CLOCK, Reads, clock_time_s
from chain_feeds.venues.account_layout import Account

KEY = "SECRET-KEY"
NOW_S = 1_800_000_000
Serve = Callable[[Callable[[dict[str, Any]], object]], Awaitable[Reads]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Makes `Reads` of a node that answers as told; everything is closed in the end."""
    servers: list[TestServer] = []
    opened: list[Reads] = []

    async def begin(answering: Callable[[dict[str, Any]], object]) -> Reads:
        async def handle(request: web.Request) -> web.Response:
            answer = answering(await request.json())
            if isinstance(answer, bytes):
                return web.Response(body=answer)
            if isinstance(answer, int):
                return web.Response(status=answer)
            return web.json_response(answer)

        app = web.Application()
        app.router.add_post("/{key}", handle)
        server = TestServer(app)
        servers.append(server)
        await server.start_server()
        url = str(server.make_url(f"/{KEY}"))
        chain = ChainSettings("solana", ChainTable(family="solana"), "ws://unused", url)
        opened.append(Reads(chain))
        return opened[-1]

    yield begin
    for reads in opened:
        await reads.close()
    for server in servers:
        await server.close()


def account(data: bytes) -> dict[str, Any]:
    """An account as a node writes it."""
    return {"owner": "program", "lamports": 1, "data": [base64.b64encode(data).decode(), "base64"]}


def clock() -> dict[str, Any]:
    """The clock account."""
    return account(bytes(32) + NOW_S.to_bytes(8, "little"))


async def test_groups_are_never_torn_over_two_calls_and_each_call_holds_the_clock(
    serve: Serve,
) -> None:
    """60 groups of 4: no call beyond 100 accounts, and a group's accounts share its slot."""
    calls: list[list[str]] = []

    def answer(request: dict[str, Any]) -> object:
        addresses, options = request["params"]
        assert options == {"commitment": "confirmed", "encoding": "base64", "minContextSlot": 7}
        calls.append(addresses)
        slot = 100 + len(calls)
        values = [
            clock() if address == CLOCK
            else None if address.endswith("absent")
            else account(slot.to_bytes(4, "little"))
            for address in addresses
        ]  # fmt: skip
        result = {"context": {"slot": slot}, "value": values}
        return {"jsonrpc": "2.0", "id": request["id"], "result": result}

    reads = await serve(answer)
    wanted = {
        f"pool {number}": frozenset({f"{number}/{part}" for part in "abc"} | {f"{number}/absent"})
        for number in range(60)
    }
    seen: list[str] = []
    async for slot, names, accounts in reads.groups(wanted, 7):
        seen += names
        assert clock_time_s(accounts[CLOCK]) == NOW_S
        for name in names:
            found = {accounts[address] for address in wanted[name]}
            assert found == {Account("program", slot.to_bytes(4, "little")), Account("", b"")}
    assert seen == list(wanted)
    assert [len(call) for call in calls] == [97, 97, 49]
    assert all(CLOCK in call for call in calls)


BAD: list[tuple[str, object]] = [
    ("a server's error", 500),
    ("too many requests", 429),
    ("no JSON", b"<html>"),
    ("an array", []),
    ("another answer's id", {"id": 5, "result": {}}),
    ("no result", {"id": 0, "result": None}),
    ("an error", {"id": 0, "error": {"code": -32016, "message": "Minimum context slot"}}),
    ("no context", {"id": 0, "result": {"value": [None]}}),
    ("too few values", {"id": 0, "result": {"context": {"slot": 1}, "value": []}}),
    ("a text for accounts", {"id": 0, "result": {"context": {"slot": 1}, "value": "no"}}),
    ("a number for a result", {"id": 0, "result": 5}),
    ("a slot that is none", {"id": 0, "result": {"context": {"slot": "x"}, "value": [None]}}),
    (
        "no base 64",
        {"id": 0, "result": {"context": {"slot": 1}, "value": [{"owner": "p", "data": ["?"]}]}},
    ),
    (
        "no data",
        {"id": 0, "result": {"context": {"slot": 1}, "value": [{"owner": "p", "data": []}]}},
    ),
]


@pytest.mark.parametrize("answer", [row[1] for row in BAD], ids=[row[0] for row in BAD])
async def test_answer_that_is_none_is_a_lost_node_in_one_line_without_its_key(
    serve: Serve, answer: object
) -> None:
    """Whatever a node answers: connect again, and no line shows the URL's key."""
    reads = await serve(lambda _: answer)
    with pytest.raises(SourceLostError) as lost:
        await reads.accounts(["address"])
    assert KEY not in str(lost.value)
    assert "\n" not in str(lost.value)


async def test_node_without_a_clock_account_is_no_node(serve: Serve) -> None:
    """Every slot rewrites the clock: a node without it is another thing."""
    result = {"context": {"slot": 1}, "value": [None, None]}
    reads = await serve(lambda request: {"id": request["id"], "result": result})
    with pytest.raises(SourceLostError, match="no clock account"):
        await anext(reads.groups({"pool": frozenset({"address"})}, 0))
