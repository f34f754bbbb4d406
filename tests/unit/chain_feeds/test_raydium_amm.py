"""Raydium AMM v4: accounts in, reserves and fee out."""

import msgspec
import pytest

from actors.engine.pools.constant_product import amount_in, amount_out
from actors.engine.pools.state import FeeRule
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from chain_feeds.venues import raydium_amm
from chain_feeds.venues.account_layout import Account
from chain_feeds.venues.raydium import Flow
from tests.unit.chain_feeds import raydium_pools as pools

SPEC = pools.spec(raydium_amm.KIND)
OPEN_S = 2_000_000_000


def test_decode_takes_the_profit_to_be_taken_off_the_vaults() -> None:
    """Reserves are what the vaults hold less need_take_pnl; the fee is swap_fee, not trade_fee."""
    accounts = pools.amm(1_000_007, 3_000_011, need_take_pnl_coin=7, need_take_pnl_pc=11)
    curve = raydium_amm.decode(SPEC, accounts, OPEN_S)
    assert (curve.reserve_base, curve.reserve_quote) == (1_000_000, 3_000_000)
    assert (curve.fee_num, curve.fee_den, curve.fee_rule) == (1, 400, FeeRule.CEIL_STAYS)


def test_quote_of_a_decoded_pool_equals_worked_values() -> None:
    """1,000,001 in: fee 2,501 (2,500.0025 up), 997,500 swapped; by hand as the program reckons.

    Out: 3e9 x 997,500 / 1,000,997,500 = 2,989,517.9 down. To take that: net 997,499.7 up, gross
    997,500 x 400 / 399 = 1,000,000.
    """
    curve = raydium_amm.decode(SPEC, pools.amm(10**9, 3 * 10**9), OPEN_S)
    assert amount_out(curve, Side.SELL, 1_000_001) == 2_989_517
    assert amount_in(curve, Side.SELL, 2_989_517) == 1_000_000


def test_decode_of_a_pool_listed_the_other_way_round_turns_the_reserves() -> None:
    """The pair's base may be the pool's second token."""
    turned = pools.spec(raydium_amm.KIND, base_first=False)
    curve = raydium_amm.decode(turned, pools.amm(10, 30), OPEN_S)
    assert (curve.reserve_base, curve.reserve_quote) == (30, 10)


def test_plan_names_pool_and_vaults() -> None:
    """Every swap rewrites these three; nothing else is needed."""
    plan = raydium_amm.plan(SPEC, pools.amm(10, 30)[pools.POOL])
    assert plan.together == {pools.POOL, pools.VAULT_0, pools.VAULT_1}
    assert not plan.beside
    assert not plan.patient


@pytest.mark.parametrize("status", [0, 2, 3, 4, 5, 8])
def test_pool_whose_status_forbids_swaps_has_no_state(status: int) -> None:
    """Only Initialized, SwapOnly and WaitingTrade take swaps."""
    with pytest.raises(DecodeError, match=rf"takes no swaps: its status is {status}"):
        raydium_amm.decode(SPEC, pools.amm(10, 30, status=status), OPEN_S)


def test_pool_that_waits_to_open_has_no_state_before() -> None:
    """WaitingTrade counts from its open time on; the other statuses do not look at it."""
    waiting = pools.amm(10, 30, status=raydium_amm.WAITING_TRADE, pool_open_time=OPEN_S)
    with pytest.raises(DecodeError, match="before Unix time"):
        raydium_amm.decode(SPEC, waiting, OPEN_S - 1)
    assert raydium_amm.decode(SPEC, waiting, OPEN_S).reserve_base == 10
    swapping = pools.amm(10, 30, pool_open_time=OPEN_S)
    assert raydium_amm.decode(SPEC, swapping, OPEN_S - 1).reserve_base == 10


def broken() -> list[tuple[str, dict[str, Account | None], str]]:
    """What can be wrong with accounts, and what is said of it."""
    right = pools.amm(10, 30)
    pool, first = right[pools.POOL], right[pools.VAULT_0]
    return [
        ("no pool", {pools.POOL: None}, "there is no AmmInfo account"),
        ("closed pool", {pools.POOL: Account("", b"")}, "there is no AmmInfo account"),
        ("other program", {pools.POOL: pool._replace(owner=pools.BASE)}, "belongs to program"),
        ("short", {pools.POOL: pool._replace(data=pool.data[:-1])}, "751 bytes, expected 752"),
        ("no vault", {pools.VAULT_0: None}, "no token account at the vault"),
        ("vault of a thief", {pools.VAULT_0: first._replace(owner=pools.BASE)}, "no token account"),
        ("short vault", {pools.VAULT_0: first._replace(data=first.data[:100])}, "100 bytes"),
        ("other token", {pools.VAULT_0: pools.vault(pools.QUOTE, 10)}, "holds token"),
        ("all profit", pools.amm(10, 30, need_take_pnl_pc=30), "holds nothing on one side"),
        ("whole fee", pools.amm(10, 30, swap_fee_numerator=10_000), "swap fee is 10000/10000"),
        ("no fee at all", pools.amm(10, 30, swap_fee_denominator=0), "swap fee is 25/0"),
        ("other mints", pools.amm(10, 30, coin_mint=pools.CONFIG), "holds token"),
    ]


@pytest.mark.parametrize(("changes", "said"), [row[1:] for row in broken()],
                         ids=[row[0] for row in broken()])  # fmt: skip
def test_decode_of_wrong_accounts_says_what_is_wrong(
    changes: dict[str, Account | None], said: str
) -> None:
    """One line each, and no state."""
    accounts = {**pools.amm(10, 30), **changes}
    known = {name: account for name, account in accounts.items() if account is not None}
    with pytest.raises(DecodeError, match=said):
        raydium_amm.decode(SPEC, known, OPEN_S)


def test_plan_of_a_pool_with_other_decimals_says_so() -> None:
    """The account states the decimals; a listing that differs would misprice by powers of ten."""
    listed = msgspec.structs.replace(SPEC, base_decimals=6)
    with pytest.raises(DecodeError, match="base token has 9 decimals, listed are 6"):
        raydium_amm.plan(listed, pools.amm(10, 30)[pools.POOL])


@pytest.mark.parametrize("base_first", [True, False])
def test_flows_tell_both_directions_of_a_slot_from_the_totals(*, base_first: bool) -> None:
    """A purchase and a sale in one slot are two flows, though the vaults show their difference."""
    before = pools.amm(100, 300, swap_coin_in_amount=50, swap_pc_out_amount=150)
    after = pools.amm(
        100,
        300,
        swap_coin_in_amount=57,
        swap_pc_out_amount=171,
        swap_pc_in_amount=22,
        swap_coin_out_amount=7,
    )
    listed = pools.spec(raydium_amm.KIND, base_first=base_first)
    flows = raydium_amm.flows(listed, before, after)
    if base_first:
        assert flows == [Flow(Side.SELL, 7, 21), Flow(Side.BUY, 7, 22)]
    else:
        assert flows == [Flow(Side.BUY, 21, 7), Flow(Side.SELL, 22, 7)]


def test_flows_of_a_deposit_are_none() -> None:
    """Vaults that grow without the totals are no swap."""
    assert raydium_amm.flows(SPEC, pools.amm(100, 300), pools.amm(200, 600)) == []
