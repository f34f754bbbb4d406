"""TWAPs by themselves: what a slice is, when it is due, what is carried, how it all ends."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.engine.commands import PlaceTwap
from actors.engine.invariants import InvariantError
from actors.engine.order import TwapState
from actors.engine.order_policies import Refusal, Rules
from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.twap import (
    DURATION_MS_MAX,
    DURATION_MS_MIN,
    SlicePlan,
    SliceResult,
    Twap,
    TwapBook,
    check_twap,
    parent_of,
)
from actors.engine.units import (
    NS_PER_S,
    Mode,
    OrderNo,
    OrderType,
    Reason,
    Side,
    TwapStatus,
    UserId,
)

SPEC = PairSpec(
    "vaix", AssetSpec("VAIX", 6), AssetSpec("USDC", 6), "0.000001", "1",
    min_order_lots=10, max_order_lots=10**9, max_price_ticks=10**6,
)  # fmt: skip
RULES = Rules(SPEC, Mode.PAPER)
ANNA = UserId("usr_anna")
MINUTE = 60 * NS_PER_S
T0 = 1_700_000_000 * NS_PER_S


def twap(**changes: object) -> PlaceTwap:
    """A TWAP of 103 lots in ten slices over ten minutes, with changes."""
    plain = PlaceTwap("c1", ANNA, Side.BUY, 103, 600_000, 10)
    return msgspec.structs.replace(plain, **changes)


def run(book: TwapBook, now: int, *, fill: int = -1, best: int = 3000) -> SlicePlan:
    """Run the slice that is due, filling its order (or ``fill`` lots of it) at 2 quote a lot."""
    (command,) = book.due(now)
    plan = book.plan(command, best)
    assert plan is not None
    result = SliceResult()
    if plan.order is not None:
        lots = plan.order.size_lots if fill < 0 else fill
        if lots:
            book.filled(parent_of(command.twap_no), lots, 2 * lots)
        reason = Reason.NONE if lots == plan.order.size_lots else Reason.NO_LIQUIDITY
        result = SliceResult(OrderNo(100 + command.slice_no), rests=False, reason=reason)
    book.finish(command, result, now)
    return plan


def only(book: TwapBook) -> TwapState:
    (state,) = book.drain()
    return state


def test_place_shows_an_active_twap_whose_first_slice_is_due_at_once():
    """The view says when the next slice is due and when the TWAP ends."""
    book = TwapBook()
    book.place(twap(), T0)
    state = only(book)
    assert (state.twap_no, state.status, state.slices_done) == (1, TwapStatus.ACTIVE, 0)
    assert (state.next_slice_ns, state.ends_at_ns) == (T0, T0 + 10 * MINUTE)
    assert book.active(ANNA) == [state]
    assert book.active(UserId("usr_ben")) == []
    assert book.drain() == []


def test_slices_all_filled_have_even_sizes_and_complete_the_twap():
    """Three lots left over go to the first three slices; the last fill completes it."""
    book = TwapBook()
    book.place(twap(), T0)
    sizes, now = [], T0
    for at in range(10):
        assert book.next_due_ns() == T0 + at * MINUTE
        assert book.due(T0 + at * MINUTE - 1) == []
        order = run(book, T0 + at * MINUTE).order
        assert order is not None
        assert order.order_type is OrderType.MARKET
        sizes.append(order.size_lots)
        now += MINUTE
    assert sizes == [11, 11, 11, 10, 10, 10, 10, 10, 10, 10]
    state = only(book)
    assert (state.status, state.reason) == (TwapStatus.COMPLETED, Reason.NONE)
    assert (state.filled_lots, state.filled_quote_raw, state.next_slice_ns) == (103, 206, 0)
    assert state.children == [OrderNo(100 + at) for at in range(10)]
    assert book.due(now + MINUTE) == []
    assert book.next_due_ns() == 0


def test_slice_not_filled_is_carried_into_the_next():
    """What the market would not give in one slice is asked for in the next."""
    book = TwapBook()
    book.place(twap(), T0)
    run(book, T0, fill=0)
    order = run(book, T0 + MINUTE, fill=20).order
    assert order is not None
    assert order.size_lots == 22
    order = run(book, T0 + 2 * MINUTE).order
    assert order is not None
    assert order.size_lots == 13


def test_twap_never_filled_completes_with_the_reason_of_its_last_slice():
    """It ends after its last slice, and says why not all was filled."""
    book = TwapBook()
    book.place(twap(), T0)
    for at in range(10):
        run(book, T0 + at * MINUTE, fill=0)
    state = only(book)
    assert (state.status, state.filled_lots) == (TwapStatus.COMPLETED, 0)
    assert state.reason is Reason.NO_LIQUIDITY


def test_due_twice_before_the_slice_ran_names_the_same_command():
    """A crash between due and apply repeats the id, and an id is applied once."""
    book = TwapBook()
    book.place(twap(), T0)
    assert book.due(T0) == book.due(T0 + 5)
    assert book.due(T0)[0].command_id == "twap/1/0"


def test_plan_of_a_slice_that_ran_is_nothing():
    """A repeated slice command does nothing."""
    book = TwapBook()
    book.place(twap(), T0)
    (command,) = book.due(T0)
    run(book, T0)
    assert book.plan(command, 3000) is None


def test_due_after_downtime_catches_up_one_slice_at_a_time():
    """Five missed slices run a second apart, then the schedule goes on."""
    book = TwapBook()
    book.place(twap(), T0)
    now = T0 + 5 * MINUTE
    sizes = []
    while book.next_due_ns() <= T0 + 5 * MINUTE + 30 * NS_PER_S:
        now = max(now, book.next_due_ns())
        order = run(book, now).order
        assert order is not None
        sizes.append(order.size_lots)
    assert sizes == [11, 11, 11, 10, 10, 10]
    assert now == T0 + 5 * MINUTE + 5 * NS_PER_S
    assert book.next_due_ns() == T0 + 6 * MINUTE


def test_due_of_several_twaps_comes_in_the_order_of_time():
    """At most one slice of each, the longest overdue first."""
    book = TwapBook()
    book.place(twap(), T0 + 5)
    book.place(twap(command_id="c2"), T0)
    assert [one.twap_no for one in book.due(T0 + MINUTE)] == [2, 1]


@pytest.mark.parametrize("side", list(Side))
def test_limit_child_rests_until_the_next_slice_replaces_it(side: Side):
    """With a limit the child rests, is replaced by one of all that is owed, and ends with it."""
    book = TwapBook()
    book.place(twap(limit_ticks=500, num_slices=2, side=side), T0)
    (first,) = book.due(T0)
    plan = book.plan(first, 3000)
    assert plan is not None
    assert plan.order is not None
    assert (plan.order.order_type, plan.order.price_ticks) == (OrderType.LIMIT, 500)
    book.finish(first, SliceResult(OrderNo(7), rests=True), T0)
    book.filled(parent_of(1), 2, 4)
    (second,) = book.due(T0 + 5 * MINUTE)
    plan = book.plan(second, 3000)
    assert plan is not None
    assert plan.order is not None
    assert (plan.replaces, plan.order.size_lots) == (OrderNo(7), 101)
    book.child_closed(parent_of(1), OrderNo(7))
    book.finish(second, SliceResult(OrderNo(8), rests=True), T0 + 5 * MINUTE)
    assert book.next_due_ns() == T0 + 10 * MINUTE
    assert only(book).next_slice_ns == 0
    (closing,) = book.due(T0 + 10 * MINUTE)
    assert book.plan(closing, 3000) == SlicePlan(None, OrderNo(8))
    book.child_closed(parent_of(1), OrderNo(8))
    book.finish(closing, SliceResult(), T0 + 10 * MINUTE)
    state = only(book)
    assert (state.status, state.reason) == (TwapStatus.COMPLETED, Reason.TIME_IN_FORCE)
    assert (state.slices_done, state.children) == (2, [OrderNo(7), OrderNo(8)])


def test_resting_child_filled_at_the_end_completes_the_twap():
    """The last child may be filled while it rests."""
    book = TwapBook()
    book.place(twap(limit_ticks=500, num_slices=1), T0)
    (first,) = book.due(T0)
    book.finish(first, SliceResult(OrderNo(7), rests=True), T0)
    book.filled(parent_of(1), 103, 206)
    book.child_closed(parent_of(1), OrderNo(7))
    assert only(book).status is TwapStatus.COMPLETED


def test_last_child_canceled_by_its_owner_ends_the_twap():
    """Nothing is left to wait for."""
    book = TwapBook()
    book.place(twap(limit_ticks=500, num_slices=1), T0)
    (first,) = book.due(T0)
    book.finish(first, SliceResult(OrderNo(7), rests=True), T0)
    book.child_closed(parent_of(1), OrderNo(7))
    state = only(book)
    assert (state.status, state.reason) == (TwapStatus.COMPLETED, Reason.TIME_IN_FORCE)


@pytest.mark.parametrize(
    ("side", "limit", "best", "kind", "price"),
    [
        (Side.BUY, 0, 1000, OrderType.IOC, 1010),
        (Side.SELL, 0, 1000, OrderType.IOC, 990),
        (Side.BUY, 1005, 1000, OrderType.LIMIT, 1005),
        (Side.BUY, 1020, 1000, OrderType.LIMIT, 1010),
        (Side.SELL, 995, 1000, OrderType.LIMIT, 995),
        (Side.SELL, 900, 1000, OrderType.LIMIT, 990),
        (Side.SELL, 900, 0, OrderType.LIMIT, 900),
    ],
)
def test_slippage_bound_and_limit_the_tighter_one_counts(
    side: Side, limit: int, best: int, kind: OrderType, price: int
):
    """One percent from the best price, and never beyond the user's own limit."""
    book = TwapBook()
    book.place(twap(side=side, limit_ticks=limit, max_slippage_ppm=10_000), T0)
    plan = book.plan(book.due(T0)[0], best)
    assert plan is not None
    assert plan.order is not None
    assert (plan.order.order_type, plan.order.price_ticks) == (kind, price)


