"""The runtime of one shard: what is answered when, and what survives."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from actors.account_recovery import LedgerReplay, ShardName
from actors.account_shard import ShardOptions
from actors.engine.ledger_commands import (
    AuditQuery,
    BalanceQuery,
    Balances,
    Delivered,
    Done,
    Fenced,
    GrantPaper,
    OpenMarket,
    Post,
    Posted,
    Recovering,
    Refused,
    Settlement,
    Transfer,
    TransferQuery,
)
from actors.engine.settlement import ReleasePosting
from actors.engine.units import Mode, Side
from actors.errors import ShardUnavailableError, UnknownOutcomeError
from actors.journal.account_record import AccountRecord
from actors.journal.memory import Failure, MemoryJournal
from actors.journal.record import Chain
from actors.journal.recovery import SnapshotFollower, recover
from actors.journal.snapshots import MemorySnapshots, Snapshot
from tests.ledgers import ALICE, BOB, CAROL, GRANT, MARKET, buy, hold
from tests.shards import Asking, GatedJournal, Shard, wait_until

OPEN = OpenMarket(MARKET, 1, "VAIX", "USDC")
GRANTED = GrantPaper("g", ALICE, GRANT)


@contextmanager
def running(*shards: Shard) -> Iterator[None]:
    """Stop the shards at the end, whatever happened."""
    try:
        yield
    finally:
        for shard in shards:
            shard.runtime.stop()


def records(journal: MemoryJournal) -> list[AccountRecord]:
    """Read the shard's journal."""
    return [
        msgspec.msgpack.decode(body, type=AccountRecord)
        for _, body in journal.reader("account.0").read(0)
    ]


def test_call_before_recovery_is_answered_recovering():
    """A shard that is not ready says when to come back, and does nothing."""
    shard = Shard(MemoryJournal())
    assert isinstance(shard.ask(GRANTED), Recovering)
    assert not shard.runtime.status().ready


def test_call_malformed_bytes_is_refused():
    """What is no request of the ledger's changes nothing, and is answered."""
    journal = MemoryJournal()
    shard = Shard(journal).ready()
    with running(shard):
        for junk in (b"", b"\xff", b"\x91\x63", b"\x92\x03\xa1\xff"):
            reply = msgspec.msgpack.decode(shard.runtime.call(junk))
            assert reply[0] == 4
        assert isinstance(shard.ask(Delivered(1, 1)), Refused)
    assert records(journal) == []


def test_command_is_in_the_journal_when_it_is_answered():
    """The record holds the bytes as they came, and the balances they changed."""
    journal = MemoryJournal()
    shard = Shard(journal).ready()
    with running(shard):
        assert shard.ask(GRANTED) == Done()
        [record] = records(journal)
        assert [bytes(raw) for raw in record.commands] == [msgspec.msgpack.encode(GRANTED)]
        assert [(e.user, e.asset, e.available_raw) for e in record.events] == [
            (ALICE, "USDC", 1_000_000),
            (ALICE, "VAIX", 500_000),
        ]
        assert shard.runtime.status().number == 1


def test_commands_that_wait_together_share_one_record():
    """While one append is away, what arrives becomes the next record, whole."""
    journal = GatedJournal()
    shard = Shard(journal).ready()
    with running(shard):
        journal.gate.clear()
        first = Asking(shard, OPEN)
        assert journal.waiting.wait(30)
        others = [Asking(shard, GrantPaper("g", user, GRANT)) for user in (ALICE, BOB)]
        wait_until(lambda: shard.runtime._inbox.qsize() == 2)
        assert first.reply is None
        journal.gate.set()
        assert [asking.answer() for asking in others] == [Done(), Done()]
    assert [len(record.commands) for record in records(journal.inner)] == [1, 2]


def test_repetition_is_not_answered_before_what_it_repeats_is_durable():
    """A duplicate in the same batch waits for the same append, and leaves no trace."""
    journal = GatedJournal()
    shard = Shard(journal).ready()
    with running(shard):
        journal.gate.clear()
        askings = [Asking(shard, GRANTED), Asking(shard, GRANTED), Asking(shard, GRANTED)]
        assert journal.waiting.wait(30)
        assert [asking.reply for asking in askings] == [None] * 3
        journal.gate.set()
        assert [asking.answer() for asking in askings] == [Done()] * 3
    assert [len(record.commands) for record in records(journal.inner)] == [1]


