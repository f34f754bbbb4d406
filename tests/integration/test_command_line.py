"""What `tandem` says when it cannot do what is asked: one clear line, no traceback, status 1 or 2.

Each case ends before Ray would start, so the table is cheap.
"""

import os
import pty
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tandem.valkey import EmbeddedValkey
from tests.running import RunningExchange, free_port, processes_of

WRONG = """\
[assets.USDC]
decimals = 6

[assets.VAIX]
decimals = 6

[pairs.vaix]
base = "VAIX"
tick_size = "0.000001"
lot_size = 1
"""


def tandem(
    *arguments: str, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command as a shell would."""
    return subprocess.run(
        [sys.executable, "-m", "tandem", *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, **(environ or {})},
    )


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("up", "--limits", "loose"), 2, "is not one of 'default', 'relaxed', 'off'"),
        (("up", "--port", "0"), 2, "'--port'"),
        (("up", "--gateways", "0"), 2, "'--gateways'"),
        (("up", "--config", "{tmp}/none.toml"), 1, "name another file with --config"),
        (("up", "--config", "{tmp}/wrong.toml"), 1, "wrong.toml:10: pairs.vaix.lot_size: Expected"),
        (("up", "--config", "{tmp}/broken.toml"), 1, "not valid TOML"),
        (("up", "--host", "203.0.113.7"), 1, "choose another address with --host"),
        (("up", "--data-dir", "{tmp}/wrong.toml/x", "--port", "{free}"), 1, "cannot be used"),
        (("up", "--data-dir", "/proc/none", "--port", "{free}"), 1, "another one with --data-dir"),
        (("up", "--address", "127.0.0.1:1", "--port", "{free}"), 1, "is a cluster running at"),
        (("replay", "nosuch"), 1, "expected one of vaix, sbio, btc, eth"),
        (("replay", "vaix", "--data-dir", "{tmp}/none"), 1, "no exchange has run in"),
        (("status", "--url", "http://127.0.0.1:1"), 1, "start one with `tandem up`"),
        (("status", "--url", "nonsense"), 1, "no exchange answers at nonsense"),
        (("launch",), 2, "No such command 'launch'"),
    ],
)
def test_command_that_cannot_be_done_says_why(
    arguments: tuple[str, ...], status: int, said: str, tmp_path: Path
) -> None:
    """The last line of stderr names the cause or the remedy, and nothing else is shown."""
    (tmp_path / "wrong.toml").write_text(WRONG, "utf-8")
    (tmp_path / "broken.toml").write_text("[pairs\n", "utf-8")
    places = {"TANDEM_DATA_DIR": str(tmp_path / "data")}
    filled = [part.format(tmp=tmp_path, free=free_port()) for part in arguments]
    done = tandem(*filled, environ=places)
    assert said in done.stderr.strip().splitlines()[-1]
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_up_beside_a_running_tandem_says_so(running_exchange: RunningExchange) -> None:
    """Who starts it twice is told that it runs already, and not of another program."""
    port = str(running_exchange.port)
    done = tandem("up", "--port", port, "--data-dir", str(running_exchange.data_dir))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert f"port {port} on 127.0.0.1 is taken by a Tandem that runs already" in done.stderr


def test_up_ends_in_order_when_its_terminal_is_closed(tmp_path: Path) -> None:
    """SIGHUP is a wish to stop, though nothing can be printed any more; nobody is left."""
    terminal, inner = pty.openpty()
    data_dir = tmp_path / "data"
    command = [sys.executable, "-m", "tandem", "up", "--port", str(free_port())]
    started = subprocess.Popen(
        [*command, "--data-dir", str(data_dir)], stdin=inner, stdout=inner, stderr=inner,
        start_new_session=True,
    )  # fmt: skip
    os.close(inner)
    said = b""
    while b"Starting the store" not in said:
        said += os.read(terminal, 4_096)
    os.close(terminal)
    started.send_signal(signal.SIGHUP)
    assert started.wait(100) == 130
    assert processes_of(data_dir) == []


def test_up_on_a_taken_port_says_what_to_do(tmp_path: Path) -> None:
    """Somebody else's server on the port is told before anything starts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = tandem("up", "--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["up", "replay"])
def test_data_directory_in_use_is_told_with_its_process(command: str, tmp_path: Path) -> None:
    """Whoever works in a data directory is named by its process id."""
    asked = {"up": ("up", "--port", str(free_port())), "replay": ("replay", "vaix")}[command]
    with EmbeddedValkey(tmp_path / "data"):
        done = tandem(*asked, "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"is in use by process {os.getpid()}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def old_redis() -> Iterator[str]:
    """A server that says of itself that it is Redis 5; gives its URL."""
    info = b"# Server\r\nredis_version:5.0.7\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    while asked := connection.recv(65_536):
                        if b"INFO" in asked:
                            connection.sendall(b"$%d\r\n%b\r\n" % (len(info), info))
                        else:
                            connection.sendall(b"+OK\r\n" * asked.count(b"*"))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_redis_too_old_is_told_with_its_version(old_redis: str, tmp_path: Path) -> None:
    """An external server that lacks what the journal needs is refused by name."""
    options = ("--port", str(free_port()), "--data-dir", str(tmp_path / "data"))
    done = tandem("up", *options, environ={"TANDEM_REDIS_URL": old_redis})
    assert done.returncode == 1
    assert "Redis 5.0.7 is too old" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:hunter2@127.0.0.1:1", "no Redis answers at TANDEM_REDIS_URL (ConnectionError"),
        ("hunter2", "TANDEM_REDIS_URL: expected a URL such as redis://127.0.0.1:6379/0"),
    ],
)
def test_redis_url_that_leads_nowhere_is_told_without_its_password(
    url: str, said: str, tmp_path: Path
) -> None:
    """One line with the setting's name; the URL may hold a password."""
    options = ("--port", "8099", "--data-dir", str(tmp_path / "data"))
    done = tandem("up", *options, environ={"TANDEM_REDIS_URL": url})
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert said in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("command", ["version", "--version"])
def test_version_is_one_line(command: str) -> None:
    """It is what a bug report needs."""
    done = tandem(command)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tandem ")
