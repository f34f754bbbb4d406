"""Dead man's switches over a real store: armed by one gateway, swept by the supervisor."""

import msgspec
import pytest

from actors.dead_mans_switch import DeadMansSwitch, Sweeper
from actors.engine.commands import CancelAll, decoder
from actors.engine.market_api import AnyReply, BatchReply, BusyReply, OrdersReply, Request
from actors.engine.units import Mode, Reason, UserId
from actors.journal.redis import connect
from actors.journal.tail import connect_async

ALICE = UserId("usr_alice")
NS_PER_MS = 1_000_000


class RecordingPair:
    """A pair that notes what it is asked to cancel; busy as often as told."""

    def __init__(self) -> None:
        self.cancels: list[tuple[Mode, CancelAll]] = []
        self.busy = 0

    def start(self, request: bytes) -> object:
        """Answer at once."""
        replies: list[AnyReply] = []
        for item in msgspec.msgpack.decode(request, type=list[Request]):
            if self.busy:
                replies.append(BusyReply(recovering=True, retry_after_ms=1))
                continue
            command = decoder().decode(item.body)
            assert isinstance(command, CancelAll)
            self.cancels.append((item.mode, command))
            replies.append(OrdersReply([]))
        self.busy = max(0, self.busy - 1)
        return msgspec.msgpack.encode(BatchReply(replies, ([], [])))

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Give the answers."""
        return [bytes(ticket) for ticket in tickets if isinstance(ticket, bytes)]


@pytest.fixture
def now_ms() -> list[int]:
    """Give a clock that tests set."""
    return [1_800_000_000_000]


async def test_switch_overdue_cancels_everywhere_once(store_url: str, now_ms: list[int]) -> None:
    """Silence cancels on every pair in both modes; a busy pair is asked again by the same id."""
    pairs = {"vaix": RecordingPair(), "btc": RecordingPair()}
    async with connect_async(store_url) as client:
        switch = DeadMansSwitch(client, lambda: now_ms[0] * NS_PER_MS)
        assert await switch.beat(ALICE) is None
        assert await switch.arm(ALICE, 1_000) == now_ms[0] + 1_000
        with connect(store_url) as blocking:
            sweeper = Sweeper(blocking, pairs, lambda: now_ms[0] * NS_PER_MS)
            now_ms[0] += 999
            assert sweeper.sweep() == 0
            assert await switch.beat(ALICE) == (1_000, now_ms[0] + 1_000)
            now_ms[0] += 1_001
            pairs["btc"].busy = 1
            assert sweeper.sweep() == 0
            assert sweeper.sweep() == 1
            assert sweeper.sweep() == 0
        assert await switch.beat(ALICE) is None
    assert {mode for mode, _ in pairs["btc"].cancels} == set(Mode)
    assert {command.reason for _, command in pairs["vaix"].cancels} == {Reason.DEAD_MANS_SWITCH}
    assert len({command.command_id for _, command in pairs["vaix"].cancels}) == 1


async def test_switch_disarmed_never_fires(store_url: str, now_ms: list[int]) -> None:
    """Who disarms is left alone."""
    pair = RecordingPair()
    async with connect_async(store_url) as client:
        switch = DeadMansSwitch(client, lambda: now_ms[0] * NS_PER_MS)
        await switch.arm(ALICE, 1_000)
        await switch.disarm(ALICE)
    with connect(store_url) as blocking:
        now_ms[0] += 10_000
        assert Sweeper(blocking, {"vaix": pair}, lambda: now_ms[0] * NS_PER_MS).sweep() == 0
    assert pair.cancels == []
