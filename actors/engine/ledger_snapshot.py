"""A ledger as bytes, and the hash that names its state.

A snapshot is a `LedgerSnapshot`: a version, the number of the last journal record it contains, and
the canonical state with its hash. Canonical: sorted, without caches; two ledgers that behave alike
have the same bytes. Balances of the house are decimal strings, because a pool's may leave 64 bits.
"""

import hashlib
from collections import OrderedDict
from typing import Final

import msgspec

from actors.engine.ledger import Ledger
from actors.engine.ledger_commands import Posted, Receive
from actors.engine.ledger_market import Market
from actors.engine.ledger_transfers import Outbox
from actors.engine.units import Mode, UserId

VERSION: Final = 1


class SnapshotError(ValueError):
    """A snapshot is of another version or shard, damaged, or not one; recovery passes it over."""


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


class LedgerSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """The envelope; ``sequence`` is the last journal record that is in ``state``.

    ``seal`` is over sequence and state hash, and the state hash over the state.
    """

    version: int
    sequence: int
    state_hash: str
    state: bytes
    seal: str


def snapshot(ledger: Ledger, sequence: int) -> bytes:
    """Encode a ledger as it was after journal record ``sequence``."""
    state = _encode(ledger)
    named = _hash(state)
    envelope = LedgerSnapshot(VERSION, sequence, named, state, _seal(sequence, named))
    return msgspec.msgpack.encode(envelope)


def restore(data: bytes, shard: int, shards: int) -> tuple[Ledger, int]:
    """Build the ledger of a snapshot.

    Returns:
        The validated ledger, and the number of the last journal record it contains.

    Raises:
        SnapshotError: the bytes are not a whole snapshot of this version and shard.
        InvariantError: the state contradicts itself.
    """
    try:
        envelope = msgspec.msgpack.decode(data, type=LedgerSnapshot)
        if envelope.version != VERSION:
            raise SnapshotError(f"snapshot version was {envelope.version}, expected {VERSION}")
        sealed = _seal(envelope.sequence, envelope.state_hash) == envelope.seal
        if not sealed or _hash(envelope.state) != envelope.state_hash:
            raise SnapshotError(f"snapshot at {envelope.sequence}: its hashes do not match")
        image = msgspec.msgpack.decode(envelope.state, type=LedgerImage)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotError(f"not a ledger snapshot: {error}") from error
    if (image.shard, image.shards) != (shard, shards):
        raise SnapshotError(
            f"the snapshot is of shard {image.shard} of {image.shards}, expected {shard} of "
            f"{shards}; the number of shards is fixed once balances exist"
        )
    ledger = _build(image)
    ledger.validate()
    return ledger, envelope.sequence


def state_hash(ledger: Ledger) -> str:
    """Name a ledger's state: equal for equal behaviour, whatever way led there."""
    return _hash(_encode(ledger))


def _hash(state: bytes) -> str:
    return hashlib.blake2b(state, digest_size=16).hexdigest()


def _seal(sequence: int, named: str) -> str:
    return _hash(f"{sequence} {named}".encode())


def _encode(ledger: Ledger) -> bytes:
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


def _build(image: LedgerImage) -> Ledger:
    ledger = Ledger(image.shard, image.shards)
    for user, asset, mode, available, held in image.users:
        account = ledger.accounts.open(user, asset, mode)
        account.available = available
        account.held = held
    for owner, asset, mode, balance in image.house:
        ledger.accounts.house(owner, asset, mode).balance = int(balance)
    for saved in image.markets:
        market = Market(ledger.accounts, saved.name, saved.mode, saved.base, saved.quote)
        market.raise_epoch(saved.epoch)
        market.last_seq = saved.last_seq
        market.last_reply = saved.last_reply
        market.last_settlement = saved.last_settlement
        market.reconciled = saved.reconciled
        for user, held_buy, held_sell in saved.positions:
            market.restore_hold(user, held_buy, held_sell)
        ledger.markets[saved.name] = market
    transfers = ledger.transfers
    transfers.ids = OrderedDict(image.ids)
    transfers.granted = set(image.granted)
    for there, last_number, pending in image.outboxes:
        outbox = transfers.outboxes[there] = Outbox()
        outbox.last_number = last_number
        outbox.pending = OrderedDict((receive.number, receive) for receive in pending)
    transfers.received = dict(image.received)
    return ledger
