"""A ledger as bytes and back."""

import msgspec
import pytest

from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import GrantPaper, OpenMarket, Post, Receive, Transfer
from actors.engine.ledger_image import state_hash
from actors.engine.ledger_snapshot import LedgerSnapshot, SnapshotError, restore, snapshot
from actors.engine.settlement import FillPosting
from actors.engine.units import Mode, Side
from tests.ledgers import ALICE, BOB, CAROL, GRANT, MARKET, buy, done, funds, hold, ledger, post


def busy() -> Ledger:
    """Make a ledger with something of everything in it."""
    made = ledger(ALICE, BOB, shards=2)
    post(made, holds=[hold(ALICE, Side.BUY, 500), hold(BOB, Side.SELL, 40)])
    post(made, [buy(ALICE, 3, 100, 1), FillPosting(BOB, Side.SELL, 2, 9, 1, "eth:0x1")])
    done(made, Transfer("t1", ALICE, CAROL, "USDC", Mode.PAPER, 5))
    done(made, Receive("t2", 1, CAROL, BOB, "VAIX", Mode.PAPER, 6, 1))
    done(made, GrantPaper("r1", CAROL, GRANT, reset=True))
    return made


def test_snapshot_restored_is_the_same_state():
    """Bytes, hash, number and answers are those of the ledger that was saved."""
    made = busy()
    data = snapshot(made, 42)
    again, number = restore(data, 0, 2)
    assert number == 42
    assert state_hash(again) == state_hash(made)
    assert snapshot(again, 42) == data
    assert funds(again, ALICE, "USDC") == funds(made, ALICE, "USDC")


def test_snapshot_restored_goes_on_alike():
    """The same commands afterwards give the same replies and events on both."""
    made = busy()
    again, _ = restore(snapshot(made, 1), 0, 2)
    for command in (
        Post(MARKET, 1, 2, [], []),
        Post(MARKET, 1, 3, [], [hold(ALICE, Side.BUY, 7), hold(BOB, Side.SELL, 10**9)]),
        Transfer("t1", ALICE, CAROL, "USDC", Mode.PAPER, 5),
        Transfer("t3", BOB, CAROL, "USDC", Mode.PAPER, 5),
        Receive("t2", 1, CAROL, BOB, "VAIX", Mode.PAPER, 6, 1),
        OpenMarket(MARKET, 2, "VAIX", "USDC"),
    ):
        assert again.apply(command) == made.apply(command)
    assert state_hash(again) == state_hash(made)


def test_state_hash_ignores_the_way_that_led_there():
    """A refused hold leaves no trace; an applied one does."""
    one, other = ledger(ALICE), ledger(ALICE)
    post(one, holds=[hold(BOB, Side.BUY, 1)])
    post(other, holds=[hold(ALICE, Side.BUY, 10**9)])
    assert state_hash(one) == state_hash(other)
    post(one, holds=[hold(ALICE, Side.BUY, 1)])
    post(other)
    assert state_hash(one) != state_hash(other)


def test_house_balance_beyond_64_bits_survives():
    """A pool that sells paper tokens for ever only has a longer number."""
    made = ledger(ALICE)
    made.accounts.house("pool:x", "VAIX", Mode.PAPER).balance -= 2**80
    made.accounts.house("chain:x", "VAIX", Mode.PAPER).balance += 2**80
    again, _ = restore(snapshot(made, 1), 0, 1)
    assert again.accounts.house("pool:x", "VAIX", Mode.PAPER).balance == -(2**80)


@pytest.mark.parametrize("where", range(0, 900, 7))
@pytest.mark.parametrize("mask", [0x55, 0x80])
def test_snapshot_damaged_anywhere_is_never_restored(where: int, mask: int):
    """A flipped bit is found, wherever it is."""
    data = bytearray(snapshot(busy(), 42))
    data[where % len(data)] ^= mask
    with pytest.raises(SnapshotError):
        restore(bytes(data), 0, 2)


def test_snapshot_of_other_shard_version_or_kind_is_refused():
    """Each says what it was and what was expected."""
    data = snapshot(busy(), 42)
    with pytest.raises(SnapshotError, match="of shard 0 of 2, expected 1 of 2"):
        restore(data, 1, 2)
    envelope = msgspec.msgpack.decode(data, type=LedgerSnapshot)
    newer = msgspec.msgpack.encode(msgspec.structs.replace(envelope, version=9))
    with pytest.raises(SnapshotError, match="version was 9, expected 1"):
        restore(newer, 0, 2)
    with pytest.raises(SnapshotError, match="not a ledger snapshot"):
        restore(b"", 0, 2)
