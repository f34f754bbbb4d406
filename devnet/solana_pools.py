"""Raydium pools on a Solana development network, in the true layouts, and swaps in them.

The programs themselves are published nowhere as packages. So a pool's account is written past
them, while mints, vaults and every transfer are the real SPL program's; a swap is two transfers in
one transaction, and what the program would write into the pool is written in the same slot.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Final

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.constant_product import after_swap, amount_out
from actors.engine.pools.state import Concentrated, ConstantProduct, CurveState
from actors.engine.pools.tick_math import tick_at
from actors.engine.pools.tick_road import TickRoad
from actors.engine.units import Side
from chain_feeds.venues import raydium_amm, raydium_clmm, raydium_cpmm
from chain_feeds.venues.account_layout import Account, Layout
from chain_feeds.venues.solana import SOLANA_VENUES
from devnet.solana_tokens import Wallet, account_json, keypair

BASE_DECIMALS: Final = 9
USDC_DECIMALS: Final = 6
SUPPLIES: Final = {"vaix": 10**9, "sbio": 10**8, "btc": 21 * 10**6, "eth": 12 * 10**7}
"""Whole base tokens; as many of another."""
_SUPPLY_ELSE: Final = 10**9
_USDC_SUPPLY: Final = 10**18
_SPACING: Final = 60
_FEE_PPM: Final = {raydium_amm.KIND: 2_500, raydium_cpmm.KIND: 2_500, raydium_clmm.KIND: 2_500}


@dataclass(frozen=True)
class SolanaMarket:
    """One pool to be made: its pair, kind, first price in USDC and USDC on its quote side."""

    symbol: str
    kind: str
    price: float
    quote_depth: float


DEFAULT_MARKETS: Final = (
    SolanaMarket("vaix", raydium_amm.KIND, 0.003, 400_000.0),
    SolanaMarket("vaix", raydium_cpmm.KIND, 0.003, 300_000.0),
    SolanaMarket("sbio", raydium_cpmm.KIND, 0.05, 600_000.0),
    SolanaMarket("btc", raydium_clmm.KIND, 65_000.0, 8_000_000.0),
    SolanaMarket("eth", raydium_clmm.KIND, 3_200.0, 6_000_000.0),
)


@dataclass(frozen=True)
class SolanaPool:
    """A pool that stands on the node."""

    market: SolanaMarket
    spec: PoolSpec
    vaults: tuple[str, str]
    """The (base, quote) vaults."""


class SolanaNetwork:
    """Tokens and pools on one node.

    Args:
        wallet: owns everything.
        markets: the pools to make.
    """

    def __init__(self, wallet: Wallet, markets: tuple[SolanaMarket, ...] = DEFAULT_MARKETS) -> None:
        self.wallet = wallet
        self.usdc = wallet.make_mint("usdc", USDC_DECIMALS, _USDC_SUPPLY)
        self._mints: dict[str, str] = {}
        self.pools = tuple(self._make(market) for market in markets)

    def accounts(self, pool: SolanaPool) -> dict[str, Account]:
        """Read every account of a pool, as the newest transactions left them."""
        (own,) = self.wallet.read([pool.spec.address]).values()
        plan = SOLANA_VENUES[pool.spec.kind].plan(pool.spec, own)
        return self.wallet.read(sorted(plan.all))

    def curve(self, pool: SolanaPool) -> CurveState:
        """Read a pool's state, as the newest transactions left it."""
        return SOLANA_VENUES[pool.spec.kind].decode(pool.spec, self.accounts(pool), 2**40)

    def swap(self, pool: SolanaPool, side: Side, amount_in: int) -> tuple[int, int]:
        """Swap exactly ``amount_in``; returns what went in and what came out, raw.

        Raises:
            DevnetError: the node refuses it, or the pool does not hold so much.
        """
        accounts = self.accounts(pool)
        curve = SOLANA_VENUES[pool.spec.kind].decode(pool.spec, accounts, 2**40)
        paid, taken, values = _SWAPS[pool.spec.kind](pool.spec, accounts, curve, (side, amount_in))
        base, quote = pool.vaults
        paid_to, taken_from = (quote, base) if side is Side.BUY else (base, quote)
        mints = pool.spec.base_address, pool.spec.quote_address
        mint_in, mint_out = mints[::-1] if side is Side.BUY else mints
        own_in, own_out = (str(self.wallet.account_of(mint)) for mint in (mint_in, mint_out))
        written = _written(accounts[pool.spec.address], _LAYOUTS[pool.spec.kind], values)
        self.wallet.send(
            [
                self.wallet.transfer(own_in, paid_to, paid),
                self.wallet.transfer(taken_from, own_out, taken),
            ],
            accounts={pool.spec.address: account_json(written)},
        )
        return paid, taken

    def write(self, pool: SolanaPool, values: Mapping[str, int | str]) -> None:
        """Write fields of a pool's account, as an administrator's transaction would."""
        accounts = self.wallet.read([pool.spec.address])
        written = _written(accounts[pool.spec.address], _LAYOUTS[pool.spec.kind], values)
        self.wallet.node.rpc("svm_setAccounts", {pool.spec.address: account_json(written)})

    def _make(self, market: SolanaMarket) -> SolanaPool:
        symbol = market.symbol
        if symbol not in self._mints:
            supply = SUPPLIES.get(symbol, _SUPPLY_ELSE) * 10**BASE_DECIMALS
            self._mints[symbol] = self.wallet.make_mint(symbol, BASE_DECIMALS, supply)
        name = f"{market.kind} {symbol}"
        address = str(keypair(f"pool {name}").pubkey())
        base = int(market.quote_depth / market.price * 10**BASE_DECIMALS)
        quote = int(market.quote_depth * 10**USDC_DECIMALS)
        vaults = (
            self.wallet.make_vault(f"{name} base", self._mints[symbol], base),
            self.wallet.make_vault(f"{name} quote", self.usdc, quote),
        )
        spec = PoolSpec(
            pool_id=f"solana:{address}".lower(),
            venue="Raydium",
            chain="solana",
            kind=market.kind,
            address=address,
            base_address=self._mints[symbol],
            quote_address=self.usdc,
            base_decimals=BASE_DECIMALS,
            quote_decimals=USDC_DECIMALS,
            fee_ppm=_FEE_PPM[market.kind],
        )
        pool = SolanaPool(market, spec, vaults)
        made = _MAKERS[market.kind](pool, base, quote)
        given = {address: account_json(account) for address, account in made.items()}
        self.wallet.node.rpc("svm_setAccounts", given)
        return pool


