"""What a gateway needs from the rest of the exchange, as ports, and where the app keeps it.

The composition root builds one `GatewayDeps` and hands it to `app.build_app`. The protocols name
only what the routes call, so a test can stand a memory twin behind each.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import redis.asyncio
from aiohttp import web

from actors.dead_mans_switch import DeadMansSwitch
from actors.engine.commands import Command
from actors.engine.ledger_commands import Balance
from actors.engine.market_api import AnyReply, Query
from actors.engine.order import OrderState
from actors.engine.units import Mode, OrderNo, UserId
from actors.journal.history import FillRow
from actors.listing import Listing
from gateway.journal_reads import ReadRecords
from gateway.market_data import MarketDataHub
from gateway.settings import GatewaySettings


class PairCaller(Protocol):
    """The way to one pair: gathers what is asked while a call is in flight."""

    async def submit(self, mode: Mode, asked: Command | Query) -> AnyReply:
        """Send one command or query, and wait for its reply.

        Raises:
            actors.errors.UnavailableError: nobody is there; nothing happened.
            actors.errors.UnknownOutcomeError: it may have happened; ask by the command's id.
        """
        ...


class AccountsCaller(Protocol):
    """The way to all account shards; it knows which settlements a read has to wait for."""

    async def balances(self, user: UserId) -> list[Balance]:
        """Read one owner's funds, after everything a reply has shown so far is settled."""
        ...

    async def transfer(
        self,
        command_id: str,
        sender: UserId,
        receiver: UserId,
        asset: str,
        mode: Mode,
        amount_raw: int,
    ) -> None:
        """Move available funds; once per command id.

        Raises:
            actors.errors.CommandRefusedError: the funds do not suffice.
        """
        ...

    async def grant(
        self, command_id: str, user: UserId, amounts: dict[str, int], *, reset: bool = False
    ) -> None:
        """Give paper balances, or bring them back to the grant; once per command id."""
        ...

    async def states(self, total_s: float) -> dict[str, str]:
        """Tell how each shard is, by name: ready, recovering, failed, or unavailable."""
        ...


class HistoryReader(Protocol):
    """Closed orders and fills, written by a reader of the journal."""

    async def orders(
        self, user: UserId, symbol: str, mode: Mode, *, limit: int, offset: int = 0
    ) -> tuple[list[OrderState], int]:
        """Read closed orders, newest first, and how many there are."""
        ...

    async def order(
        self, user: UserId, symbol: str, mode: Mode, order_no: OrderNo
    ) -> OrderState | None:
        """Read one closed order of the user's."""
        ...

    async def fills(
        self, user: UserId, symbol: str, mode: Mode, *, limit: int, offset: int = 0
    ) -> list[FillRow]:
        """Read executions, newest first."""
        ...

    async def wait_for(self, stream: str, sequence: int, timeout_s: float) -> bool:
        """Wait until the writer has passed a record of a stream; false when time ran out."""
        ...


@dataclass
class GatewayDeps:
    """The ports and settings of one gateway."""

    settings: GatewaySettings
    listing: Listing
    pairs: Mapping[str, PairCaller]
    accounts: AccountsCaller
    history: HistoryReader
    market_data: MarketDataHub
    redis: "redis.asyncio.Redis"
    dead_mans_switch: DeadMansSwitch
    read_records: ReadRecords | None = None
    """Ranges of the journal, for the replays of private channels; without it none can resume."""
    clock_ns: Callable[[], int] = time.time_ns


DEPS: web.AppKey[GatewayDeps] = web.AppKey("deps", GatewayDeps)
