"""Write ``event_trader/sync_*.py``: the methods of the async client without ``async``.

    python sdk/python/make_sync.py

Each public coroutine function of the client's parts becomes a function of the same signature that
runs it in the client's own event loop. A test compares the files with what this program makes of
the sources, so the two clients cannot drift apart.
"""

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parent / "event_trader"


class Part(NamedTuple):
    """One class: where it is, where its twin goes, and the class below it, if any."""

    source: str
    name: str
    target: str
    base: str = ""


PARTS = (
    Part("market_data", "MarketData", "sync_market_data"),
    Part("clob", "Clob", "sync_clob", "MarketData"),
    Part("account", "Account", "sync_account"),
    Part("account", "System", "sync_account"),
)
HEADS = {
    "sync_market_data": """
from event_trader.bodies import Json
from event_trader.loop_thread import LoopThread
from event_trader.market_data import MarketData
""",
    "sync_clob": """
from collections.abc import Sequence
from typing import Any

from event_trader.bodies import Json, Number
from event_trader.clob import Clob
from event_trader.loop_thread import LoopThread
from event_trader.sync_market_data import SyncMarketData
""",
    "sync_account": """
from collections.abc import Sequence
from typing import Any

from event_trader.account import Account, System
from event_trader.bodies import Json, Number
from event_trader.loop_thread import LoopThread
""",
}
TITLE = (
    '"""What ``{source}`` does, without ``async``. Made by ``make_sync.py``; change the other."""\n'
)


def call(function: ast.AsyncFunctionDef) -> str:
    """Write the arguments that pass a function's own parameters on."""
    arguments = function.args
    parts = [name.arg for name in arguments.args[1:]]
    parts += [f"{name.arg}={name.arg}" for name in arguments.kwonlyargs]
    if arguments.kwarg is not None:
        parts.append(f"**{arguments.kwarg.arg}")
    return ", ".join(parts)


def method(function: ast.AsyncFunctionDef, held: str) -> str:
    """Write one method, which asks what the class holds under a name."""
    words = re.sub(r"\(await ([^\n]+?\))\)(?=[\[)])", r"\1", ast.get_docstring(function) or "")
    lines = words.replace("await ", "").splitlines()
    text = "\n".join(f"        {line}".rstrip() for line in lines).strip()
    closing = '"""' if len(lines) == 1 else '\n        """'
    returned = ast.unparse(function.returns) if function.returns else "None"
    return (
        f"\n    def {function.name}({ast.unparse(function.args)}) -> {returned}:\n"
        f'        """{text}{closing}\n'
        f"        return self._loop.run(self.{held}.{function.name}({call(function)}))\n"
    )


def twin(part: Part) -> str:
    """Write one class."""
    tree = ast.parse((PACKAGE / f"{part.source}.py").read_text("utf-8"))
    found = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == part.name)
    base = f"(Sync{part.base})" if part.base else ""
    text = f'\n\nclass Sync{part.name}{base}:\n    """What `{part.name}` does, waiting for each '
    text += 'answer."""\n\n'
    text += f"    def __init__(self, target: {part.name}, loop: LoopThread) -> None:\n"
    text += "        super().__init__(target, loop)\n" if part.base else ""
    text += f"        self._{part.source} = target\n"
    text += "" if part.base else "        self._loop = loop\n"
    for function in found.body:
        if isinstance(function, ast.AsyncFunctionDef) and not function.name.startswith("_"):
            text += method(function, f"_{part.source}")
    return text


def make() -> dict[str, str]:
    """Write every module, not yet formatted."""
    made = {}
    for target, head in HEADS.items():
        parts = [part for part in PARTS if part.target == target]
        title = TITLE.format(source=parts[0].source)
        made[target] = title + head + "".join(twin(part) for part in parts)
    return made


if __name__ == "__main__":
    for target, text in make().items():
        (PACKAGE / f"{target}.py").write_text(text, "utf-8")
    sys.stdout.write("now format them: ruff format sdk/python/event_trader\n")
