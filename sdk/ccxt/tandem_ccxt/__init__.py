"""The Tandem exchange for ccxt.

    import ccxt
    import tandem_ccxt

    exchange = ccxt.tandem({"apiKey": "evt_..."})

Importing this package adds the class ``tandem`` to ``ccxt``, ``ccxt.async_support`` and
``ccxt.pro``, and its name to their lists of exchanges, so a bot that picks its exchange by name
finds it.
"""

from types import ModuleType

import ccxt
import ccxt.async_support
import ccxt.pro

from tandem_ccxt.exchanges import AsyncTandem, Tandem
from tandem_ccxt.streaming import ProTandem

__all__ = ["AsyncTandem", "ProTandem", "Tandem", "register"]

NAME = "tandem"


def register() -> None:
    """Add ``tandem`` to ccxt's three namespaces; calling it again changes nothing."""
    _add(ccxt, Tandem)
    _add(ccxt.async_support, AsyncTandem)
    _add(ccxt.pro, ProTandem)


def _add(namespace: ModuleType, exchange: type) -> None:
    setattr(namespace, NAME, exchange)
    if NAME not in namespace.exchanges:
        namespace.exchanges.append(NAME)


register()
