"""A market's messages to a ledger: fencing, order, holds, fills, releases, reconciliation."""

import pytest

from actors.engine.invariants import InvariantError
from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import (
    AnyLedgerCommand,
    AuditQuery,
    Balance,
    BalanceChanged,
    BalanceQuery,
    Done,
    Fenced,
    MarketOpened,
    OpenMarket,
    Post,
    Posted,
    Reconcile,
    Refused,
    Settlement,
)
from actors.engine.settlement import FillPosting, HoldNeed, Posting, ReleasePosting
from actors.engine.units import Mode, Reason, Side, UserId
from tests.ledgers import (
    ALICE,
    BOB,
    MARKET,
    buy,
    done,
    funds,
    hold,
    house,
    ledger,
    post,
    sell,
)


def test_open_market_unknown_market_starts_at_settlement_zero():
    """A market nobody has heard of begins with nothing applied."""
    applied = Ledger().apply(OpenMarket("vaix.live", 3, "VAIX", "USDC"))
    assert applied == (MarketOpened(0), [], True)


@pytest.mark.parametrize(
    ("name", "epoch", "base", "quote"),
    [
        ("vaix", 1, "VAIX", "USDC"),
        ("vaix.demo", 1, "VAIX", "USDC"),
        ("vaix.paper", 0, "VAIX", "USDC"),
        ("vaix.paper", 1, "USDC", "USDC"),
    ],
)
def test_open_market_impossible_market_is_refused(name: str, epoch: int, base: str, quote: str):
    """A name without a mode, an epoch before the first, or one asset twice opens nothing."""
    applied = Ledger().apply(OpenMarket(name, epoch, base, quote))
    assert isinstance(applied.reply, Refused)
    assert not applied.changed


def test_open_market_other_assets_than_before_is_refused():
    """A market cannot change what it trades while balances of the old assets exist."""
    assert isinstance(ledger().apply(OpenMarket(MARKET, 2, "SBIO", "USDC")).reply, Refused)


def test_open_market_same_epoch_again_keeps_the_count_of_posts():
    """A repeated introduction answers the same and does not let Posts be applied twice."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.BUY, 10)])
    applied = made.apply(OpenMarket(MARKET, 1, "VAIX", "USDC"))
    assert applied == (MarketOpened(0), [], False)
    assert made.markets[MARKET].last_seq == 1


@pytest.mark.parametrize(
    "late",
    [
        OpenMarket(MARKET, 1, "VAIX", "USDC"),
        Post(MARKET, 1, 1, [], [hold(ALICE, Side.BUY, 1)]),
        Reconcile(MARKET, 1, []),
    ],
)
def test_message_of_older_epoch_is_fenced(late: AnyLedgerCommand):
    """Whatever an older incarnation says changes nothing, and it learns who rules."""
    made = ledger(ALICE)
    done(made, OpenMarket(MARKET, 2, "VAIX", "USDC"))
    assert made.apply(late) == (Fenced(2), [], False)


@pytest.mark.parametrize("epoch", [2, 1])
def test_message_before_open_market_is_refused(epoch: int):
    """A Post of a market, or of an epoch, that was never opened is told to open first."""
    made = ledger() if epoch == 2 else Ledger()
    for message in (Post(MARKET, epoch, 1, [], []), Reconcile(MARKET, epoch, [])):
        reply = made.apply(message).reply
        assert isinstance(reply, Refused)
        assert "OpenMarket" in reply.message


def test_post_same_seq_again_gets_first_answer_and_changes_nothing():
    """A Post whose answer was lost is answered as the first time."""
    made = ledger(ALICE)
    message = Post(MARKET, 1, 1, [], [hold(ALICE, Side.BUY, 600_000)] * 2)
    first = done(made, message)
    assert first.reply == Posted([600_000, -1], 0)
    assert made.apply(message) == (first.reply, [], False)
    assert funds(made, ALICE, "USDC") == (400_000, 600_000)


@pytest.mark.parametrize("seq", [0, 1, 4, -1])
def test_post_seq_out_of_order_is_refused(seq: int):
    """Only the last seq and the next one are answered."""
    made = ledger(ALICE)
    post(made)
    post(made)
    applied = made.apply(Post(MARKET, 1, seq, [], [hold(ALICE, Side.BUY, 1)]))
    assert isinstance(applied.reply, Refused)
    assert not applied.changed
    assert funds(made, ALICE, "USDC") == (1_000_000, 0)


def test_post_new_epoch_counts_from_one_and_settlements_go_on():
    """An incarnation's Posts start over; the settlements of a market never do."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.BUY, 100)])
    post(made, [buy(ALICE, 1, 60)])
    opened = done(made, OpenMarket(MARKET, 2, "VAIX", "USDC")).reply
    again = Settlement(1, [buy(ALICE, 1, 60)])
    following = Settlement(2, [buy(ALICE, 1, 40)])
    reply = done(made, Post(MARKET, 2, 1, [again, following], [])).reply
    assert (opened, reply) == (MarketOpened(1), Posted([], 2))
    assert funds(made, ALICE, "USDC") == (999_900, 0)
    assert funds(made, ALICE, "VAIX") == (500_002, 0)


