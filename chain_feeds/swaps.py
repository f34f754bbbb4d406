"""Swaps that others made on chain, for the pairs' tapes: each named the same however often told."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from actors.engine.commands import PoolTraded, swap_id
from actors.engine.units import NS_PER_S
from chain_feeds.inputs import PoolEvent, Swap
from chain_feeds.missed import MissedBlocks, MissedSwap
from chain_feeds.settings import FeedPool

_AMOUNT_MAX: Final = 2**128 - 1
_TRANSACTIONS_MAX: Final = 10_000
_WAITING_MAX: Final = 10_000
"""More swaps than this that nobody took: the oldest are dropped."""
_PER_POOL: Final = 1_000
"""Names of one pool's swaps in a transaction; they must differ from those of the pair's others."""


class _Held(NamedTuple):
    """A swap that waits until those before it are known."""

    event: PoolEvent
    swap: Swap
    time_ns: int

    @property
    def place(self) -> tuple[int, int]:
        return self.event.block, self.event.log_index


class SwapTape:
    """Names swaps and hands each out once, in the order of the chain.

    A log that comes twice is one swap. In a block that replaces another, the same transaction's
    swaps get the same names, by which the pair knows them. While swaps are missing, newer ones
    wait for them.

    Args:
        pools: the chain's listed pools.
        missed_max: how many blocks that were missed are asked for at most.
    """

    def __init__(self, pools: Sequence[FeedPool], missed_max: int) -> None:
        self.missed = MissedBlocks(missed_max)
        self._held: list[_Held] = []
        self._pools = {pool.key: (number, pool) for number, pool in enumerate(pools)}
        self._seen: OrderedDict[tuple[str, str, str], list[int]] = OrderedDict()
        self._waiting: list[tuple[str, PoolTraded]] = []

    def print(self, event: PoolEvent, swap: Swap, time_ns: int) -> None:
        """Take in a swap of a block that is part of the chain, whose own time is given."""
        if self.missed.are_owed:
            self._held.append(_Held(event, swap, time_ns))
            del self._held[:-_WAITING_MAX]
        else:
            self._print(event, swap, time_ns)

    def fill(self, told: Sequence[MissedSwap]) -> None:
        """Take in the swaps that were asked for: they come before those that waited for them."""
        self._held += [
            _Held(event, event.swap, time_s * NS_PER_S)
            for event, time_s in told
            if event.swap is not None and event.pool in self._pools
        ]
        self.missed.answered()

    def take(self) -> list[tuple[str, PoolTraded]]:
        """Return the (pair, swap) that came since the last call, in order."""
        if self._held and not self.missed.are_owed:
            held, self._held = sorted(self._held, key=lambda held: held.place), []
            for waited in held:
                self._print(*waited)
        taken, self._waiting = self._waiting, []
        return taken

    def _print(self, event: PoolEvent, swap: Swap, time_ns: int) -> None:
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
