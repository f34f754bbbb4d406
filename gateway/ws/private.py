"""The private channel: one account's orders, fills and balances, resumable without a loss.

The session authenticates through `ask` (the shell looks the credential up and answers with
`authenticated` or `refused`), then holds a bounded queue of its own frames. A market whose events
are being replayed is muted until the replay has reached the live stream (`private_hub`).
"""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

from actors.engine.units import NS_PER_S, UserId
from actors.errors import JournalError, TrimmedError
from gateway import frames
from gateway.auth import Principal
from gateway.market import Market
from gateway.ws.private_hub import PrivateHub
from gateway.ws.protocol import (
    CLOSE_FORBIDDEN,
    CLOSE_SLOW,
    CLOSE_UNAUTHENTICATED,
    Clock,
    Fault,
    Session,
    only,
    read_object,
    read_sequence,
    unknown_action,
)

AUTH_TIMEOUT_NS: Final = 10 * NS_PER_S
"""How long a connection may stay without saying who it is."""
QUEUE_MAX: Final = 4_096
"""Frames of its own that a slow reader may leave waiting, about 1.5 MB."""
REPLAY_QUEUE: Final = 512
"""A replay waits while more frames than this have not left."""
AHEAD_MAX: Final = 10_000
"""How far a client's position may be ahead of this gateway's, which may lag behind another."""


class PrivateFeed:
    """An account's frames on their way to one client; what `PrivateHub` hands things to.

    Args:
        hub: where the frames come from.
        user: whose frames.
        markets: the pairs whose events are wanted; empty for all.
        wake: called when there is something to send.
        overflow: called once when the client reads too slowly.
    """

    def __init__(
        self,
        hub: PrivateHub,
        user: UserId,
        markets: frozenset[str],
        wake: Callable[[], None],
        overflow: Callable[[], None],
    ) -> None:
        self.user = user
        self._hub = hub
        self._markets = markets
        self._wake = wake
        self._overflow = overflow
        self._queue: deque[bytes] = deque()
        self._muted: dict[str, int] = {}
        self._after: dict[str, int] = {}
        self._skipped: dict[str, tuple[int, int]] = {}
        self._drained = asyncio.Event()
        self._gone = False
        self._began = self.positions()
        hub.add(self)

    def positions(self) -> dict[str, int]:
        """Give the last record of each market this client has got, or will get, live."""
        return {
            market.name: market.number
            for market in self._hub.hub.all_markets()
            if market.ready and self._may(market)
        }

    def next_frame(self) -> bytes | None:
        """Give the next frame, if there is one."""
        if not self._queue:
            return None
        frame = self._queue.popleft()
        if len(self._queue) < REPLAY_QUEUE:
            self._drained.set()
        return frame

    def close(self) -> None:
        """Take no more frames."""
        self._gone = True
        self._queue.clear()
        self._drained.set()
        self._hub.remove(self)

    def resume(self, positions: dict[str, int]) -> None:
        """Replay each named market after its record number.

        Raises:
            Fault: a market is unknown, or a number lies far ahead of it.
        """
        plan: list[tuple[Market, int]] = []
        for name, since in positions.items():
            market = self._hub.hub.by_name(name)
            if market is None or not self._may(market):
                raise Fault("UNKNOWN_SYMBOL", f"There is no market {name[:40]!r} to resume.")
            if since > market.number + AHEAD_MAX:
                text = f"since_sequence {since} lies ahead of {name}, which is at {market.number}."
                raise Fault("SEQUENCE_AHEAD", text)
            plan.append((market, since))
        for market, since in plan:
            self._resume_one(market, since)

    def _resume_one(self, market: Market, since: int) -> None:
        if market.name in self._muted:
            raise Fault("BUSY", f"{market.name} is being resumed already.")
        began = self._began.pop(market.name, None)
        if since >= market.number:
            self._after[market.name] = since
            self.caught_up(market)
            return
        if began is not None and since <= began:
            # What came live between connecting and resuming is not sent a second time.
            self._skipped[market.name] = (began, market.number)
        self.rejoin(market, since)

    def _may(self, market: Market) -> bool:
        return not self._markets or market.spec.symbol in self._markets

    # What the hub calls

    def hears(self, market: Market, number: int) -> bool:
        """See `private_hub.Listener`."""
        if market.name in self._muted or not self._may(market):
            return False
        return number > self._after.get(market.name, 0)

    def hand(self, frame: bytes) -> None:
        """See `private_hub.Listener`."""
        if self._gone:
            return
        if len(self._queue) >= QUEUE_MAX:
            self.close()
            self._overflow()
            return
        self._queue.append(frame)
        self._wake()

    def got(self, market: Market, number: int) -> bool:
        """See `private_hub.Listener`."""
        first, last = self._skipped.get(market.name, (0, 0))
        return first < number <= last

    def rejoin(self, market: Market, since: int) -> None:
        """See `private_hub.Listener`."""
        self._muted[market.name] = since
        self._hub.replay(self, market, since)

    async def room(self) -> bool:
        """See `private_hub.Listener`."""
        while len(self._queue) >= REPLAY_QUEUE and not self._gone:
            self._drained.clear()
            await self._drained.wait()
        return not self._gone

    def caught_up(self, market: Market) -> None:
        """See `private_hub.Listener`."""
        self._muted.pop(market.name, None)
        self._skipped.pop(market.name, None)
        self._say(market, {"type": "resumed", "sequence": market.number})

    def lost(self, market: Market, since: int, error: JournalError) -> None:
        """See `private_hub.Listener`."""
        self._muted.pop(market.name, None)
        self._skipped.pop(market.name, None)
        trimmed = isinstance(error, TrimmedError)
        message = (
            f"Events after {since} are not in the stream any more; read orders and trades by REST."
            if trimmed
            else "The events could not be read; resume again shortly."
        )
        code = "HISTORY_TRIMMED" if trimmed else "UNAVAILABLE"
        self._say(market, {"type": "error", "code": code, "message": message})

    def _say(self, market: Market, fields: dict[str, Any]) -> None:
        place = {"symbol": market.spec.symbol, "mode": frames.mode_name(market.mode)}
        self.hand(frames.encode({**fields, **place}))