def test_slippage_without_any_price_places_nothing_and_carries():
    """No offer, no order: the slice counts, its size is carried."""
    book = TwapBook()
    book.place(twap(max_slippage_ppm=10_000), T0)
    assert run(book, T0, best=0).order is None
    order = run(book, T0 + MINUTE).order
    assert order is not None
    assert order.size_lots == 22


def test_cancel_ends_the_twap_and_names_its_child():
    """The engine cancels the child; a second cancel finds the TWAP closed."""
    book = TwapBook()
    book.place(twap(limit_ticks=500), T0)
    (first,) = book.due(T0)
    book.finish(first, SliceResult(OrderNo(7), rests=True), T0)
    found = book.find(ANNA, 1)
    assert isinstance(found, Twap)
    assert book.cancel(found, Reason.USER_CANCELED) == OrderNo(7)
    book.child_closed(parent_of(1), OrderNo(7))
    state = only(book)
    assert (state.status, state.reason) == (TwapStatus.CANCELED, Reason.USER_CANCELED)
    again = book.find(ANNA, 1)
    assert isinstance(again, Refusal)
    assert again.reason is Reason.TWAP_CLOSED


@pytest.mark.parametrize(("user", "number"), [(ANNA, 2), (UserId("usr_ben"), 1)])
def test_find_unknown_or_foreign_twap_is_not_found(user: UserId, number: int):
    """Another's TWAP is as unknown as none."""
    book = TwapBook()
    book.place(twap(), T0)
    found = book.find(user, number)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.TWAP_NOT_FOUND


