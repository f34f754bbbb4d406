"""The documentation site builds without a warning, without a network, and asks for none."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import socket, sys
def refused(*_, **__):
    raise AssertionError("the build opened a connection")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refused
from mkdocs.__main__ import cli
cli(["build", "--strict", "--quiet", "--site-dir", sys.argv[1]])
"""
LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=\"?(https?:[^\"> ]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(directory)],
        cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
        env={"NO_MKDOCS_2_WARNING": "1", "PATH": ""},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return directory


def test_site_has_every_page_of_the_directory(site: Path) -> None:
    """Each Markdown file is a page, and all are reached from the first."""
    home = (site / "index.html").read_text("utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / name).is_file(), name
        assert f'href="{name}"' in home, f"{name} is not in the navigation"


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    """No script, style, picture or font of another host, on any page."""
    for page in site.rglob("*.html"):
        assert LOADED.findall(page.read_text("utf-8")) == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:", style.read_text("utf-8")), style


def test_reference_shows_every_method_of_the_python_client(site: Path) -> None:
    """Inherited ones included, with their examples."""
    page = (site / "reference" / "python" / "clob.html").read_text("utf-8")
    for name in ("place_order", "list_pairs", "orderbook", "preflight", "metrics"):
        assert f'id="event_trader.clob.Clob.{name}"' in page, name
    assert page.count("Example") >= 30
