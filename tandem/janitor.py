"""Sees to it that nothing outlives `tandem up`, even when that is killed without warning.

A child of its own session holds the read end of a pipe. When the driver is gone, in order or not,
the pipe ends; after a moment for those who end by themselves, every process that carries this run's
mark in its environment is killed. Needs ``/proc``; elsewhere Ray's own clean-up has to do.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MARK: Final = "TANDEM_RUN"
_SCRIPT: Final = Path(__file__).with_name("janitor_child.py")


class Janitor:
    """A context manager around everything that is started; make it before all else."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        mark = secrets.token_hex(16)
        environment = {name: value for name, value in os.environ.items() if name != MARK}
        self._process = subprocess.Popen(  # noqa: S603 (our own script)
            [sys.executable, "-I", "-S", str(_SCRIPT), f"{MARK}={mark}", str(os.getpgrp())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
            env=environment,
        )
        os.environ[MARK] = mark
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.environ.pop(MARK, None)
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
