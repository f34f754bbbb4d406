"""What is listed, as every process of the exchange needs to know it, and the names that follow.

A market is one pair in one mode; its name is its stream's name, and the accounts' name for it.
"""

from decimal import Decimal

import msgspec

from actors.engine.pair_spec import AssetSpec, PairSpec
from actors.engine.units import Mode

NAMESPACE = "tandem"
"""The Ray namespace of every actor."""


class Listing(msgspec.Struct, frozen=True):
    """The listed pairs, and how many account shards share the owners."""

    pairs: tuple[PairSpec, ...]
    shards: int

    def pair(self, symbol: str) -> PairSpec:
        """Find a pair by its symbol.

        Raises:
            KeyError: no such pair is listed.
        """
        for spec in self.pairs:
            if spec.symbol == symbol:
                return spec
        raise KeyError(symbol)

    def assets(self) -> dict[str, AssetSpec]:
        """Give every asset that some pair trades, by symbol."""
        found: dict[str, AssetSpec] = {}
        for spec in self.pairs:
            found[spec.base.symbol] = spec.base
            found[spec.quote.symbol] = spec.quote
        return found

    def paper_grants(self) -> dict[str, int]:
        """Give what a new account gets in paper mode, in raw units per asset."""
        return {
            symbol: int(Decimal(asset.paper_grant).scaleb(asset.decimals))
            for symbol, asset in self.assets().items()
            if Decimal(asset.paper_grant) > 0
        }

    def markets(self) -> list[str]:
        """Name every market, both modes of each pair."""
        return [market_name(spec.symbol, mode) for spec in self.pairs for mode in Mode]

    def streams(self) -> list[str]:
        """Name every journal stream: the markets and the account shards."""
        return self.markets() + [shard_stream(shard) for shard in range(self.shards)]


def market_name(symbol: str, mode: Mode) -> str:
    """Name a market: ``vaix.paper``."""
    return f"{symbol}.{mode.name.lower()}"


def shard_stream(shard: int) -> str:
    """Name an account shard's stream: ``account.0``."""
    return f"account.{shard}"


def pair_actor(symbol: str) -> str:
    """Name a pair's actor: ``pair:vaix``."""
    return f"pair:{symbol}"


def account_actor(shard: int) -> str:
    """Name an account shard's actor: ``account:0``."""
    return f"account:{shard}"
