"""The `tandem` command as a person runs it: in a shell, or in a terminal of its own."""

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.running import wait_until

TANDEM = str(Path(sys.executable).parent / "tandem")
WITHIN_S = 90.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Shell:
    """Runs commands for one user, whose log-ins are in a directory of their own.

    Args:
        config: where the log-ins are kept.
        base_url: the exchange.
    """

    def __init__(self, config: Path, base_url: str) -> None:
        self.config = config
        self.base_url = base_url

    def environ(self, **more: str) -> dict[str, str]:
        """Give the environment of a command."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ET_")}
        place = {"XDG_CONFIG_HOME": str(self.config), "ET_BASE_URL": self.base_url}
        return {**kept, **place, "COLUMNS": "140", **more}

    def run(
        self, *arguments: str, typed: str = "", **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [TANDEM, *arguments], input=typed, capture_output=True, text=True, timeout=WITHIN_S,
            check=False, env=self.environ(**environ),
        )  # fmt: skip

    def json(self, *arguments: str, typed: str = "") -> Any:
        """Run a command that must succeed, with ``--json``; gives what it printed."""
        done = self.run(*arguments, "--json", typed=typed)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    async def failing(self, *arguments: str, **environ: str) -> tuple[int, str]:
        """Run a command that must fail with one line; gives its status and the line."""
        done = await asyncio.to_thread(self.run, *arguments, **environ)
        lines = done.stderr.strip().splitlines()
        assert (len(lines), done.stdout) == (1, ""), done.stderr + done.stdout
        return done.returncode, lines[0]


class Screen:
    """A command in a terminal of 120 columns and 40 lines."""

    def __init__(self, shell: Shell, *arguments: str, **environ: str) -> None:
        self.raw = ""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        place = shell.environ(TERM="xterm-256color", **environ)
        place.pop("COLUMNS")
        self.process = subprocess.Popen(
            [TANDEM, *arguments], stdin=slave, stdout=slave, stderr=slave, env=place
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._master, 65_536)
            except OSError:  # the other end is closed
                return
            if not chunk:
                return
            self.raw += chunk.decode(errors="replace")

    @property
    def text(self) -> str:
        """All that was shown, without escape sequences."""
        return _ESCAPES.sub("", self.raw)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something holds, while the command runs."""
        ended = self.process.poll
        try:
            await asyncio.to_thread(
                wait_until, lambda: condition() or ended() is not None, WITHIN_S, what
            )
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.text[-3_000:]}") from None
        assert ended() is None, self.text

    async def end(self) -> int:
        """Press Ctrl-C; gives the exit status."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.to_thread(self.wait)

    def wait(self) -> int:
        """Wait for the command's end; gives the exit status."""
        try:
            status = self.process.wait(WITHIN_S)
        finally:
            self.process.kill()
            self.process.wait()
        self._reader.join(10)
        os.close(self._master)
        return status
