"""Clients of the book channel hold the gateway's book, however slow and flighty they are."""

import random
from typing import Any

import msgspec
import pytest

from actors.engine.units import Side
from gateway.ws.public import BookSession
from tests.unit.gateway.ws.worlds import ShadowBook, World


class Reader:
    """A client that reads when it likes, drops out, comes back and resumes."""

    def __init__(self, world: World, *, hybrid: bool) -> None:
        self.world = world
        self.hybrid = hybrid
        self.book = ShadowBook()
        self.frames = 0
        self._connect()

    def _connect(self) -> None:
        self.session = BookSession(self.world.clock, self.world.market, hybrid=self.hybrid)
        self.session.opened()

    def drop_out(self, *, resume: bool) -> None:
        """Reconnect; resume from the last sequence, or begin with the snapshot."""
        self.session.closed()
        self._connect()
        if resume and self.book.sequence >= 0:
            since = {"action": "resume", "since_sequence": self.book.sequence}
            self.session.receive(msgspec.json.encode(since).decode())

    def read(self, most: int) -> None:
        """Read at most so many frames."""
        for _ in range(most):
            frame = self.session.next_frame()
            if frame is None:
                return
            decoded: dict[str, Any] = msgspec.json.decode(frame)
            self.book.apply(decoded)
            self.frames += 1


def shown(world: World, *, hybrid: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Show the gateway's own book."""
    bids, asks = world.market.levels(hybrid=hybrid)
    return dict(world.market.shown(bids)), dict(world.market.shown(asks))


@pytest.mark.parametrize("hybrid", [False, True], ids=["resting", "hybrid"])
@pytest.mark.parametrize("seed", range(5))
def test_readers_under_random_flow_hold_the_gateways_book(seed: int, hybrid: bool) -> None:
    """Fast, slow and flighty readers agree with the replica to the last level and sequence."""
    chance = random.Random(seed)
    world = World()
    world.record(reserves=(10**12, 10**9))
    readers = [Reader(world, hybrid=hybrid) for _ in range(4)]
    for _ in range(400):
        world.record(
            *(
                (
                    side,
                    (900 if side is Side.BUY else 1_100) + chance.randrange(60),
                    chance.choice((0, 0, 1, 50, 7_000)),
                )
                for side in chance.sample((Side.BUY, Side.SELL), chance.randrange(3))
            ),
            reserves=(10**12 + chance.randrange(10**10), 10**9)
            if chance.random() < 0.1
            else (0, 0),
        )
        for reader, patience in zip(readers, (1.0, 0.5, 0.02, 0.1), strict=True):
            if chance.random() < patience:
                reader.read(chance.choice((1, 1_000)))
        if chance.random() < 0.03:
            chance.choice(readers).drop_out(resume=chance.random() < 0.7)
    for reader in readers:
        reader.read(100_000)
        assert (reader.book.bids, reader.book.asks) == shown(world, hybrid=hybrid)
        assert reader.book.sequence == world.market.sequence(hybrid=hybrid)
    assert readers[2].frames < readers[0].frames
