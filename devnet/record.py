"""Makes the recordings in ``chain_feeds/recordings``: ``python -m devnet.record``.

For each chain a node with that chain's id is started, real Uniswap V2 pairs are deployed for the
default pairs, and real swaps run through the router for the length of the recording; after every
block the reserves of the pairs that traded are read from the contracts. Blocks are mined with
timestamps ``BLOCK_S`` apart rather than waited for.
"""

import gzip
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devnet.anvil import HERE, Anvil, install
from devnet.contracts import DEFAULT_MARKETS, Deployed, Market, Network
from devnet.trader import PriceWalk, Trader

RECORDINGS = HERE.parent / "chain_feeds" / "recordings"
FORMAT = "tandem-pool-recording/1"
BLOCKS = 240
BLOCK_S = 2
SEED = 20_26


@dataclass(frozen=True)
class Stage:
    """What is recorded for one chain; the chain id is the node's."""

    chain: str
    chain_id: int
    venue: str
    fee_bps: int
    scale: float
    offset: int
    """Which of the pairs trades in a block: chains take turns, so that updates spread out."""


STAGES = (
    Stage("ethereum", 1, "Uniswap", 30, 1.0, 0),
    Stage("base", 8453, "Aerodrome", 30, 0.7, 1),
    Stage("arbitrum", 42161, "Camelot", 30, 0.5, 2),
    Stage("solana", 900, "Raydium", 25, 0.8, 3),
)


def record(stage: Stage) -> Path:
    """Record one chain; every chain's prices follow the same walk, as arbitrage would make them."""
    markets = tuple(
        Market(market.symbol, market.price, market.quote_depth * stage.scale)
        for market in DEFAULT_MARKETS
    )
    with Anvil(chain_id=stage.chain_id) as node:
        network = Network(node.http_url, markets)
        version = network.w3.client_version
        blocks = _trade(network, markets, stage)
        pools = [_pool(stage, network.pairs[market.symbol]) for market in markets]
    header = {
        "format": FORMAT,
        "chain": stage.chain,
        "chain_id": stage.chain_id,
        "node": version,
        "contracts": "@uniswap/v2-core 1.0.1, @uniswap/v2-periphery 1.1.0-beta.0",
        "recorded_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seed": SEED,
        "blocks": len(blocks),
        "pools": pools,
    }
    path = RECORDINGS / f"{stage.chain}.jsonl.gz"
    lines = [json.dumps(line, separators=(",", ":")) for line in (header, *blocks)]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
    return path


def _trade(
    network: Network, markets: tuple[Market, ...], stage: Stage
) -> list[tuple[int, int, list[tuple[int, int, int]]]]:
    """Return (block, unix time, [(pool, base reserve, quote reserve) …]); the first has all."""
    w3 = network.w3
    trader = Trader(network, SEED + stage.chain_id)
    walks = [PriceWalk(SEED + index) for index in range(len(markets))]
    network.rpc("evm_setAutomine", False)  # noqa: FBT003 -- the node's own interface
    blocks: list[tuple[int, int, list[tuple[int, int, int]]]] = []
    start = w3.eth.get_block("latest")["timestamp"]
    for step in range(BLOCKS):
        prices = [m.price * walk.step() for m, walk in zip(markets, walks, strict=True)]
        traded = (step + stage.offset) % len(markets)
        trader.swap_towards(markets[traded].symbol, prices[traded])
        network.rpc("evm_setNextBlockTimestamp", start + (step + 1) * BLOCK_S)
        network.rpc("evm_mine")
        block = w3.eth.get_block("latest")
        moved = range(len(markets)) if step == 0 else (traded,)
        states = [(index, *network.pairs[markets[index].symbol].reserves()) for index in moved]
        blocks.append((block["number"], block["timestamp"], states))
    return blocks


def _pool(stage: Stage, deployed: Deployed) -> dict[str, Any]:
    return {
        "symbol": deployed.market.symbol,
        "venue": stage.venue,
        "address": deployed.pair.address,
        "base_address": deployed.base.address,
        "quote_address": deployed.quote.address,
        "base_decimals": 18,
        "quote_decimals": 18,
        "fee_bps": stage.fee_bps,
    }


def listing(path: Path) -> str:
    """Write the pools of a recording as they stand in ``exchange.toml``."""
    header = json.loads(gzip.decompress(path.read_bytes()).split(b"\n", 1)[0])
    parts = []
    for pool in header["pools"]:
        keys = [f'chain = "{header["chain"]}"', f'venue = "{pool["venue"]}"', 'kind = "uniswap_v2"']
        keys += [f'{key} = "{pool[key]}"' for key in ("address", "base_address", "quote_address")]
        keys += [f"{key} = {pool[key]}" for key in ("base_decimals", "quote_decimals", "fee_bps")]
        parts.append("\n".join([f"[[pairs.{pool['symbol']}.pools]]", *keys]))
    return "\n\n".join(parts)


def main() -> None:
    """Record every chain."""
    install()
    RECORDINGS.mkdir(exist_ok=True)
    for stage in STAGES:
        print(listing(record(stage)) + "\n")  # noqa: T201 -- the listing is what is asked for


if __name__ == "__main__":
    main()
