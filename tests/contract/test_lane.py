"""A lane's two ends over a real socket, without Ray: what goes wrong, and where a call goes."""

import asyncio
import os
import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from actors import lane_server
from actors.errors import UnavailableError, UnknownOutcomeError
from actors.lane import MESSAGE_BYTES_MAX, LaneAddress, framed, receive
from actors.lane_ports import CONNECTIONS_MAX, BlockingLanePort, LanePort
from actors.lane_server import LaneServer
from actors.socket_place import SOCKET_PATH_BYTES_MAX
from tests.answering import Answering, asked, told
from tests.running import wait_until

OTHER = b"the other way"


class Other:
    """The way that is taken where there is no lane."""

    def __init__(self) -> None:
        self.calls = 0

    async def call(self, request: bytes) -> bytes:
        """Answer at once."""
        return self.answered(request)

    def start(self, request: bytes) -> object:
        """Answer at once."""
        return self.answered(request)

    def answered(self, request: bytes) -> bytes:
        """Count a call."""
        assert request
        self.calls += 1
        return OTHER

    def wait(self, tickets: list[object]) -> list[bytes]:
        """Give the answers."""
        return [ticket for ticket in tickets if isinstance(ticket, bytes)]


class Stage:
    """One actor's lane, and ports to it."""

    def __init__(self, directory: Path) -> None:
        self.shell = Answering()
        self.directory = directory
        self.other = Other()
        self.told: LaneAddress | None = None
        self.servers: list[LaneServer] = []

    def serve(self, connections_max: int = lane_server.CONNECTIONS_MAX) -> LaneServer:
        """Start an incarnation of the actor."""
        server = LaneServer("pair:vaix", self.shell.call, self.directory, connections_max)
        self.told = server.start()
        self.servers.append(server)
        return server

    def locate(self) -> "Future[LaneAddress | None]":
        """Answer as the actor would."""
        future: Future[LaneAddress | None] = Future()
        future.set_result(self.told)
        return future

    def port(self) -> LanePort:
        """Make an asyncio process' way, which knows the address at its second use."""
        port = LanePort("pair:vaix", self.locate, self.other, 20.0)
        port._search.address()
        return port

    def blocking_port(self) -> BlockingLanePort:
        """Make a thread's way, which knows the address at its second use."""
        port = BlockingLanePort("pair:vaix", self.locate, self.other, 20.0)
        port._search.address()
        return port


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A private directory for the sockets."""
    directory = tmp_path / "lanes"
    directory.mkdir(mode=0o700)
    made = Stage(directory)
    yield made
    made.shell.gate.set()
    for server in made.servers:
        server.close()
    wait_until(
        lambda: not any(thread.name == "lane-call" for thread in threading.enumerate()),
        20,
        "the end of the connections' threads",
    )


def ask(port: BlockingLanePort, *words: object) -> bytes:
    """Send one request from this thread."""
    return port.wait([port.start(asked(*words))])[0]


def test_socket_is_its_owners_alone_and_goes_with_the_actor(stage: Stage) -> None:
    """Nobody else of this machine may connect; a stopped actor leaves no file."""
    server = stage.serve()
    assert server.address is not None
    path = Path(server.address.path)
    assert path.parent == stage.directory
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.close()
    assert not path.exists()


def test_successor_takes_the_path_of_a_killed_actor_over(stage: Stage) -> None:
    """What a kill -9 leaves behind is no obstacle; an old incarnation's token is not enough."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(stage.directory / "pair:vaix.sock"))
    left.close()
    first = stage.serve()
    port = stage.blocking_port()
    assert told(ask(port, "echo", 1)) == 1
    second = stage.serve()
    assert first.address is not None
    assert second.address is not None
    assert first.address.path == second.address.path
    port._search.lost(first.address)
    port._search._ask_at = 0.0
    assert ask(port, "echo", 2) == OTHER  # while the actor is asked
    assert told(ask(port, "echo", 3)) == 3
    assert port._idle[0].address == second.address
    port.close()


@pytest.mark.parametrize("unfit", ["long", "open to others", "not there"])
def test_directory_that_does_not_do_has_a_short_private_one_instead(
    tmp_path: Path, unfit: str
) -> None:
    """A path longer than the kernel takes, a directory of another host, one that others enter."""
    directory = tmp_path / ("d" * SOCKET_PATH_BYTES_MAX if unfit == "long" else "lanes")
    if unfit != "not there":
        directory.mkdir(mode=0o755 if unfit == "open to others" else 0o700)
    stage = Stage(directory)
    server = stage.serve()
    assert server.address is not None
    place = Path(server.address.path).parent
    assert len(os.fsencode(server.address.path)) <= SOCKET_PATH_BYTES_MAX
    assert place != directory
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    port = stage.blocking_port()
    assert told(ask(port, "echo", "x")) == "x"
    port.close()
    server.close()
    assert not place.exists()


