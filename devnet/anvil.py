"""One anvil node as a child process, and where npm put it and the contracts.

The program itself is started, never npm's launcher in ``.bin``: that one leaves the node behind
when it is killed.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from devnet.child import ChildNode
from devnet.errors import DevnetError

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
_START_TIMEOUT_S = 20.0


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


class Anvil(ChildNode):
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
        self.chain_id = chain_id
        super().__init__(command, "anvil", _START_TIMEOUT_S)
