"""What every source promises the pairs, on each: a recording, an EVM node, a Solana node."""

import shutil
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from actors.engine.pools.state import Concentrated, ConstantProduct, PoolState, PoolStatus
from actors.engine.units import PPM, Side
from chain_feeds.runner import Feed, FeedThread
from chain_feeds.settings import ChainSettings, ChainTable, FeedPool, pools_of
from devnet.anvil import Anvil, install
from devnet.contracts import DEFAULT_MARKETS, UNIT, Network
from devnet.listed import holdings
from devnet.solana import SolanaNode
from devnet.solana_pools import DEFAULT_MARKETS as SOLANA_MARKETS
from devnet.solana_pools import SolanaNetwork
from devnet.solana_tokens import Wallet
from tandem.settings import load
from tests.chain.feeding import Collector, pool_of

Start = Callable[[list[FeedPool]], Collector]


class Source:
    """A source under test: its chain, the pools it holds, and how to make one of them change."""

    def __init__(
        self, label: str, chain: ChainSettings, pools: list[FeedPool], stir: Callable[[], None]
    ) -> None:
        self.label = label
        self.chain = chain
        self.pools = pools
        self.stir = stir

    def absent(self) -> FeedPool:
        """A pool that the source does not hold."""
        spec = self.pools[0].spec
        changed = msgspec.structs.replace(
            spec, address="0x" + "77" * 20, pool_id=f"{spec.chain}:0x{'77' * 20}"
        )
        return FeedPool(self.pools[0].symbol, changed)


def recorded() -> Source:
    """The recording of a chain as it ships; it changes by itself every two seconds."""
    settings = load(environ={})
    (chain,) = [chain for chain in settings.chains if chain.name == "base"]
    return Source("recorded", chain, list(pools_of("base", settings.listing.pairs)), lambda: None)


def on_node(node: Anvil) -> Source:
    """A node with two pairs; swaps change them."""
    network = Network(node.http_url, DEFAULT_MARKETS[:2])
    chain = ChainSettings("ethereum", ChainTable(stale_after_s=60), node.ws_url, node.http_url)

    def stir() -> None:
        network.swap("vaix", buy=True, amount_in=100 * UNIT)

    return Source("node", chain, [pool_of(pair) for pair in network.pairs.values()], stir)


def on_solana(node: SolanaNode) -> Source:
    """A Solana node with a pool of each kind; swaps change them."""
    network = SolanaNetwork(Wallet(node), SOLANA_MARKETS[1:4])
    table = ChainTable(family="solana", stale_after_s=60)
    chain = ChainSettings("solana", table, node.ws_url, node.http_url)

    def stir() -> None:
        network.swap(network.pools[0], Side.BUY, 100 * 10**6)

    pools = [FeedPool(pool.market.symbol, pool.spec) for pool in network.pools]
    return Source("node", chain, pools, stir)


KINDS = ["recorded", pytest.param("node", marks=pytest.mark.chain), "solana"]


@pytest.fixture(params=KINDS, scope="module")
def source(request: pytest.FixtureRequest) -> Iterator[Source]:
    """Each source in turn."""
    if request.param == "recorded":
        yield recorded()
        return
    if request.param == "solana":
        with SolanaNode(slot_s=0.1) as service:
            yield on_solana(service)
        return
    if shutil.which("npm") is None:
        pytest.skip("CHAIN TESTS DID NOT RUN: install Node 20 or newer")
    install()
    with Anvil() as node:
        yield on_node(node)


@pytest.fixture
def start(source: Source) -> Iterator[Start]:
    """Starts feeds on the source, and ends them."""
    threads: list[FeedThread] = []

    def begin(pools: list[FeedPool]) -> Collector:
        sink = Collector()
        threads.append(FeedThread(Feed(source.chain, pools, sink)))
        threads[-1].start()
        return sink

    yield begin
    for thread in threads:
        thread.stop()


def statuses(sink: Collector, pools: list[FeedPool]) -> list[PoolStatus | None]:
    """The status last said of each pool."""
    newest = [sink.newest(pool.spec.pool_id) for pool in pools]
    return [state.status if state else None for state in newest]


def wait_until_live(sink: Collector, pools: list[FeedPool]) -> None:
    """Wait until every pool is LIVE."""
    wanted = [PoolStatus.LIVE] * len(pools)
    sink.wait_for(lambda: statuses(sink, pools) == wanted, "all LIVE")


