"""What the supervisor publishes about everybody, and how it is read: one document in the store.

Written by `supervisor`; read by `tandem status` and by the gateways' metrics, so that neither asks
an actor.
"""

from typing import Any, Final

import msgspec

from actors.engine.units import Mode

STATUS: Final = "tandem:status"
"""The key: ``{"time": …, "actors": {name: its status}}``; it ends by itself when nobody writes."""

_ACCOUNT: Final = "account:"
_FEED: Final = "feed:"


class LedgerRow(msgspec.Struct, frozen=True):
    """What all accounts of one asset and mode sum to, over the shards' last audits."""

    asset: str
    mode: str
    sum_raw: int
    """Must be 0. Each shard sums to zero at every moment, so it matters not when each was asked."""
    available_raw: int
    """The users' alone, as ``held_raw``."""
    held_raw: int


def read_actors(document: bytes | None) -> dict[str, Any]:
    """Read the actors' statuses by name; {} where nothing is published."""
    actors: dict[str, Any] = msgspec.json.decode(document)["actors"] if document else {}
    return actors


def feed_rows(actors: dict[str, Any]) -> list[dict[str, Any]]:
    """Give every chain's feed as it described itself (`chain_feeds.feed_status`), by name."""
    return [
        status
        for name, chains in actors.items()
        if name.startswith(_FEED)
        for status in chains.values()
        if isinstance(status, dict) and "venues" in status
    ]


def ledger_rows(actors: dict[str, Any]) -> list[LedgerRow]:
    """Add up the account shards' audits, by asset and mode in order."""
    totals: dict[tuple[str, int], list[int]] = {}
    for name, status in actors.items():
        if name.startswith(_ACCOUNT):
            for asset, mode, *amounts in status.get("sums", ()):
                known = totals.get((asset, mode), [0, 0, 0])
                totals[asset, mode] = [a + b for a, b in zip(known, amounts, strict=True)]
    return [
        LedgerRow(asset, Mode(mode).name.lower(), *amounts)
        for (asset, mode), amounts in sorted(totals.items())
    ]
