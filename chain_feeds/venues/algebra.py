"""Algebra pools: V1, Camelot V3 (V1 with a fee for each direction) and Integral (Camelot V4).

Sources: `AlgebraPool.sol` and `TickTable.sol` of @cryptoalgebra/v1-core 1.0.0 and integral-core
1.2.10, and the direction-based-fee branch of Algebra V1: ``globalState()`` begins with price and
tick, then one fee (V1, Integral) or one for each direction (``feeZto``, ``feeOtz``); swaps, mints
and burns are told as Uniswap V3 tells them; ``event Fee(uint16 fee)`` or ``event Fee(uint16 feeZto,
uint16 feeOtz)``. V1 renews its fee *before* the first swap of a block, so that one may cost another
fee than is known here. Integral counts a bit of ``tickTable(int16)`` for every tick, rounds only at
initialised ticks, and may let a plugin set the fee of each swap: its ``fee()`` is asked at every
block.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import TickSteps
from chain_feeds.venues import concentrated
from chain_feeds.venues.abi import expect, selector, signed, topic, words
from chain_feeds.venues.concentrated import Dialect, Price
from chain_feeds.venues.venue import Told, Venue, base_is_token0

V1: Final = "algebra_v1"
DIRECTIONAL: Final = "camelot_v3"
INTEGRAL: Final = "algebra_integral"
FEE: Final = topic("Fee(uint16)")
FEES: Final = topic("Fee(uint16,uint16)")
GLOBAL_STATE: Final = selector("globalState()")
TICK_TABLE: Final = selector("tickTable(int16)")


def single(spec: PoolSpec, state: list[int]) -> Price:  # noqa: ARG001 -- as `Dialect` has it
    """Read a ``globalState()`` with one fee."""
    return Price(state[0], signed(state[1]), state[2])


def directional(spec: PoolSpec, state: list[int]) -> Price:
    """Read a ``globalState()`` with the fees of token0 and of token1 going in."""
    return Price(state[0], signed(state[1]), *buy_and_sell(spec, state[2], state[3]))


def buy_and_sell(spec: PoolSpec, fee0: int, fee1: int) -> tuple[int, int]:
    """Turn the fees of token0 and token1 going in into those of a purchase and of a sale."""
    return (fee1, fee0) if base_is_token0(spec) else (fee0, fee1)


def decode_log(
    spec: PoolSpec, topics: list[str], data: bytes, *, fee_topic: str, what: str
) -> Told:
    """Decode a Fee, or what Uniswap V3 has too; raises `DecodeError` for anything else."""
    if not topics or topics[0].lower() != fee_topic:
        return concentrated.decode_log(spec, topics, data)
    expect(topics, fee_topic, 0, what)
    if fee_topic == FEE:
        return Told(change=concentrated.with_fees(words(data, 1, "a Fee log")[0]))
    fee0, fee1 = words(data, 2, "a Fee log")[:2]
    return Told(change=concentrated.with_fees(*buy_and_sell(spec, fee0, fee1)))


def _venue(
    price: Callable[[PoolSpec, list[int]], Price], state_words: int, fee_topic: str
) -> Venue:
    dialect = Dialect(GLOBAL_STATE, state_words, price, TICK_TABLE, fee="")
    return Venue(
        topics=(concentrated.SWAP, concentrated.MINT, concentrated.BURN, fee_topic),
        read=partial(concentrated.read, dialect=dialect),
        decode_log=partial(decode_log, fee_topic=fee_topic, what="Fee"),
    )


def _integral() -> Venue:
    dialect = Dialect(
        GLOBAL_STATE, 6, single, TICK_TABLE,
        compressed=False, steps=TickSteps.INITIALISED, fee_moves=True,
    )  # fmt: skip
    return _venue(single, 6, FEE)._replace(
        read=partial(concentrated.read, dialect=dialect), fee_change=concentrated.fee_change
    )


VENUES: Final = {
    V1: _venue(single, 7, FEE),
    DIRECTIONAL: _venue(directional, 8, FEES),
    INTEGRAL: _integral(),
}
