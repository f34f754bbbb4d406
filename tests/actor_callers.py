"""A process that starts Ray and one actor, and asks it by every way; `tests/contract` sends it.

A process of its own, because Ray reads its environment when it is imported. What is here runs in
that process, so `caller` is all that a test uses.
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actors.errors import TandemError
from actors.lane import LanePlan

ACTOR = "answering:0"
KINDS = ("ray loop", "ray thread", "lane loop", "lane thread")
Answer = bytes | TandemError

_state: dict[str, Any] = {}
_ports: dict[tuple[str, str, float], Any] = {}


@contextmanager
def caller(directory: Path) -> Iterator[ProcessPoolExecutor]:
    """Run the process; submit `ask_all` to it."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as executor:
        try:
            executor.submit(_start, directory).result()
            yield executor
        finally:
            executor.submit(_stop).result()


def ask_all(kind: str, actor: str, timeout_s: float, requests: list[bytes]) -> list[Answer]:
    """Send all at once by one way; gives the answers, or what was raised instead, in order."""
    port = _ports.get((kind, actor, timeout_s))
    if port is None:
        port = _ports[kind, actor, timeout_s] = _open(kind, actor, timeout_s)
    if kind.endswith("loop"):
        answers: list[Answer] = _state["runner"].run(_gather(port, requests))
        return answers
    return [_wait(port, ticket) for ticket in [port.start(request) for request in requests]]


def _start(directory: Path) -> None:
    from tandem import ray_runtime

    lanes = directory / "lanes"
    lanes.mkdir(mode=0o700)
    ray_runtime.prepare(directory)
    ray_runtime.start_local(directory, {"any": 1.0}, 1)
    from actors import registry

    lane = LanePlan("call", str(lanes))
    plan = registry.ActorPlan(ACTOR, "tests.answering:Answering", (), "any", 40, lane=lane)
    _state.update(handle=registry.start(plan), runner=asyncio.Runner())


def _stop() -> None:
    from actors import registry
    from tandem import ray_runtime

    registry.stop(ACTOR)
    _state.clear()
    ray_runtime.stop()


def _open(kind: str, actor: str, timeout_s: float) -> Any:
    from actors import ray_ports

    makers: dict[str, Callable[..., Any]] = {
        "ray loop": ray_ports.RayPort,
        "ray thread": ray_ports.BlockingRayPort,
        "lane loop": ray_ports.open_port,
        "lane thread": ray_ports.open_blocking_port,
    }
    return makers[kind](actor, "call", timeout_s)


async def _gather(port: Any, requests: list[bytes]) -> list[Answer]:
    async def one(request: bytes) -> Answer:
        try:
            answer: bytes = await port.call(request)
        except TandemError as error:
            return error
        return answer

    return list(await asyncio.gather(*map(one, requests)))


def _wait(port: Any, ticket: object) -> Answer:
    try:
        [answer] = port.wait([ticket])
    except TandemError as error:
        return error
    return bytes(answer)
