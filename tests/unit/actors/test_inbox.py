"""The inbox: bounded by requests, in the order they came, a round at a time."""

import msgspec
import pytest

from actors.engine.market_api import Request
from actors.engine.units import Mode
from actors.inbox import Batch, Inbox


def batch(requests: int) -> Batch:
    """Make a batch of so many requests."""
    return Batch([Request(Mode.PAPER, msgspec.Raw(b"\x90"))] * requests, 0)


def test_put_beyond_the_bound_is_refused_and_changes_nothing() -> None:
    """What waits stays as it is; room comes back with what is taken."""
    inbox = Inbox(10)
    assert inbox.put(batch(6))
    assert not inbox.put(batch(5))
    assert inbox.waiting == 6
    assert inbox.put(batch(4))
    assert [len(one.requests) for one in inbox.take(0)] == [6, 4]
    assert inbox.waiting == 0


def test_put_of_a_batch_above_the_bound_is_taken_into_an_empty_inbox() -> None:
    """Else it could never be served."""
    inbox = Inbox(10)
    assert inbox.put(batch(11))
    assert not inbox.put(batch(1))


@pytest.mark.parametrize(("sizes", "first"), [([3, 3, 3], [3, 3]), ([9, 1], [9]), ([2, 2], [2, 2])])
def test_take_gives_whole_batches_up_to_a_round(sizes: list[int], first: list[int]) -> None:
    """A round is never exceeded, except by a first batch that is larger alone."""
    inbox = Inbox(100)
    for size in sizes:
        assert inbox.put(batch(size))
    taken = [len(one.requests) for one in inbox.take(0, requests_max=6)]
    assert taken == first
    assert inbox.waiting == sum(sizes) - sum(first)


def test_take_of_an_empty_inbox_gives_nothing_in_time() -> None:
    """The writer goes on to its own duties."""
    assert Inbox(10).take(0.001) == []


def test_close_refuses_what_comes_and_keeps_what_waits() -> None:
    """What was accepted is still served."""
    inbox = Inbox(10)
    waiting = batch(2)
    assert inbox.put(waiting)
    inbox.close()
    assert not inbox.put(batch(1))
    assert inbox.take(None) == [waiting]
    assert inbox.take(None) == []
