"""The kinds of pools on Solana, by the name that ``PoolSpec.kind`` carries."""

from typing import Final

from chain_feeds.venues import raydium_amm, raydium_clmm, raydium_cpmm
from chain_feeds.venues.raydium import SolanaVenue

SOLANA_VENUES: Final[dict[str, SolanaVenue]] = {
    raydium_amm.KIND: raydium_amm.VENUE,
    raydium_cpmm.KIND: raydium_cpmm.VENUE,
    raydium_clmm.KIND: raydium_clmm.VENUE,
}
