"""The Ray shell of a shard, driven without Ray."""

import gc
import os
from collections.abc import Iterator

import msgspec
import pytest

from actors.account import AccountShard, end_process
from actors.account_shard import ShardStore
from actors.engine.ledger_commands import Done, GrantPaper
from actors.journal.memory import MemoryJournal
from actors.journal.snapshots import MemorySnapshots
from tests.ledgers import ALICE, GRANT
from tests.shards import wait_until


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the garbage collector as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_shell_recovers_in_the_background_and_answers():
    """The constructor returns at once; bytes go in and out; stop ends it."""
    journal = MemoryJournal()
    store = ShardStore(journal, MemorySnapshots(journal))
    shell = AccountShard(0, 1, lambda: (store, {}))
    wait_until(lambda: shell.status().ready)
    reply = shell.call(msgspec.msgpack.encode(GrantPaper("g", ALICE, GRANT)))
    assert reply == msgspec.msgpack.encode(Done())
    shell.stop()
    assert shell.status().state == "dead"


def test_end_process_says_why_and_ends_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """No cleanup runs and nothing is flushed but the reason."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    end_process("account.0: fenced")
    assert codes == [1]
    assert "account.0: fenced" in capsys.readouterr().err
