"""The bare echo that the gateway is measured beside: aiohttp on uvloop, and no exchange.

``POST /`` reads JSON and answers with it; ``GET /`` answers with the bytes of a file given on the
command line. Prints its port, and ends with its standard input.
"""

import asyncio
import json
import sys
from pathlib import Path

import uvloop
from aiohttp import web


async def main(body: bytes) -> None:
    """Serve until the parent closes our standard input."""

    async def post(request: web.Request) -> web.Response:
        return web.Response(
            body=json.dumps(await request.json()).encode(), content_type="application/json"
        )

    async def get(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.add_routes([web.post("/", post), web.get("/", get)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]).read_bytes()))
