"""A market under test: the engine as a pair's shell drives it, with a ledger of its holds."""

from fractions import Fraction
from math import floor, isqrt
from random import Random

from actors.engine.commands import (
    AmendOrder,
    AnyCommand,
    CancelAll,
    CancelOrder,
    CancelTwap,
    PlaceOrder,
    PlaceScale,
    PlaceTwap,
    PoolTraded,
    PoolUpdated,
)
from actors.engine.events import AnyEvent, LevelChange, Traded
from actors.engine.market_api import AnyReply
from actors.engine.pair_engine import PairEngine
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.state import (
    Concentrated,
    ConcentratedTerms,
    ConstantProduct,
    PoolState,
    PoolStatus,
    TickWindow,
)
from actors.engine.pools.tick_math import tick_at
from actors.engine.settlement import FillPosting, HoldNeed, Posting
from actors.engine.units import (
    NS_PER_S,
    Mode,
    OrderNo,
    OrderType,
    RouteMode,
    ScaleDistribution,
    Side,
    StpMode,
    UserId,
)

POOLS = ("ethereum:0xaa", "base:0xbb")
USERS = tuple(UserId(name) for name in ("ann", "bob", "cat", "dan"))
START_NS = 1_700_000_000 * NS_PER_S


def make_spec(**changes: object) -> PairSpec:
    """List a pair whose lot is 1,000 raw base units, and whose tick times lot is 3 raw quote."""
    pools = tuple(
        PoolSpec(
            name,
            "uniswap",
            name.split(":")[0],
            "uniswap_v2",
            name.split(":")[1],
            "b",
            "q",
            3,
            6,
            3000,
        )
        for name in POOLS
    )
    fields: dict[str, object] = {
        "symbol": "vaix",
        "base": AssetSpec("VAIX", 3),
        "quote": AssetSpec("USDC", 6),
        "tick_size": "0.000003",
        "lot_size": "1",
        "max_order_lots": 1_000_000,
        "max_price_ticks": 1_000_000,
        "maker_fee_ppm": 500,
        "taker_fee_ppm": 1_000,
        "max_open_orders": 40,
        "pools": pools,
    }
    return PairSpec(**(fields | changes))  # type: ignore[arg-type]


def pool_at(pool_id: str, price_ticks: int, lots: int, block: int = 1) -> PoolState:
    """Make a live pool of ``lots`` lots of base, at a middle price."""
    curve = ConstantProduct.of(lots * 1_000, lots * price_ticks * 3, 3, 1_000)
    return PoolState(pool_id, PoolStatus.LIVE, curve, block, START_NS)


def ticks_at(pool_id: str, price_ticks: int, lots: int, *, base_is_token0: bool) -> PoolState:
    """Make a live pool of concentrated liquidity: three positions around a middle price."""
    raw = Fraction(price_ticks * 3, 1_000)
    root = isqrt(floor((raw if base_is_token0 else 1 / raw) * 2**192))
    tick = tick_at(root)
    middle, size = tick // 60 * 60, isqrt(lots * 1_000 * lots * price_ticks * 3)
    nets: dict[int, int] = {}
    for width in (2, 5, 40):
        low, high = middle - width * 60, middle + (width + 1) * 60
        nets[low] = nets.get(low, 0) + size * 4 // width
        nets[high] = nets.get(high, 0) - size * 4 // width
    window = TickWindow(middle - 3000, middle + 3000, nets.items())
    liquidity = sum(net for at, net in nets.items() if at <= tick)
    terms = ConcentratedTerms(60, 3_000, base_is_token0)
    curve = Concentrated.of(root, liquidity, tick, window, terms)
    return PoolState(pool_id, PoolStatus.LIVE, curve, 1, START_NS)


