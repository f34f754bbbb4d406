"""Aerodrome and Velodrome V2 pools, volatile and stable: reserves, and a fee kept by the factory.

Sources: `Pool.sol` and `PoolFactory.sol` of Aerodrome: ``event Sync(uint256 reserve0, uint256
reserve1)``, ``event Swap(address indexed sender, address indexed to, uint256 amount0In, uint256
amount1In, uint256 amount0Out, uint256 amount1Out)``, ``getFee(pool, stable)`` in 1/10,000. The
factory changes a fee without telling on the pool, so it is asked at every block; a paused factory
lets nobody swap.
"""

from functools import partial
from typing import Final

import msgspec

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import ConstantProduct, CurveState, FeeRule, Stable
from chain_feeds.errors import DecodeError
from chain_feeds.inputs import Applied, Change
from chain_feeds.venues.abi import call_data, expect, selector, topic, within, words
from chain_feeds.venues.uniswap_v2 import GET_RESERVES, ordered
from chain_feeds.venues.venue import (
    Conversation,
    Exchanged,
    Read,
    Reading,
    Told,
    Venue,
    base_is_token0,
)

VOLATILE: Final = "aerodrome_volatile"
STABLE: Final = "aerodrome_stable"
SYNC: Final = topic("Sync(uint256,uint256)")
SWAP: Final = topic("Swap(address,address,uint256,uint256,uint256,uint256)")
IS_STABLE: Final = selector("stable()")
FACTORY: Final = selector("factory()")
GET_FEE: Final = selector("getFee(address,bool)")
IS_PAUSED: Final = selector("isPaused()")
FEE_DEN: Final = 10_000
_RESERVE_MAX: Final = 2**128 - 1


def read(spec: PoolSpec, *, stable: bool) -> Conversation:
    """Ask the pool for its reserves, kind and factory, and the factory for the fee.

    Raises:
        DecodeError: an answer is none of such a pool's, it is of the other kind, or it is paused.
    """
    told, kind, made_by = yield [
        Read(spec.address, data) for data in (GET_RESERVES, IS_STABLE, FACTORY)
    ]
    first, second, _ = words(told, 3, "getReserves()")[:3]
    if bool(words(kind, 1, "stable()")[0]) is not stable:
        here, listed = ("volatile", "stable") if stable else ("stable", "volatile")
        raise DecodeError(f"the pool is {here}, but listed as {listed}")
    factory = f"0x{words(made_by, 1, 'factory()')[0]:040x}"
    fee_read = Read(factory, call_data(GET_FEE, int(spec.address, 16), int(stable)))
    fee, paused = yield [fee_read, Read(factory, IS_PAUSED)]
    if words(paused, 1, "isPaused()")[0]:
        raise DecodeError("the factory has paused all swaps")
    curve = _curve(spec, stable, words(fee, 1, "getFee()")[0])
    return Reading(_with_reserves(spec, curve, first, second), (fee_read,))


def decode_log(spec: PoolSpec, topics: list[str], data: bytes) -> Told:
    """Decode a ``Sync`` or a ``Swap``; raises `DecodeError` for anything else."""
    if topics and topics[0].lower() == SWAP:
        expect(topics, SWAP, 2, "Swap")
        in0, in1, out0, out1 = words(data, 4, "a Swap log")[:4]
        first, second = ordered(spec, in0 - out0, in1 - out1)
        return Told(swap=Exchanged.of(first, second))
    expect(topics, SYNC, 0, "Sync(uint256,uint256)")
    first, second = words(data, 2, "a Sync log")[:2]

    def change(curve: CurveState) -> Applied:
        if isinstance(curve, ConstantProduct | Stable):
            return Applied(_with_reserves(spec, curve, first, second))
        return Applied(None)

    within(max(first, second), _RESERVE_MAX, "a reserve of Sync")
    return Told(change=change)


def fee_change(spec: PoolSpec, answers: list[bytes]) -> Change:  # noqa: ARG001 -- as `Venue` has it
    """Read the answer of ``getFee()`` at a block."""
    fee = words(answers[0], 1, "getFee()")[0]

    def change(curve: CurveState) -> Applied:
        if isinstance(curve, ConstantProduct | Stable):
            return Applied(msgspec.structs.replace(curve, fee_num=fee))
        return Applied(None)

    return change


def _curve(spec: PoolSpec, stable: bool, fee: int) -> ConstantProduct | Stable:  # noqa: FBT001
    if not stable:
        empty = ConstantProduct.of(0, 0, fee, FEE_DEN)
        return msgspec.structs.replace(empty, fee_rule=FeeRule.FLOOR_LEAVES)
    decimals = (spec.base_decimals, spec.quote_decimals)
    made = Stable.of((0, 0), decimals, fee, FEE_DEN)
    return msgspec.structs.replace(made, base_is_token0=base_is_token0(spec))


def _with_reserves(
    spec: PoolSpec, curve: ConstantProduct | Stable, first: int, second: int
) -> CurveState:
    within(max(first, second), _RESERVE_MAX, "a reserve of the pool")
    return curve.with_reserves(*ordered(spec, first, second))


def _venue(*, stable: bool) -> Venue:
    return Venue((SYNC, SWAP), partial(read, stable=stable), decode_log, fee_change)


VENUES: Final = {VOLATILE: _venue(stable=False), STABLE: _venue(stable=True)}
