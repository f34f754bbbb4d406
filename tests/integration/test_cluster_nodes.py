"""An exchange on a Ray cluster: its actors on the nodes that their resources name."""

import contextlib
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.test_start_and_stop import PREFIX, call, open_orders, place, register
from tests.running import STOP_WITHIN_S, RunningExchange, free_port, wait_until

pytestmark = pytest.mark.ray

HEAD = '{"supervisor": 1, "pair": 1, "account": 1, "feed_recorded": 1}'
FRONT = '{"gateway": 1, "feed": 1, "bot": 1}'
STARTED_WITHIN_S = 150.0


class Node:
    """One Ray node of this machine, with all its processes in a group of their own."""

    def __init__(self, title: str, options: list[str], environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1"]
        self.process = subprocess.Popen(
            [*command, "--node-ip-address=127.0.0.1", "--disable-usage-stats", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=environment,
        )
        self.title = title
        self._lines: list[str] = []
        self._up: queue.Queue[bool] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def await_up(self) -> None:
        """Wait until Ray says that the node runs."""
        try:
            came_up = self._up.get(timeout=STARTED_WITHIN_S)
        except queue.Empty:
            came_up = False
        assert came_up, f"the {self.title} did not start:\n" + "\n".join(self._lines[-40:])

    def titles(self) -> list[str]:
        """Name the node's processes."""
        return [title for title, _ in self.named("")]

    def named(self, mark: str) -> list[tuple[str, psutil.Process]]:
        """List the processes whose title has the mark, with their titles."""
        found = []
        for one in self.processes():
            with contextlib.suppress(psutil.Error):  # one that ended meanwhile
                title = " ".join(one.cmdline())
                if mark in title:
                    found.append((title, one))
        return found

    def processes(self) -> list[psutil.Process]:
        """List the node's processes."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        """End the node and whatever it started."""
        family = [] if self.process.poll() is not None else self.processes()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        for one in psutil.wait_procs(family, timeout=30)[1]:
            one.kill()
        self._reader.join(10)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.append(line.rstrip())
                if "Ray runtime started" in line:
                    self._up.put(True)
        self._up.put(False)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Node, Node]]:
    """Start a head and a further node; gives the address and both."""
    directory = tmp_path_factory.mktemp("c")
    token = directory / "token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    address = f"127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    head = Node(
        "head",
        ["--head", f"--port={port}", "--include-dashboard=false", f"--resources={HEAD}"],
        environment,
    )
    front = None
    try:
        head.await_up()
        front = Node("front node", [f"--address={address}", f"--resources={FRONT}"], environment)
        front.await_up()
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token))
        yield address, head, front
    finally:
        os.environ.pop("RAY_AUTH_MODE", None)
        os.environ.pop("RAY_AUTH_TOKEN_PATH", None)
        if front is not None:
            front.end()
        head.end()


def test_exchange_on_two_nodes_trades_and_survives_its_actors(
    nodes: tuple[str, Node, Node], tmp_path: Path
) -> None:
    """Pairs run where `pair` is, gateways where `gateway` is; both come back after kill -9."""
    address, head, front = nodes
    exchange = RunningExchange(tmp_path / "data", "--address", address, "--limits", "off")
    with exchange:
        assert any("PairActor:vaix" in title for title in head.titles())
        assert any("GatewayActor" in title for title in front.titles())
        assert not any("PairActor" in title for title in front.titles())
        # The chain's own resource wins over `feed`, which the front node offers.
        assert any("FeedActor:recorded" in title for title in head.titles())
        token = register(exchange, "ada")
        placed = [place(exchange, token, "0.001"), place(exchange, token, "0.0011")]
        for node, mark in ((head, "PairActor:vaix"), (front, "GatewayActor")):
            [(_, victim)] = node.named(mark)
            victim.kill()
            wait_until(
                lambda: call(exchange, "GET", "/ready")[0] == 200, 120, f"{mark} being there again"
            )
        assert open_orders(exchange, token) == sorted(placed)
        status, body = call(exchange, "DELETE", f"{PREFIX}/vaix/orders", token=token)
        assert (status, body["cancelled"]) == (200, 2)
    wait_until(lambda: not head.named("Actor:") + front.named("Actor:"), 60, "every actor's end")
