"""A feed on a Solana node: what it says is what the accounts hold, whatever happens between."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from random import Random

import msgspec
import pytest

from actors.engine.pools.state import Concentrated, PoolState, PoolStatus
from actors.engine.pools.tick_math import root_at_q64
from actors.engine.pools.tick_road import TickRoad
from actors.engine.units import Side
from chain_feeds.inputs import Head
from chain_feeds.runner import Feed, FeedThread
from chain_feeds.settings import ChainSettings, ChainTable, FeedPool, NodeUrls
from chain_feeds.sources.solana import SolanaSource
from chain_feeds.venues import raydium_amm, raydium_clmm, raydium_cpmm
from devnet.solana import SolanaNode
from devnet.solana_pools import SUPPLIES, SolanaMarket, SolanaNetwork, SolanaPool
from devnet.solana_tokens import Wallet
from tests.chain.feeding import Collector
from tests.running import wait_until

MARKETS = (
    SolanaMarket("vaix", raydium_amm.KIND, 0.003, 400_000.0),
    SolanaMarket("sbio", raydium_cpmm.KIND, 0.05, 600_000.0),
    SolanaMarket("eth", raydium_clmm.KIND, 3_200.0, 6_000_000.0),
    SolanaMarket("btc", raydium_clmm.KIND, 65_000.0, 8_000_000.0),
)
SLOT_S = 0.1
LIVE, STALE, DOWN = PoolStatus.LIVE, PoolStatus.STALE, PoolStatus.DOWN


class Feeding:
    """A feed in its own thread on a node with pools of each kind."""

    def __init__(self, node: SolanaNode, network: SolanaNetwork) -> None:
        self.node = node
        self.network = network
        self.pools = network.pools
        self.sink = Collector()
        self._threads: list[FeedThread] = []

    def start(
        self,
        pools: list[FeedPool] | None = None,
        fallbacks: tuple[NodeUrls, ...] = (),
        **table: object,
    ) -> None:
        """Start the feed; on the node, unless other nodes are given."""
        settings = {"family": "solana", "stale_after_s": 20.0, **table}
        first = NodeUrls(self.node.ws_url, self.node.http_url)
        nodes = (*fallbacks, first)
        chain = ChainSettings(
            "solana",
            msgspec.convert(settings, ChainTable),
            nodes[0].ws_url,
            nodes[0].http_url,
            fallbacks=nodes[1:],
        )
        thread = FeedThread(Feed(chain, pools or self.listed(), self.sink))
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """End what was started."""
        for thread in self._threads:
            thread.stop()

    def listed(self) -> list[FeedPool]:
        """The pools as they would be listed."""
        return [FeedPool(pool.market.symbol, pool.spec) for pool in self.pools]

    def said(self, pool: SolanaPool) -> PoolState | None:
        """What was said last of a pool."""
        return self.sink.newest(pool.spec.pool_id)

    def status(self, pool: SolanaPool) -> PoolStatus | None:
        """The status said last of a pool."""
        said = self.said(pool)
        return said.status if said else None

    def wait_until(self, pool: SolanaPool, status: PoolStatus) -> PoolState:
        """Wait for a status."""
        self.sink.wait_for(lambda: self.status(pool) is status, f"{pool.spec.kind} {status.name}")
        said = self.said(pool)
        assert said is not None
        return said

    def wait_for_truth(self) -> None:
        """Wait until every pool is LIVE with the state that its accounts hold."""
        truth = {pool.spec.pool_id: self.network.curve(pool) for pool in self.pools}

        def is_told() -> bool:
            told = {name: self.sink.newest(name) for name in truth}
            return all(
                state is not None and state.status is LIVE and state.curve == truth[name]
                for name, state in told.items()
            )

        self.sink.wait_for(is_told, "the truth")

    def wait_for_slots(self, slots: int) -> int:
        """Wait until so many more slots are confirmed, and with them what was written before."""
        confirmed = {"commitment": "confirmed"}
        wanted = self.node.rpc("getSlot", confirmed) + slots
        wait_until(lambda: self.node.rpc("getSlot", confirmed) >= wanted, 30, "slots")
        return self.node.rpc("getSlot", confirmed)

    def swap(self, random: Random) -> tuple[SolanaPool, Side, tuple[int, int]]:
        """A random swap: pool, side, (base, quote)."""
        pool = random.choice(self.pools)
        side = random.choice(list(Side))
        usd = random.uniform(1, 2_000)
        whole = usd * 10**6 if side is Side.BUY else usd / pool.market.price * 10**9
        paid, taken = self.network.swap(pool, side, int(whole))
        return pool, side, (taken, paid) if side is Side.BUY else (paid, taken)


@pytest.fixture(scope="module")
def node() -> Iterator[SolanaNode]:
    """A node with short slots."""
    with SolanaNode(slot_s=SLOT_S, seed=7) as started:
        yield started


@pytest.fixture(scope="module")
def network(node: SolanaNode) -> SolanaNetwork:
    """Pools of each kind, made and confirmed."""
    made = SolanaNetwork(Wallet(node), MARKETS)
    last = made.pools[-1].spec.address
    confirmed = {"commitment": "confirmed"}
    wait_until(lambda: node.rpc("getAccountInfo", last, confirmed)["value"], 60, "confirmation")
    return made


@pytest.fixture
def feeding(node: SolanaNode, network: SolanaNetwork) -> Iterator[Feeding]:
    """A feed that is not started yet."""
    started = Feeding(node, network)
    yield started
    started.stop()


def states_of(feeding: Feeding, pool: SolanaPool) -> list[PoolState]:
    """Every LIVE state said of a pool, in order."""
    return [
        state
        for _, state in feeding.sink.states
        if state.pool_id == pool.spec.pool_id and state.status is LIVE
    ]


def test_feed_after_fifty_swaps_says_what_the_accounts_hold(feeding: Feeding) -> None:
    """50 random swaps in three kinds of pools, two lost connections: the truth, and no torn state.

    Every state that was said LIVE is one that the accounts held when a slot ended: its slot's
    number never goes back, and each curve is among those that the swaps made.
    """
    feeding.start()
    feeding.wait_for_truth()
    random = Random(20_261_128)
    existed = {pool.spec.pool_id: [feeding.network.curve(pool)] for pool in feeding.pools}
    for number in range(50):
        pool, _, _ = feeding.swap(random)
        existed[pool.spec.pool_id].append(feeding.network.curve(pool))
        if number in {20, 35}:
            feeding.node.rpc("svm_disconnect")
    feeding.wait_for_truth()
    for pool in feeding.pools:
        states = states_of(feeding, pool)
        assert [state.block for state in states] == sorted(state.block for state in states)
        assert all(state.curve in existed[pool.spec.pool_id] for state in states)
        newest = states[-1]
        assert newest.base_supply == SUPPLIES[pool.market.symbol] * 10**9
        assert abs(newest.block_time_ns - time.time_ns()) < 60 * 10**9


def test_swaps_reach_the_tape_with_side_and_amounts(feeding: Feeding) -> None:
    """Each swap of a slot of its own is told once, with what went in and what came out."""
    feeding.start()
    feeding.wait_for_truth()
    random = Random(1)
    made = []
    for _ in range(6):
        pool, side, amounts = feeding.swap(random)
        made.append((pool.market.symbol, side, amounts))
        feeding.wait_for_truth()
    told = [
        (symbol, swap.side, (swap.base_raw, swap.quote_raw)) for symbol, swap in feeding.sink.swaps
    ]
    assert told == made
    assert len({swap.command_id for _, swap in feeding.sink.swaps}) == len(made)


def test_pool_that_is_switched_off_is_down_and_hurts_no_other(feeding: Feeding) -> None:
    """A change of the pool's account alone is seen; the reason is one line."""
    feeding.start()
    feeding.wait_for_truth()
    amm, *others = feeding.pools
    feeding.network.write(amm, {"status": 4})
    try:
        said = feeding.wait_until(amm, DOWN)
    finally:
        feeding.network.write(amm, {"status": raydium_amm.SWAP_ONLY})
    feeding.wait_for_truth()
    assert said.detail == "the pool takes no swaps: its status is 4 (LiquidityOnly)"
    assert {feeding.status(pool) for pool in others} == {LIVE}


