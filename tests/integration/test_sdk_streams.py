"""The Python client's streams against a whole exchange, through a proxy that cuts them."""

import asyncio
import contextlib
import functools
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from event_trader import AuthenticationError, EventTrader

from tests.clients import new_key, new_trader
from tests.proxies import CuttingProxy
from tests.running import RunningExchange

CUTS = 100
LONG = bool(os.environ.get("TANDEM_LONG"))
UPDATES = 100_000 if LONG else 300
"""Book changes at least; the long form is run by make sim."""
SLICE_S = float(os.environ.get("TANDEM_SLICE_S", "0"))
"""Ends the long form after so many seconds, with however many updates came; slices add up."""
BYTES_BETWEEN_CUTS = 500_000 if LONG else 60_000
"""At most. A full book and tape must fit, or nothing that follows them would ever come through."""
CUT_WITHIN_S = (SLICE_S / 2 / CUTS or 10.0) if LONG else 0.2
"""Nobody waits longer than this for so many bytes."""
TRADERS = 2 if LONG else 4
"""Two make the most changes of the book: what more of them send at once shares a record."""
ORDERS = 10
MOVES = 20 if LONG else 1
AT_ONCE = 1 if LONG else 10
"""What comes in one request is one record, and one change of the book."""
WITHIN_S = 90.0
LONGEST_S = 3_600.0
SEED = int(os.environ.get("TANDEM_SEED", "20260102"))


