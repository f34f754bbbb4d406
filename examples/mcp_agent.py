"""An agent over MCP: it is given a job, sees the tools, and decides call by call what to do.

    python examples/mcp_agent.py --api-key evt_... --pair vaix --quantity 3000 --slice 1000

The job: buy a quantity in slices, taking what the book offers while the spread is narrow. What
decides is `Rules`, a handful of rules, so that the program runs without a model; to let a model
decide, give it the same three things: the tools of `list_tools`, the job, and each call's answer.
It trades paper money unless `--live` is given. `--stdio` starts `tandem mcp` and uses that.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

BPS = 10_000


@dataclass(frozen=True)
class Call:
    """The next step: a tool and its arguments, and why."""

    tool: str
    arguments: dict[str, Any]
    why: str


class Rules:
    """Decides on the next call from the last one's answer; None when the job is over."""

    def __init__(self, job: argparse.Namespace) -> None:
        self.job = job
        self.mode = "live" if job.live else "paper"
        self.bought = Decimal(0)
        self.verdict = ""

    def first(self) -> Call:
        """Begin with the funds."""
        asked = {"symbol": self.job.pair, "mode": self.mode}
        return Call("et_clob_preflight", asked, "do the funds suffice?")

    def next(self, call: Call, answer: dict[str, Any]) -> Call | None:
        """Decide on the step after a call."""
        if call.tool == "et_clob_preflight":
            return self._look(f"{answer['quote_balance']} to spend; what does the book offer?")
        if call.tool == "et_clob_orderbook":
            return self._judge(answer)
        self.bought += Decimal(answer["filled_quantity"])
        if answer["filled_quantity"] == "0":
            return self._end(f"nothing was filled ({answer['reason']})")
        if self.bought >= Decimal(self.job.quantity):
            return self._end("done")
        return self._look(f"{self.bought} so far; is the next slice still worth it?")

    def _look(self, why: str) -> Call:
        return Call("et_clob_orderbook", {"symbol": self.job.pair, "depth": 5}, why)

    def _judge(self, book: dict[str, Any]) -> Call | None:
        if book["best_ask"] is None or book["best_bid"] is None:
            return self._end("a side of the book is empty")
        ask, middle = Decimal(book["best_ask"]), Decimal(book["mid_price"])
        spread = Decimal(book["spread"]) / middle * BPS
        if spread > self.job.max_spread_bps:
            return self._end(f"the spread of {spread:.1f} bps is too wide")
        size = min(Decimal(self.job.slice), Decimal(self.job.quantity) - self.bought)
        order = {
            "symbol": self.job.pair,
            "side": "buy",
            "quantity": str(size),
            "price": str(ask),
            "order_type": "ioc",
            "mode": self.mode,
        }
        return Call("et_clob_place_order", order, f"{ask} at a spread of {spread:.1f} bps: take it")

    def _end(self, verdict: str) -> None:
        self.verdict = verdict


@asynccontextmanager
async def connect(options: argparse.Namespace) -> AsyncIterator[Client]:
    """Connect to the gateway's `/mcp`, or to a `tandem mcp` of our own."""
    if options.stdio:
        environ = {"ET_API_KEY": options.api_key, "ET_BASE_URL": options.base_url}
        command = ["-m", "tandem", "mcp"]
        server = StdioServerParameters(command=sys.executable, args=command, env=environ)
        async with Client(stdio_client(server)) as client:
            yield client
        return
    headers = {"Authorization": f"Bearer {options.api_key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30.0) as http,
        Client(streamable_http_client(options.base_url + "/mcp", http_client=http)) as client,
    ):
        yield client


async def run(options: argparse.Namespace) -> int:
    """Work until the job is over; returns the exit status."""
    rules = Rules(options)
    async with connect(options) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        print(f"{len(tools)} tools; job: buy {options.quantity} {options.pair}", flush=True)
        call: Call | None = rules.first()
        while call is not None:
            print(f"{call.tool}: {call.why}", flush=True)
            result = await client.call_tool(call.tool, call.arguments)
            if result.is_error:
                print(result.model_dump()["content"][0]["text"].splitlines()[0])
                return 1
            call = rules.next(call, result.structured_content)
    print(f"bought {rules.bought} of {options.quantity}: {rules.verdict}")
    return 0


def number(text: str) -> Decimal:
    """Read a decimal; of a ValueError argparse makes one line."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Let an agent buy on Tandem over MCP.")
    parser.add_argument("--pair", default="vaix", help="base symbol (default: %(default)s)")
    parser.add_argument(
        "--quantity", default="3000", help="base units in all (default: %(default)s)"
    )
    parser.add_argument(
        "--slice", default="1000", help="base units an order (default: %(default)s)"
    )
    parser.add_argument(
        "--max-spread-bps",
        type=number,
        default=Decimal(200),
        help="do not buy when wider (default: %(default)s)",
    )
    parser.add_argument("--live", action="store_true", help="trade real funds, not paper")
    parser.add_argument("--stdio", action="store_true", help="start `tandem mcp` and use that")
    parser.add_argument("--api-key", required=True, help="an evt_... key that may trade")
    parser.add_argument("--base-url", default="http://127.0.0.1:8080")
    return parser.parse_args(arguments)


def reason_of(error: BaseException) -> str:
    """Find what a failed connection failed of."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"cannot work: {error or type(error).__name__}; check --base-url and --api-key"


def main() -> None:
    """Run; errors are one line for people."""
    try:
        status = asyncio.run(run(parse(sys.argv[1:])))
    except (MCPError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ExceptionGroup) as error:
        raise SystemExit(reason_of(error)) from error
    except KeyboardInterrupt:
        status = 130
    raise SystemExit(status)


if __name__ == "__main__":
    main()
