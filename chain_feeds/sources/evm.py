"""An EVM node: subscriptions over one WebSocket, everything else over HTTP.

web3's WebSocket provider busy-waits while a request is pending and mixes up concurrent batches, so
it carries the two subscriptions and nothing else. Each connection is a new provider: web3's own
reconnection does not restore subscriptions. Handlers only pass on; a clean close ends the
subscriptions silently, and is treated as a lost connection like any other.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import msgspec
from eth_typing import HexStr
from web3 import AsyncWeb3, WebSocketProvider
from web3.exceptions import Web3Exception
from web3.utils.subscriptions import (
    LogsSubscription,
    LogsSubscriptionContext,
    NewHeadsSubscription,
    NewHeadsSubscriptionContext,
)
from websockets.exceptions import WebSocketException

from actors.engine.pools.state import CurveState
from chain_feeds.errors import DecodeError, SourceLostError, WrongChainError
from chain_feeds.inputs import FEE_READ, Head, PoolEvent, Snapshot
from chain_feeds.missed import Gap, MissedSwap
from chain_feeds.node_source import Emit
from chain_feeds.settings import ChainSettings, FeedPool, shown_host
from chain_feeds.sources.evm_identity import identity_fault, integer, listing_fault, questions
from chain_feeds.sources.evm_logs import (
    event_of,
    gap_calls,
    header_calls,
    missed_swaps,
    to_bytes,
    to_hex,
    undated,
)
from chain_feeds.sources.json_rpc import Answer, Call, JsonRpc
from chain_feeds.venues import VENUES
from chain_feeds.venues.venue import Conversation, Read, Reading

# The library's own lines carry whole URLs, and with them a provider's key.
logging.getLogger("web3.providers").setLevel(logging.CRITICAL)

_REQUEST_TIMEOUT_S: Final = 5.0
_PING_S: Final = 5.0
_CLOSE_TIMEOUT_S: Final = 1.0
_TROUBLE: Final = (
    OSError,
    TimeoutError,
    aiohttp.ClientError,
    Web3Exception,
    WebSocketException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    msgspec.MsgspecError,
    DecodeError,
)
"""What a node or the network can make the libraries raise; answers of a wrong shape included."""

_TOTAL_SUPPLY: Final = "0x18160ddd"
"""The first four bytes of keccak-256 of ``totalSupply()`` (ERC-20)."""


class EvmSource:
    """One connection to a node. Make a new one for the next connection.

    Args:
        chain: the chain with both URLs.
        pools: its listed pools.
        emit: takes heads and events as they come; must only store them.
    """

    def __init__(self, chain: ChainSettings, pools: Sequence[FeedPool], emit: Emit) -> None:
        self._chain = chain
        self._unusable = {pool.key: fault for pool in pools if (fault := _unusable(pool))}
        self._pools = [pool for pool in pools if pool.key not in self._unusable]
        self._emit = emit
        self._by_address: dict[str, list[FeedPool]] = {}
        for pool in self._pools:
            self._by_address.setdefault(pool.spec.address.lower(), []).append(pool)
        self._blooms = {
            pool.key: [
                bloom_bits(pool.spec.address) | bloom_bits(topic)
                for topic in VENUES[pool.spec.kind].topics
            ]
            for pool in self._pools
        }
        self._topics = sorted({t for pool in self._pools for t in VENUES[pool.spec.kind].topics})
        self._fee_reads: dict[str, tuple[Read, ...]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._http = JsonRpc(chain.http_url, _REQUEST_TIMEOUT_S)

    async def check(self) -> dict[str, str]:
        """Ask the node who it is, and each contract whether it is what was listed.

        Returns:
            What is wrong, by `FeedPool.key`; nothing for a pool that is right.

        Raises:
            WrongChainError: the node is of another chain.
            SourceLostError: the node does not answer.
        """
        (answer,) = await self._batch([("eth_chainId", [])])
        chain_id = integer(_result(answer))
        if chain_id != self._chain.table.chain_id:
            raise WrongChainError(
                self._chain.name,
                f"the node's chain id is {chain_id}, configured is {self._chain.table.chain_id}",
            )
        faults = dict(self._unusable)
        for pool in self._pools:
            answers = await self._batch(questions(pool.spec))
            fault = identity_fault(pool.spec, answers)
            if fault:
                faults[pool.key] = fault
        return faults

    async def follow(self) -> None:
        """Subscribe, emit the newest block, and pass on what comes until the connection ends.

        Raises:
            SourceLostError: always, in the end.
        """
        try:
            async with AsyncWeb3(self._socket()) as w3:
                _heed_cancellation()
                await self._subscribe(w3)
                _heed_cancellation()
                answer = await self._batch([("eth_getBlockByNumber", ["latest", False])])
                self._emit(self._head(_result(answer[0])))
                await w3.subscription_manager.handle_subscriptions(run_forever=True)
        except _TROUBLE as error:
            raise self._lost(self._chain.ws_url, error) from None
        raise SourceLostError(self._chain.name, "the node closed the connection")

    async def read(self, head: Head) -> Snapshot:
        """Read every pool at a block.

        Raises:
            SourceLostError: the node does not answer, or does not know the block (yet).
        """
        curves: dict[str, CurveState | str] = {}
        talks = {pool.key: VENUES[pool.spec.kind].read(pool.spec) for pool in self._pools}
        rounds = {key: next(talk) for key, talk in talks.items()}
        while rounds:
            answers = iter(
                await self._ask(head, [read for asked in rounds.values() for read in asked])
            )
            told = {key: [next(answers) for _ in asked] for key, asked in rounds.items()}
            rounds = {}
            for key, given in told.items():
                outcome = self._continue(talks[key], given)
                if isinstance(outcome, list):
                    rounds[key] = outcome
                elif isinstance(outcome, Reading):
                    curves[key] = outcome.curve
                    self._fee_reads[key] = outcome.fee_reads
                else:
                    curves[key] = outcome
        return Snapshot(head.number, head.hash, curves)

    async def missed(self, gap: Gap) -> list[MissedSwap]:
        """Return the swaps of some blocks: of the newest of them, where there are very many.

        Raises:
            SourceLostError: the node does not answer.
        """
        if not self._by_address:
            return []
        try:
            calls = gap_calls(gap, list(self._by_address), self._topics)
            logs = [log for answer in await self._batch(calls) for log in _result(answer)]
            headers = [_result(answer) for answer in await self._batch(header_calls(undated(logs)))]
            return missed_swaps(logs, headers, self._by_address)
        except _TROUBLE as error:
            raise self._lost(self._chain.http_url, error) from None

    async def hash_at(self, number: int) -> str:
        """Return the hash of the block of that number, "" where the node has none (yet).

        Raises:
            SourceLostError: the node does not answer.
        """
        (answer,) = await self._batch([("eth_getBlockByNumber", [hex(number), False])])
        block = answer.get("result")
        return to_hex(block["hash"]) if isinstance(block, dict) and "hash" in block else ""

    async def supplies(self, head: Head) -> dict[str, int]:
        """Return what exists of each pool's base token on this chain, by `FeedPool.key`.

        A token that does not tell is left out.

        Raises:
            SourceLostError: the node does not answer.
        """
        tokens = sorted({pool.spec.base_address.lower() for pool in self._pools})
        at = {"blockHash": head.hash}
        calls: list[Call] = [
            ("eth_call", [{"to": token, "data": _TOTAL_SUPPLY}, at]) for token in tokens
        ]
        told: dict[str, int] = {}
        for token, answer in zip(tokens, await self._batch(calls), strict=True):
            word = answer.get("result")
            if isinstance(word, str) and re.fullmatch("0x[0-9a-fA-F]{64}", word):
                told[token] = int(word, 16)
        return {
            pool.key: told[token]
            for pool in self._pools
            if (token := pool.spec.base_address.lower()) in told
        }

    async def close(self) -> None:
        """Close the HTTP connections."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._http.close()

    def _socket(self) -> WebSocketProvider:
        return WebSocketProvider(
            self._chain.ws_url,
            websocket_kwargs={
                "max_size": None,
                "open_timeout": _REQUEST_TIMEOUT_S,
                "ping_interval": _PING_S,
                "ping_timeout": _PING_S,
                "close_timeout": _CLOSE_TIMEOUT_S,
            },
            use_text_frames=self._chain.table.text_frames,
            request_timeout=_REQUEST_TIMEOUT_S,
            max_connection_retries=1,
        )

    async def _subscribe(self, w3: AsyncWeb3[WebSocketProvider]) -> None:
        addresses = [AsyncWeb3.to_checksum_address(address) for address in self._by_address]
        if addresses:
            await w3.subscription_manager.subscribe(
                LogsSubscription(
                    address=addresses,
                    topics=[[HexStr(topic) for topic in self._topics]],
                    handler=self._on_log,
                )
            )
        await w3.subscription_manager.subscribe(NewHeadsSubscription(handler=self._on_head))

    async def _on_head(self, context: NewHeadsSubscriptionContext) -> None:
        head = self._head(context.result)
        self._emit(head)
        if any(self._fee_reads.values()) and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._read_fees(head))

    async def _on_log(self, context: LogsSubscriptionContext) -> None:
        log: Any = context.result
        if log["blockNumber"] is None:
            return
        for pool in self._by_address.get(str(log["address"]).lower(), ()):
            self._emit(event_of(pool, log))

    def _head(self, block: Any) -> Head:  # noqa: ANN401 -- JSON or web3's view of it
        bloom = block.get("logsBloom")
        bits = int.from_bytes(to_bytes(bloom), "big") if bloom is not None else None
        return Head(
            number=integer(block["number"]),
            hash=to_hex(block["hash"]),
            parent_hash=to_hex(block["parentHash"]),
            time_s=integer(block["timestamp"]),
            touched=None
            if bits is None
            else frozenset(
                name
                for name, events in self._blooms.items()
                if any(bits & wanted == wanted for wanted in events)
            ),
        )

    @staticmethod
    def _continue(talk: Conversation, given: list[bytes | str]) -> list[Read] | Reading | str:
        """Go on with a conversation: to its next round, its end, or why it cannot go on."""
        answers = [answer for answer in given if isinstance(answer, bytes)]
        if len(answers) != len(given):
            talk.close()
            return next(answer for answer in given if isinstance(answer, str))
        try:
            return talk.send(answers)
        except StopIteration as done:
            reading: Reading = done.value
            return reading
        except DecodeError as problem:
            return str(problem)

    async def _ask(self, head: Head, reads: Sequence[Read]) -> list[bytes | str]:
        """Call contracts at a block; a text says why one did not answer."""
        at = {"blockHash": head.hash}
        calls: list[Call] = [
            ("eth_call", [{"to": read.address, "data": read.data}, at]) for read in reads
        ]
        return [self._bytes_of(answer) for answer in await self._batch(calls)]

    def _bytes_of(self, answer: Answer) -> bytes | str:
        error = answer.get("error")
        if error is not None:
            if _unknown_block(error):
                raise SourceLostError(self._chain.name, "the node does not know the block yet")
            return "the contract refused to tell its state"
        told = answer.get("result")
        if not isinstance(told, str):
            return "the node gave no answer of the contract"
        try:
            return to_bytes(told)
        except DecodeError as problem:
            return str(problem)

    async def _read_fees(self, head: Head) -> None:
        """Emit what the fees are that change without a log; the next block asks again anyway."""
        asked = [(pool, self._fee_reads.get(pool.key, ())) for pool in self._pools]
        try:
            answers = iter(await self._ask(head, [read for _, reads in asked for read in reads]))
        except SourceLostError:
            return
        for pool, reads in asked:
            given = [next(answers) for _ in reads]
            fee_change = VENUES[pool.spec.kind].fee_change
            whole = [answer for answer in given if isinstance(answer, bytes)]
            if not reads or fee_change is None or len(whole) != len(given):
                continue
            with contextlib.suppress(DecodeError):
                change = fee_change(pool.spec, whole)
                self._emit(
                    PoolEvent(pool.key, head.number, head.hash, FEE_READ, None, change=change)
                )

    async def _batch(self, calls: Sequence[Call]) -> list[Answer]:
        try:
            return await self._http.batch(calls)
        except _TROUBLE as error:
            raise self._lost(self._chain.http_url, error) from None

    def _lost(self, url: str, error: BaseException) -> SourceLostError:
        cause = error.__cause__ or error
        return SourceLostError(
            self._chain.name, f"no connection to {shown_host(url)} ({type(cause).__name__})"
        )


