"""The TypeScript example programs, run as a user runs them. Needs Node."""

import asyncio
import json
import shutil
import subprocess
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from event_trader import SyncEventTrader

from tests.clients import new_key
from tests.integration.test_sdk_examples import WITHIN_S, Program
from tests.integration.test_typescript_sdk import SDK, built
from tests.running import RunningExchange, wait_until

__all__ = ["built"]

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None,
    reason="THE TYPESCRIPT EXAMPLES WERE NOT TESTED: install Node 20 or newer",
)


class Example(Program):
    """One example, compiled and running."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            ["node", str(SDK / "build" / "examples" / name), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()


@pytest.fixture
def key(built: None, running_exchange: RunningExchange) -> str:
    """A key of a fresh account."""
    return asyncio.run(new_key(running_exchange.base_url))


def test_market_maker_quotes_both_sides_and_cancels_all_on_ctrl_c(
    running_exchange: RunningExchange, key: str
) -> None:
    """Two quotes stand while it runs; none after Ctrl-C, and the exit status is 0."""
    url = running_exchange.base_url
    maker = Example(
        "market_maker.js", "--api-key", key, "--base-url", url, "--refresh", "0.2",
        "--drift-bps", "0",
    )  # fmt: skip
    with SyncEventTrader(key, base_url=url) as client:
        maker.until(lambda: {o["side"] for o in client.clob.open_orders("vaix")} == {"buy", "sell"})
        assert maker.interrupt() == 0, maker.lines
        assert client.clob.open_orders("vaix") == []
    assert maker.lines[-1].startswith("done: ")


def test_twap_example_places_and_cancels_on_ctrl_c(
    running_exchange: RunningExchange, key: str
) -> None:
    """It shows progress; Ctrl-C cancels the TWAP."""
    url = running_exchange.base_url
    twap = Example("twap.js", "--api-key", key, "--base-url", url, "--refresh", "0.2")
    with SyncEventTrader(key, base_url=url) as client:
        twap.until(lambda: len(twap.lines) >= 2)
        assert len(client.clob.active_twaps("vaix")) == 1
        assert twap.interrupt() == 0, twap.lines
        assert client.clob.active_twaps("vaix") == []
    assert twap.lines[0].startswith("placed twap_vaix_p_")
    assert twap.lines[-1].startswith("canceled: ")


def test_book_recorder_writes_frames_that_replay(
    running_exchange: RunningExchange, key: str, tmp_path: Path
) -> None:
    """The recording begins with a snapshot and holds each change; its checksums hold."""
    url, out = running_exchange.base_url, tmp_path / "book.jsonl"
    recorder = Example("book_recorder.js", "--base-url", url, "--out", str(out), "--frames", "4")
    with SyncEventTrader(key, base_url=url) as client:

        def trade() -> bool:
            order = client.clob.place_order("vaix", "buy", "1000", price="0.001")
            client.clob.cancel_order("vaix", order["order_id"])
            return recorder.process.poll() is not None

        wait_until(trade, WITHIN_S, "the recording")
    assert recorder.wait() == 0, recorder.lines
    frames = [json.loads(line) for line in out.read_text().splitlines()]
    assert [frame["type"] for frame in frames] == ["snapshot", "update", "update", "update"]
    assert recorder.lines[-1].startswith("4 frames in ")


def test_arbitrage_watcher_compares_the_venues(
    built: None, running_exchange: RunningExchange
) -> None:
    """With a threshold below zero there is always an edge to show."""
    url = running_exchange.base_url
    watcher = Example(
        "arbitrage_watcher.js", "--base-url", url, "--min-edge-bps=-1000", "--looks", "2"
    )
    assert watcher.wait() == 0, watcher.lines
    assert "bps: buy on " in watcher.lines[0]
    assert watcher.lines[-1] == "looked 2 times"


def test_agent_buys_over_mcp_until_its_job_is_over(
    running_exchange: RunningExchange, key: str
) -> None:
    """Call by call, each with its reason; what it says it bought is what the account has."""
    url = running_exchange.base_url
    with SyncEventTrader(key, base_url=url) as client:
        before = client.clob.balance("vaix", mode="paper")["base"]["available"]
        agent = Example("mcp_agent.js", "--api-key", key, "--base-url", url, "--quantity", "2000")
        assert agent.wait() == 0, agent.lines
        after = client.clob.balance("vaix", mode="paper")["base"]["available"]
    assert agent.lines[0].endswith("job: buy 2000 vaix")
    assert agent.lines[1].startswith("et_clob_preflight: ")
    bought = Decimal(agent.lines[-1].removeprefix("bought ").split(" of ")[0])
    assert Decimal(after) - Decimal(before) == bought, agent.lines


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mcp_agent.js", ["--api-key", "evt_" + "0" * 64]),
        ("market_maker.js", ["--api-key", "evt_" + "0" * 64]),
        ("twap.js", ["--api-key", "evt_" + "0" * 64]),
        ("book_recorder.js", ["--pair", "nope", "--out", "/dev/null"]),
        ("arbitrage_watcher.js", ["--pair", "nope"]),
    ],
)
def test_example_that_cannot_run_says_why_in_one_line(
    built: None, running_exchange: RunningExchange, name: str, options: list[str]
) -> None:
    """A wrong key or pair, and a wrong URL: exit status 1 and one line that says what to do."""
    wrong = [Example(name, *options, "--base-url", running_exchange.base_url)]
    wrong.append(Example(name, *options, "--base-url", "not a url"))
    for program in wrong:
        assert program.wait() == 1, program.lines
        assert len(program.lines) == 1, program.lines
        assert "What to do" in program.lines[0] or "baseUrl must be" in program.lines[0]
