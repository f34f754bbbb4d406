"""What the written pages name is there: make targets, programs, and the options of the examples."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.snippets import snippets

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_names_only_what_there_is(page: Path) -> None:
    """Every ``make`` target, and every file of ``examples/``."""
    text = page.read_text("utf-8")
    named = re.findall(r"^\$? ?make ([a-z]+)|`make ([a-z]+)", text, flags=re.MULTILINE)
    assert {first or second for first, second in named} <= TARGETS
    for name in re.findall(r"examples/[a-z_]+\.(?:py|ts)", text):
        assert (ROOT / name).is_file(), name


def test_programs_that_a_page_starts_are_written_on_it_or_in_the_repository() -> None:
    """What stands behind ``python`` in a console block exists when the reader gets there."""
    for page in PAGES:
        blocks = snippets(page)
        written = {block.title for block in blocks}
        consoles = "".join(block.text for block in blocks if block.language == "console")
        for name in re.findall(r"python ([\w/]+\.py)", consoles):
            assert name in written or (ROOT / name).is_file(), (page, name)


def test_options_of_the_market_maker_are_all_explained() -> None:
    """The guide's table and the program's own help name the same options."""
    guide = (ROOT / "docs" / "guides" / "market-making.md").read_text()
    table = "\n".join(line for line in guide.splitlines() if line.startswith("| `--"))
    program = ROOT / "examples" / "market_maker.py"
    told = subprocess.run(
        [sys.executable, str(program), "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"--[a-z-]+", told)) - {"--help"}
    assert set(re.findall(r"--[a-z-]+", table)) == options