def test_cancel_all_of_one_side_leaves_the_other():
    """Side and owner both count."""
    book = TwapBook()
    book.place(twap(), T0)
    book.place(twap(side=Side.SELL), T0)
    book.place(twap(user=UserId("usr_ben")), T0)
    assert book.cancel_all(ANNA, Side.SELL, Reason.KILL_SWITCH) == []
    assert [state.twap_no for state in book.active(ANNA)] == [1]
    book.cancel_all(ANNA, None, Reason.KILL_SWITCH)
    assert book.active(ANNA) == []
    assert len(book.active(UserId("usr_ben"))) == 1


def test_filled_beyond_the_size_breaks_the_invariant():
    """A TWAP can never take more than was asked for."""
    book = TwapBook()
    book.place(twap(), T0)
    with pytest.raises(InvariantError):
        book.filled(parent_of(1), 104, 1)


def test_filled_of_another_parent_is_passed_over():
    """Scale children and plain orders are nobody's business here."""
    book = TwapBook()
    book.place(twap(), T0)
    book.drain()
    for parent in ("", "scale/1", "twap/99"):
        book.filled(parent, 5, 5)
        book.child_closed(parent, OrderNo(1))
    assert book.drain() == []


@given(st.integers(1, 1000), st.integers(DURATION_MS_MIN, DURATION_MS_MAX), st.booleans())
def test_schedule_of_any_twap_rises_within_its_duration(
    slices: int, duration_ms: int, randomize: bool
):
    """Times never run backwards, start at once and end in time; sizes add up to the last lot."""
    book = TwapBook()
    command = twap(
        size_lots=10**7 + 1, duration_ms=duration_ms, num_slices=slices, randomize=randomize
    )
    placed = book.place(command, T0)
    times = [placed.slice_ns(at) for at in range(slices + 1)]
    assert times[0] == T0
    assert times[-1] == T0 + duration_ms * 1_000_000
    assert all(early < late for early, late in pairwise(times))
    targets = [0, *(placed.target_lots(at) for at in range(slices))]
    sizes = [later - sooner for sooner, later in pairwise(targets)]
    assert targets[-1] == command.size_lots
    assert max(sizes) - min(sizes) <= 1


