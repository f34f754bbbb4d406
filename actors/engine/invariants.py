"""The check that must never fail: a broken invariant raises at once, and the process recovers.

Invariants are always on. State that broke one is never used again: the actor ends, and what is
written is what counts.
"""


class InvariantError(Exception):
    """Something that can never be true was found; the message names it and the numbers."""


def invariant(condition: object, message: str) -> None:
    """Go on if ``condition`` holds, else raise.

    Where building the message costs on a hot path, test first and call ``invariant(False, ...)``.

    Raises:
        InvariantError: the condition does not hold.
    """
    if not condition:
        raise InvariantError(message)