def test_refusals_alone_write_no_record():
    """Nothing changed, so there is nothing to remember."""
    journal = MemoryJournal()
    shard = Shard(journal).ready()
    with running(shard):
        assert isinstance(shard.ask(Post(MARKET, 1, 1, [], [])), Refused)
        assert isinstance(shard.ask(Transfer("t", ALICE, BOB, "X", Mode.PAPER, 1)), Refused)
    assert records(journal) == []


@pytest.mark.parametrize("failure", list(Failure))
def test_append_that_fails_ends_the_shard_without_an_answer(failure: Failure):
    """Nobody is told of what may not be on disk; the successor knows what is."""
    journal = MemoryJournal()
    shard = Shard(journal).ready()
    journal.fail_next(failure)
    with pytest.raises(UnknownOutcomeError):
        shard.ask(GRANTED)
    assert len(shard.deaths) == 1
    with pytest.raises(ShardUnavailableError):
        shard.ask(GRANTED)
    successor = Shard(journal).ready()
    with running(successor):
        assert successor.available(ALICE) == (1_000_000 if failure is Failure.UNKNOWN else 0)
        assert successor.ask(GRANTED) == Done()
        assert successor.available(ALICE) == 1_000_000


def test_older_incarnation_is_fenced_and_ends():
    """Two shards of one name: the older cannot acknowledge anything any more."""
    journal = MemoryJournal()
    older, newer = Shard(journal).ready(), Shard(journal).ready()
    with running(newer):
        with pytest.raises(UnknownOutcomeError):
            older.ask(GRANTED)
        assert "fenced" in older.deaths[0]
        assert newer.available(ALICE) == 0
        assert newer.runtime.status().epoch == 2


def test_broken_invariant_ends_the_shard_and_is_not_in_the_journal():
    """A settlement of more than is held is never written."""
    journal = MemoryJournal()
    shard = Shard(journal).ready()
    shard.ask(OPEN)
    with pytest.raises(UnknownOutcomeError):
        shard.ask(Post(MARKET, 1, 1, [Settlement(1, [buy(ALICE, 1, 1)])], []))
    assert "takes more than is held" in shard.deaths[0]
    assert len(records(journal)) == 1


def test_recovery_continues_where_the_journal_ends():
    """After a crash the same balances, the same answer to the last Post, the same hash."""
    journal = MemoryJournal()
    shard = Shard(journal).ready()
    post = Post(MARKET, 1, 1, [], [hold(ALICE, Side.BUY, 300)])
    for command in (GRANTED, OPEN, post):
        shard.ask(command)
    before = shard.ask(AuditQuery())
    shard.runtime.stop()
    successor = Shard(journal).ready()
    with running(successor):
        assert successor.ask(AuditQuery()) == before
        assert successor.ask(post) == Posted([300], 0)
        status = successor.runtime.status()
        assert (status.number, status.epoch) == (3, 2)
        assert status.sums == [("USDC", 0, 0, 999_700, 300), ("VAIX", 0, 0, 500_000, 0)]


def test_recovery_from_a_snapshot_is_the_same_as_from_the_beginning():
    """The newest snapshot that verifies is taken; damaged ones are passed over."""
    journal = MemoryJournal()
    shard = Shard(journal).ready()
    for n in range(5):
        shard.ask(GrantPaper(f"g{n}", ALICE if n % 2 else BOB, GRANT, reset=True))
    before = shard.ask(AuditQuery())
    shard.runtime.stop()
    replay, snapshots = LedgerReplay(ShardName(0, 1)), MemorySnapshots(journal)
    follower = SnapshotFollower("account.0", journal.reader("account.0"), snapshots, replay)
    assert follower.follow(force=True).stored == 5
    middle = recover("account.0", journal.reader("account.0"), snapshots, replay, until=3)
    version, named, blob = replay.snapshot(middle.state, 3)
    seal = Chain("account.0", 0, None)
    for number, data in sorted(journal.stream("account.0").entries.items())[:3]:
        seal.accept(number, data)
    assert seal.seal is not None
    snapshots.store(Snapshot("account.0", 3, seal.seal, version, named, blob))
    whole = snapshots.kept["account.0"][5]
    damaged = whole.blob[:-1] + bytes([whole.blob[-1] ^ 1])
    snapshots.store(msgspec.structs.replace(whole, blob=damaged))
    successor = Shard(journal, snapshots=snapshots).ready()
    with running(successor):
        assert successor.ask(AuditQuery()) == before


