"""ccxt's own tests of an exchange, against a started one: sync, async and WebSocket."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.clients import new_key
from tests.integration.ccxt_suite import Outcome, Suite, outcome
from tests.integration.ccxt_traffic import Traffic
from tests.running import RunningExchange

REST = [
    "afterConstruct", "features", "fetchBalance", "fetchClosedOrders", "fetchLastPrices",
    "fetchMyTrades", "fetchOHLCV", "fetchOpenOrders", "fetchOrderBook", "fetchOrders",
    "fetchStatus", "fetchTicker", "fetchTickers", "fetchTrades", "fetchTradingFees", "loadMarkets",
]  # fmt: skip
"""What must have run, by ccxt's names; a shorter list is a failure."""
STREAMS = [
    "loadMarkets", "watchBalance", "watchBidsAsks", "watchMyTrades", "watchOHLCV",
    "watchOHLCVForSymbols", "watchOrderBook", "watchOrderBookForSymbols", "watchOrders",
    "watchTicker", "watchTickers", "watchTrades", "watchTradesForSymbols",
]  # fmt: skip


@pytest.fixture(scope="module")
def runs(
    running_exchange: RunningExchange, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Outcome]]:
    """The suite thrice at the same time, on one account, while every market moves."""
    url = running_exchange.base_url
    key = asyncio.run(new_key(url))
    with Traffic(url, key) as traffic:
        suite = Suite(tmp_path_factory.mktemp("suite"), url, key)
        started = {
            "sync": suite.start("--sync"), "async": suite.start(), "websocket": suite.start("--ws"),
        }  # fmt: skip
        yield {name: outcome(process) for name, process in started.items()}
    assert traffic.failure is None


def shown(run: Outcome, name: str, wanted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Print what a run executed, and require all of it, without a failure."""
    with capsys.disabled():
        print(f"\nccxt suite, {name}: {len(run.executed)} executed: {', '.join(run.executed)}")
    assert (run.wrong, run.status) == ([], 0), run.output[-20_000:]
    assert run.executed == wanted, run.output[-20_000:]


@pytest.mark.parametrize("name", ["sync", "async"])
def test_ccxt_suite_passes_over_rest(
    runs: dict[str, Outcome], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sync and the async class run all of REST's tests to their end."""
    shown(runs[name], name, REST, capsys)


def test_ccxt_suite_passes_over_websocket(
    runs: dict[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    """The pro class runs all the streams' tests; each waits for books and tapes to move."""
    shown(runs["websocket"], "websocket", STREAMS, capsys)
    assert len(set(REST) | set(STREAMS)) >= 24
