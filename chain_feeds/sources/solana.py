"""A Solana node: account notifications over one WebSocket, everything else over HTTP.

Everything is asked for at the commitment ``confirmed``, which two thirds of the stake stand behind:
slots do not come back. A slot counts as a block, and its own sysvar account, the clock, tells of it
and of its time. What notifications make up is `solana_pairing`'s; the accounts' meaning is the
venues'. A node cannot be asked about a past slot: reads answer from the newest one and name it.
"""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from typing import Final

from solana.rpc.commitment import Commitment
from solana.rpc.websocket_api import SolanaWsClient, Subscription
from solders.pubkey import Pubkey
from solders.rpc.responses import AccountNotification

from actors.engine.pools.state import CurveState
from chain_feeds.errors import DecodeError, SourceLostError, WrongChainError
from chain_feeds.inputs import Head, PoolEvent, Snapshot, Swap
from chain_feeds.missed import Gap, MissedSwap
from chain_feeds.node_source import Emit
from chain_feeds.settings import ChainSettings, FeedPool
from chain_feeds.sources.solana_pairing import Settled, SlotPairing
from chain_feeds.sources.solana_reads import CLOCK, TROUBLE, Reads, clock_time_s, lost
from chain_feeds.venues.account_layout import Account, Accounts
from chain_feeds.venues.raydium import Plan, is_address, mint_fault, supply_of
from chain_feeds.venues.solana import SOLANA_VENUES

_OPEN_TIMEOUT_S: Final = 5.0
_PING_S: Final = 5.0
_CLOSE_TIMEOUT_S: Final = 1.0
_WAITING_MAX: Final = 20_000
_SUBSCRIBING_MAX: Final = 20
"""Requests on their way at once; providers bound them."""
_PLANS_MAX: Final = 4
"""A read shows where the price is; where it is far from before, other accounts must be read."""
_DOUBT_MAX_S: Final = 3.0
"""A node that was asked may be behind the one that told; it has so long to come to the slot."""
_DOUBT_PAUSE_S: Final = 0.1
_ABSENT: Final = Account("", b"")
"""An account that does not exist, or no longer."""


