"""One pool of any kind on a real node, read and followed as a source does it, without a feed."""

from collections.abc import Sequence
from fractions import Fraction

from web3.types import TxReceipt

from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.curve import PoolGrid
from actors.engine.pools.kinds import live_curve
from actors.engine.pools.lot_curve import LotCurve
from actors.engine.pools.state import Concentrated, CurveState, PoolState, PoolStatus
from chain_feeds.venues import VENUES
from chain_feeds.venues.venue import Read, Reading, Told
from devnet.pools import CAMELOT_STABLE, Builder, Deposit, MadePool
from devnet.workshop import Workshop

PAIR_DECIMALS = 6
WORTH = {"aerodrome_stable": Fraction(1), CAMELOT_STABLE: Fraction(101, 100)}
"""Quote tokens for a base token; Aerodrome opens a stable pool with equal deposits only."""
DEPTH_UNITS = 400_000
"""Whole quote tokens that a pool begins with."""


class Followed:
    """A pool, and the state that its logs make of the first read.

    Args:
        shop: the node.
        builder: makes the pool.
        kind: as `devnet.pools` names it.
        decimals: of base and quote.
    """

    def __init__(
        self, shop: Workshop, builder: Builder, kind: str, decimals: tuple[int, int]
    ) -> None:
        base, quote = shop.token("AAA", decimals[0]), shop.token("USD", decimals[1])
        worth = WORTH.get(kind, Fraction(3, 1000))
        price = worth * 10 ** decimals[1] / 10 ** decimals[0]
        self.shop = shop
        self.made: MadePool = builder.make(
            kind, base, quote, Deposit(price, DEPTH_UNITS * 10 ** decimals[1])
        )
        self.spec = PoolSpec(
            pool_id=f"test:{self.made.contract.address}",
            venue=self.made.venue,
            chain="test",
            kind=self.made.kind,
            address=self.made.contract.address,
            base_address=base.address,
            quote_address=quote.address,
            base_decimals=decimals[0],
            quote_decimals=decimals[1],
            fee_ppm=3_000,
        )
        self.venue = VENUES[self.made.kind]
        self.state: CurveState = self.read().curve
        self.rereads = 0
        pair = PairSpec(
            symbol="aaa",
            base=AssetSpec("AAA", min(decimals[0], PAIR_DECIMALS)),
            quote=AssetSpec("USD", min(decimals[1], PAIR_DECIMALS)),
            tick_size="0.000001",
            lot_size="1",
            pools=(self.spec,),
        )
        self._grid = PoolGrid.of(pair, self.spec)

    def read(self) -> Reading:
        """Read the whole state at the newest block."""
        talk = self.venue.read(self.spec)
        asked = next(talk)
        while True:
            try:
                asked = talk.send(self.ask(asked))
            except StopIteration as done:
                reading: Reading = done.value
                return reading

    def ask(self, reads: Sequence[Read]) -> list[bytes]:
        """Call contracts at the newest block."""
        w3 = self.shop.w3
        return [
            bytes(w3.eth.call({"to": w3.to_checksum_address(one.address), "data": one.data}))  # type: ignore[typeddict-item]
            for one in reads
        ]

    def curve(self, state: CurveState | None = None) -> LotCurve:
        """Return the engine's curve of a state: what the pool is believed to trade."""
        said = PoolState("test", PoolStatus.LIVE, state or self.state, 1, 1)
        curve = live_curve(said, self._grid)
        assert isinstance(curve, LotCurve)
        return curve

    def hear(self, receipt: TxReceipt) -> list[tuple[Told, CurveState]]:
        """Apply a transaction's logs; returns each with the state that it met."""
        heard: list[tuple[Told, CurveState]] = []
        for log in receipt["logs"]:
            topics = [topic.to_0x_hex() for topic in log["topics"]]
            if log["address"] != self.made.contract.address or topics[0] not in self.venue.topics:
                continue
            told = self.venue.decode_log(self.spec, topics, bytes(log["data"]))
            heard.append((told, self.state))
            if told.curve is not None:
                self.state = told.curve
            elif told.change is not None:
                applied = told.change(self.state)
                if applied.curve is None or applied.read_again:
                    self.rereads += 1
                    self.state = self.read().curve
                else:
                    self.state = applied.curve
        return heard

    def assert_true(self) -> None:
        """Compare the state that the logs made with a fresh read of the contract."""
        fresh = self.read().curve
        ours = self.state
        if not isinstance(fresh, Concentrated) or not isinstance(ours, Concentrated):
            assert ours == fresh
            return
        low, high = max(fresh.low_tick, ours.low_tick), min(fresh.high_tick, ours.high_tick)
        assert (ours.sqrt_price, ours.tick) == (fresh.sqrt_price, fresh.tick)
        assert (ours.liquidity, ours.fee_ppm) == (fresh.liquidity, fresh.fee_ppm)
        assert ours.sell_fee_ppm == fresh.sell_fee_ppm
        assert _between(ours, low, high) == _between(fresh, low, high)


def _between(curve: Concentrated, low: int, high: int) -> list[tuple[int, int]]:
    return [(tick, net) for tick, net in curve.nets() if low <= tick <= high]
