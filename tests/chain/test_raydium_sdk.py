"""Raydium's layouts and fees beside the published SDK's, evaluated by Node."""

import base64
from random import Random
from typing import Any

import msgspec
import pytest

from actors.engine.pools.constant_product import after_swap, amount_in, amount_out
from actors.engine.pools.state import ConstantProduct, CreatorFee, FeeRule
from actors.engine.pools.tick_math import root_at_q64, tick_at
from actors.engine.pools.tick_road import TickRoad
from actors.engine.units import PPM, Side
from chain_feeds.venues import raydium_amm, raydium_clmm, raydium_cpmm
from chain_feeds.venues.account_layout import WIDTHS, Account, Field, Layout
from devnet import raydium_sdk
from tests.unit.chain_feeds import raydium_pools as pools

AMM_NAMES = {
    "order_num": "maxOrder",
    "coin_decimals": "baseDecimal",
    "pc_decimals": "quoteDecimal",
    "sys_decimal_value": "systemDecimalValue",
    "need_take_pnl_coin": "baseNeedTakePnl",
    "need_take_pnl_pc": "quoteNeedTakePnl",
    "total_pnl_pc": "quoteTotalPnl",
    "total_pnl_coin": "baseTotalPnl",
    "swap_coin_in_amount": "swapBaseInAmount",
    "swap_pc_out_amount": "swapQuoteOutAmount",
    "swap_acc_pc_fee": "swapBase2QuoteFee",
    "swap_pc_in_amount": "swapQuoteInAmount",
    "swap_coin_out_amount": "swapBaseOutAmount",
    "swap_acc_coin_fee": "swapQuote2BaseFee",
    "coin_vault": "baseVault",
    "pc_vault": "quoteVault",
    "coin_mint": "baseMint",
    "pc_mint": "quoteMint",
    "market": "marketId",
    "market_program": "marketProgramId",
    "amm_owner": "owner",
    "lp_amount": "lpReserve",
}
CPMM_NAMES = {
    "amm_config": "configId",
    "token_0_vault": "vaultA",
    "token_1_vault": "vaultB",
    "lp_mint": "mintLp",
    "token_0_mint": "mintA",
    "token_1_mint": "mintB",
    "token_0_program": "mintProgramA",
    "token_1_program": "mintProgramB",
    "observation": "observationId",
    "auth_bump": "bump",
    "mint_0_decimals": "mintDecimalA",
    "mint_1_decimals": "mintDecimalB",
    "lp_supply": "lpAmount",
    "protocol_fees_0": "protocolFeesMintA",
    "protocol_fees_1": "protocolFeesMintB",
    "fund_fees_0": "fundFeesMintA",
    "fund_fees_1": "fundFeesMintB",
    "recent_epoch": "epoch",
    "creator_fee_on": "feeOn",
    "enable_creator_fee": "enableCreatorFee",
    "creator_fees_0": "creatorFeesMintA",
    "creator_fees_1": "creatorFeesMintB",
}
CLMM_NAMES = {
    "amm_config": "configId",
    "owner": "creator",
    "mint_0": "mintA",
    "mint_1": "mintB",
    "vault_0": "vaultA",
    "vault_1": "vaultB",
    "observation": "observationId",
    "decimals_0": "mintDecimalsA",
    "decimals_1": "mintDecimalsB",
    "fee_growth_0": "feeGrowthGlobalX64A",
    "fee_growth_1": "feeGrowthGlobalX64B",
    "protocol_fees_0": "protocolFeesTokenA",
    "protocol_fees_1": "protocolFeesTokenB",
    "fund_fees_0": "fundFeesTokenA",
    "fund_fees_1": "fundFeesTokenB",
    "open_time": "startTime",
}
TICK_NAMES = {
    "pool": "poolId",
    "start_tick": "startTickIndex",
    "initialized_count": "initializedTickCount",
    "part_filled_orders": "partFilledOrdersRemaining",
    "unfilled_ratio": "unfilledRatioX64",
}
LAYOUTS: list[tuple[Layout, dict[str, str]]] = [
    (raydium_amm.AMM_INFO, AMM_NAMES),
    (raydium_cpmm.POOL_STATE, CPMM_NAMES),
    (raydium_cpmm.AMM_CONFIG, {}),
    (raydium_clmm.POOL_STATE, CLMM_NAMES),
    (raydium_clmm.AMM_CONFIG, {}),
    (raydium_clmm.TICK_ARRAY, TICK_NAMES),
    (raydium_clmm.TICK, TICK_NAMES),
]


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """The SDK's layouts: size, and (offset, width) of every named field."""
    raydium_sdk.install()
    layouts: dict[str, Any] = raydium_sdk.ask({"layouts": True})
    pool, dynamic = layouts["PoolState (CLMM)"]["fields"], layouts["DynamicFeeInfo"]["fields"]
    # One structure in theirs, two of its fields in ours.
    start, _ = pool["dynamicFeeInfo"]
    for ours, theirs in (
        ("dynamicFeeControl", "dynamicFeeControl"),
        ("maxVolatility", "maxVolatilityAccumulator"),
    ):
        offset, width = dynamic[theirs]
        pool[ours] = [start + offset, width]
    return layouts


