"""The way from an asyncio process to one pair: a queue that gathers while a call is in flight.

A call costs the same for one command and for hundreds, so nothing waits for a timer: what arrives
while a call is away goes with the next one. When a call's outcome is unknown, commands are never
sent blindly again: the pair is asked by id, and the answer tells apart what happened (its first
reply), what certainly did not (`PairUnavailableError`), and what cannot be known in time
(`UnknownOutcomeError`). Queries are simply asked again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from actors.engine.commands import Command
from actors.engine.ledger_commands import shard_of
from actors.engine.market_api import (
    AnyReply,
    BatchReply,
    BusyReply,
    OutcomeQuery,
    Query,
    Request,
    UnknownReply,
)
from actors.engine.units import Mode, UserId
from actors.errors import PairUnavailableError, UnavailableError, UnknownOutcomeError
from actors.listing import market_name
from actors.ports import PairPort
from actors.unsettled import Unsettled

BATCH_COMMANDS_MAX: Final = 1_000
BATCH_BYTES_MAX: Final = 90_000
"""Above about 100 KB a Ray argument leaves the inline path and costs three times as much."""
QUEUE_COMMANDS_MAX: Final = 20_000
BUSY_RETRY_MS: Final = 250
OUTCOME_DEADLINE_S: Final = 10.0
OUTCOME_PAUSE_S: Final = 0.1
_ITEM_BYTES: Final = 8
"""The framing of one request around its body."""


class _Item:
    """One request on its way, and its caller's future."""

    __slots__ = ("after", "body", "command_id", "future", "mode", "user")

    def __init__(self, mode: Mode, asked: Command | Query, body: bytes) -> None:
        self.mode = mode
        self.body = body
        self.after: dict[str, int] = {}
        self.command_id: str = getattr(asked, "command_id", "") if _is_command(asked) else ""
        self.user = UserId(getattr(asked, "user", ""))
        self.future: asyncio.Future[AnyReply] = asyncio.get_running_loop().create_future()

    def answer(self, reply: AnyReply) -> None:
        """Resolve, unless the caller has gone."""
        if not self.future.done():
            self.future.set_result(reply)

    def fail(self, error: Exception) -> None:
        """Fail, unless the caller has gone."""
        if not self.future.done():
            self.future.set_exception(error)


