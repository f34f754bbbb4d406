"""Batches over HTTP, against servers that answer rightly, wrongly, or not at all."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chain_feeds.sources.json_rpc import BATCH_MAX, Call, JsonRpc

Answering = Callable[[list[dict[str, Any]]], object]
Ask = Callable[[Answering, list[Call]], Awaitable[Any]]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Asks a node that answers as told; everything is closed in the end."""
    servers: list[TestServer] = []

    async def begin(answering: Answering, calls: list[Call]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            answer = answering(await request.json())
            if isinstance(answer, bytes):
                return web.Response(body=answer)
            if isinstance(answer, int):
                return web.Response(status=answer)
            return web.json_response(answer)

        app = web.Application()
        app.router.add_post("/", handle)
        server = TestServer(app)
        servers.append(server)
        await server.start_server()
        rpc = JsonRpc(str(server.make_url("/")), 2.0)
        try:
            return await rpc.batch(calls)
        finally:
            await rpc.close()

    yield begin
    for server in servers:
        await server.close()


def echo(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answer every call with its first parameter, the last call first."""
    return [
        {"jsonrpc": "2.0", "id": call["id"], "result": call["params"][0]}
        for call in reversed(calls)
    ]


async def test_batch_answered_in_another_order_is_put_in_order(ask: Ask) -> None:
    """Answers belong to calls by id."""
    answers = await ask(echo, [("m", [number]) for number in range(7)])
    assert [answer["result"] for answer in answers] == list(range(7))


async def test_batch_longer_than_the_bound_is_asked_in_parts(ask: Ask) -> None:
    """No part is longer than providers take."""
    sizes: list[int] = []

    def answering(calls: list[dict[str, Any]]) -> object:
        sizes.append(len(calls))
        return echo(calls)

    answers = await ask(answering, [("m", [number]) for number in range(BATCH_MAX + 5)])
    assert [answer["result"] for answer in answers] == list(range(BATCH_MAX + 5))
    assert sizes == [BATCH_MAX, 5]


@pytest.mark.parametrize(
    "answer",
    [
        {"jsonrpc": "2.0", "id": 0, "error": {"code": -32600, "message": "no batches"}},
        [],
        [{"id": 0, "result": 1}],
        [{"id": 0, "result": 1}, {"id": 0, "result": 2}],
        [{"id": 0, "result": 1}, {"id": 2, "result": 2}],
        [{"id": 0, "result": 1}, {"id": "1", "result": 2}],
        [{"id": 0, "result": 1}, {"id": True, "result": 2}],
        [{"id": 0, "result": 1}, 7],
        None,
    ],
)
async def test_batch_answered_with_something_else_is_refused(ask: Ask, answer: object) -> None:
    """Too few, twice, foreign ids, no list: nothing is guessed."""
    with pytest.raises(ValueError, match="expected"):
        await ask(lambda _calls: answer, [("m", [1]), ("m", [2])])


async def test_batch_refused_by_the_server_is_an_error_of_the_connection(ask: Ask) -> None:
    """A status such as 429 is the node's trouble, whatever its body."""
    with pytest.raises(aiohttp.ClientResponseError):
        await ask(lambda _calls: 429, [("m", [1])])


async def test_single_question_is_sent_outside_any_batch() -> None:
    """Some providers refuse arrays: one question is one object, and so is its answer."""
    asked: list[Any] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"jsonrpc": "2.0", "id": 0, "result": "5"})

    app = web.Application()
    app.router.add_post("/", handle)
    async with TestServer(app) as server:
        rpc = JsonRpc(str(server.make_url("/")), 2.0)
        try:
            assert (await rpc.ask(("getSlot", [])))["result"] == "5"
        finally:
            await rpc.close()
    assert asked == [{"jsonrpc": "2.0", "id": 0, "method": "getSlot", "params": []}]
