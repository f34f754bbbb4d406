"""Traders of development networks: swaps now and then that follow a wandering price.

Floats choose sizes here; what a swap then does is the contract's business.
"""

import math
import random
import threading
import time
from collections.abc import Sequence

from hexbytes import HexBytes

from devnet.chains import PRICES, Chain
from devnet.contracts import Network
from devnet.listed import Listed

_FEE = 0.003
_WANDER = 0.0004
_PULL = 0.01
_CALM = 0.5
"""The crowd's prices wander half as much each second: it comes to a pool every few seconds only,
and pools of small fees would be crossed all the time."""
_NOISE = 0.00015
_BOUND = 0.02
_STEP_S = 1.0
_STABLE_SHARE = 0.05
"""A pair of two dollars wanders this much less than the others."""


class PriceWalk:
    """A price that wanders around 1, pulled back, never further away than 2 %."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- a price path, not a secret
        self.value = 1.0

    def step(self) -> float:
        """Let one block pass."""
        drift = _PULL * (1.0 - self.value)
        moved = self.value + drift + self._random.gauss(0.0, _WANDER)
        self.value = min(1 + _BOUND, max(1 - _BOUND, moved))
        return self.value


class Trader:
    """Moves pools to a target price by real swaps through the router."""

    def __init__(self, network: Network, seed: int) -> None:
        self._network = network
        self._random = random.Random(seed)  # noqa: S311 -- sizes of swaps, not a secret

    def swap_towards(self, symbol: str, price: float) -> HexBytes:
        """Swap so that the pool's price lands near ``price``, a little to either side of it."""
        deployed = self._network.pairs[symbol]
        base, quote = deployed.reserves()
        target = price * (1 + self._random.uniform(-0.0008, 0.0008))
        ratio = math.sqrt(target / (quote / base))
        buy = ratio > 1
        reserve_in, growth = (quote, ratio) if buy else (base, 1 / ratio)
        amount_in = int(reserve_in * (growth - 1) / (1 - _FEE))
        return self._network.swap(symbol, buy=buy, amount_in=max(amount_in, reserve_in // 10**6))


class Crowd:
    """Trades on every chain at once: one thread per chain, all after the same wandering prices.

    As arbitrage would, each swap brings a pool near its pair's price of the moment.

    Args:
        chains: where to trade.
        seed: of the prices, of whose turn it is, and of the sizes.
    """

    def __init__(self, chains: Sequence[Chain], seed: int) -> None:
        self._walks = {symbol: PriceWalk(seed + at) for at, symbol in enumerate(PRICES)}
        self._stopping = threading.Event()
        self._chance = random.Random(seed)  # noqa: S311 -- whose turn it is, not a secret
        self.failures: list[str] = []
        """What nodes refused, one line each."""
        self.swaps = 0
        self._threads = [threading.Thread(target=self._walk, name="prices", daemon=True)]
        self._threads += [
            threading.Thread(target=self._trade, args=(chain,), name=chain.name, daemon=True)
            for chain in chains
        ]

    def start(self) -> None:
        """Begin to trade."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the swaps that are on their way."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(10)

    def price(self, symbol: str) -> float:
        """Tell a pair's price of the moment."""
        moved = self._walks[symbol].value - 1.0
        return PRICES[symbol] * (1.0 + moved * (_STABLE_SHARE if symbol == "usdt" else _CALM))

    def _walk(self) -> None:
        while not self._stopping.wait(_STEP_S):
            for walk in self._walks.values():
                walk.step()

    def _trade(self, chain: Chain) -> None:
        waiting: list[Listed] = []
        while not self._stopping.is_set():
            if not waiting:
                waiting = list(chain.pools)
                self._chance.shuffle(waiting)
            pool = waiting.pop()
            target = self.price(pool.symbol) * (1 + self._chance.uniform(-_NOISE, _NOISE))
            begun = time.monotonic()
            try:
                pool.swap_towards(target)
            except Exception as error:  # noqa: BLE001 -- a swap that fails ends no trader
                if not self._stopping.is_set():
                    self.failures.append(f"{chain.name} {pool.spec.kind} {pool.symbol}: {error}")
            self.swaps += 1
            pause = self._chance.uniform(0.2, 1.2) - (time.monotonic() - begun)
            self._stopping.wait(max(0.0, pause))
