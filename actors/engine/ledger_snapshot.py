"""A ledger as bytes that can be stored, and read back.

A snapshot is a `LedgerSnapshot`: a version, the number of the last journal record it contains, and
the canonical state (`ledger_image`) with its hash.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from actors.engine.ledger import Ledger
from actors.engine.ledger_image import LedgerImage, digest, encode
from actors.engine.ledger_market import Market
from actors.engine.ledger_transfers import Outbox

VERSION: Final = 1


class SnapshotError(ValueError):
    """A snapshot is of another version or shard, damaged, or not one; recovery passes it over."""


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
    state = encode(ledger)
    named = digest(state)
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
        if not sealed or digest(envelope.state) != envelope.state_hash:
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


def _seal(sequence: int, named: str) -> str:
    return digest(f"{sequence} {named}".encode())


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
