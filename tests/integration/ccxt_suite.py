"""ccxt's own exchange tests, which its wheel ships, run against a started exchange.

They refuse to run from `site-packages`, and read keys and skips from files three directories up.
So `Suite` lays out what they expect: the package by links, its tests as a copy, the two files.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import ccxt

SUITE_WITHIN_S = 150.0
PRIMARY = "BTC/USDC"
"""The market most tests ask for; left to itself the suite takes what was traded most before."""
_RUN = """
import runpy, sys
import tandem_ccxt
sys.path.insert(0, sys.argv[1])
sys.argv = ["tests_init.py", "tandem", *sys.argv[2:]]
runpy.run_path(sys.path[0] + "/tests_init.py", run_name="__main__")
"""
_SKIPS = {
    "orderBook": {
        "spread": "each pool's depth is shown, and two may differ by more than their fees"
    },
    "fetchTrades": {
        "sideSequence": "two orders, or swaps of two pools in one block, may share a millisecond"
    },
}
"""What the suite must not ask of pools, nor of the tape: it takes all trades of one side and moment
for one order's."""
_DONE = re.compile(r"^\[INFO\] TESTING DONE\s+tandem (\w+)", re.MULTILINE)
_WRONG = re.compile(r"TEST_FAILURE|TEST_WARNING|TESTING FAILED|UNHANDLED|Skipping private")


class Outcome(NamedTuple):
    """What a run of the suite did."""

    executed: list[str]
    """The tests that ran to their end, in alphabetical order."""
    wrong: list[str]
    """Lines that tell of a failure, a warning, or something left out."""
    output: str
    status: int


class Suite:
    """The suite, laid out in a directory of its own.

    Args:
        root: an empty directory.
        base_url: where the exchange is.
        key: an API key that may trade.
    """

    def __init__(self, root: Path, base_url: str, key: str) -> None:
        package = Path(ccxt.__file__).parent
        self._python = root / "python"
        self._tests = self._python / "ccxt" / "test"
        self._tests.parent.mkdir(parents=True)
        for entry in package.iterdir():
            if entry.name != "test":
                (self._tests.parent / entry.name).symlink_to(entry)
        shutil.copytree(package / "test", self._tests)
        # The pace of the default limits would make the sync run a matter of waiting.
        settings = {"apiKey": key, "urls": {"api": {"rest": base_url}}, "rateLimit": 20}
        (root / "keys.json").write_text(json.dumps({"tandem": settings}), "utf-8")
        skips = {"tandem": {"skipMethods": _SKIPS, "preferredSpotSymbol": PRIMARY}}
        (root / "skip-tests.json").write_text(json.dumps(skips), "utf-8")

    def start(self, *options: str) -> "subprocess.Popen[str]":
        """Start the suite with its public and private tests."""
        return subprocess.Popen(
            [sys.executable, "-c", _RUN, str(self._tests), "--private", "--info", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._tests,
            env={**os.environ, "PYTHONPATH": str(self._python), "PYTHONDONTWRITEBYTECODE": "1"},
        )


def outcome(process: "subprocess.Popen[str]") -> Outcome:
    """Wait for a run's end, and read what it did."""
    try:
        output, _ = process.communicate(timeout=SUITE_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        output += f"\nTEST_FAILURE: not at its end after {SUITE_WITHIN_S} s"
    wrong = [line for line in output.splitlines() if _WRONG.search(line)]
    return Outcome(sorted(set(_DONE.findall(output))), wrong, output, process.returncode)
