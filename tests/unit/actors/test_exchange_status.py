"""What is published of everybody, and the ledger's sums read from it."""

import msgspec

from actors.account_shard import ShardStatus
from actors.exchange_status import LedgerRow, feed_rows, ledger_rows, read_actors


def _shard(*sums: tuple[str, int, int, int, int]) -> dict[str, object]:
    status = ShardStatus("account.0", "ready", True, 7, 1, "", list(sums), 0, 7)
    return {"pid": 1, **msgspec.to_builtins(status)}


def test_ledger_rows_add_up_the_shards_by_asset_and_mode():
    """Each asset and mode has one row, in order; what is no shard, or away, adds nothing."""
    document = msgspec.json.encode(
        {
            "time": 1.0,
            "actors": {
                "account:0": _shard(("USDC", 0, 0, 70, 30), ("VAIX", 0, 2, 5, 0)),
                "account:1": _shard(("USDC", 0, 0, 1, 2), ("USDC", 1, 0, 9, 0)),
                "account:2": {"pid": 0, "ready": False, "error": "away"},
                "pair:vaix": {"pid": 3, "sums": [["USDC", 0, 1, 1, 1]]},
            },
        }
    )
    assert ledger_rows(read_actors(document)) == [
        LedgerRow("USDC", "paper", 0, 71, 32),
        LedgerRow("USDC", "live", 0, 9, 0),
        LedgerRow("VAIX", "paper", 2, 5, 0),
    ]


def test_feed_rows_are_those_of_every_feed_actor():
    """A feed that is away, and whoever is no feed, has none."""
    recorded = {"chain": "base", "venues": []}
    node = {"chain": "ethereum", "venues": [{"pair": "vaix"}]}
    actors: dict[str, object] = {
        "feed:recorded": {"pid": 1, "base": recorded},
        "feed:ethereum": {"pid": 2, "ethereum": node},
        "feed:arbitrum": {"pid": 0, "ready": False, "error": "away"},
        "gateway:0": {"pid": 3, "arbitrum": node},
    }
    assert feed_rows(actors) == [recorded, node]


def test_actors_unpublished_are_none():
    """Before the first publication there is nothing to show."""
    assert read_actors(None) == {}
    assert ledger_rows({}) == []
