"""An actor's shell for tests of the ways to an actor: it answers, waits and ends as asked."""

import os
import threading
from typing import Any

import msgspec

from actors.errors import ShardUnavailableError, UnknownOutcomeError

GATE_WITHIN_S = 60.0


class Answering:
    """Answers one encoded list of words, the first of which says how."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def call(self, request: bytes) -> bytes:
        """Do what the request says, and answer with what follows its first word."""
        word, *rest = msgspec.msgpack.decode(request)
        answer: Any = rest[0] if rest else None
        if word == "wait":
            self.gate.wait(GATE_WITHIN_S)
        elif word == "open":
            self.gate.set()
        elif word == "shut":
            self.gate.clear()
        elif word == "refuse":
            raise ShardUnavailableError("account.7", "it rests")
        elif word == "doubt":
            raise UnknownOutcomeError("account.7", "it forgot")
        elif word == "fault":
            raise LookupError("it is confused")
        elif word == "end":
            os._exit(1)
        elif word == "grow":
            answer = bytes(rest[0])
        elif word == "who":
            answer = [os.getpid(), threading.current_thread().name]
        return msgspec.msgpack.encode(answer)

    def status(self) -> None:
        """There is nothing to tell."""

    def stop(self) -> None:
        """Let everybody go who waits."""
        self.gate.set()


def asked(*words: Any) -> bytes:
    """Encode a request."""
    return msgspec.msgpack.encode(list(words))


def told(answer: bytes) -> Any:
    """Decode an answer."""
    return msgspec.msgpack.decode(answer)
