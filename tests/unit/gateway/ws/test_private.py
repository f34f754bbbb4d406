"""The private session without sockets: time to authenticate, slow readers, positions to resume."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from actors.engine.units import UserId
from gateway.ws.private import (
    QUEUE_MAX,
    REPLAY_QUEUE,
    PrivateFeed,
    PrivateSession,
    read_positions,
)
from gateway.ws.private_hub import PrivateHub
from gateway.ws.protocol import Fault
from tests.unit.gateway.ws.worlds import World, drain


class Hub:
    """The part of the private hub that a feed touches, over one market."""

    def __init__(self, world: World) -> None:
        self.hub = SimpleNamespace(
            all_markets=lambda: [world.market],
            by_name={world.market.name: world.market}.get,
        )
        self.replays: list[int] = []

    def add(self, feed: PrivateFeed) -> None:
        """Take note of nobody."""

    def remove(self, feed: PrivateFeed) -> None:
        """Forget nobody."""

    def replay(self, *asked: object) -> None:
        """Remember after which number a replay was asked for."""
        since = asked[2]
        assert isinstance(since, int)
        self.replays.append(since)


def feed_of(world: World, hub: Hub, told: list[str]) -> PrivateFeed:
    """Make a feed that notes an overflow."""
    return PrivateFeed(
        cast("PrivateHub", hub),
        UserId("usr_a"),
        frozenset(),
        lambda: None,
        lambda: told.append("slow"),
    )


def test_connection_that_never_says_who_it_is_is_closed_with_4401() -> None:
    """Ten seconds are given, and the reason is told."""
    world = World()
    session = PrivateSession(world.clock, cast("PrivateHub", Hub(world)), lambda _: None)
    session.opened()
    world.wait(9.9)
    session.tick()
    assert session.closing is None
    world.wait(0.2)
    session.tick()
    assert session.closing is not None
    assert session.closing.code == 4401
    assert drain(session)[-1]["code"] == "UNAUTHENTICATED"


def test_reader_that_lets_too_many_frames_wait_is_dropped_once() -> None:
    """The queue is bounded: beyond it the frames go and the session is told, once."""
    told: list[str] = []
    world = World()
    feed = feed_of(world, Hub(world), told)
    for _ in range(QUEUE_MAX + 10):
        feed.hand(b"{}")
    assert told == ["slow"]
    assert feed.next_frame() is None


async def test_replay_waits_for_a_slow_reader_and_goes_on_as_it_reads() -> None:
    """A replay never fills the queue that live frames need."""
    world = World()
    feed = feed_of(world, Hub(world), [])
    for _ in range(REPLAY_QUEUE):
        feed.hand(b"{}")
    waiting = asyncio.create_task(feed.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    feed.next_frame()
    assert await asyncio.wait_for(waiting, 1.0)


def test_first_resume_leaves_out_what_came_live_since_connecting() -> None:
    """Between connecting and resuming frames arrive live: the replay does not repeat them."""
    world = World()
    world.record()
    world.record()
    hub = Hub(world)
    feed = feed_of(world, hub, [])
    world.record()
    feed.resume({"vaix.paper": 1})
    assert hub.replays == [1]
    assert [feed.got(world.market, number) for number in (2, 3, 4)] == [False, True, False]
    assert not feed.hears(world.market, 4)
    feed.caught_up(world.market)
    assert feed.hears(world.market, 4)


@pytest.mark.parametrize("positions", [{"nope.paper": 0}, {"vaix.live": 0}, {"vaix.paper": 10**9}])
def test_resume_of_an_unknown_or_impossible_position_is_a_fault(positions: dict[str, int]) -> None:
    """Neither an unknown market nor a number far ahead is taken."""
    world = World()
    with pytest.raises(Fault):
        feed_of(world, Hub(world), []).resume(positions)


@pytest.mark.parametrize(
    ("message", "positions"),
    [
        ({"since_sequence": 5}, {"vaix.paper": 5}),
        ({"since_sequence": 5, "symbol": "BTC", "mode": "live"}, {"btc.live": 5}),
        ({"since": {"btc.live": 0, "vaix.paper": 7}}, {"btc.live": 0, "vaix.paper": 7}),
    ],
)
def test_resume_names_one_market_a_map_or_all_behind(
    message: dict[str, Any], positions: dict[str, int]
) -> None:
    """Without a market, those that have something newer are meant."""
    standing = {"vaix.paper": 9, "vaix.live": 0}
    assert read_positions({"action": "resume", **message}, standing) == positions


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"since_sequence": "5"},
        {"since_sequence": 5, "symbol": "vaix"},
        {"since_sequence": 5, "mode": "paper"},
        {"since_sequence": 5, "symbol": 7, "mode": "paper"},
        {"since_sequence": 5, "symbol": "vaix", "mode": "demo"},
        {"since_sequence": 5, "symbol": "vaix", "mode": []},
        {"since": {}},
        {"since": []},
        {"since": {"vaix.paper": -1}},
        {"since": {"vaix.paper": 1}, "since_sequence": 1},
    ],
)
def test_resume_with_wrong_fields_is_a_fault(message: dict[str, Any]) -> None:
    """Every wrong field is named."""
    with pytest.raises(Fault):
        read_positions({"action": "resume", **message}, {"vaix.paper": 9})
