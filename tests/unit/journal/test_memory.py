"""The memory journal fails as it is told to, so that others can be tested against failures."""

import pytest

from actors.errors import JournalUnavailableError
from actors.journal.memory import Failure, MemoryJournal

STREAM = "vaix.paper"


@pytest.mark.parametrize(
    ("failure", "written"), [(Failure.LOST, [b"a"]), (Failure.UNKNOWN, [b"a", b"b"])]
)
def test_append_told_to_fail_leaves_the_writer_unusable(
    failure: Failure, written: list[bytes]
) -> None:
    """The writer cannot know which of the two it was; its successor reads it."""
    journal = MemoryJournal()
    writer = journal.acquire(STREAM)
    writer.append([b"a"])
    journal.fail_next(failure)
    for _ in range(2):
        with pytest.raises(JournalUnavailableError):
            writer.append([b"b"])
    successor = journal.acquire(STREAM)
    assert [body for _, body in journal.reader(STREAM).read(0)] == written
    assert successor.append([b"c"]) == len(written) + 1
