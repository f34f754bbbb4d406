"""What every way to an actor promises: Ray handle and lane, from a loop and from a thread."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from actors.errors import TandemError, UnavailableError, UnknownOutcomeError
from tests.actor_callers import ACTOR, KINDS, Answer, ask_all, caller
from tests.answering import asked, told
from tests.running import wait_until

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]

BACK_WITHIN_S = 60.0
TIMEOUT_S = 20.0


class Way:
    """One way to one actor, asked in the same manner whether it is a loop's or a thread's."""

    def __init__(
        self, process: ProcessPoolExecutor, kind: str, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.process = process
        self.kind = kind
        self.timeout_s = timeout_s
        self.caller = kind.partition(" ")[2]

    def ask_all(self, *requests: bytes, actor: str = ACTOR) -> list[Answer]:
        """Send all at once; gives the answers, or what was raised instead, in order."""
        sent = self.process.submit(ask_all, self.kind, actor, self.timeout_s, list(requests))
        return sent.result()

    def ask(self, *words: Any, actor: str = ACTOR) -> Any:
        """Send one request; gives what it was answered.

        Raises:
            TandemError: what the port raised.
        """
        [answer] = self.ask_all(asked(*words), actor=actor)
        if isinstance(answer, TandemError):
            raise answer
        return told(answer)

    def settle(self) -> None:
        """Wait until the actor answers, and by the way that is meant."""

        def answers() -> bool:
            try:
                _, thread = self.ask("who")
            except TandemError:
                return False
            return bool(self.kind.startswith("lane") == (thread == "lane-call"))

        wait_until(answers, BACK_WITHIN_S, "an answer")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPoolExecutor]:
    """Start Ray and one actor with a lane."""
    with caller(tmp_path_factory.mktemp("ports")) as running:
        yield running


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each way in turn."""
    return str(request.param)


@pytest.fixture
def way(kind: str, process: ProcessPoolExecutor) -> Way:
    """The way, with its actor there."""
    found = Way(process, kind)
    found.settle()
    return found


def test_calls_at_once_each_get_their_own_answer(way: Way) -> None:
    """More at once than a lane has connections: the others go by Ray."""
    answers = way.ask_all(*(asked("echo", number) for number in range(30)))
    assert [told(answer) for answer in answers if isinstance(answer, bytes)] == list(range(30))


def test_large_messages_arrive_whole(way: Way) -> None:
    """Larger than a socket's buffer and than what Ray carries inline, both ways."""
    image = bytes(range(256)) * 8_192
    assert way.ask("echo", image) == image


def test_actor_that_did_nothing_is_unavailable(way: Way) -> None:
    """A loop is told so; a writer thread hears that it may send the same again."""
    expected = UnavailableError if way.caller == "loop" else UnknownOutcomeError
    with pytest.raises(expected, match="it rests"):
        way.ask("refuse")
    assert way.ask("echo", 1) == 1


@pytest.mark.parametrize(("word", "detail"), [("doubt", "it forgot"), ("fault", None)])
def test_actor_that_does_not_know_leaves_the_outcome_open(
    way: Way, word: str, detail: str | None
) -> None:
    """Whatever else an actor raises, the call may have been applied."""
    with pytest.raises(UnknownOutcomeError, match=detail):
        way.ask(word)
    assert way.ask("echo", 1) == 1


def test_process_that_ends_in_a_call_leaves_the_outcome_open(way: Way) -> None:
    """Never repeated by the way; its successor is found by the same port."""
    before, _ = way.ask("who")
    with pytest.raises(UnknownOutcomeError):
        way.ask("end")
    way.settle()
    after, _ = way.ask("who")
    assert after != before


def test_late_answer_is_nobody_elses(kind: str, process: ProcessPoolExecutor) -> None:
    """A call that took too long has an unknown outcome, and the next one gets its own answer."""
    hasty = Way(process, kind, 0.5)
    hasty.settle()
    patient = Way(process, kind)
    patient.ask("shut")
    with pytest.raises(UnknownOutcomeError):
        hasty.ask("wait", "late")
    assert patient.ask("open", "next") == "next"
    hasty.settle()


def test_actor_that_is_not_there_is_told(kind: str, process: ProcessPoolExecutor) -> None:
    """Nothing was sent; for a writer thread that is as good as an unknown outcome."""
    lost = Way(process, kind)
    expected = UnavailableError if lost.caller == "loop" else UnknownOutcomeError
    with pytest.raises(expected, match="nobody:0"):
        lost.ask("echo", 1, actor="nobody:0")