@pytest.mark.parametrize("numbers", [[2], [1, 3], [1, 2, 4]])
def test_post_settlement_numbers_with_gap_are_refused_whole(numbers: list[int]):
    """Where a settlement is missing, not even those before the gap are applied."""
    made = ledger(ALICE)
    settlements = [Settlement(n, [ReleasePosting(ALICE, Side.BUY, 0)]) for n in numbers]
    applied = made.apply(Post(MARKET, 1, 1, settlements, [hold(ALICE, Side.BUY, 1)]))
    assert isinstance(applied.reply, Refused)
    assert made.last_settlement(MARKET) == 0
    assert funds(made, ALICE, "USDC") == (1_000_000, 0)


@pytest.mark.parametrize(
    ("least", "most", "held"),
    [
        (100, 100, 100),
        (100, 2_000_000, 1_000_000),
        (1_000_000, 1_000_000, 1_000_000),
        (1_000_001, 1_000_001, -1),
        (0, 0, 0),
        (0, 5, 5),
    ],
)
def test_hold_takes_between_least_and_most(least: int, most: int, held: int):
    """As much as there is up to the most; nothing where the least is not there."""
    made = ledger(ALICE)
    assert post(made, holds=[HoldNeed(ALICE, Side.BUY, least, most)]) == Posted([held], 0)
    assert funds(made, ALICE, "USDC") == (1_000_000 - max(held, 0), max(held, 0))


def test_hold_of_stranger_lacks_funds_and_opens_no_account():
    """Somebody who never had anything has nothing held, and nothing remembered."""
    made = ledger()
    assert post(made, holds=[hold(BOB, Side.SELL, 1)]) == Posted([-1], 0)
    assert made.query(BalanceQuery(BOB, {})).balances == []


@pytest.mark.parametrize(("least", "most"), [(-1, 5), (6, 5)])
def test_hold_impossible_bounds_break_an_invariant(least: int, most: int):
    """A need below zero, or with more at least than at most, is a bug of the asker's."""
    with pytest.raises(InvariantError):
        post(ledger(ALICE), holds=[HoldNeed(ALICE, Side.BUY, least, most)])


