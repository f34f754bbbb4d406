"""The operating errors of the actors' room: one tree, every argument positional, so each pickles.

What lives here: things that go wrong between processes and disks. What does not: business refusals
(`engine.units.Reason`, which are data) and broken invariants (`engine.invariants`, which end the
process).

    TandemError
    ├── UnavailableError            nobody is there; certainly nothing happened, ask again
    │   ├── PairUnavailableError
    │   └── ShardUnavailableError
    ├── UnknownOutcomeError         it may have happened; the command id tells
    ├── CommandRefusedError         a shard refused a command; carries the Reason
    └── JournalError
        ├── FencedError             a newer incarnation owns the stream; end the process
        ├── JournalUnavailableError the outcome of an append or a read is unknown
        ├── CorruptRecordError      a record is torn, changed or missing
        ├── TrimmedError            the asked-for records are no longer in the stream
        └── ReplayMismatchError     a replay made other events than those recorded

Each class keeps its arguments in ``args`` as given, which is what makes it survive a pickle; the
sentence a person reads is made in ``__str__``.
"""

from actors.engine.units import Reason


class TandemError(Exception):
    """The root of all operating errors."""


class UnavailableError(TandemError):
    """Nobody answers at the other end, and the request certainly changed nothing."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(name, detail)
        self.name = name
        self.detail = detail

    def __str__(self) -> str:
        reason = f" ({self.detail})" if self.detail else ""
        return f"{self.name} is not available{reason}; nothing was changed, try again shortly"


class PairUnavailableError(UnavailableError):
    """A pair actor is not there or still recovering; ``name`` is the pair's symbol."""


class ShardUnavailableError(UnavailableError):
    """An account shard is not there or still recovering; ``name`` is ``account.<n>``."""


class UnknownOutcomeError(TandemError):
    """The other end died on the way: the request may or may not have been applied.

    Args:
        name: who was asked, ``vaix`` or ``account.0``.
        detail: what was seen, one line.
    """

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(name, detail)
        self.name = name
        self.detail = detail

    def __str__(self) -> str:
        reason = f" ({self.detail})" if self.detail else ""
        return (
            f"the outcome of a call to {self.name} is unknown{reason}; "
            "ask by the command's id what became of it"
        )


class CommandRefusedError(TandemError):
    """A shard refused a command; nothing changed.

    Args:
        reason: the numbered reason.
        detail: the sentence that came with it.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason.name}: {self.detail}"


class JournalError(TandemError):
    """The root of what goes wrong with a journal stream; ``stream`` is ``vaix.paper`` or such."""

    def __init__(self, stream: str, *details: object) -> None:
        super().__init__(stream, *details)
        self.stream = stream


class FencedError(JournalError):
    """A newer incarnation owns the stream: this one must end without answering anybody.

    Args:
        stream: the stream's name.
        epoch: the epoch of the refused append.
        current: the epoch that owns the stream.
    """

    def __init__(self, stream: str, epoch: int, current: int) -> None:
        super().__init__(stream, epoch, current)
        self.epoch = epoch
        self.current = current

    def __str__(self) -> str:
        return (
            f"stream {self.stream}: epoch {self.epoch} is fenced, epoch {self.current} owns it; "
            "end this process"
        )


class JournalUnavailableError(JournalError):
    """The store did not answer: an append may or may not be on disk.

    Args:
        stream: the stream's name.
        detail: what the store or the connection said.
    """

    def __init__(self, stream: str, detail: str = "") -> None:
        super().__init__(stream, detail)
        self.detail = detail

    def __str__(self) -> str:
        reason = f" ({self.detail})" if self.detail else ""
        return f"stream {self.stream}: the journal is not available{reason}; recover from disk"


class CorruptRecordError(JournalError):
    """A record is torn, changed or missing: it is never applied.

    Args:
        stream: the stream's name.
        number: the number of the record that should have been there.
        detail: which check failed, with what was found and what was expected.
    """

    def __init__(self, stream: str, number: int, detail: str) -> None:
        super().__init__(stream, number, detail)
        self.number = number
        self.detail = detail

    def __str__(self) -> str:
        return (
            f"stream {self.stream}, record {self.number}: {self.detail}; restore the stream from a "
            "backup or a replica, it is not repaired by guessing"
        )


class TrimmedError(JournalError):
    """The asked-for records lie before what the stream still holds; start from a snapshot.

    Args:
        stream: the stream's name.
        after: the record number after which reading was asked for.
        first: the first record number the stream still holds.
    """

    def __init__(self, stream: str, after: int, first: int) -> None:
        super().__init__(stream, after, first)
        self.after = after
        self.first = first

    def __str__(self) -> str:
        return (
            f"stream {self.stream}: records after {self.after} were asked for, but it begins at "
            f"{self.first}; start from a snapshot at or after {self.first - 1}"
        )


class ReplayMismatchError(JournalError):
    """A replay made other events than those recorded: code and journal disagree.

    Args:
        stream: the stream's name.
        number: the record whose replay differs.
        detail: what was recorded and what was made.
    """

    def __init__(self, stream: str, number: int, detail: str) -> None:
        super().__init__(stream, number, detail)
        self.number = number
        self.detail = detail

    def __str__(self) -> str:
        return (
            f"stream {self.stream}, record {self.number}: the replay differs from the record: "
            f"{self.detail}; start the version that wrote it, or a snapshot behind the record"
        )
