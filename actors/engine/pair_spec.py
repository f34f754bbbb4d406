"""What a pair is: its assets, its grid of prices and sizes, its fees and its bounds."""

from decimal import Decimal

import msgspec

from actors.engine.units import PPM


class AssetSpec(msgspec.Struct, frozen=True):
    """An asset: ``decimals`` places, so 1 whole unit is ``10 ** decimals`` raw units."""

    symbol: str
    decimals: int
    paper_grant: str = "0"
    supply: str = "0"
    """Whole units in circulation, shown as ``supply`` until a chain says better."""


class PoolSpec(msgspec.Struct, frozen=True):
    """An AMM pool that stands beside a pair's book.

    ``pool_id`` is ``chain:address`` in lower case and unique in the pair. ``kind`` names a decoder
    in ``chain_feeds/venues``: ``uniswap_v2`` … ``base_is_token0`` tells the token order.
    """

    pool_id: str
    venue: str
    chain: str
    kind: str
    address: str
    base_address: str
    quote_address: str
    base_decimals: int
    quote_decimals: int
    fee_ppm: int


class PairSpec(msgspec.Struct, frozen=True):
    """One listed pair. ``tick_size`` and ``lot_size`` are decimal strings in whole units.

    Raises:
        ValueError: the grid is impossible; the message names the field and what to change.
    """

    symbol: str
    """The base symbol in lower case: the pair's name in paths, streams and actor names."""
    base: AssetSpec
    quote: AssetSpec
    tick_size: str
    lot_size: str
    min_order_lots: int = 1
    max_order_lots: int = 10**15
    max_price_ticks: int = 10**15
    maker_fee_ppm: int = 0
    taker_fee_ppm: int = 1_000
    price_protection_ppm: int = 50_000
    """A market order never walks further than this from the first price it could take."""
    max_open_orders: int = 200
    """Per user, unless the command carries the larger bound of the user's tier."""
    ladder_levels: int = 40
    """Virtual levels a side that each pool contributes to the hybrid book."""
    ladder_step_ppm: int = 500
    """Distance between two ladder points, at least one tick."""
    pools: tuple[PoolSpec, ...] = ()
    live_enabled: bool = False
    holds_enabled: bool = True
    """False only in the bare matching benchmark: no holds, fees or self-trade prevention."""

    def __post_init__(self) -> None:
        """Check the grid, so that every later product is exact."""
        if self.symbol != self.symbol.lower():
            raise ValueError(f"symbol {self.symbol!r} must be lower case")
        if not 0 <= self.base.decimals <= 12 or not 0 <= self.quote.decimals <= 12:
            raise ValueError("an asset's decimals on the exchange must be from 0 to 12")
        for name in ("tick_size", "lot_size"):
            if Decimal(getattr(self, name)) <= 0:
                raise ValueError(f"{name} must be above zero, was {getattr(self, name)!r}")
        if self._whole(Decimal(self.lot_size).scaleb(self.base.decimals)) is None:
            raise ValueError(f"lot_size {self.lot_size} is finer than one unit of the base asset")
        product = Decimal(self.tick_size) * Decimal(self.lot_size)
        if self._whole(product.scaleb(self.quote.decimals)) is None:
            raise ValueError(
                f"tick_size x lot_size = {product} is not a whole number of quote units "
                f"(10^-{self.quote.decimals}); make the tick or the lot larger"
            )
        if not 0 <= self.maker_fee_ppm <= self.taker_fee_ppm < PPM:
            raise ValueError("fees must satisfy 0 <= maker <= taker < 100 %")

    @staticmethod
    def _whole(value: Decimal) -> int | None:
        return int(value) if value == value.to_integral_value() and value >= 1 else None

    @property
    def base_raw_per_lot(self) -> int:
        """Raw base units in one lot."""
        return int(Decimal(self.lot_size).scaleb(self.base.decimals))

    @property
    def quote_raw_per_tick_lot(self) -> int:
        """Raw quote units that one lot costs per tick of price."""
        product = Decimal(self.tick_size) * Decimal(self.lot_size)
        return int(product.scaleb(self.quote.decimals))
