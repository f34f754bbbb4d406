"""The client's surface: every route has a method, and the sync client has the async one's."""

import ast
import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest
from event_trader import EventTrader, SyncEventTrader, streams, sync
from event_trader.account import Account, System
from event_trader.clob import Clob
from event_trader.sync_account import SyncAccount, SyncSystem
from event_trader.sync_clob import SyncClob
from event_trader.transport import HttpTransport

from docs_site.calls import calls, public_methods
from gateway.routes import ROUTES
from tests.channels_page import described

SDK = Path(inspect.getfile(EventTrader)).parents[1]
PAIRS = [
    (Clob, SyncClob),
    (Account, SyncAccount),
    (System, SyncSystem),
    (streams.Streams, sync.SyncStreams),
]
ALIASES = {
    "GET /api/v1/exchange/{}/orders": "open_orders asks /orders/open, which is the same list",
    "PATCH /api/v1/clob/orders/{}": "amend_order names the pair, which is the same amendment",
    "GET /docs": "a page for people",
}


@pytest.mark.parametrize(("asynchronous", "synchronous"), PAIRS)
def test_sync_class_has_every_method_with_the_same_signature(
    asynchronous: type, synchronous: type
) -> None:
    """Same names, parameters and defaults."""
    expected, found = public_methods(asynchronous), public_methods(synchronous)
    assert set(found) == set(expected)
    for name, method in expected.items():
        assert inspect.signature(found[name]).parameters == inspect.signature(method).parameters


def test_sync_client_has_every_part_of_the_async_one() -> None:
    """The same attributes, and the same ways to open it."""
    with SyncEventTrader() as client:
        for name in vars(EventTrader()):
            assert hasattr(client, name), name
    assert set(public_methods(EventTrader)) <= set(public_methods(SyncEventTrader))
    for name in ("from_credentials", "register", "create_api_key"):
        assert callable(getattr(SyncEventTrader, name))
    inner = {"credentials", "http", "renew", "close", "use_session"}
    assert set(public_methods(HttpTransport)) - inner <= set(public_methods(sync.SyncHttp))


def test_sync_methods_are_what_the_generator_makes_of_the_sources() -> None:
    """The files are up to date; otherwise run sdk/python/make_sync.py."""
    for name, text in load("make_sync").make().items():
        written = (SDK / "event_trader" / f"{name}.py").read_text("utf-8")
        assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(text)), name


def test_every_route_has_a_method() -> None:
    """What the gateway serves, the client can ask for; aliases are named with their reason."""
    asked = set(calls())
    served = {f"{route.method} {re.sub(r'{[^}]*}', '{}', route.path)}" for route in ROUTES}
    assert served - asked - set(ALIASES) == set()
    assert asked - served == set()


def test_every_channel_has_a_method() -> None:
    """What the reference describes (all that is served), but the one that is all of them."""
    client = EventTrader()
    followed = set()
    for name, method in public_methods(streams.Streams).items():
        symbol = ["{symbol}"] * ("symbol" in inspect.signature(method).parameters)
        followed.add(unquote(getattr(client.stream, name)(*symbol)._path))
    assert followed == set(described()) - {"/ws/clob"}


def load(name: str) -> ModuleType:
    """Load a program that lies beside the package."""
    spec = importlib.util.spec_from_file_location(name, SDK / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
