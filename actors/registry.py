"""Actors by name: how each is made, found and ended. The only place that calls `ray.remote`.

An actor is described by an `ActorPlan`, which pickles; who starts the exchange and the supervisor
hold the same plans. Names live in the namespace ``tandem``. Every actor restarts for ever and no
call is ever repeated by Ray (``max_restarts=-1``, ``max_task_retries=0``): repeating is decided by
who knows what the call means.
"""

import contextlib
import importlib
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cloudpickle
import ray
import ray.exceptions

from actors import logs
from actors.errors import UnavailableError
from actors.lane import LaneAddress, LanePlan
from actors.listing import NAMESPACE

if TYPE_CHECKING:
    from actors.lane_server import LaneServer

STOP_TIMEOUT_S: Final = 10.0
RESTART_PAUSE_S: Final = 0.5
"""So that an actor that cannot start does not keep a core busy with starting."""


@dataclass(frozen=True)
class ActorPlan:
    """How one actor is made.

    Args:
        name: its name, ``pair:vaix``.
        class_path: its shell, undecorated, as ``module:Class``: named and not held, so that only
            the actor's own process imports it.
        arguments: what its constructor takes; must pickle.
        resource: the custom resource that places it on a cluster; 0.001 of it is taken.
        threads: how many calls may run at once.
        closer_resource: a narrower custom resource, which places it instead where the cluster
            declares it.
        lane: the socket on which it serves its callers as well; None for Ray alone.
    """

    name: str
    class_path: str
    arguments: tuple[Any, ...]
    resource: str
    threads: int = 8
    closer_resource: str = ""
    lane: LanePlan | None = None

    @property
    def title(self) -> str:
        """What the process title shows after ``ray::``: ``PairActor:vaix``."""
        return f"{self.class_path.partition(':')[2]}:{self.name.partition(':')[2] or 'main'}"

    def make(self) -> Any:  # noqa: ANN401 (each shell has methods of its own)
        """Import the shell's class, and make it in this process."""
        module, _, name = self.class_path.partition(":")
        return getattr(importlib.import_module(module), name)(*self.arguments)


def packed(plan: ActorPlan) -> bytes:
    """Pickle a plan, for whoever keeps it without importing what it names."""
    pickled: bytes = cloudpickle.dumps(plan)
    return pickled


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
    named = type(plan.title, (ActorProcess,), {"__module__": __name__})
    options: dict[str, Any] = {
        "name": plan.name,
        "namespace": NAMESPACE,
        "get_if_exists": True,
        "max_restarts": -1,
        "max_task_retries": 0,
        "num_cpus": 0,
        "resources": {_resource(plan): RESOURCE_SHARE},
        "max_concurrency": plan.threads,
    }
    if detached:
        options["lifetime"] = "detached"
    # Ray's annotations do not know concurrency groups.
    made = ray.remote(concurrency_groups={"health": 1})(named)  # type: ignore[call-overload]
    return made.options(**options).remote(plan.name, packed(plan))


def _resource(plan: ActorPlan) -> str:
    """Choose the custom resource that places an actor."""
    closer = plan.closer_resource
    declared: dict[str, float] = ray.cluster_resources() if closer else {}  # type: ignore[no-untyped-call]
    return closer if closer in declared else plan.resource


class ActorProcess:
    """The one Ray class: it makes a plan's shell in the actor's own process, and passes calls on.

    Ray gives an actor up for good when its constructor raises, imports included, but starts it anew
    when its process ends. So nothing may raise out of here.
    """

    def __init__(self, name: str, pickled: bytes) -> None:
        logs.configure(name)
        try:
            plan = unpacked(pickled)
            self._shell: Any = plan.make()
            self._lane = _open_lane(plan, self._shell)
        except BaseException:  # noqa: BLE001 (a successor may do better)
            traceback.print_exc()
            time.sleep(RESTART_PAUSE_S)
            end_process()

    def submit(self, batch: bytes) -> bytes:
        """Run a pair's batch."""
        answer: bytes = self._shell.submit(batch)
        return answer

    def call(self, request: bytes) -> bytes:
        """Answer an account shard's request."""
        answer: bytes = self._shell.call(request)
        return answer

    @ray.method(concurrency_group="health")
    def status(self) -> Any:  # noqa: ANN401 (a struct of the shell's own)
        """Tell how the shell is, with the id of its process."""
        return os.getpid(), self._shell.status()

    @ray.method(concurrency_group="health")
    def lane(self) -> LaneAddress | None:
        """Tell where this incarnation serves; None where it has no lane."""
        return self._lane.address if self._lane is not None else None

    def stop(self) -> None:
        """End what the shell runs."""
        self._shell.stop()
        if self._lane is not None:
            self._lane.close()


def _open_lane(plan: ActorPlan, shell: object) -> "LaneServer | None":
    from actors.lane_server import serve

    return serve(plan.name, plan.lane, shell)


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