class AccountSession(Session):
    """A session that knows, or will know, whose it is.

    Args:
        clock: the time.
        hub: where the account's frames come from.
        ask: starts looking a credential up.
    """

    def __init__(self, clock: Clock, hub: PrivateHub, ask: Callable[[str], None]) -> None:
        super().__init__(clock)
        self.feed: PrivateFeed | None = None
        self._hub = hub
        self._ask = ask
        self._asked = False
        self._opened_ns = clock.monotonic_ns()

    @abstractmethod
    def entered(self, feed: PrivateFeed) -> None:
        """The account is known from now on, and ``feed`` runs."""

    def markets(self, principal: Principal) -> frozenset[str]:
        """Name the pairs whose events are wanted; empty for all."""
        return principal.markets

    def needs_account(self) -> bool:
        """Tell whether the connection is of no use without an account."""
        return True

    def authenticate(self, credential: str) -> None:
        """Look up a credential."""
        self._asked = True
        self._ask(credential)

    def authenticated(self, principal: Principal) -> None:
        """Begin to listen; or go on, where this is only the regular look-up."""
        if not principal.can_read:
            self.refused("PERMISSION_DENIED", "This API key has no read permission.")
        elif self.feed is None and self.closing is None:
            markets = self.markets(principal)
            self.feed = PrivateFeed(
                self._hub, principal.user_id, markets, self._woken, self._too_slow
            )
            self.entered(self.feed)

    def refused(self, code: str, message: str) -> None:
        """End the connection: the credential is not good, or no more."""
        if self.closing is None:
            self.say(frames.error(code, message))
            denied = code in {"PERMISSION_DENIED", "IP_NOT_ALLOWED"}
            self.close(CLOSE_FORBIDDEN if denied else CLOSE_UNAUTHENTICATED, code)

    def closed(self) -> None:
        """Stop listening."""
        if self.feed is not None:
            self.feed.close()

    def tick(self) -> None:
        """End a connection that has not said who it is."""
        super().tick()
        waited_ns = self.clock.monotonic_ns() - self._opened_ns
        if not self._asked and waited_ns > AUTH_TIMEOUT_NS and self.needs_account():
            self.refused("UNAUTHENTICATED", "No credential came within 10 seconds.")

    def text(self, text: str) -> None:
        """Read an ``auth`` frame, or an action."""
        message = read_object(text)
        if message.get("type") == "auth":
            self._auth(message)
            return
        name = message.get("action")
        if not isinstance(name, str):
            raise Fault("MALFORMED_FRAME", 'Expected {"action": ...} or {"type": "auth", ...}.')
        self.action(name, message)

    def resume(self, message: dict[str, Any]) -> None:
        """Replay what a ``resume`` names."""
        if self.feed is None:
            raise Fault("UNAUTHENTICATED", 'Send {"type": "auth", "token": ...} first.')
        self.feed.resume(read_positions(message, self.feed.positions()))

    def _auth(self, message: dict[str, Any]) -> None:
        only(message, "type", "token")
        token = message.get("token")
        if not isinstance(token, str) or not token:
            raise Fault("INVALID_FIELD", "token must be a non-empty string.")
        if self._asked:
            raise Fault("ALREADY_AUTHENTICATED", "This connection has said who it is.")
        self.authenticate(token)

    def _woken(self) -> None:
        self.wake()

    def _too_slow(self) -> None:
        self.close(CLOSE_SLOW, "private frames were read too slowly; reconnect and resume")


