"""The one way a broken invariant shows itself: at once, always on, and never swallowed.

A reject is data (`units.Reason`) and an operating fault has its own tree; what is raised here is a
bug. The actor that meets it dies and recovers from what is on disk.
"""

from typing import NoReturn


class InvariantError(AssertionError):
    """A thing that may never be is. Carries one message, so it crosses processes unharmed."""


def invariant(condition: object, message: str) -> None:
    """Raise unless ``condition`` holds.

    Raises:
        InvariantError: it does not; ``message`` says which rule was broken, and by what.
    """
    if not condition:
        raise InvariantError(message)


def broken(message: str) -> NoReturn:
    """Raise; for hot paths, which test in place and build the message only when it is needed.

    Raises:
        InvariantError: always.
    """
    raise InvariantError(message)
