"""An actor's end of its lane: a unix socket that carries bytes to the method Ray calls, too.

Each connection has a thread and one call at a time, just as a Ray call has a thread: the actor's
own inbox says how much may wait, and a caller that does not read its answer holds up itself alone.
Nothing here knows what is called; how an actor is found, started and placed stays Ray's matter.
"""

import contextlib
import os
import secrets
import socket
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from actors.errors import TandemError
from actors.lane import (
    TOKEN_BYTES,
    LaneAddress,
    LanePlan,
    LaneProtocolError,
    framed,
    pack_answer,
    pack_error,
    receive,
)
from actors.socket_place import socket_path

CONNECTIONS_MAX: Final = 512
"""Threads that may wait in one actor: those of 128 pairs with two connections each and of 32
gateways with eight. Who comes after them is sent away before the call, and calls by Ray."""
ACCEPT_PAUSE_S: Final = 0.1

_LOG = structlog.get_logger("tandem.lane")


class LaneServer:
    """Serves one method of one actor on a unix socket.

    Args:
        name: the actor's name; also its socket's, so a successor takes the path over.
        answer: the method; called from many threads at once.
        directory: where the socket should lie, see `socket_place.socket_path`.
        connections_max: how many callers may be connected.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[bytes], bytes],
        directory: Path,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self.name = name
        self.address: LaneAddress | None = None
        self._answer = answer
        self._directory = directory
        self._connections_max = connections_max
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None

    def start(self) -> LaneAddress:
        """Listen, in place of whoever listened on this path before.

        Raises:
            OSError: there is no place for the socket.
        """
        path = socket_path(self._directory, f"{self.name}.sock", private=True)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(path))
            path.chmod(0o600)
            listener.listen()
        except OSError:
            listener.close()
            raise
        self._listener = listener
        self.address = LaneAddress(str(path), secrets.token_bytes(TOKEN_BYTES))
        threading.Thread(target=self._accept, args=(listener,), name="lane", daemon=True).start()
        return self.address

    def close(self) -> None:
        """Take no more calls, and remove the socket; calls under way are still answered."""
        listener, self._listener = self._listener, None
        if listener is None or self.address is None:
            return
        path = Path(self.address.path)
        path.unlink(missing_ok=True)
        if path.parent != self._directory:
            with contextlib.suppress(OSError):  # other actors' sockets are still in it
                path.parent.rmdir()
        with self._lock:
            open_now = list(self._connections)
        for end in (listener, *open_now):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RD)
        listener.close()

    def _accept(self, listener: socket.socket) -> None:
        pause = threading.Event()
        while True:
            try:
                connection, _ = listener.accept()
            except OSError as error:
                if self._listener is None:
                    return
                _LOG.warning("lane_accept", actor=self.name, detail=str(error))
                pause.wait(ACCEPT_PAUSE_S)  # no file descriptors left, most likely
                continue
            if not self._admit(connection):
                connection.close()

    def _admit(self, connection: socket.socket) -> bool:
        """Give a connection its thread; false where there is no room, or it is a stranger's."""
        with self._lock:
            full = len(self._connections) >= self._connections_max
            if full or self._listener is None or not _is_ours(connection):
                return False
            self._connections.add(connection)
        thread = threading.Thread(
            target=self._serve, args=(connection,), name="lane-call", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # no more threads
            self._forget(connection)
            return False
        return True

    def _serve(self, connection: socket.socket) -> None:
        assert self.address is not None  # noqa: S101 (it is set before anybody connects)
        try:
            connection.sendall(framed(self.address.token))
            while (request := receive(connection)) is not None:
                connection.sendall(self._framed_reply(request))
        except OSError:
            pass  # the caller has gone
        except LaneProtocolError as error:
            _LOG.warning("lane_broken", actor=self.name, detail=str(error))
        finally:
            self._forget(connection)
            connection.close()

    def _framed_reply(self, request: bytes) -> bytes:
        try:
            return framed(pack_answer(self._answer(request)))
        except Exception as error:  # noqa: BLE001 (as by Ray, the caller is told and nobody ends)
            if not isinstance(error, TandemError):
                _LOG.exception("lane_call_failed", actor=self.name)
            return framed(pack_error(self.name, error))

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)


def serve(name: str, plan: LanePlan | None, shell: object) -> LaneServer | None:
    """Open an actor's lane where it is to have one; without, callers go by Ray.

    Args:
        name: the actor's name.
        plan: how; None for no lane.
        shell: whose method is served.
    """
    if plan is None:
        return None
    server = LaneServer(name, getattr(shell, plan.method), Path(plan.directory))
    try:
        address = server.start()
    except OSError as error:
        _LOG.warning("lane_closed", actor=name, detail=str(error))
        return None
    _LOG.info("lane_open", actor=name, path=address.path)
    return server


def _is_ours(connection: socket.socket) -> bool:
    """Tell whether a caller is of our own user, where the kernel says so."""
    if sys.platform != "linux":
        return True  # the directory's mode keeps others out
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", told)
    return bool(user == os.getuid())
