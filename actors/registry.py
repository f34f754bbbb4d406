"""Actors by name: how each is made, found and ended. The only place that calls `ray.remote`.

An actor is described by an `ActorPlan`, which pickles; who starts the exchange and the supervisor
hold the same plans. Names live in the namespace ``tandem``. Every actor restarts for ever and no
call is ever repeated by Ray (``max_restarts=-1``, ``max_task_retries=0``): repeating is decided by
who knows what the call means.
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import cloudpickle
import ray
import ray.exceptions

from actors import logs
from actors.errors import UnavailableError
from actors.listing import NAMESPACE

STOP_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True)
class ActorPlan:
    """How one actor is made.

    Args:
        name: its name, ``pair:vaix``.
        shell: its class, undecorated.
        arguments: what its constructor takes; must pickle.
        resource: the custom resource that places it on a cluster; 0.001 of it is taken.
        threads: how many calls may run at once.
        groups: named groups of threads, for methods marked with ``ray.method``.
    """

    name: str
    shell: type
    arguments: tuple[Any, ...]
    resource: str
    threads: int = 8
    groups: dict[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the process title shows after ``ray::``: ``PairActor:vaix``."""
        return f"{self.shell.__name__}:{self.name.partition(':')[2] or 'main'}"


def packed(plan: ActorPlan) -> bytes:
    """Pickle a plan, for whoever keeps it without importing what it names."""
    return cloudpickle.dumps(plan)


def unpacked(pickled: bytes) -> ActorPlan:
    """Make a plan again; only of bytes that came from `packed` in this exchange."""
    plan: ActorPlan = cloudpickle.loads(pickled)
    return plan


RESOURCE_SHARE: Final = 0.001
"""Of its node type's resource each actor takes this share, so a node type holds up to 1,000."""


def start(plan: ActorPlan, *, detached: bool = False) -> Any:  # noqa: ANN401 (untyped by Ray)
    """Make the actor, or find the one of that name; returns its handle at once.

    Args:
        plan: how it is made.
        detached: let it outlive who makes it (the supervisor replaces lost actors so).
    """
    named = _named(plan)
    options: dict[str, Any] = {
        "name": plan.name,
        "namespace": NAMESPACE,
        "get_if_exists": True,
        "max_restarts": -1,
        "max_task_retries": 0,
        "num_cpus": 0,
        "resources": {plan.resource: RESOURCE_SHARE},
        "max_concurrency": plan.threads,
    }
    if detached:
        options["lifetime"] = "detached"
    made = ray.remote(concurrency_groups=plan.groups)(named) if plan.groups else ray.remote(named)
    return made.options(**options).remote(*plan.arguments)


def _named(plan: ActorPlan) -> type:
    """Make the actor's own class: its name becomes the process title."""
    shell, name = plan.shell, plan.name

    def __init__(self: Any, *arguments: Any) -> None:  # noqa: ANN401, N807 (any shell's own)
        logs.configure(name)
        shell.__init__(self, *arguments)  # type: ignore[misc]

    def pid(_self: Any) -> int:  # noqa: ANN401 (any shell)
        return os.getpid()

    body = {"__module__": shell.__module__, "__init__": __init__, "pid": pid}
    return type(plan.title, (shell,), body)


def find(name: str) -> Any:  # noqa: ANN401 (untyped by Ray)
    """Find an actor's handle by name.

    Raises:
        UnavailableError: there is no actor of that name, or Ray itself is not there.
    """
    try:
        return ray.get_actor(name, namespace=NAMESPACE)
    except (ValueError, ray.exceptions.RayError) as error:
        raise UnavailableError(name, "no such actor") from error


def is_there(name: str) -> bool:
    """Tell whether an actor of that name exists, alive or restarting."""
    try:
        find(name)
    except UnavailableError:
        return False
    return True


def stop(name: str) -> None:
    """End an actor for good: first by its own ``stop``, then by force. Harmless when it is gone."""
    try:
        handle = find(name)
    except UnavailableError:
        return
    # It may be dead or hang: what is durable is durable, the rest was never acknowledged.
    with contextlib.suppress(ray.exceptions.RayError, AttributeError):
        ray.get(handle.stop.remote(), timeout=STOP_TIMEOUT_S)
    ray.kill(handle, no_restart=True)


def end_process() -> None:
    """End this process at once, unclean on purpose: recovery reads what is on disk."""
    os._exit(1)


def ask(name: str, method: str, timeout_s: float) -> Any:  # noqa: ANN401 (the actor's own type)
    """Call a method without arguments, and wait for its answer.

    Raises:
        UnavailableError: the actor is not there or did not answer in time.
    """
    try:
        call: Callable[[], Any] = getattr(find(name), method).remote
        return ray.get(call(), timeout=timeout_s)
    except ray.exceptions.RayError as error:
        raise UnavailableError(name, type(error).__name__) from error
