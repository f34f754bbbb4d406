"""`make bench`: what the exchange reaches on this machine, in one run.

Everything is measured here and now, beside something simpler on the same cores in the same run: the
engine beside a naive book, the gateway beside a bare echo with the same body and the same client.
Ratios mean something; absolute figures are this machine's. A wrong checksum ends with status 1.
"""

import argparse
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from load_tests.flow import SHAPES, Flow, FlowError, generate, read_flow
from load_tests.matching import BATCH, run_engine, run_naive, run_wire
from load_tests.other_engine import NAME, run_other
from load_tests.table import Row, show
from tandem import ray_runtime

PARTS = ("matching", "pair", "rest", "recovery", "feeds", "sdk", "idle", "pairs")


def main() -> int:
    """Run the parts asked for and print one table each; returns the exit status."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what was started, too
    print(f"Python {platform.python_version()} on {os.cpu_count()} CPUs ({platform.machine()})\n")
    sound = True
    if "matching" in options.parts:
        sound = _matching(options.flow)
    runs: dict[str, Callable[[Path], tuple[str, list[Row]]]] = {
        "pair": _pair,
        "rest": _rest,
        "recovery": _recovery,
        "feeds": _feeds,
        "sdk": _sdk,
        "idle": _idle,
        "pairs": _pairs,
    }
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as root:
        ray_runtime.prepare(Path(root))  # before anything imports Ray
        for part in options.parts:
            if part in runs:
                directory = Path(root, part)
                directory.mkdir()
                title, rows = runs[part](directory)
                print(show(title, rows), end="\n\n", flush=True)
    return 0 if sound else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--flow",
        type=Path,
        nargs="*",
        default=[],
        help="order-flow files (NAME.bin with NAME.json beside it); generated flows without",
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure"
    )
    return parser.parse_args()


def _matching(paths: list[Path]) -> bool:
    """Measure matching; returns whether every checksum was as expected."""
    rows, sound = [], True
    for load in _flows(paths):
        try:
            flow = load()
        except FlowError as error:
            print(error, file=sys.stderr)
            return False
        engine, naive, other = run_engine(flow), run_naive(flow), run_other(flow)
        wire = run_wire(flow)
        agrees = (engine.trades, engine.sha256) == (flow.trades, flow.sha256)
        sound = sound and agrees
        rows.append(
            Row(
                f"{flow.name} ({engine.operations:,} operations, {flow.trades:,} trades)",
                f"{engine.per_second:,}/s",
                f"reading and writing alone {wire:,}/s; naive book {naive.per_second:,}/s; "
                + (f"{NAME} {other.per_second:,}/s; " if other else "")
                + ("checksum agrees" if agrees else f"CHECKSUM DIFFERS: {engine.sha256}"),
            )
        )
    title = f"Matching, one core: bytes in, journal records of {BATCH} commands out, every event"
    print(show(title, rows), end="\n\n", flush=True)
    return sound


def _flows(paths: list[Path]) -> list[Callable[[], Flow]]:
    if paths:
        return [lambda path=path: read_flow(path) for path in paths]  # type: ignore[misc]
    return [lambda name=name: generate(name) for name in SHAPES]  # type: ignore[misc]


def _pair(directory: Path) -> tuple[str, list[Row]]:
    from load_tests.pair_stage import measure_orders

    return measure_orders(directory)


def _recovery(directory: Path) -> tuple[str, list[Row]]:
    from load_tests.pair_stage import measure_recovery

    return measure_recovery(directory)


def _feeds(directory: Path) -> tuple[str, list[Row]]:
    from load_tests.feeds import measure_feeds

    return measure_feeds(directory)


def _rest(directory: Path) -> tuple[str, list[Row]]:
    from load_tests.rest import measure_rest

    return measure_rest(directory)


def _sdk(directory: Path) -> tuple[str, list[Row]]:
    from load_tests.sdk import measure_sdk

    return measure_sdk(directory)


def _idle(directory: Path) -> tuple[str, list[Row]]:
    from load_tests.machine import measure_idle

    return measure_idle(directory)


def _pairs(directory: Path) -> tuple[str, list[Row]]:
    from load_tests.machine import measure_pairs

    return measure_pairs(directory)


if __name__ == "__main__":
    sys.exit(main())
