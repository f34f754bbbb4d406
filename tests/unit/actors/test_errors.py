"""The operating errors cross processes whole, and say what to do."""

import inspect
import pickle

import pytest

from actors import errors
from actors.engine.units import Reason
from actors.errors import (
    CommandRefusedError,
    CorruptRecordError,
    FencedError,
    JournalUnavailableError,
    PairUnavailableError,
    ReplayMismatchError,
    ShardUnavailableError,
    TandemError,
    TrimmedError,
    UnknownOutcomeError,
)

EXAMPLES: list[tuple[TandemError, str]] = [
    (PairUnavailableError("vaix"), "vaix is not available; nothing was changed, try again"),
    (ShardUnavailableError("account.0", "restarting"), "account.0 is not available (restarting)"),
    (UnknownOutcomeError("vaix", "killed"), "the outcome of a call to vaix is unknown (killed)"),
    (CommandRefusedError(Reason.INSUFFICIENT_FUNDS, "5 short"), "INSUFFICIENT_FUNDS: 5 short"),
    (FencedError("vaix.paper", 3, 4), "epoch 3 is fenced, epoch 4 owns it"),
    (JournalUnavailableError("vaix.paper", "refused"), "the journal is not available (refused)"),
    (CorruptRecordError("vaix.paper", 9, "torn"), "stream vaix.paper, record 9: torn"),
    (TrimmedError("vaix.paper", 3, 10), "start from a snapshot at or after 9"),
    (ReplayMismatchError("account.0", 9, "was 5"), "record 9: the replay differs"),
]


@pytest.mark.parametrize(("error", "sentence"), EXAMPLES, ids=lambda e: type(e).__name__)
def test_error_pickled_is_the_same_error(error: TandemError, sentence: str):
    """Class, arguments, attributes and sentence come back on the other side."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert str(again) == str(error)
    assert sentence in str(error)


def test_every_leaf_of_the_tree_has_an_example():
    """An error added later is tested, too."""
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    tree = {c for c in classes if issubclass(c, TandemError)}
    leaves = {c for c in tree if not any(c in other.__bases__ for other in tree)}
    assert leaves == {type(error) for error, _ in EXAMPLES}
