"""Programs that a benchmark measures, each a process of its own: the exchange, and the echo."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

READY_WITHIN_S: Final = 120.0
STOP_WITHIN_S: Final = 30.0
_READY: Final = "Tandem is ready at "
_PASSWORD: Final = "bench-bench-bench"


class StartError(Exception):
    """A program did not come up; the message holds what it printed."""


class Running(NamedTuple):
    """A started exchange: where it listens, and the process that has all others for children."""

    port: int
    pid: int


@contextlib.contextmanager
def exchange(directory: Path, *options: str) -> Iterator[int]:
    """Run `tandem up --limits off` on a free port; yields the port, stops it as Ctrl-C does.

    Args:
        directory: its data directory.
        options: further options of `tandem up`.
    """
    with running(directory, *options) as started:
        yield started.port


@contextlib.contextmanager
def running(
    directory: Path, *options: str, ready_within_s: float = READY_WITHIN_S
) -> Iterator[Running]:
    """Run as `exchange` does; yields the process too."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "tandem", "up", "--port", str(port), "--limits", "off"]
    process = subprocess.Popen(
        [*command, "--data-dir", str(directory), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    lines: list[str] = []
    ready = threading.Event()
    threading.Thread(target=_read, args=(process, lines, ready), daemon=True).start()
    try:
        ready.wait(ready_within_s)
        if not any(line.startswith(_READY) for line in lines):
            raise StartError("the exchange did not come up:\n" + "\n".join(lines[-40:]))
        yield Running(port, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _read(process: "subprocess.Popen[str]", lines: list[str], ready: threading.Event) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith(_READY):
            ready.set()
    ready.set()


@contextlib.contextmanager
def echo(directory: Path, body: bytes) -> Iterator[int]:
    """Run the bare echo, answering GET with ``body``; yields its port."""
    answer = directory / "answer.json"
    answer.write_bytes(body)
    process = subprocess.Popen(
        [sys.executable, "-m", "load_tests.echo", str(answer)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise StartError(f"the echo did not come up: {line!r}")
        yield int(line)
    finally:
        process.stdin.close()
        process.wait(STOP_WITHIN_S)
        process.stdout.close()


def register(port: int, number: int) -> str:
    """Open an account (with its paper money); returns its access token."""
    answer = call(
        port,
        "/auth/register",
        {
            "email": f"bench{number}@example.com",
            "username": f"bench{number}",
            "password": _PASSWORD,
            "tos_accepted": True,
            "privacy_policy_accepted": True,
        },
    )
    return str(answer["access_token"])


def call(port: int, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Send one request the slow way; GET without a body, POST with one."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        told: dict[str, Any] = json.load(answer)
        return told
