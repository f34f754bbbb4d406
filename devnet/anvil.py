"""One anvil node as a child process, and where npm put it and the contracts.

The program itself is started, never npm's launcher in ``.bin``: that one leaves the node behind
when it is killed.
"""

import ctypes
import platform
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 5.0
_PR_SET_PDEATHSIG = 1


class DevnetError(Exception):
    """The development network cannot run; the message says what to do."""


def install() -> None:
    """Install what ``package-lock.json`` pins, unless it is there already.

    Raises:
        DevnetError: Node is missing, npm fails, or there is no anvil for this machine.
    """
    install_packages(HERE, "--legacy-peer-deps")
    _program()


def install_packages(folder: Path, *options: str) -> None:
    """Install what the ``package-lock.json`` of a folder pins, unless it is there already.

    Raises:
        DevnetError: Node is missing, or npm fails.
    """
    if _is_installed(folder):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise DevnetError("npm is not on the PATH: install Node 20 or newer, then try again")
    command = [npm, "ci", *options, "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(  # noqa: S603 -- npm with fixed arguments
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise DevnetError(f"npm ci failed in {folder}:\n{done.stderr.strip()[-2000:]}")


def _is_installed(folder: Path) -> bool:
    """Tell whether npm finished what the lock file says now: it writes this file last."""
    try:
        finished = (folder / "node_modules" / ".package-lock.json").stat().st_mtime
    except FileNotFoundError:
        return False
    return finished >= (folder / "package-lock.json").stat().st_mtime


def _program() -> str:
    """Find the node's program: npm's on Linux on x86-64, elsewhere Foundry's own on the PATH."""
    installed = MODULES / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    if sys.platform == "linux" and platform.machine() == "x86_64" and installed.exists():
        return str(installed)
    found = shutil.which("anvil")
    if found is None:
        raise DevnetError("no anvil for this machine from npm: install Foundry, then try again")
    return found


class Anvil:
    """A running node; a context manager that ends it.

    Args:
        chain_id: what the node says it is.
        port: 0 for a free one.
        block_time_s: seconds between blocks; None mines a block for every transaction.
    """

    def __init__(self, chain_id: int = 1, port: int = 0, block_time_s: float | None = None) -> None:
        command = [_program(), "--chain-id", str(chain_id), "--port", str(port)]
        if block_time_s is not None:
            command += ["--block-time", f"{block_time_s:g}"]
        self._process = subprocess.Popen(  # noqa: S603 -- our own node, numbers as arguments
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        self.chain_id = chain_id
        self.port = self._wait_for_port()

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
        if self._process.stdout is not None:
            self._reader.join(_STOP_TIMEOUT_S)
            self._process.stdout.close()

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

    def _wait_for_port(self) -> int:
        stdout = self._process.stdout
        if stdout is None:
            raise DevnetError("the node has no output to read its port from")
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=drain, args=(stdout, lines), daemon=True)
        self._reader.start()
        deadline = time.monotonic() + _START_TIMEOUT_S
        seen: list[str] = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            seen.append(line)
            if line.startswith("Listening on "):
                return int(line.rsplit(":", 1)[1])
        self.stop()
        raise DevnetError("anvil did not start:\n" + "".join(seen[-5:]))


def die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however that happens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def drain(stdout: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    """Read until the node ends, so that its pipe never fills; the first lines are kept."""
    kept = 0
    for line in stdout:
        if kept < 200:
            lines.put(line)
            kept += 1
    lines.put(None)
