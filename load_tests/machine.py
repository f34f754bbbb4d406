"""What the exchange costs the machine: idle, and per order as the pairs become many.

CPU seconds and memory are those of every process of the exchange, its store and Ray included; the
client's are not among them. Memory is the proportional share (PSS): shared pages count once.
"""

import time
from pathlib import Path
from typing import Final, NamedTuple

import psutil
import uvloop

from load_tests.exchange import Running, StartError, register, running
from load_tests.http_load import run
from load_tests.rest import order_lanes
from load_tests.table import Row
from tandem import ray_runtime

_SETTLE_S: Final = 15.0
"""Processes that have just started still import and compile."""
_IDLE_S: Final = 30.0
_LOAD_S: Final = 10.0
_ACCOUNTS: Final = 16
PAIRS: Final = (1, 64)
_READY_PER_PAIR_S: Final = 8.0


class Usage(NamedTuple):
    """CPU seconds spent so far, memory now, and by how many processes."""

    cpu_s: float
    pss_mib: float
    processes: int


class _Offered(NamedTuple):
    """A load: so many connections that go round all pairs, or so many at each of them."""

    connections: int
    at_each: bool

    @property
    def name(self) -> str:
        """How the tables call it."""
        return f"{self.connections} connections {'at each' if self.at_each else 'round all'}"


class _Cost(NamedTuple):
    """CPU seconds of one order: ``own`` beyond what the exchange takes idle, ``whole`` with it."""

    own: float
    whole: float


LOADS: Final = (
    _Offered(1, at_each=False),
    _Offered(128, at_each=False),
    _Offered(1, at_each=True),
    _Offered(2, at_each=True),
)


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


class Bare:
    """The shell of an actor that does nothing."""

    def status(self) -> None:
        """Say nothing: `registry` asks every shell."""


def bare_actors(directory: Path, count: int) -> float:
    """Measure the cores that so many Ray actors use that do nothing at all."""
    ray_runtime.start_local(directory, {"bare": 1.0}, count)
    try:
        from actors import registry

        path = f"{__name__}:{Bare.__name__}"
        plans = [registry.ActorPlan(f"bare:{at}", path, (), "bare") for at in range(count)]
        actors = [registry.start(plan) for plan in plans]
        deadline = time.monotonic() + count * _READY_PER_PAIR_S
        while len(pids := _titled(Bare.__name__)) < count:
            if time.monotonic() > deadline:
                raise StartError(f"{len(pids)} of {count} bare actors came up")
            time.sleep(0.1)
        time.sleep(_SETTLE_S)
        before, began = sum(map(_cpu_of, pids)), time.perf_counter()
        time.sleep(_LOAD_S)
        spent_s = sum(map(_cpu_of, pids)) - before
        del actors  # an actor lives as long as its maker holds it
        return spent_s / (time.perf_counter() - began)
    finally:
        ray_runtime.stop()


def _titled(name: str) -> list[int]:
    """Find this process's descendants by the class in their titles."""
    family = psutil.Process().children(recursive=True)
    return [one.pid for one in family if f"{name}:" in "".join(one.cmdline())]


def _cpu_of(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def measure_pairs(directory: Path) -> tuple[str, list[Row]]:
    """Measure CPU per order with one pair and with many, under one load and under one for each."""
    rows: list[Row] = []
    costs: dict[tuple[int, _Offered], _Cost] = {}
    for pairs in PAIRS:
        config = directory / f"{pairs}.toml"
        config.write_text(listing(pairs), "utf-8")
        ready_within_s = 120.0 + pairs * _READY_PER_PAIR_S
        options = ("--config", str(config))
        data = directory / str(pairs)
        with running(data, *options, ready_within_s=ready_within_s) as started:
            rows += _loaded(started, pairs, costs)
    few, many = PAIRS
    bare = bare_actors(directory / "bare", many)
    rows.append(Row(f"{many} bare Ray actors, idle", f"{bare * 100:.1f} % of one core"))
    rows += [
        Row(
            f"{many} pairs beside {few}, {load.name}",
            f"{costs[many, load].own / costs[few, load].own - 1:+.0%}",
            f"CPU per order; {costs[many, load].whole / costs[few, load].whole - 1:+.0%} with what "
            "they take idle; goal within 15 %",
        )
        for load in LOADS
    ]
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


def _loaded(started: Running, pairs: int, costs: dict[tuple[int, _Offered], _Cost]) -> list[Row]:
    tokens = [register(started.port, number) for number in range(_ACCOUNTS)]
    symbols = [f"t{number:02d}" for number in range(pairs)]
    time.sleep(_SETTLE_S)
    idle = cores_used(started.pid, _LOAD_S)
    rows = [Row(f"{pairs} pairs, idle", f"{idle * 100:.1f} % of one core")]
    for load in LOADS:
        connections = load.connections * (pairs if load.at_each else 1)
        lanes = order_lanes(tokens, connections, symbols, stay=load.at_each)
        before = usage(started.pid, memory=False).cpu_s
        done = uvloop.run(run(started.port, lanes, _LOAD_S))
        spent_s = usage(started.pid, memory=False).cpu_s - before
        orders = done.per_second * done.seconds
        cost = _Cost((spent_s - idle * done.seconds) / orders, spent_s / orders)
        costs[pairs, load] = cost
        rows.append(
            Row(
                f"{pairs} pairs, {load.name}",
                f"{cost.own * 1e6:,.0f} us/order",
                f"{cost.whole * 1e6:,.0f} with what it takes idle; "
                f"{done.per_second:,.0f} orders/s; {done.text()}",
            )
        )
    return rows
