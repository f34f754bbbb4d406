"""The contracts of a development network: tokens, the Uniswap V2 factory, its router and pairs.

Everything is deployed from the published npm artifacts, as compiled by their authors.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.types import TxParams, TxReceipt

from devnet.anvil import MODULES
from devnet.errors import DevnetError

UNIT = 10**18
"""Raw units of a whole token: the published test token has 18 decimals, USDC here too."""

SUPPLY = 10**15 * UNIT
_GAS = 8_000_000
_FOREVER = 2**40
MAX_ALLOWANCE = 2**256 - 1


@dataclass(frozen=True)
class Market:
    """One pair to be deployed: its symbol, first price in USDC and USDC on its quote side."""

    symbol: str
    price: float
    quote_depth: float


DEFAULT_MARKETS = (
    Market("vaix", 0.003, 400_000.0),
    Market("sbio", 0.05, 600_000.0),
    Market("btc", 65_000.0, 8_000_000.0),
    Market("eth", 3_200.0, 6_000_000.0),
)


@cache
def artifact(package: str, name: str) -> dict[str, Any]:
    """Read a compiled contract of ``@uniswap/<package>``.

    Raises:
        DevnetError: the packages are not installed.
    """
    path = MODULES / "@uniswap" / package / "build" / f"{name}.json"
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DevnetError(f"{path} is missing; run `make devnet` or `npm ci` in devnet/") from None
    return loaded


def connect(http_url: str) -> Web3:
    """Connect to a node over HTTP."""
    return Web3(HTTPProvider(http_url, request_kwargs={"timeout": 10}))


class Deployed:
    """A pair contract on a node, with its tokens in the exchange's order."""

    def __init__(self, market: Market, base: Contract, quote: Contract, pair: Contract) -> None:
        self.market = market
        self.base = base
        self.quote = quote
        self.pair = pair
        self.base_is_token0: bool = pair.functions.token0().call() == base.address

    def reserves(self) -> tuple[int, int]:
        """Ask the contract for its reserves, (base, quote)."""
        first, second, _ = self.pair.functions.getReserves().call()
        return (first, second) if self.base_is_token0 else (second, first)


class Network:
    """What stands on one node: USDC, factory, router, and a pair for each market.

    The node's first unlocked account owns and sends everything.
    """

    def __init__(self, http_url: str, markets: tuple[Market, ...] = DEFAULT_MARKETS) -> None:
        self.w3 = connect(http_url)
        self.owner: ChecksumAddress = self.w3.eth.accounts[0]
        self.usdc = self._deploy("v2-core", "ERC20", SUPPLY)
        self.factory = self._deploy("v2-core", "UniswapV2Factory", self.owner)
        weth = self._deploy("v2-periphery", "WETH9")
        self.router = self._deploy(
            "v2-periphery", "UniswapV2Router02", self.factory.address, weth.address
        )
        self.transact(self.usdc, "approve", self.router.address, MAX_ALLOWANCE)
        self.pairs = {market.symbol: self._pair(market) for market in markets}

    def transact(self, contract: Contract, function: str, *args: object) -> TxReceipt:
        """Send a transaction and wait until it is mined.

        Raises:
            DevnetError: it was mined and failed.
        """
        receipt = self.w3.eth.wait_for_transaction_receipt(
            self.send(contract, function, *args), timeout=30, poll_latency=0.01
        )
        if receipt["status"] != 1:
            raise DevnetError(f"{function} failed on the node")
        return receipt

    def send(self, contract: Contract, function: str, *args: object) -> HexBytes:
        """Send a transaction without waiting.

        The gas is fixed: an estimate made in the block of a pair's last swap leaves out what the
        pair's cumulative prices cost in the next block, and the transaction would run dry.
        """
        return contract.functions[function](*args).transact(self._params())

    def swap(self, symbol: str, *, buy: bool, amount_in: int) -> HexBytes:
        """Send a swap of exactly ``amount_in`` (of quote to buy base, of base to sell it)."""
        deployed = self.pairs[symbol]
        path = [deployed.base.address, deployed.quote.address]
        return self.send(
            self.router,
            "swapExactTokensForTokens",
            amount_in,
            0,
            path[::-1] if buy else path,
            self.owner,
            _FOREVER,
        )

    def rpc(self, method: str, *params: object) -> Any:  # noqa: ANN401 -- whatever the method answers
        """Call a method of the node that web3 has no name for.

        Raises:
            DevnetError: the node refuses it.
        """
        answer = self.w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        if "error" in answer:
            raise DevnetError(f"{method}: {answer['error']}")
        return answer["result"]

    def _params(self) -> TxParams:
        return {"from": self.owner, "gas": _GAS}

    def _deploy(self, package: str, name: str, *args: object) -> Contract:
        compiled = artifact(package, name)
        factory = self.w3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
        receipt = self.w3.eth.wait_for_transaction_receipt(
            factory.constructor(*args).transact(self._params()), timeout=30, poll_latency=0.01
        )
        address = receipt["contractAddress"]
        if receipt["status"] != 1 or address is None:
            raise DevnetError(f"{name} could not be deployed")
        return self.w3.eth.contract(address=address, abi=compiled["abi"])

    def _pair(self, market: Market) -> Deployed:
        base = self._deploy("v2-core", "ERC20", SUPPLY)
        self.transact(base, "approve", self.router.address, MAX_ALLOWANCE)
        quote_raw = int(market.quote_depth * UNIT)
        base_raw = int(market.quote_depth / market.price * UNIT)
        self.transact(
            self.router,
            "addLiquidity",
            base.address,
            self.usdc.address,
            base_raw,
            quote_raw,
            0,
            0,
            self.owner,
            _FOREVER,
        )
        address = self.factory.functions.getPair(base.address, self.usdc.address).call()
        abi = artifact("v2-core", "UniswapV2Pair")["abi"]
        return Deployed(market, base, self.usdc, self.w3.eth.contract(address=address, abi=abi))
