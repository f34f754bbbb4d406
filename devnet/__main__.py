"""``make devnet``: nodes of four chains, every venue's pools, a crowd of traders, Tandem on it.

Ctrl-C ends everything. ``PRINT=1`` starts no exchange and prints the configuration instead;
``RECORD=1`` makes the recordings that ship with Tandem, and the listing that goes with them.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from requests.exceptions import RequestException

from devnet import configuration
from devnet.anvil import HERE, install
from devnet.chains import SOLANA, STAGES, Chain, start
from devnet.contracts import connect
from devnet.errors import DevnetError
from devnet.trader import Crowd

PORTS = (8545, 8546, 8547, 8899)
SEED = 20_26
_STOP_TIMEOUT_S = 60.0
_NOTE = (
    "three anvil nodes and Tandem's own Solana service, with the pools of `make devnet` and its "
    "crowd of traders; the prices are made up"
)


def main(arguments: list[str] | None = None) -> int:
    """Run until interrupted; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make devnet", description=__doc__)
    parser.add_argument("--block-time", type=int, default=1, help="seconds per EVM block (1)")
    parser.add_argument("--free-ports", action="store_true", help="not 8545, 8546, 8547 and 8899")
    parser.add_argument("--print", action="store_true", help="print the configuration, no Tandem")
    parser.add_argument("--record", type=Path, help="record into this directory instead")
    parser.add_argument("--blocks", type=int, default=240, help="how many blocks to record (240)")
    parser.add_argument("rest", nargs="*", help="after --: further arguments of `tandem up`")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _say("Installing node and contracts from devnet/package-lock.json ...")
        install()
        with ExitStack() as parts:
            return _run(parts, options)
    except (DevnetError, RequestException) as error:
        print(f"devnet: {error}", file=sys.stderr)  # noqa: T201 -- a command's error
        return 1
    except KeyboardInterrupt:
        _say("Stopped.")
        return 0


def _run(parts: ExitStack, options: argparse.Namespace) -> int:
    _say("Starting the nodes, and deploying tokens and pools ...")
    chains = start(parts, STAGES, () if options.free_ports else PORTS, solana=True)
    for chain in chains:
        _say(f"  {chain.name}: {len(chain.pools)} pools at {chain.http_url}")
        if chain.name != SOLANA:
            _rpc(chain, "evm_setIntervalMining", options.block_time)
    crowd = Crowd(chains, SEED)
    crowd.start()
    parts.callback(crowd.stop)
    directory = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="tandem-devnet-")))
    config = directory / "exchange.toml"
    config.write_text(configuration.whole(chains), encoding="utf-8")
    if options.print:
        _say(config.read_text(encoding="utf-8"))
        _say("Save the above, and start Tandem with `tandem up --config FILE`. Ctrl-C ends this.")
        threading.Event().wait()
    if options.record:
        return _record(options, chains, config)
    command = ["up", "--config", str(config), "--data-dir", str(directory / "data")]
    return _tandem(parts, [*command, *options.rest])


def _record(options: argparse.Namespace, chains: list[Chain], config: Path) -> int:
    command = ["record", "--config", str(config), "--out", str(options.record)]
    with ExitStack() as parts:
        status = _tandem(parts, [*command, "--blocks", str(options.blocks), "--note", _NOTE])
    if status == 0:
        configuration.rewrite_default(chains)
        _say(f"{configuration.DEFAULT} lists what was recorded.")
    return status


def _tandem(parts: ExitStack, arguments: list[str]) -> int:
    """Run a `tandem` command as a child until it ends, or this is interrupted."""
    tandem = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "tandem", *arguments], cwd=HERE.parent
    )
    parts.callback(_stop, tandem)
    return tandem.wait()


def _rpc(chain: Chain, method: str, *params: object) -> None:
    answer = connect(chain.http_url).provider.make_request(method, list(params))  # type: ignore[arg-type]
    if "error" in answer:
        raise DevnetError(f"{method}: {answer['error']}")


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
