"""The supervisor: what the exchange does beside trading, in threads of one actor.

It makes actors anew that are gone, writes the history, keeps snapshots and trims behind them, fires
dead man's switches, and publishes how everybody is (`STATUS`). Each duty stands alone: one that
fails is told in the status and tried again, and trading needs none of them.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Final

import msgspec
import ray.exceptions
import structlog
from redis.exceptions import RedisError

from actors import registry
from actors.dead_mans_switch import Sweeper, sweep_for_ever
from actors.errors import TandemError, UnavailableError
from actors.exchange_status import STATUS
from actors.journal.history import HistoryWriter, positions
from actors.journal.redis import RedisJournal, connect
from actors.journal.snapshots import RedisSnapshots
from actors.listing import Listing
from actors.snapshot_keeper import Due, SnapshotKeeper
from actors.wiring import pair_ports

STATUS_TTL_S: Final = 60
WATCH_S: Final = 2.0
STATUS_S: Final = 5.0
SWEEP_S: Final = 0.25
SNAPSHOT_S: Final = 5.0
ASK_TIMEOUT_S: Final = 2.0

_LOG = structlog.get_logger("tandem.supervisor")


@dataclass(frozen=True)
class SupervisorOptions:
    """What the supervisor looks after.

    Args:
        listing: what is listed.
        redis_url: the store.
        plans: how every other actor is made, by name, as `registry.packed` gives it.
        snapshots_due: a stream gets a snapshot after so many records, or so many seconds.
    """

    listing: Listing
    redis_url: str
    plans: Mapping[str, bytes]
    snapshots_due: tuple[int, float]


class Supervisor:
    """The supervisor's duties; a plain class that `SupervisorActor` wraps."""

    def __init__(self, options: SupervisorOptions) -> None:
        self._options = options
        self._stopping = Event()
        self._history = HistoryWriter(options.redis_url, options.listing.markets())
        self._problems: dict[str, str] = {}
        self._threads = [
            Thread(target=self._repeat, args=(name, pause_s, duty), name=name, daemon=True)
            for name, pause_s, duty in (
                ("watch", WATCH_S, self._watch),
                ("status", STATUS_S, self._publish),
                ("snapshots", SNAPSHOT_S, self._keep_snapshots),
            )
        ]
        self._threads.append(Thread(target=self._sweep, name="dead-mans-switch", daemon=True))
        self._keeper = SnapshotKeeper(
            RedisJournal(options.redis_url),
            RedisSnapshots(options.redis_url),
            options.listing,
            Due(*options.snapshots_due),
            self._history_at,
        )

    def start(self) -> None:
        """Begin all duties."""
        self._history.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all duties after what they are doing; a snapshot under way is given up."""
        self._stopping.set()
        self._history.stop()

    def problems(self) -> dict[str, str]:
        """Name the duties that cannot be done at the moment, and why."""
        history = {f"history {name}": str(why) for name, why in self._history.failed.items()}
        snapshots = {f"snapshots {name}": why for name, why in self._keeper.broken.items()}
        return {**self._problems, **history, **snapshots}

    def _repeat(self, name: str, pause_s: float, duty: Callable[[], None]) -> None:
        while not self._stopping.wait(pause_s):
            try:
                duty()
            except (TandemError, RedisError, ray.exceptions.RayError, OSError) as error:
                if self._problems.get(name) != str(error):
                    _LOG.warning("duty_failed", duty=name, detail=str(error))
                self._problems[name] = str(error)
            except Exception as error:  # noqa: BLE001 (a duty's fault ends no other duty)
                _LOG.exception("duty_broken", duty=name)
                self._problems[name] = f"{type(error).__name__}: {error}"
            else:
                self._problems.pop(name, None)

    def _watch(self) -> None:
        """Make anew whoever Ray has given up; those that restart are left to Ray."""
        for name, plan in self._options.plans.items():
            if not self._stopping.is_set() and not registry.is_there(name):
                _LOG.warning("actor_missing", actor=name)
                registry.start(registry.unpacked(plan), detached=True)

    def _publish(self) -> None:
        status = {
            "time": time.time(),
            "actors": {name: self._ask(name) for name in self._options.plans}
            | {"supervisor": {"pid": os.getpid(), "problems": self.problems()}},
        }
        with connect(self._options.redis_url) as client:
            client.set(STATUS, msgspec.json.encode(status), ex=STATUS_TTL_S)

    def _ask(self, name: str) -> dict[str, Any]:
        try:
            where, told = registry.ask(name, "status", ASK_TIMEOUT_S)
        except UnavailableError as error:
            return {"pid": 0, "ready": False, "error": str(error)}
        return {"pid": where, **msgspec.to_builtins(told)}

    def _keep_snapshots(self) -> None:
        self._keeper.keep(self._stopping.is_set)

    def _history_at(self, market: str) -> int:
        with connect(self._options.redis_url) as client:
            return positions(client).get(market, 0)

    def _sweep(self) -> None:
        symbols = tuple(spec.symbol for spec in self._options.listing.pairs)
        with connect(self._options.redis_url) as client:
            sweeper = Sweeper(client, pair_ports(symbols))
            sweep_for_ever(sweeper, lambda: self._stopping.wait(SWEEP_S))


class SupervisorActor:
    """The supervisor as an actor."""

    def __init__(
        self,
        listing: Listing,
        redis_url: str,
        plans: Mapping[str, bytes],
        snapshots_due: tuple[int, float],
    ) -> None:
        options = SupervisorOptions(listing, redis_url, plans, snapshots_due)
        self._supervisor = Supervisor(options)
        self._supervisor.start()

    def status(self) -> dict[str, str]:
        """Name the duties that cannot be done at the moment."""
        return self._supervisor.problems()

    def stop(self) -> None:
        """End all duties."""
        self._supervisor.stop()
