"""The gateway's copies of the markets: seeded by pairs, fed by the journal, renewed on gaps."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from actors.engine.commands import Command, PlaceOrder
from actors.engine.market_api import AnyReply, BusyReply, DepthQuery, DepthReply, Query
from actors.engine.public_state import PublicState
from actors.engine.units import Mode, OrderType, Side, UserId
from actors.errors import PairUnavailableError, TrimmedError
from actors.journal.memory import MemoryTail
from actors.pair_runtime import PairRuntime
from gateway.market import Market
from gateway.market_data import MarketDataHub
from tests.unit.actors.pairs import SPEC, Bench, batch, replies

ALICE = UserId("usr_alice")
WITHIN_S = 30.0


class Pair:
    """A pair's runtime as the hub sees it; ``refusals`` are given first."""

    def __init__(self, runtime: PairRuntime, refusals: list[AnyReply | Exception]) -> None:
        self.runtime = runtime
        self.refusals = refusals
        self.asked = 0

    async def submit(self, mode: Mode, command: Command | Query) -> AnyReply:
        """Refuse as told, then ask the runtime."""
        self.asked += 1
        if self.refusals:
            refusal = self.refusals.pop(0)
            if isinstance(refusal, Exception):
                raise refusal
            return refusal
        return replies(await asyncio.to_thread(self.runtime.submit, batch(command, mode=mode)))[0]


class LossyTail(MemoryTail):
    """A tail that loses one record, or fails once, when told to."""

    lose = 0
    failure: Exception | None = None

    async def follow(self, positions: dict[str, int]) -> AsyncIterator[tuple[str, int, bytes]]:
        """Follow, with the trouble asked for."""
        async for stream, number, body in super().follow(positions):
            if self.failure is not None:
                failure, self.failure = self.failure, None
                raise failure
            if self.lose:
                self.lose -= 1
                continue
            yield stream, number, body


class Desk:
    """A pair, a hub over its journal, and a trader."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.bench.grant(ALICE, USDC=10**12, VAIX=10**12)
        self.runtime = self.bench.boot()
        self.pair = Pair(self.runtime, [])
        self.tail = LossyTail(self.bench.journal)
        self.hub = MarketDataHub({"vaix": SPEC}, {"vaix": self.pair}, self.tail, self._heads)
        self._orders = 0

    async def _heads(self, streams: list[str]) -> dict[str, int]:
        return dict.fromkeys(streams, 0)

    @property
    def market(self) -> Market:
        """The paper market's copy."""
        found = self.hub.market("vaix")
        assert found is not None
        return found

    async def buy(self, ticks: int) -> None:
        """Rest one buy order."""
        self._orders += 1
        order = PlaceOrder(f"c{self._orders}", ALICE, Side.BUY, OrderType.LIMIT, 10, ticks)
        await self.pair.submit(Mode.PAPER, order)

    async def truth(self) -> PublicState:
        """Ask the pair for its public state."""
        reply = await self.pair.submit(Mode.PAPER, DepthQuery())
        assert isinstance(reply, DepthReply)
        return msgspec.msgpack.decode(reply.snapshot, type=PublicState)

    async def agrees(self) -> None:
        """Wait until the copy is what the pair shows."""
        truth = await self.truth()
        await self.until(lambda: self.market.ready and self.market.number == truth.sequence)
        bids, asks = self.market.levels(hybrid=False)
        assert [level[:2] for level in bids] == [tuple(level) for level in truth.bids]
        assert [level[:2] for level in asks] == [tuple(level) for level in truth.asks]
        assert self.market.sequence(hybrid=False) == truth.book_seq

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until a condition holds."""
        async with asyncio.timeout(WITHIN_S):
            while not condition():  # noqa: ASYNC110 (what is awaited has no event of its own)
                await asyncio.sleep(0.001)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Give a desk whose hub is not started yet."""
    made = Desk()
    yield made
    await made.hub.stop()
    made.runtime.stop()
    assert made.bench.deaths == []


async def test_hub_started_late_shows_what_the_pair_shows(desk: Desk) -> None:
    """Orders before the start come with the seed, orders after it by the journal."""
    await desk.buy(1_000)
    await desk.hub.start()
    assert await desk.hub.wait_ready(WITHIN_S)
    await desk.agrees()
    for ticks in range(1_001, 1_020):
        await desk.buy(ticks)
    await desk.agrees()
    assert desk.hub.health().ready


async def test_hub_keeps_asking_a_pair_that_recovers(desk: Desk) -> None:
    """Busy and absent pairs are asked again until they answer."""
    desk.pair.refusals = [
        BusyReply(recovering=True, retry_after_ms=1),
        PairUnavailableError("vaix"),
    ]
    await desk.hub.start()
    assert desk.hub.health().waiting == ["vaix.paper", "vaix.live"]
    assert await desk.hub.wait_ready(WITHIN_S)
    await desk.agrees()


async def test_hub_that_misses_a_record_starts_the_market_anew(desk: Desk) -> None:
    """A gap is never shown: the market is taken from the pair again."""
    await desk.hub.start()
    assert await desk.hub.wait_ready(WITHIN_S)
    await desk.buy(1_000)
    await desk.agrees()
    desk.tail.lose = 1
    await desk.buy(1_001)
    await desk.until(lambda: desk.tail.lose == 0)
    await desk.buy(1_002)
    await desk.agrees()


async def test_hub_behind_a_trimmed_stream_starts_the_market_anew(desk: Desk) -> None:
    """A stream that begins later than needed sends the hub back to the pair."""
    await desk.hub.start()
    assert await desk.hub.wait_ready(WITHIN_S)
    desk.tail.failure = TrimmedError("vaix.paper", 0, 5)
    await desk.buy(1_000)
    await desk.until(lambda: desk.tail.failure is None)
    await desk.buy(1_001)
    await desk.agrees()


async def test_hub_whose_tail_breaks_goes_on_where_it_was(desk: Desk) -> None:
    """Any failure of the tail costs time, not records."""
    await desk.hub.start()
    assert await desk.hub.wait_ready(WITHIN_S)
    await desk.buy(1_000)
    await desk.agrees()
    asked = desk.pair.asked
    desk.tail.failure = ConnectionResetError("gone")
    await desk.buy(1_001)
    await desk.until(lambda: desk.market.number == 2)
    assert desk.pair.asked == asked + 1


@pytest.mark.parametrize("live_enabled", [False, True])
def test_mode_asked_for_is_the_one_that_is_shown(*, live_enabled: bool) -> None:
    """Paper never stands for live, nor live for paper; without a mode it is the public one."""
    desk = Desk()
    spec = msgspec.structs.replace(SPEC, live_enabled=live_enabled)
    hub = MarketDataHub({"vaix": spec}, {"vaix": desk.pair}, desk.tail, desk._heads)
    for asked, shown in (
        (Mode.PAPER, Mode.PAPER),
        (Mode.LIVE, Mode.LIVE),
        (None, Mode(live_enabled)),
    ):
        found = hub.market("vaix", asked)
        assert found is not None
        assert found.mode is shown
        assert {market.mode for market in hub.markets(asked)} == {shown}
    assert hub.market("nope", Mode.PAPER) is None
    desk.runtime.stop()
