"""The janitor: what a run has started ends with it, whatever else runs goes on."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tandem.janitor import MARK, Janitor

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that was there before."""
    with subprocess.Popen(SLEEP, start_new_session=True) as process:
        yield process
        process.kill()


def test_janitor_ends_what_the_run_left_over(bystander: "subprocess.Popen[bytes]") -> None:
    """A child of another session that nobody ended is gone; one without the mark is not."""
    with Janitor():
        assert len(os.environ[MARK]) == 32
        left = subprocess.Popen(SLEEP, start_new_session=True)
    with left:
        assert left.wait(30) == -9
    assert bystander.poll() is None
    assert MARK not in os.environ


def test_janitor_of_a_run_that_ended_in_order_returns_at_once() -> None:
    """Nothing is left over: there is nobody to wait for."""
    with Janitor():
        done = subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert done.returncode == 0
