"""Named people and one market for tests of the money side.

With two shards, Alice and Bob live on shard 0, Carol on shard 1.
"""

from itertools import count

from actors.engine.ledger import Applied, Ledger
from actors.engine.ledger_commands import (
    AnyLedgerCommand,
    GrantPaper,
    LedgerReply,
    OpenMarket,
    Post,
    Settlement,
    shard_of,
)
from actors.engine.settlement import FillPosting, HoldNeed, Posting
from actors.engine.units import Mode, Side, UserId

MARKET = "vaix.paper"
GRANT = {"USDC": 1_000_000, "VAIX": 500_000}


def person(name: str, shard: int, shards: int = 2) -> UserId:
    """Name somebody who lives on the shard."""
    numbered = (UserId(f"usr_{name}{n}") for n in count())
    return next(user for user in numbered if shard_of(user, shards) == shard)


ALICE = person("alice", 0)
BOB = person("bob", 0)
CAROL = person("carol", 1)


def ledger(*people: UserId, shards: int = 1) -> Ledger:
    """Make a ledger where these people have their paper grant and the market is open."""
    made = Ledger(0, shards)
    for user in people:
        done(made, GrantPaper(f"grant-{user}", user, GRANT))
    done(made, OpenMarket(MARKET, 1, "VAIX", "USDC"))
    return made


def done(made: Ledger, command: AnyLedgerCommand) -> Applied:
    """Apply a command, and check the whole ledger after it."""
    applied = made.apply(command)
    made.validate()
    return applied


def post(
    made: Ledger,
    postings: list[Posting] | None = None,
    holds: list[HoldNeed] | None = None,
) -> LedgerReply:
    """Send the market's next Post, with the postings as its next settlement."""
    market = made.markets[MARKET]
    settlements = [Settlement(market.last_settlement + 1, postings)] if postings else []
    command = Post(MARKET, market.epoch, market.last_seq + 1, settlements, holds or [])
    return done(made, command).reply


def funds(made: Ledger, user: UserId, asset: str, mode: Mode = Mode.PAPER) -> tuple[int, int]:
    """Tell (available, held)."""
    account = made.accounts.find(user, asset, mode)
    return (0, 0) if account is None else (account.available, account.held)


def house(made: Ledger, owner: str, asset: str, mode: Mode = Mode.PAPER) -> int:
    """Tell the balance of one of the house's accounts."""
    return made.accounts.house(owner, asset, mode).balance


def hold(user: UserId, side: Side, amount_raw: int) -> HoldNeed:
    """Need exactly that much held."""
    return HoldNeed(user, side, amount_raw, amount_raw)


def buy(user: UserId, base_raw: int, quote_raw: int, fee_raw: int = 0) -> FillPosting:
    """Let a buy order be filled."""
    return FillPosting(user, Side.BUY, base_raw, quote_raw, fee_raw)


def sell(user: UserId, base_raw: int, quote_raw: int, fee_raw: int = 0) -> FillPosting:
    """Let a sell order be filled."""
    return FillPosting(user, Side.SELL, base_raw, quote_raw, fee_raw)
