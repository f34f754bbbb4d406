"""The accounts of one ledger: users with available and held funds, and the house's own.

What lives here: the accounts, how they are found, which of them the current command touched, and
their sums. What does not: why money moves (`ledger`, `ledger_market`, `ledger_transfers`).
"""

from collections.abc import Iterator
from typing import Final

from actors.engine.invariants import broken
from actors.engine.ledger_commands import Balance, BalanceChanged
from actors.engine.units import Mode, UserId

AMOUNT_MAX_RAW: Final = 2**63 - 1
"""The largest balance of an owner: what every msgpack reader can hold in a signed integer."""

FEES: Final = "fees"
PAPER_GRANTS: Final = "grant:paper"


class Account:
    """One owner's funds of one asset in one mode, in raw units.

    ``stamp`` is the number of the command that last touched the account, so that a command's events
    name each account once.
    """

    __slots__ = ("asset", "available", "held", "mode", "stamp", "user")

    def __init__(self, user: UserId, asset: str, mode: Mode) -> None:
        self.user = user
        self.asset = asset
        self.mode = mode
        self.available = 0
        self.held = 0
        self.stamp = 0


class HouseAccount:
    """One of the house's own accounts in one asset and mode; its balance may be below zero."""

    __slots__ = ("asset", "balance", "mode", "owner")

    def __init__(self, owner: str, asset: str, mode: Mode) -> None:
        self.owner = owner
        self.asset = asset
        self.mode = mode
        self.balance = 0


class AccountSums:
    """What one asset and mode sums to over a shard."""

    __slots__ = ("available", "held", "house")

    def __init__(self) -> None:
        self.available = 0
        self.held = 0
        self.house = 0

    @property
    def total(self) -> int:
        """The sum over all accounts, which is zero."""
        return self.available + self.held + self.house


class Accounts:
    """All accounts of a shard, and the list of those the current command touched."""

    def __init__(self) -> None:
        self._users: dict[UserId, dict[tuple[str, Mode], Account]] = {}
        self._house: dict[tuple[str, str, Mode], HouseAccount] = {}
        self.stamp = 0
        self.touched: list[Account] = []

    def begin(self) -> None:
        """Start a command: nothing is touched yet."""
        self.stamp += 1
        self.touched = []

    def changes(self) -> list[BalanceChanged]:
        """Tell the touched accounts' funds, in the order they were first touched."""
        return [BalanceChanged(a.user, a.asset, a.mode, a.available, a.held) for a in self.touched]

    def touch(self, account: Account) -> None:
        """Note that the current command changed the account."""
        if account.stamp != self.stamp:
            account.stamp = self.stamp
            self.touched.append(account)

    def find(self, user: UserId, asset: str, mode: Mode) -> Account | None:
        """Find an owner's account; None if the owner never had any of the asset."""
        owned = self._users.get(user)
        return None if owned is None else owned.get((asset, mode))

    def open(self, user: UserId, asset: str, mode: Mode) -> Account:
        """Find an owner's account, or open it empty."""
        owned = self._users.get(user)
        if owned is None:
            owned = self._users[user] = {}
        account = owned.get((asset, mode))
        if account is None:
            account = owned[asset, mode] = Account(user, asset, mode)
        return account

    def house(self, owner: str, asset: str, mode: Mode) -> HouseAccount:
        """Find one of the house's accounts, or open it empty."""
        key = (owner, asset, mode)
        account = self._house.get(key)
        if account is None:
            account = self._house[key] = HouseAccount(owner, asset, mode)
        return account

    def add(self, account: Account, amount_raw: int) -> None:
        """Change an owner's available funds by a signed amount; the other side is the caller's."""
        available = account.available + amount_raw
        if not 0 <= available <= AMOUNT_MAX_RAW:
            broken(
                f"available {account.asset} of {account.user} would become {available}, "
                f"must stay within 0 and {AMOUNT_MAX_RAW}",
            )
        account.available = available
        self.touch(account)

    def owned_by(self, user: UserId) -> list[Account]:
        """List an owner's accounts by asset and mode."""
        owned = self._users.get(user, {})
        return [owned[key] for key in sorted(owned)]

    def balances(self, user: UserId) -> list[Balance]:
        """Tell an owner's funds by asset and mode."""
        return [Balance(a.asset, a.mode, a.available, a.held) for a in self.owned_by(user)]

    def of_users(self) -> Iterator[Account]:
        """Go through all owners' accounts, by owner, asset and mode."""
        for user in sorted(self._users):
            yield from self.owned_by(user)

    def of_house(self) -> Iterator[HouseAccount]:
        """Go through the house's accounts that are not empty, by owner, asset and mode.

        Empty ones are only a cache of the object, and no part of the state.
        """
        for key in sorted(self._house):
            if self._house[key].balance:
                yield self._house[key]

    def sums(self) -> dict[tuple[str, Mode], AccountSums]:
        """Add everything up, by asset and mode in order."""
        sums: dict[tuple[str, Mode], AccountSums] = {}
        for owned in self._users.values():
            for key, account in owned.items():
                total = sums.get(key)
                if total is None:
                    total = sums[key] = AccountSums()
                total.available += account.available
                total.held += account.held
        for house in self._house.values():
            key = (house.asset, house.mode)
            if key not in sums:
                sums[key] = AccountSums()
            sums[key].house += house.balance
        return {key: sums[key] for key in sorted(sums)}
