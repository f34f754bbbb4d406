"""The Ray shell of a pair; what it does is in `pair_runtime`.

The class is plain: only `registry` makes a Ray actor of it. Its constructor returns at once and
recovery runs in the background, so a restarting pair answers ``BusyReply`` instead of nothing. Each
`submit` blocks one thread until its batch is on disk; ``status`` has a thread of its own.
"""

import gc
from collections.abc import Callable

from actors.account import end_process
from actors.engine.pair_spec import PairSpec
from actors.pair_runtime import PairRuntime, PairStatus, Recover, RuntimeOptions
from actors.ports import Journal

PairWiring = Callable[[], tuple[Journal, Recover]]
"""Opens the journal and the ways to the shards, in the actor's own process."""


class PairActor:
    """One pair as an actor.

    Args:
        spec: the pair.
        wiring: opens what it needs.
        inbox_requests_max: beyond it a batch is answered ``BusyReply``.
    """

    def __init__(self, spec: PairSpec, wiring: PairWiring, inbox_requests_max: int) -> None:
        gc.set_threshold(100_000, 50, 1_000)  # orders live long and make no cycles
        journal, recover = wiring()
        options = RuntimeOptions(inbox_requests_max=inbox_requests_max)
        self._runtime = PairRuntime(spec, journal, recover, end_process, options)
        self._runtime.start()

    def submit(self, batch: bytes) -> bytes:
        """Run one encoded batch; see `PairRuntime.submit`."""
        return self._runtime.submit(batch)

    def status(self) -> PairStatus:
        """Tell how the pair is."""
        return self._runtime.status()

    def stop(self) -> None:
        """Answer what has arrived, deliver what is owed, and end the writer."""
        self._runtime.stop()
