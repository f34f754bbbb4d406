"""The example programs in both languages, run as a user runs them: output, Ctrl-C, one-line errors.

Those in TypeScript need Node.
"""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from event_trader import SyncEventTrader

from tests.clients import new_key
from tests.integration.test_typescript_sdk import SDK, build
from tests.running import RunningExchange, wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
WITHIN_S = 120.0
ADVICE = ("What to do", "base_url must be", "baseUrl must be", "check --base-url")


class Program:
    """One example, running."""

    def __init__(self, *command: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in self.process.stdout)

    def wait(self) -> int:
        """Wait for its end; returns the exit status."""
        try:
            status = self.process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def interrupt(self) -> int:
        """Press Ctrl-C and wait for its end."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, while the program runs."""
        try:
            wait_until(lambda: condition() or self.process.poll() is not None, WITHIN_S, "it")
        except AssertionError:
            self.process.kill()
            raise
        assert self.process.poll() is None, self.lines


Example = Callable[..., Program]
"""Starts an example by its name, with options."""


def in_python(name: str, *options: str) -> Program:
    """Start an example as it is written."""
    return Program(sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *options)


def in_typescript(name: str, *options: str) -> Program:
    """Start an example as it is compiled."""
    return Program("node", str(SDK / "build" / "examples" / f"{name}.js"), *options)


NODE = pytest.mark.skipif(
    shutil.which("npm") is None,
    reason="THE TYPESCRIPT EXAMPLES WERE NOT TESTED: install Node 20 or newer",
)


@pytest.fixture(params=[in_python, pytest.param(in_typescript, marks=NODE)])
def example(request: pytest.FixtureRequest) -> Example:
    """Each language's way to start an example."""
    if request.param is in_typescript:
        build()
    start: Example = request.param
    return start


@pytest.fixture
def key(running_exchange: RunningExchange) -> str:
    """A key of a fresh account."""
    return asyncio.run(new_key(running_exchange.base_url))


def test_market_maker_quotes_both_sides_and_cancels_all_on_ctrl_c(
    running_exchange: RunningExchange, key: str, example: Example
) -> None:
    """Two quotes stand while it runs; none after Ctrl-C, and the exit status is 0."""
    url = running_exchange.base_url
    maker = example(
        "market_maker", "--api-key", key, "--base-url", url, "--refresh", "0.2",
        "--drift-bps", "0",
    )  # fmt: skip
    with SyncEventTrader(key, base_url=url) as client:
        maker.until(lambda: {o["side"] for o in client.clob.open_orders("vaix")} == {"buy", "sell"})
        assert maker.interrupt() == 0, maker.lines
        assert client.clob.open_orders("vaix") == []
    assert maker.lines[-1].startswith("done: ")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mcp_agent", ["--api-key", "evt_" + "0" * 64]),
        ("market_maker", ["--api-key", "evt_" + "0" * 64]),
        ("twap", ["--api-key", "evt_" + "0" * 64]),
        ("book_recorder", ["--pair", "nope", "--out", "/dev/null"]),
        ("arbitrage_watcher", ["--pair", "nope"]),
    ],
)
def test_example_that_cannot_run_says_why_in_one_line(
    running_exchange: RunningExchange, example: Example, name: str, options: list[str]
) -> None:
    """A wrong key or pair, and a wrong URL: exit status 1 and one line that says what to do."""
    wrong = [example(name, *options, "--base-url", running_exchange.base_url)]
    wrong.append(example(name, *options, "--base-url", "not a url"))
    for program in wrong:
        assert program.wait() == 1, program.lines
        assert len(program.lines) == 1, program.lines
        assert any(advice in program.lines[0] for advice in ADVICE)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("market_maker", "--size"),
        ("arbitrage_watcher", "--min-edge-bps"),
        ("mcp_agent", "--max-spread-bps"),
    ],
)
def test_python_example_tells_a_number_that_is_none(name: str, option: str) -> None:
    """A typo is told with the option's name, and no traceback."""
    program = in_python(name, option, "much")
    assert program.wait() == 2, program.lines
    assert f"argument {option}: invalid number value: 'much'" in program.lines[-1]


def test_twap_example_places_and_cancels_on_ctrl_c(
    running_exchange: RunningExchange, key: str, example: Example
) -> None:
    """It shows progress; Ctrl-C cancels the TWAP."""
    url = running_exchange.base_url
    twap = example("twap", "--api-key", key, "--base-url", url, "--refresh", "0.2")
    with SyncEventTrader(key, base_url=url) as client:
        twap.until(lambda: len(twap.lines) >= 2)
        assert len(client.clob.active_twaps("vaix")) == 1
        assert twap.interrupt() == 0, twap.lines
        assert client.clob.active_twaps("vaix") == []
    assert twap.lines[0].startswith("placed twap_vaix_p_")
    assert twap.lines[-1].startswith("canceled: ")


def test_book_recorder_writes_frames_that_replay(
    running_exchange: RunningExchange, key: str, example: Example, tmp_path: Path
) -> None:
    """The recording begins with a snapshot and holds each change; its checksums hold."""
    url, out = running_exchange.base_url, tmp_path / "book.jsonl"
    recorder = example("book_recorder", "--base-url", url, "--out", str(out), "--frames", "4")
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
    running_exchange: RunningExchange, example: Example
) -> None:
    """With a threshold below zero there is always an edge to show."""
    url = running_exchange.base_url
    watcher = example(
        "arbitrage_watcher", "--base-url", url, "--min-edge-bps=-1000", "--looks", "2"
    )
    assert watcher.wait() == 0, watcher.lines
    assert "bps: buy on " in watcher.lines[0]
    assert watcher.lines[-1] == "looked 2 times"


def test_agent_buys_over_mcp_until_its_job_is_over(
    running_exchange: RunningExchange, key: str, example: Example
) -> None:
    """Call by call, each with its reason; what it says it bought is what the account has."""
    url = running_exchange.base_url
    with SyncEventTrader(key, base_url=url) as client:
        before = client.clob.balance("vaix", mode="paper")["base"]["available"]
        agent = example("mcp_agent", "--api-key", key, "--base-url", url, "--quantity", "2000")
        assert agent.wait() == 0, agent.lines
        after = client.clob.balance("vaix", mode="paper")["base"]["available"]
    assert agent.lines[0].endswith("job: buy 2000 vaix")
    assert agent.lines[1].startswith("et_clob_preflight: ")
    bought = Decimal(agent.lines[-1].removeprefix("bought ").split(" of ")[0])
    assert Decimal(after) - Decimal(before) == bought, agent.lines
