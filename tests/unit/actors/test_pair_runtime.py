"""The runtime of a pair: rounds, exactly once, recovery, and what ends it."""

import threading

import msgspec
import pytest

from actors.engine.commands import (
    CancelOrder,
    ClockTick,
    PlaceOrder,
)
from actors.engine.ledger_commands import shard_of
from actors.engine.market_api import (
    BusyReply,
    DepthQuery,
    DepthReply,
    MalformedReply,
    OpenOrdersQuery,
    OrderReply,
    OrdersReply,
    OutcomeQuery,
    RefusedReply,
    UnknownReply,
)
from actors.engine.order import OrderState
from actors.engine.units import Mode, OrderNo, OrderStatus, OrderType, Reason, Side, UserId
from actors.errors import UnknownOutcomeError
from actors.journal.memory import Failure
from actors.pair_runtime import PairState
from actors.shard_link import Patience
from tests.running import wait_until
from tests.unit.actors.pairs import SHARDS, Bench, batch, replies

ALICE, BOB = UserId("usr_alice"), UserId("usr_bob")
USDC, VAIX = 1_000_000, 1_000_000
SOON = Patience(0.2, 0.0)
"""For pairs that are to die of a shard's silence; the others wait as long as a real one."""


@pytest.fixture
def bench() -> Bench:
    """Give an exchange of one pair with two funded users."""
    made = Bench()
    made.grant(ALICE, USDC=1_000 * USDC, VAIX=1_000 * VAIX)
    made.grant(BOB, USDC=1_000 * USDC, VAIX=1_000 * VAIX)
    return made


def buy(command_id: str, user: UserId = ALICE, lots: int = 10, ticks: int = 1_000) -> PlaceOrder:
    """Make a limit buy."""
    return PlaceOrder(command_id, user, Side.BUY, OrderType.LIMIT, lots, ticks)


def sell(command_id: str, user: UserId = BOB, lots: int = 10, ticks: int = 1_000) -> PlaceOrder:
    """Make a limit sell."""
    return PlaceOrder(command_id, user, Side.SELL, OrderType.LIMIT, lots, ticks)


def order(reply: object) -> OrderState:
    """Take the order out of a reply."""
    assert isinstance(reply, OrderReply), reply
    return reply.order


def test_order_rested_holds_its_funds_and_is_on_disk(bench: Bench) -> None:
    """A resting buy holds exactly its notional once its reply is out, and a record has it."""
    runtime = bench.boot()
    placed = order(replies(runtime.submit(batch(buy("c1"))))[0])
    runtime.stop()
    assert placed.status is OrderStatus.OPEN
    assert bench.balances(ALICE)["USDC"] == (1_000 * USDC - 10_000, 10_000)
    assert bench.journal.stream("vaix.paper").head.number == 1
    assert bench.journal.stream("vaix.live").head.number == 0


def test_trade_settled_moves_both_sides(bench: Bench) -> None:
    """A match moves base and quote, takes the taker's fee, and leaves every sum at zero."""
    runtime = bench.boot()
    answer = replies(runtime.submit(batch(buy("c1"), sell("c2"))))
    runtime.stop()
    assert order(answer[1]).status is OrderStatus.FILLED
    assert bench.balances(ALICE)["VAIX"] == (1_010 * VAIX, 0)
    assert bench.balances(BOB)["USDC"] == (1_000 * USDC + 10_000 - 10, 0)
    bench.validate()


def test_command_repeated_gets_the_first_outcome(bench: Bench) -> None:
    """The same id again, in another round or in the same one, changes and holds nothing."""
    runtime = bench.boot()
    first, twin = replies(runtime.submit(batch(buy("c1"), buy("c1"))))
    again = replies(runtime.submit(batch(buy("c1"))))[0]
    runtime.stop()
    assert order(first).order_no == order(twin).order_no == order(again).order_no == 1
    assert bench.balances(ALICE)["USDC"][1] == 10_000
    assert bench.journal.stream("vaix.paper").head.number == 1


