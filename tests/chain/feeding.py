"""A feed on a real node, and what it said."""

import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from actors.engine.commands import PoolTraded
from actors.engine.pair_spec import AssetSpec, PairSpec, PoolSpec
from actors.engine.pools.state import PoolState, PoolStatus
from chain_feeds.runner import Feed, FeedThread
from chain_feeds.settings import ChainSettings, ChainTable, FeedPool, NodeUrls, ws_from_http
from devnet.anvil import Anvil
from devnet.contracts import Deployed, Network

TIMEOUT_S = 60.0
PATIENT_S = 60.0
"""These nodes make no block without a transaction: only tests of staleness take that for death."""


class Collector:
    """A sink that keeps everything, and can be waited on."""

    def __init__(self) -> None:
        self.states: list[tuple[float, PoolState]] = []
        self.swaps: list[tuple[str, PoolTraded]] = []
        self._changed = threading.Condition()

    def publish(self, symbol: str, state: PoolState) -> None:  # noqa: ARG002 -- as a sink is called
        """Keep a state."""
        with self._changed:
            self.states.append((time.monotonic(), state))
            self._changed.notify_all()

    def trade(self, symbol: str, swap: PoolTraded) -> None:
        """Keep a swap."""
        with self._changed:
            self.swaps.append((symbol, swap))
            self._changed.notify_all()

    def newest(self, pool_id: str) -> PoolState | None:
        """The last state of a pool."""
        for _, state in reversed(self.states):
            if state.pool_id == pool_id:
                return state
        return None

    def wait_for(self, met: Callable[[], bool], what: str) -> None:
        """Wait until something holds, looking again whenever a state comes."""
        deadline = time.monotonic() + TIMEOUT_S
        with self._changed:
            while not met():
                left = deadline - time.monotonic()
                assert left > 0, f"{what} did not happen; last said: {self.states[-4:]}"
                self._changed.wait(min(left, 0.1))


class Feeding:
    """A feed in its own thread on an anvil node, or on several ways to it."""

    def __init__(
        self,
        node: Anvil,
        network: Network,
        *,
        stale_after_s: float = PATIENT_S,
        chain_id: int = 1,
        urls: Sequence[str] = (),
    ) -> None:
        self.network = network
        self.pid = node.pid
        self.pools = {symbol: pool_of(item) for symbol, item in network.pairs.items()}
        self.sink = Collector()
        first, *others = [NodeUrls(ws_from_http(url), url) for url in urls or [node.http_url]]
        table = ChainTable(chain_id=chain_id, stale_after_s=stale_after_s)
        chain = ChainSettings("ethereum", table, first.ws_url, first.http_url, tuple(others))
        self.thread = FeedThread(Feed(chain, list(self.pools.values()), self.sink))
        self.thread.start()

    def stop(self) -> None:
        """End the feed."""
        self.thread.stop()

    def state(self, symbol: str) -> PoolState:
        """What was last said of a pair's pool."""
        newest = self.sink.newest(self.pools[symbol].spec.pool_id)
        assert newest is not None
        return newest

    def statuses(self) -> set[PoolStatus]:
        """The statuses last said."""
        found = [self.sink.newest(pool.spec.pool_id) for pool in self.pools.values()]
        return {state.status for state in found if state is not None}

    def wait_until(self, status: PoolStatus) -> None:
        """Wait until every pool is in a status."""
        self.sink.wait_for(lambda: self.statuses() == {status}, f"all {status.name}")

    def wait_until_live(self) -> None:
        """Wait until every pool is LIVE."""
        self.wait_until(PoolStatus.LIVE)

    def wait_for_truth(self) -> None:
        """Wait until every pool is LIVE with the reserves that its contract tells."""
        truth = {symbol: item.reserves() for symbol, item in self.network.pairs.items()}

        def same() -> bool:
            for symbol, (base, quote) in truth.items():
                said = self.sink.newest(self.pools[symbol].spec.pool_id)
                if said is None or said.curve is None or said.status is not PoolStatus.LIVE:
                    return False
                if (said.curve.reserve_base, said.curve.reserve_quote) != (base, quote):
                    return False
            return True

        self.sink.wait_for(same, f"the truth {truth}")


def start(
    node: Anvil,
    pools: list[FeedPool],
    sink: Collector,
    stale_after_s: float = PATIENT_S,
    chain_id: int = 1,
) -> FeedThread:
    """Start a feed on a node."""
    table = ChainTable(chain_id=chain_id, stale_after_s=stale_after_s)
    chain = ChainSettings("ethereum", table, node.ws_url, node.http_url)
    thread = FeedThread(Feed(chain, pools, sink))
    thread.start()
    return thread


def pool_of(deployed: Deployed) -> FeedPool:
    """List a deployed pair."""
    spec = PoolSpec(
        pool_id=f"ethereum:{deployed.pair.address}".lower(),
        venue="Uniswap",
        chain="ethereum",
        kind="uniswap_v2",
        address=deployed.pair.address,
        base_address=deployed.base.address,
        quote_address=deployed.quote.address,
        base_decimals=18,
        quote_decimals=18,
        fee_ppm=3_000,
    )
    return FeedPool(deployed.market.symbol, spec)


def wrong(pool: FeedPool, **changes: object) -> FeedPool:
    """The same pool, listed wrongly."""
    return FeedPool(pool.symbol, msgspec.structs.replace(pool.spec, **changes))


def pair_of(pool: FeedPool, tick_size: str, lot_size: str, decimals: int) -> PairSpec:
    """A pair with that pool beside its book, counted in other decimals than the pool's."""
    return PairSpec(
        symbol=pool.symbol,
        base=AssetSpec(pool.symbol.upper(), decimals),
        quote=AssetSpec("USDC", 6),
        tick_size=tick_size,
        lot_size=lot_size,
        pools=(pool.spec,),
    )
