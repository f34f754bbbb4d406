"""Where a lane is: asked in the background, believed for a while, never waited for."""

from concurrent.futures import Future

from actors.errors import UnavailableError
from actors.lane import LaneAddress
from actors.lane_search import GIVE_UP_S, NONE_RETRY_S, RETRY_S, TRUST_S, LaneSearch

FIRST = LaneAddress("/run/pair:vaix.sock", b"first")
SECOND = LaneAddress("/run/pair:vaix.sock", b"second")


class Actor:
    """Whoever is asked for the address, and the clock."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.asked: list[Future[LaneAddress | None]] = []
        self.missing = False
        self.search = LaneSearch(self._locate, lambda: self.now_s)

    def answer(self, address: LaneAddress | None) -> None:
        """Answer the question that waits."""
        self.asked[-1].set_result(address)

    def _locate(self) -> "Future[LaneAddress | None]":
        if self.missing:
            raise UnavailableError("pair:vaix", "no such actor")
        self.asked.append(Future())
        return self.asked[-1]


def test_address_is_unknown_until_the_actor_has_answered() -> None:
    """Nobody waits for the answer, and nobody asks twice."""
    actor = Actor()
    assert actor.search.address() is None
    assert actor.search.address() is None
    assert len(actor.asked) == 1
    actor.answer(FIRST)
    assert actor.search.address() == FIRST


def test_address_is_asked_for_again_while_it_is_used() -> None:
    """So that an incarnation Ray has given up is left soon, though it still answers."""
    actor = Actor()
    actor.search.address()
    actor.answer(FIRST)
    actor.search.address()
    actor.now_s += TRUST_S
    assert actor.search.address() == FIRST  # asked, not waited for
    assert len(actor.asked) == 2
    actor.answer(SECOND)
    assert actor.search.address() == SECOND


def test_actor_that_does_not_answer_keeps_its_address() -> None:
    """A restarting Ray says nothing of a lane that works."""
    actor = Actor()
    actor.search.address()
    actor.answer(FIRST)
    actor.search.address()
    actor.now_s += TRUST_S
    actor.search.address()
    actor.asked[-1].set_exception(OSError("no Ray"))
    assert actor.search.address() == FIRST
    actor.now_s += RETRY_S
    actor.search.address()
    actor.now_s += GIVE_UP_S + 1
    assert actor.search.address() == FIRST
    assert len(actor.asked) == 4


def test_lost_address_is_not_used_again() -> None:
    """Asked for anew after a pause; a connection of an older one says nothing about it."""
    actor = Actor()
    actor.search.address()
    actor.answer(SECOND)
    actor.search.address()
    actor.search.lost(FIRST)
    assert actor.search.address() == SECOND
    actor.search.lost(SECOND)
    assert actor.search.address() is None
    actor.now_s += RETRY_S
    actor.search.address()
    assert len(actor.asked) == 2


def test_actor_without_a_lane_is_seldom_asked() -> None:
    """Its callers go by Ray, at no further cost."""
    actor = Actor()
    actor.search.address()
    actor.answer(None)
    assert actor.search.address() is None
    actor.now_s += NONE_RETRY_S - 1
    assert actor.search.address() is None
    assert len(actor.asked) == 1


def test_actor_that_is_not_there_is_asked_again_shortly() -> None:
    """It may be on its way."""
    actor = Actor()
    actor.missing = True
    assert actor.search.address() is None
    actor.missing = False
    assert actor.search.address() is None
    assert not actor.asked
    actor.now_s += RETRY_S
    actor.search.address()
    assert len(actor.asked) == 1
