"""The gathering queue in front of a pair, and what it says of lost calls."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from actors.engine.commands import CancelAll
from actors.engine.market_api import (
    AnyReply,
    BatchReply,
    BusyReply,
    DepthQuery,
    DoneReply,
    Request,
    UnknownReply,
)
from actors.engine.units import Mode, UserId
from actors.errors import PairUnavailableError, UnknownOutcomeError
from actors.pair_client import PairRef

ALICE = UserId("usr_alice")


class ScriptedPort:
    """A pair that answers each call as the script says; a call beyond it is answered DoneReply."""

    def __init__(self, *script: Callable[[int], AnyReply] | Exception) -> None:
        self.script = list(script)
        self.sizes: list[int] = []
        self.incarnation = 1
        self.gate = asyncio.Event()
        self.gate.set()

    async def call(self, batch: bytes) -> bytes:
        """Answer one batch."""
        items = msgspec.msgpack.decode(batch, type=list[Request])
        self.sizes.append(len(items))
        await self.gate.wait()
        step = self.script.pop(0) if self.script else lambda _: DoneReply()
        if isinstance(step, Exception):
            self.incarnation += 1
            raise step
        replies = [step(position) for position in range(len(items))]
        return msgspec.msgpack.encode(BatchReply(replies, ([3], [0]), self.incarnation))


def cancel(number: int) -> CancelAll:
    """Make a command."""
    return CancelAll(f"c{number}", ALICE)


async def test_requests_while_a_call_is_away_go_together() -> None:
    """The first goes at once and alone, all that come meanwhile in the next call."""
    port = ScriptedPort()
    port.gate.clear()
    pair = PairRef("vaix", port)
    asked = [asyncio.create_task(pair.submit(Mode.PAPER, cancel(n))) for n in range(50)]
    await asyncio.sleep(0)
    port.gate.set()
    assert await asyncio.gather(*asked) == [DoneReply()] * 50
    assert sum(port.sizes) == 50
    assert len(port.sizes) == 2
    assert pair.settlement_heads == ([3], [0])


async def test_batch_is_bounded_by_bytes_and_count() -> None:
    """No call carries over 1,000 commands."""
    port = ScriptedPort()
    port.gate.clear()
    pair = PairRef("vaix", port)
    asked = [asyncio.create_task(pair.submit(Mode.PAPER, cancel(n))) for n in range(2_500)]
    await asyncio.sleep(0)
    port.gate.set()
    await asyncio.gather(*asked)
    assert max(port.sizes) <= 1_000


async def test_queue_full_answers_busy() -> None:
    """Beyond the bound a request is turned away at once."""
    port = ScriptedPort()
    port.gate.clear()
    pair = PairRef("vaix", port, queue_max=1)
    first = asyncio.create_task(pair.submit(Mode.PAPER, cancel(1)))
    await asyncio.sleep(0)
    second = asyncio.create_task(pair.submit(Mode.PAPER, cancel(2)))
    await asyncio.sleep(0)
    assert isinstance(await pair.submit(Mode.PAPER, cancel(3)), BusyReply)
    port.gate.set()
    await asyncio.gather(first, second)


async def test_lost_call_that_was_applied_gets_its_reply() -> None:
    """The successor knows the id, so the caller gets the first outcome."""
    port = ScriptedPort(lambda _: DoneReply(), UnknownOutcomeError("vaix"))
    pair = PairRef("vaix", port)
    await pair.submit(Mode.PAPER, cancel(0))
    assert await pair.submit(Mode.PAPER, cancel(1)) == DoneReply()


async def test_lost_call_that_a_successor_does_not_know_never_happened() -> None:
    """A newer incarnation that does not know the id proves that nothing happened."""
    port = ScriptedPort(
        lambda _: DoneReply(), UnknownOutcomeError("vaix"), lambda _: UnknownReply()
    )
    pair = PairRef("vaix", port)
    await pair.submit(Mode.PAPER, cancel(0))
    with pytest.raises(PairUnavailableError):
        await pair.submit(Mode.PAPER, cancel(1))


async def test_lost_call_of_the_same_incarnation_stays_unknown() -> None:
    """While the same incarnation may still have the call in hand, not knowing proves nothing."""
    port = ScriptedPort(
        lambda _: DoneReply(), UnknownOutcomeError("vaix"), *[lambda _: UnknownReply()] * 20
    )
    pair = PairRef("vaix", port, outcome_deadline_s=0.3)
    await pair.submit(Mode.PAPER, cancel(0))
    port.incarnation = 0
    with pytest.raises(UnknownOutcomeError):
        await pair.submit(Mode.PAPER, cancel(1))


async def test_lost_query_is_asked_again() -> None:
    """A query changes nothing, so it is simply repeated."""
    port = ScriptedPort(UnknownOutcomeError("vaix"))
    assert await PairRef("vaix", port).submit(Mode.PAPER, DepthQuery()) == DoneReply()


async def test_nobody_there_is_told_at_once() -> None:
    """An actor that does not exist has certainly applied nothing."""
    port = ScriptedPort(PairUnavailableError("vaix"))
    with pytest.raises(PairUnavailableError):
        await PairRef("vaix", port).submit(Mode.PAPER, cancel(1))