def camel(name: str) -> str:
    """Write a name as JavaScript does."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def place(field: Field) -> list[int]:
    """Offset and width of a field of ours."""
    return [field.offset, WIDTHS[field.kind]]


@pytest.mark.parametrize(("layout", "names"), LAYOUTS, ids=lambda value: getattr(value, "name", ""))
def test_layout_beside_the_sdk_has_every_field_where_it_is(
    published: dict[str, Any], layout: Layout, names: dict[str, str]
) -> None:
    """The sizes are equal, and each of our fields stands where the SDK's does, as wide."""
    theirs = published[layout.name]
    ours = {name: place(field) for name, field in layout.fields.items()}
    assert layout.size == theirs["size"]
    assert ours == {name: theirs["fields"].get(names.get(name, camel(name))) for name in ours}


def test_tick_layout_beside_the_sdk_fills_the_array(published: dict[str, Any]) -> None:
    """Sixty ticks begin where ours do, and the bitmap after the rewards."""
    ticks = published["TickArrayState"]["fields"]["ticks"]
    assert ticks == [raydium_clmm.TICKS_AT, 60 * raydium_clmm.TICK.size]
    bitmap = published["PoolState (CLMM)"]["fields"]["tickArrayBitmap"]
    assert bitmap == [raydium_clmm.BITMAP_AT, 128]


def cpmm_curve(random: Random, side: Side) -> ConstantProduct:
    """A random CPMM pool without a creator, or with its fee on what comes out.

    Where the creator's fee is taken from the input, the SDK rounds it by itself while the program
    (`CurveCalculator::swap_base_input`) rounds both fees at once: there the program is followed.
    """
    reserves = random.randint(10**4, 10**15), random.randint(10**4, 10**15)
    curve = ConstantProduct.of(*reserves, random.choice([100, 2500, 10_000, 30_000]), PPM)
    on = CreatorFee.BASE if side is Side.BUY else CreatorFee.QUOTE
    return msgspec.structs.replace(
        curve,
        fee_rule=FeeRule.CEIL_SHARED,
        protocol_ppm=random.choice([0, 120_000]),
        fund_ppm=random.choice([0, 40_000]),
        creator_num=random.choice([0, 500, 10_000]),
        creator_on=on,
    )


def question(curve: ConstantProduct, side: Side, amount: int, *, exact_out: bool) -> dict[str, Any]:
    """Ask the SDK for one swap of a CPMM pool."""
    reserves = curve.reserve_quote, curve.reserve_base
    reserve_in, reserve_out = reserves if side is Side.BUY else reserves[::-1]
    return {
        "kind": "cpmm",
        "amount": str(amount),
        "reserveIn": str(reserve_in),
        "reserveOut": str(reserve_out),
        "trade": str(curve.fee_num),
        "creator": str(curve.creator_num),
        "protocol": str(curve.protocol_ppm),
        "fund": str(curve.fund_ppm),
        "creatorOnInput": False,
        "exactOut": exact_out,
    }


