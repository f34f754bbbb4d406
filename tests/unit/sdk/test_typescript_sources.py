"""The TypeScript client's sources against the Python ones; needs no Node."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from gateway.routes import ROUTES

SDK = Path(__file__).parents[3] / "sdk" / "typescript"
ALIASES = {
    "GET /api/v1/exchange/{symbol}/orders": "openOrders asks /orders/open, which is the same list",
    "PATCH /api/v1/clob/orders/{order_id}": "amendOrder names the pair, which is the same",
    "GET /docs": "a page for people",
}
CHANNELS = ("book", "trades", "price", "bbo", "markets", "private")


def load() -> ModuleType:
    """Load the generator, which lies beside the package."""
    spec = importlib.util.spec_from_file_location("generate", SDK / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def source() -> str:
    """Join what is written by hand."""
    return "\n".join(path.read_text("utf-8") for path in sorted((SDK / "src").glob("*.ts")))


@pytest.mark.parametrize("name", ["wire.ts", "routes.ts", "errors.ts"])
def test_generated_file_is_what_the_generator_makes(name: str) -> None:
    """Otherwise run `.venv/bin/python sdk/typescript/generate.py`."""
    assert (SDK / "src" / "generated" / name).read_text("utf-8") == load().make()[name]


def test_every_route_has_a_method() -> None:
    """What the gateway serves, the client can ask for; aliases are named with their reason."""
    asked = set(re.findall(r'call\(\s*"([A-Z]+ /[^"]*)"', source()))
    served = {f"{route.method} {route.path}" for route in ROUTES}
    assert served - asked - set(ALIASES) == set()
    assert asked - served == set()


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_has_a_method(channel: str) -> None:
    """Each of the six paths is opened by a method of its name."""
    streams = (SDK / "src" / "streams.ts").read_text("utf-8")
    method = streams.partition(f"\n  {channel}(")[2].partition("\n  }\n")[0]
    assert re.search(rf"/ws/exchange/(\$\{{[^}}]*\}}/)?{channel}[`\"]", method), channel


def test_lock_file_names_no_host() -> None:
    """Packages come from whatever registry the reader's npm is set to, with their digests."""
    locked = json.loads((SDK / "package-lock.json").read_text("utf-8"))["packages"]
    assert [name for name, entry in locked.items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in locked.items() if name)
