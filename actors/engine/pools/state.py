"""The state of an AMM pool as the engine knows it: the wire form that chain feeds produce.

A chain feed makes one of these from a node's bytes; the engine, the hybrid book and the gateway's
replica read it. ``base`` and ``quote`` are always the pair's, whatever the pool's token order;
amounts are in the *pool's* raw units (``PoolSpec.base_decimals``), which may differ from the
pair's. Where the token order changes a result (a price's direction, a rounding of the contract) the
form says it: ``base_is_token0``.

Integers of msgpack end at 64 bits. Larger ones travel in parts of 64 bits, the highest first (only
the highest part of a signed number is negative); ``of`` makes the parts, properties join them.
Fields are only ever appended, with a default. The swap mathematics are in `constant_product`,
`stable` and `concentrated`; which class belongs to which form is in `kinds`.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

import msgspec

from actors.engine.units import Side

_LOW: Final = (1 << 64) - 1
_SAME: Final = -1
"""A fee of a sale that is the same as that of a purchase."""


class PoolStatus(IntEnum):
    """Whether a pool's depth counts. Only LIVE depth stands in the hybrid book."""

    LIVE = 0
    STALE = 1
    DOWN = 2


class FeeRule(IntEnum):
    """How a constant-product pool takes its fee ``n/d`` of an input ``x``; append-only.

    * SCALED: Uniswap V2 and its forks, Camelot V2 volatile (n per token, d = 100,000). The formula
      runs on ``x * (d - n)`` without rounding a fee; all of ``x`` stays in the reserves.
    * FLOOR_LEAVES: Aerodrome and Velodrome volatile (d = 10,000): ``fee = x * n // d``; the fee
      leaves the pool, the reserves grow by ``x - fee``.
    * CEIL_STAYS: Raydium AMM v4 (25/10,000): ``fee = ceil(x * n / d)``; it stays in the reserves.
    * CEIL_SHARED: Raydium CPMM (d = 1,000,000): ``fee = ceil(x * n / d)``, of which the protocol's
      and the fund's part leave the reserves (``protocol_ppm``, ``fund_ppm``, each rounded down),
      and all of the creator's fee (``creator_num``, `CreatorFee`).
    """

    SCALED = 0
    FLOOR_LEAVES = 1
    CEIL_STAYS = 2
    CEIL_SHARED = 3


class CreatorFee(IntEnum):
    """The token in which a Raydium CPMM pool takes its creator's fee, in the pair's terms."""

    INPUT = 0
    BASE = 1
    QUOTE = 2


class StableRule(IntEnum):
    """Whose integer loop a stable pool runs; append-only."""

    SOLIDLY = 0
    """Aerodrome and Velodrome V2: ``_get_y`` with its step of one at the end."""
    CAMELOT = 1
    """Camelot V2: the older Newton iteration, which stops at a difference of one."""


class TickSteps(IntEnum):
    """Where a swap of concentrated liquidity rounds between two initialised ticks; append-only."""

    WORDS = 0
    """Also at every edge of a 256-tick bitmap word: Uniswap V3, Slipstream, Algebra V1."""
    INITIALISED = 1
    """Nowhere else: Algebra Integral (a linked list), Raydium CLMM (tick arrays)."""


class ConstantProduct(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=1):
    """x*y=k reserves, and how the fee is taken from the input.

    ``fee_num / fee_den`` is the fee of a purchase (quote goes in), and of a sale too unless
    ``sell_fee_num`` (over the same ``fee_den``) is given: Camelot's fee of token0 is the one of a
    swap that token0 goes into. The reserves are those the swap formula uses: of Raydium the vaults
    less what is owed to others (need_take_pnl; protocol, fund and creator fees). Raydium's
    ``creator_num`` is the creator's rate over ``fee_den``; 0 where the pool has none.

    Make it with `of`; further terms with ``msgspec.structs.replace(curve, fee_rule=…)``.
    """

    base_high: int
    base_low: int
    quote_high: int
    quote_low: int
    fee_num: int
    fee_den: int
    fee_rule: FeeRule = FeeRule.SCALED
    sell_fee_num: int = _SAME
    protocol_ppm: int = 0
    fund_ppm: int = 0
    creator_num: int = 0
    creator_on: CreatorFee = CreatorFee.INPUT

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

    def with_reserves(self, reserve_base: int, reserve_quote: int) -> "ConstantProduct":
        """Return the same pool with other reserves."""
        return ConstantProduct(
            reserve_base >> 64,
            reserve_base & _LOW,
            reserve_quote >> 64,
            reserve_quote & _LOW,
            self.fee_num,
            self.fee_den,
            self.fee_rule,
            self.sell_fee_num,
            self.protocol_ppm,
            self.fund_ppm,
            self.creator_num,
            self.creator_on,
        )

    @property
    def reserve_base(self) -> int:
        """The reserve of the base token, in the pool's raw units."""
        return self.base_high << 64 | self.base_low

    @property
    def reserve_quote(self) -> int:
        """The reserve of the quote token, in the pool's raw units."""
        return self.quote_high << 64 | self.quote_low

    def fee_of(self, side: Side) -> int:
        """Return the fee's numerator over ``fee_den`` for a taker of ``side``."""
        if side is Side.SELL and self.sell_fee_num != _SAME:
            return self.sell_fee_num
        return self.fee_num


