"""A whole exchange, started as a user starts it: `tandem up` in a process of its own."""

import os
import queue
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

READY_WITHIN_S = 180.0
STOP_WITHIN_S = 60.0


def free_port() -> int:
    """Choose a port that nobody uses, below those the system hands out by itself.

    Ray takes many of the latter while an exchange starts, and would take this one too.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class RunningExchange:
    """One `tandem up`, with its data directory.

    Args:
        data_dir: where it keeps its data; the same directory continues the same exchange.
        options: further options of `tandem up`, such as ``--limits off``.
    """

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        self.options = options
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start, and wait for the ready line.

        Raises:
            AssertionError: it ended, or was not ready in time; the message holds its output.
        """
        command = [sys.executable, "-m", "tandem", "up", "--port", str(self.port)]
        command += ["--data-dir", str(self.data_dir), *self.options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        ready: queue.Queue[bool] = queue.Queue()
        reader = threading.Thread(target=self._read, args=(self.process, ready), daemon=True)
        self._reader = reader
        reader.start()
        try:
            came_up = ready.get(timeout=READY_WITHIN_S)
        except queue.Empty:
            came_up = False
        if not came_up:
            self.kill()
            raise AssertionError("the exchange did not come up:\n" + "\n".join(self.lines[-60:]))

    def _read(self, process: subprocess.Popen[str], ready: "queue.Queue[bool]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())
                if line.startswith("Tandem is ready at "):
                    ready.put(True)
        ready.put(False)

    def stop(self) -> int:
        """Stop as Ctrl-C does; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(STOP_WITHIN_S)
            self._close()
            return status  # noqa: TRY300 - the wait is what may fail
        except subprocess.TimeoutExpired:
            self.kill()
            tail = "\n".join(self.lines[-60:])
            raise AssertionError("the exchange did not stop in time:\n" + tail) from None

    def kill(self) -> None:
        """End the driver at once, as a crash of it would."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
            self._close()

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.join(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()


def processes_of(data_dir: Path) -> list[int]:
    """Name the processes whose command line or environment names a data directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(data_dir).encode() in text:
            found.append(int(entry.name))
    return found


def wait_until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Poll a condition until it holds.

    Raises:
        AssertionError: it did not hold in time.
    """
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within_s} s")
        pause.wait(0.05)
