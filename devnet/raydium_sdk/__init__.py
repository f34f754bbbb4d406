"""Raydium's published SDK, asked through Node: its account layouts and its swap mathematics."""

import json
import subprocess
from pathlib import Path
from typing import Any

from devnet.anvil import install_packages

HERE = Path(__file__).resolve().parent
_TIMEOUT_S = 120


def install() -> None:
    """Install what ``package-lock.json`` pins, unless it is there already.

    Raises:
        DevnetError: Node is missing, or npm fails.
    """
    install_packages(HERE, "--omit=optional", "--omit=peer")


def ask(questions: dict[str, Any]) -> Any:  # noqa: ANN401 -- JSON of the probe's own shape
    """Ask the SDK; `probe.cjs` says what questions there are.

    Raises:
        subprocess.CalledProcessError: the SDK refused one of them.
    """
    done = subprocess.run(
        ["node", "probe.cjs"],  # noqa: S607 -- Node from the PATH
        cwd=HERE,
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
        timeout=_TIMEOUT_S,
    )
    return json.loads(done.stdout)
