"""How much of a pair's base asset exists, as its token contracts say it.

Feeds read each chain's total supply and carry it on the pools' states. A token is counted once
however many pools hold it; a token that exists on several chains is counted on each, which is right
for what is minted per chain and what a bridge burns on one side and mints on the other.
"""

from collections.abc import Iterable
from decimal import Decimal

from actors.engine.pair_spec import PairSpec
from actors.engine.pools.state import PoolState


def supply_of(spec: PairSpec, states: Iterable[PoolState]) -> Decimal:
    """Sum the base tokens' supplies in whole units; the configured one while any is unknown."""
    newest: dict[tuple[str, str], tuple[int, Decimal]] = {}
    known = {state.pool_id: state for state in states}
    tokens = {(pool.chain, pool.base_address.lower()) for pool in spec.pools}
    for pool in spec.pools:
        state = known.get(pool.pool_id)
        if state is None or not state.base_supply:
            continue
        token = (pool.chain, pool.base_address.lower())
        whole = Decimal(state.base_supply).scaleb(-pool.base_decimals)
        if token not in newest or newest[token][0] < state.block:
            newest[token] = (state.block, whole)
    configured = Decimal(spec.base.supply)
    if not newest or (len(newest) < len(tokens) and configured):
        return configured
    return sum((whole for _, whole in newest.values()), Decimal(0))


def supply_text(supply: Decimal) -> str:
    """Show a supply without an exponent and without trailing zeros."""
    text = f"{supply:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