def test_funds_lacking_refuses_and_holds_nothing(bench: Bench) -> None:
    """An order beyond the user's funds is refused as data."""
    runtime = bench.boot()
    reply = replies(runtime.submit(batch(buy("c1", lots=10**9))))[0]
    runtime.stop()
    assert isinstance(reply, RefusedReply)
    assert reply.reason is Reason.INSUFFICIENT_FUNDS
    assert bench.balances(ALICE)["USDC"] == (1_000 * USDC, 0)


def test_funds_on_their_way_from_another_market_are_waited_for(bench: Bench) -> None:
    """What its user was shown to be coming is asked for once more, and pays for the order."""
    runtime = bench.boot()
    carol, shard = UserId("usr_carol"), bench.shards[shard_of(UserId("usr_carol"), SHARDS)]
    shard.on_early = lambda: bench.grant(carol, USDC=USDC)
    runtime.submit(batch(sell("c0"), buy("c1")))
    seen = {"btc.paper": 7}
    answer = replies(runtime.submit(batch(buy("c2", ALICE), buy("c3", carol), after=seen)))
    runtime.stop()
    assert [order(reply).status for reply in answer] == [OrderStatus.OPEN] * 2
    (post,) = shard.early
    assert (post.after, post.settlements) == (seen, [])
    assert [need.user for need in post.holds] == [carol]
    assert bench.balances("usr_carol")["USDC"] == (USDC - 10_000, 10_000)
    bench.validate()


def test_funds_that_do_not_come_refuse_after_all(bench: Bench) -> None:
    """Whoever was shown something and still has too little is refused as anybody else."""
    runtime = bench.boot()
    (reply,) = replies(runtime.submit(batch(buy("c1", lots=10**9), after={"btc.paper": 7})))
    runtime.stop()
    assert isinstance(reply, RefusedReply)
    assert reply.reason is Reason.INSUFFICIENT_FUNDS
    assert len(bench.shards[shard_of(ALICE, SHARDS)].early) == 1


def test_malformed_item_leaves_the_others_alone(bench: Bench) -> None:
    """One unreadable item is answered as such, its neighbours are served."""
    runtime = bench.boot()
    good = batch(buy("c1"))
    tick = replies(runtime.submit(batch(ClockTick("t"))))[0]
    assert isinstance(tick, MalformedReply)
    items = msgspec.msgpack.decode(good)
    items.append([0, [1, "c2"]])
    items.append([0, [99]])
    answer = replies(runtime.submit(msgspec.msgpack.encode(items)))
    runtime.stop()
    assert isinstance(answer[0], OrderReply)
    assert isinstance(answer[1], MalformedReply)
    assert isinstance(answer[2], MalformedReply)


def test_modes_are_apart(bench: Bench) -> None:
    """A paper order is not seen in the live market."""
    runtime = bench.boot()
    runtime.submit(batch(buy("c1")))
    paper = replies(runtime.submit(batch(OpenOrdersQuery(ALICE))))[0]
    live = replies(runtime.submit(batch(OpenOrdersQuery(ALICE), mode=Mode.LIVE)))[0]
    runtime.stop()
    assert isinstance(paper, OrdersReply)
    assert isinstance(live, OrdersReply)
    assert (len(paper.orders), len(live.orders)) == (1, 0)


def test_depth_query_gives_the_sequence_it_is_true_at(bench: Bench) -> None:
    """The public state carries the last record's number."""
    runtime = bench.boot()
    runtime.submit(batch(buy("c1")))
    depth = replies(runtime.submit(batch(DepthQuery())))[0]
    runtime.stop()
    assert isinstance(depth, DepthReply)
    assert depth.sequence == 1


