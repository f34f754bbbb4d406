"""Venues: one file for each kind of pool, pure, from a contract's bytes to a pool curve.

`VENUES` finds the venue of an EVM chain by the name that ``PoolSpec.kind`` carries.
"""

from typing import Final

from chain_feeds.venues import aerodrome, algebra, camelot_v2, slipstream, uniswap_v2, uniswap_v3
from chain_feeds.venues.venue import Venue

VENUES: Final[dict[str, Venue]] = {
    uniswap_v2.KIND: uniswap_v2.VENUE,
    uniswap_v3.KIND: uniswap_v3.VENUE,
    **aerodrome.VENUES,
    slipstream.KIND: slipstream.VENUE,
    camelot_v2.KIND: camelot_v2.VENUE,
    **algebra.VENUES,
}
