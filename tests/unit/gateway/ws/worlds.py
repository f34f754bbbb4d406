"""A market with a real engine behind it and fake clocks, for sessions without sockets."""

from typing import Any

import msgspec
from event_trader.wire.checksum import book_checksum

from actors.engine.commands import ClockTick
from actors.engine.events import LevelChange, PoolChanged, Traded
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.state import ConstantProduct, PoolState, PoolStatus
from actors.engine.public_state import PublicState
from actors.engine.units import MarketStatus, Mode, OrderNo, Side, UserId
from actors.journal.market_record import MarketRecord, Step
from gateway.market import Market
from gateway.ws.protocol import Clock, Session

SPEC = PairSpec(
    symbol="vaix",
    base=AssetSpec("VAIX", 6),
    quote=AssetSpec("USDC", 6),
    tick_size="0.000001",
    lot_size="1",
)
POOL = PoolSpec(
    "ethereum:0x1", "Uniswap", "ethereum", "uniswap_v2", "0x1", "0xb", "0xq", 6, 6, 3_000
)
POOLED = msgspec.structs.replace(SPEC, pools=(POOL,))
START_NS = 1_800_000_000 * 10**9


class World:
    """One market fed by hand, and the time."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.clock = Clock(lambda: self.now_ns, lambda: self.now_ns)
        self.market = Market(POOLED, Mode.PAPER)
        self.market.restore(PublicState(0, 0, 0, 0, MarketStatus.TRADING, [], [], [], {}, [], [0]))
        self._trades = 0

    def record(
        self, *levels: tuple[Side, int, int], trades: int = 0, reserves: tuple[int, int] = (0, 0)
    ) -> None:
        """Apply one record: levels (side, ticks, lots), trades at 1,000, the pool's reserves."""
        self.now_ns += 1_000_000
        market = self.market
        steps = []
        for _ in range(trades):
            self._trades += 1
            event = Traded(
                self._trades, 1_000, 1, 1_000, Side.BUY, "", OrderNo(2), UserId("usr_t"), 1,
                OrderNo(1), UserId("usr_m"), 0, 1, 1, 1_000,
            )  # fmt: skip
            steps.append(Step(ClockTick("tick"), 0, [event]))
        if reserves[1]:
            curve = ConstantProduct.of(*reserves, 997, 1_000)
            pool = PoolState(POOL.pool_id, PoolStatus.LIVE, curve, 1, self.now_ns)
            steps.append(Step(ClockTick("tick"), 0, [PoolChanged(pool, from_chain=True)]))
        changes = [LevelChange(side, ticks, lots) for side, ticks, lots in levels]
        book_seq = market.sequence(hybrid=False) + bool(changes)
        hybrid_seq = market.sequence(hybrid=True) + bool(changes or reserves[1])
        market.apply(
            market.number + 1,
            MarketRecord(
                self.now_ns, steps, changes, [], book_seq, hybrid_seq, self._trades, [0], [0]
            ),
        )
        market.flush(self.now_ns)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += int(seconds * 1e9)


def drain(session: Session, most: int = 10_000) -> list[dict[str, Any]]:
    """Take everything a session has to say now; a bare pong shows as its word."""
    found: list[dict[str, Any]] = []
    while len(found) < most and (frame := session.next_frame()) is not None:
        found.append({"type": "pong"} if frame == b"pong" else msgspec.json.decode(frame))
    return found


class ShadowBook:
    """A book kept from frames; every frame must continue the last and match its checksum."""

    def __init__(self) -> None:
        self.sequence = -1
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}

    def apply(self, frame: dict[str, Any]) -> None:
        """Apply a snapshot or an update."""
        if frame["type"] == "snapshot":
            self.bids, self.asks = {}, {}
        else:
            assert frame["previous_sequence"] == self.sequence
        for side, changes in ((self.bids, frame["bids"]), (self.asks, frame["asks"])):
            for price, size in changes:
                if size == "0":
                    side.pop(price, None)
                else:
                    side[price] = size
        self.sequence = frame["sequence"]
        bids = sorted(self.bids.items(), reverse=True)
        assert frame["checksum"] == book_checksum(bids, sorted(self.asks.items()))
