"""A make-believe chain with pools on it, and the truth about them at every block."""

import copy
import hashlib
from collections.abc import Sequence
from random import Random

from actors.engine.commands import swap_id
from actors.engine.pair_spec import PoolSpec
from actors.engine.pools.state import ConstantProduct, CurveState
from actors.engine.units import Side
from chain_feeds.inputs import Applied, Head, PoolEvent, Snapshot, Swap
from chain_feeds.missed import Gap, MissedSwap
from chain_feeds.settings import FeedPool

WHOLE = 10**18


def pool(number: int = 0, *, kind: str = "uniswap_v2", fee_ppm: int = 3_000) -> FeedPool:
    """A listed pool; its base token is token0."""
    address = f"0x{number + 0xA0:040x}"
    spec = PoolSpec(
        pool_id=f"ethereum:{address}",
        venue="Uniswap",
        chain="ethereum",
        kind=kind,
        address=address,
        base_address=f"0x{number + 0x10:040x}",
        quote_address=f"0x{0xFF:040x}",
        base_decimals=18,
        quote_decimals=18,
        fee_ppm=fee_ppm,
    )
    return FeedPool("vaix", spec)


def curve(base: int, quote: int) -> ConstantProduct:
    """Reserves in whole tokens, with the fee of Uniswap V2."""
    return ConstantProduct.of(base * WHOLE, quote * WHOLE, 3, 1000)


class FakeChain:
    """Blocks with pool states; can be forked. Hashes differ on every fork."""

    def __init__(
        self, pools: list[FeedPool], seed: int, telling_changes: Sequence[str] = ()
    ) -> None:
        self.pools = pools
        self.telling_changes = frozenset(telling_changes)
        """The pools whose logs tell what changed rather than what is."""
        self._random = Random(seed)
        self._forks = 0
        self.states: list[dict[str, ConstantProduct]] = []
        self.heads: list[Head] = []
        self.logs: list[list[PoolEvent]] = []
        self._append({item.key: curve(1_000_000, 3_000) for item in pools}, [])

    @property
    def tip(self) -> Head:
        """The newest block."""
        return self.heads[-1]

    @property
    def truth(self) -> dict[str, ConstantProduct]:
        """Every pool's state at the newest block."""
        return self.states[-1]

    def mine(self) -> tuple[Head, list[PoolEvent]]:
        """Add a block in which some pools change, some of them more than once."""
        state = dict(self.truth)
        changes: list[tuple[str, ConstantProduct]] = []
        for item in self.pools:
            for _ in range(self._random.choice([0, 0, 1, 1, 2])):
                pool_id = item.key
                step = self._random.uniform(0.97, 1.03)
                before = state[pool_id]
                state[pool_id] = ConstantProduct.of(
                    int(before.reserve_base * step), int(before.reserve_quote / step), 3, 1000
                )
                changes.append((pool_id, state[pool_id]))
        return self._append(state, changes)

    def fork(self, depth: int) -> None:
        """Drop the newest ``depth`` blocks; the next ones get other hashes."""
        keep = max(1, len(self.heads) - depth)
        del self.heads[keep:], self.states[keep:], self.logs[keep:]
        self._forks += 1

    def split(self, seed: int, depth: int) -> "FakeChain":
        """Give another node's view that shares all but the newest ``depth`` blocks."""
        other = copy.copy(self)
        other.heads, other.states, other.logs = self.heads[:], self.states[:], self.logs[:]
        other._random = Random(seed)
        other._forks = 1_000 + seed
        other.fork(depth)
        other.mine()
        return other

    def hash_at(self, number: int) -> str:
        """Name the block of a number; "" where there is none yet."""
        return self.heads[number].hash if number < len(self.heads) else ""

    def snapshot(self, head: Head) -> Snapshot | None:
        """Read every pool at a block; None where the block is no longer known."""
        if head.number >= len(self.heads) or self.heads[head.number].hash != head.hash:
            return None
        return Snapshot(head.number, head.hash, dict(self.states[head.number]))

    def missed(self, gap: Gap) -> list[MissedSwap]:
        """Tell the swaps of some blocks, as far as there are any."""
        logs = [log for logs in self.logs[gap.first : gap.last + 1] for log in logs]
        return [MissedSwap(log, self.heads[log.block].time_s) for log in logs]

    def swap_names(self) -> list[str]:
        """Name the swaps of every block as a feed names them, in order."""
        numbers = {item.key: number for number, item in enumerate(self.pools)}
        return [
            swap_id(log.swap.transaction, numbers[log.pool] * 1_000)
            for logs in self.logs
            for log in logs
            if log.swap is not None
        ]

    def _log(self, event: PoolEvent, before: ConstantProduct) -> PoolEvent:
        """Tell a change only, as of a mint, where the pool is one of those that do."""
        after = event.curve
        if event.pool not in self.telling_changes or not isinstance(after, ConstantProduct):
            return event
        base = after.reserve_base - before.reserve_base
        quote = after.reserve_quote - before.reserve_quote

        def change(state: CurveState) -> Applied:
            assert isinstance(state, ConstantProduct)
            reserves = state.reserve_base + base, state.reserve_quote + quote
            return Applied(state.with_reserves(*reserves))

        return event._replace(curve=None, change=change)

    def _append(
        self, state: dict[str, ConstantProduct], changes: list[tuple[str, ConstantProduct]]
    ) -> tuple[Head, list[PoolEvent]]:
        number = len(self.heads)
        parent = self.heads[-1].hash if self.heads else ""
        name = hashlib.sha256(f"{parent}/{number}/{self._forks}".encode()).hexdigest()
        touched = frozenset(pool_id for pool_id, _ in changes)
        head = Head(number, name, parent, 1_000_000 + number, touched)
        newest = dict(self.truth) if self.states else {}
        logs = []
        for index, (pool_id, after) in enumerate(changes):
            before, newest[pool_id] = newest[pool_id], after
            swap = Swap(Side.BUY, index + 1, number + 1, f"0x{index:02x}{name}")
            event = PoolEvent(pool_id, number, name, index, after, swap=swap)
            logs.append(self._log(event, before))
        self.heads.append(head)
        self.states.append(state)
        self.logs.append(logs)
        return head, logs
