"""The example market maker, option by option, against a whole exchange."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio
from event_trader import EventTrader, SyncEventTrader

from tests.clients import PASSWORD, new_account, new_key, new_trader
from tests.integration.test_examples import EXAMPLES, in_python
from tests.running import RunningExchange

PAIR = "sbio"
"""Other tests leave it alone."""
BPS = Decimal(10_000)
SALES_MAX = 4
SALE = "490000"
"""More than pools take before the price is through the maker's bid; an account has four such."""


def load() -> ModuleType:
    """Load the example as a module."""
    path = Path(EXAMPLES) / "market_maker.py"
    spec = importlib.util.spec_from_file_location("market_maker", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULE = load()


@pytest_asyncio.fixture
async def client(running_exchange: RunningExchange) -> AsyncIterator[EventTrader]:
    """The maker's client; whatever it left on the book goes with it."""
    url = running_exchange.base_url
    async with EventTrader(await new_key(url), base_url=url) as opened:
        yield opened
        await opened.clob.kill_switch()


@pytest_asyncio.fixture
async def other(running_exchange: RunningExchange) -> AsyncIterator[EventTrader]:
    """Somebody who trades with the maker."""
    async with await new_trader(running_exchange.base_url) as opened:
        yield opened
        await opened.clob.kill_switch()


async def maker_of(client: EventTrader, *options: str) -> Any:
    """Make a maker with options of the command line, ready to look for the first time."""
    maker = MODULE.MarketMaker(client, MODULE.parse(["--pair", PAIR, *options]))
    await maker.prepare()
    return maker


async def quotes(client: EventTrader) -> dict[str, dict[str, Any]]:
    """Give the open orders by side."""
    return {order["side"]: order for order in await client.clob.open_orders(PAIR)}


async def test_spread_and_size_are_those_asked_for(client: EventTrader) -> None:
    """A hundred basis points from bid to ask, to the tick; the size on both sides."""
    maker = await maker_of(client, "--spread-bps", "100", "--size", "2000")
    assert await maker.cycle()
    standing = await quotes(client)
    bid, ask = (Decimal(standing[side]["price"]) for side in ("buy", "sell"))
    assert {order["quantity"] for order in standing.values()} == {"2000"}
    assert {order["order_type"] for order in standing.values()} == {"post_only"}
    exact = maker.mid * 100 / BPS
    assert exact <= ask - bid < exact + 2 * maker.tick


@pytest.mark.parametrize(("drift", "moves"), [("0", True), ("1000000", False)])
async def test_quotes_move_when_the_middle_has_drifted(
    client: EventTrader, drift: str, *, moves: bool
) -> None:
    """With no drift allowed each look renews them; with a great one they stand."""
    maker = await maker_of(client, "--spread-bps", "100", "--drift-bps", drift)
    assert await maker.cycle()
    before = {order["order_id"] for order in (await quotes(client)).values()}
    assert await maker.cycle()
    after = {order["order_id"] for order in (await quotes(client)).values()}
    assert len(after) == 2
    assert (before != after) is moves


async def test_position_limit_leaves_out_the_side_that_would_grow_it(
    client: EventTrader, other: EventTrader
) -> None:
    """Once it has sold as much as it may, it only bids; and it never begins beyond its limit."""
    maker = await maker_of(client, "--max-position", "1000", "--size", "1000")
    assert await maker.cycle()
    ask = (await quotes(client))["sell"]
    taken = await other.clob.place_order(
        PAIR, "buy", "1000", price=ask["price"], order_type="ioc", route_mode="cex"
    )
    assert taken["status"] == "filled"
    assert await maker.cycle()
    assert set(await quotes(client)) == {"buy"}
    assert (maker.inventory.base, maker.inventory.fills) == (-1000, 1)
    await maker.finish()
    small = await maker_of(client, "--max-position", "500", "--size", "1000")
    assert await small.cycle()
    assert await quotes(client) == {}


async def test_loss_limit_ends_it_with_nothing_on_the_book(
    client: EventTrader, other: EventTrader
) -> None:
    """Somebody sells to it and on into the pools: it bought above where the price is now."""
    for _ in range(SALES_MAX):
        maker = await maker_of(client, "--max-loss", "0.000001", "--size", "1000")
        assert await maker.cycle()
        bid = Decimal((await quotes(client))["buy"]["price"])
        low = (bid * 99 / 100).quantize(maker.tick)
        await other.clob.place_order(PAIR, "sell", SALE, price=str(low), order_type="ioc")
        if not await maker.cycle():
            break
        # A pool's next block brought its price back before the maker looked: once more, afresh.
        await maker.finish()
    else:
        pytest.fail("it never stopped")
    assert maker.inventory.base > 0
    assert maker.inventory.profit(maker.mid) < 0
    await maker.finish()
    assert await quotes(client) == {}


def test_log_in_by_password_quotes_again_and_again_until_ctrl_c(
    running_exchange: RunningExchange,
) -> None:
    """Email and password, a short refresh, no drift: each look is a line; Ctrl-C ends it."""
    url = running_exchange.base_url
    account = asyncio.run(new_account(url))
    maker = in_python(
        "market_maker", "--email", account.email, "--password", PASSWORD, "--base-url", url,
        "--pair", PAIR, "--refresh", "0.05", "--drift-bps", "0",
    )  # fmt: skip
    maker.until(lambda: len([line for line in maker.lines if line.startswith("mid ")]) >= 3)
    assert maker.interrupt() == 0, maker.lines
    with SyncEventTrader(account.key, base_url=url) as client:
        assert client.clob.open_orders(PAIR) == []


def test_live_is_only_what_was_asked_for(running_exchange: RunningExchange) -> None:
    """An account that may trade live: paper without the option, and with it the pair's refusal."""
    url = running_exchange.base_url

    async def live_account() -> str:
        async with await new_trader(url) as opened:
            await opened.account.update(simulation_mode=False)
            return str((await opened.account.create_api_key("live", trade=True))["key"])

    key = asyncio.run(live_account())
    options = ["--api-key", key, "--base-url", url, "--pair", PAIR, "--refresh", "0.05"]
    with SyncEventTrader(key, base_url=url) as client:
        paper = in_python("market_maker", *options)
        paper.until(lambda: len(client.clob.open_orders(PAIR, mode="paper")) == 2)
        assert paper.interrupt() == 0, paper.lines
        assert client.clob.open_orders(PAIR, mode="paper") == []
        live = in_python("market_maker", *options, "--live")
        assert live.wait() == 1
        assert "LIVE_NOT_ENABLED" in live.lines[-1]
        assert "request req_" in live.lines[-1]


def test_without_a_credential_it_says_what_to_give(running_exchange: RunningExchange) -> None:
    """One line, exit status 1."""
    maker = in_python("market_maker", "--base-url", running_exchange.base_url)
    assert maker.wait() == 1
    assert maker.lines == ["give --api-key, or --email and --password"]
