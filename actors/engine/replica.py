"""A market's public side, kept up to date from its journal: what gateways and bots read from.

A replica starts from a `PublicState` and applies the records after it, one by one, without a gap;
after any number of them it holds what the pair itself would show. It knows nothing private.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Protocol

import msgspec

from actors.engine.candles import Candles
from actors.engine.events import LevelChange, MarketStatusChanged, PoolChanged, Traded
from actors.engine.hybrid import HybridDepth, HybridLevel
from actors.engine.pair_spec import PairSpec
from actors.engine.pools.state import PoolState
from actors.engine.public_state import Candle, PublicState, PublicTrade
from actors.engine.statistics import DayStatistics, TradeTape, day_statistics
from actors.engine.units import NS_PER_S, MarketStatus, Mode, Side


class GapError(Exception):
    """A record is missing: start anew from a `DepthQuery`. Nothing of the record was applied."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"expected record {self.expected}, found {self.found}: restore the replica"


class StepView(Protocol):
    """What a replica reads of a `market_record.Step`."""

    @property
    def events(self) -> Sequence[object]:
        """What happened, in order."""
        ...


class RecordView(Protocol):
    """What a replica reads of a `market_record.MarketRecord`."""

    @property
    def time_ns(self) -> int:
        """The record's time."""
        ...

    @property
    def steps(self) -> Sequence[StepView]:
        """Its commands with their events."""
        ...

    @property
    def levels(self) -> Sequence[LevelChange]:
        """The book's levels that changed."""
        ...

    @property
    def book_seq(self) -> int:
        """The book's counter after it."""
        ...

    @property
    def hybrid_seq(self) -> int:
        """The hybrid book's counter after it."""
        ...

    @property
    def trade_seq(self) -> int:
        """The last trade's number after it."""
        ...

    @property
    def settlement_heads(self) -> list[int]:
        """Settlements issued per shard."""
        ...


class ReplicaChange(msgspec.Struct, frozen=True):
    """What one record changed in public: levels of the book, trades, whether pools or status."""

    levels: Sequence[LevelChange]
    trades: list[PublicTrade]
    pools_changed: bool
    status_changed: bool


class _BookSide:
    """The visible levels of one side: sizes by price, and the prices in order."""

    __slots__ = ("_prices", "_sizes")

    def __init__(self, levels: Sequence[tuple[int, int]]) -> None:
        self._sizes = dict(levels)
        self._prices = sorted(self._sizes)

    def set(self, price_ticks: int, size_lots: int) -> None:
        """Set a level's size; 0 removes it."""
        if size_lots == 0:
            if self._sizes.pop(price_ticks, None) is not None:
                del self._prices[bisect_left(self._prices, price_ticks)]
            return
        if price_ticks not in self._sizes:
            insort(self._prices, price_ticks)
        self._sizes[price_ticks] = size_lots

    def best_first(self, side: Side, depth: int | None) -> list[tuple[int, int]]:
        """Return the best ``depth`` levels (None: all), best first."""
        prices = self._prices
        count = len(prices) if depth is None else min(max(depth, 0), len(prices))
        shown = reversed(prices[len(prices) - count :]) if side is Side.BUY else prices[:count]
        return [(price, self._sizes[price]) for price in shown]