def test_inbox_full_answers_busy_and_changes_nothing() -> None:
    """Beyond the bound a whole batch is turned away, and an empty inbox takes any batch."""
    bench = Bench(inbox_requests_max=2)
    bench.grant(ALICE, USDC=1_000 * USDC)
    runtime = bench.boot()
    for shard in bench.shards:
        shard.gate.clear()
        shard.waiting.clear()
    answers: list[bytes] = []
    threads = []

    def submit(number: int) -> None:
        asked = batch(buy(f"c{number}"), buy(f"d{number}"))
        thread = threading.Thread(target=lambda: answers.append(runtime.submit(asked)))
        thread.start()
        threads.append(thread)

    submit(0)
    wait_until(lambda: any(s.waiting.is_set() for s in bench.shards), 20, "the first round")
    submit(1)
    wait_until(lambda: runtime.status().waiting == 2, 20, "queueing")
    submit(2)
    wait_until(lambda: len(answers) == 1, 20, "the busy answer")
    assert all(isinstance(reply, BusyReply) for reply in replies(answers[0]))
    for shard in bench.shards:
        shard.gate.set()
    for thread in threads:
        thread.join(20)
    runtime.stop()
    assert bench.balances(ALICE)["USDC"][1] == 4 * 10_000


@pytest.mark.parametrize("lost", ["lose_requests", "lose_answers"])
def test_hold_with_a_lost_message_is_held_once(bench: Bench, lost: str) -> None:
    """A Post whose request or answer is lost is sent again and counted once."""
    runtime = bench.boot()
    for shard in bench.shards:
        setattr(shard, lost, 2)
    assert order(replies(runtime.submit(batch(buy("c1"))))[0]).status is OrderStatus.OPEN
    runtime.stop()
    assert bench.balances(ALICE)["USDC"] == (1_000 * USDC - 10_000, 10_000)


def test_shard_silent_for_too_long_ends_the_pair(bench: Bench) -> None:
    """The caller is told the outcome is unknown; the next incarnation frees the hold."""
    bench.patience = SOON
    runtime = bench.boot()
    for shard in bench.shards:
        shard.lose_answers = 10**9
    with pytest.raises(UnknownOutcomeError):
        runtime.submit(batch(buy("c1")))
    wait_until(lambda: bool(bench.deaths), 20, "the death")
    bench.patience = Patience()
    for shard in bench.shards:
        shard.lose_answers = 0
    successor = bench.boot()
    unknown = replies(successor.submit(batch(OutcomeQuery(ALICE, "c1"))))[0]
    successor.stop()
    assert isinstance(unknown, UnknownReply)
    assert bench.balances(ALICE)["USDC"] == (1_000 * USDC, 0)


@pytest.mark.parametrize("failure", list(Failure))
def test_append_failed_ends_the_pair_and_the_id_tells(bench: Bench, failure: Failure) -> None:
    """Nobody is answered by memory that ran ahead; the successor knows what was written."""
    runtime = bench.boot()
    bench.journal.fail_next(failure)
    with pytest.raises(UnknownOutcomeError):
        runtime.submit(batch(buy("c1")))
    wait_until(lambda: runtime.state is PairState.DEAD, 20, "the end")
    successor = bench.boot()
    found = replies(successor.submit(batch(OutcomeQuery(ALICE, "c1"))))[0]
    successor.stop()
    written = failure is Failure.UNKNOWN
    assert isinstance(found, OrderReply if written else UnknownReply)
    assert bench.balances(ALICE)["USDC"][1] == (10_000 if written else 0)


def test_two_incarnations_the_older_is_fenced(bench: Bench) -> None:
    """The older one answers nobody and dies; the newer one trades."""
    older = bench.boot()
    newer = bench.boot()
    with pytest.raises(UnknownOutcomeError):
        older.submit(batch(buy("c1")))
    wait_until(lambda: older.state is PairState.DEAD, 20, "the end")
    assert order(replies(newer.submit(batch(buy("c2"))))[0]).status is OrderStatus.OPEN
    newer.stop()
    assert bench.balances(ALICE)["USDC"][1] == 10_000