def test_present_to_a_vault_and_profit_are_read_as_one(feeding: Feeding) -> None:
    """One vault alone grows, or the pool's account alone changes: both are read, and right."""
    feeding.start()
    feeding.wait_for_truth()
    amm = feeding.pools[0]
    wallet = feeding.network.wallet
    own = str(wallet.account_of(feeding.network.usdc))
    wallet.send([wallet.transfer(own, amm.vaults[1], 10**9)])
    feeding.wait_for_truth()
    feeding.network.write(amm, {"need_take_pnl_pc": 5 * 10**8})
    feeding.wait_for_truth()


def test_price_that_leaves_the_window_brings_other_tick_arrays(feeding: Feeding) -> None:
    """Far down the first position's end comes near: its array is subscribed to, read and told."""
    feeding.start(max_jump_pct=300)
    feeding.wait_for_truth()
    pool = feeding.pools[3]
    end = min(tick for tick, _ in positions(feeding, pool))
    for _ in range(12):
        curve = feeding.network.curve(pool)
        assert isinstance(curve, Concentrated)
        if end in dict(curve.nets()):
            break
        road = TickRoad(curve, curve.fee_ppm, up=False)
        paid, _ = road.until(root_at_q64(max(curve.low_tick + 1, end + 100)))
        feeding.network.swap(pool, Side.SELL, paid)
        feeding.wait_for_truth()
    said = feeding.said(pool)
    assert said is not None
    assert isinstance(said.curve, Concentrated)
    assert end in dict(said.curve.nets())


