"""The file of log-ins: only its owner's, whole or not at all."""

import stat
from pathlib import Path

import pytest

from tandem.terminal.store import Store, StoreError

URL = "http://127.0.0.1:8080"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in an empty directory."""
    return Store({"XDG_CONFIG_HOME": str(tmp_path)})


def test_login_is_kept_where_xdg_says_for_its_owner_only(store: Store, tmp_path: Path) -> None:
    """Mode 0600 in a directory of 0700; nothing else is left beside it."""
    store.save(URL, {"name": "ada", "api_key": "evt_1"})
    assert store.path == tmp_path / "tandem" / "credentials.json"
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in store.path.parent.iterdir()] == ["credentials.json"]
    assert store.login(URL) == {"name": "ada", "api_key": "evt_1"}


def test_log_ins_are_kept_apart_by_exchange(store: Store) -> None:
    """The newest is the current one; forgetting one leaves the others."""
    store.save(URL, {"name": "ada"})
    store.save("https://other", {"name": "bob"})
    assert store.current() == "https://other"
    store.forget("https://other")
    assert (store.login("https://other"), store.current()) == (None, "")
    assert store.login(URL) == {"name": "ada"}


def test_file_that_others_can_read_is_not_used(store: Store) -> None:
    """The message has the command that mends it."""
    store.save(URL, {"name": "ada"})
    store.path.chmod(0o644)
    with pytest.raises(StoreError, match=f"chmod 600 {store.path}"):
        store.login(URL)


@pytest.mark.parametrize("content", ["{", "[]", '{"exchanges": 3}'])
def test_damaged_file_is_told(store: Store, content: str) -> None:
    """It is not guessed at."""
    store.save(URL, {"name": "ada"})
    store.path.write_text(content)
    with pytest.raises(StoreError, match="is damaged: delete it"):
        store.login(URL)


def test_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file where the directory should be."""
    (tmp_path / "tandem").write_text("")
    with pytest.raises(StoreError, match="name another with XDG_CONFIG_HOME"):
        Store({"XDG_CONFIG_HOME": str(tmp_path)}).save(URL, {})