def test_restart_continues_orders_balances_and_numbers(bench: Bench) -> None:
    """After a restart the book, the ids and the settlement numbers go on."""
    runtime = bench.boot()
    runtime.submit(batch(buy("c1", lots=20), sell("c2", lots=5)))
    runtime.stop()
    before = bench.balances(ALICE)
    successor = bench.boot()
    assert bench.balances(ALICE) == before
    filled = order(replies(successor.submit(batch(sell("c3", lots=15))))[0])
    cancel = replies(successor.submit(batch(CancelOrder("c4", ALICE, OrderNo(1)))))[0]
    successor.stop()
    assert filled.status is OrderStatus.FILLED
    assert isinstance(cancel, RefusedReply)
    assert cancel.reason is Reason.ORDER_CLOSED
    assert bench.balances(ALICE)["USDC"] == (1_000 * USDC - 20_000, 0)
    bench.validate()


def test_settlement_undelivered_at_the_crash_is_delivered_once(bench: Bench) -> None:
    """What the journal says is owed reaches the shards after a restart, once."""
    bench.patience = SOON
    runtime = bench.boot()
    runtime.submit(batch(buy("c1")))
    # The seller's hold is answered, then both shards are gone: the settlements stay undelivered.
    for number, shard in enumerate(bench.shards):
        shard.serve = 1 if number == shard_of(BOB, SHARDS) else 0
    assert order(replies(runtime.submit(batch(sell("c2"))))[0]).status is OrderStatus.FILLED
    wait_until(lambda: bool(bench.deaths), 20, "the death by silence")
    bench.patience = Patience()
    for shard in bench.shards:
        shard.serve = 10**9
    bench.boot().stop()
    bench.boot().stop()
    assert bench.balances(ALICE)["VAIX"] == (1_010 * VAIX, 0)
    assert bench.balances(BOB)["VAIX"] == (990 * VAIX, 0)
    bench.validate()


def test_expiry_comes_without_being_asked(bench: Bench) -> None:
    """An order whose time has come expires though nobody sends anything."""
    runtime = bench.boot()
    dying = PlaceOrder(
        "c1", ALICE, Side.BUY, OrderType.LIMIT, 10, 1_000, expire_at_ns=bench.now_ns + 10**9
    )
    runtime.submit(batch(dying))
    bench.now_ns += 2 * 10**9
    wait_until(lambda: bench.journal.stream("vaix.paper").head.number == 2, 20, "the expiry")
    runtime.stop()
    assert bench.balances(ALICE)["USDC"] == (1_000 * USDC, 0)


def test_clock_going_back_keeps_time_monotonic(bench: Bench) -> None:
    """A record is never older than the one before it."""
    runtime = bench.boot()
    first = order(replies(runtime.submit(batch(buy("c1"))))[0])
    bench.now_ns -= 10**12
    second = order(replies(runtime.submit(batch(buy("c2"))))[0])
    runtime.stop()
    assert second.created_ns >= first.created_ns


def test_journal_damaged_is_never_applied_and_says_so(bench: Bench) -> None:
    """A pair whose journal cannot be replayed answers busy, and its status names the record."""
    runtime = bench.boot()
    runtime.submit(batch(buy("c1")))
    runtime.submit(batch(buy("c2")))
    runtime.stop()
    entries = bench.journal.stream("vaix.paper").entries
    damaged = bytearray(entries[1])
    damaged[-20] ^= 1
    entries[1] = bytes(damaged)
    successor = bench.boot(wait=False)
    assert not successor.wait_ready(5)
    assert successor.state is PairState.FAILED
    assert "record 1" in successor.status().detail
    answer = replies(successor.submit(batch(buy("c3"))))[0]
    assert isinstance(answer, BusyReply)
    assert answer.failed
    assert bench.deaths == []
