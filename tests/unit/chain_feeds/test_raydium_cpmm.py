"""Raydium CPMM: accounts in, reserves and fees out."""

import pytest

from actors.engine.pools.constant_product import after_swap, amount_in, amount_out
from actors.engine.pools.state import CreatorFee, FeeRule
from actors.engine.units import Side
from chain_feeds.errors import DecodeError
from chain_feeds.venues import raydium_cpmm
from chain_feeds.venues.raydium import TOKEN_2022_PROGRAM, Flow, mint_fault, supply_of
from tests.unit.chain_feeds import raydium_pools as pools

SPEC = pools.spec(raydium_cpmm.KIND)
NOW_S = 1_800_000_000


def test_decode_takes_every_uncollected_fee_off_the_vaults() -> None:
    """Protocol's, fund's and creator's fees wait in the vaults and are not reserves."""
    fees = {
        "protocol_fees_0": 1, "fund_fees_0": 20, "creator_fees_0": 300,
        "protocol_fees_1": 4_000, "fund_fees_1": 50_000, "creator_fees_1": 600_000,
    }  # fmt: skip
    curve = raydium_cpmm.decode(SPEC, pools.cpmm(1_000_321, 3_654_000, **fees), NOW_S)
    assert (curve.reserve_base, curve.reserve_quote) == (1_000_000, 3_000_000)
    assert (curve.fee_num, curve.fee_den, curve.fee_rule) == (2_500, 10**6, FeeRule.CEIL_SHARED)
    assert (curve.protocol_ppm, curve.fund_ppm, curve.creator_num) == (120_000, 40_000, 0)


def test_quote_of_a_decoded_pool_equals_worked_values() -> None:
    """1,000,001 in: fee 2,501, of which 300 go to the protocol and 100 to the fund; by hand.

    Out as in AMM v4; the reserves grow by 1,000,001 - 300 - 100.
    """
    curve = raydium_cpmm.decode(SPEC, pools.cpmm(10**9, 3 * 10**9), NOW_S)
    out = amount_out(curve, Side.SELL, 1_000_001)
    assert out == 2_989_517
    assert amount_in(curve, Side.SELL, out) == 1_000_000
    after = after_swap(curve, Side.SELL, 1_000_001, out)
    assert after.reserve_base == 10**9 + 1_000_001 - 400
    assert after.reserve_quote == 3 * 10**9 - out


@pytest.mark.parametrize(
    ("on", "base_first", "where"),
    [
        (0, True, CreatorFee.INPUT),
        (1, True, CreatorFee.BASE),
        (2, True, CreatorFee.QUOTE),
        (1, False, CreatorFee.QUOTE),
        (2, False, CreatorFee.BASE),
    ],
)
def test_creator_fee_is_told_in_the_pairs_terms(
    on: int,
    base_first: bool,
    where: CreatorFee,
) -> None:
    """The program names the pool's tokens, the state the pair's."""
    listed = pools.spec(raydium_cpmm.KIND, base_first=base_first)
    accounts = pools.cpmm(10, 30, creator_fee_on=on, enable_creator_fee=1)
    curve = raydium_cpmm.decode(listed, accounts, NOW_S)
    assert (curve.creator_num, curve.creator_on) == (500, where)


@pytest.mark.parametrize(
    ("changes", "config", "said"),
    [
        ({"status": 4}, {}, "its status forbids them"),
        ({"status": 7}, {}, "its status forbids them"),
        ({"open_time": NOW_S + 1}, {}, f"before Unix time {NOW_S + 1}"),
        ({"protocol_fees_1": 30}, {}, "holds nothing on one side"),
        ({"creator_fee_on": 3}, {}, "unknown kind, 3"),
        ({}, {"trade_fee_rate": 10**6}, "leave nothing of a swap"),
        ({"enable_creator_fee": 1}, {"trade_fee_rate": 999_500}, "leave nothing of a swap"),
        ({"amm_config": pools.BASE}, {}, "there is no AmmConfig"),
        ({"token_1_mint": pools.CONFIG}, {}, "holds token"),
    ],
)
def test_pool_that_takes_no_swaps_has_no_state(
    changes: dict[str, int | str], config: dict[str, int | str], said: str
) -> None:
    """One line of reason, and no state."""
    with pytest.raises(DecodeError, match=said):
        raydium_cpmm.decode(SPEC, pools.cpmm(10, 30, config, **changes), NOW_S)


def test_status_that_forbids_other_things_leaves_swaps() -> None:
    """Bits 0 and 1 are deposits and withdrawals."""
    assert raydium_cpmm.decode(SPEC, pools.cpmm(10, 30, status=3), NOW_S).reserve_base == 10


def test_clmm_account_is_not_taken_for_a_cpmm_pool() -> None:
    """Both begin with the same eight bytes: the owner and the length tell them apart."""
    pool = pools.clmm(1 << 64, 0, {})[pools.POOL]
    with pytest.raises(DecodeError, match="belongs to program CAMM"):
        raydium_cpmm.plan(SPEC, pool)


def test_plan_names_the_config_beside() -> None:
    """Swaps rewrite pool and vaults; the config changes by administration."""
    plan = raydium_cpmm.plan(SPEC, pools.cpmm(10, 30)[pools.POOL])
    assert plan.together == {pools.POOL, pools.VAULT_0, pools.VAULT_1}
    assert plan.beside == {pools.CONFIG}


def test_flows_are_told_from_the_vaults() -> None:
    """One side grows while the other shrinks: a swap; with other liquidity nothing is said."""
    before = pools.cpmm(100, 300)
    assert raydium_cpmm.flows(SPEC, before, pools.cpmm(93, 322)) == [Flow(Side.BUY, 7, 22)]
    assert raydium_cpmm.flows(SPEC, before, pools.cpmm(107, 279)) == [Flow(Side.SELL, 7, 21)]
    assert raydium_cpmm.flows(SPEC, before, pools.cpmm(107, 321)) == []
    assert raydium_cpmm.flows(SPEC, before, pools.cpmm(93, 322, lp_supply=1_001)) == []


def fee_extension(older: int, newer: int) -> bytes:
    """A Token-2022 mint's tail with a transfer fee, after another extension."""
    config = bytes(88) + older.to_bytes(2, "little") + bytes(16) + newer.to_bytes(2, "little")
    other = (3).to_bytes(2, "little") + (32).to_bytes(2, "little") + bytes(32)
    return (
        bytes(83) + b"\1" + other + (1).to_bytes(2, "little") + (108).to_bytes(2, "little") + config
    )


@pytest.mark.parametrize(("older", "newer", "taken"), [(0, 0, False), (5, 0, True), (0, 5, True)])
def test_mint_that_takes_a_transfer_fee_is_refused(older: int, newer: int, taken: bool) -> None:
    """A quote does not count such a fee: the pool is down rather than wrong."""
    plain = pools.mint(6, owner=TOKEN_2022_PROGRAM)
    mint = plain._replace(data=plain.data + fee_extension(older, newer))
    fault = mint_fault("quote", mint, 6)
    assert bool(fault) is taken
    assert supply_of(mint) == 10**15


def test_mint_that_is_another_than_listed_is_refused() -> None:
    """No mint, another program's account, other decimals."""
    assert "is no mint" in mint_fault("base", None, 6)
    assert "is no mint" in mint_fault("base", pools.vault(pools.BASE, 1)._replace(owner="x"), 6)
    assert "has 9 decimals, listed are 6" in mint_fault("base", pools.mint(9), 6)
    assert mint_fault("base", pools.mint(6), 6) == ""