# ---- the accounts of a new pool; base is always the first token here


def _amm_accounts(pool: SolanaPool, _base: int, _quote: int) -> dict[str, Account]:
    spec = pool.spec
    data = raydium_amm.AMM_INFO.blank()
    values: dict[str, int | str] = {
        "status": raydium_amm.SWAP_ONLY,
        "nonce": 254,
        "order_num": 7,
        "depth": 3,
        "coin_decimals": spec.base_decimals,
        "pc_decimals": spec.quote_decimals,
        "state": 2,
        "sys_decimal_value": 10**9,
        "min_separate_numerator": 5,
        "min_separate_denominator": 10_000,
        "trade_fee_numerator": 25,
        "trade_fee_denominator": 10_000,
        "pnl_numerator": 12,
        "pnl_denominator": 100,
        "swap_fee_numerator": 25,
        "swap_fee_denominator": 10_000,
        "coin_vault": pool.vaults[0],
        "pc_vault": pool.vaults[1],
        "coin_mint": spec.base_address,
        "pc_mint": spec.quote_address,
        "lp_mint": str(keypair(f"lp {spec.address}").pubkey()),
        "amm_owner": str(keypair("raydium owner").pubkey()),
        "lp_amount": 10**12,
    }
    raydium_amm.AMM_INFO.write(data, values)
    return {spec.address: Account(raydium_amm.PROGRAM, bytes(data))}


