"""A ledger's whole state in canonical form: sorted, without caches, and the hash that names it.

Two ledgers that behave alike have the same bytes. Balances of the house are decimal strings,
because a pool's may leave 64 bits. How it is sealed and read back is `ledger_snapshot`'s.
"""

import hashlib
from typing import Protocol

import msgspec

from actors.engine.ledger_accounts import Accounts
from actors.engine.ledger_commands import Posted, Receive
from actors.engine.ledger_market import Market
from actors.engine.ledger_transfers import Transfers
from actors.engine.units import Mode, UserId


class MarketImage(msgspec.Struct, frozen=True, array_like=True):
    """A market's state; ``positions`` is (user, held_buy, held_sell) where either is not zero."""

    name: str
    mode: Mode
    base: str
    quote: str
    epoch: int
    last_seq: int
    last_reply: Posted | None
    last_settlement: int
    reconciled: bool
    positions: list[tuple[UserId, int, int]]


class LedgerImage(msgspec.Struct, frozen=True, array_like=True):
    """A ledger's whole state."""

    shard: int
    shards: int
    users: list[tuple[UserId, str, Mode, int, int]]
    """(user, asset, mode, available_raw, held_raw)"""
    house: list[tuple[str, str, Mode, str]]
    markets: list[MarketImage]
    ids: list[tuple[str, int]]
    """Oldest first, with the digest of what was asked."""
    granted: list[UserId]
    outboxes: list[tuple[int, int, list[Receive]]]
    """(to_shard, last_number, pending)"""
    received: list[tuple[int, int]]


class LedgerParts(Protocol):
    """What a ledger is made of, as far as its state goes."""

    shard: int
    shards: int
    accounts: Accounts
    markets: dict[str, Market]
    transfers: Transfers


def state_hash(ledger: LedgerParts) -> str:
    """Name a ledger's state: equal for equal behaviour, whatever way led there."""
    return digest(encode(ledger))


def digest(state: bytes) -> str:
    """Hash an encoded state: BLAKE2b-128, hexadecimal."""
    return hashlib.blake2b(state, digest_size=16).hexdigest()


def encode(ledger: LedgerParts) -> bytes:
    """Encode a ledger's state as a `LedgerImage`."""
    transfers = ledger.transfers
    image = LedgerImage(
        shard=ledger.shard,
        shards=ledger.shards,
        users=[(a.user, a.asset, a.mode, a.available, a.held) for a in ledger.accounts.of_users()],
        house=[(a.owner, a.asset, a.mode, str(a.balance)) for a in ledger.accounts.of_house()],
        markets=[_market_image(ledger.markets[name]) for name in sorted(ledger.markets)],
        ids=list(transfers.ids.items()),
        granted=sorted(transfers.granted),
        outboxes=[
            (there, outbox.last_number, list(outbox.pending.values()))
            for there, outbox in sorted(transfers.outboxes.items())
            if outbox.last_number
        ],
        received=sorted(transfers.received.items()),
    )
    return msgspec.msgpack.encode(image)


def _market_image(market: Market) -> MarketImage:
    positions = [
        (user, position.held_buy, position.held_sell)
        for user, position in sorted(market.positions.items())
        if position.held_buy or position.held_sell
    ]
    return MarketImage(
        market.name,
        market.mode,
        market.base,
        market.quote,
        market.epoch,
        market.last_seq,
        market.last_reply,
        market.last_settlement,
        market.reconciled,
        positions,
    )
