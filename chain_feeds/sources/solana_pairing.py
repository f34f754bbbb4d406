"""Joins the notifications of a pool's accounts to states that existed. Sans I/O.

Theory of operation. A node tells of each account by itself: after a swap the two vaults and the
pool arrive apart, in any order, and one of them beside the old other is a price that never was.
Every notification carries its slot, and a node tells of a slot's end, once per account. A state
therefore counts when *all* accounts that every swap rewrites are known of one slot
(`Plan.together`); at once, or when the slot is over where others may have changed with them
(`Plan.patient`). What is incomplete when its slot is over (a transfer to one vault alone, a message
that was lost) and what comes late is read anew, all accounts in one call, which a node answers from
one slot.

A node that tells of an account more than once a slot is recognised by that, and from then on every
slot must be over before it counts.
"""

from collections.abc import Collection
from typing import NamedTuple

from chain_feeds.venues.account_layout import Account, Accounts
from chain_feeds.venues.raydium import Plan


class Settled(NamedTuple):
    """A pool's accounts as they were when a slot ended.

    ``before`` are those of the state that counted last; None for the first.
    """

    pool: str
    slot: int
    accounts: Accounts
    before: Accounts | None


class SlotPairing:
    """The accounts of all pools of one connection. Pools are named by `FeedPool.key`."""

    def __init__(self) -> None:
        self._pools: dict[str, _Pool] = {}
        self._by_address: dict[str, list[_Pool]] = {}
        self._over = -1
        """Every slot up to this one is over."""

    def plan(self, key: str, plan: Plan) -> bool:
        """Say which accounts make up a pool.

        Returns:
            True for a new plan: the pool needs a read before it counts.
        """
        known = self._pools.get(key)
        if known is not None and known.plan == plan:
            return False
        pool = _Pool(key, plan)
        if known is not None:
            pool.slot, pool.doubles = known.slot, known.doubles
        self._pools[key] = pool
        self._by_address = {}
        for each in self._pools.values():
            for address in each.plan.all:
                self._by_address.setdefault(address, []).append(each)
        return True

    @property
    def addresses(self) -> frozenset[str]:
        """Every account of every pool."""
        return frozenset(self._by_address)

    def addresses_of(self, key: str) -> frozenset[str]:
        """The accounts of one pool."""
        return self._pools[key].plan.all

    def state_of(self, key: str) -> tuple[int, Accounts]:
        """Return the slot and the accounts that a pool was last known by."""
        pool = self._pools[key]
        return pool.slot, pool.accounts

    def unsure(self) -> list[str]:
        """Name the pools whose accounts must be read anew."""
        return [key for key, pool in self._pools.items() if pool.unsure]

    def newest(self, keys: Collection[str]) -> int:
        """Return the newest slot that anything was told of: a read must not be older."""
        return max([self._over, *(self._pools[key].newest for key in keys)])

    def receive_account(self, address: str, slot: int, account: Account) -> list[Settled]:
        """Take a notification; returns the pools whose state now counts."""
        settled = []
        for pool in self._by_address.get(address, ()):
            settled += pool.take(address, slot, account, self._over)
        return settled

    def receive_slot(self, slot: int) -> list[Settled]:
        """Learn that a slot has begun to be told of: all before it are over."""
        if slot - 1 <= self._over:
            return []
        self._over = slot - 1
        settled: list[Settled] = []
        for pool in self._pools.values():
            settled += pool.settle(self._over)
        return settled

    def receive_read(self, key: str, slot: int, accounts: Accounts) -> list[Settled]:
        """Take all accounts of a pool, read in one call that a node answered from ``slot``."""
        return self._pools[key].read(slot, accounts, self._over)


class _Pool:
    """One pool: what counts, and what was told since."""

    def __init__(self, key: str, plan: Plan) -> None:
        self.key = key
        self.plan = plan
        self.slot = -1
        self.unsure = True
        """Nothing counts until a read: it was not known yet, or something may be missing."""
        self.doubles = False
        """The node tells of an account more than once a slot."""
        self.accounts: dict[str, Account] = {}
        """What counts."""
        self._slots: dict[str, int] = {}
        """The slot at whose end each account was last known."""
        self._told: dict[int, dict[str, Account]] = {}

    @property
    def newest(self) -> int:
        """The newest slot that anything was told of."""
        return max([self.slot, *self._told])

    def take(self, address: str, slot: int, account: Account, over: int) -> list[Settled]:
        """Take a notification in; the slots up to ``over`` are over."""
        if slot <= self._slots.get(address, -1):
            if slot == self.slot and account != self.accounts[address]:
                # After the state counted: the node does tell of an account twice a slot.
                self.doubles = self.unsure = True
            return []
        told = self._told.setdefault(slot, {})
        self.doubles |= address in told and told[address] != account
        told[address] = account
        if slot <= self.slot or (slot <= over and not self._is_complete(slot)):
            self.unsure = True
        return self.settle(over)

    def settle(self, over: int) -> list[Settled]:
        """Let count what is complete, in the order of slots; doubt what is over and is not."""
        settled = []
        for slot in sorted(self._told):
            if self.unsure or slot not in self._told:
                break
            complete, is_over = self._is_complete(slot), slot <= over
            if complete and (is_over or not (self.plan.patient or self.doubles)):
                settled.append(self._count(slot))
            elif is_over:
                self.unsure = True
        return settled

    def read(self, slot: int, accounts: Accounts, over: int) -> list[Settled]:
        """Believe a read, unless what counts is newer; then what was told after it."""
        if slot < self.slot or not self.plan.all <= accounts.keys():
            return []
        before = self._before()
        self.accounts = {address: accounts[address] for address in self.plan.all}
        self._slots = dict.fromkeys(self.plan.all, slot)
        self._told = {at: told for at, told in self._told.items() if at > slot}
        self.slot = slot
        self.unsure = False
        return [Settled(self.key, slot, dict(self.accounts), before), *self.settle(over)]

    def _count(self, slot: int) -> Settled:
        before = self._before()
        for at in sorted(at for at in self._told if at <= slot):
            for address, account in self._told.pop(at).items():
                self.accounts[address] = account
                self._slots[address] = at
        self.slot = slot
        return Settled(self.key, slot, dict(self.accounts), before)

    def _before(self) -> Accounts | None:
        return dict(self.accounts) if self.accounts else None

    def _is_complete(self, slot: int) -> bool:
        return self.plan.together <= self._told[slot].keys()