def _cpmm_accounts(pool: SolanaPool, _base: int, _quote: int) -> dict[str, Account]:
    spec = pool.spec
    config_address = str(keypair("cpmm config").pubkey())
    config = raydium_cpmm.AMM_CONFIG.blank()
    rates: dict[str, int | str] = {
        "trade_fee_rate": spec.fee_ppm,
        "protocol_fee_rate": 120_000,
        "fund_fee_rate": 40_000,
        "creator_fee_rate": 500,
    }
    raydium_cpmm.AMM_CONFIG.write(config, rates)
    data = raydium_cpmm.POOL_STATE.blank()
    values: dict[str, int | str] = {
        "amm_config": config_address,
        "token_0_vault": pool.vaults[0],
        "token_1_vault": pool.vaults[1],
        "lp_mint": str(keypair(f"lp {spec.address}").pubkey()),
        "token_0_mint": spec.base_address,
        "token_1_mint": spec.quote_address,
        "lp_decimals": 9,
        "mint_0_decimals": spec.base_decimals,
        "mint_1_decimals": spec.quote_decimals,
        "lp_supply": 10**12,
    }
    raydium_cpmm.POOL_STATE.write(data, values)
    return {
        config_address: Account(raydium_cpmm.PROGRAM, bytes(config)),
        spec.address: Account(raydium_cpmm.PROGRAM, bytes(data)),
    }


