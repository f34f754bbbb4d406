"""Every Python block of the documentation runs, as it stands, against a whole exchange."""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from event_trader import SyncEventTrader

from tests.clients import PASSWORD, new_account
from tests.running import RunningExchange, wait_until
from tests.snippets import Snippet, run_python, snippets

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "sdk" / "python" / "README.md", DOCS / "sdk-python.md"]
PAGES += [DOCS / "ccxt.md", ROOT / "sdk" / "ccxt" / "README.md"]
PAGES += sorted((DOCS / "guides").glob("*.md"))
TUTORIAL = DOCS / "tutorial.md"
WITHIN_S = 120.0


def replacements(exchange: RunningExchange) -> dict[str, str]:
    """Give what a reader writes in place of the examples': the address, a key, a log-in."""
    account = asyncio.run(new_account(exchange.base_url))
    return {
        "http://127.0.0.1:8080": exchange.base_url,
        "evt_...": account.key,
        "ada@example.com": account.email,
        '"correct horse"': f'"{PASSWORD}"',
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_of_a_page_runs(
    running_exchange: RunningExchange, page: Path, tmp_path: Path
) -> None:
    """All blocks of a page, in order; each prints something, and none warns."""
    blocks = [block for block in snippets(page) if block.language == "python"]
    assert blocks, "the page has no Python"
    printed = run_python(blocks, tmp_path, replacements(running_exchange))
    assert all(printed.values()), printed


def test_tutorial_leads_to_a_bot_that_quotes_and_stops(
    running_exchange: RunningExchange, tmp_path: Path
) -> None:
    """Its programs in order; the bot quotes both sides, and Ctrl-C takes them off the book."""
    blocks = [block for block in snippets(TUTORIAL) if block.language == "python"]
    replaced = {"http://127.0.0.1:8080": running_exchange.base_url}
    bot = next(block for block in blocks if block.title == "first_bot.py")
    at = blocks.index(bot)
    printed = run_python(blocks[:at], tmp_path, replaced)
    assert "USDC 100000" in printed["open_account.py"]
    assert "bought" in printed["trade.py"]
    assert "canceled" in printed["trade.py"]
    run_bot(running_exchange, bot, tmp_path)
    result = run_python(blocks[at + 1 :], tmp_path, replaced)["result.py"]
    bought = [int(size) for size in re.findall(r" buy (\d+) at ", result)]
    assert sum(bought) >= 1_000, result


def run_bot(exchange: RunningExchange, bot: Snippet, directory: Path) -> None:
    """Run the bot until both its quotes stand, then press Ctrl-C."""
    path = directory / bot.title
    path.write_text(bot.text.replace("http://127.0.0.1:8080", exchange.base_url))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", path], cwd=directory, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    key = (directory / "key.txt").read_text()
    try:
        with SyncEventTrader(key, base_url=exchange.base_url) as client:
            wait_until(
                lambda: {o["side"] for o in client.clob.open_orders("vaix")} == {"buy", "sell"}
                or process.poll() is not None,
                WITHIN_S, "a quote on both sides",
            )  # fmt: skip
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=WITHIN_S)
            assert process.returncode == 0, output
            assert client.clob.open_orders("vaix") == []
    finally:
        process.kill()
        process.communicate()
    assert output.strip().endswith("nothing is left on the book")


@pytest.mark.skipif(
    shutil.which("curl") is None, reason="THE README'S FIRST TRADE DID NOT RUN: install curl"
)
def test_first_trade_of_the_readme_runs(running_exchange: RunningExchange, tmp_path: Path) -> None:
    """Its three calls with curl, as they stand: an account, the book, an order that is filled."""
    shell = [block.text for block in snippets(ROOT / "README.md") if "curl" in block.text]
    assert len(shell) == 1
    name = f"r{tmp_path.stat().st_ino}"
    script = shell[0].replace("http://127.0.0.1:8080", running_exchange.base_url)
    script = script.replace("ada@example.com", f"{name}@example.com").replace('"ada"', f'"{name}"')
    done = subprocess.run(
        ["/bin/sh", "-eu"], input=script, capture_output=True, text=True, timeout=WITHIN_S,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    book, order = (json.loads(part) for part in re.split(r"(?<=})(?={)", done.stdout))
    assert book["hybrid"] is True
    assert (order["status"], order["filled_quantity"]) == ("filled", "1000")
