"""Logs of past blocks: how they are asked for, and which swaps are in them."""

from typing import Any

import pytest

from actors.engine.units import Side
from chain_feeds.missed import Gap
from chain_feeds.sources.evm_logs import gap_calls, header_calls, missed_swaps, undated
from chain_feeds.venues.uniswap_v2 import SWAP, SYNC
from tests.unit.chain_feeds.chains import pool

POOL = pool()
NOBODY = "0x" + "00" * 32


def log(block: int, index: int, *, time_s: int | None = None, kind: str = SWAP) -> dict[str, Any]:
    """A log as a node tells it; a swap of 7 base for ``block`` quote."""
    words = (7, 0, 0, block) if kind == SWAP else (1_000, 2_000)
    told = {
        "address": POOL.spec.address.upper().replace("0X", "0x"),
        "topics": [kind, NOBODY, NOBODY] if kind == SWAP else [kind],
        "data": "0x" + "".join(f"{word:064x}" for word in words),
        "blockNumber": hex(block),
        "blockHash": f"0x{block:064X}",
        "logIndex": hex(index),
        "transactionHash": f"0x{block * 10 + index:064x}",
    }
    return told if time_s is None else {**told, "blockTimestamp": hex(time_s)}


def test_gap_is_asked_for_in_runs_of_a_hundred_blocks_without_a_hole() -> None:
    """Each block once, both ends included."""
    calls = gap_calls(Gap(7, 230), ["0xa"], ["0xb"])
    runs = [params[0] for _, params in calls]
    assert [(int(run["fromBlock"], 16), int(run["toBlock"], 16)) for run in runs] == [
        (7, 106), (107, 206), (207, 230),
    ]  # fmt: skip
    assert {method for method, _ in calls} == {"eth_getLogs"}
    assert all((run["address"], run["topics"]) == (["0xa"], [["0xb"]]) for run in runs)


def test_missed_swaps_come_in_the_order_of_the_chain_with_their_blocks_times() -> None:
    """From the log itself, or from the block's header where a node's logs do not tell it."""
    logs = [log(12, 1), log(11, 4, time_s=1_011), log(12, 0, kind=SYNC), log(11, 2, time_s=1_011)]
    blocks = undated(logs)
    assert blocks == [f"0x{12:064x}"]
    assert header_calls(blocks) == [("eth_getBlockByHash", [blocks[0], False])]
    headers = [{"hash": f"0x{12:064X}", "timestamp": hex(1_012)}]
    told = missed_swaps(logs, headers, {POOL.spec.address.lower(): [POOL]})
    assert [(one.event.block, one.event.log_index, one.time_s) for one in told] == [
        (11, 2, 1_011), (11, 4, 1_011), (12, 1, 1_012),
    ]  # fmt: skip
    assert told[2].event.swap == (Side.SELL, 7, 12, f"0x{121:064x}")


def test_missed_swaps_of_a_block_whose_time_nobody_tells_are_an_error() -> None:
    """They are asked for again rather than printed at no time."""
    with pytest.raises(LookupError):
        missed_swaps([log(12, 1)], [], {POOL.spec.address.lower(): [POOL]})


def test_missed_swaps_beyond_ten_thousand_are_the_newest() -> None:
    """A busy day while nobody answered must not fill the memory."""
    logs = [log(block, 0, time_s=block) for block in range(10_050)]
    told = missed_swaps(logs, [], {POOL.spec.address.lower(): [POOL]})
    assert (len(told), told[0].event.block, told[-1].event.block) == (10_000, 50, 10_049)
