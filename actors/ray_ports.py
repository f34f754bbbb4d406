"""The ports of `actors.ports` over Ray handles, and over lanes that Ray finds.

A handle survives its actor's restarts by Ray; where an actor was made anew, the name is looked up
again. Every failure of a call becomes one of two things: `UnavailableError` (nobody of that name,
nothing was sent) or `UnknownOutcomeError` (it may have been applied).
"""

import asyncio
from concurrent.futures import Future
from typing import Any, cast

import ray
import ray.exceptions

from actors import registry
from actors.errors import TandemError, UnavailableError, UnknownOutcomeError
from actors.lane import LaneAddress
from actors.lane_ports import CALL_TIMEOUT_S, WAIT_TIMEOUT_S, BlockingLanePort, LanePort


class _Handle:
    """A named actor's handle, looked up when first needed and after the actor was lost."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._handle: Any = None

    def get(self) -> Any:  # noqa: ANN401 (Ray's handles have no static type)
        """Give the handle.

        Raises:
            UnavailableError: there is no actor of that name.
        """
        if self._handle is None:
            self._handle = registry.find(self.name)
        return self._handle

    def lost(self) -> None:
        """Look the name up again at the next call."""
        self._handle = None

    def locate(self) -> "Future[LaneAddress | None]":
        """Ask the actor for its lane's address (`lane_search.Locate`).

        Raises:
            UnavailableError: there is no actor of that name, or Ray itself is not there.
        """
        try:
            asked: Future[LaneAddress | None] = self.get().lane.remote().future()
        except ray.exceptions.RayError as error:
            raise UnavailableError(self.name, type(error).__name__) from error
        asked.add_done_callback(self._heard)
        return asked

    def _heard(self, asked: "Future[LaneAddress | None]") -> None:
        if isinstance(asked.exception(), ray.exceptions.ActorDiedError):
            self.lost()

    def outcome(self, error: Exception) -> TandemError:
        """Say what a failed call means."""
        cause = getattr(error, "cause", None)
        if isinstance(cause, TandemError):
            return cause
        if isinstance(error, TandemError):
            return error
        if isinstance(error, ray.exceptions.ActorDiedError):
            self.lost()
        return UnknownOutcomeError(self.name, f"{type(error).__name__}")


class RayPort:
    """Calls one method of one actor from an asyncio loop: a `PairPort` or an `AccountPort`.

    Args:
        name: the actor's name.
        method: the method that takes bytes and gives bytes.
        timeout_s: after this long the outcome counts as unknown.
    """

    def __init__(self, name: str, method: str, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._handle = _Handle(name)
        self._method = method
        self._timeout_s = timeout_s
        self.locate = self._handle.locate

    async def call(self, request: bytes) -> bytes:
        """Send bytes, and wait for the answer; see `actors.ports`."""
        try:
            handle = self._handle.get()
            reference = getattr(handle, self._method).remote(request)
            answer: bytes = await asyncio.wait_for(reference, self._timeout_s)
        except (ray.exceptions.RayError, TimeoutError, TandemError) as error:
            raise self._handle.outcome(error) from error
        return answer


class BlockingRayPort:
    """Calls one method of one actor from a plain thread: a `BlockingAccountPort`."""

    def __init__(self, name: str, method: str, timeout_s: float = WAIT_TIMEOUT_S) -> None:
        self._handle = _Handle(name)
        self._method = method
        self._timeout_s = timeout_s
        self.locate = self._handle.locate

    def start(self, request: bytes) -> object:
        """Send without waiting; a failure to send is told by `wait`."""
        try:
            return getattr(self._handle.get(), self._method).remote(request)
        except (ray.exceptions.RayError, UnavailableError) as error:
            return error

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Wait for all of them, in order; see `ports.BlockingAccountPort`."""
        answers: list[bytes] = []
        for ticket in tickets:
            if isinstance(ticket, Exception):
                raise UnknownOutcomeError(self._handle.name, repr(ticket))
            try:
                answer: bytes = ray.get(cast("Any", ticket), timeout=self._timeout_s)
                answers.append(answer)
            except ray.exceptions.RayError as error:
                outcome = self._handle.outcome(error)
                raise UnknownOutcomeError(self._handle.name, str(outcome)) from error
        return answers


def open_port(name: str, method: str, timeout_s: float = CALL_TIMEOUT_S) -> LanePort:
    """Open the way to an actor from an asyncio loop: its lane, and its Ray handle beside it."""
    other = RayPort(name, method, timeout_s)
    return LanePort(name, other.locate, other, timeout_s)


def open_blocking_port(
    name: str, method: str, timeout_s: float = WAIT_TIMEOUT_S
) -> BlockingLanePort:
    """Open the way to an actor from plain threads: its lane, and its Ray handle beside it."""
    other = BlockingRayPort(name, method, timeout_s)
    return BlockingLanePort(name, other.locate, other, timeout_s)
