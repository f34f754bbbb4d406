"""The classes ``ccxt.tandem`` and ``ccxt.async_support.tandem``."""

from collections.abc import Callable
from typing import Any

import ccxt
import ccxt.async_support
from ccxt.base.errors import NetworkError

from tandem_ccxt import (
    account_methods,
    market_methods,
    order_batches,
    order_methods,
    order_reads,
)
from tandem_ccxt.described import described
from tandem_ccxt.endpoints import ImplicitAPI
from tandem_ccxt.lost import unanswered
from tandem_ccxt.parsing import Parsing
from tandem_ccxt.unified import UNIFIED, awaiting, waiting

METHOD_ROOMS = (market_methods, order_methods, order_batches, order_reads, account_methods)
"""Importing these has filled `UNIFIED`."""


def _driven(drive: Callable[..., Any]) -> dict[str, Any]:
    return {name: drive(method) for name, method in UNIFIED.items()}


SyncMethods: Any = type("SyncMethods", (), _driven(waiting))
AsyncMethods: Any = type("AsyncMethods", (), _driven(awaiting))


class Tandem(SyncMethods, Parsing, ImplicitAPI, ccxt.Exchange):
    """Tandem for ccxt, each call waiting for its answer.

    Example:
        >>> exchange = ccxt.tandem({"apiKey": "evt_..."})
        >>> exchange.create_order("VAIX/USDC", "limit", "buy", 1000, 0.003)
    """

    def describe(self) -> Any:
        """Give ccxt's defaults with Tandem's own on top."""
        return self.deep_extend(super().describe(), described())

    def fetch(self, url: str, method: str = "GET", *sent: Any, **more: Any) -> Any:
        """Send a request; ccxt calls this. Where nobody answers, the error says what to do."""
        try:
            return super().fetch(url, method, *sent, **more)
        except NetworkError as error:
            raise unanswered(self.id, (method, url), error) or error from error.__cause__


class AsyncTandem(AsyncMethods, Parsing, ImplicitAPI, ccxt.async_support.Exchange):
    """Tandem for ccxt, each call awaited.

    Example:
        >>> exchange = ccxt.async_support.tandem({"apiKey": "evt_..."})
        >>> await exchange.fetch_order_book("VAIX/USDC")
        >>> await exchange.close()
    """

    def describe(self) -> Any:
        """Give ccxt's defaults with Tandem's own on top."""
        return self.deep_extend(super().describe(), described())

    async def fetch(self, url: str, method: str = "GET", *sent: Any, **more: Any) -> Any:
        """Send a request; ccxt calls this. Where nobody answers, the error says what to do."""
        try:
            return await super().fetch(url, method, *sent, **more)
        except NetworkError as error:
            raise unanswered(self.id, (method, url), error) or error from error.__cause__
