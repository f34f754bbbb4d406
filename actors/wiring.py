"""What an actor opens in its own process: the store, and the ways to the other actors.

These functions pickle by name; with `functools.partial` an actor's plan carries them to where the
actor runs, and nothing is opened, nor its modules imported, before they are called there.
"""

from typing import TYPE_CHECKING

from actors.engine.pair_spec import PairSpec
from actors.listing import account_actor, pair_actor
from actors.ports import BlockingAccountPort, Journal

if TYPE_CHECKING:
    from actors.account_shard import ShardStore
    from actors.pair_runtime import Recover

PAIR_TIMEOUT_S = 15.0


def open_pair(redis_url: str, spec: PairSpec, shards: int) -> "tuple[Journal, Recover]":
    """Open what a pair's actor needs (`pair.PairWiring`)."""
    from actors.journal.redis import RedisJournal
    from actors.journal.snapshots import RedisSnapshots
    from actors.pair_recovery import PairRecovery

    recovery = PairRecovery(spec, shard_ports(shards), RedisSnapshots(redis_url))
    return RedisJournal(redis_url), recovery


def open_shard(
    redis_url: str, shard: int, shards: int
) -> "tuple[ShardStore, dict[int, BlockingAccountPort]]":
    """Open what an account shard's actor needs (`account.Wiring`)."""
    from actors.account_shard import ShardStore
    from actors.journal.redis import RedisJournal
    from actors.journal.snapshots import RedisSnapshots

    peers = dict(enumerate(shard_ports(shards)))
    del peers[shard]
    return ShardStore(RedisJournal(redis_url), RedisSnapshots(redis_url)), peers


def shard_ports(shards: int) -> list[BlockingAccountPort]:
    """Name the ways to all account shards from a plain thread, by number."""
    from actors.ray_ports import open_blocking_port

    return [open_blocking_port(account_actor(shard), "call") for shard in range(shards)]


def pair_ports(symbols: tuple[str, ...]) -> dict[str, BlockingAccountPort]:
    """Name the ways to pairs from a plain thread, by symbol."""
    from actors.ray_ports import open_blocking_port

    return {
        symbol: open_blocking_port(pair_actor(symbol), "submit", PAIR_TIMEOUT_S)
        for symbol in symbols
    }