def states_of(sink: Collector, pool: FeedPool) -> list[PoolState]:
    """Every LIVE state said of a pool."""
    said = [state for _, state in sink.states if state.pool_id == pool.spec.pool_id]
    return [state for state in said if state.status is PoolStatus.LIVE]


def test_source_started_says_each_pool_live_with_its_label(source: Source, start: Start) -> None:
    """A LIVE state has reserves, the listed fee, a block, its time, and says where it is from."""
    sink = start(source.pools)
    wait_until_live(sink, source.pools)
    for pool in source.pools:
        state = states_of(sink, pool)[0]
        assert state.source == source.label
        assert state.curve is not None
        assert min(holdings(state.curve)) > 0
        shares = PPM if isinstance(state.curve, Concentrated) else state.curve.fee_den
        assert state.curve.fee_of(Side.BUY) * PPM == pool.spec.fee_ppm * shares
        assert state.block > 0
        assert 0 < state.block_time_ns <= time.time_ns() + 10**9
        assert state.detail == ""


def test_source_whose_pools_change_says_new_states_in_order(source: Source, start: Start) -> None:
    """A change is said with its block; blocks never go back, and no state is said twice."""
    sink = start(source.pools)
    wait_until_live(sink, source.pools)

    def changed() -> bool:
        return any(len({s.curve for s in states_of(sink, pool)}) > 1 for pool in source.pools)

    source.stir()
    sink.wait_for(changed, "a change")
    for pool in source.pools:
        states = states_of(sink, pool)
        assert [state.block for state in states] == sorted(state.block for state in states)
        keys = [(state.block, state.curve, state.base_supply) for state in states]
        assert len(keys) == len(set(keys))


def test_source_without_a_listed_pool_says_it_down(source: Source, start: Start) -> None:
    """The pool it does not hold is DOWN with one line of reason; the others are LIVE."""
    absent = source.absent()
    sink = start([*source.pools, absent])
    wait_until_live(sink, source.pools)
    sink.wait_for(lambda: statuses(sink, [absent]) == [PoolStatus.DOWN], "DOWN")
    state = sink.newest(absent.spec.pool_id)
    assert state is not None
    assert state.curve is None
    assert state.detail
    assert "\n" not in state.detail


def test_source_of_one_pool_beside_two_pairs_tells_both(source: Source, start: Start) -> None:
    """A pool that is listed twice is told to either pair, each in its own order of tokens.

    A recording holds the order of tokens that it was made with, and no other.
    """
    first, spec = source.pools[0], source.pools[0].spec
    if source.label == "node":
        spec = msgspec.structs.replace(
            spec,
            base_address=spec.quote_address,
            quote_address=spec.base_address,
            base_decimals=spec.quote_decimals,
            quote_decimals=spec.base_decimals,
        )
    sink = Labelled()
    thread = FeedThread(Feed(source.chain, [first, FeedPool("other", spec)], sink))
    thread.start()
    try:
        sink.wait_for(lambda: {"other", first.symbol} <= set(sink.live), "both LIVE")
    finally:
        thread.stop()
    one, other = sink.live[first.symbol].curve, sink.live["other"].curve
    assert isinstance(one, ConstantProduct)
    assert isinstance(other, ConstantProduct)
    if source.label == "node":
        assert (one.reserve_base, one.reserve_quote) == (other.reserve_quote, other.reserve_base)
    else:
        assert one == other


class Labelled(Collector):
    """Keeps the newest LIVE state of each pair."""

    def __init__(self) -> None:
        super().__init__()
        self.live: dict[str, PoolState] = {}

    def publish(self, symbol: str, state: PoolState) -> None:
        """Keep a state."""
        if state.status is PoolStatus.LIVE:
            self.live[symbol] = state
        super().publish(symbol, state)


class Failing(Collector):
    """A sink that fails at every call, after keeping what it was given."""

    def publish(self, symbol: str, state: PoolState) -> None:
        """Keep a state, and fail."""
        super().publish(symbol, state)
        raise RuntimeError("the sink is broken")


def test_source_with_a_failing_sink_goes_on_and_stops_when_told(source: Source) -> None:
    """What a sink does wrong reaches no feed; after `stop` nothing is said."""
    sink = Failing()
    thread = FeedThread(Feed(source.chain, source.pools, sink))
    thread.start()
    wait_until_live(sink, source.pools)
    assert thread.status().pools_live == len(source.pools)
    assert thread.status().reconnects == 0
    thread.stop()
    said = len(sink.states)
    source.stir()
    thread.stop()  # a second call does nothing
    assert len(sink.states) == said
