"""One market's side of a ledger: its incarnation, its settlements, and whose funds it holds.

What lives here: holds, fills and releases, and the hot path of a `Post`. What does not: fencing and
the order of messages (`ledger`), which have been checked when these methods are called.
"""

from actors.engine.invariants import broken, invariant
from actors.engine.ledger_accounts import FEES, Account, Accounts, HouseAccount
from actors.engine.ledger_commands import Posted
from actors.engine.settlement import FillPosting, HoldNeed, Posting, ReleasePosting
from actors.engine.units import Mode, Side, UserId

_BUY = Side.BUY


class Position:
    """What one market holds of one user: quote for buys, base for sells, in raw units.

    ``base`` and ``quote`` are the user's accounts, or None as long as there was none to find.
    """

    __slots__ = ("base", "held_buy", "held_sell", "quote", "user")

    def __init__(self, user: UserId) -> None:
        self.user = user
        self.base: Account | None = None
        self.quote: Account | None = None
        self.held_buy = 0
        self.held_sell = 0


class Market:
    """A market as a shard knows it.

    Attributes:
        epoch: the newest incarnation that opened the market here.
        last_seq: the last Post of this epoch; ``last_reply`` is what it was answered.
        last_settlement: the number of the last settlement applied, over all epochs.
        reconciled: whether this epoch's Reconcile was applied.
        positions: by user; an empty one is only a cache, and no part of the state.
    """

    def __init__(self, accounts: Accounts, name: str, mode: Mode, base: str, quote: str) -> None:
        self.name = name
        self.mode = mode
        self.base = base
        self.quote = quote
        self.epoch = 0
        self.last_seq = 0
        self.last_reply: Posted | None = None
        self.last_settlement = 0
        self.reconciled = False
        self.positions: dict[UserId, Position] = {}
        self._accounts = accounts
        self._fees = accounts.house(FEES, quote, mode)
        self._venues: dict[str, tuple[HouseAccount, HouseAccount]] = {}

    def raise_epoch(self, epoch: int) -> None:
        """Let a new incarnation take over: its Posts count from 1."""
        self.epoch = epoch
        self.last_seq = 0
        self.last_reply = None
        self.reconciled = False

    def settle(self, postings: list[Posting]) -> None:
        """Apply the postings of one settlement.

        Raises:
            InvariantError: a posting takes more than is held for its user, or is below zero.
        """
        positions = self.positions
        for posting in postings:
            position = positions.get(posting.user)
            if position is None:
                position = positions[posting.user] = Position(posting.user)
            if type(posting) is FillPosting:
                self._fill(position, posting)
            elif type(posting) is ReleasePosting:
                self._release(position, posting.side, posting.amount_raw)

    def hold(self, needs: list[HoldNeed]) -> list[int]:
        """Hold funds for each need in turn; -1 where they do not suffice."""
        positions = self.positions
        accounts = self._accounts
        stamp = accounts.stamp
        held: list[int] = []
        for need in needs:
            least = need.least_raw
            amount = need.most_raw
            if least < 0 or amount < least:
                broken(f"{self.name}: {need!r} must satisfy 0 <= least <= most")
            position = positions.get(need.user)
            if position is None:
                position = positions[need.user] = Position(need.user)
            buys = need.side is _BUY
            account = position.quote if buys else position.base
            if account is None:
                account = self._find(position, need.side)
            available = 0 if account is None else account.available
            if available < least:
                held.append(-1)
                continue
            amount = min(amount, available)
            held.append(amount)
            if account is None or not amount:
                continue
            account.available = available - amount
            account.held += amount
            if buys:
                position.held_buy += amount
            else:
                position.held_sell += amount
            if account.stamp != stamp:
                account.stamp = stamp
                accounts.touched.append(account)
        return held

    def reconcile(self, stated: list[tuple[UserId, int, int]]) -> None:
        """Release what is held beyond what the market's open orders justify.

        Raises:
            InvariantError: less is held than stated, or a user's side is stated twice.
        """
        wanted: dict[tuple[UserId, int], int] = {}
        for user, side, total_raw in stated:
            position = self.positions.get(user)
            held = 0 if position is None else self.held_of(position, Side(side))
            invariant(
                0 <= total_raw <= held and (user, side) not in wanted,
                f"{self.name}: open orders of {user} on side {side} justify {total_raw}, stated "
                f"once, but {held} is held",
            )
            wanted[user, side] = total_raw
        for user in sorted(self.positions):
            position = self.positions[user]
            for side in Side:
                excess = self.held_of(position, side) - wanted.get((user, side), 0)
                if excess:
                    self._release(position, side, excess)
        self.reconciled = True

    def restore_hold(self, user: UserId, held_buy: int, held_sell: int) -> None:
        """Put back what a snapshot says is held; the accounts already count it."""
        position = self.positions[user] = Position(user)
        position.held_buy = held_buy
        position.held_sell = held_sell

    @staticmethod
    def held_of(position: Position, side: Side) -> int:
        """Tell what is held of a user on one side, in raw units."""
        return position.held_buy if side is _BUY else position.held_sell

    def _fill(self, position: Position, fill: FillPosting) -> None:
        base_raw = fill.base_raw
        quote_raw = fill.quote_raw
        fee_raw = fill.fee_raw
        accounts = self._accounts
        base = position.base
        if base is None:
            base = position.base = accounts.open(fill.user, self.base, self.mode)
        quote = position.quote
        if quote is None:
            quote = position.quote = accounts.open(fill.user, self.quote, self.mode)
        base_house, quote_house = self._venues.get(fill.venue) or self._venue(fill.venue)
        if fill.side is _BUY:
            spent = quote_raw + fee_raw
            position.held_buy -= spent
            quote.held -= spent
            base.available += base_raw
            base_house.balance -= base_raw
            quote_house.balance += quote_raw
        else:
            position.held_sell -= base_raw
            base.held -= base_raw
            quote.available += quote_raw - fee_raw
            base_house.balance += base_raw
            quote_house.balance -= quote_raw
        self._fees.balance += fee_raw
        if (
            base_raw < 0
            or fee_raw < 0
            or quote_raw < fee_raw
            or position.held_buy < 0
            or position.held_sell < 0
        ):
            broken(f"{self.name}: {fill!r} takes more than is held, or is below zero")
        stamp = accounts.stamp
        if base.stamp != stamp:
            base.stamp = stamp
            accounts.touched.append(base)
        if quote.stamp != stamp:
            quote.stamp = stamp
            accounts.touched.append(quote)

    def _release(self, position: Position, side: Side, amount_raw: int) -> None:
        if not amount_raw:
            return
        account = self._find(position, side)
        if account is None or not 0 <= amount_raw <= self.held_of(position, side):
            broken(
                f"{self.name}: cannot release {amount_raw} of {position.user}'s {side.name} side, "
                f"{self.held_of(position, side)} is held",
            )
        if side is _BUY:
            position.held_buy -= amount_raw
        else:
            position.held_sell -= amount_raw
        account.held -= amount_raw
        account.available += amount_raw
        self._accounts.touch(account)

    def _find(self, position: Position, side: Side) -> Account | None:
        if side is _BUY:
            if position.quote is None:
                position.quote = self._accounts.find(position.user, self.quote, self.mode)
            return position.quote
        if position.base is None:
            position.base = self._accounts.find(position.user, self.base, self.mode)
        return position.base

    def _venue(self, venue: str) -> tuple[HouseAccount, HouseAccount]:
        owner = f"pool:{venue}" if venue else f"clearing:{self.name}"
        pair = (
            self._accounts.house(owner, self.base, self.mode),
            self._accounts.house(owner, self.quote, self.mode),
        )
        self._venues[venue] = pair
        return pair
