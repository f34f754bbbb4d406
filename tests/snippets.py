"""The code blocks of a Markdown page, run as a reader would run them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WITHIN_S = 240.0
PROGRAM = """
import runpy, sys
from event_trader import EventTrader
for opened in (EventTrader.__init__, EventTrader.from_credentials.__func__):
    opened.__kwdefaults__["base_url"] = sys.argv[1]
for name in sys.argv[2:]:
    print(">>>", name, flush=True)
    runpy.run_path(name, run_name="__main__")
"""
"""Runs each file as a program of its own, in one process: imports are paid for once. The client's
default address is the first argument, because the shortest examples do not write it."""
DEFAULT_URL = "http://127.0.0.1:8080"


class Snippet(NamedTuple):
    """One block: its language, the file it is to be saved as (or ""), and its text."""

    language: str
    title: str
    text: str


def snippets(page: Path) -> list[Snippet]:
    """Find every fenced block of a page."""
    return [Snippet(*found) for found in FENCE.findall(page.read_text("utf-8"))]


def run_python(blocks: list[Snippet], directory: Path, replaced: dict[str, str]) -> dict[str, str]:
    """Save blocks as files of one directory and run them in order; give what each printed.

    Args:
        blocks: Python blocks; one without a title gets a name.
        directory: where they run.
        replaced: what is written otherwise there; of `DEFAULT_URL` the exchange's address.

    Raises:
        AssertionError: one failed, warned, or wrote to standard error.
    """
    names = [block.title or f"snippet_{at}.py" for at, block in enumerate(blocks)]
    for name, block in zip(names, blocks, strict=True):
        text = block.text
        for old, new in replaced.items():
            text = text.replace(old, new)
        (directory / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, replaced[DEFAULT_URL], *names],
        capture_output=True, text=True, timeout=WITHIN_S, check=False, cwd=directory,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    parts = re.split(r"^>>> (.+)$", done.stdout, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
