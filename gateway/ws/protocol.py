"""One client's side of one WebSocket connection, as a state machine that does no I/O.

The shell (`connections`) tells a session what happened: `opened`, `receive(text)`, `tick`. It asks
`next_frame()` for what to send next, one frame at a time, only when the last one has left: so a
session holds no queue of market data, just a cursor into feeds it shares with everybody, and a slow
reader's backlog costs nothing. `closing` says that, and why, the connection must end. `wake` (given
by the shell) is called whenever `next_frame` may have something to say.

What lives here: frame reading, errors, ping, heartbeat, the bound on what a client may send. What
each channel sends lives in `public`, `private` and `clob`.
"""

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from actors.engine.units import NS_PER_S
from gateway import frames

HEARTBEAT_NS: Final = 5 * NS_PER_S
FRAME_BYTES_MAX: Final = 65_536
FRAMES_BURST: Final = 100
FRAMES_PER_S: Final = 20
"""What a client may send: more is refused, and ends the connection when it goes on."""
FAULTS_MAX: Final = 20
"""Malformed frames before a connection is closed."""
CONTROL_MAX: Final = 512
"""Answers (pong, error) that may wait for a client which does not read."""

CLOSE_POLICY: Final = 1008
CLOSE_GOING_AWAY: Final = 1001
CLOSE_UNAUTHENTICATED: Final = 4401
CLOSE_FORBIDDEN: Final = 4403
CLOSE_SLOW: Final = 4408
CLOSE_TOO_MANY: Final = 4429

SEQUENCE_MAX: Final = 2**63 - 1


@dataclass(frozen=True)
class Close:
    """How a connection ends. ``reason`` is at most 123 bytes."""

    code: int
    reason: str


class Fault(Exception):  # noqa: N818 (a client's mistake, not an error of ours)
    """A frame from the client that cannot be used; its text is for the client."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Clock:
    """Where a session takes the time from; a test gives its own."""

    def __init__(self, wall_ns: Callable[[], int], monotonic_ns: Callable[[], int]) -> None:
        self.wall_ns = wall_ns
        self.monotonic_ns = monotonic_ns


class Session(ABC):
    """What every channel's session shares.

    Subclasses implement `next_data` and `action`, and may extend `opened`, `closed` and `tick`.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.closing: Close | None = None
        self.wake: Callable[[], None] = _nobody
        self._control: deque[bytes] = deque()
        self._faults = 0
        self._allowance = float(FRAMES_BURST)
        self._allowed_ns = clock.monotonic_ns()
        self._sent_ns = clock.monotonic_ns()

    # What a channel says

    @abstractmethod
    def next_data(self) -> bytes | None:
        """Give the channel's next frame, or None while there is nothing new."""

    @abstractmethod
    def sequence(self) -> int:
        """Give the sequence a heartbeat shows: that of the last frame sent."""

    @abstractmethod
    def action(self, name: str, message: dict[str, Any]) -> None:
        """Do what the client asked for.

        Raises:
            Fault: it cannot be done; the client is told.
        """

    def opened(self) -> None:  # noqa: B027 (a channel may have nothing to do)
        """The connection stands; start reading feeds."""

    def closed(self) -> None:  # noqa: B027 (a channel may have nothing to do)
        """The connection is gone; let go of the feeds. May be called twice."""

    def tick(self) -> None:
        """Let time pass; the shell calls it about four times a second."""
        now_ns = self.clock.monotonic_ns()
        if now_ns - self._sent_ns >= HEARTBEAT_NS and not self._control:
            self._sent_ns = now_ns
            self.say(self.heartbeat())

    # What the shell calls

    def next_frame(self) -> bytes | None:
        """Give the next frame to send: answers first, then data."""
        frame = self._control.popleft() if self._control else self.next_data()
        if frame is not None:
            self._sent_ns = self.clock.monotonic_ns()
        return frame

    def receive(self, text: str) -> None:
        """Take a text frame from the client."""
        if self.closing is not None or not self._within_allowance():
            return
        if text == "ping":
            self.say(frames.PONG)
            return
        try:
            self.text(text)
        except Fault as fault:
            self.fault(fault.code, fault.message)

    def receive_binary(self) -> None:
        """Take note of a binary frame: nobody may send one."""
        if self.closing is None and self._within_allowance():
            self.fault("MALFORMED_FRAME", "Frames must be text, this one was binary.")

    # For subclasses

    def text(self, text: str) -> None:
        """Read a frame that is not ``ping``: a JSON object with an ``action``."""
        message = read_object(text)
        name = message.get("action")
        if not isinstance(name, str):
            raise Fault("MALFORMED_FRAME", 'Expected {"action": "snapshot" | "resume", ...}.')
        self.action(name, message)

    def heartbeat(self) -> bytes:
        """Encode the sign of life."""
        return frames.heartbeat(self.sequence(), self.clock.wall_ns())

    def say(self, frame: bytes) -> None:
        """Send an answer ahead of the data; a client that lets too many wait is closed."""
        if len(self._control) >= CONTROL_MAX:
            self.close(CLOSE_SLOW, "too many answers wait to be read")
            return
        self._control.append(frame)
        self.wake()

    def fault(self, code: str, message: str) -> None:
        """Tell the client what was wrong; close the connection when it goes on."""
        self._faults += 1
        self.say(frames.error(code, message))
        if self._faults >= FAULTS_MAX:
            self.close(CLOSE_POLICY, f"{FAULTS_MAX} frames could not be used")

    def close(self, code: int, reason: str) -> None:
        """End the connection after the answers that wait; the first reason stays."""
        if self.closing is None:
            self.closing = Close(code, reason)
            self.wake()

    def _within_allowance(self) -> bool:
        now_ns = self.clock.monotonic_ns()
        earned = (now_ns - self._allowed_ns) * FRAMES_PER_S / NS_PER_S
        self._allowance = min(float(FRAMES_BURST), self._allowance + earned)
        self._allowed_ns = now_ns
        if self._allowance >= 1:
            self._allowance -= 1
            return True
        self.fault("RATE_LIMITED", f"At most {FRAMES_PER_S} frames a second are read.")
        return False