def positions(feeding: Feeding, pool: SolanaPool) -> list[tuple[int, int]]:
    """The ends of every position of a CLMM pool, from the arrays that its bitmap names."""
    data = feeding.network.accounts(pool)[pool.spec.address].data
    at = raydium_clmm.BITMAP_AT
    bits = int.from_bytes(data[at : at + 128], "little")
    span = raydium_clmm.TICKS_PER_ARRAY * raydium_clmm.POOL_STATE.number(data, "tick_spacing")
    starts = [(bit - 512) * span for bit in range(1024) if bits >> bit & 1]
    addresses = [raydium_clmm.array_address(pool.spec.address, start) for start in starts]
    found = []
    for account in feeding.network.wallet.read(addresses).values():
        for index in range(raydium_clmm.TICKS_PER_ARRAY):
            base = raydium_clmm.TICKS_AT + index * raydium_clmm.TICK.size
            net = raydium_clmm.TICK.number(account.data, "liquidity_net", base)
            if net:
                found.append((raydium_clmm.TICK.number(account.data, "tick", base), net))
    return found


def test_wrong_listings_are_down_with_their_reason_and_hurt_no_other(feeding: Feeding) -> None:
    """No such account, other tokens, other decimals, an EVM address, an unknown kind."""
    amm, cpmm, clmm, _ = feeding.listed()
    wrong = {
        "there is no AmmInfo account at the address": {"address": amm.spec.base_address[:-1] + "2"},
        "the pool's tokens are": {"quote_address": cpmm.spec.base_address},
        "the base token has 9 decimals, listed are 6": {"base_decimals": 6},
        "address is no public key in base 58": {"address": "0x" + "77" * 20},
        "cannot be read from a Solana node": {"kind": "uniswap_v2"},
        "belongs to program": {"address": amm.spec.base_address},
    }
    pools = [
        FeedPool("vaix", msgspec.structs.replace(amm.spec, pool_id=f"solana:{number}", **changes))
        for number, changes in enumerate(wrong.values())
    ]
    feeding.start([*pools, cpmm, clmm])
    for number, reason in enumerate(wrong):
        feeding.sink.wait_for(
            lambda number=number: (
                (said := feeding.sink.newest(f"solana:{number}")) is not None
                and said.status is DOWN
            ),
            reason,
        )
        said = feeding.sink.newest(f"solana:{number}")
        assert said is not None
        assert reason in said.detail
        assert "\n" not in said.detail
    feeding.wait_until(feeding.pools[1], LIVE)
    feeding.wait_until(feeding.pools[2], LIVE)


def test_node_of_another_cluster_is_down(feeding: Feeding) -> None:
    """The genesis hash names the cluster."""
    mainnet = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
    feeding.start(genesis_hash=mainnet)
    said = feeding.wait_until(feeding.pools[0], DOWN)
    assert said.detail == (
        f"the node's genesis hash is {feeding.node.rpc('getGenesisHash')}, configured is {mainnet}"
    )


def test_first_node_that_is_gone_is_left_for_the_next(feeding: Feeding) -> None:
    """Several nodes: one that does not answer holds nothing up."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    feeding.start(fallbacks=(NodeUrls(f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}"),))
    feeding.wait_for_truth()


def test_silent_node_makes_pools_stale_and_its_return_live(feeding: Feeding) -> None:
    """A node that stands still for longer than the bound: STALE; when it goes on, LIVE."""
    feeding.start(stale_after_s=2.0)
    feeding.wait_for_truth()
    os.kill(feeding.node.pid, signal.SIGSTOP)
    try:
        feeding.wait_until(feeding.pools[0], STALE)
    finally:
        os.kill(feeding.node.pid, signal.SIGCONT)
    feeding.wait_for_truth()


async def test_source_that_is_only_asked_answers_from_the_newest_slot(feeding: Feeding) -> None:
    """A second node's opinion: its slot's name once it has it, and every pool at one slot."""
    chain = ChainSettings(
        "solana", ChainTable(family="solana"), feeding.node.ws_url, feeding.node.http_url
    )
    source = SolanaSource(chain, feeding.listed(), lambda _: None)
    try:
        slot = feeding.wait_for_slots(2)
        assert await source.hash_at(slot) == f"{slot:#x}"
        assert await source.hash_at(slot + 10_000) == ""
        snapshot = await source.read(Head(slot, f"{slot:#x}", "", 0))
        assert snapshot.block >= slot
        truth = {
            f"{pool.market.symbol}/{pool.spec.pool_id}": feeding.network.curve(pool)
            for pool in feeding.pools
        }
        assert snapshot.curves == truth
    finally:
        await source.close()
