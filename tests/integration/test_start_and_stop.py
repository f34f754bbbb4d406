"""The whole exchange as a user starts it: it comes up, trades, recovers, continues, and ends."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.running import RunningExchange, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]
PREFIX = "/api/v1/exchange"


def call(
    exchange: RunningExchange, method: str, path: str, body: object = None, token: str = ""
) -> tuple[int, dict[str, Any]]:
    """Make one request; returns status and body, (0, {}) where nobody answers."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(exchange.base_url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, {}


def register(exchange: RunningExchange, name: str) -> str:
    """Open an account; returns its token."""
    agreed = {"tos_accepted": True, "privacy_policy_accepted": True}
    body = {"email": f"{name}@example.com", "username": name, "password": "correct horse", **agreed}
    status, answer = call(exchange, "POST", "/auth/register", body)
    assert status == 201, answer
    return str(answer["access_token"])


def actors(exchange: RunningExchange) -> dict[str, Any]:
    """Read who runs where, as `tandem status` tells it."""
    command = [sys.executable, "-m", "tandem", "status", "--json"]
    command += ["--data-dir", str(exchange.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return dict(json.loads(done.stdout)["actors"]) if done.stdout else {}


def is_ready(exchange: RunningExchange) -> bool:
    """Ask whether it can trade."""
    return call(exchange, "GET", "/ready")[0] == 200


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """Start one exchange for the tests of this file."""
    running = RunningExchange(tmp_path_factory.mktemp("exchange") / "data", "--limits", "off")
    with running:
        yield running


def test_start_gives_every_pair_thirty_hybrid_levels(exchange: RunningExchange) -> None:
    """From the first second each default pair shows at least 30 levels a side."""
    for symbol in ("vaix", "sbio", "btc", "eth"):
        _, book = call(exchange, "GET", f"{PREFIX}/{symbol}/book/hybrid?depth=30")
        assert min(len(book["bids"]), len(book["asks"])) >= 30


def test_pair_killed_keeps_its_orders_and_trades_again(exchange: RunningExchange) -> None:
    """After kill -9 of a pair's process the order is there, and its funds are held once."""
    token = register(exchange, "killed")
    order = {"side": "buy", "quantity": "1000", "price": "0.002"}
    status, placed = call(exchange, "POST", f"{PREFIX}/vaix/orders", order, token)
    assert status == 200, placed
    wait_until(lambda: bool(actors(exchange).get("pair:vaix", {}).get("pid")), 30, "the status")
    pid = int(actors(exchange)["pair:vaix"]["pid"])
    assert "PairActor:vaix" in " ".join(psutil.Process(pid).cmdline())
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(pid), 10, "the end of the killed process")
    wait_until(lambda: is_ready(exchange), 60, "the recovery")
    _, found = call(exchange, "GET", f"{PREFIX}/vaix/orders/open", token=token)
    assert [one["order_id"] for one in found["orders"]] == [placed["order_id"]]
    path = f"{PREFIX}/vaix/orders/{placed['order_id']}"
    status, canceled = call(exchange, "DELETE", path, token=token)
    assert (status, canceled["status"]) == (200, "canceled")
    _, balance = call(exchange, "GET", f"{PREFIX}/vaix/balance", token=token)
    assert (balance["quote"]["available"], balance["quote"]["locked"]) == ("100000", "0")


def test_port_taken_is_told_in_one_line(exchange: RunningExchange, tmp_path: Path) -> None:
    """A second exchange on the same port ends at once, and says what to do."""
    command = [sys.executable, "-m", "tandem", "up", "--port", str(exchange.port)]
    command += ["--data-dir", str(tmp_path / "other")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"port {exchange.port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_directory_in_use_is_told(exchange: RunningExchange) -> None:
    """A second exchange on the same data ends at once, and names the first one's process."""
    assert exchange.process is not None
    rival = RunningExchange(exchange.data_dir)
    with pytest.raises(AssertionError, match="is in use by process"):
        rival.start()
    assert is_ready(exchange)


def test_stop_leaves_no_process_and_the_next_start_continues(tmp_path: Path) -> None:
    """Ctrl-C ends every process; a second start has the same orders and balances."""
    first = RunningExchange(tmp_path / "data", "--limits", "off")
    first.start()
    assert first.process is not None
    family = psutil.Process(first.process.pid).children(recursive=True)
    token = register(first, "stayer")
    order = {"side": "sell", "quantity": "500", "price": "0.009"}
    status, placed = call(first, "POST", f"{PREFIX}/vaix/orders", order, token)
    assert status == 200, placed
    assert first.stop() == 0
    gone_by = time.monotonic() + 5
    _, alive = psutil.wait_procs(family, timeout=max(0.0, gone_by - time.monotonic()))
    assert alive == []
    with RunningExchange(tmp_path / "data", "--limits", "off") as second:
        _, found = call(second, "GET", f"{PREFIX}/vaix/orders/open", token=token)
        assert [one["order_id"] for one in found["orders"]] == [placed["order_id"]]
        assert second.process is not None
        family = psutil.Process(second.process.pid).children(recursive=True)
        second.kill()
        _, alive = psutil.wait_procs(family, timeout=20)
        assert alive == [], "a driver killed without warning leaves processes behind"
