"""The book: two sides, and the level changes that readers have not been told yet."""

from actors.engine.book_side import BookSide
from actors.engine.events import LevelChange
from actors.engine.invariants import invariant
from actors.engine.level import Level
from actors.engine.units import Side


class Book:
    """Resting orders of one market, in price-time priority."""

    __slots__ = ("asks", "bids", "dirty", "sides")

    def __init__(self) -> None:
        self.dirty: list[Level] = []
        self.bids = BookSide(Side.BUY, self.dirty)
        self.asks = BookSide(Side.SELL, self.dirty)
        self.sides = (self.bids, self.asks)
        """Indexed by ``Side``."""

    def drain_changes(self) -> list[LevelChange]:
        """List the levels whose visible total differs from what was last drained.

        Each price appears at most once per side, in the order in which it was first touched.
        """
        dirty = self.dirty
        if not dirty:
            return []
        changes: list[LevelChange] = []
        for level in dirty:
            level.dirty = False
            lots = level.visible_lots
            if lots != level.published_lots:
                level.published_lots = lots
                changes.append(LevelChange(level.side, level.price_ticks, lots))
        dirty.clear()
        self.bids.gone.clear()
        self.asks.gone.clear()
        return changes

    def validate(self) -> None:
        """Check both sides, and that they do not cross.

        Raises:
            InvariantError: naming what is wrong.
        """
        self.bids.validate()
        self.asks.validate()
        bid, ask = self.bids.best_ticks, self.asks.best_ticks
        invariant(not (bid and ask) or bid < ask, f"the book is crossed: {bid} >= {ask}")
