"""`tandem mcp` as a program: what it says on which stream, and what a wrong setting gets.

Its starts cost seconds of imports each, so the cases of a test run side by side.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from event_trader.transport import HttpTransport

from gateway.mcp.backend import Asked, CallRefusedError
from tandem.mcp_stdio import RemoteBackend
from tests.clients import new_key
from tests.mcp_clients import SERVER, environment
from tests.running import RunningExchange, free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "mcp_agent.py"
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "tests", "version": "1"},
    },
}  # fmt: skip


async def run(
    command: tuple[str, ...], settings: Mapping[str, str], given: bytes = b""
) -> tuple[int | None, str, str]:
    """Run a program to its end; gives exit status, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**environment(), **settings},
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(given), 150)
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def somebody_else() -> Iterator[str]:
    """A web server that is no exchange; gives its URL."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
    thread.join(10)


async def test_wrong_setting_is_one_line_that_says_what_to_do(
    running_exchange: RunningExchange, somebody_else: str
) -> None:
    """A wrong key, no URL, nobody there, somebody else there: status 1, nothing on stdout."""
    url, wrong = running_exchange.base_url, "evt_" + "0" * 64
    cases = (
        ({"ET_BASE_URL": url, "ET_API_KEY": wrong}, "does not accept ET_API_KEY (KEY_INVALID"),
        ({"ET_BASE_URL": url, "ET_API_KEY": "not a key\n"}, "ET_API_KEY must be an evt_... key"),
        ({"ET_BASE_URL": "exchange"}, "ET_BASE_URL must be like http://127.0.0.1:8080"),
        ({"ET_BASE_URL": f"http://127.0.0.1:{free_port()}"}, "is the exchange running there"),
        ({"ET_BASE_URL": somebody_else, "ET_API_KEY": wrong}, "check ET_BASE_URL"),
        ({"ET_BASE_URL": url + "/mcp"}, "is not the root of an exchange; set ET_BASE_URL"),
    )
    done = await asyncio.gather(*(run(SERVER, settings) for settings, _ in cases))
    for (settings, said), (status, out, err) in zip(cases, done, strict=True):
        assert (status, out) == (1, ""), (settings, err)
        assert said in err, settings
        assert len(err.splitlines()) == 1, err
        assert wrong not in err


async def test_bad_lines_do_not_end_the_server(running_exchange: RunningExchange) -> None:
    """Lines that are no messages, unknown methods and tools: each an error, and it goes on."""
    call = {"jsonrpc": "2.0", "method": "tools/call"}
    lines: list[bytes] = [
        json.dumps(HELLO).encode(),
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        b"nonsense", b"\xff\xfe", b"[]", b'{"jsonrpc":"2.0","id":2}', b"",
        b'{"jsonrpc":"2.0","id":3,"method":"tools/destroy"}',
        json.dumps({**call, "id": 4, "params": {"name": "et_clob_nope"}}).encode(),
        json.dumps({**call, "id": 5, "params": {
            "name": "et_clob_bbo", "arguments": {"symbol": "vaix", "mood": 1}}}).encode(),
        json.dumps({**call, "id": 6, "params": {
            "name": "et_clob_balance", "arguments": {"symbol": "vaix"}}}).encode(),
        json.dumps({**call, "id": 7, "params": {
            "name": "et_clob_bbo", "arguments": {"symbol": "vaix"}}}).encode(),
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *SERVER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment(), "ET_BASE_URL": running_exchange.base_url}, limit=2**20,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n".join(lines) + b"\n")
    answers: dict[object, Any] = {}
    while 7 not in answers or len(answers) < 6:
        raw = await asyncio.wait_for(process.stdout.readline(), 150)
        assert raw, answers
        answer = json.loads(raw)
        answers[answer["id"]] = answer
    process.stdin.close()
    assert process.stderr is not None
    errors = (await process.stderr.read()).decode()
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert answers[1]["result"]["serverInfo"]["name"] == "tandem"
    assert answers[3]["error"]["code"] == -32601
    assert "no tool 'et_clob_nope'" in answers[4]["error"]["message"]
    assert "mood: Extra inputs" in answers[5]["result"]["content"][0]["text"]
    assert answers[6]["result"]["_meta"]["tandem/error"]["code"] == "UNAUTHENTICATED"
    assert answers[7]["result"]["structuredContent"]["symbol"] == "vaix"
    assert "no ET_API_KEY is set: only market data" in errors


async def test_ctrl_c_ends_the_server_at_once(running_exchange: RunningExchange) -> None:
    """A person in a terminal need not end stdin first."""
    process = await asyncio.create_subprocess_exec(
        *SERVER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment(), "ET_BASE_URL": running_exchange.base_url},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(json.dumps(HELLO).encode() + b"\n")
    assert b'"tandem"' in await asyncio.wait_for(process.stdout.readline(), 150)
    process.send_signal(signal.SIGINT)
    try:
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGINT
    finally:
        if process.returncode is None:
            process.kill()
    assert b"Traceback" not in await process.stderr.read()


async def test_exchange_that_goes_away_is_a_tool_error() -> None:
    """It says where nobody answers, in the words of the settings."""
    url = f"http://127.0.0.1:{free_port()}"
    async with HttpTransport(url, None, 30.0, 0) as http:
        with pytest.raises(CallRefusedError) as caught:
            await RemoteBackend(http).call(Asked(method="GET", path="/x", query={}))
    assert caught.value.code == "UNREACHABLE"
    assert f"cannot reach {url}" in caught.value.message
    assert "is ET_BASE_URL right" in caught.value.message


async def test_example_agent_does_its_job(running_exchange: RunningExchange) -> None:
    """It buys what it was told to, and a wrong key is one line."""
    url, wrong = running_exchange.base_url, "evt_" + "0" * 64
    command = (sys.executable, "-W", "error", str(EXAMPLE), "--base-url", url, "--api-key")
    options = ("--max-spread-bps", "100000", "--quantity", "300", "--slice", "200")
    done, refused = await asyncio.gather(
        run((*command, await new_key(url), *options), {}), run((*command, wrong), {})
    )
    status, out, err = done
    assert status == 0, (out, err)
    lines = out.splitlines()
    assert lines[0] == "30 tools; job: buy 300 vaix"
    assert lines[-1] == "bought 300 of 300: done"
    assert sum(line.startswith("et_clob_place_order: ") for line in lines) == 2
    status, out, err = refused
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1, err
    assert "check --base-url and --api-key" in err
