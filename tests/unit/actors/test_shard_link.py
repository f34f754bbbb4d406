"""A market's dealings with a shard: sent again unchanged until answered, fenced, never guessed."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from actors.engine.ledger_commands import (
    AnyLedgerReply,
    Done,
    Fenced,
    LedgerRequest,
    MarketOpened,
    Post,
    Posted,
    Recovering,
    Refused,
)
from actors.engine.units import Reason
from actors.errors import FencedError, ShardUnavailableError, UnknownOutcomeError
from actors.shard_link import Patience, ShardLink
from tests.unit.actors.pairs import Bench

LOST = None


class Shard:
    """A shard that answers as it is told, once per request; the last answer goes on for ever."""

    def __init__(self, *answers: AnyLedgerReply | None) -> None:
        self.requests: list[bytes] = []
        self._answers = list(answers)

    def start(self, request: bytes) -> object:
        """Note the request."""
        self.requests.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Answer, or lose it."""
        if tickets[0] is LOST:
            raise UnknownOutcomeError("account.0", "lost")
        return [msgspec.msgpack.encode(tickets[0])]


def link(shard: Shard, sleep: Callable[[float], None] = lambda _: None) -> ShardLink:
    """Connect to a shard, with a patience of ten pauses."""
    clock = iter(range(10_000))
    patience = Patience(10.0, 1.0, lambda: float(next(clock)), sleep)
    return ShardLink("vaix.paper", 0, shard, patience)


def opened(*answers: AnyLedgerReply | None) -> tuple[ShardLink, Shard]:
    """Connect and open with epoch 7; the answers are those to what comes then."""
    shard = Shard(MarketOpened(0), *answers)
    made = link(shard)
    assert made.open(7, "VAIX", "USDC") == 0
    return made, shard


def sent(shard: Shard) -> list[Any]:
    """Decode what the shard was sent."""
    return [msgspec.msgpack.decode(one, type=LedgerRequest) for one in shard.requests]


def test_post_lost_is_sent_again_unchanged_until_answered() -> None:
    """The same bytes, so that the shard knows the repetition."""
    made, shard = opened(LOST, LOST, Posted([], 1))
    made.owe([])
    made.start(())
    assert made.finish() == Posted([], 1)
    assert len(shard.requests) == 4
    assert len(set(shard.requests[1:])) == 1
    assert (made.owed, made.acked, made.in_flight) == (0, 1, False)


def test_posts_are_numbered_without_gaps() -> None:
    """1, 2, 3 within the epoch, whatever was lost in between."""
    made, shard = opened(Posted([], 0), LOST, Posted([], 0), Posted([], 0))
    for _ in range(3):
        made.start(())
        made.finish()
    posts = [one for one in sent(shard) if isinstance(one, Post)]
    assert [(one.epoch, one.seq) for one in posts] == [(7, 1), (7, 2), (7, 2), (7, 3)]


def test_settlements_unconfirmed_go_with_every_post_until_confirmed() -> None:
    """What the shard has not named as applied is owed still."""
    made, shard = opened(Posted([], 0), Posted([], 2))
    for _ in range(2):
        made.owe([])
    for _ in range(2):
        made.start(())
        made.finish()
    posts = [one for one in sent(shard) if isinstance(one, Post)]
    assert [[s.number for s in one.settlements] for one in posts] == [[1, 2], [1, 2]]
    assert made.owed == 0


def test_age_of_what_is_owed_counts_from_the_oldest_unsent() -> None:
    """So that a busy market settles with a shard that none of its orders asks."""
    made, _ = opened(Posted([], 2))
    assert made.owed_for_s() == 0.0
    made.owe([])
    made.owe([])
    assert [made.owed_for_s() for _ in range(2)] == [1.0, 2.0]  # the clock ticks when it is read
    made.start(())
    assert made.owed_for_s() == 0.0
    made.finish()


def test_resume_delivers_only_what_lies_behind_the_shards_last() -> None:
    """What was applied before the crash is not sent again."""
    shard = Shard(MarketOpened(2), Posted([], 4))
    made = link(shard)
    other, _ = opened(LOST)
    outstanding = [other.owe([]) for _ in range(4)]
    made.open(8, "VAIX", "USDC")
    made.resume(4, outstanding)
    (post,) = [one for one in sent(shard) if isinstance(one, Post)]
    assert [one.number for one in post.settlements] == [3, 4]
    assert (made.head, made.acked, made.owed) == (4, 4, 0)


def test_shard_recovering_is_asked_again_after_its_own_pause() -> None:
    """It says when; the pause is never shorter than ours."""
    pauses: list[float] = []
    shard = Shard(Recovering(5_000), Recovering(10), MarketOpened(3))
    assert link(shard, pauses.append).open(1, "VAIX", "USDC") == 3
    assert pauses == [5.0, 1.0]


def test_shard_silent_beyond_the_patience_raises() -> None:
    """The pair gives itself up: whether funds are held is unknown."""
    made, _ = opened(LOST)
    made.start(())
    with pytest.raises(ShardUnavailableError, match="silent for 10 s"):
        made.finish()


def post_and_finish(made: ShardLink) -> None:
    """Send a `Post`, and wait for its answer."""
    made.start(())
    made.finish()


@pytest.mark.parametrize(
    ("send", "epoch"),
    [
        (lambda made: made.open(8, "VAIX", "USDC"), 8),
        (lambda made: made.reconcile([]), 0),
        (post_and_finish, 0),
    ],
    ids=["open", "reconcile", "post"],
)
def test_newer_incarnation_fences_every_message(
    send: Callable[[ShardLink], object], epoch: int
) -> None:
    """An older pair learns of its successor at once, and of its epoch."""
    with pytest.raises(FencedError) as caught:
        send(link(Shard(Fenced(9))))
    assert caught.value.args == ("vaix.paper", epoch, 9)


@pytest.mark.parametrize("answer", [Refused(Reason.INVALID_COMBINATION, "gap"), Done()])
def test_post_answered_by_anything_else_raises(answer: AnyLedgerReply) -> None:
    """A refusal means that pair and shard disagree: no hold may be assumed."""
    made, _ = opened(answer)
    made.start(())
    with pytest.raises(ShardUnavailableError, match="Post was answered by"):
        made.finish()


def test_number_skipped_is_refused_by_the_ledger_and_reopening_heals() -> None:
    """A real ledger refuses the gap; the next epoch starts at 1 again."""
    bench = Bench()
    made = ShardLink("vaix.paper", 0, bench.shards[0], Patience(0.0, 0.0))
    made.open(1, "VAIX", "USDC")
    bench.shards[0].lose_requests = 1
    made.start(())  # number 1 never arrives, and is not waited for
    made.start(())
    with pytest.raises(ShardUnavailableError, match="Refused"):
        made.finish()
    made.open(2, "VAIX", "USDC")
    made.start(())
    assert made.finish().last_settlement == 0
