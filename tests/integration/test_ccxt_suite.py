"""ccxt's own tests of an exchange, against a started one: sync, async and WebSocket."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from event_trader import SyncEventTrader

from tests.clients import new_key
from tests.integration.ccxt_suite import Outcome, Suite, outcome
from tests.running import RunningExchange

pytestmark = pytest.mark.timeout(540)

REST = [
    "afterConstruct", "features", "fetchBalance", "fetchClosedOrders", "fetchLastPrices",
    "fetchMyTrades", "fetchOHLCV", "fetchOpenOrders", "fetchOrderBook", "fetchOrders",
    "fetchStatus", "fetchTicker", "fetchTickers", "fetchTrades", "fetchTradingFees", "loadMarkets",
]  # fmt: skip
"""What must have run, by ccxt's names; a shorter list is a failure."""
STREAMS = [
    "loadMarkets", "watchBalance", "watchBidsAsks", "watchMyTrades", "watchOrderBook",
    "watchOrderBookForSymbols", "watchOrders", "watchTicker", "watchTickers", "watchTrades",
    "watchTradesForSymbols",
]  # fmt: skip
SYMBOLS = ("btc", "eth")
"""The suite takes the most active markets, and these are made to be."""
BEST = 0.998
"""Of the pools' bid: above the market maker's, so that the book's own best bid moves."""


class Traffic:
    """Trades and rests orders on one account, from a thread of its own, until stopped."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._key = key
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        self.round()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(30)

    def _run(self) -> None:
        try:
            while not self._done.wait(0.3):
                self.round()
        except Exception as error:  # noqa: BLE001 (the fixture that started it shows it)
            self.failure = error

    def round(self) -> None:
        """Buy and sell a little at the market, and let a best bid come and go, on each symbol."""
        with SyncEventTrader(self._key, base_url=self._base_url) as client:
            for symbol in SYMBOLS:
                low = client.clob.orderbook(symbol)["best_bid"]
                resting = client.clob.place_order(
                    symbol, "buy", "0.0010", price=f"{float(low) * BEST:.2f}"
                )
                for side in ("buy", "sell"):
                    client.clob.place_order(symbol, side, "0.0010", order_type="market")
                client.clob.cancel_order(symbol, resting["order_id"])


@pytest.fixture
def key(running_exchange: RunningExchange) -> str:
    """A key of a fresh account."""
    return asyncio.run(new_key(running_exchange.base_url))


@pytest.fixture
def suite(running_exchange: RunningExchange, key: str, tmp_path: Path) -> Iterator[Suite]:
    """The suite for an account that trades while it runs."""
    with Traffic(running_exchange.base_url, key) as traffic:
        yield Suite(tmp_path, running_exchange.base_url, key)
    assert traffic.failure is None


def shown(runs: dict[str, Outcome], wanted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Print what each run executed, and require all of it, without a failure."""
    with capsys.disabled():
        for name, run in runs.items():
            print(f"\nccxt suite, {name}: {len(run.executed)} executed: {', '.join(run.executed)}")
    for name, run in runs.items():
        assert (run.wrong, run.status) == ([], 0), f"{name}:\n{run.output[-20_000:]}"
        assert run.executed == wanted, run.output[-20_000:]


def test_ccxt_suite_passes_over_rest(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """The sync and the async class run all of REST's tests to their end."""
    runs = {"sync": outcome(suite.start("--sync")), "async": outcome(suite.start())}
    shown(runs, REST, capsys)
    assert len(set(REST) | set(STREAMS)) >= 24


@pytest.mark.slow
def test_ccxt_suite_passes_over_websocket(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    """The pro class runs all the streams' tests; each waits for books and tapes to move."""
    shown({"websocket": outcome(suite.start("--ws"))}, STREAMS, capsys)
