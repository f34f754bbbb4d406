"""Write ``event_trader/sync_methods.py``: the methods of the async client without ``async``.

    python sdk/python/make_sync.py

Each public coroutine function of `Clob`, `Account` and `System` becomes a function of the same
signature that runs it in the client's own event loop. A test compares the file with what this
program makes of the sources, so the two clients cannot drift apart.
"""

import ast
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "event_trader"
SOURCES = (("clob.py", "Clob"), ("account.py", "Account"), ("account.py", "System"))

HEAD = '''\
"""The methods of the synchronous client. Made by ``make_sync.py``; change the async ones."""

from collections.abc import Sequence
from typing import Any

from event_trader.account import Account, System
from event_trader.clob import Clob, Json, Number
from event_trader.loop_thread import LoopThread
'''


def call(function: ast.AsyncFunctionDef) -> str:
    """Write the arguments that pass a function's own parameters on."""
    arguments = function.args
    parts = [name.arg for name in arguments.args[1:]]
    parts += [f"{name.arg}={name.arg}" for name in arguments.kwonlyargs]
    if arguments.kwarg is not None:
        parts.append(f"**{arguments.kwarg.arg}")
    return ", ".join(parts)


def method(function: ast.AsyncFunctionDef) -> str:
    """Write one method."""
    lines = (ast.get_docstring(function) or "").replace("await ", "").splitlines()
    text = "\n".join(f"        {line}".rstrip() for line in lines).strip()
    closing = '"""' if len(lines) == 1 else '\n        """'
    returned = ast.unparse(function.returns) if function.returns else "None"
    return (
        f"\n    def {function.name}({ast.unparse(function.args)}) -> {returned}:\n"
        f'        """{text}{closing}\n'
        f"        return self._loop.run(self._async.{function.name}({call(function)}))\n"
    )


def make() -> str:
    """Write the module, not yet formatted."""
    text = HEAD
    for file, name in SOURCES:
        tree = ast.parse((PACKAGE / file).read_text())
        found = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
        title = f"What `{name}` does, waiting for each answer."
        text += f'\n\nclass Sync{name}:\n    """{title}"""\n\n'
        text += f"    def __init__(self, target: {name}, loop: LoopThread) -> None:\n"
        text += "        self._async = target\n        self._loop = loop\n"
        for function in found.body:
            if isinstance(function, ast.AsyncFunctionDef) and not function.name.startswith("_"):
                text += method(function)
    return text


if __name__ == "__main__":
    (PACKAGE / "sync_methods.py").write_text(make())
    sys.stdout.write("now format it: ruff format sdk/python/event_trader/sync_methods.py\n")
