"""A quick HTTP/1.1 client for load: prepared requests over kept connections, nothing else.

Client and server share this machine's cores, so the client must cost little: it writes bytes that
were made beforehand, and reads no more of an answer than its status and its length.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from load_tests.table import quantile

_ANSWER_WITHIN_S: Final = 30.0


class Load(NamedTuple):
    """One run: answers by status, seconds, and sorted latencies in seconds."""

    statuses: dict[int, int]
    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Good answers (2xx) a second."""
        good = sum(count for status, count in self.statuses.items() if 200 <= status < 300)
        return good / self.seconds

    def text(self) -> str:
        """Say the quantiles, and whatever was not answered well."""
        bad = {status: count for status, count in self.statuses.items() if status >= 300}
        p50, p99 = quantile(self.latencies, 0.5) * 1e3, quantile(self.latencies, 0.99) * 1e3
        return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms" + (f", refused {bad}" if bad else "")


def request(method: str, path: str, body: bytes = b"", token: str = "") -> bytes:
    """Make the bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection(asyncio.Protocol):
    """One kept connection that has its next request ready when an answer is whole."""

    def __init__(self, requests: Sequence[bytes], until: float) -> None:
        self.statuses: dict[int, int] = {}
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._next = 0
        self._until = until
        self._sent = 0.0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        top = self._buffer[:head].lower()
        at = top.find(b"content-length:")
        length = int(top[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < head + 4 + length:
            return
        now = time.perf_counter()
        status = int(top[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latencies.append(now - self._sent)
        self._buffer = b""
        if now < self._until and self._next < len(self._requests):
            self._send()
        elif self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's)
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        self._transport.write(self._requests[self._next])
        self._next += 1


async def run(port: int, lanes: Sequence[Sequence[bytes]], seconds: float) -> Load:
    """Send each lane's requests over a connection of its own, one after the other.

    Ends when the time is over, or a lane has nothing more to send.

    Raises:
        TimeoutError: a request was never answered.
    """
    loop = asyncio.get_running_loop()
    begin = time.perf_counter()
    made = [
        await loop.create_connection(
            lambda lane=lane: _Connection(lane, begin + seconds),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        for lane in lanes
    ]
    connections = [protocol for _, protocol in made]
    async with asyncio.timeout(seconds + _ANSWER_WITHIN_S):
        await asyncio.gather(*(connection.done for connection in connections))
    elapsed = time.perf_counter() - begin
    statuses: dict[int, int] = {}
    for connection in connections:
        for status, count in connection.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    latencies = sorted(latency for one in connections for latency in one.latencies)
    return Load(statuses, elapsed, latencies or [0.0])
