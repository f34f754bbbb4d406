"""The client's surface: every route has a method, and the sync client has the async one's."""

import ast
import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from event_trader import EventTrader, SyncEventTrader, streams, sync, sync_methods
from event_trader.account import Account, System
from event_trader.clob import Clob

from gateway.routes import ROUTES

SDK = Path(inspect.getfile(EventTrader)).parents[1]
PAIRS = [
    (Clob, sync_methods.SyncClob),
    (Account, sync_methods.SyncAccount),
    (System, sync_methods.SyncSystem),
    (streams.Streams, sync.SyncStreams),
]
ALIASES = {
    "GET /api/v1/exchange/{}/orders": "open_orders asks /orders/open, which is the same list",
    "PATCH /api/v1/clob/orders/{}": "amend_order names the pair, which is the same amendment",
    "GET /docs": "a page for people",
}


def public(kind: type) -> dict[str, Any]:
    """List a class's own public methods."""
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: made for name, made in found if not name.startswith("_")}


@pytest.mark.parametrize(("asynchronous", "synchronous"), PAIRS)
def test_sync_class_has_every_method_with_the_same_signature(
    asynchronous: type, synchronous: type
) -> None:
    """Same names, parameters and defaults."""
    expected, found = public(asynchronous), public(synchronous)
    assert set(found) == set(expected)
    for name, method in expected.items():
        assert inspect.signature(found[name]).parameters == inspect.signature(method).parameters


def test_sync_client_has_every_part_of_the_async_one() -> None:
    """The same attributes, and the same ways to open it."""
    with SyncEventTrader() as client:
        for name in vars(EventTrader()):
            assert hasattr(client, name), name
    assert set(public(EventTrader)) <= set(public(SyncEventTrader))
    for name in ("from_credentials", "register", "create_api_key"):
        assert callable(getattr(SyncEventTrader, name))
    assert set(public(type(EventTrader()._http))) - {"credentials", "http", "renew", "close"} <= {
        *public(sync.SyncHttp),
        "use_session",
    }


def test_sync_methods_are_what_the_generator_makes_of_the_sources() -> None:
    """The file is up to date; otherwise run sdk/python/make_sync.py."""
    made = ast.dump(ast.parse(load("make_sync").make()))
    assert ast.dump(ast.parse(inspect.getsource(sync_methods))) == made


def test_every_route_has_a_method() -> None:
    """What the gateway serves, the client can ask for; aliases are named with their reason."""
    recorder = Recorder()
    asked = recorder.of(Clob) | recorder.of(Account) | recorder.of(System)
    asked |= {"POST /auth/login", "POST /auth/register", "POST /auth/api-key"}  # EventTrader's
    asked |= {"POST /auth/refresh"}  # the transport's
    served = {f"{route.method} {re.sub(r'{[^}]*}', '{}', route.path)}" for route in ROUTES}
    assert served - asked - set(ALIASES) == set()
    assert asked - served == set()


class Recorder:
    """Stands in for the transport, and notes what it is asked for."""

    def __init__(self) -> None:
        self.session = type("Session", (), {"refresh_token": "r"})()
        self.asked: set[str] = set()

    def of(self, kind: type) -> set[str]:
        """Call every method of a class with placeholders; give what was asked for."""
        target = kind(self)
        for method in public(kind).values():
            given = {
                name: [] if "Sequence" in str(parameter.annotation) else "{}"
                for name, parameter in inspect.signature(method).parameters.items()
                if parameter.default is parameter.empty
                and name not in ("self", "options", "changes")
            }
            try:
                method(target, **given).send(None)
            except StopIteration:
                continue
        return self.asked

    def __getattr__(self, name: str) -> Any:
        async def ask(path: str, **_: Any) -> Any:
            plain = path.replace("%7B%7D", "{}")
            self.asked.add(f"{name.upper()} {plain}")
            return Answer()

        return ask


class Answer(dict[str, Any]):
    """An answer that has every field."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        return []


def load(name: str) -> ModuleType:
    """Load a program that lies beside the package."""
    spec = importlib.util.spec_from_file_location(name, SDK / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
