"""A Solana node for development: JSON-RPC and PubSub on one port, over a real SVM.

`SolanaNode` starts it as a child process, ``python -m devnet.solana`` by hand. It has no forks, no
leaders and no history beyond its own life; `solana_ledger` says what it is instead.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys

import aiohttp
import requests
from aiohttp import web

from devnet.anvil import HERE
from devnet.child import ChildNode
from devnet.errors import DevnetError
from devnet.solana_ledger import Json, Ledger
from devnet.solana_pubsub import PubSub
from devnet.solana_rpc import Methods, RpcError

SLOT_S = 0.4
"""The real chain's; `SolanaNode` may be given another."""
_START_TIMEOUT_S = 30.0
_REQUEST_TIMEOUT_S = 30.0
_WAITING_MAX = 10_000
_BODY_BYTES_MAX = 8 * 1024 * 1024


class Service:
    """The service: a ledger, its methods, its subscribers, and the clock that ends slots.

    Args:
        slot_s: seconds a slot lasts; 0 ends one only when ``svm_tick`` says so.
        seed: of the order in which notifications of a slot are sent.
    """

    def __init__(self, slot_s: float = SLOT_S, seed: int = 0) -> None:
        self._slot_s = slot_s
        self._ledger = Ledger()
        for _ in range(8):
            self._ledger.close_slot()
        self._pubsub = PubSub(self._ledger, seed)
        self._methods = Methods(self._ledger, self._tick)
        self._sockets: set[web.WebSocketResponse] = set()

    def application(self) -> web.Application:
        """Make the aiohttp application."""
        application = web.Application(client_max_size=_BODY_BYTES_MAX)
        application.router.add_post("/", self._post)
        application.router.add_get("/", self._socket)
        application.cleanup_ctx.append(self._clock)
        return application

    async def _clock(self, _: web.Application) -> Json:
        task = asyncio.create_task(self._end_slots())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _end_slots(self) -> None:
        while self._slot_s:
            await asyncio.sleep(self._slot_s)
            self._tick()

    def _tick(self) -> None:
        self._pubsub.tell(self._ledger.close_slot())

    async def _post(self, request: web.Request) -> web.Response:
        try:
            asked = json.loads(await request.read())
        except ValueError:
            return web.json_response({"jsonrpc": "2.0", "id": None, "error": _PARSE.json()})
        if isinstance(asked, dict) and asked.get("method") == "svm_disconnect":
            for socket in list(self._sockets):
                await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
            return web.json_response({"jsonrpc": "2.0", "id": asked.get("id"), "result": True})
        if isinstance(asked, list):
            return web.json_response([self._methods.answer(one) for one in asked])
        return web.json_response(self._methods.answer(asked))

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20.0)
        await socket.prepare(request)
        self._sockets.add(socket)
        waiting: asyncio.Queue[str] = asyncio.Queue(_WAITING_MAX)
        writer = asyncio.create_task(_write(socket, waiting))
        send = waiting.put_nowait
        try:
            async for message in socket:
                if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                    send(json.dumps(self._pubsub.answer(_loaded(message.data), send)))
        finally:
            self._pubsub.forget(send)
            self._sockets.discard(socket)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket


_PARSE = RpcError(-32700, "Parse error")


async def _write(socket: web.WebSocketResponse, waiting: "asyncio.Queue[str]") -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.send_str(await waiting.get())


def _loaded(text: str | bytes) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None


class SolanaNode(ChildNode):
    """A running node as a child process; a context manager that ends it.

    Args:
        port: 0 for a free one.
        slot_s: seconds a slot lasts; 0 ends one only when told to (`rpc` ``svm_tick``).
        seed: of the order in which notifications of a slot are sent.
    """

    def __init__(self, port: int = 0, slot_s: float = SLOT_S, seed: int = 0) -> None:
        command = [sys.executable, "-m", "devnet.solana", "--port", str(port)]
        command += ["--slot", f"{slot_s:g}", "--seed", str(seed)]
        self._session = requests.Session()
        super().__init__(command, "the Solana service", _START_TIMEOUT_S, HERE.parent)

    def rpc(self, method: str, *params: Json) -> Json:
        """Ask the node.

        Raises:
            DevnetError: it answers with an error.
        """
        body: Json = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._session.post(self.http_url, json=body, timeout=_REQUEST_TIMEOUT_S).json()
        if "error" in answer:
            raise DevnetError(f"{method}: {json.dumps(answer['error'])[:2000]}")
        return answer["result"]

    def stop(self) -> None:
        """End the node and wait for it; a second call does nothing."""
        self._session.close()
        super().stop()


async def serve(port: int, slot_s: float, seed: int) -> None:
    """Serve until the process is asked to end; says its port in its first line of output."""
    runner = web.AppRunner(Service(slot_s, seed).application(), shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    print(f"Listening on 127.0.0.1:{runner.addresses[0][1]}", flush=True)  # noqa: T201 -- its port
    await ended.wait()
    await runner.cleanup()


def main(arguments: list[str] | None = None) -> int:
    """Run until interrupted; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devnet.solana", description=__doc__)
    parser.add_argument("--port", type=int, default=8899, help="its port (8899)")
    parser.add_argument("--slot", type=float, default=SLOT_S, help="seconds a slot lasts (0.4)")
    parser.add_argument("--seed", type=int, default=0, help="of the order of notifications (0)")
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.port, options.slot, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
