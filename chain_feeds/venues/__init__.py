"""Venues: one file for each kind of pool, pure, from a contract's bytes to a pool curve.

`VENUES` finds a kind's decoder by the name that ``PoolSpec.kind`` carries.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import ConstantProduct
from chain_feeds.venues import uniswap_v2


class Venue(NamedTuple):
    """What a source must know of a kind of pool.

    Args:
        topic: the event after which a pool's state has changed, and which carries it whole.
        snapshot_call: the call data whose answer is the whole state.
        decode_log: (pool, topics, data) to the curve; raises `DecodeError`.
        decode_snapshot: (pool, answer) to the curve; raises `DecodeError`.
    """

    topic: str
    snapshot_call: str
    decode_log: Callable[[PoolSpec, list[str], bytes], ConstantProduct]
    decode_snapshot: Callable[[PoolSpec, bytes], ConstantProduct]


VENUES: Final[dict[str, Venue]] = {
    uniswap_v2.KIND: Venue(
        topic=uniswap_v2.SYNC_TOPIC,
        snapshot_call=uniswap_v2.GET_RESERVES,
        decode_log=uniswap_v2.decode_sync,
        decode_snapshot=uniswap_v2.decode_reserves,
    ),
}
