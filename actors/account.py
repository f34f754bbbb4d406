"""The Ray shell of an account shard; what it does is in `account_shard`.

The class is plain: only `registry` makes a Ray actor of it. Its constructor returns at once and
recovery runs in the background, so a restarting shard answers `Recovering` instead of nothing. Each
call waits for the disk, so the actor needs `THREADS`.
"""

import gc
import os
import sys
from collections.abc import Callable
from typing import Final

from actors.account_recovery import ShardName
from actors.account_shard import ShardOptions, ShardRuntime, ShardStatus, ShardStore
from actors.ports import BlockingAccountPort

THREADS: Final = 16
"""How many calls an actor must serve at once (``max_concurrency``): above
`ShardOptions.parked_max`, or waiting reads keep out the settlements that they wait for."""

Wiring = Callable[[], tuple[ShardStore, dict[int, BlockingAccountPort]]]
"""Opens the store and the ways to the other shards, in the actor's own process."""


def end_process(message: str) -> None:
    """Say why, and end at once: nothing that waits may still be answered."""
    sys.stderr.write(f"{message}; this process ends, its successor recovers from the journal\n")
    sys.stderr.flush()
    os._exit(1)


class AccountShard:
    """One account shard as an actor.

    Args:
        shard: its number.
        shards: how many there are.
        wiring: opens what the shard needs.
    """

    def __init__(self, shard: int, shards: int, wiring: Wiring) -> None:
        gc.set_threshold(100_000, 50, 1_000)  # the ledger's objects live long and make no cycles
        store, peers = wiring()
        name, options = ShardName(shard, shards), ShardOptions(freezes=True)
        self._shard = ShardRuntime(name, store, peers, end_process, options)
        self._shard.start()

    def call(self, request: bytes) -> bytes:
        """Answer one encoded `LedgerRequest`."""
        return self._shard.call(request)

    def status(self) -> ShardStatus:
        """Tell how the shard is."""
        return self._shard.status()

    def stop(self) -> None:
        """Serve what has arrived, then end the threads."""
        self._shard.stop()
