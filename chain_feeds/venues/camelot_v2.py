"""Camelot V2 pairs: Uniswap V2 with a fee for each token, and a stable curve by choice.

Sources: `CamelotPair.sol` and `CamelotFactory.sol`: ``getReserves()`` gives both reserves and both
fees in 1/100,000, of which the *input* token's counts; ``event FeePercentUpdated(uint16
token0FeePercent, uint16 token1FeePercent)``, ``event SetStableSwap(bool prevStableSwap, bool
stableSwap)``; Sync and Swap are Uniswap's. Of a stable pair's fee the factory's ``ownerFeeShare``
leaves the reserves where its ``feeTo`` is set.
"""

from typing import Final

import msgspec

from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import ConstantProduct, CurveState, Stable, StableRule
from chain_feeds.inputs import Applied, Change
from chain_feeds.venues.abi import expect, selector, topic, within, words
from chain_feeds.venues.uniswap_v2 import GET_RESERVES, SWAP, SYNC, exchanged, ordered
from chain_feeds.venues.venue import Conversation, Read, Reading, Told, Venue, base_is_token0

KIND: Final = "camelot_v2"
FEES: Final = topic("FeePercentUpdated(uint16,uint16)")
SET_STABLE: Final = topic("SetStableSwap(bool,bool)")
STABLE_SWAP: Final = selector("stableSwap()")
FACTORY: Final = selector("factory()")
FEE_TO: Final = selector("feeTo()")
OWNER_SHARE: Final = selector("ownerFeeShare()")
FEE_DEN: Final = 100_000
_UINT112: Final = 2**112 - 1


def read(spec: PoolSpec) -> Conversation:
    """Ask for reserves, fees and kind; of a stable pair also what of its fees leaves it."""
    told, kind, made_by = yield [
        Read(spec.address, data) for data in (GET_RESERVES, STABLE_SWAP, FACTORY)
    ]
    first, second, fee0, fee1 = words(told, 4, "getReserves()")[:4]
    within(max(first, second), _UINT112, "a reserve of getReserves()")
    sell, buy = ordered(spec, fee0, fee1)
    reserves = ordered(spec, first, second)
    if not words(kind, 1, "stableSwap()")[0]:
        curve = ConstantProduct.of(*reserves, buy, FEE_DEN)
        return Reading(msgspec.structs.replace(curve, sell_fee_num=sell))
    factory = f"0x{words(made_by, 1, 'factory()')[0]:040x}"
    fee_to, share = yield [Read(factory, FEE_TO), Read(factory, OWNER_SHARE)]
    leaves = words(share, 1, "ownerFeeShare()")[0] if words(fee_to, 1, "feeTo()")[0] else 0
    decimals = (spec.base_decimals, spec.quote_decimals)
    return Reading(
        msgspec.structs.replace(
            Stable.of(reserves, decimals, buy, FEE_DEN),
            rule=StableRule.CAMELOT,
            base_is_token0=base_is_token0(spec),
            sell_fee_num=sell,
            owner_share=leaves,
        )
    )


def decode_log(spec: PoolSpec, topics: list[str], data: bytes) -> Told:
    """Decode the four events; raises `DecodeError` for anything else."""
    kind = topics[0].lower() if topics else ""
    if kind == SWAP:
        return Told(swap=exchanged(spec, topics, data))
    if kind == SET_STABLE:
        return Told(change=_unknown)
    if kind == FEES:
        sell, buy = ordered(spec, *words(data, 2, "a FeePercentUpdated log")[:2])
        return Told(change=_with_fees(buy, sell))
    expect(topics, SYNC, 0, "Sync(uint112,uint112)")
    first, second = words(data, 2, "a Sync log")[:2]
    within(max(first, second), _UINT112, "a reserve of Sync")
    return Told(change=_with_reserves(*ordered(spec, first, second)))


def _unknown(_: CurveState) -> Applied:
    """The curve itself is another one from here on: the contract must be read."""
    return Applied(None)


def _with_fees(buy: int, sell: int) -> Change:
    def change(curve: CurveState) -> Applied:
        if isinstance(curve, ConstantProduct | Stable):
            return Applied(msgspec.structs.replace(curve, fee_num=buy, sell_fee_num=sell))
        return Applied(None)

    return change


def _with_reserves(base: int, quote: int) -> Change:
    def change(curve: CurveState) -> Applied:
        if isinstance(curve, ConstantProduct | Stable):
            return Applied(curve.with_reserves(base, quote))
        return Applied(None)

    return change


VENUE: Final = Venue((SYNC, SWAP, FEES, SET_STABLE), read, decode_log)
