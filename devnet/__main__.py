"""``make devnet``: an anvil node with Uniswap V2 pairs, a trader, and how to point Tandem at it."""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from types import FrameType

from requests.exceptions import RequestException

from actors.engine.pools.kinds import spot
from chain_feeds.sources.recorded import DIRECTORY, load, position_at
from devnet.anvil import HERE, Anvil, DevnetError, install
from devnet.contracts import DEFAULT_MARKETS, Network
from devnet.trader import Trader

STALE_AFTER_S = 5
_STOP_TIMEOUT_S = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Run until interrupted; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make devnet", description=__doc__)
    parser.add_argument("--port", type=int, default=8545, help="the node's port (8545)")
    parser.add_argument("--block-time", type=float, default=1.0, help="seconds per block (1)")
    parser.add_argument("--tandem", action="store_true", help="start Tandem too, pointed at it")
    parser.add_argument("rest", nargs="*", help="after --: further arguments of `tandem up`")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _say("Installing node and contracts from devnet/package-lock.json ...")
        install()
        with Anvil(port=options.port) as node:
            return _run(node, options)
    except (DevnetError, RequestException) as error:
        print(f"devnet: {error}", file=sys.stderr)  # noqa: T201 -- a command's error
        return 1
    except KeyboardInterrupt:
        _say("Stopped.")
        return 0


def _run(node: Anvil, options: argparse.Namespace) -> int:
    network = Network(node.http_url)
    network.rpc("evm_setIntervalMining", max(1, round(options.block_time)))
    _say(configuration(node, network))
    tandem: subprocess.Popen[bytes] | None = None
    if options.tandem:
        command = [sys.executable, "-m", "tandem", "up", *options.rest]
        environment = {**os.environ, **_variables(node)}
        tandem = subprocess.Popen(  # noqa: S603 -- our own command
            command, cwd=HERE.parent, env=environment
        )
    try:
        _trade(network, tandem)
    finally:
        if tandem is not None:
            _stop(tandem)
    return tandem.returncode if tandem else 0


def configuration(node: Anvil, network: Network) -> str:
    """Write what points Tandem at a development network."""
    pools = []
    for symbol, deployed in network.pairs.items():
        pools.append(
            f"[[pairs.{symbol}.pools]]\n"
            'chain = "ethereum"\nvenue = "Uniswap"\nkind = "uniswap_v2"\n'
            f'address = "{deployed.pair.address}"\n'
            f'base_address = "{deployed.base.address}"\n'
            f'quote_address = "{deployed.quote.address}"\n'
            "base_decimals = 18\nquote_decimals = 18\nfee_bps = 30\n"
        )
    variables = " ".join(f"{name}={value}" for name, value in _variables(node).items())
    return "\n".join(
        [
            (
                f"A node with chain id {node.chain_id} at {node.http_url}, router "
                f"{network.router.address}, and these pools:\n"
            ),
            *pools,
            "[chains.ethereum]",
            f"chain_id = {node.chain_id}",
            f'ws_url = "{node.ws_url}"',
            f"stale_after_s = {STALE_AFTER_S}\n",
            (
                "exchange.toml lists these pools already: the addresses follow from the order of "
                "deployment. So this is enough:\n"
            ),
            f"    {variables} make run\n",
        ]
    )


def _variables(node: Anvil) -> dict[str, str]:
    """Name the environment that points Tandem at the node; its blocks come every second or so."""
    return {
        "TANDEM_RPC_ETHEREUM": node.ws_url,
        "TANDEM_STALE_AFTER_ETHEREUM": str(STALE_AFTER_S),
    }


def _trade(network: Network, tandem: "subprocess.Popen[bytes] | None") -> None:
    """Swap now and then, towards the prices at which the other chains' recordings stand."""
    recording = load(DIRECTORY / "base.jsonl.gz")
    trader = Trader(network, time.time_ns())
    symbols = [market.symbol for market in DEFAULT_MARKETS]
    pause = random.Random()  # noqa: S311 -- when to trade, not a secret
    first = list(symbols)
    while tandem is None or tandem.poll() is None:
        symbol = first.pop() if first else pause.choice(symbols)
        curves = position_at(recording, time.time_ns()).step.curves
        quote, base = spot(curves[symbols.index(symbol)])
        trader.swap_towards(symbol, quote / base)
        time.sleep(0.05 if first else pause.uniform(0.5, 3.0))


def _stop(tandem: "subprocess.Popen[bytes]") -> None:
    if tandem.poll() is None:
        tandem.send_signal(signal.SIGINT)
        try:
            tandem.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            tandem.kill()
            tandem.wait()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- a command's output


if __name__ == "__main__":
    sys.exit(main())
