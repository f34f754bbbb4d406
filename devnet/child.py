"""A node as a child process: started on a port of its choice, ended with whoever started it."""

import ctypes
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from devnet.errors import DevnetError

_STOP_TIMEOUT_S: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1
_LISTENING: Final = "Listening on "
_LINES_KEPT: Final = 200


class ChildNode:
    """A running node that says ``Listening on HOST:PORT``; a context manager that ends it.

    Args:
        command: the program and its arguments.
        name: what it is called where it does not start.
        start_timeout_s: how long it may take to listen.
        directory: where it runs; None for where this process does.

    Raises:
        DevnetError: it does not start; the message holds what it said.
    """

    def __init__(
        self,
        command: Sequence[str],
        name: str,
        start_timeout_s: float,
        directory: Path | None = None,
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- our own nodes, numbers as arguments
            command,
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=_drain, args=(self._process, lines), daemon=True)
        self._reader.start()
        self.port = self._wait_for_port(lines, name, start_timeout_s)

    @property
    def http_url(self) -> str:
        """Where requests go."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Where subscriptions go."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The node's process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the node and wait for it; a second call does nothing."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(_STOP_TIMEOUT_S)
        _output(self._process).close()

    def kill(self) -> None:
        """End the node without a word, as a crash would."""
        self._process.kill()
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_for_port(
        self, lines: "queue.SimpleQueue[str | None]", name: str, timeout_s: float
    ) -> int:
        deadline = time.monotonic() + timeout_s
        seen: list[str] = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            seen.append(line)
            if line.startswith(_LISTENING):
                return int(line.rsplit(":", 1)[1])
        self.stop()
        raise DevnetError(f"{name} did not start:\n" + "".join(seen[-5:]))


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however that happens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _drain(process: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    """Read until the node ends, so that its pipe never fills; the first lines are kept."""
    for number, line in enumerate(_output(process)):
        if number < _LINES_KEPT:
            lines.put(line)
    lines.put(None)


def _output(process: "subprocess.Popen[str]") -> IO[str]:
    if process.stdout is None:
        raise DevnetError("the node has no output to read its port from")
    return process.stdout
