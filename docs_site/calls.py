"""Which method of the Python client asks for which route, found by calling every one of them.

The client's classes are given a transport that only notes what it is asked for, so the table
cannot differ from what the client does.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from event_trader.account import Account, System
from event_trader.clob import Clob

ENTRANCES = {
    "POST /auth/login": "EventTrader.from_credentials",
    "POST /auth/register": "EventTrader.register",
    "POST /auth/api-key": "EventTrader.create_api_key",
    "POST /auth/refresh": "EventTrader.from_credentials",
}
"""What opening a client asks for; the last is how its tokens are renewed."""


def public_methods(kind: type) -> dict[str, Any]:
    """List a class's own public methods."""
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: made for name, made in found if not name.startswith("_")}


def calls() -> dict[str, str]:
    """Give the client's call for each ``METHOD /path``, parameters written as ``{}``."""
    found = dict(ENTRANCES)
    for kind, place in ((Clob, "clob"), (Account, "account"), (System, "system")):
        for name in public_methods(kind):
            for asked in asked_by(kind, name):
                found.setdefault(asked, f"client.{place}.{name}")
    return found


def asked_by(kind: type, name: str) -> set[str]:
    """Call one method with placeholders; give what it asked the transport for."""
    recorder = _Recorder()
    method = getattr(kind(recorder), name)
    given = {
        parameter.name: [] if "Sequence" in str(parameter.annotation) else "{}"
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }
    try:
        method(**given).send(None)
    except StopIteration:
        return recorder.asked
    raise TypeError(f"{kind.__name__}.{name} waits for something else than its transport")


class _Recorder:
    """Stands in for the transport."""

    def __init__(self) -> None:
        self.session = type("Session", (), {"refresh_token": ""})()
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def ask(path: str, **_: object) -> object:
            plain = path.replace("%7B%7D", "{}")
            self.asked.add(f"{name.upper()} {plain}")
            return _Answer()

        return ask


class _Answer(dict[str, list[object]]):
    """An answer that has every field."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> list[object]:
        return []