def test_cpmm_quotes_equal_the_sdk_in_both_directions(published: dict[str, Any]) -> None:
    """1,000 random swaps, exact in and exact out: the same amounts and the same fees left out."""
    random = Random(20_261_128)
    asked, ours = [], []
    for number in range(1_000):
        side, exact_out = random.choice(list(Side)), number % 2 == 0
        curve = cpmm_curve(random, side)
        reserves = curve.reserve_quote, curve.reserve_base
        reserve_in, reserve_out = reserves if side is Side.BUY else reserves[::-1]
        amount = random.randint(1, reserve_out // 2 if exact_out else reserve_in * 2)
        asked.append(question(curve, side, amount, exact_out=exact_out))
        taken = amount if exact_out else amount_out(curve, side, amount)
        paid = amount_in(curve, side, amount) if exact_out else amount
        after = after_swap(curve, side, paid, taken)
        grown = after.reserve_quote if side is Side.BUY else after.reserve_base
        ours.append((paid, taken, paid - (grown - reserve_in)))
    theirs = [
        (int(a["input"]), int(a["output"]), int(a["protocol"]) + int(a["fund"]))
        for a in raydium_sdk.ask({"quotes": asked})
    ]
    assert ours == theirs


def clmm_pool(random: Random) -> tuple[dict[str, Account], int]:
    """A random CLMM pool: three positions around a price, in arrays that have gaps between."""
    spacing = random.choice([1, 10, 60])
    tick = random.randint(-100_000, 100_000)
    nets: dict[int, int] = {}
    for reach in (2_000 * spacing, 70 * spacing, 3 * spacing):
        low = (tick - random.randint(1, reach)) // spacing * spacing
        high = (tick + random.randint(1, reach)) // spacing * spacing + spacing
        amount = random.randint(10**6, 10**15)
        nets[low] = nets.get(low, 0) + amount
        nets[high] = nets.get(high, 0) - amount
    low_root, high_root = root_at_q64(tick), root_at_q64(tick + 1)
    root = random.randint(low_root, high_root - 1)
    return pools.clmm(root, tick, nets, spacing), spacing


def clmm_question(
    accounts: dict[str, Account], amount: int, *, up: bool, exact_out: bool
) -> dict[str, Any]:
    """Ask the SDK for one swap, its tick arrays in the order of the swap's way."""
    arrays = {
        raydium_clmm.TICK_ARRAY.number(account.data, "start_tick"): (address, account.data)
        for address, account in accounts.items()
        if len(account.data) == raydium_clmm.TICK_ARRAY.size
    }
    pool = accounts[pools.POOL].data
    tick = raydium_clmm.POOL_STATE.number(pool, "tick_current")
    spacing = raydium_clmm.POOL_STATE.number(pool, "tick_spacing")
    here = raydium_clmm.array_start(tick, spacing)
    starts = sorted((start for start in arrays if (start >= here if up else start <= here)),
                    reverse=not up)  # fmt: skip
    return {
        "kind": "clmm",
        "program": raydium_clmm.PROGRAM,
        "pool": pools.POOL,
        "poolData": base64.b64encode(pool).decode(),
        "configData": base64.b64encode(accounts[pools.CONFIG].data).decode(),
        "arrays": [
            {"address": arrays[start][0], "data": base64.b64encode(arrays[start][1]).decode()}
            for start in starts
        ],
        "amount": str(amount),
        "zeroForOne": not up,
        "exactOut": exact_out,
        "time": 0,
    }


def test_clmm_quotes_equal_the_sdk_in_both_directions(published: dict[str, Any]) -> None:
    """200 random swaps, exact in and exact out, across initialised ticks and empty arrays.

    Amount, price, liquidity and tick after each are the SDK's, as far as the window reaches.
    """
    random = Random(20_261_128)
    spec = pools.spec(raydium_clmm.KIND)
    asked, ours = [], []
    while len(asked) < 200:
        accounts, _ = clmm_pool(random)
        curve = raydium_clmm.decode(spec, accounts, 0)
        up, exact_out = random.random() < 0.5, random.random() < 0.5
        road = TickRoad(curve, curve.fee_ppm, up=up)
        far_paid, far_taken = road.until(road.end_root)
        most = far_taken if exact_out else far_paid
        if most < 10:
            continue
        amount = random.randint(1, max(1, int(most * random.random() ** 3)))
        arrival = road.take(amount) if exact_out else road.pay(amount)
        if arrival is None or arrival.root == road.end_root:
            continue
        tick = tick_at(arrival.root, q64=True) if arrival.tick is None else arrival.tick
        other = arrival.paid if exact_out else arrival.taken
        ours.append((other, arrival.root, arrival.liquidity, tick))
        asked.append(clmm_question(accounts, amount, up=up, exact_out=exact_out))
    theirs = [
        (int(one["other"]), int(one["sqrtPrice"]), int(one["liquidity"]), one["tick"])
        for one in raydium_sdk.ask({"quotes": asked})
    ]
    different = [(mine, their) for mine, their in zip(ours, theirs, strict=True) if mine != their]
    assert different == []


def test_tick_array_addresses_equal_the_sdks(published: dict[str, Any]) -> None:
    """The first tick is a seed, big endian, and may be below zero."""
    starts = [-3_600 * 100, -3_600, 0, 3_600, 443_580]
    asked = [
        {"kind": "address", "program": raydium_clmm.PROGRAM, "pool": pools.POOL, "start": start}
        for start in starts
    ]
    ours = [raydium_clmm.array_address(pools.POOL, start) for start in starts]
    assert ours == raydium_sdk.ask({"quotes": asked})
