"""Everything that can be asked of an account shard, and what it answers.

Account keys inside a shard are ``(owner, asset, mode)``. Owners are users and sub-accounts
(``usr_…``, ``sub_…``), each with ``available`` and ``held``, and the house's own accounts:
``clearing:<market>``, ``pool:<pool_id>``, ``fees``, ``grant:paper``, ``outbox:<shard>``,
``chain:<chain>``. Every movement is a transfer between two of them, so each asset and mode sums to
zero over a shard at every moment. A market here is ``<symbol>.<paper|live>``.
"""

import zlib
from functools import lru_cache

import msgspec

from actors.engine.settlement import HoldNeed, Posting
from actors.engine.units import Mode, Reason, UserId


class Settlement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The postings of one journal record for one shard; numbered 1, 2, 3 … per (market, shard)."""

    number: int
    postings: list[Posting]


class LedgerCommand(msgspec.Struct, frozen=True, array_like=True):
    """The root of all ledger commands."""


class OpenMarket(LedgerCommand, tag=1, frozen=True, array_like=True):
    """A pair's incarnation introduces itself: raises the market's epoch at this shard.

    Answered by ``MarketOpened``; anything of an older epoch is ``Fenced`` from then on.
    """

    market: str
    epoch: int
    base: str
    quote: str


class Reconcile(LedgerCommand, tag=2, frozen=True, array_like=True):
    """State what the market's open orders justify: the sum of holds per user and side.

    The shard releases what it holds beyond that. Sent after ``OpenMarket`` and after every
    outstanding settlement. Holding *less* than stated is a broken invariant. Applied once per
    epoch: a repetition is answered ``Done`` and changes nothing, so that a late duplicate cannot
    release what was held since.
    """

    market: str
    epoch: int
    holds: list[tuple[UserId, int, int]]
    """(user, side, total_raw)"""


class Post(LedgerCommand, tag=3, frozen=True, array_like=True):
    """A pair's one message to a shard per batch: settlements first, then new holds.

    ``seq`` counts a market's Posts at this shard within the epoch: 1, 2, 3 … The same (epoch, seq)
    again gets the same answer and changes nothing. Settlements already applied are passed over.

    With ``after`` it is applied a little later, once those settlements of other markets are, or
    after a while without them; such a Post carries none itself, so that no two wait for each other.
    """

    market: str
    epoch: int
    seq: int
    settlements: list[Settlement]
    holds: list[HoldNeed]
    after: dict[str, int] = {}


class Transfer(LedgerCommand, tag=4, frozen=True, array_like=True):
    """Move available funds between two owners; once per ``command_id``.

    The receiver may live on another shard: then the amount waits in this shard's outbox account,
    and ``Receive`` is called there, until it was answered.
    """

    command_id: str
    sender: UserId
    receiver: UserId
    asset: str
    mode: Mode
    amount_raw: int


class Receive(LedgerCommand, tag=5, frozen=True, array_like=True):
    """The second half of a transfer, at the receiver's shard; applied once per ``number``.

    ``number`` counts what ``from_shard`` ever sent to this shard: 1, 2, 3 … A number already
    applied is answered ``Done`` and changes nothing, one that skips is refused.
    """

    command_id: str
    from_shard: int
    sender: UserId
    receiver: UserId
    asset: str
    mode: Mode
    amount_raw: int
    number: int = 0


class GrantPaper(LedgerCommand, tag=6, frozen=True, array_like=True):
    """Give a new account its paper balances, or bring them back to that (``reset``).

    ``amounts`` are raw per asset. A reset sets *available* to the grant, and needs nothing held in
    paper mode (else refused with INVALID_COMBINATION). Once per ``command_id``.
    """

    command_id: str
    user: UserId
    amounts: dict[str, int]
    reset: bool = False


class Delivered(LedgerCommand, tag=7, frozen=True, array_like=True):
    """``to_shard`` has answered every ``Receive`` up to ``number``: none need be sent again.

    Only the shard itself issues it, so that its outbox survives a crash exactly.
    """

    to_shard: int
    number: int


AnyLedgerCommand = OpenMarket | Reconcile | Post | Transfer | Receive | GrantPaper | Delivered


class BalanceQuery(msgspec.Struct, frozen=True, array_like=True, tag=20):
    """Read one owner's balances once the settlements named in ``after`` are applied.

    ``after`` maps a market to a settlement number at this shard.
    """

    user: UserId
    after: dict[str, int]


class AuditQuery(msgspec.Struct, frozen=True, array_like=True, tag=21):
    """Read the sums that must be zero, and totals per account class."""


class TransferQuery(msgspec.Struct, frozen=True, array_like=True, tag=22):
    """Ask the sender's shard for ``Done`` once a transfer has arrived at the receiver's.

    Also where there is no such transfer: it arrived long ago, or never left.
    """

    command_id: str
    to_shard: int


LedgerQuery = BalanceQuery | AuditQuery | TransferQuery
LedgerRequest = AnyLedgerCommand | LedgerQuery


class Balance(msgspec.Struct, frozen=True, array_like=True):
    """One owner's funds of one asset in one mode, in raw units; total = available + held."""

    asset: str
    mode: Mode
    available_raw: int
    held_raw: int