class PrivateSession(AccountSession):
    """``/ws/exchange/private``."""

    def entered(self, feed: PrivateFeed) -> None:
        """Say whose channel this is, and where each market stands."""
        self.say(frames.connected(feed.user, self.clock.wall_ns(), feed.positions()))

    def next_data(self) -> bytes | None:
        """Give the next of the account's frames."""
        return self.feed.next_frame() if self.feed is not None else None

    def sequence(self) -> int:
        """Give the highest record number of any market: a sign that time goes on."""
        return max(self.feed.positions().values(), default=0) if self.feed is not None else 0

    def action(self, name: str, message: dict[str, Any]) -> None:
        """Resume after a position, or say again where each market stands."""
        if name == "resume":
            self.resume(message)
        elif name == "snapshot":
            only(message, "action")
            if self.feed is None:
                raise Fault("UNAUTHENTICATED", 'Send {"type": "auth", "token": ...} first.')
            self.entered(self.feed)
        else:
            raise unknown_action(name, "snapshot, resume")


def read_positions(message: dict[str, Any], standing: dict[str, int]) -> dict[str, int]:
    """Read what a ``resume`` names: one market, a map of markets, or all of them.

    Args:
        message: the frame.
        standing: every market with its newest record; those of them that are behind
            ``since_sequence`` have nothing to resume when no market is named.

    Raises:
        Fault: a field is missing, wrong, or one too many.
    """
    if "since" in message:
        only(message, "action", "since")
        since = message["since"]
        if not isinstance(since, dict) or not since:
            raise Fault("INVALID_FIELD", 'since must be an object such as {"vaix.paper": 17}.')
        return {name: read_sequence(value, f"since.{name[:40]}") for name, value in since.items()}
    only(message, "action", "since_sequence", "symbol", "mode")
    number = read_sequence(message.get("since_sequence"))
    if "symbol" not in message and "mode" not in message:
        return {name: number for name, newest in standing.items() if number < newest}
    symbol, mode = message.get("symbol"), message.get("mode")
    if not isinstance(symbol, str) or mode not in (
        "paper",
        "live",
    ):  # a tuple: it may be unhashable
        raise Fault("INVALID_FIELD", 'symbol must be a string and mode "paper" or "live".')
    return {f"{symbol.lower()}.{cast('str', mode)}": number}
