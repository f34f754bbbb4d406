"""The people's commands against a started exchange: what they do, and what bad input gets."""

import asyncio
import json
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from event_trader import EventTrader

from tests.clients import PASSWORD, new_key
from tests.proxies import CuttingProxy
from tests.running import RunningExchange
from tests.terminals import Screen, Shell

PAIR = "sbio"


@pytest.fixture(scope="module")
def shell(
    running_exchange: RunningExchange, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    """Somebody who has registered, and is logged in."""
    made = Shell(tmp_path_factory.mktemp("config"), running_exchange.base_url)
    name = f"cli{secrets.token_hex(4)}"
    told = made.json(
        "register", "--email", f"{name}@example.com", "--username", name, "--password-stdin",
        "--accept-terms", typed=f"{PASSWORD}\n",
    )  # fmt: skip
    assert told == {"name": name, "mode": "paper", "base_url": running_exchange.base_url}
    yield made
    done = made.run("logout")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def stranger(running_exchange: RunningExchange, tmp_path: Path) -> Shell:
    """Somebody who is not logged in."""
    return Shell(tmp_path, running_exchange.base_url)


def test_order_is_placed_listed_and_cancelled(shell: Shell) -> None:
    """A limit order's life in four commands, as tables and as JSON."""
    placed = shell.run("buy", PAIR, "10", "--price", "0.001")
    assert placed.returncode == 0, placed.stderr
    assert "PAPER buy 10 SBIO at 0.00100: open" in placed.stdout
    assert "\x1b[" not in placed.stdout
    [order] = shell.json("orders")
    assert (order["side"], order["price"], order["mode"]) == ("buy", "0.00100", "paper")
    table = shell.run("orders", PAIR).stdout
    assert "Open orders · PAPER" in table
    assert order["order_id"] in table
    assert "canceled" in shell.run("cancel", order["order_id"]).stdout
    assert shell.json("orders", PAIR, "--history")[0]["order_id"] == order["order_id"]


def test_market_order_moves_the_balance(shell: Shell) -> None:
    """Without a price it takes; the balance and the tape show it, to the digit."""

    def total() -> str:
        rows = {row["asset"]: row for row in shell.json("balance")}
        return str(rows["SBIO"]["total"])

    before = total()
    order = shell.json("buy", PAIR, "7")
    assert (order["status"], order["order_type"]) == ("filled", "market")
    assert int(float(total())) - int(float(before)) == 7
    assert f" {total()}" in shell.run("balance").stdout
    own = {fill["trade_id"] for fill in order["fills"]}
    tape = shell.json("trades", PAIR, "--mode", "paper")
    assert own <= {trade["trade_id"] for trade in tape}
    assert f"Trades {PAIR.upper()} · PAPER" in shell.run("trades", PAIR).stdout


def test_order_with_a_name_of_its_own_is_placed_once(shell: Shell) -> None:
    """A script that repeats a command after a lost answer buys once, though it filled at once."""
    command = ("buy", PAIR, "3", "--client-order-id", f"once.{secrets.token_hex(4)}")
    first, again = shell.json(*command), shell.json(*command)
    assert (first["status"], first["order_id"]) == ("filled", again["order_id"])


def test_all_orders_are_cancelled_at_once(shell: Shell) -> None:
    """``cancel --all`` leaves none."""
    assert shell.run("buy", PAIR, "20", "--price", "0.001").returncode == 0
    assert shell.json("cancel", "--all", "--symbol", "vaix")["cancelled"] == 0
    assert shell.run("cancel", "--all").stdout == "1 order cancelled\n"


def test_markets_and_book_need_no_login(shell: Shell, stranger: Shell) -> None:
    """Public commands work for everybody, in both forms."""
    assert shell.config != stranger.config
    assert {row["symbol"] for row in stranger.json("markets")} >= {"vaix", "sbio", "btc", "eth"}
    book = stranger.json("book", PAIR, "--depth", "3")
    text = stranger.run("book", PAIR, "--depth", "3").stdout
    assert "SBIO with pools" in text
    assert "spread" in text
    assert book["bids"]
    assert book["asks"]


def test_log_in_is_kept_for_its_owner_only_and_ends(shell: Shell, stranger: Shell) -> None:
    """A second log-in on another machine: password in, file 0600, out again."""
    name = shell.json("account")["username"]
    told = stranger.run("login", "--user", name, "--password-stdin", typed=f"{PASSWORD}\n")
    assert f"as {name} · PAPER" in told.stdout
    kept = stranger.config / "tandem" / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert PASSWORD not in kept.read_text()
    assert stranger.json("account")["username"] == name
    assert stranger.run("logout").returncode == 0
    done = stranger.run("balance")
    assert done.returncode == 3
    assert "nobody is logged in at" in done.stderr
    wrong = stranger.run("login", "--user", name, "--password-stdin", typed="wrong\n")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (3, 1)


def test_key_is_made_used_and_revoked(shell: Shell, stranger: Shell) -> None:
    """A key alone on standard output logs somebody in; revoked it is good for nothing."""
    made = shell.run("keys", "create", "cli", "--trade", "--market", PAIR)
    key = made.stdout.strip()
    assert key.startswith("evt_")
    assert key not in made.stderr
    [row] = [row for row in shell.json("keys", "list") if row["name"] == "cli"]
    assert row["allowed_markets"] == [PAIR]
    assert stranger.run("login", "--api-key-stdin", typed=f"{key}\n").returncode == 0
    assert stranger.run("balance").returncode == 0
    denied = stranger.run("keys", "list")
    assert (denied.returncode, len(denied.stderr.splitlines())) == (3, 1)
    assert "password instead of a key" in denied.stderr
    assert shell.json("keys", "revoke", row["id"]) == {"revoked": row["id"]}
    revoked = stranger.run("balance")
    assert revoked.returncode == 3
    assert "log in with `tandem login`" in revoked.stderr


async def test_two_commands_at_once_renew_a_log_in_once(shell: Shell) -> None:
    """A refresh token is good only once; the second command finds the new one."""
    path = shell.config / "tandem" / "credentials.json"
    content = json.loads(path.read_text())
    old = content["exchanges"][shell.base_url]
    old["expires_at"] = 0
    path.write_text(json.dumps(content))
    runs = [asyncio.to_thread(shell.run, "account") for _ in range(2)]
    done = await asyncio.gather(*runs)
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 2
    new = json.loads(path.read_text())["exchanges"][shell.base_url]
    assert new["refresh_token"] != old["refresh_token"]


async def test_live_order_is_placed_only_when_said_so(shell: Shell) -> None:
    """A paper account refuses --mode live; a live one asks, and without a terminal refuses."""
    status, said = await shell.failing("buy", PAIR, "1", "--mode", "live")
    assert (status, "tandem account --mode live" in said) == (1, True)
    assert "LIVE" in shell.run("account", "--mode", "live").stdout
    try:
        status, said = await shell.failing("buy", PAIR, "1", "--price", "0.001")
        assert (status, "add --yes" in said) == (1, True)
        status, _ = await shell.failing("buy", PAIR, "1", "--price", "0.001", "--yes")
        assert status in (1, 3)  # no live funds, or no live market
    finally:
        assert "PAPER" in shell.run("account", "--mode", "paper").stdout


WRONG: tuple[tuple[tuple[str, ...], dict[str, str], int, str], ...] = (
    (("book", "nope"), {}, 1, "`tandem markets` lists what there is"),
    (("book", "nope", "--watch"), {}, 1, "`tandem markets` lists what there is"),
    (("balance",), {"ET_API_KEY": "evt_" + "0" * 64}, 3, "log in with `tandem login`"),
    (("balance",), {"ET_API_KEY": "two words\n"}, 2, "must be an evt_... key"),
    (("markets", "--base-url", "http://127.0.0.1:9"), {}, 4, "name another with --base-url"),
    (("markets", "--base-url", "nonsense"), {}, 2, "--base-url must be like http"),
    (("cancel", "17"), {}, 2, "an order id is like ord_vaix_p_17"),
    (("cancel", "ord_vaix_p_999999"), {}, 1, "`tandem orders`"),
    (("buy", "vaix", "1", "--price", "x"), {}, 1, "price"),
    (("buy", "vaix", "999999999", "--price", "0.1"), {}, 1, "INSUFFICIENT_FUNDS"),
)
"""Command, environment, exit status, and what the one line says."""


async def test_what_cannot_be_done_is_one_line_that_says_what_to_do(shell: Shell) -> None:
    """A status that is not 0, one line, and never a traceback."""
    at_once = asyncio.Semaphore(3)

    async def run(arguments: tuple[str, ...], environ: dict[str, str]) -> tuple[int, str]:
        async with at_once:
            return await shell.failing(*arguments, **environ)

    ended = await asyncio.gather(*(run(one[0], one[1]) for one in WRONG))
    for (arguments, _, status, said), (found, line) in zip(WRONG, ended, strict=True):
        assert (found, said in line) == (status, True), f"{arguments}: {line}"


async def answering(handler: Any) -> web.AppRunner:
    """Start a server that answers everything with one handler."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


async def told_by(runner: web.AppRunner, shell: Shell, *arguments: str) -> tuple[int, str]:
    """Run a command against that server; gives its status and the line."""
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        return await shell.failing(*arguments, "--base-url", url)
    finally:
        await runner.cleanup()


async def test_server_that_is_not_tandem_is_told(stranger: Shell) -> None:
    """A web page, or somebody else's JSON."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>hello</html>", content_type="text/html")

    status, said = await told_by(await answering(page), stranger, "markets")
    assert (status, "name an exchange with --base-url" in said) == (4, True)

    async def other(_: web.Request) -> web.Response:
        return web.json_response({"markets": "none", "ok": True}, status=404)

    status, said = await told_by(await answering(other), stranger, "book", "vaix")
    assert (status, "not Tandem" in said) == (4, True)


async def test_exchange_that_is_too_old_is_told_with_its_version(stranger: Shell) -> None:
    """It is a Tandem, but lacks the path."""

    async def old(request: web.Request) -> web.Response:
        if request.path == "/health":
            return web.json_response({"status": "ok", "gateway": "g", "version": "0.0.9"})
        error = {"code": "NOT_FOUND", "message": "No such path.", "details": {}}
        body = {"detail": "No such path.", "error": error, "request_id": "r"}
        return web.json_response(body, status=404)

    status, said = await told_by(await answering(old), stranger, "markets")
    assert (status, "0.0.9" in said, "upgrade the exchange" in said) == (4, True, True)


async def test_stream_closed_for_slowness_is_told(stranger: Shell) -> None:
    """Closed again and again with 4408, it gives up and says what to do."""

    async def slow(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/bbo"):
            return web.json_response({"mode": "paper"})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close(code=4408, message=b"too slow")
        return socket

    status, said = await told_by(await answering(slow), stranger, "book", "vaix", "--watch")
    assert (status, "reads it too slowly" in said) == (4, True)


async def test_watched_book_is_live_and_outlives_its_connection(
    running_exchange: RunningExchange, stranger: Shell
) -> None:
    """Orders appear as they are placed, also after the connection was cut; Ctrl-C ends with 0."""
    key = await new_key(running_exchange.base_url)
    options = ("book", PAIR, "--watch", "--depth", "200", "--mode", "paper")
    async with (
        CuttingProxy(running_exchange.base_url) as proxy,
        EventTrader(key, base_url=running_exchange.base_url) as trader,
    ):
        screen = Screen(stranger, *options, "--orders-only", "--base-url", proxy.url)
        await screen.until(lambda: "SBIO orders only · PAPER" in screen.text, "the ladder")
        await trader.clob.place_order(PAIR, "buy", "41", price="0.00771", mode="paper")
        await screen.until(lambda: "0.00771" in screen.text, "the first order")
        proxy.cut()
        await trader.clob.place_order(PAIR, "buy", "43", price="0.00773", mode="paper")
        await screen.until(lambda: "0.00773" in screen.text, "the order after the cut")
        assert "connected again" in screen.text
        assert "\x1b[32m" in screen.raw or "\x1b[38" in screen.raw
        await trader.clob.kill_switch()
        assert await screen.end() == 0
    assert "Traceback" not in screen.text


async def test_no_color_is_respected_in_a_terminal(stranger: Shell) -> None:
    """With NO_COLOR a terminal gets no colour; without, it does."""
    coloured, plain = Screen(stranger, "markets"), Screen(stranger, "markets", NO_COLOR="1")
    assert [await asyncio.to_thread(one.wait) for one in (coloured, plain)] == [0, 0]
    assert "VAIX/USDC" in plain.text
    colours = ("\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1;31m", "\x1b[2m", "\x1b[38")
    assert any(colour in coloured.raw for colour in colours)
    assert not any(colour in plain.raw for colour in ("\x1b[31m", "\x1b[33m", "\x1b[1;31m"))


def test_commands_start_light_and_complete(stranger: Shell) -> None:
    """`tandem markets` loads nothing of the exchange; a shell completes the commands."""
    program = (
        "import sys; from tandem.cli import main; sys.argv[1:] = ['markets', '--json']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('ray', 'redis', 'web3', 'ccxt', 'numpy', 'mcp')\n"
        "sys.exit(','.join(name for name in heavy if name in sys.modules) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False,
        env=stranger.environ(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    asked = {"_TANDEM_COMPLETE": "complete_bash", "COMP_WORDS": "tandem bo", "COMP_CWORD": "1"}
    assert stranger.run(**asked).stdout.split() == ["book"]
    script = stranger.run(_TANDEM_COMPLETE="source_bash").stdout  # what a shell is given to read
    assert "complete -o default -F _tandem_completion tandem" in script