class Market:
    """One engine, one record per command unless told otherwise; keeps all that came out."""

    def __init__(self, engine: PairEngine | None = None, **changes: object) -> None:
        self.engine = engine or PairEngine(make_spec(**changes), Mode.PAPER)
        self.now_ns = START_NS
        self.sequence = 0
        self.commands: list[tuple[AnyCommand, int, int]] = []
        self.events: list[AnyEvent] = []
        self.levels: list[LevelChange] = []
        self.postings: list[Posting] = []
        self.held: dict[tuple[UserId, int], int] = {}
        self.need: HoldNeed | None = None
        self.reply: AnyReply | None = None
        self._ids = 0

    def next_id(self) -> str:
        """Name the next command."""
        self._ids += 1
        return f"c{self._ids}"

    def do(self, command: AnyCommand, funds_raw: int | None = None) -> list[AnyEvent]:
        """Hold, apply, reply, and close the record; ``funds_raw`` bounds what can be held."""
        engine = self.engine
        self.need = need = engine.hold_for(command, self.now_ns)
        held_raw = 0
        if need is not None:
            held_raw = need.most_raw if funds_raw is None else min(need.most_raw, funds_raw)
            held_raw = -1 if held_raw < need.least_raw else held_raw
            if held_raw > 0:
                key = (need.user, int(need.side))
                self.held[key] = self.held.get(key, 0) + held_raw
        return self.apply(command, held_raw)

    def apply(self, command: AnyCommand, held_raw: int) -> list[AnyEvent]:
        """Apply with a hold that was made already, and close the record."""
        engine = self.engine
        self.sequence += 1
        self.commands.append((command, self.now_ns, held_raw))
        engine.begin(self.now_ns, self.sequence)
        events = engine.apply(command, held_raw)
        self.reply = engine.reply_to(command, events)
        self.events += events
        self.levels = engine.drain_levels()
        self.postings = engine.drain_postings()
        engine.close_record()
        for posting in self.postings:
            self._settle(posting)
        return events

    def run_due(self) -> None:
        """Run all that time asks for now."""
        for command in self.engine.due(self.now_ns):
            self.do(command)

    def check(self) -> None:
        """Check the engine, and that every hold is either open, spent or released."""
        self.engine.validate()
        held = {key: amount for key, amount in self.held.items() if amount}
        assert held == self.engine.open_holds()

    @property
    def trades(self) -> list[tuple[int, int, int, int]]:
        """List (maker, taker, price, lots) of all trades."""
        made = [event for event in self.events if isinstance(event, Traded)]
        return [(one.maker_no, one.taker_no, one.price_ticks, one.size_lots) for one in made]

    @property
    def depth(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Show the book: bids and asks, best first."""
        state = self.engine.public_state(self.sequence)
        return state.bids, state.asks

    def _settle(self, posting: Posting) -> None:
        key = (posting.user, int(posting.side))
        if not isinstance(posting, FillPosting):
            spent = posting.amount_raw
        elif posting.side is Side.BUY:
            spent = posting.quote_raw + posting.fee_raw
        else:
            spent = posting.base_raw
            assert posting.fee_raw <= posting.quote_raw
        self.held[key] = self.held.get(key, 0) - spent
        assert self.held[key] >= 0, posting


def random_order(draw: Random, market: Market) -> PlaceOrder:
    """Draw an order of any kind around 100 ticks; some are wrong."""
    side = draw.choice(list(Side))
    kind = draw.choice([OrderType.LIMIT] * 6 + list(OrderType))
    size = draw.randrange(1, 60)
    price = 0 if kind is OrderType.MARKET else draw.randrange(90, 111)
    is_stop = kind in (OrderType.STOP_LIMIT, OrderType.STOP_MARKET)
    iceberg = kind is OrderType.LIMIT and draw.random() < 0.25
    return PlaceOrder(
        market.next_id(),
        draw.choice(USERS),
        side,
        kind,
        size,
        price,
        stop_ticks=draw.randrange(90, 111) if is_stop else 0,
        display_lots=draw.randrange(1, size + 1) if iceberg else 0,
        stp=draw.choice(list(StpMode)),
        route=draw.choice([RouteMode.AUTO] * 5 + [RouteMode.CEX, RouteMode.DEX]),
        time_in_force_ms=draw.choice([0, 0, 0, 2_000]),
        client_order_id=draw.choice(["", "", "mine"]),
    )


def random_command(draw: Random, market: Market) -> AnyCommand:
    """Draw any command that a market may be sent."""
    user, roll = draw.choice(USERS), draw.random()
    last = market.engine.last_order_no + 1
    number = OrderNo(draw.randrange(max(1, last - 30), last + 1))
    if roll < 0.62:
        return random_order(draw, market)
    if roll < 0.76:
        return CancelOrder(market.next_id(), user, number)
    if roll < 0.88:
        price = draw.choice([0, draw.randrange(92, 109)])
        return AmendOrder(market.next_id(), user, number, price, draw.choice([0, 5, 20, 50]))
    if roll < 0.90:
        return CancelAll(market.next_id(), user, draw.choice([None, Side.BUY, Side.SELL]))
    side = draw.choice(list(Side))
    if roll < 0.92:
        limit = draw.choice([0, draw.randrange(95, 106)])
        return PlaceTwap(market.next_id(), user, side, draw.randrange(5, 80), 60_000, 5, limit)
    if roll < 0.93:
        return CancelTwap(market.next_id(), user, draw.randrange(1, 8))
    if roll < 0.95:
        distribution = draw.choice(list(ScaleDistribution))
        low = draw.randrange(90, 105)
        return PlaceScale(market.next_id(), user, side, 60, low, low + 6, 4, distribution)
    return _random_word_of_a_chain(draw, market, side)


def _random_word_of_a_chain(draw: Random, market: Market, side: Side) -> AnyCommand:
    """Draw a swap that others made, or a pool's new state of either kind and token order."""
    name, pool_id, price = market.next_id(), draw.choice(POOLS), draw.randrange(94, 107)
    kind = draw.randrange(6)
    if kind == 0:
        lots = draw.randrange(1, 50)
        return PoolTraded.of(name, pool_id, side, (lots * 1_000, lots * 3 * price))
    if kind < 3:
        return PoolUpdated(name, ticks_at(pool_id, price, 100, base_is_token0=kind == 1))
    return PoolUpdated(name, pool_at(pool_id, price, 3_000))


def run_randomly(draw: Random, market: Market, steps: int) -> None:
    """Send a market commands, let time pass, and check it after each."""
    for _ in range(steps):
        market.now_ns += draw.choice([0, 0, 1, NS_PER_S])
        market.run_due()
        command = random_command(draw, market)
        market.do(command, draw.choice([None, None, None, 2_000, 20_000]))
        market.check()