class SolanaSource:
    """One connection to a node. Make a new one for the next connection.

    Args:
        chain: the chain with both URLs.
        pools: its listed pools.
        emit: takes heads and events as they come; must only store them.
    """

    def __init__(self, chain: ChainSettings, pools: Sequence[FeedPool], emit: Emit) -> None:
        self._chain = chain
        self._listed = tuple(pools)
        self._emit = emit
        self._reads = Reads(chain)
        self._pools: dict[str, FeedPool] = {}
        """The pools whose accounts are known, by key."""
        self._pairing = SlotPairing()
        self._subscribed: dict[str, Subscription] = {}
        self._addresses: dict[int, str] = {}
        self._doubtful = asyncio.Event()
        self._events = itertools.count()
        self._slot = -1
        self._now_s = 0

    async def check(self) -> dict[str, str]:
        """Ask the node who it is, and each pool's accounts whether they are what was listed.

        Returns:
            What is wrong, by `FeedPool.key`; nothing for a pool that is right.

        Raises:
            WrongChainError: the node is of another cluster.
            SourceLostError: the node does not answer.
        """
        genesis, wanted = await self._reads.genesis(), self._chain.table.genesis_hash
        if wanted and genesis != wanted:
            raise WrongChainError(
                self._chain.name, f"the node's genesis hash is {genesis}, configured is {wanted}"
            )
        faults = await self._learn()
        mints = sorted(
            {
                mint
                for pool in self._pools.values()
                for mint in (pool.spec.base_address, pool.spec.quote_address)
            }
        )
        _, found = await self._reads.accounts(mints)
        for pool in list(self._pools.values()):
            fault = _tokens_fault(pool, found)
            if fault:
                faults[pool.key] = fault
        return faults

    async def follow(self) -> None:
        """Subscribe, emit the newest slot, and pass on what comes until the connection ends.

        Raises:
            SourceLostError: always, in the end.
        """
        settling = asyncio.create_task(self._settle_doubts())
        try:
            async with self._socket() as client:
                await self._subscribe(client, [CLOCK])
                await self._keep_subscribed(client)
                slot, found = await self._reads.accounts([CLOCK])
                self._begin_slot(slot, found[CLOCK])
                while not settling.done():
                    notification = await self._next(client, settling)
                    if isinstance(notification, AccountNotification):
                        self._receive(notification)
                    await self._keep_subscribed(client)
                settling.result()
        except TROUBLE as error:
            raise lost(self._chain, self._chain.ws_url, error) from None
        finally:
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
        raise SourceLostError(self._chain.name, "the node closed the connection")

    async def read(self, head: Head) -> Snapshot:
        """Read every pool at a slot or a later one, each pool's accounts in one call.

        Raises:
            SourceLostError: the node does not answer, or has not come to the slot yet.
        """
        if not self._pools:
            await self._learn()
        keys = list(self._pools)
        for _ in range(_PLANS_MAX):
            self._count(await self._read(keys, head.number))
            keys = [key for key in self._pairing.unsure() if key in keys]
            if not keys:
                break
        else:
            raise SourceLostError(self._chain.name, "prices move faster than they can be read")
        curves: dict[str, CurveState | str] = {}
        slots = []
        for key in self._pools:
            slot, accounts = self._pairing.state_of(key)
            curves[key] = self._curve(key, accounts)
            slots.append(slot)
        return Snapshot(min(slots, default=head.number), head.hash, curves)

    async def missed(self, gap: Gap) -> list[MissedSwap]:  # noqa: ARG002 -- as `NodeSource` has it
        """Return nothing: an account tells what it holds, not how it came to that."""
        return []

    async def hash_at(self, number: int) -> str:
        """Return the name of the slot of that number, "" where the node has not come to it.

        Raises:
            SourceLostError: the node does not answer.
        """
        return slot_name(number) if await self._reads.slot() >= number else ""

    async def supplies(self, head: Head) -> dict[str, int]:
        """Return what exists of each pool's base token, by `FeedPool.key`.

        Raises:
            SourceLostError: the node does not answer.
        """
        mints = sorted({pool.spec.base_address for pool in self._pools.values()})
        _, found = await self._reads.accounts(mints, head.number)
        supplies = {
            key: supply_of(found.get(pool.spec.base_address)) for key, pool in self._pools.items()
        }
        return {key: supply for key, supply in supplies.items() if supply}

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._reads.close()

    # ---- what is followed

    async def _learn(self) -> dict[str, str]:
        """Read the pools' own accounts, and plan what else belongs to each; returns faults."""
        faults = {pool.key: fault for pool in self._listed if (fault := _listing_fault(pool))}
        right = [pool for pool in self._listed if pool.key not in faults]
        _, found = await self._reads.accounts(sorted({pool.spec.address for pool in right}))
        for pool in right:
            try:
                plan = self._planned(pool, found)
            except DecodeError as error:
                faults[pool.key] = str(error)
                continue
            self._pools[pool.key] = pool
            self._pairing.plan(pool.key, plan)
        return faults

    def _planned(self, pool: FeedPool, accounts: Accounts) -> Plan:
        return SOLANA_VENUES[pool.spec.kind].plan(pool.spec, accounts.get(pool.spec.address))

    def _socket(self) -> SolanaWsClient:
        return SolanaWsClient(
            self._chain.ws_url,
            request_timeout=_OPEN_TIMEOUT_S,
            notification_queue_size=_WAITING_MAX,
            max_size=None,
            open_timeout=_OPEN_TIMEOUT_S,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            close_timeout=_CLOSE_TIMEOUT_S,
        )

    async def _keep_subscribed(self, client: SolanaWsClient) -> None:
        """Subscribe to what the plans name by now, and leave what they no longer do."""
        wanted = self._pairing.addresses | {CLOCK}
        if wanted == self._subscribed.keys():
            return
        await self._subscribe(client, sorted(wanted - self._subscribed.keys()))
        for address in self._subscribed.keys() - wanted:
            subscription = self._subscribed.pop(address)
            self._addresses.pop(subscription.subscription_id, None)
            await client.unsubscribe(subscription)

    async def _subscribe(self, client: SolanaWsClient, addresses: Sequence[str]) -> None:
        """Subscribe to accounts, some at a time; what comes meanwhile waits in the client."""
        for start in range(0, len(addresses), _SUBSCRIBING_MAX):
            some = addresses[start : start + _SUBSCRIBING_MAX]
            asked = [
                client.account_subscribe(
                    pubkey=Pubkey.from_string(address),
                    commitment=Commitment.CONFIRMED,
                    encoding="base64",
                )
                for address in some
            ]
            for address, subscription in zip(some, await asyncio.gather(*asked), strict=True):
                self._subscribed[address] = subscription
                self._addresses[subscription.subscription_id] = address

    # ---- what comes

    async def _next(self, client: SolanaWsClient, settling: "asyncio.Task[None]") -> object:
        """Wait for a notification, or for the task beside to fail."""
        receiving = asyncio.create_task(client.recv())
        try:
            await asyncio.wait({receiving, settling}, return_when=asyncio.FIRST_COMPLETED)
            return receiving.result() if receiving.done() else None
        finally:
            if not receiving.done():
                receiving.cancel()
                await asyncio.gather(receiving, return_exceptions=True)

    def _receive(self, notification: AccountNotification) -> None:
        address = self._addresses.get(notification.subscription)
        if address is None:
            return
        slot, told = notification.result.context.slot, notification.result.value
        account = Account(str(told.owner), bytes(told.data)) if told.lamports else _ABSENT
        if address == CLOCK:
            self._begin_slot(slot, account)
        else:
            self._tell_head(slot)
            self._count(self._pairing.receive_account(address, slot, account))

    def _begin_slot(self, slot: int, clock: Account) -> None:
        self._now_s = max(self._now_s, clock_time_s(clock))
        self._tell_head(slot)
        self._count(self._pairing.receive_slot(slot))

    def _tell_head(self, slot: int) -> None:
        """Tell of a slot that is newer than all before, whichever account it was first told by."""
        if slot > self._slot:
            self._emit(Head(slot, slot_name(slot), slot_name(self._slot), self._now_s))
            self._slot = slot

    def _count(self, settled: Iterable[Settled]) -> None:
        """Tell of the states that count now; ask for a read where one is needed."""
        for state in settled:
            self._tell_swaps(state)
            pool = self._pools[state.pool]
            if not self._replanned(pool, state.accounts):
                self._tell_state(state)
        if self._pairing.unsure():
            self._doubtful.set()

    def _replanned(self, pool: FeedPool, accounts: Accounts) -> bool:
        """Plan anew after a state: a price that went far needs other accounts."""
        try:
            plan = self._planned(pool, accounts)
        except DecodeError:
            return False
        return self._pairing.plan(pool.key, plan)

    def _tell_state(self, state: Settled) -> None:
        curve = self._curve(state.pool, state.accounts)
        known, problem = (None, curve) if isinstance(curve, str) else (curve, "")
        self._emit(
            PoolEvent(
                state.pool, state.slot, slot_name(state.slot), next(self._events), known, problem
            )
        )

    def _tell_swaps(self, state: Settled) -> None:
        if state.before is None:
            return
        spec = self._pools[state.pool].spec
        try:
            flows = SOLANA_VENUES[spec.kind].flows(spec, state.before, state.accounts)
        except DecodeError:
            return
        name = f"{state.slot}.{spec.address}"
        for flow in flows:
            swap = Swap(flow.side, flow.base_raw, flow.quote_raw, name)
            number = next(self._events)
            self._emit(
                PoolEvent(state.pool, state.slot, slot_name(state.slot), number, None, swap=swap)
            )

    def _curve(self, key: str, accounts: Accounts) -> CurveState | str:
        spec = self._pools[key].spec
        try:
            return SOLANA_VENUES[spec.kind].decode(spec, accounts, self._now_s)
        except DecodeError as error:
            return str(error)

    # ---- reads

    async def _settle_doubts(self) -> None:
        """Read the pools of which something may be missing, whenever there are any.

        Raises:
            SourceLostError: the node does not answer: what it told cannot be relied on.
        """
        loop = asyncio.get_running_loop()
        while True:
            await self._doubtful.wait()
            give_up_at = loop.time() + _DOUBT_MAX_S
            while keys := self._pairing.unsure():
                try:
                    self._count(await self._read(keys, self._pairing.newest(keys)))
                except SourceLostError:
                    if loop.time() >= give_up_at:
                        raise
                    await asyncio.sleep(_DOUBT_PAUSE_S)
            self._doubtful.clear()

    async def _read(self, keys: Sequence[str], least_slot: int) -> list[Settled]:
        """Read pools' accounts, each pool's in one call; returns the states that count by it."""
        settled: list[Settled] = []
        wanted = {key: self._pairing.addresses_of(key) for key in keys}
        async for slot, told, accounts in self._reads.groups(wanted, least_slot):
            self._now_s = max(self._now_s, clock_time_s(accounts[CLOCK]))
            for key in told:
                settled += self._pairing.receive_read(key, slot, accounts)
        return settled


def slot_name(slot: int) -> str:
    """Name a slot where a block's hash is asked for: confirmed slots do not come back."""
    return f"{slot:#x}" if slot >= 0 else ""


def _listing_fault(pool: FeedPool) -> str:
    spec = pool.spec
    if spec.kind not in SOLANA_VENUES:
        return (
            f"pools of kind {spec.kind!r} cannot be read from a Solana node, "
            f"expected {' or '.join(SOLANA_VENUES)}"
        )
    for name in ("address", "base_address", "quote_address"):
        address = getattr(spec, name)
        if not is_address(address):
            return f"{name} is no public key in base 58, was {address[:50]!r}"
    return ""


def _tokens_fault(pool: FeedPool, mints: Accounts) -> str:
    spec = pool.spec
    return mint_fault("base", mints.get(spec.base_address), spec.base_decimals) or mint_fault(
        "quote", mints.get(spec.quote_address), spec.quote_decimals
    )
