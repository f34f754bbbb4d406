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
        seen: set[tuple[Side, int]] = set()
        for level in dirty:
            place = (level.side, level.key)
            level.dirty = False
            if place in seen:
                # A level of this price came and went (or came back) since: its first object
                # knows what readers have.
                continue
            seen.add(place)
            present = self.sides[level.side].levels.get(level.key)
            lots = 0 if present is None else present.visible_lots
            if lots != level.published_lots:
                changes.append(LevelChange(level.side, level.price_ticks, lots))
            if present is not None:
                present.published_lots = lots
        dirty.clear()
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