def test_recovery_of_a_journal_that_replays_differently_refuses_to_start():
    """Events that are not those recorded: no answers, and a sentence for a person."""
    journal = MemoryJournal()
    shard = Shard(journal).ready()
    shard.ask(GRANTED)
    shard.runtime.stop()
    [record] = records(journal)
    changed = msgspec.structs.replace(record.events[0], available_raw=7)
    wrong = AccountRecord(1, record.commands, [changed, record.events[1]])
    other = MemoryJournal()
    other.acquire("account.0").append([msgspec.msgpack.encode(wrong)])
    successor = Shard(other).ready()
    status = successor.runtime.status()
    assert (status.state, status.ready) == ("failed", False)
    assert "account.0, record 1: the replay differs" in status.error
    assert isinstance(successor.ask(GRANTED), Recovering)


def test_balance_read_waits_for_the_settlement_it_names():
    """Whoever saw a fill sees its money."""
    shard = Shard(MemoryJournal(), options=ShardOptions(park_s=30)).ready()
    with running(shard):
        shard.ask(GRANTED)
        shard.ask(OPEN)
        shard.ask(Post(MARKET, 1, 1, [], [hold(ALICE, Side.BUY, 300)]))
        reading = Asking(shard, BalanceQuery(ALICE, {MARKET: 1}))
        wait_until(lambda: len(shard.runtime._parked) == 1)
        release = Settlement(1, [ReleasePosting(ALICE, Side.BUY, 300)])
        shard.ask(Post(MARKET, 1, 2, [release], []))
        reply = reading.answer()
        assert isinstance(reply, Balances)
        assert reply.balances[0].available_raw == 1_000_000


def test_balance_read_of_a_settlement_that_never_comes_is_answered_in_time():
    """Patience ends, and what is there is told."""
    shard = Shard(MemoryJournal()).ready()
    with running(shard):
        shard.ask(GRANTED)
        reply = shard.ask(BalanceQuery(ALICE, {MARKET: 9}))
        assert isinstance(reply, Balances)
        assert reply.balances[0].available_raw == 1_000_000


def test_balance_reads_beyond_the_waiting_places_come_back_later():
    """Waiting reads never take all the threads that settlements come in by."""
    shard = Shard(MemoryJournal(), options=ShardOptions(park_s=30, parked_max=1)).ready()
    with running(shard):
        waiting = Asking(shard, BalanceQuery(ALICE, {MARKET: 1}))
        wait_until(lambda: len(shard.runtime._parked) == 1)
        assert isinstance(shard.ask(BalanceQuery(ALICE, {MARKET: 1})), Recovering)
        assert isinstance(shard.ask(BalanceQuery(ALICE, {})), Balances)
    assert isinstance(waiting.answer(), ShardUnavailableError)


def test_stop_turns_later_calls_away():
    """A stopped shard answers nobody, and says so."""
    shard = Shard(MemoryJournal()).ready()
    shard.runtime.stop()
    with pytest.raises(ShardUnavailableError):
        shard.ask(GRANTED)
    assert shard.deaths == []


def test_ledger_changing_is_audited_by_itself():
    """Without anybody asking, the status tells sums of the newest record, each of them zero."""
    options = ShardOptions(audit_every_s=0.0)
    shard = Shard(MemoryJournal(), options=options).ready()
    with running(shard):
        assert isinstance(shard.ask(GRANTED), Done)
        wait_until(lambda: shard.runtime.status().audited == 1)
        status = shard.runtime.status()
        granted = {asset: available for asset, mode, _, available, _ in status.sums if not mode}
        assert {total for _, _, total, _, _ in status.sums} == {0}
    assert granted == GRANT


def test_ledger_that_does_not_add_up_ends_the_shard():
    """An audit that finds a sum other than zero ends the process; nothing of it is used again."""
    options = ShardOptions(audit_every_s=0.0)
    shard = Shard(MemoryJournal(), options=options).ready()
    with running(shard):
        shard.runtime._ledger.accounts.house("fees", "USDC", Mode.PAPER).balance += 1
        assert isinstance(shard.ask(GRANTED), Done)
        wait_until(lambda: bool(shard.deaths))
    assert "USDC in mode" in shard.deaths[0]
    assert "sums to 1, must be 0" in shard.deaths[0]


