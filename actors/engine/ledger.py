"""The ledger of one account shard: a pure double-entry state machine, commands in, replies out.

Every movement is a transfer between two accounts, so each asset and mode sums to zero after every
command. What lives here: which command does what, the fencing and ordering of a market's messages,
queries and the checks. What does not: time, threads, the journal (`actors.account_shard`).

Order of a market's messages, all decided before anything is changed:

* unknown market, or a Post or Reconcile of a newer epoch than opened: ``Refused``, open it first;
* an older epoch: ``Fenced`` with the current one;
* the same ``seq`` as the last Post: its first answer again; an older one, or one that skips:
  ``Refused``. Settlement numbers that skip: ``Refused``. The asker has lost count and must recover:
  end itself, open the market again, and send what the journal says is owed.

A command that breaks an invariant raises, and leaves the ledger in no state to be used again.
"""

from typing import NamedTuple

from actors.engine.invariants import invariant
from actors.engine.ledger_accounts import Accounts
from actors.engine.ledger_commands import (
    AnyLedgerCommand,
    AnyLedgerReply,
    Audit,
    AuditQuery,
    BalanceChanged,
    BalanceQuery,
    Balances,
    Delivered,
    Done,
    Fenced,
    GrantPaper,
    LedgerQuery,
    MarketOpened,
    OpenMarket,
    Post,
    Posted,
    Receive,
    Reconcile,
    Refused,
    Settlement,
    Transfer,
    TransferQuery,
)
from actors.engine.ledger_image import state_hash
from actors.engine.ledger_market import Market
from actors.engine.ledger_transfers import Transfers
from actors.engine.units import Mode, Reason, UserId


class Applied(NamedTuple):
    """What a command came to.

    Attributes:
        reply: the answer to whoever asked.
        events: each touched account of a user once, with its last value.
        changed: whether the ledger is another one now, and the command belongs in the journal.
    """

    reply: AnyLedgerReply
    events: list[BalanceChanged]
    changed: bool