def test_somebody_else_at_the_address_is_not_asked(stage: Stage) -> None:
    """Who serves there says who it is before a request leaves."""
    server = stage.serve()
    assert server.address is not None
    stage.told = LaneAddress(server.address.path, b"another's token.")
    port = stage.blocking_port()
    assert ask(port, "end") == OTHER
    assert asyncio.run(stage.port().call(asked("end"))) == OTHER


def test_stranger_is_sent_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller of another user is not served, wherever the socket lies."""
    stage.serve()
    monkeypatch.setattr(lane_server, "_is_ours", lambda _: False)
    assert ask(stage.blocking_port(), "echo", 1) == OTHER


def test_actor_without_room_for_a_connection_is_reached_the_other_way(stage: Stage) -> None:
    """Before the call was sent, so nothing has happened."""
    stage.serve(connections_max=1)
    first, second = stage.blocking_port(), stage.blocking_port()
    assert told(ask(first, "echo", 1)) == 1
    assert ask(second, "echo", 2) == OTHER
    assert told(ask(first, "echo", 3)) == 3
    first.close()


async def test_calls_beyond_the_connections_go_the_other_way(stage: Stage) -> None:
    """Nothing queues at the caller."""
    stage.serve()
    port = stage.port()
    waiting = [asyncio.create_task(port.call(asked("wait", n))) for n in range(CONNECTIONS_MAX)]
    await asyncio.sleep(0)  # each task begins, and takes its connection
    assert await port.call(asked("echo", "x")) == OTHER
    stage.shell.gate.set()
    assert [told(answer) for answer in await asyncio.gather(*waiting)] == list(
        range(CONNECTIONS_MAX)
    )
    assert stage.other.calls == 1
    await port.close()


async def test_cancelled_call_takes_its_connection_along(stage: Stage) -> None:
    """Its answer would meet the next call's question."""
    stage.serve()
    port = stage.port()
    assert told(await port.call(asked("echo", 1))) == 1
    task = asyncio.create_task(port.call(asked("wait", "late")))
    await asyncio.sleep(0)  # the task begins, and sends
    assert not port._idle
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stage.shell.gate.set()
    assert told(await port.call(asked("echo", 2))) == 2
    await port.close()


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX + 1])
async def test_request_that_is_too_large_goes_the_other_way(stage: Stage, size: int) -> None:
    """The lane's bound is no bound of what an actor may be asked."""
    stage.serve()
    assert await stage.port().call(bytes(size)) == OTHER
    blocking = stage.blocking_port()
    assert blocking.wait([blocking.start(bytes(size))]) == [OTHER]


async def test_answer_that_is_too_large_leaves_the_outcome_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command was applied, so it may not be repeated."""
    stage.serve()
    port = stage.port()
    monkeypatch.setattr("actors.lane.MESSAGE_BYTES_MAX", 1_000)
    with pytest.raises(UnknownOutcomeError, match="2004 bytes"):
        await port.call(asked("grow", 2_000))
    assert told(await port.call(asked("grow", 900))) == bytes(900)
    await port.close()


@pytest.mark.parametrize(
    "sent", [b"\xff\xff\xff\xff", framed(b"one") + framed(b"two"), b"\0\0\0\x09half"]
)
def test_nonsense_ends_its_own_connection_only(stage: Stage, sent: bytes) -> None:
    """An absurd length, two calls at once, half a message."""
    server = stage.serve()
    assert server.address is not None
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(server.address.path)
        assert receive(connection) == server.address.token
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    port = stage.blocking_port()
    assert told(ask(port, "echo", 1)) == 1
    port.close()


async def test_answer_that_is_nonsense_leaves_the_outcome_open(stage: Stage) -> None:
    """What cannot be read was not answered."""
    stage.serve()
    port = stage.port()
    assert told(await port.call(asked("echo", 1))) == 1
    port._idle[0].data_received(b"\xff\xff\xff\xff")
    assert not port._idle[0].usable
    assert told(await port.call(asked("echo", 2))) == 2
    await port.close()


def test_server_gone_before_a_call_was_sent_is_no_loss(stage: Stage) -> None:
    """A connection that has ended takes nothing, so the call goes the other way."""
    server = stage.serve()
    port = stage.blocking_port()
    assert told(ask(port, "echo", 1)) == 1
    server.close()
    wait_until(lambda: not server._connections, 20, "the end of the connection")
    assert ask(port, "echo", 2) == OTHER


def test_unavailable_actor_says_so_over_the_lane(stage: Stage) -> None:
    """The error a loop's caller knows how to take: nothing happened."""
    stage.serve()

    async def refused() -> None:
        port = stage.port()
        try:
            await port.call(asked("refuse"))
        finally:
            await port.close()

    with pytest.raises(UnavailableError, match="it rests"):
        asyncio.run(refused())
