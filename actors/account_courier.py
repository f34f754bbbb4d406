"""The courier that carries transfers from one account shard to one other, until each is answered.

Its own thread, so the shard's writer never waits for another shard: calls run from account to
account only here, and the receiving shard waits for nobody while it applies. What is carried was
journaled here before; that it was answered is journaled too, so a crash repeats at most what the
other side passes over by its number.
"""

from collections.abc import Callable
from threading import Condition, Thread
from typing import Final

import msgspec

from actors.engine.ledger_commands import AnyLedgerReply, Delivered, Done, Receive
from actors.errors import TandemError
from actors.ports import BlockingAccountPort

RETRY_FIRST_S: Final = 0.02
RETRY_MAX_S: Final = 1.0


class Courier:
    """Carries one shard's outbox to shard ``there``.

    Args:
        there: the receiving shard's number.
        port: the way to it.
        confirm: applies and journals a `Delivered` at home; returns once that is durable.
    """

    def __init__(
        self, there: int, port: BlockingAccountPort, confirm: Callable[[Delivered], None]
    ) -> None:
        self._there = there
        self._port = port
        self._confirm = confirm
        self._pending: list[Receive] = []
        self._wake = Condition()
        self._stopped = False
        self._done_through = 0
        self._decoder = msgspec.msgpack.Decoder[AnyLedgerReply](AnyLedgerReply)
        self._thread = Thread(target=self._run, name=f"courier-{there}", daemon=True)

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()

    def offer(self, pending: list[Receive]) -> None:
        """Tell what waits, oldest first; only what is durable may be offered."""
        with self._wake:
            self._pending = pending
            self._wake.notify()

    def stop(self) -> None:
        """End after the call that is under way."""
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        delay_s = RETRY_FIRST_S
        while (batch := self._next()) is not None:
            if self._carry(batch):
                delay_s = RETRY_FIRST_S
                continue
            with self._wake:
                if not self._stopped:
                    self._wake.wait_for(lambda: self._stopped, delay_s)
            delay_s = min(2 * delay_s, RETRY_MAX_S)

    def _next(self) -> list[Receive] | None:
        with self._wake:
            self._wake.wait_for(lambda: self._stopped or self._waiting())
            return None if self._stopped else self._waiting()

    def _waiting(self) -> list[Receive]:
        return [receive for receive in self._pending if receive.number > self._done_through]

    def _carry(self, batch: list[Receive]) -> bool:
        """Deliver in order; returns False where the other shard has to be asked again later."""
        answered = 0
        for receive in batch:
            if self._stopped or not self._deliver(receive):
                break
            answered = receive.number
        if answered:
            try:
                self._confirm(Delivered(self._there, answered))
            except TandemError:
                return False
            self._done_through = answered
        return answered == batch[-1].number

    def _deliver(self, receive: Receive) -> bool:
        try:
            ticket = self._port.start(msgspec.msgpack.encode(receive))
            [reply] = self._port.wait([ticket])
            return isinstance(self._decoder.decode(reply), Done)
        except Exception:  # noqa: BLE001 - whatever the way there said, the amount still waits
            return False
