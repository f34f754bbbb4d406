"""The feeds' errors cross process borders whole, and say what to do."""

import pickle

import pytest

from chain_feeds import errors

MADE = [
    errors.ChainSettingsError("base", "ws_url", "expected a URL"),
    errors.RecordingError("base.jsonl.gz", "cannot be read"),
    errors.DecodeError("a Sync log has 3 bytes"),
    errors.SourceLostError("base", "no connection to node:1"),
    errors.WrongChainError("base", "the node's chain id is 1"),
]


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_error_pickled_is_the_same_error(error: errors.FeedError) -> None:
    """Type, fields and text survive."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert again.args == error.args
    assert str(again) == str(error)
    assert isinstance(again, errors.FeedError)


def test_error_of_the_configuration_names_its_place() -> None:
    """The key is written as in the file."""
    assert str(MADE[0]) == "chains.base.ws_url: expected a URL"


def test_error_of_a_recording_says_how_to_make_it_again() -> None:
    """The command stands in the message."""
    assert "make devnet RECORD=1" in str(MADE[1])
