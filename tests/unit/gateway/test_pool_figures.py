"""What the public routes say of pools: supply, capitalisation, fees, prices, trades on chain."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.engine.commands import PoolTraded, PoolUpdated
from actors.engine.pair_engine import PairEngine
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.state import (
    Concentrated,
    ConcentratedTerms,
    ConstantProduct,
    CurveState,
    PoolState,
    PoolStatus,
    Stable,
    TickWindow,
)
from actors.engine.pools.tick_math import root_at
from actors.engine.units import NS_PER_S, Mode, Side
from actors.journal.market_record import MarketRecord, Step
from gateway import rendering
from gateway.market import Market
from gateway.supply import supply_of, supply_text

NOW_NS = 1_800_000_000 * NS_PER_S
E18 = 10**18


def pool(number: int, chain: str, base: str, decimals: tuple[int, int], venue: str) -> PoolSpec:
    name = f"0x{number}"
    return PoolSpec(f"{chain}:{name}", venue, chain, "any", name, base, "0xq", *decimals, 3000)


POOLS = (
    pool(1, "ethereum", "0xb", (18, 6), "Uniswap"),
    pool(2, "ethereum", "0xB", (18, 6), "Uniswap"),
    pool(3, "base", "0xc", (18, 6), "Aerodrome"),
    pool(4, "solana", "Mint", (9, 6), "Raydium"),
)
SPEC = PairSpec(
    "vaix", AssetSpec("VAIX", 6, supply="7"), AssetSpec("USDC", 6), "0.000001", "1", pools=POOLS
)


def state(at: int, supply: int = 0, block: int = 1, curve: CurveState | None = None) -> PoolState:
    made = PoolState(POOLS[at].pool_id, PoolStatus.LIVE, curve, block, NOW_NS)
    return made.with_supply(supply)


def test_supply_counts_a_token_once_and_a_chain_each():
    """Two pools of one token say the newer; each chain's own decimals."""
    states = [
        state(0, 5 * E18, block=3),
        state(1, 6 * E18, block=9),
        state(2, 100 * E18 + E18 // 4),
        state(3, 1000 * 10**9),
    ]
    assert supply_of(SPEC, states) == Decimal("1106.25")
    assert supply_text(Decimal("1106.2500")) == "1106.25"
    assert supply_text(Decimal("1E+9")) == "1000000000"


def test_supply_is_the_configured_one_until_every_token_is_known():
    """A part of a supply is no supply; without a configured one it is better than nothing."""
    some = [state(0, 5 * E18), state(2)]
    assert supply_of(SPEC, some) == 7
    assert supply_of(SPEC, []) == 7
    bare = msgspec.structs.replace(SPEC, base=AssetSpec("VAIX", 6))
    assert supply_of(bare, some) == 5


class Exchange:
    """An engine and a gateway's market that follows it, record by record."""

    def __init__(self) -> None:
        self.engine = PairEngine(SPEC, Mode.PAPER)
        self.market = Market(SPEC, Mode.PAPER)
        self.market.restore(self.engine.public_state(0))

    def do(self, command: PoolUpdated | PoolTraded) -> None:
        """Apply one command and let the gateway see its record."""
        engine, number = self.engine, self.market.number + 1
        engine.begin(NOW_NS, number)
        events = engine.apply(command)
        levels = engine.drain_levels()
        engine.drain_postings()
        engine.close_record()
        step = Step(command, 0, events)
        counters = (engine.book_seq, engine.hybrid_seq, engine.trade_seq)
        self.market.apply(number, MarketRecord(NOW_NS, [step], levels, [], *counters, [], []))


def shown(body: bytes) -> Any:
    return msgspec.json.decode(body)


def ticks() -> Concentrated:
    tick, span = -333_700, 6000  # 0.003 USDC per VAIX, 18 and 6 decimals
    low, high = (tick - span) // 60 * 60, (tick + span) // 60 * 60
    window = TickWindow(low, high, [(low, 10**17), (high, -(10**17))])
    terms = ConcentratedTerms(60, 3000, base_is_token0=True, sell_fee_ppm=500)
    return Concentrated.of(root_at(tick), 10**17, tick, window, terms)


CURVES = [
    (ConstantProduct.of(40_000_000 * E18, 120_000 * 10**6, 3, 1000), "0.003000", 30),
    (ticks(), "0.003223", 30),
    (Stable.of((10**6 * E18, 10**12), (18, 6), 5, 10_000), "1.000000", 5),
]


@pytest.mark.parametrize(("curve", "price", "fee"), CURVES)
def test_venues_show_every_kind_of_pool(curve: CurveState, price: str, fee: int):
    """Price before fees, the larger fee, and what stands in the hybrid book."""
    exchange = Exchange()
    exchange.do(PoolUpdated("p", state(0, curve=curve)))
    venues = shown(rendering.venues(exchange.market, NOW_NS, []))
    row = venues["venues"][1]
    assert (row["venue"], row["chain"], row["status"]) == ("Uniswap", "ethereum", "live")
    assert Decimal(row["price"]) == pytest.approx(Decimal(price), rel=Decimal("0.001"))
    assert row["fee_bps"] == fee
    assert Decimal(row["bid_liquidity"]) > 0
    assert Decimal(row["ask_liquidity"]) > 0
    assert venues["total_liquidity"] == row["liquidity"]
    assert row["share"] == "1.0000"
    assert [one["status"] for one in venues["venues"][2:]] == ["down"] * 3


def test_figures_of_a_pair_with_an_empty_book_live_from_swaps_on_chain():
    """Price, candles, volume, supply and capitalisation, and the tape says venue and chain."""
    exchange = Exchange()
    curve = CURVES[0][0]
    for at, supply in ((0, E18), (2, 2 * E18), (3, 3 * 10**9)):
        exchange.do(PoolUpdated(f"p{at}", state(at, supply, curve=curve if at == 0 else None)))
    bought = PoolTraded.of("swap/1/0", POOLS[0].pool_id, Side.BUY, (1000 * E18, 3_020_000))
    exchange.do(bought)
    exchange.do(bought)
    sold = PoolTraded.of("swap/2/0", POOLS[3].pool_id, Side.SELL, (500 * 10**9, 1_490_000))
    exchange.do(sold)
    market = exchange.market
    stats = shown(rendering.stats(market, NOW_NS))
    assert stats["price"] == "0.002980"
    assert stats["volume_24h"] == "1500"
    assert stats["supply"] == "6"
    assert stats["market_cap"] == "0.01788"
    row = shown(rendering.markets([market], NOW_NS))["markets"][0]
    assert (row["high_24h"], row["low_24h"]) == ("0.003020", "0.002980")
    assert Decimal(row["liquidity"]) > 0
    trades = shown(rendering.trades(market, 10))["trades"]
    assert [(one["venue"], one["chain"], one["side"]) for one in trades] == [
        ("AMM", "solana", "sell"),
        ("AMM", "ethereum", "buy"),
    ]
    candle = shown(rendering.chart(market, "1m", 1, NOW_NS))["candles"][0]
    assert (candle["open"], candle["close"], candle["trades"]) == ("0.003020", "0.002980", 2)
    ticker = shown(rendering.ticker(market, NOW_NS))
    assert (ticker["trades_24h"], ticker["quote_volume_24h"]) == (2, "4.51")