class BalanceChanged(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=1):
    """The shard journal's event: an owner's funds after a command (last value per command)."""

    user: UserId
    asset: str
    mode: Mode
    available_raw: int
    held_raw: int


class LedgerReply(msgspec.Struct, frozen=True, array_like=True):
    """The root of all answers."""


class Done(LedgerReply, tag=1, frozen=True, array_like=True):
    """The command is applied (now or before)."""


class MarketOpened(LedgerReply, tag=2, frozen=True, array_like=True):
    """``last_settlement``: the highest settlement number this shard has applied of the market."""

    last_settlement: int


class Posted(LedgerReply, tag=3, frozen=True, array_like=True):
    """One entry per requested hold: raw units held, or -1 where funds did not suffice."""

    held_raw: list[int]
    last_settlement: int


class Refused(LedgerReply, tag=4, frozen=True, array_like=True):
    """A business refusal; nothing changed."""

    reason: Reason
    message: str


class Fenced(LedgerReply, tag=5, frozen=True, array_like=True):
    """The market has a newer incarnation: the asker must end itself."""

    epoch: int


class Balances(LedgerReply, tag=6, frozen=True, array_like=True):
    """Answers a ``BalanceQuery``: only assets the owner has ever had."""

    balances: list[Balance]


class Audit(LedgerReply, tag=7, frozen=True, array_like=True):
    """Per (asset, mode): the sum over all accounts (must be 0), users' available and held sums."""

    sums: list[tuple[str, int, int, int, int]]
    """(asset, mode, sum_raw, users_available_raw, users_held_raw)"""
    state_hash: str
    house: list[tuple[str, str, int, str]] = []
    """(owner, asset, mode, balance_raw) of the house's accounts; the balance in decimal digits,
    because a pool's account may leave 64 bits. Over all shards and once everything is settled,
    ``clearing:*`` and ``outbox:*`` sum to zero per owner class, asset and mode."""


class Recovering(LedgerReply, tag=8, frozen=True, array_like=True):
    """The shard is not ready yet; nothing changed. Ask again after ``retry_after_ms``."""

    retry_after_ms: int
    failed: bool = False
    """Recovery was given up, as the journal cannot be replayed: a person has to look."""


AnyLedgerReply = Done | MarketOpened | Posted | Refused | Fenced | Balances | Audit | Recovering


@lru_cache(maxsize=65_536)
def shard_of(user: UserId, shards: int) -> int:
    """Name the shard an owner lives on: CRC-32 of the id, stable across versions and machines."""
    return zlib.crc32(user.encode()) % shards
