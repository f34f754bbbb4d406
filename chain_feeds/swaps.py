"""Swaps that others made on chain, for the pairs' tapes: each named the same however often told."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import msgspec

from actors.engine.commands import PoolTraded, swap_id
from chain_feeds.inputs import PoolEvent, Swap
from chain_feeds.settings import FeedPool

_AMOUNT_MAX: Final = 2**128 - 1
_TRANSACTIONS_MAX: Final = 10_000
_WAITING_MAX: Final = 10_000
"""More swaps than this that nobody took: the oldest are dropped."""
_PER_POOL: Final = 1_000
"""Names of one pool's swaps in a transaction; they must differ from those of the pair's others."""


class SwapTape:
    """Names swaps and hands each out once.

    A log that comes twice is one swap. In a block that replaces another, the same transaction's
    swaps get the same names, by which the pair knows them.

    Args:
        pools: the chain's listed pools.
    """

    def __init__(self, pools: Sequence[FeedPool]) -> None:
        self._pools = {pool.key: (number, pool) for number, pool in enumerate(pools)}
        self._seen: OrderedDict[tuple[str, str, str], list[int]] = OrderedDict()
        self._waiting: list[tuple[str, PoolTraded]] = []

    def print(self, event: PoolEvent, swap: Swap, time_ns: int) -> None:
        """Take in a swap of a block that is part of the chain, whose own time is given."""
        if not (0 < swap.base_raw <= _AMOUNT_MAX and 0 < swap.quote_raw <= _AMOUNT_MAX):
            return
        number, pool = self._pools[event.pool]
        told = self._seen.setdefault((event.pool, swap.transaction, event.block_hash), [])
        if event.log_index in told:
            return
        if len(self._seen) > _TRANSACTIONS_MAX:
            self._seen.popitem(last=False)
        name = swap_id(swap.transaction, number * _PER_POOL + len(told))
        told.append(event.log_index)
        amounts = (swap.base_raw, swap.quote_raw)
        traded = PoolTraded.of(name, pool.spec.pool_id, swap.side, amounts, event.block)
        traded = msgspec.structs.replace(traded, block_time_ns=time_ns)
        self._waiting.append((pool.symbol, traded))
        del self._waiting[:-_WAITING_MAX]

    def take(self) -> list[tuple[str, PoolTraded]]:
        """Return the (pair, swap) that came since the last call, in order."""
        taken, self._waiting = self._waiting, []
        return taken
