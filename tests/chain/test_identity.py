"""Listings that are wrong, of every kind of EVM pool on real contracts: DOWN, with the reason."""

import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from actors.engine.pools.state import PoolStatus
from chain_feeds.settings import FeedPool
from devnet.anvil import Anvil
from devnet.pools import RESERVE_KINDS, TICK_KINDS, Builder
from devnet.workshop import Workshop
from tests.chain.feeding import Collector, start, wrong
from tests.chain.venue_pools import Followed

KINDS = (*RESERVE_KINDS, *TICK_KINDS)
NOWHERE = "0x" + "77" * 20
TAKEN_FOR = {
    "uniswap_v2": "uniswap_v3",
    "uniswap_v3": "slipstream",
    "aerodrome_volatile": "aerodrome_stable",
    "aerodrome_stable": "aerodrome_volatile",
    "slipstream": "uniswap_v3",
    "camelot_v2": "uniswap_v2",
    "algebra_v1": "camelot_v3",
    "camelot_v3": "algebra_v1",
    "algebra_integral": "algebra_v1",
}
"""What each kind could be mistaken for: most share events and calls with it."""


class Stand(NamedTuple):
    """A node with one pool of every kind, each rightly listed."""

    node: Anvil
    right: list[FeedPool]


@pytest.fixture(scope="module")
def stand(packages: None) -> Iterator[Stand]:
    """One node for the whole file."""
    with Anvil() as node, warnings.catch_warnings():
        # web3's synchronous provider warns of a dependency's own deprecations while it loads.
        warnings.simplefilter("ignore", DeprecationWarning)
        shop = Workshop(node.http_url)
        builder = Builder(shop)
        made = [Followed(shop, builder, kind, (18, 6)) for kind in KINDS]
        yield Stand(node, [FeedPool(pool.made.kind, pool.spec) for pool in made])


def elsewhere(pool: FeedPool, _: FeedPool) -> FeedPool:
    """The pool at an address without code."""
    return wrong(pool, address=NOWHERE)


def of_other_tokens(pool: FeedPool, other: FeedPool) -> FeedPool:
    """The pool at the address of one that trades other tokens."""
    return wrong(pool, address=other.spec.address)


def unknown(pool: FeedPool, _: FeedPool) -> FeedPool:
    """The pool as a kind that nobody knows."""
    return wrong(pool, kind="nonsense")


def mistaken(pool: FeedPool, _: FeedPool) -> FeedPool:
    """The pool as the kind that it is most like."""
    return wrong(pool, kind=TAKEN_FOR[pool.spec.kind])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (elsewhere, f"no contract at {NOWHERE}"),
        (of_other_tokens, "the pool's tokens are 0x"),
        (unknown, "pools of kind 'nonsense' cannot be read from a node, expected one of "),
        (mistaken, ""),
    ],
)
def test_pool_of_any_kind_listed_wrongly_is_down_with_the_reason(
    stand: Stand, fault: Callable[[FeedPool, FeedPool], FeedPool], reason: str
) -> None:
    """One line says why; the same pool listed rightly is LIVE beside it, on the same feed."""
    listed = list(stand.right)
    for pool, other in zip(stand.right, stand.right[1:] + stand.right[:1], strict=True):
        bad = fault(pool, other)
        listed.append(wrong(bad, pool_id=f"{bad.spec.pool_id}/wrong"))
    sink = Collector()
    thread = start(stand.node, listed, sink)
    try:
        for pool in listed:
            wait_for(sink, pool, PoolStatus.LIVE if pool in stand.right else PoolStatus.DOWN)
        for pool in listed[len(stand.right) :]:
            state = sink.newest(pool.spec.pool_id)
            assert state is not None
            assert state.detail.startswith(reason)
            assert state.detail
            assert "\n" not in state.detail
            assert state.curve is None
    finally:
        thread.stop()


def test_pools_of_any_kind_on_a_node_of_another_chain_are_down(stand: Stand) -> None:
    """Both ids are named, and nothing of that node was ever shown."""
    sink = Collector()
    thread = start(stand.node, stand.right, sink, chain_id=42161)
    try:
        for pool in stand.right:
            wait_for(sink, pool, PoolStatus.DOWN)
        said = {state.detail for _, state in sink.states if state.status is PoolStatus.DOWN}
        assert said == {"the node's chain id is 1, configured is 42161"}
        assert all(state.curve is None for _, state in sink.states)
    finally:
        thread.stop()


def wait_for(sink: Collector, pool: FeedPool, status: PoolStatus) -> None:
    """Wait until that is what was last said of a pool."""

    def said() -> bool:
        state = sink.newest(pool.spec.pool_id)
        return state is not None and state.status is status

    sink.wait_for(said, f"{pool.key} {status.name}")