async def churn(client: EventTrader, rng: random.Random, stop: asyncio.Event) -> None:
    """Place, move and cancel orders around a price, some of which trade, until told to stop."""
    while not stop.is_set():
        orders = [an_order(rng, side) for side in ("buy", "sell") for _ in range(ORDERS // 2)]
        made = await client.clob.batch_place_orders("vaix", orders)
        placed = [result["order"] for result in made["results"] if result.get("order")]
        sides = {order["order_id"]: order["side"] for order in placed}
        for _ in range(MOVES):
            moved = [{"order_id": one, "price": a_price(rng, side)} for one, side in sides.items()]
            for at in range(0, len(moved), AT_ONCE):
                await client.clob.batch_amend_orders("vaix", moved[at : at + AT_ONCE])
        if rng.random() < 0.5:
            await client.clob.place_order(
                "vaix", rng.choice(["buy", "sell"]), "1500", order_type="market", route_mode="cex",
                mode="paper",
            )  # fmt: skip
        await client.clob.batch_cancel_orders("vaix", list(sides))


def an_order(rng: random.Random, side: str) -> dict[str, str]:
    """Make an order that rests on one side of the price, or nearly."""
    return {
        "side": side,
        "quantity": str(rng.randint(1_000, 5_000)),
        "price": a_price(rng, side),
        "mode": "paper",
        "route_mode": "cex",
    }


def a_price(rng: random.Random, side: str) -> str:
    """Choose a price for a side."""
    return f"0.00{rng.randint(270, 298) if side == 'buy' else rng.randint(300, 330)}"


async def cut_again_and_again(proxy: CuttingProxy, rng: random.Random, cuts: int) -> None:
    """Cut connections in the middle of their bytes, each time after a random number of them."""
    while proxy.cuts < cuts:
        proxy.cut_after_bytes = rng.randint(1, BYTES_BETWEEN_CUTS)
        cut = functools.partial(proxy.has_cut, proxy.cuts)
        with contextlib.suppress(AssertionError):
            await until(cut, CUT_WITHIN_S)
        if not cut():
            proxy.cut()


async def until(condition: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    """Poll until a condition holds."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"not within {within_s} s"
        await asyncio.sleep(0.01)


async def collect(stream: Any, into: list[dict[str, Any]]) -> None:
    """Keep every event of a stream."""
    await stream.run(into.append)


@pytest.mark.timeout(LONGEST_S + 300)
async def test_hundred_cuts_leave_the_book_equal_and_no_private_event_lost_or_doubled(
    running_exchange: RunningExchange,
) -> None:
    """Book, trades and private channel of one account, against what the server says at the end."""
    rng = random.Random(SEED)
    url = running_exchange.base_url
    keys = [await new_key(url) for _ in range(TRADERS)]
    stop = asyncio.Event()
    private_events: list[dict[str, Any]] = []
    whole_events: list[dict[str, Any]] = []
    trades: list[dict[str, Any]] = []
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(EventTrader(key, base_url=url)) for key in keys]
        proxy = await stack.enter_async_context(CuttingProxy(url))
        cut = await stack.enter_async_context(EventTrader(keys[0], base_url=proxy.url))
        book, tape = cut.stream.book("vaix", mode="paper"), cut.stream.trades("vaix", mode="paper")
        private, whole = cut.stream.private(), clients[0].stream.private()
        assert (await private.__anext__())["type"] == "connected"
        assert (await whole.__anext__())["type"] == "connected"
        first_sequence = (await book.__anext__())["sequence"]
        await tape.__anext__()  # a long tape's first frame would not come through between two cuts
        frames: list[dict[str, Any]] = []
        readers = [
            asyncio.create_task(collect(book, frames)),
            asyncio.create_task(collect(tape, trades)),
            asyncio.create_task(collect(private, private_events)),
            asyncio.create_task(collect(whole, whole_events)),
        ]
        churners = [
            asyncio.create_task(churn(client, random.Random(SEED + at), stop))
            for at, client in enumerate(clients)
        ]
        begun = time.monotonic()
        await cut_again_and_again(proxy, rng, CUTS)
        left_s = SLICE_S - (time.monotonic() - begun) if SLICE_S else LONGEST_S
        try:
            await until(lambda: book.book.sequence - first_sequence >= UPDATES, left_s)
        except AssertionError:
            assert SLICE_S, "the updates did not come"
        stop.set()
        await asyncio.gather(*churners)
        last = await clients[0].clob.place_order("vaix", "buy", "1000", price="0.001", mode="paper")
        for events in (private_events, whole_events):
            await until(functools.partial(ends_with, events, last))
        params = {"depth": 500, "mode": "paper"}
        served = await clients[0]._http.get("/api/v1/exchange/vaix/book", params=params)
        await until(lambda: book.book.sequence >= served["sequence"])
        for stream in (book, tape, private, whole):
            await stream.close()
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    assert proxy.cuts >= CUTS
    assert book.book.sequence == served["sequence"]
    assert [list(level) for level in book.book.bids] == served["bids"]
    assert [list(level) for level in book.book.asks] == served["asks"]
    assert book.protocol.mismatches == 0
    assert once(private_events) == once(whole_events)
    numbers = [event["sequence"] for event in trades if event["type"] == "trade"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    print(
        f"seed {SEED}: {proxy.cuts} cuts, {book.book.sequence - first_sequence} book updates in "
        f"{len(frames)} frames, {book.connections} connections, {len(once(private_events))} "
        f"private events, {len(numbers)} trades"
    )


def ends_with(events: list[dict[str, Any]], order: dict[str, Any]) -> bool:
    """Tell whether an order's update has come."""
    return any(event.get("order_id") == order["order_id"] for event in events[-20:])


def once(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Give the orders' and fills' events in order, having checked that no fill comes twice.

    Updates of one record may read alike: of an order that traded and was then moved to another
    price, of which an update does not tell. So they are held against the stream that was not cut.
    """
    fills = [(event["trade_id"], event["role"]) for event in events if event["type"] == "fill"]
    assert not [fill for fill, count in Counter(fills).items() if count > 1]
    return [
        tuple(sorted((name, str(value)) for name, value in event.items()))
        for event in events
        if event["type"] in ("order_update", "fill")
    ]


async def test_every_public_channel_says_its_state_first(
    running_exchange: RunningExchange,
) -> None:
    """One event of each, by iterator and by handler."""
    async with EventTrader(base_url=running_exchange.base_url) as client:
        expected = {
            client.stream.book("VAIX/USDC", hybrid=True): "snapshot",
            client.stream.trades("vaix"): "snapshot",
            client.stream.price("vaix"): "price",
            client.stream.bbo("vaix"): "bbo",
            client.stream.markets(): "markets",
        }
        for stream, kind in expected.items():
            seen: list[str] = []

            async def take(event: dict[str, Any], stream: Any = stream, seen: Any = seen) -> None:
                seen.append(event["type"])
                await stream.close()

            await asyncio.wait_for(stream.run(take), WITHIN_S)
            assert seen == [kind]


async def test_revoked_key_ends_the_private_stream_with_its_type(
    running_exchange: RunningExchange,
) -> None:
    """The channel is closed, and the error says why."""
    url = running_exchange.base_url
    async with await new_trader(url) as owner:
        made = await owner.account.create_api_key("short-lived")
        async with EventTrader(made["key"], base_url=url) as client:
            stream = client.stream.private()
            assert (await stream.__anext__())["type"] == "connected"
            await owner.account.delete_api_key(made["id"])
            with pytest.raises(AuthenticationError):
                await asyncio.wait_for(collect(stream, []), WITHIN_S)
