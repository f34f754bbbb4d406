"""The API's paths as ccxt's implicit methods, such as ``exchange.private_get_my_fees()``."""

import re
from typing import Any

from ccxt.base.types import Entry

_EXCHANGE = "exchange"

ENDPOINTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("root", "GET"): ("health", "ready"),
    ("public", "GET"): (
        "pairs", "markets", "time", "fee-schedule", "metrics", "{symbol}/stats", "{symbol}/chart",
        "{symbol}/venues", "{symbol}/book", "{symbol}/book/hybrid", "{symbol}/bbo",
        "{symbol}/trades", "{symbol}/ticker",
    ),
    ("private", "GET"): (
        "my-fees", "{symbol}/orders/{order_id}", "{symbol}/orders/open", "{symbol}/orders/history",
        "{symbol}/trades/mine", "{symbol}/balance", "{symbol}/twap", "sub-accounts",
    ),
    ("private", "POST"): (
        "{symbol}/orders", "{symbol}/orders/batch", "{symbol}/twap", "{symbol}/scale",
        "{symbol}/withdraw", "dead-mans-switch", "dead-mans-switch/heartbeat",
        "sub-accounts/transfer",
    ),
    ("private", "PATCH"): ("{symbol}/orders/{order_id}", "{symbol}/orders/batch"),
    ("private", "DELETE"): (
        "{symbol}/orders/{order_id}", "{symbol}/orders/batch", "{symbol}/orders", "orders/all",
        "{symbol}/twap/{twap_id}", "dead-mans-switch",
    ),
    ("account", "GET"): ("account", "account/balances"),
    ("account", "POST"): ("account/paper/reset",),
}  # fmt: skip

PREFIXES = {
    "root": "/",
    "public": f"/api/v1/{_EXCHANGE}/",
    "private": f"/api/v1/{_EXCHANGE}/",
    "account": "/api/v1/",
}


def method_name(api: str, method: str, path: str) -> str:
    """Name the implicit method of a path as ccxt does: ``public_get_symbol_ticker``."""
    words = re.findall(r"[A-Za-z0-9]+", path)
    return "_".join([api, method.lower(), *words])


def _entries() -> dict[str, Any]:
    return {
        method_name(api, method, path): Entry(path, [api], method, {"cost": 1})
        for (api, method), paths in ENDPOINTS.items()
        for path in paths
    }


ImplicitAPI: Any = type("ImplicitAPI", (), _entries())
"""A mix-in with one method per endpoint; parameters that the path does not name are sent along."""
