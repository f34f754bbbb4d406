"""The house rules that no other tool checks."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "tandem", "actors", "chain_feeds", "gateway", "sdk/python/event_trader",
    "sdk/ccxt/tandem_ccxt", "docs_site", "devnet", "load_tests",
)  # fmt: skip
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 6
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
FORBIDDEN_TEXT = re.compile(
    "|".join(("/work" + "/", "/root" + "/", r"files\.python" + "hosted", "TO" + "DO", "FIX" + "ME"))
)
MORE_PARAMETERS = {
    "up": "one parameter per option of the command line, as typer reads them",
    "transfer": "a transfer is these six things",
    "place_order": "the published client's signature is part of the contract",
    "place_twap": "the published client's signature is part of the contract",
    "place_scale": "the published client's signature is part of the contract",
    "create_order": "ccxt's signature",
    "edit_order": "ccxt's signature",
    "fetch_ohlcv": "ccxt's signature",
    "fetch_order_trades": "ccxt's signature",
    "handle_errors": "ccxt's signature",
    "__init__": "constructors are held by ruff, which knows what each one's exception is",
}


def sources() -> list[Path]:
    """List the production modules."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def tracked() -> list[Path]:
    """List every text file under version control; all sources where there is none."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return sources()
    kept = (".py", ".md", ".toml", ".yaml", ".yml", ".js", ".sh", ".json", "Makefile", "run")
    return [ROOT / name for name in listed.split("\0") if name.endswith(kept)]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Walk the functions of a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_of_a_size_one_reads(path: Path) -> None:
    """No module has over 500 lines, no function over 60."""
    assert len(path.read_text("utf-8").splitlines()) <= FILE_LINES_MAX
    for function in functions(path):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        assert lines <= FUNCTION_LINES_MAX, f"{path.name}: {function.name} has {lines} lines"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_function_takes_few_parameters(path: Path) -> None:
    """At most six positional ones, but for those listed above with their reason."""
    for function in functions(path):
        names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        count = len([name for name in names if name not in {"self", "cls"}])
        allowed = count <= PARAMETERS_MAX or function.name in MORE_PARAMETERS
        assert allowed, f"{path.name}: {function.name} takes {count}"


def test_module_names_say_what_is_in_them() -> None:
    """No module is called utils, helpers, common or misc."""
    assert [path for path in sources() if path.stem in FORBIDDEN_NAMES] == []


def test_only_the_registry_makes_actors() -> None:
    """`ray.remote` is called in one place."""
    callers = [path for path in sources() if re.search(r"\bray\.remote\(", path.read_text("utf-8"))]
    assert callers == [ROOT / "actors" / "registry.py"]


def test_environment_is_read_by_the_composition_root_only() -> None:
    """Settings reach every other room as arguments."""
    reading = re.compile(r"os\.environ\b|os\.getenv\b")
    rooms = ("actors", "gateway", "chain_feeds")
    readers = [
        path.relative_to(ROOT)
        for path in sources()
        if path.relative_to(ROOT).parts[0] in rooms and reading.search(path.read_text("utf-8"))
    ]
    assert readers == []


def test_files_name_no_machine_and_leave_nothing_for_later() -> None:
    """No path of somebody's machine, no package host, no promise instead of work."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        if path.is_file() and (match := FORBIDDEN_TEXT.search(path.read_text("utf-8")))
    ]
    assert found == []
