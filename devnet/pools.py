"""A pool of every EVM kind on a development network, from its authors' own contracts.

Camelot's alone are stand-ins (``solidity/Camelot.sol``, ``solidity/algebra/CamelotV3.sol``), for no
package holds the real ones.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt
from typing import Any, Final

from eth_typing import ChecksumAddress
from web3.contract import Contract
from web3.types import TxReceipt

from actors.engine.pools.tick_math import root_at, tick_at
from devnet.anvil import MODULES
from devnet.contracts import artifact
from devnet.errors import DevnetError
from devnet.solidity import Compiled, aerodrome, own, own_on_algebra, slipstream
from devnet.workshop import Workshop

Q96: Final = 2**96
ROOT_MIN: Final = 4_295_128_740
ROOT_MAX: Final = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341
SPACING: Final = 60
TICK_KINDS: Final = ("uniswap_v3", "slipstream", "algebra_v1", "camelot_v3", "algebra_integral")
RESERVE_KINDS: Final = ("uniswap_v2", "aerodrome_volatile", "aerodrome_stable", "camelot_v2")
CAMELOT_STABLE: Final = "camelot_v2:stable"
"""Not a kind of its own: a pair of kind ``camelot_v2`` whose curve was set to stable."""
_DEARER_FEES: Final = (2_900, 12_000, 360, 60_000, 59, 8_500, 0, 10, 400)
"""An adaptive fee of Algebra's usual shape, whose base is 0.04 % rather than 0.01 %."""
_ALGEBRA_KINDS: Final = ("algebra_v1", "camelot_v3", "algebra_integral")
_VENUE_OF: Final = {
    "uniswap_v2": "Uniswap",
    "uniswap_v3": "Uniswap",
    "aerodrome_volatile": "Aerodrome",
    "aerodrome_stable": "Aerodrome",
    "slipstream": "Aerodrome",
    "camelot_v2": "Camelot",
    "algebra_v1": "Camelot",
    "camelot_v3": "Camelot",
    "algebra_integral": "Camelot",
}


@dataclass(frozen=True)
class Deposit:
    """What a pool begins with: ``quote_raw`` of quote, and base for it at ``price``.

    ``price`` is raw quote units for one raw base unit.
    """

    price: Fraction
    quote_raw: int

    @property
    def base_raw(self) -> int:
        """The base that is worth as much."""
        return int(self.quote_raw / self.price)


