"""A TCP proxy that misbehaves on demand: it cuts connections, and swallows answers."""

import asyncio
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class CuttingProxy:
    """Stands between a client and a server.

    Args:
        url: the server's.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers_to_swallow = 0
        """How many of the next answers are thrown away, the connection cut in their place."""
        self.swallowed = 0
        self.cuts = 0
        self.cut_after_bytes: int | None = None
        """Cut when this many more bytes have gone to the client, wherever a frame ends."""
        self.refuses = False
        """Whether new connections are ended at once."""
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def has_cut(self, before: int) -> bool:
        """Tell whether there were more cuts than ``before``."""
        return self.cuts > before

    def cut(self) -> None:
        """End all connections at once, without a goodbye."""
        self.cuts += bool(self._open)
        self.cut_after_bytes = None
        for writer in list(self._open):
            writer.transport.abort()
        self._open.clear()

    async def _accept(self, down_in: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self.refuses:
            down.transport.abort()
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            up_in, up = await asyncio.open_connection(*self._target)
        except OSError:
            down.transport.abort()
            return
        self._open |= {down, up}
        try:
            await asyncio.gather(self._up(down_in, up), self._down(up_in, down))
        except ConnectionError:
            pass
        finally:
            for writer in (down, up):
                self._open.discard(writer)
                writer.transport.abort()

    async def _up(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65_536):
            sink.write(chunk)
            await sink.drain()
        raise ConnectionResetError

    async def _down(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65_536):
            if self.answers_to_swallow:
                self.answers_to_swallow -= 1
                self.swallowed += 1
                break
            left = self.cut_after_bytes
            sink.write(chunk if left is None else chunk[:left])
            await sink.drain()
            if left is not None:
                self.cut_after_bytes = left - len(chunk)
                if self.cut_after_bytes <= 0:
                    self.cut()
        raise ConnectionResetError
