"""A trader for development networks: swaps now and then that follow a wandering price.

Floats choose sizes here; what a swap then does is the contract's business.
"""

import math
import random

from hexbytes import HexBytes

from devnet.contracts import Network

_FEE = 0.003
_WANDER = 0.0004
_PULL = 0.01
_BOUND = 0.02


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
