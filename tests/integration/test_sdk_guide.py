"""Every Python snippet of the client's guide runs, as it stands, against a whole exchange."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import RunningExchange

GUIDE = Path(__file__).parents[2] / "docs" / "sdk-python.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


def test_guide_has_snippets() -> None:
    """The pattern finds them."""
    assert len(SNIPPETS) == 5


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_snippet_of_the_guide_runs(running_exchange: RunningExchange, snippet: str) -> None:
    """Only the address of the exchange is another; it prints something and warns of nothing."""
    program = snippet.replace("http://127.0.0.1:8080", running_exchange.base_url)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
