"""Slipstream, Aerodrome's concentrated liquidity: Uniswap V3 with a fee that moves.

Source: `CLPool.sol` of Slipstream: ``slot0()`` is Uniswap's without ``feeProtocol``, the events are
Uniswap's, and ``fee()`` asks the factory's fee module, whose answer may change at every block
without a log.
"""

from functools import partial
from typing import Final

from chain_feeds.venues import concentrated, uniswap_v3
from chain_feeds.venues.venue import Venue

KIND: Final = "slipstream"
DIALECT: Final = uniswap_v3.DIALECT._replace(state_words=6, fee_moves=True)
VENUE: Final = Venue(
    topics=(concentrated.SWAP, concentrated.MINT, concentrated.BURN),
    read=partial(concentrated.read, dialect=DIALECT),
    decode_log=concentrated.decode_log,
    fee_change=concentrated.fee_change,
)