class Stable(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=2):
    """x³y+y³x=k reserves of two tokens worth about the same, as Solidly introduced them.

    ``base_decimals`` and ``quote_decimals`` are the tokens' own: the curve counts both in 1e-18.
    ``fee_num / fee_den`` (10,000 for Aerodrome, 100,000 for Camelot) is the fee of a purchase, and
    of a sale too unless ``sell_fee_num`` is given; ``fee = x * n // d`` always.

    What of the fee leaves the reserves: all of it with SOLIDLY. With CAMELOT ``x * owner_share *
    n // (100,000 * fee_den)``: ``owner_share`` is the factory's, per 100,000 (50,000 by default),
    0 where the factory's ``feeTo`` is the zero address.
    """

    base_high: int
    base_low: int
    quote_high: int
    quote_low: int
    base_decimals: int
    quote_decimals: int
    fee_num: int
    fee_den: int
    rule: StableRule = StableRule.SOLIDLY
    base_is_token0: bool = True
    """`_get_y` of SOLIDLY rounds by token order in one of its branches."""
    sell_fee_num: int = _SAME
    owner_share: int = 0

    @classmethod
    def of(
        cls, reserves: tuple[int, int], decimals: tuple[int, int], fee_num: int, fee_den: int
    ) -> "Stable":
        """Make a curve from (base, quote) reserves (below 2**128) and (base, quote) decimals.

        Further terms with ``msgspec.structs.replace(curve, rule=…)``.
        """
        return cls(
            reserves[0] >> 64,
            reserves[0] & _LOW,
            reserves[1] >> 64,
            reserves[1] & _LOW,
            decimals[0],
            decimals[1],
            fee_num,
            fee_den,
        )

    def with_reserves(self, reserve_base: int, reserve_quote: int) -> "Stable":
        """Return the same pool with other reserves."""
        return msgspec.structs.replace(
            self,
            base_high=reserve_base >> 64,
            base_low=reserve_base & _LOW,
            quote_high=reserve_quote >> 64,
            quote_low=reserve_quote & _LOW,
        )

    @property
    def reserve_base(self) -> int:
        """The reserve of the base token, in the pool's raw units."""
        return self.base_high << 64 | self.base_low

    @property
    def reserve_quote(self) -> int:
        """The reserve of the quote token, in the pool's raw units."""
        return self.quote_high << 64 | self.quote_low

    def fee_of(self, side: Side) -> int:
        """Return the fee's numerator over ``fee_den`` for a taker of ``side``."""
        if side is Side.SELL and self.sell_fee_num != _SAME:
            return self.sell_fee_num
        return self.fee_num


class TickWindow(NamedTuple):
    """The part of a concentrated pool that is known: what `Concentrated.of` takes.

    Args:
        low_tick: with ``high_tick``, the bounds; both included. *Every* initialised tick between
            them is in ``nets``; of what lies outside nothing is known, so depth ends there.
        high_tick: at most the contract's last tick (887,272; 443,636 for Raydium).
        nets: ``liquidityNet`` by initialised tick, signed as in the contract; ticks outside the
            bounds and nets of zero are left out by `Concentrated.of`.
    """

    low_tick: int
    high_tick: int
    nets: Iterable[tuple[int, int]]


class ConcentratedTerms(NamedTuple):
    """What of a concentrated pool does not change with a swap: what `Concentrated.of` takes.

    Args:
        tick_spacing: the pool's; positions begin and end at its multiples.
        fee_ppm: the fee of a purchase (quote goes in), in millionths of the input.
        base_is_token0: the token order; prices and ticks in the form stay token1 per token0.
        sell_fee_ppm: the fee of a sale where it differs, else -1.
        steps: see `TickSteps`.
        q64: True for Raydium CLMM, whose square root has 64 fraction bits; 96 bits elsewhere.
    """

    tick_spacing: int
    fee_ppm: int
    base_is_token0: bool
    sell_fee_ppm: int = _SAME
    steps: TickSteps = TickSteps.WORDS
    q64: bool = False