def bloom_bits(value: str) -> int:
    """Return the three bits that an address or topic sets in a block's bloom filter.

    Yellow Paper, section 4.3.1 (the function M3:2048): the low 11 bits of the first three pairs of
    bytes of the keccak-256.
    """
    digest = bytes(AsyncWeb3.keccak(bytes.fromhex(value.removeprefix("0x"))))
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return bits


def _unusable(pool: FeedPool) -> str:
    """Say in one line why a pool cannot be read from any node, "" if it can."""
    kind = pool.spec.kind
    if kind not in VENUES:
        known = ", ".join(sorted(VENUES))
        return f"pools of kind {kind!r} cannot be read from a node, expected one of {known}"
    return listing_fault(pool.spec)


def _heed_cancellation() -> None:
    """End a task that was cancelled while web3 did not let it through.

    `asyncio.wait_for` before Python 3.12 loses a cancellation that comes together with its result.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _result(answer: Answer) -> Any:  # noqa: ANN401 -- JSON of any shape
    if answer.get("result") is None:
        raise SourceLostError("node", f"no result: {str(answer.get('error'))[:120]}")
    return answer["result"]


def _unknown_block(error: Any) -> bool:  # noqa: ANN401 -- JSON of any shape
    text = str(error.get("message", "") if isinstance(error, dict) else error).lower()
    return "not found" in text or "unknown block" in text or "header" in text
