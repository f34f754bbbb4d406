"""Every TypeScript block of the documentation compiles and runs, as it stands. Needs Node."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients import new_key
from tests.integration.test_typescript_sdk import SDK, built, run
from tests.running import RunningExchange
from tests.snippets import snippets

__all__ = ["built"]

ROOT = Path(__file__).parents[2]
PAGES = {"guide": ROOT / "docs" / "sdk-typescript.md", "readme": SDK / "README.md"}
BUILD = SDK / "build" / "snippets"
"""Below the package, so that Node finds it by its name, as in a project that has installed it."""
WITHIN_S = 120.0

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None,
    reason="THE TYPESCRIPT DOCUMENTATION WAS NOT TESTED: install Node 20 or newer",
)


def program(page: Path, replaced: dict[str, str]) -> tuple[str, int]:
    """Join a page's blocks, as they follow on each other; give the program and their number."""
    blocks = [block.text for block in snippets(page) if block.language == "ts"]
    text = "".join(f'{block}console.log(">>> {at}");\n' for at, block in enumerate(blocks))
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text, len(blocks)


def compiled(name: str, text: str) -> Path:
    """Compile a program with the package's own settings, unused names among what is refused."""
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / f"{name}.ts").write_text(text)
    settings = {
        "extends": "../../tsconfig.examples.json",
        "compilerOptions": {"rootDir": ".", "outDir": "js", "paths": {
            "@tandem/event-trader": ["../../dist/node.d.ts"],
        }, "typeRoots": ["../../node_modules/@types"]},
        "include": [f"{name}.ts"],
    }  # fmt: skip
    (BUILD / f"{name}.json").write_text(json.dumps(settings))
    run("npx", "--no-install", "tsc", "-p", str(BUILD / f"{name}.json"))
    return BUILD / "js" / f"{name}.js"


@pytest.mark.parametrize("name", list(PAGES))
def test_typescript_of_a_page_runs(
    built: None, running_exchange: RunningExchange, name: str
) -> None:
    """All blocks of a page, in order; each prints something."""
    url = running_exchange.base_url
    replaced = {"http://127.0.0.1:8080": url, "evt_...": asyncio.run(new_key(url))}
    text, count = program(PAGES[name], replaced)
    assert count, "the page has no TypeScript"
    done = subprocess.run(
        ["node", compiled(name, text)], capture_output=True, text=True, timeout=WITHIN_S,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    parts = done.stdout.split(">>> ")
    assert len(parts) == count + 1
    assert all(part.partition("\n")[2].strip() for part in ("\n" + parts[0], *parts[1:count]))