class Ledger:
    """The accounts, markets and transfers of shard ``shard`` of ``shards``."""

    def __init__(self, shard: int = 0, shards: int = 1) -> None:
        invariant(0 <= shard < shards, f"shard {shard} must be one of {shards}")
        self.shard = shard
        self.shards = shards
        self.accounts = Accounts()
        self.markets: dict[str, Market] = {}
        self.transfers = Transfers(self.accounts, shard, shards)

    def apply(self, command: AnyLedgerCommand) -> Applied:
        """Apply one command.

        Raises:
            InvariantError: the command is impossible; the ledger must not be used again.
        """
        self.accounts.begin()
        if type(command) is Post:
            reply, changed = self._post(command)
        else:
            reply, changed = self._apply_rare(command)
        return Applied(reply, self.accounts.changes() if changed else [], changed)

    def query(self, query: LedgerQuery) -> Balances | Audit | Done:
        """Answer a query from the state as it is."""
        if isinstance(query, BalanceQuery):
            return Balances(self.accounts.balances(query.user))
        if isinstance(query, TransferQuery):
            return Done()
        invariant(isinstance(query, AuditQuery), f"no such query: {query!r}")
        return self.audit()

    def last_settlement(self, market: str) -> int:
        """Tell the number of the last settlement applied of a market; 0 before the first."""
        known = self.markets.get(market)
        return 0 if known is None else known.last_settlement

    def audit(self) -> Audit:
        """Add up all accounts, and name the state by its hash."""
        house = [(a.owner, a.asset, int(a.mode), str(a.balance)) for a in self.accounts.of_house()]
        return Audit(self.sums(), state_hash(self), house)

    def sums(self) -> list[tuple[str, int, int, int, int]]:
        """Add up all accounts: (asset, mode, sum, users' available, users' held)."""
        return [
            (asset, int(mode), s.total, s.available, s.held)
            for (asset, mode), s in self.accounts.sums().items()
        ]

    def validate(self) -> None:
        """Check the whole ledger.

        Raises:
            InvariantError: a sum is not zero, an owner is below zero, or holds do not add up.
        """
        for (asset, mode), sums in self.accounts.sums().items():
            invariant(sums.total == 0, f"{asset} in mode {mode} sums to {sums.total}, must be 0")
        held: dict[tuple[UserId, str, Mode], int] = {}
        for market in self.markets.values():
            for user, position in market.positions.items():
                invariant(
                    position.held_buy >= 0 and position.held_sell >= 0,
                    f"{market.name} holds below zero of {user}",
                )
                for asset, amount in (
                    (market.quote, position.held_buy),
                    (market.base, position.held_sell),
                ):
                    key = (user, asset, market.mode)
                    held[key] = held.get(key, 0) + amount
        for account in self.accounts.of_users():
            key = (account.user, account.asset, account.mode)
            justified = held.pop(key, 0)
            invariant(
                account.available >= 0 and account.held == justified,
                f"{key}: available {account.available}, held {account.held}, "
                f"and the markets hold {justified}",
            )
        stray = {key: amount for key, amount in held.items() if amount}
        invariant(not stray, f"markets hold of accounts that do not exist: {stray}")

    def _apply_rare(self, command: AnyLedgerCommand) -> tuple[AnyLedgerReply, bool]:
        if isinstance(command, OpenMarket):
            return self._open_market(command)
        if isinstance(command, Reconcile):
            return self._reconcile(command)
        if isinstance(command, Transfer):
            return self.transfers.transfer(command)
        if isinstance(command, Receive):
            return self.transfers.receive(command)
        if isinstance(command, Delivered):
            return self.transfers.delivered(command)
        invariant(isinstance(command, GrantPaper), f"no such command: {command!r}")
        assert isinstance(command, GrantPaper)  # noqa: S101 - narrows what was checked above
        return self.transfers.grant(command)

    def _open_market(self, command: OpenMarket) -> tuple[AnyLedgerReply, bool]:
        name = command.market
        market = self.markets.get(name)
        if market is None:
            mode = _MODES.get(name.rpartition(".")[2])
            if mode is None or command.epoch < 1 or command.base == command.quote:
                return _refuse(
                    f"market {name!r} of {command.base!r} and {command.quote!r} at epoch "
                    f"{command.epoch}: the name must end in .paper or .live, the assets must "
                    "differ, and epochs count from 1"
                ), False
            market = Market(self.accounts, name, mode, command.base, command.quote)
            self.markets[name] = market
        elif command.epoch < market.epoch:
            return Fenced(market.epoch), False
        elif (market.base, market.quote) != (command.base, command.quote):
            return _refuse(
                f"market {name} trades {market.base} for {market.quote}, was opened with "
                f"{command.base} and {command.quote}; list a new pair instead"
            ), False
        elif command.epoch == market.epoch:
            return MarketOpened(market.last_settlement), False
        market.raise_epoch(command.epoch)
        return MarketOpened(market.last_settlement), True

    def _market(self, name: str, epoch: int) -> Market | Fenced | Refused:
        market = self.markets.get(name)
        if market is None or epoch > market.epoch:
            return _refuse(f"market {name!r} is not open at epoch {epoch}; send OpenMarket first")
        return market if epoch == market.epoch else Fenced(market.epoch)

    def _reconcile(self, command: Reconcile) -> tuple[AnyLedgerReply, bool]:
        market = self._market(command.market, command.epoch)
        if not isinstance(market, Market):
            return market, False
        if market.reconciled:
            return Done(), False
        market.reconcile(command.holds)
        return Done(), True

    def _post(self, post: Post) -> tuple[AnyLedgerReply, bool]:
        market = self._market(post.market, post.epoch)
        if not isinstance(market, Market):
            return market, False
        if post.seq != market.last_seq + 1:
            if post.seq == market.last_seq and market.last_reply is not None:
                return market.last_reply, False
            return _refuse(
                f"{market.name}: Post seq was {post.seq}, expected {market.last_seq + 1}"
            ), False
        due = _due(post.settlements, market.last_settlement)
        if due is None:
            return _refuse(
                f"{market.name}: settlements {[s.number for s in post.settlements]} leave a gap "
                f"after {market.last_settlement}"
            ), False
        for settlement in due:
            market.settle(settlement.postings)
            market.last_settlement = settlement.number
        reply = Posted(market.hold(post.holds), market.last_settlement)
        market.last_seq = post.seq
        market.last_reply = reply
        return reply, True


_MODES = {"paper": Mode.PAPER, "live": Mode.LIVE}


def _refuse(message: str) -> Refused:
    return Refused(Reason.INVALID_COMBINATION, message)


def _due(settlements: list[Settlement], last: int) -> list[Settlement] | None:
    """Choose the settlements not applied yet; None if their numbers leave a gap."""
    due = []
    for settlement in settlements:
        if settlement.number <= last:
            continue
        if settlement.number != last + 1:
            return None
        last = settlement.number
        due.append(settlement)
    return due
