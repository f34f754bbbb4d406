"""Rate limits on a real store: never more than the limit, and hardly less, whoever asks."""

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from actors.journal.tail import connect_async
from gateway import limits as limits_module
from gateway.errors import ApiError
from gateway.limits import CREDIT_LIMIT_MIN, CREDIT_S, Check, Limits
from gateway.settings import Rate

LARGE = Rate(CREDIT_LIMIT_MIN, 60)
SMALL = Rate(50, 60)


class Clock:
    """The gateways' own time, which moves when a test says so; Redis has the machine's."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        """Tell the time."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock in place of the machine's, so that no credit runs out because the machine is slow."""
    made = Clock()
    ticking = SimpleNamespace(monotonic=made.monotonic, time=time.time)
    monkeypatch.setattr(limits_module, "time", ticking)
    return made


@pytest.fixture
async def gateways(store_url: str) -> AsyncIterator[list[Limits]]:
    """Two gateways over one store."""
    clients = [connect_async(store_url) for _ in range(2)]
    yield [Limits(client, enabled=True) for client in clients]
    for client in clients:
        await client.aclose()


async def granted(limits: Limits, checks: list[Check]) -> bool:
    """Ask once; tells whether the request may go on."""
    try:
        await limits.count(checks)
    except ApiError as refusal:
        if refusal.status != 429:
            raise
        return False
    return True


async def test_small_limit_over_two_gateways_lets_exactly_its_count_through(
    gateways: list[Limits],
) -> None:
    """Concurrent requests at both gateways are counted as one."""
    asked = [granted(gateways[n % 2], [Check("small:a", SMALL)]) for n in range(120)]
    assert sum(await asyncio.gather(*asked)) == SMALL.count


async def test_large_limit_under_a_rush_lets_nothing_extra_and_little_less_through(
    gateways: list[Limits], clock: Clock
) -> None:
    """What is drawn ahead is neither spent twice nor lost in heaps."""
    passed = 0
    for _ in range(CREDIT_LIMIT_MIN // 100 + 10):
        asked = [granted(gateways[n % 2], [Check("large:a", LARGE)]) for n in range(100)]
        passed += sum(await asyncio.gather(*asked))
    assert LARGE.count * 9 // 10 <= passed <= LARGE.count


async def test_large_limit_at_a_slow_pace_loses_nothing(
    gateways: list[Limits], clock: Clock
) -> None:
    """One request now and then costs one, not what a rush would have drawn."""
    state = None
    for _ in range(5):
        state = await gateways[0].count([Check("large:slow", LARGE)])
        clock.now_s += CREDIT_S * 1.2
    assert state is not None
    assert state.remaining == LARGE.count - 5


async def test_request_refused_by_one_limit_is_counted_by_none(gateways: list[Limits]) -> None:
    """The large limit gets back what it paid when the small one refuses."""
    checks = [Check("small:b", SMALL), Check("large:b", LARGE)]
    passed = [await granted(gateways[0], checks) for _ in range(SMALL.count + 20)]
    assert sum(passed) == SMALL.count
    state = await gateways[0].count([Check("large:b", LARGE)])
    assert state is not None
    assert state.remaining >= LARGE.count - 2 * SMALL.count