def test_randomized_times_differ_from_even_ones_and_repeat():
    """The hash moves slices, and moves them the same way in every replay."""
    first = TwapBook().place(twap(randomize=True), T0)
    again = TwapBook().place(twap(randomize=True), T0)
    plain = TwapBook().place(twap(), T0)
    times = [first.slice_ns(at) for at in range(10)]
    assert times == [again.slice_ns(at) for at in range(10)]
    assert times[1:] != [plain.slice_ns(at) for at in range(1, 10)]


def test_dump_through_bytes_goes_on_where_it_was():
    """A snapshot in the middle changes nothing about what follows."""
    book = TwapBook()
    book.place(twap(limit_ticks=500), T0)
    book.place(twap(), T0)
    (first, second) = book.due(T0)
    book.finish(first, SliceResult(OrderNo(7), rests=True), T0)
    book.filled(parent_of(1), 3, 6)
    book.drain()
    data = msgspec.msgpack.encode(book.dump())
    twin = TwapBook.load(msgspec.msgpack.decode(data, type=tuple[int, list[Twap], list[Twap]]))
    for one in (book, twin):
        one.finish(second, SliceResult(OrderNo(9)), T0)
    assert twin.drain() == book.drain()
    assert twin.due(T0 + MINUTE) == book.due(T0 + MINUTE)
    assert twin.dump() == book.dump()
    assert twin.place(twap(), T0).twap_no == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"size_lots": 0}, Reason.INVALID_QUANTITY),
        ({"size_lots": 99}, Reason.QUANTITY_TOO_SMALL),
        ({"size_lots": 9, "num_slices": 0}, Reason.QUANTITY_TOO_SMALL),
        ({"size_lots": 10**9 + 1}, Reason.QUANTITY_TOO_LARGE),
        ({"limit_ticks": -1}, Reason.INVALID_PRICE),
        ({"limit_ticks": 10**6 + 1}, Reason.INVALID_PRICE),
        ({"duration_ms": DURATION_MS_MIN - 1}, Reason.INVALID_EXPIRY),
        ({"duration_ms": DURATION_MS_MAX + 1}, Reason.INVALID_EXPIRY),
        ({"max_slippage_ppm": -1}, Reason.INVALID_PRICE_RANGE),
        ({"max_slippage_ppm": 10**6}, Reason.INVALID_PRICE_RANGE),
        ({"num_slices": 0}, Reason.INVALID_SLICES),
        ({"num_slices": 1001, "size_lots": 10**6}, Reason.INVALID_SLICES),
        ({"num_slices": 0, "duration_ms": 0}, Reason.INVALID_EXPIRY),
    ],
)
def test_check_twap_with_faults_names_the_first_by_precedence(
    changes: dict[str, object], reason: Reason
):
    """Of several faults the reason with the smallest number is told, with a message."""
    refusal = check_twap(twap(**changes), RULES)
    assert refusal is not None
    assert refusal.reason is reason
    assert refusal.message


def test_check_twap_sound_is_not_refused():
    """Every bound itself is allowed."""
    assert check_twap(twap(size_lots=10_000, num_slices=1000), RULES) is None
    assert check_twap(twap(num_slices=1, duration_ms=DURATION_MS_MAX), RULES) is None