class MarketReplica:
    """One market in one mode, as the public sees it.

    Attributes:
        number: the last record applied.
        time_ns: that record's time; after a restore the newest time the state tells, 0 for none.
        status: trading or halted.
        book_seq: counts the book's changes.
        hybrid_seq: counts the hybrid book's changes.
        trade_seq: the number of the last trade.
        settlement_heads: per account shard, the last settlement number issued.
    """

    def __init__(self, spec: PairSpec, mode: Mode) -> None:
        self.spec = spec
        self.mode = mode
        self.restore(
            PublicState(0, 0, 0, 0, MarketStatus.TRADING, [], [], [], {}, [], []),
        )

    def restore(self, state: PublicState) -> None:
        """Start from a market's public state, and forget everything before."""
        self.number = state.sequence
        self.status = state.status
        self.book_seq = state.book_seq
        self.hybrid_seq = state.hybrid_seq
        self.trade_seq = state.trade_seq
        self.settlement_heads = state.settlement_heads
        self.time_ns = state.trades[-1].time_ns if state.trades else 0
        self._sides = (_BookSide(state.bids), _BookSide(state.asks))
        self._tape = TradeTape.load(state.trades)
        self._candles = Candles.load(state.candles)
        self._depth = HybridDepth(self.spec)
        for pool in state.pools:
            self._depth.update(pool)
            self.time_ns = max(self.time_ns, pool.block_time_ns)
        self._hybrid: tuple[int | None, list[HybridLevel], list[HybridLevel]] | None = None

    def apply(self, number: int, record: RecordView) -> ReplicaChange:
        """Apply the next record.

        Raises:
            GapError: ``number`` does not follow the last one; nothing was changed.
        """
        if number != self.number + 1:
            raise GapError(self.number + 1, number)
        trades: list[PublicTrade] = []
        pools_changed = False
        status = self.status
        for step in record.steps:
            for event in step.events:
                if isinstance(event, Traded):
                    trades.append(self._count(event, record.time_ns))
                elif isinstance(event, PoolChanged):
                    self._depth.update(event.pool)
                    pools_changed = True
                elif isinstance(event, MarketStatusChanged):
                    self.status = event.status
        for level in record.levels:
            self._sides[level.side].set(level.price_ticks, level.size_lots)
        if pools_changed or record.levels:
            self._hybrid = None
        self.number = number
        self.time_ns = record.time_ns
        self.book_seq = record.book_seq
        self.hybrid_seq = record.hybrid_seq
        self.trade_seq = record.trade_seq
        self.settlement_heads = record.settlement_heads
        return ReplicaChange(record.levels, trades, pools_changed, self.status is not status)

    def levels(
        self, depth: int | None = None
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return (bids, asks) of the book as (price_ticks, size_lots), best first."""
        bids, asks = self._sides
        return bids.best_first(Side.BUY, depth), asks.best_first(Side.SELL, depth)

    def hybrid_levels(
        self, depth: int | None = None
    ) -> tuple[list[HybridLevel], list[HybridLevel]]:
        """Return (bids, asks) of the hybrid book, best first; see `HybridDepth.levels`.

        The lists are kept until the hybrid book changes, and shared: do not change them.
        """
        kept = self._hybrid
        if kept is None or kept[0] != depth:
            bids, asks = self.levels()
            kept = self._hybrid = (
                depth,
                self._depth.levels(Side.BUY, bids, depth),
                self._depth.levels(Side.SELL, asks, depth),
            )
        return kept[1], kept[2]

    @property
    def trades(self) -> list[PublicTrade]:
        """The public tape, oldest first."""
        return self._tape.dump()

    @property
    def pools(self) -> list[PoolState]:
        """The pools' virtual states, in the order of ``PairSpec.pools``."""
        return self._depth.states()

    def candles(self, interval_s: int) -> list[Candle]:
        """Return the candles that traded, oldest first, without the empty ones between."""
        return self._candles.since(interval_s, 0)

    def day(self, now_ns: int) -> DayStatistics:
        """Return the 24 hours up to ``now_ns`` in figures."""
        return day_statistics(self._candles, now_ns // NS_PER_S)

    def public_state(self) -> PublicState:
        """Return what another replica could start from: equal to the pair's own public state."""
        bids, asks = self.levels()
        return PublicState(
            self.number,
            self.book_seq,
            self.hybrid_seq,
            self.trade_seq,
            self.status,
            bids,
            asks,
            self.trades,
            self._candles.dump(),
            self.pools,
            list(self.settlement_heads),
        )

    def _count(self, event: Traded, time_ns: int) -> PublicTrade:
        trade = PublicTrade(
            event.trade_no,
            event.price_ticks,
            event.size_lots,
            event.quote_raw,
            event.side,
            event.venue,
            time_ns,
        )
        self._tape.add(trade)
        self._candles.add(time_ns, event.price_ticks, event.size_lots, event.quote_raw)
        return trade
