"""What the exchange costs the machine: idle, and per order as the pairs become many.

CPU seconds and memory are those of every process of the exchange, its store and Ray included; the
client's are not among them. Memory is the proportional share (PSS): shared pages count once.
"""

import time
from pathlib import Path
from typing import Final, NamedTuple

import psutil
import uvloop

from load_tests.exchange import Running, register, running
from load_tests.http_load import run
from load_tests.rest import order_lanes
from load_tests.table import Row

_SETTLE_S: Final = 15.0
"""Processes that have just started still import and compile."""
_IDLE_S: Final = 30.0
_LOAD_S: Final = 10.0
_ACCOUNTS: Final = 16
PAIRS: Final = (1, 64)
CONNECTIONS: Final = (1, 128)
_READY_PER_PAIR_S: Final = 8.0


class Usage(NamedTuple):
    """CPU seconds spent so far, memory now, and by how many processes."""

    cpu_s: float
    pss_mib: float
    processes: int


def usage(pid: int, *, memory: bool = True) -> Usage:
    """Add up a process and all its descendants; memory costs a walk through every page table."""
    cpu_s = pss = 0.0
    counted = 0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            times = process.cpu_times()
            pss += process.memory_full_info().pss if memory else 0
        except psutil.Error:
            continue
        cpu_s += times.user + times.system
        counted += 1
    return Usage(cpu_s, pss / 2**20, counted)


def cores_used(pid: int, seconds: float) -> float:
    """Measure how many cores a family of processes uses while nobody asks anything of it."""
    before, began = usage(pid, memory=False), time.perf_counter()
    time.sleep(seconds)
    spent_s = usage(pid, memory=False).cpu_s - before.cpu_s
    return spent_s / (time.perf_counter() - began)


def measure_idle(directory: Path) -> tuple[str, list[Row]]:
    """Measure the default exchange, with its recorded feeds, while nobody trades."""
    with running(directory / "data") as started:
        time.sleep(_SETTLE_S)
        cores = cores_used(started.pid, _IDLE_S)
        found = usage(started.pid)
    return "Idle: the default listing, recorded feeds, one gateway", [
        Row("CPU", f"{cores * 100:.1f} % of one core", "goal below 15 %"),
        Row(
            "memory (PSS)",
            f"{found.pss_mib:,.0f} MiB",
            f"{found.processes} processes; goal below 1,536 MiB",
        ),
    ]


def measure_pairs(directory: Path) -> tuple[str, list[Row]]:
    """Measure CPU per order with one pair and with many, the same connections on all of them."""
    rows: list[Row] = []
    costs: dict[tuple[int, int], float] = {}
    for pairs in PAIRS:
        config = directory / f"{pairs}.toml"
        config.write_text(listing(pairs), "utf-8")
        ready_within_s = 120.0 + pairs * _READY_PER_PAIR_S
        options = ("--config", str(config))
        data = directory / str(pairs)
        with running(data, *options, ready_within_s=ready_within_s) as started:
            rows += _loaded(started, pairs, costs)
    for connections in CONNECTIONS:
        few, many = (costs[pairs, connections] for pairs in PAIRS)
        rows.append(
            Row(
                f"{PAIRS[-1]} pairs beside {PAIRS[0]}, {connections} connections",
                f"{many / few - 1:+.0%}",
                "CPU per order; goal within 15 %",
            )
        )
    return "CPU per order, durable and authenticated, all processes of the exchange", rows


def listing(pairs: int) -> str:
    """Write a configuration of so many equal pairs without pools."""
    parts = ['[assets.USDC]\ndecimals = 6\npaper_grant = "100000000"\n']
    for number in range(pairs):
        name = f"T{number:02d}"
        parts.append(f'[assets.{name}]\ndecimals = 6\npaper_grant = "100000000"\n')
        parts.append(
            f'[pairs.{name.lower()}]\nbase = "{name}"\ntick_size = "0.000001"\nlot_size = "1"\n'
        )
    return "\n".join(parts)


def _loaded(started: Running, pairs: int, costs: dict[tuple[int, int], float]) -> list[Row]:
    tokens = [register(started.port, number) for number in range(_ACCOUNTS)]
    symbols = [f"t{number:02d}" for number in range(pairs)]
    time.sleep(_SETTLE_S)
    idle = cores_used(started.pid, _LOAD_S)
    rows = [Row(f"{pairs} pairs, idle", f"{idle * 100:.1f} % of one core")]
    for connections in CONNECTIONS:
        lanes = order_lanes(tokens, connections, symbols)
        before = usage(started.pid, memory=False).cpu_s
        load = uvloop.run(run(started.port, lanes, _LOAD_S))
        spent_s = usage(started.pid, memory=False).cpu_s - before
        orders = load.per_second * load.seconds
        costs[pairs, connections] = spent_s / orders
        rows.append(
            Row(
                f"{pairs} pairs, {connections} connections",
                f"{spent_s / orders * 1e6:,.0f} us/order",
                f"{load.per_second:,.0f} orders/s; {load.text()}",
            )
        )
    return rows