class MadePool:
    """A pool on a node, and the hand that swaps in it."""

    def __init__(
        self, workshop: Workshop, kind: str, contract: Contract, base: Contract, quote: Contract
    ) -> None:
        self.workshop = workshop
        self.kind = kind.partition(":")[0]
        self.contract = contract
        self.base = base
        self.quote = quote
        self.base_is_token0 = int(base.address, 16) < int(quote.address, 16)

    @property
    def venue(self) -> str:
        """The name that people know the exchange by."""
        return _VENUE_OF[self.kind]

    @property
    def has_ticks(self) -> bool:
        """Whether its liquidity is concentrated."""
        return self.kind in TICK_KINDS

    def swap(self, *, buy: bool, amount_in: int) -> TxReceipt:
        """Swap exactly ``amount_in``: quote to buy base, base to sell it."""
        if self.has_ticks:
            return self.swap_ticks(buy=buy, amount=amount_in)
        return self.swap_reserves(buy=buy, paid=amount_in, out=self.out_of(buy=buy, paid=amount_in))

    def out_of(self, *, buy: bool, paid: int) -> int:
        """Ask a pool of reserves what it gives for an input."""
        token_in = self.quote if buy else self.base
        if self.kind != "uniswap_v2":
            given: int = self.contract.functions.getAmountOut(paid, token_in.address).call()
            return given
        # The pair itself quotes nothing; this is its router's formula.
        first, second, _ = self.contract.functions.getReserves().call()
        into, out = (second, first) if buy is self.base_is_token0 else (first, second)
        return int(paid * 997 * out // (into * 1000 + paid * 997))

    def swap_ticks(self, *, buy: bool, amount: int) -> TxReceipt:
        """Swap an exact input, or (below zero) for an exact output, at any price."""
        zero_for_one = buy is not self.base_is_token0
        limit = ROOT_MIN if zero_for_one else ROOT_MAX
        return self._hand("swapTicks", self.contract.address, zero_for_one, amount, limit)

    def swap_reserves(self, *, buy: bool, paid: int, out: int) -> TxReceipt:
        """Pay a pool of reserves, and take what it lets one take."""
        token_in = self.quote if buy else self.base
        first_out = buy is self.base_is_token0
        outs = (out, 0) if first_out else (0, out)
        return self._hand("swapReserves", self.contract.address, token_in.address, paid, *outs)

    def mint(self, low: int, high: int, liquidity: int) -> TxReceipt:
        """Add liquidity between two ticks."""
        function = "mintAlgebra" if self.kind in _ALGEBRA_KINDS else "mint"
        return self._hand(function, self.contract.address, low, high, liquidity)

    def burn(self, low: int, high: int, liquidity: int) -> TxReceipt:
        """Take liquidity out that `mint` added."""
        arguments: list[object] = [low, high, liquidity]
        if self.kind == "algebra_integral":
            arguments.append(b"")
        signature = f"burn(int24,int24,uint128{',bytes' if len(arguments) == 4 else ''})"
        function = self.contract.get_function_by_signature(signature)(*arguments)
        return self._hand("act", self.contract.address, function._encode_transaction_data())  # noqa: SLF001

    def _hand(self, function: str, *arguments: object) -> TxReceipt:
        return self.workshop.transact(self.workshop.hand, function, *arguments)


class Builder:
    """Makes pools; a kind's factory is deployed when its first pool is made."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop
        self._factories: dict[str, Contract] = {}

    def make(self, kind: str, base: Contract, quote: Contract, deposit: Deposit) -> MadePool:
        """Deploy a pool of a kind and give it what it begins with.

        Raises:
            DevnetError: there is no such kind, or the node refused something.
        """
        makers: dict[str, Callable[[Contract, Contract], tuple[str, list[dict[str, Any]]]]] = {
            "uniswap_v2": self._uniswap_v2,
            "aerodrome_volatile": lambda a, b: self._aerodrome(a, b, stable=False),
            "aerodrome_stable": lambda a, b: self._aerodrome(a, b, stable=True),
            "camelot_v2": lambda a, b: self._camelot(a, b, stable=False),
            CAMELOT_STABLE: lambda a, b: self._camelot(a, b, stable=True),
            "uniswap_v3": self._uniswap_v3,
            "algebra_v1": self._algebra_v1,
            "camelot_v3": self._camelot_v3,
            "algebra_integral": self._algebra_integral,
        }
        if kind == "slipstream":
            made = self._slipstream(base, quote, deposit)
        elif kind in makers:
            address, abi = makers[kind](base, quote)
            made = MadePool(self._shop, kind, self._shop.at(address, abi), base, quote)
        else:
            raise DevnetError(f"there is no kind of pool called {kind!r}")
        if made.has_ticks:
            self._fill_ticks(made, deposit)
        else:
            self._fill_reserves(made, deposit)
        return made

    def _fill_reserves(self, made: MadePool, deposit: Deposit) -> None:
        shop, pool = self._shop, made.contract
        for token, amount in ((made.base, deposit.base_raw), (made.quote, deposit.quote_raw)):
            data = token.functions.transfer(pool.address, amount)._encode_transaction_data()  # noqa: SLF001
            shop.transact(shop.hand, "act", token.address, data)
        # Aerodrome and Uniswap open with a mint; any pair takes what lies in it with a sync.
        if made.kind in {"uniswap_v2", "aerodrome_volatile", "aerodrome_stable"}:
            shop.transact(pool, "mint", shop.owner)
        else:
            shop.transact(pool, "sync")

    def _fill_ticks(self, made: MadePool, deposit: Deposit) -> None:
        """Open a pool at its price, with three positions around it, each narrower and deeper."""
        price = deposit.price if made.base_is_token0 else 1 / deposit.price
        root = isqrt((price.numerator << 192) // price.denominator)
        if made.kind != "slipstream":  # whose factory opens it
            self._shop.transact(made.contract, "initialize", root)
        spacing = made.contract.functions.tickSpacing().call()
        middle = tick_at(root) // spacing * spacing
        amount1 = deposit.quote_raw if made.base_is_token0 else deposit.base_raw
        for reach in (6_000, 1_500, 600):
            width = max(reach // spacing, 1) * spacing
            liquidity = amount1 * Q96 // (3 * (root_at(middle + width) - root_at(middle)))
            made.mint(middle - width, middle + width, max(liquidity, 1))

    # Each kind's factory.

    def _factory(self, kind: str, make: Callable[[], Contract]) -> Contract:
        if kind not in self._factories:
            self._factories[kind] = make()
        return self._factories[kind]

    def _created(self, factory: Contract, create: str, ask: str, *key: object) -> ChecksumAddress:
        self._shop.transact(factory, create, *key)
        made: ChecksumAddress = factory.functions[ask](*key).call()
        return made

    def _uniswap_v2(self, base: Contract, quote: Contract) -> tuple[str, list[dict[str, Any]]]:
        compiled = artifact("v2-core", "UniswapV2Factory")
        factory = self._factory(
            "uniswap_v2",
            lambda: self._shop.deploy(
                Compiled(compiled["abi"], compiled["bytecode"]), self._shop.owner
            ),
        )
        address = self._created(factory, "createPair", "getPair", base.address, quote.address)
        return address, artifact("v2-core", "UniswapV2Pair")["abi"]

    def _uniswap_v3(self, base: Contract, quote: Contract) -> tuple[str, list[dict[str, Any]]]:
        factory = self._factory(
            "uniswap_v3", lambda: self._shop.deploy(npm("@uniswap/v3-core", "UniswapV3Factory"))
        )
        key = (base.address, quote.address, 3_000)
        address = self._created(factory, "createPool", "getPool", *key)
        return address, npm("@uniswap/v3-core", "UniswapV3Pool").abi

    def _aerodrome(
        self, base: Contract, quote: Contract, *, stable: bool
    ) -> tuple[str, list[dict[str, Any]]]:
        found = aerodrome("contracts/Pool.sol", "contracts/factories/PoolFactory.sol")
        factory = self._factory(
            "aerodrome",
            lambda: self._shop.deploy(
                found["PoolFactory"], self._shop.deploy(found["Pool"]).address
            ),
        )
        shop = self._shop
        shop.transact_by_signature(
            factory, "createPool(address,address,bool)", base.address, quote.address, stable
        )
        ask = factory.get_function_by_signature("getPool(address,address,bool)")
        return ask(base.address, quote.address, stable).call(), found["Pool"].abi

    def _slipstream(self, base: Contract, quote: Contract, deposit: Deposit) -> MadePool:
        found = slipstream("contracts/core/CLPool.sol", "contracts/core/CLFactory.sol")

        def make() -> Contract:
            voter = self._shop.deploy(own("SlipstreamVoter")).address
            model = self._shop.deploy(found["CLPool"]).address
            return self._shop.deploy(found["CLFactory"], voter, voter, model)

        factory = self._factory("slipstream", make)
        base_first = int(base.address, 16) < int(quote.address, 16)
        price = deposit.price if base_first else 1 / deposit.price
        root = isqrt((price.numerator << 192) // price.denominator)
        spacing = 100
        self._shop.transact(factory, "createPool", base.address, quote.address, spacing, root)
        address = factory.functions.getPool(base.address, quote.address, spacing).call()
        contract = self._shop.at(address, found["CLPool"].abi)
        return MadePool(self._shop, "slipstream", contract, base, quote)

    def _camelot(
        self, base: Contract, quote: Contract, *, stable: bool
    ) -> tuple[str, list[dict[str, Any]]]:
        shop = self._shop
        factory = self._factory("camelot", lambda: shop.deploy(own("CamelotFactoryDouble")))
        address = factory.functions.createPair(base.address, quote.address).call()
        shop.transact(factory, "createPair", base.address, quote.address)
        abi = own("CamelotPairDouble").abi
        if stable:
            shop.transact(shop.at(address, abi), "setStableSwap", True)  # noqa: FBT003
            shop.transact(factory, "setFeeTo", shop.owner)
        return address, abi

    def _algebra_v1(self, base: Contract, quote: Contract) -> tuple[str, list[dict[str, Any]]]:
        def make() -> Contract:
            deployer = self._shop.deploy(algebra("v1-core", "AlgebraPoolDeployer"))
            made = self._shop.deploy(
                algebra("v1-core", "AlgebraFactory"), deployer.address, self._shop.owner
            )
            self._shop.transact(deployer, "setFactory", made.address)
            return made

        factory = self._factory("algebra_v1", make)
        key = (base.address, quote.address)
        address = self._created(factory, "createPool", "poolByPair", *key)
        return address, algebra("v1-core", "AlgebraPool").abi

    def _camelot_v3(self, base: Contract, quote: Contract) -> tuple[str, list[dict[str, Any]]]:
        first, second = sorted((base.address, quote.address), key=lambda one: int(one, 16))
        pool = own_on_algebra("CamelotV3PoolDouble")
        made = self._shop.deploy(pool, first, second)
        # Token0 going in costs more than token1, so that neither is taken for the other.
        self._shop.transact(made, "changeFeeConfiguration", True, _DEARER_FEES)  # noqa: FBT003
        return made.address, pool.abi

    def _algebra_integral(
        self, base: Contract, quote: Contract
    ) -> tuple[str, list[dict[str, Any]]]:
        def make() -> Contract:
            coming = self._shop.next_address()
            deployer = self._shop.deploy(algebra("integral-core", "AlgebraPoolDeployer"), coming)
            return self._shop.deploy(algebra("integral-core", "AlgebraFactory"), deployer.address)

        factory = self._factory("algebra_integral", make)
        self._shop.transact(factory, "createPool", base.address, quote.address, b"")
        address = factory.functions.poolByPair(base.address, quote.address).call()
        return address, algebra("integral-core", "AlgebraPool").abi


@cache
def npm(package: str, name: str) -> Compiled:
    """Read a contract as its authors published it, compiled.

    Raises:
        DevnetError: the package is not installed.
    """
    found = sorted((MODULES / package / "artifacts").rglob(f"{name}.json"))
    if not found:
        raise DevnetError(f"{name} of {package} is missing; run `npm ci` in devnet/")
    loaded = json.loads(found[0].read_text(encoding="utf-8"))
    return Compiled(loaded["abi"], loaded["bytecode"])


def algebra(package: str, name: str) -> Compiled:
    """Read a contract of Algebra's."""
    return npm(f"@cryptoalgebra/{package}", name)
