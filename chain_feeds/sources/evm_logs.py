"""Logs of an EVM node: what they say of listed pools, and how to ask for those of past blocks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chain_feeds.errors import DecodeError
from chain_feeds.inputs import PoolEvent, Swap
from chain_feeds.missed import Gap, MissedSwap
from chain_feeds.settings import FeedPool
from chain_feeds.sources.evm_identity import integer
from chain_feeds.sources.json_rpc import Call
from chain_feeds.venues import VENUES
from chain_feeds.venues.venue import Told

_BLOCKS_A_CALL: Final = 100
"""Providers refuse long ranges, and answers of too many logs."""
_SWAPS_MAX: Final = 10_000
"""More swaps than this are not told: the newest count."""


def event_of(pool: FeedPool, log: Any) -> PoolEvent:  # noqa: ANN401 -- JSON or web3's view of it
    """Say what a log tells of a pool; one that is none of its kind's tells of a problem."""
    told, problem = Told(), ""
    try:
        topics = [to_hex(topic) for topic in log["topics"]]
        told = VENUES[pool.spec.kind].decode_log(pool.spec, topics, to_bytes(log["data"]))
    except DecodeError as error:
        problem = str(error)
    swap = None
    if told.swap is not None:
        swap = Swap(*told.swap, transaction=to_hex(log["transactionHash"]))
    return PoolEvent(
        pool=pool.key,
        block=integer(log["blockNumber"]),
        block_hash=to_hex(log["blockHash"]),
        log_index=integer(log["logIndex"]),
        curve=told.curve,
        problem=problem,
        removed=bool(log.get("removed", False)),
        swap=swap,
        change=told.change,
    )


def gap_calls(gap: Gap, addresses: Sequence[str], topics: Sequence[str]) -> list[Call]:
    """Ask for the logs of some blocks, a run of them in each call."""
    starts = range(gap.first, gap.last + 1, _BLOCKS_A_CALL)
    return [
        (
            "eth_getLogs",
            [
                {
                    "fromBlock": hex(start),
                    "toBlock": hex(min(start + _BLOCKS_A_CALL - 1, gap.last)),
                    "address": list(addresses),
                    "topics": [list(topics)],
                }
            ],
        )
        for start in starts
    ]


def undated(logs: Sequence[Any]) -> list[str]:
    """Name the blocks of the logs that do not tell their block's time, as older nodes' do not."""
    return sorted({to_hex(log["blockHash"]) for log in logs if log.get("blockTimestamp") is None})


def header_calls(blocks: Sequence[str]) -> list[Call]:
    """Ask for blocks by their hashes."""
    return [("eth_getBlockByHash", [block, False]) for block in blocks]


def missed_swaps(
    logs: Sequence[Any], headers: Sequence[Any], pools: Mapping[str, Sequence[FeedPool]]
) -> list[MissedSwap]:
    """Find the swaps in logs of past blocks, in the order of the chain.

    Args:
        logs: as the node gave them.
        headers: the blocks that `undated` names.
        pools: by their addresses in lower case.
    """
    times = {to_hex(block["hash"]): integer(block["timestamp"]) for block in headers}
    found: list[MissedSwap] = []
    for log in logs:
        told = log.get("blockTimestamp")
        time_s = times[to_hex(log["blockHash"])] if told is None else integer(told)
        events = [event_of(pool, log) for pool in pools.get(str(log["address"]).lower(), ())]
        found += [MissedSwap(event, time_s) for event in events if event.swap is not None]
    found.sort(key=lambda missed: (missed.event.block, missed.event.log_index))
    return found[-_SWAPS_MAX:]


def to_hex(value: Any) -> str:  # noqa: ANN401 -- text from JSON, bytes from web3's formatters
    """Read a hash, or anything in hexadecimal: lower case, with ``0x``."""
    return value.lower() if isinstance(value, str) else "0x" + bytes(value).hex()


def to_bytes(value: Any) -> bytes:  # noqa: ANN401 -- text from JSON, bytes from web3's formatters
    """Read bytes.

    Raises:
        DecodeError: they are not hexadecimal.
    """
    try:
        return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
    except ValueError:
        raise DecodeError("a node's answer is not hexadecimal") from None