def test_holds_follow_the_settlements_of_the_same_post():
    """What a settlement brings can be held by the same message."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.BUY, 1_000_000)])
    reply = post(made, [buy(ALICE, 7, 999_000)], [hold(ALICE, Side.SELL, 500_007)])
    assert reply == Posted([500_007], 1)


def test_fill_between_two_users_moves_funds_and_fees():
    """Both pay their fee in quote; the clearing account comes out even."""
    made = ledger(ALICE, BOB)
    post(made, holds=[hold(ALICE, Side.BUY, 1_001), hold(BOB, Side.SELL, 50)])
    post(made, [buy(ALICE, 50, 1_000, 1), sell(BOB, 50, 1_000, 2)])
    assert funds(made, ALICE, "USDC") == (998_999, 0)
    assert funds(made, ALICE, "VAIX") == (500_050, 0)
    assert funds(made, BOB, "USDC") == (1_000_998, 0)
    assert funds(made, BOB, "VAIX") == (499_950, 0)
    assert house(made, "fees", "USDC") == 3
    assert house(made, f"clearing:{MARKET}", "USDC") == 0
    assert house(made, f"clearing:{MARKET}", "VAIX") == 0


def test_fill_against_pool_has_the_pool_as_other_side():
    """The pool's account gives base and takes quote; the fee is the house's."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.BUY, 110)])
    post(made, [FillPosting(ALICE, Side.BUY, 9, 100, 1, "ethereum:0xab")])
    assert house(made, "pool:ethereum:0xab", "VAIX") == -9
    assert house(made, "pool:ethereum:0xab", "USDC") == 100
    assert house(made, f"clearing:{MARKET}", "USDC") == 0
    assert funds(made, ALICE, "USDC") == (999_890, 9)


def test_events_name_each_touched_account_once_with_its_last_value():
    """However often a Post touches an account, its event is what is left in the end."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.BUY, 100)])
    settlements = [
        Settlement(1, [buy(ALICE, 1, 40), buy(ALICE, 1, 30)]),
        Settlement(2, [ReleasePosting(ALICE, Side.BUY, 30)]),
    ]
    applied = done(made, Post(MARKET, 1, 2, settlements, [hold(ALICE, Side.BUY, 5)]))
    assert applied.events == [
        BalanceChanged(ALICE, "VAIX", Mode.PAPER, 500_002, 0),
        BalanceChanged(ALICE, "USDC", Mode.PAPER, 999_925, 5),
    ]


def test_hold_alone_is_told_as_an_event():
    """Funds that become held change what their owner sees; a refused hold changes nothing."""
    made = ledger(ALICE, BOB)
    needs = [hold(ALICE, Side.SELL, 20), hold(BOB, Side.SELL, 10**9)]
    applied = done(made, Post(MARKET, 1, 1, [], needs))
    assert applied.events == [BalanceChanged(ALICE, "VAIX", Mode.PAPER, 499_980, 20)]


@pytest.mark.parametrize(
    "posting",
    [
        buy(ALICE, 1, 100, 1),
        sell(ALICE, 51, 1),
        ReleasePosting(ALICE, Side.BUY, 101),
        ReleasePosting(ALICE, Side.SELL, 51),
        ReleasePosting(ALICE, Side.SELL, -1),
        buy(BOB, 1, 1),
        buy(ALICE, -1, 10),
        sell(ALICE, 1, 10, 11),
        buy(ALICE, 1, 10, -1),
        ReleasePosting(BOB, Side.SELL, 1),
    ],
    ids=repr,
)
def test_posting_beyond_what_is_held_breaks_an_invariant(posting: Posting):
    """More than is held of the user on that side, or an amount below zero, is never applied."""
    made = ledger(ALICE, BOB)
    post(made, holds=[hold(ALICE, Side.BUY, 100), hold(ALICE, Side.SELL, 50)])
    with pytest.raises(InvariantError):
        post(made, [posting])


def test_holds_of_two_markets_are_told_apart():
    """One market cannot spend what another holds of the same user and asset."""
    made = ledger(ALICE)
    done(made, OpenMarket("sbio.paper", 1, "SBIO", "USDC"))
    done(made, Post("sbio.paper", 1, 1, [], [hold(ALICE, Side.BUY, 500)]))
    with pytest.raises(InvariantError):
        post(made, [buy(ALICE, 1, 1)])


def test_modes_never_touch_each_other():
    """Paper funds justify nothing in the live market of the same pair."""
    made = ledger(ALICE)
    done(made, OpenMarket("vaix.live", 1, "VAIX", "USDC"))
    reply = done(made, Post("vaix.live", 1, 1, [], [hold(ALICE, Side.BUY, 1)])).reply
    assert reply == Posted([-1], 0)


def test_reconcile_releases_what_open_orders_do_not_justify():
    """A hold that the market does not know of is free again; the others stay."""
    made = ledger(ALICE, BOB)
    holds = [hold(ALICE, Side.BUY, 100), hold(ALICE, Side.SELL, 50), hold(BOB, Side.BUY, 70)]
    post(made, holds=holds)
    done(made, OpenMarket(MARKET, 2, "VAIX", "USDC"))
    applied = done(made, Reconcile(MARKET, 2, [(ALICE, Side.BUY, 60), (ALICE, Side.SELL, 50)]))
    assert applied.reply == Done()
    assert applied.events == [
        BalanceChanged(ALICE, "USDC", Mode.PAPER, 999_940, 60),
        BalanceChanged(BOB, "USDC", Mode.PAPER, 1_000_000, 0),
    ]
    assert funds(made, ALICE, "VAIX") == (499_950, 50)


def test_reconcile_again_in_the_same_epoch_changes_nothing():
    """A late duplicate must not release what was held since."""
    made = ledger(ALICE)
    done(made, Reconcile(MARKET, 1, []))
    post(made, holds=[hold(ALICE, Side.BUY, 100)])
    assert made.apply(Reconcile(MARKET, 1, [])) == (Done(), [], False)
    assert funds(made, ALICE, "USDC") == (999_900, 100)


@pytest.mark.parametrize(
    "stated",
    [
        [(ALICE, Side.BUY, 101)],
        [(BOB, Side.BUY, 1)],
        [(ALICE, Side.BUY, 50), (ALICE, Side.BUY, 50)],
        [(ALICE, Side.BUY, -1)],
    ],
)
def test_reconcile_stating_more_than_is_held_breaks_an_invariant(
    stated: list[tuple[UserId, int, int]],
):
    """Orders that rest without a hold behind them can never be."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.BUY, 100)])
    with pytest.raises(InvariantError):
        made.apply(Reconcile(MARKET, 1, stated))