def read_object(text: str) -> dict[str, Any]:
    """Read a JSON object whose keys are all different.

    Raises:
        Fault: it is something else.
    """
    if len(text) > FRAME_BYTES_MAX:
        raise Fault("FRAME_TOO_LARGE", f"A frame holds at most {FRAME_BYTES_MAX} bytes.")
    try:
        message = json.loads(text, object_pairs_hook=_unique, parse_constant=_constant)
    except Fault:
        raise
    except (ValueError, RecursionError):
        raise Fault("MALFORMED_FRAME", "The frame is not JSON.") from None
    if not isinstance(message, dict):
        raise Fault("MALFORMED_FRAME", "The frame must be a JSON object.")
    return message


def read_sequence(value: object, name: str = "since_sequence") -> int:
    """Read a sequence number: an integer, not below zero.

    Raises:
        Fault: it is something else; names the field.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SEQUENCE_MAX:
        raise Fault("INVALID_FIELD", f"{name} must be an integer from 0, was {_short(value)}.")
    return value


def only(message: dict[str, Any], *known: str) -> None:
    """Refuse fields that an action does not have.

    Raises:
        Fault: there is one; names it.
    """
    for name in message:
        if name not in known:
            raise Fault("UNKNOWN_FIELD", f"{_short(name)} is not a field of this frame.")


def unknown_action(name: str, known: str) -> Fault:
    """Make the fault for an action that a channel does not have."""
    return Fault("UNKNOWN_ACTION", f"There is no action {_short(name)}; known are {known}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Fault("MALFORMED_FRAME", "A key appears twice in the frame.")
    return found


def _constant(name: str) -> None:
    raise Fault("MALFORMED_FRAME", f"{name} is not JSON.")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _nobody() -> None:
    """Stand in for the shell before there is one."""
