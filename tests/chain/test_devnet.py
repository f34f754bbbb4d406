"""`make devnet`, as a person runs it: every venue of four chains live, and nothing left behind."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devnet.chains import STAGES
from devnet.solana_pools import DEFAULT_MARKETS
from tests.running import free_port, wait_until

READY_WITHIN_S = 240.0
LIVE_WITHIN_S = 120.0
STOP_WITHIN_S = 60.0

pytestmark = pytest.mark.ray


class Devnet:
    """A running `make devnet`; everything it starts is in one session of its own."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.lines: list[str] = []
        command = [sys.executable, "-m", "devnet", "--free-ports", "--"]
        self.process = subprocess.Popen(
            # Limits are off: a test that waits asks more often than a person may.
            [*command, "--port", self.url.rpartition(":")[2], "--limits", "off"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._ready: queue.Queue[bool] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())
                if line.startswith("Tandem is ready at "):
                    self._ready.put(True)
        self._ready.put(False)

    def wait_until_ready(self) -> None:
        """Wait for the exchange's own line."""
        assert self._ready.get(timeout=READY_WITHIN_S), "\n".join(self.lines[-40:])

    def venues(self, symbol: str) -> list[dict[str, Any]]:
        """The pools' rows of a pair."""
        url = f"{self.url}/api/v1/exchange/{symbol}/venues"
        with urllib.request.urlopen(url, timeout=60) as answer:
            rows: list[dict[str, Any]] = json.load(answer)["venues"]
        return [row for row in rows if row["pool"]]

    def status(self) -> dict[str, Any]:
        """What `tandem status --json` says."""
        command = [sys.executable, "-m", "tandem", "status", "--json", "--url", self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def interrupt(self) -> int:
        """Do what Ctrl-C in a terminal does: a signal to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(STOP_WITHIN_S)
        self._reader.join(10)
        return status

    def remains(self) -> list[int]:
        """The processes of its session that still run."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.getsid(int(entry.name)) == self.process.pid:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
        return found


@pytest.fixture
def devnet(packages: None) -> Iterator[Devnet]:
    """A development network that is starting."""
    started = Devnet()
    try:
        yield started
    finally:
        if started.process.poll() is None:
            os.killpg(started.process.pid, signal.SIGKILL)
            started.process.wait(10)


def test_devnet_shows_every_venue_live_and_leaves_nothing_behind(devnet: Devnet) -> None:
    """Each pool of each chain is live from its node, trades print, and Ctrl-C ends all of it."""
    devnet.wait_until_ready()
    wanted = sum(len(stage.pools) for stage in STAGES) + len(DEFAULT_MARKETS)
    symbols = sorted({symbol for stage in STAGES for _, symbol in stage.pools})

    def all_live() -> bool:
        rows = [row for symbol in symbols for row in devnet.venues(symbol)]
        return len(rows) == wanted and all(row["status"] == "live" for row in rows)

    wait_until(all_live, LIVE_WITHIN_S, "every venue live")
    status = devnet.status()
    rows = [row for pair in status["venues"].values() for row in pair if row["pool"]]
    assert {row["status"] for row in rows} == {"live"}
    assert {row["source"] for row in rows} == {"node"}
    assert {row["chain"] for row in rows} == {"ethereum", "base", "arbitrum", "solana"}
    assert {kind.partition(":")[0] for stage in STAGES for kind, _ in stage.pools} <= {
        row["kind"] for row in rows
    }

    def traded() -> bool:
        url = f"{devnet.url}/api/v1/exchange/vaix/trades"
        with urllib.request.urlopen(url, timeout=60) as answer:
            trades = json.load(answer)["trades"]
        return {trade["chain"] for trade in trades} >= {"ethereum", "base", "arbitrum"}

    wait_until(traded, LIVE_WITHIN_S, "swaps of others on the tape")
    assert devnet.interrupt() == 0, "\n".join(devnet.lines[-20:])
    wait_until(lambda: devnet.remains() == [], 60.0, "every process ended")