class PairRef:
    """One pair as a gateway, bot or feed sees it; belongs to one asyncio loop.

    Args:
        symbol: the pair.
        port: the way to its actor.
        unsettled: whose money may be on its way; shared by all pairs of the process.
        calls_max: how many calls may be in flight; 2 lets one travel while the other is on disk.
        outcome_deadline_s: how long to ask what became of a command.
        queue_max: how many requests may wait; more are answered ``BusyReply``.
    """

    def __init__(
        self,
        symbol: str,
        port: PairPort,
        unsettled: Unsettled | None = None,
        *,
        calls_max: int = 1,
        outcome_deadline_s: float = OUTCOME_DEADLINE_S,
        queue_max: int = QUEUE_COMMANDS_MAX,
    ) -> None:
        self.symbol = symbol
        self.settlement_heads: tuple[list[int], list[int]] = ([], [])
        """Per mode and shard: the newest settlement number that any reply has shown."""
        self.on_heads: Callable[[str, tuple[list[int], list[int]]], None] | None = None
        """Told whenever ``settlement_heads`` moved, before the replies that moved it."""
        self._port = port
        self._unsettled = unsettled or Unsettled()
        self._markets = [market_name(symbol, mode) for mode in Mode]
        self._calls_max = calls_max
        self._outcome_deadline_s = outcome_deadline_s
        self._queue_max = queue_max
        self._queue: deque[_Item] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._searches: set[asyncio.Task[None]] = set()
        self._incarnation = 0
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(BatchReply)

    async def submit(self, mode: Mode, asked: Command | Query) -> AnyReply:
        """Send one command or query, and wait for its reply.

        Raises:
            PairUnavailableError: nobody is there; nothing happened.
            UnknownOutcomeError: a command may have happened; ask by its id.
        """
        if len(self._queue) >= self._queue_max:
            return BusyReply(recovering=False, retry_after_ms=BUSY_RETRY_MS)
        item = _Item(mode, asked, self._encoder.encode(asked))
        if item.command_id and item.user:
            item.after = self._unsettled.elsewhere(item.user, self._markets[mode])
        self._queue.append(item)
        self._pump()
        return await item.future

    async def close(self) -> None:
        """End what is still on its way; its callers get `UnknownOutcomeError`."""
        tasks = [*self._calls, *self._searches]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._queue:
            self._queue.popleft().fail(PairUnavailableError(self.symbol, "shutting down"))

    def _pump(self) -> None:
        while self._queue and len(self._calls) < self._calls_max:
            task = asyncio.get_running_loop().create_task(self._send(self._gather()))
            self._calls.add(task)
            task.add_done_callback(self._called)

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self._pump()

    def _gather(self) -> list[_Item]:
        items: list[_Item] = []
        size = 0
        while self._queue and len(items) < BATCH_COMMANDS_MAX:
            size += len(self._queue[0].body) + _ITEM_BYTES
            if items and size > BATCH_BYTES_MAX:
                break
            items.append(self._queue.popleft())
        return items

    async def _send(self, items: list[_Item]) -> None:
        known = self._incarnation
        try:
            answer = await self._call(
                [Request(item.mode, msgspec.Raw(item.body), item.after) for item in items]
            )
            self._note_unsettled(items)
            for item, reply in zip(items, answer.replies, strict=True):
                item.answer(reply)
        except asyncio.CancelledError:
            for item in items:
                item.fail(UnknownOutcomeError(self.symbol, "shutting down"))
            raise
        except UnavailableError as error:
            for item in items:
                item.fail(error)
        except Exception as error:  # noqa: BLE001 (whatever broke the call, its outcome is unknown)
            detail = str(error) if isinstance(error, UnknownOutcomeError) else repr(error)
            search = asyncio.get_running_loop().create_task(self._search(items, known, detail))
            self._searches.add(search)
            search.add_done_callback(self._searches.discard)

    async def _call(self, requests: Sequence[Request]) -> BatchReply:
        answer = self._decoder.decode(await self._port.call(self._encoder.encode(requests)))
        self._incarnation = answer.incarnation or self._incarnation
        self._note_heads(answer.settlement_heads)
        return answer

    def _note_heads(self, heads: tuple[list[int], list[int]]) -> None:
        moved = False
        for mine, theirs in zip(self.settlement_heads, heads, strict=True):
            if len(mine) < len(theirs):
                mine.extend([0] * (len(theirs) - len(mine)))
            for shard, head in enumerate(theirs):
                if head > mine[shard]:
                    mine[shard] = head
                    moved = True
        if moved and self.on_heads is not None:
            self.on_heads(self.symbol, self.settlement_heads)

    def _note_unsettled(self, items: list[_Item]) -> None:
        """Remember whose fills these replies may have shown; too many do no harm."""
        for item in items:
            heads = self.settlement_heads[item.mode]
            if item.user and heads:
                head = heads[shard_of(item.user, len(heads))]
                self._unsettled.note(item.user, self._markets[item.mode], head)

    async def _search(self, items: list[_Item], known: int, detail: str) -> None:
        """Find out what became of these, until the deadline.

        Args:
            items: what the failed call carried.
            known: the incarnation that had last answered before the call.
            detail: what was seen of the failure.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._outcome_deadline_s
        open_items = [item for item in items if not item.future.done()]
        try:
            while open_items and loop.time() < deadline:
                await asyncio.sleep(OUTCOME_PAUSE_S)
                open_items = await self._ask_again(open_items, known)
        finally:
            for item in open_items:
                item.fail(UnknownOutcomeError(self.symbol, detail))

    async def _ask_again(self, items: list[_Item], known: int) -> list[_Item]:
        """Ask once for all; returns those that are still open."""
        requests = [Request(item.mode, msgspec.Raw(self._question(item))) for item in items]
        try:
            answer = await asyncio.wait_for(self._call(requests), self._outcome_deadline_s)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 (still not reachable: ask again until the deadline)
            return items
        still_open: list[_Item] = []
        for item, reply in zip(items, answer.replies, strict=True):
            if isinstance(reply, BusyReply):
                still_open.append(item)
            elif not isinstance(reply, UnknownReply):
                item.answer(reply)
            elif known and answer.incarnation > known:
                # A newer incarnation has fenced the one that was asked: what it does not know by
                # now is wholly absent, for good.
                detail = "it was restarted before the command was taken"
                item.fail(PairUnavailableError(self.symbol, detail))
            else:
                still_open.append(item)
        return still_open

    def _question(self, item: _Item) -> bytes:
        if not item.command_id:
            return item.body
        return self._encoder.encode(OutcomeQuery(item.user, item.command_id))


def _is_command(asked: Command | Query) -> bool:
    return isinstance(asked, Command)
