"""What a market owes the account shards: postings, each one user's part of one thing that happened.

The engine emits postings while it applies a command; the pair groups them by account shard, numbers
the groups per (market, shard) without gaps, journals them in the same record as the events, and
delivers them. A shard applies each number exactly once, in order (`ledger_commands.Post`).
"""

import msgspec

from actors.engine.units import Side, UserId


class FillPosting(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=1):
    """One order of ``user`` was filled.

    A buy: ``quote_raw + fee_raw`` leaves the user's held quote, ``base_raw`` enters available base.
    A sell: ``base_raw`` leaves held base, ``quote_raw - fee_raw`` enters available quote.
    The other side of both is the market's clearing account, or the pool's account when ``venue`` (a
    pool id) is given; ``fee_raw`` goes to the fee account.
    """

    user: UserId
    side: Side
    base_raw: int
    quote_raw: int
    fee_raw: int
    venue: str = ""


class ReleasePosting(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=2):
    """``amount_raw`` of ``user``'s hold is free again: of quote for a buy, of base for a sell."""

    user: UserId
    side: Side
    amount_raw: int


Posting = FillPosting | ReleasePosting


class HoldNeed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a command needs held before it may be applied.

    The shard holds ``min(available, most_raw)`` of quote (BUY) or base (SELL); with less than
    ``least_raw`` available it holds nothing and the command is refused with INSUFFICIENT_FUNDS. An
    order never spends more than was held for it.
    """

    user: UserId
    side: Side
    least_raw: int
    most_raw: int