def test_balances_are_told_by_asset_and_mode():
    """An owner sees every asset they ever had, with what is held apart."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.SELL, 20)])
    assert made.query(BalanceQuery(ALICE, {})).balances == [
        Balance("USDC", Mode.PAPER, 1_000_000, 0),
        Balance("VAIX", Mode.PAPER, 499_980, 20),
    ]


def test_audit_sums_are_zero_and_name_the_state():
    """An audit shows per asset what users have, and that the house has the other side."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.BUY, 30)])
    audit = made.query(AuditQuery())
    assert audit.sums == [("USDC", 0, 0, 999_970, 30), ("VAIX", 0, 0, 500_000, 0)]
    assert ("grant:paper", "USDC", 0, "-1000000") in audit.house
    before = audit.state_hash
    post(made)
    assert made.query(AuditQuery()).state_hash != before


def test_validate_money_from_nowhere_is_found():
    """A sum that is not zero does not pass."""
    made = ledger(ALICE)
    made.accounts.open(ALICE, "USDC", Mode.PAPER).available += 1
    with pytest.raises(InvariantError, match="sums to 1"):
        made.validate()


def test_validate_held_that_no_market_holds_is_found():
    """Held funds must be some market's."""
    made = ledger(ALICE)
    account = made.accounts.open(ALICE, "USDC", Mode.PAPER)
    account.available -= 1
    account.held += 1
    with pytest.raises(InvariantError, match="held 1, and the markets hold 0"):
        made.validate()


def test_refusals_carry_a_numbered_reason():
    """A lost count is told as data."""
    reply = ledger().apply(Post(MARKET, 1, 9, [], [])).reply
    assert reply == Refused(Reason.INVALID_COMBINATION, f"{MARKET}: Post seq was 9, expected 1")


def test_post_numbered_zero_in_a_new_epoch_does_not_get_an_older_answer():
    """The last answer belongs to its epoch."""
    made = ledger(ALICE)
    post(made, holds=[hold(ALICE, Side.BUY, 100)])
    done(made, OpenMarket(MARKET, 2, "VAIX", "USDC"))
    assert isinstance(done(made, Post(MARKET, 2, 0, [], [])).reply, Refused)