class Concentrated(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=3):
    """Concentrated liquidity: the square root of the price, and the initialised ticks around it.

    ``sqrt_price`` is the contract's own number, of raw token1 per raw token0, with 96 fraction bits
    (64 with ``q64``); ``tick`` and ``liquidity`` are the contract's too. They are *not* turned into
    the pair's direction: ``base_is_token0`` says which way a purchase moves them (up when base is
    token0). ``ticks`` are (tick, net_high, net_low), ascending: ``net_high << 64 | net_low`` is the
    signed ``liquidityNet``. The fee is taken from the input.

    Make it with `of`.
    """

    sqrt_high: int
    sqrt_middle: int
    sqrt_low: int
    liquidity_high: int
    liquidity_low: int
    tick: int
    tick_spacing: int
    fee_ppm: int
    base_is_token0: bool
    low_tick: int
    high_tick: int
    ticks: tuple[tuple[int, int, int], ...]
    sell_fee_ppm: int = _SAME
    steps: TickSteps = TickSteps.WORDS
    q64: bool = False

    @classmethod
    def of(
        cls,
        sqrt_price: int,
        liquidity: int,
        tick: int,
        window: TickWindow,
        terms: ConcentratedTerms,
    ) -> "Concentrated":
        """Make a curve from the contract's numbers and a window of its ticks, in any order."""
        return cls(
            sqrt_price >> 128,
            sqrt_price >> 64 & _LOW,
            sqrt_price & _LOW,
            liquidity >> 64,
            liquidity & _LOW,
            tick,
            terms.tick_spacing,
            terms.fee_ppm,
            terms.base_is_token0,
            window.low_tick,
            window.high_tick,
            tuple(
                (at, net >> 64, net & _LOW)
                for at, net in sorted(window.nets)
                if net and window.low_tick <= at <= window.high_tick
            ),
            terms.sell_fee_ppm,
            terms.steps,
            terms.q64,
        )

    def moved(self, sqrt_price: int, liquidity: int, tick: int) -> "Concentrated":
        """Return the same pool at another price, as a swap leaves it."""
        return msgspec.structs.replace(
            self,
            sqrt_high=sqrt_price >> 128,
            sqrt_middle=sqrt_price >> 64 & _LOW,
            sqrt_low=sqrt_price & _LOW,
            liquidity_high=liquidity >> 64,
            liquidity_low=liquidity & _LOW,
            tick=tick,
        )

    @property
    def sqrt_price(self) -> int:
        """The square root of token1 per token0, with 96 (``q64``: 64) fraction bits."""
        return self.sqrt_high << 128 | self.sqrt_middle << 64 | self.sqrt_low

    @property
    def liquidity(self) -> int:
        """The liquidity in range at ``sqrt_price``."""
        return self.liquidity_high << 64 | self.liquidity_low

    def nets(self) -> list[tuple[int, int]]:
        """Return (tick, liquidityNet) of the window's initialised ticks, ascending."""
        return [(tick, high << 64 | low) for tick, high, low in self.ticks]

    def fee_of(self, side: Side) -> int:
        """Return the fee in millionths of the input for a taker of ``side``."""
        if side is Side.SELL and self.sell_fee_ppm != _SAME:
            return self.sell_fee_ppm
        return self.fee_ppm


CurveState = ConstantProduct | Stable | Concentrated
"""Any pool's curve, told apart by its tag."""


class PoolState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a pool was at a block.

    Args:
        pool_id: ``PoolSpec.pool_id``.
        status: LIVE, or why its depth does not count.
        curve: the reserves or ticks; None while nothing is known.
        block: block or slot number; 0 while unknown.
        block_time_ns: the block's own time.
        source: ``node`` or ``recorded``.
        detail: one line for people, why a pool is not live.
        block_hash: hexadecimal, "" where a chain has none.
        supply_high: with ``supply_low``, what exists of the base token on this chain, as its
            contract said at about this block (``totalSupply()``; the mint account's supply), in the
            pool's raw units; 0 while unknown. Set it with `with_supply`.
        supply_low: its lower 64 bits.
    """

    pool_id: str
    status: PoolStatus
    curve: CurveState | None
    block: int
    block_time_ns: int
    source: str = "node"
    detail: str = ""
    block_hash: str = ""
    supply_high: int = 0
    supply_low: int = 0

    @property
    def base_supply(self) -> int:
        """What exists of the base token on this chain, in the pool's raw units; 0 for unknown."""
        return self.supply_high << 64 | self.supply_low

    def with_supply(self, supply_raw: int) -> "PoolState":
        """Return the state with the base token's supply; one of 2**128 or more is unknown (0)."""
        known = supply_raw if 0 < supply_raw < 1 << 128 else 0
        return msgspec.structs.replace(self, supply_high=known >> 64, supply_low=known & _LOW)
