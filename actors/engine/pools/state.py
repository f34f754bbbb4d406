"""The state of an AMM pool as the engine knows it.

A chain feed makes one of these from a node's bytes; the engine, the hybrid book and the gateway's
replica read it. ``base`` and ``quote`` are the pair's, whatever the pool's token order; amounts
are in the *pool's* raw units (``PoolSpec.base_decimals``), which may differ from the pair's.
"""

from enum import IntEnum

import msgspec

_LOW = (1 << 64) - 1


class PoolStatus(IntEnum):
    """Whether a pool's depth counts. Only LIVE depth stands in the hybrid book."""

    LIVE = 0
    STALE = 1
    DOWN = 2


class ConstantProduct(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=1):
    """x*y=k reserves; the fee is taken from the input, ``fee_num / fee_den`` of it.

    A reserve of 18-decimal tokens needs up to 112 bits, and an integer of msgpack ends at 64: the
    fields carry halves, `of` makes them and `reserve_base`, `reserve_quote` join them again.
    """

    base_high: int
    base_low: int
    quote_high: int
    quote_low: int
    fee_num: int
    fee_den: int

    @classmethod
    def of(
        cls, reserve_base: int, reserve_quote: int, fee_num: int, fee_den: int
    ) -> "ConstantProduct":
        """Make a curve from whole reserves, in the pool's raw units (below 2**128)."""
        return cls(
            reserve_base >> 64,
            reserve_base & _LOW,
            reserve_quote >> 64,
            reserve_quote & _LOW,
            fee_num,
            fee_den,
        )

    @property
    def reserve_base(self) -> int:
        """The reserve of the base token, in the pool's raw units."""
        return self.base_high << 64 | self.base_low

    @property
    def reserve_quote(self) -> int:
        """The reserve of the quote token, in the pool's raw units."""
        return self.quote_high << 64 | self.quote_low


class PoolState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a pool was at a block.

    Args:
        pool_id: ``PoolSpec.pool_id``.
        status: LIVE, or why its depth does not count.
        curve: the reserves; None while nothing is known.
        block: block or slot number; 0 while unknown.
        block_time_ns: the block's own time.
        source: ``node`` or ``recorded``.
        detail: one line for people, why a pool is not live.
        block_hash: hexadecimal, "" where a chain has none.
    """

    pool_id: str
    status: PoolStatus
    curve: ConstantProduct | None
    block: int
    block_time_ns: int
    source: str = "node"
    detail: str = ""
    block_hash: str = ""
