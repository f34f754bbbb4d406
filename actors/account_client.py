"""The way from an asyncio process to all account shards: who lives where, and when to ask again.

Commands carry ids and are applied once, so an outcome that is unknown is asked for by sending the
same bytes again. A read waits at the shard for the settlements this process has seen issued
(`Accounts.saw`): whoever was shown a fill also sees its money.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from actors.engine.ledger_commands import (
    AnyLedgerReply,
    Audit,
    AuditQuery,
    Balance,
    BalanceQuery,
    Balances,
    Done,
    GrantPaper,
    LedgerCommand,
    LedgerQuery,
    Recovering,
    Refused,
    Transfer,
    TransferQuery,
    shard_of,
)
from actors.engine.units import Mode, Reason, UserId
from actors.errors import (
    CommandRefusedError,
    ShardUnavailableError,
    TandemError,
    UnavailableError,
    UnknownOutcomeError,
)
from actors.listing import shard_stream
from actors.ports import AccountPort


class Patience(NamedTuple):
    """How long to ask again before giving up.

    Attributes:
        total_s: from the first call to the last; a shard is back from a crash well within it.
        pause_s: after an unknown outcome, and the least pause after `Recovering`.
        sleep: waits; tests pass their own.
        now_s: a monotonic clock.
    """

    total_s: float = 10.0
    pause_s: float = 0.05
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now_s: Callable[[], float] | None = None


DEFAULT_PATIENCE: Final = Patience()

NOBODY: Final = UserId("ready")
"""An owner of nothing, to ask a shard whether it answers."""

SETTLED_WAIT_S: Final = 3.0
"""How long a read insists on seen settlements: over the 2 s a shard parks it, and the way back."""


class Accounts:
    """All account shards, as a gateway sees them; belongs to one asyncio loop.

    Args:
        ports: the ways to the shards, by number; their count is fixed once balances exist.
        patience: how long to ask again.
    """

    def __init__(self, ports: Sequence[AccountPort], patience: Patience = DEFAULT_PATIENCE) -> None:
        self._ports = ports
        self._patience = patience
        self._heads: list[dict[str, int]] = [{} for _ in ports]
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder[AnyLedgerReply](AnyLedgerReply)

    def saw(self, market: str, heads: Sequence[int]) -> None:
        """Note the last settlement number that ``market`` has issued to each shard.

        They come with every reply and every record of a market; older ones change nothing.
        """
        for shard, number in enumerate(heads[: len(self._heads)]):
            if number > self._heads[shard].get(market, 0):
                self._heads[shard][market] = number

    async def balances(
        self, user: UserId, mode: Mode | None = None, after: dict[str, int] | None = None
    ) -> list[Balance]:
        """Read one owner's funds by asset, of one mode or both.

        Args:
            user: the owner.
            mode: None for both.
            after: settlement numbers to wait for by market; None takes all that were seen here.
                A market that is down delays a read by `SETTLED_WAIT_S`, not for ever.

        Raises:
            ShardUnavailableError: the shard did not answer in time.
        """
        shard = shard_of(user, len(self._ports))
        waits_for = dict(self._heads[shard] if after is None else after)
        try:
            reply = await self._ask(
                shard, BalanceQuery(user, waits_for), min(SETTLED_WAIT_S, self._patience.total_s)
            )
        except ShardUnavailableError:
            reply = await self._ask(shard, BalanceQuery(user, {}), self._patience.total_s)
        if not isinstance(reply, Balances):
            raise ShardUnavailableError(shard_stream(shard), f"a read was answered by {reply!r}")
        return [b for b in reply.balances if mode is None or b.mode is mode]

    async def grant(
        self, command_id: str, user: UserId, amounts: dict[str, int], *, reset: bool = False
    ) -> None:
        """Give an owner the paper grant once for ever, or (``reset``) bring them back to it.

        Raises:
            CommandRefusedError: a reset while paper funds are held, or an impossible amount.
            ShardUnavailableError: it certainly did not happen.
            UnknownOutcomeError: it may have happened; the same id may be sent again.
        """
        await self._command(user, GrantPaper(command_id, user, amounts, reset))

    async def transfer(
        self,
        command_id: str,
        sender: UserId,
        receiver: UserId,
        asset: str,
        mode: Mode,
        amount_raw: int,
    ) -> None:
        """Move available funds to another owner, once per command id.

        Returns once the receiver has them. Where the receiver's shard is down they have left, and
        arrive when it is back: that is awaited for `SETTLED_WAIT_S`. Funds that fall short are
        looked at again once all settlements seen here have arrived.

        Raises:
            CommandRefusedError: the funds do not suffice, or the command makes no sense.
            ShardUnavailableError: it certainly did not happen.
            UnknownOutcomeError: it may have happened; the same id may be sent again.
        """
        command = Transfer(command_id, sender, receiver, asset, mode, amount_raw)
        try:
            await self._command(sender, command)
        except CommandRefusedError as error:
            if error.reason is not Reason.INSUFFICIENT_FUNDS:
                raise
            await self.balances(sender)
            await self._command(sender, command)
        await self._arrive(command)

    async def _arrive(self, command: Transfer) -> None:
        """Wait until another shard has what was sent to it, unless that takes too long."""
        here, there = (
            shard_of(owner, len(self._ports)) for owner in (command.sender, command.receiver)
        )
        if here != there:
            with contextlib.suppress(ShardUnavailableError):
                question = TransferQuery(command.command_id, there)
                await self._ask(here, question, min(SETTLED_WAIT_S, self._patience.total_s))

    async def audit(self) -> list[Audit]:
        """Read each shard's sums and state hash, in the order of the shards.

        Raises:
            ShardUnavailableError: a shard did not answer in time.
        """
        audits = []
        for shard in range(len(self._ports)):
            reply = await self._ask(shard, AuditQuery(), self._patience.total_s)
            if not isinstance(reply, Audit):
                raise ShardUnavailableError(
                    shard_stream(shard), f"an audit was answered by {reply!r}"
                )
            audits.append(reply)
        return audits

    async def states(self, total_s: float) -> dict[str, str]:
        """Tell how each shard is, by name: ready, recovering, failed, or unavailable.

        Args:
            total_s: how long to wait for an answer.
        """
        states = [self._state(shard, total_s) for shard in range(len(self._ports))]
        names = [shard_stream(shard) for shard in range(len(self._ports))]
        return dict(zip(names, await asyncio.gather(*states), strict=True))

    async def _state(self, shard: int, total_s: float) -> str:
        probe = self._encoder.encode(BalanceQuery(NOBODY, {}))
        try:
            answer = await asyncio.wait_for(self._ports[shard].call(probe), total_s)
        except (TandemError, TimeoutError):
            return "unavailable"
        reply: AnyLedgerReply = self._decoder.decode(answer)
        if isinstance(reply, Recovering):
            return "failed" if reply.failed else "recovering"
        return "ready"

    async def _command(self, owner: UserId, command: LedgerCommand) -> None:
        shard = shard_of(owner, len(self._ports))
        reply = await self._ask(shard, command, self._patience.total_s)
        if isinstance(reply, Refused):
            raise CommandRefusedError(reply.reason, reply.message)
        if not isinstance(reply, Done):
            raise ShardUnavailableError(shard_stream(shard), f"a command was answered by {reply!r}")

    async def _ask(
        self, shard: int, request: LedgerCommand | LedgerQuery, total_s: float
    ) -> AnyLedgerReply:
        """Send until there is an answer; a command's id makes each repetition the same command."""
        raw = self._encoder.encode(request)
        name = shard_stream(shard)
        now_s = self._patience.now_s or asyncio.get_running_loop().time
        deadline_s = now_s() + total_s
        uncertain = False
        while True:
            pause_s = self._patience.pause_s
            detail = "still recovering"
            try:
                reply: AnyLedgerReply = self._decoder.decode(await self._ports[shard].call(raw))
            except UnavailableError as error:
                detail = error.detail
            except UnknownOutcomeError as error:
                uncertain = not isinstance(request, LedgerQuery)
                detail = error.detail
            else:
                if not isinstance(reply, Recovering):
                    return reply
                pause_s = max(pause_s, reply.retry_after_ms / 1_000)
            if now_s() + pause_s > deadline_s:
                if uncertain:
                    raise UnknownOutcomeError(name, detail)
                raise ShardUnavailableError(name, detail)
            await self._patience.sleep(pause_s)
