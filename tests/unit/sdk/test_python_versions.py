"""The client runs on Python 3.10 to 3.14, though the exchange itself needs 3.11."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SDK = Path(__file__).parents[3] / "sdk" / "python"
OTHERS = ("3.10", "3.12", "3.13", "3.14")
PROGRAM = """
import event_trader, pickle, sys
error = event_trader.InsufficientFundsError(400, "INSUFFICIENT_FUNDS", "No.", None, "req_1")
assert pickle.loads(pickle.dumps(error)).request_id == "req_1"
with event_trader.SyncEventTrader() as client:
    client.clob, client.stream
print("%d.%d" % sys.version_info[:2])
"""


def test_client_uses_nothing_that_python_3_10_lacks() -> None:
    """Neither syntax nor standard library, by vermin, which knows when each came."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "vermin"), "-t=3.10-", "--no-tips", "--violations",
         "--eval-annotations", str(SDK / "event_trader")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("version", OTHERS)
def test_client_is_imported_by_other_interpreters(version: str) -> None:
    """Those that are on this machine; the import needs nothing but the interpreter."""
    found = shutil.which(f"python{version}")
    if found is None or subprocess.run([found, "-V"], capture_output=True, check=False).returncode:
        pytest.skip(f"NOT RUN: there is no python{version} on this machine")
    done = subprocess.run(
        [found, "-W", "error", "-c", PROGRAM],
        capture_output=True, text=True, timeout=120, check=False, cwd=SDK,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, version), done.stderr