def test_post_that_is_early_waits_for_the_settlement_of_another_market() -> None:
    """Proceeds of one market pay for an order in another, though the order overtook them."""
    shard = Shard(MemoryJournal(), options=ShardOptions(early_s=30)).ready()
    with running(shard):
        shard.ask(GRANTED)
        shard.ask(OPEN)
        shard.ask(OpenMarket("btc.paper", 1, "BTC", "USDC"))
        everything = [hold(ALICE, Side.BUY, 1_000_000)]
        assert shard.ask(Post(MARKET, 1, 1, [], everything)) == Posted([1_000_000], 0)
        wanted = [hold(ALICE, Side.BUY, 300)]
        early = Asking(shard, Post("btc.paper", 1, 1, [], wanted, {MARKET: 1}))
        wait_until(lambda: len(shard.runtime._early) == 1)
        assert early.reply is None
        release = Settlement(1, [ReleasePosting(ALICE, Side.BUY, 300)])
        assert shard.ask(Post(MARKET, 1, 2, [release], [])) == Posted([], 1)
        assert early.answer() == Posted([300], 0)
        assert shard.available(ALICE) == 0


def test_post_whose_settlement_never_comes_is_answered_in_time() -> None:
    """The market that owes it may be down: then what is there decides."""
    shard = Shard(MemoryJournal(), options=ShardOptions(early_s=0.05)).ready()
    with running(shard):
        shard.ask(GRANTED)
        shard.ask(OPEN)
        wanted = [hold(ALICE, Side.BUY, 300), hold(BOB, Side.BUY, 1)]
        assert shard.ask(Post(MARKET, 1, 1, [], wanted, {"btc.paper": 9})) == Posted([300, -1], 0)


def test_post_that_is_early_when_its_incarnation_is_fenced_changes_nothing() -> None:
    """A successor that opened the market meanwhile is the only one whose holds count."""
    journal = MemoryJournal()
    shard = Shard(journal, options=ShardOptions(early_s=0.2)).ready()
    with running(shard):
        shard.ask(GRANTED)
        shard.ask(OPEN)
        wanted = [hold(ALICE, Side.BUY, 300)]
        early = Asking(shard, Post(MARKET, 1, 1, [], wanted, {"btc.paper": 9}))
        wait_until(lambda: len(shard.runtime._early) == 1)
        shard.ask(OpenMarket(MARKET, 2, "VAIX", "USDC"))
        assert early.answer() == Fenced(2)
        assert shard.available(ALICE) == 1_000_000


def test_post_that_is_early_when_the_shard_stops_is_turned_away() -> None:
    """Nothing was done for it, and whoever asked sends it again."""
    shard = Shard(MemoryJournal(), options=ShardOptions(early_s=30)).ready()
    shard.ask(OPEN)
    early = Asking(shard, Post(MARKET, 1, 1, [], [], {"btc.paper": 9}))
    wait_until(lambda: len(shard.runtime._early) == 1)
    shard.runtime.stop()
    assert isinstance(early.answer(), ShardUnavailableError)


class Peer:
    """The way to another shard, which answers once it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()

    def start(self, request: bytes) -> object:
        """Take anything."""
        return request

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Say that all is done, once that may be said."""
        assert self.may_answer.wait(30)
        return [msgspec.msgpack.encode(Done()) for _ in tickets]


def test_transfer_is_said_to_have_arrived_once_the_other_shard_has_it() -> None:
    """Whoever is told that their money moved finds it where it went."""
    peer = Peer()
    options = ShardOptions(park_s=30)
    shard = Shard(MemoryJournal(), ShardName(0, 2), {1: peer}, options).ready()
    with running(shard):
        shard.ask(GRANTED)
        assert shard.ask(TransferQuery("t1", 1)) == Done()
        assert shard.ask(Transfer("t1", ALICE, CAROL, "USDC", Mode.PAPER, 40)) == Done()
        asking = Asking(shard, TransferQuery("t1", 1))
        wait_until(lambda: len(shard.runtime._parked) == 1)
        assert shard.ask(TransferQuery("t2", 1)) == Done()
        peer.may_answer.set()
        assert asking.answer() == Done()