def _clmm_accounts(pool: SolanaPool, base: int, quote: int) -> dict[str, Account]:
    """Two positions around the price: a wide one, and half as much again close to it."""
    spec = pool.spec
    root = isqrt((quote << 128) // base)
    tick = tick_at(root, q64=True)
    here = tick // _SPACING * _SPACING
    liquidity = isqrt(base * quote)
    span = raydium_clmm.TICKS_PER_ARRAY * _SPACING
    wide = (here // span - 3) * span, (here // span + 4) * span
    close = here - 5 * _SPACING, here + 6 * _SPACING
    nets: dict[int, int] = {}
    for (low, high), amount in ((wide, liquidity), (close, liquidity // 2)):
        nets[low] = nets.get(low, 0) + amount
        nets[high] = nets.get(high, 0) - amount
    config_address = str(keypair("clmm config").pubkey())
    config = raydium_clmm.AMM_CONFIG.blank()
    rates: dict[str, int | str] = {
        "protocol_fee_rate": 120_000,
        "trade_fee_rate": spec.fee_ppm,
        "tick_spacing": _SPACING,
        "fund_fee_rate": 40_000,
    }
    raydium_clmm.AMM_CONFIG.write(config, rates)
    data = raydium_clmm.POOL_STATE.blank()
    values: dict[str, int | str] = {
        "amm_config": config_address,
        "mint_0": spec.base_address,
        "mint_1": spec.quote_address,
        "vault_0": pool.vaults[0],
        "vault_1": pool.vaults[1],
        "decimals_0": spec.base_decimals,
        "decimals_1": spec.quote_decimals,
        "tick_spacing": _SPACING,
        "liquidity": liquidity + liquidity // 2,
        "sqrt_price_x64": root,
        "tick_current": tick,
    }
    raydium_clmm.POOL_STATE.write(data, values)
    made = tick_arrays(spec.address, nets, _SPACING)
    mark_bitmap(data, nets, _SPACING)
    made[config_address] = Account(raydium_clmm.PROGRAM, bytes(config))
    made[spec.address] = Account(raydium_clmm.PROGRAM, bytes(data))
    return made


def tick_arrays(pool: str, nets: Mapping[int, int], spacing: int) -> dict[str, Account]:
    """Make the tick arrays that hold initialised ticks."""
    arrays: dict[int, bytearray] = {}
    for tick, net in nets.items():
        start = raydium_clmm.array_start(tick, spacing)
        if start not in arrays:
            data = arrays[start] = raydium_clmm.TICK_ARRAY.blank()
            raydium_clmm.TICK_ARRAY.write(data, {"pool": pool, "start_tick": start})
            for index in range(raydium_clmm.TICKS_PER_ARRAY):
                at = raydium_clmm.TICKS_AT + index * raydium_clmm.TICK.size
                raydium_clmm.TICK.write(data, {"tick": start + index * spacing}, at)
        at = raydium_clmm.TICKS_AT + (tick - start) // spacing * raydium_clmm.TICK.size
        raydium_clmm.TICK.write(
            arrays[start], {"liquidity_net": net, "liquidity_gross": abs(net)}, at
        )
    return {
        raydium_clmm.array_address(pool, start): Account(raydium_clmm.PROGRAM, bytes(data))
        for start, data in arrays.items()
    }


def mark_bitmap(data: bytearray, ticks: Mapping[int, int], spacing: int) -> None:
    """Set the bits of the tick arrays that hold an initialised tick, as far as the pool's go."""
    span = raydium_clmm.TICKS_PER_ARRAY * spacing
    bits = 0
    for tick in ticks:
        if -512 <= tick // span < 512:
            bits |= 1 << (tick // span + 512)
    data[raydium_clmm.BITMAP_AT : raydium_clmm.BITMAP_AT + 128] = bits.to_bytes(128, "little")


# ---- what a swap writes into a pool's account


_Swap = tuple[int, int, dict[str, int | str]]


def _amm_swap(
    spec: PoolSpec, accounts: Mapping[str, Account], curve: CurveState, order: tuple[Side, int]
) -> _Swap:
    side, paid = order
    taken = amount_out(_constant(curve), side, paid)
    data = accounts[spec.address].data
    totals = ("pc_in", "coin_out") if side is Side.BUY else ("coin_in", "pc_out")
    names = [f"swap_{total}_amount" for total in totals]
    read = raydium_amm.AMM_INFO.number
    return (
        paid,
        taken,
        {
            name: read(data, name) + amount
            for name, amount in zip(names, (paid, taken), strict=True)
        },
    )


def _cpmm_swap(
    spec: PoolSpec, accounts: Mapping[str, Account], curve: CurveState, order: tuple[Side, int]
) -> _Swap:
    side, paid = order
    state = _constant(curve)
    taken = amount_out(state, side, paid)
    after = after_swap(state, side, paid, taken)
    if side is Side.BUY:
        kept = after.reserve_quote - state.reserve_quote
    else:
        kept = after.reserve_base - state.reserve_base
    token = 1 if side is Side.BUY else 0
    data = accounts[spec.address].data
    # One sum here: how it is shared between protocol and fund changes no reserve.
    name = f"protocol_fees_{token}"
    return paid, taken, {name: raydium_cpmm.POOL_STATE.number(data, name) + paid - kept}


def _clmm_swap(
    _spec: PoolSpec, _accounts: Mapping[str, Account], curve: CurveState, order: tuple[Side, int]
) -> _Swap:
    side, paid = order
    if not isinstance(curve, Concentrated):
        raise TypeError(f"a CLMM pool's state is {type(curve).__name__}, expected Concentrated")
    arrival = TickRoad(curve, curve.fee_of(side), up=side is Side.BUY).pay(paid)
    if arrival is None:
        raise ValueError(f"the pool's known ticks do not take {paid}")
    tick = tick_at(arrival.root, q64=True) if arrival.tick is None else arrival.tick
    return (
        paid,
        arrival.taken,
        {
            "sqrt_price_x64": arrival.root,
            "liquidity": arrival.liquidity,
            "tick_current": tick,
        },
    )


def _constant(curve: CurveState) -> ConstantProduct:
    if not isinstance(curve, ConstantProduct):
        raise TypeError(f"the pool's state is {type(curve).__name__}, expected ConstantProduct")
    return curve


def _written(account: Account, layout: Layout, values: Mapping[str, int | str]) -> Account:
    data = bytearray(account.data)
    layout.write(data, values)
    return Account(account.owner, bytes(data))


_MAKERS: Final[dict[str, Callable[[SolanaPool, int, int], dict[str, Account]]]] = {
    raydium_amm.KIND: _amm_accounts,
    raydium_cpmm.KIND: _cpmm_accounts,
    raydium_clmm.KIND: _clmm_accounts,
}
_SWAPS: Final[
    dict[
        str,
        Callable[[PoolSpec, Mapping[str, Account], CurveState, tuple[Side, int]], _Swap],
    ]
] = {
    raydium_amm.KIND: _amm_swap,
    raydium_cpmm.KIND: _cpmm_swap,
    raydium_clmm.KIND: _clmm_swap,
}
_LAYOUTS: Final = {
    raydium_amm.KIND: raydium_amm.AMM_INFO,
    raydium_cpmm.KIND: raydium_cpmm.POOL_STATE,
    raydium_clmm.KIND: raydium_clmm.POOL_STATE,
}
