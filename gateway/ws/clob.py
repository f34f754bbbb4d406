"""``/ws/clob``: one socket with many channels, in the dialect that existing clients speak.

It is the native channels put together: each keeps its cursor, and its frames are renamed by their
first bytes and closed with ``channel`` and ``global_sequence``. That number counts the frames of
this connection, 1, 2, 3 …, so it has no gap unless the client lost something; ``gap_recovery``
sends the frames after a number again while they are kept, else ``gap_detected`` and a fresh book.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from gateway import frames
from gateway.auth import Principal
from gateway.codec import format_time
from gateway.market import Market
from gateway.ws.private import AccountSession, PrivateFeed
from gateway.ws.private_hub import PrivateHub
from gateway.ws.protocol import Clock, Session, only, read_sequence, unknown_action
from gateway.ws.public import BookSession, LatestSession, TradesSession

PUBLIC_CHANNELS: Final = ("l2Book", "trades", "bbo")
USER_CHANNELS: Final = ("userOrders", "userFills", "balanceUpdate")
CHANNELS: Final = PUBLIC_CHANNELS + USER_CHANNELS
SENT_KEPT: Final = 256
"""Frames kept per connection for ``gap_recovery``; they are shared text plus a number."""

_RENAMED: Final = (
    (b'{"type":"update",', b'{"type":"book_delta",'),
    (b'{"type":"snapshot",', b'{"type":"l2_snapshot",'),
)
_USER_FRAMES: Final = (
    (b'{"type":"order_update"', "userOrders"),
    (b'{"type":"fill"', "userFills"),
    (b'{"type":"balance_update"', "balanceUpdate"),
    (b'{"type":"settlement_update"', "userOrders"),
)


class ClobSession(AccountSession):
    """One connection to ``/ws/clob``.

    Args:
        clock: the time.
        hub: where an account's frames come from.
        ask: starts looking a credential up.
        market: the pair in its mode.
        channels: some of `CHANNELS`.
    """

    def __init__(
        self,
        clock: Clock,
        hub: PrivateHub,
        ask: Callable[[str], None],
        market: Market,
        channels: tuple[str, ...],
    ) -> None:
        super().__init__(clock, hub, ask)
        self._market = market
        self._channels = channels
        self._global = 0
        self._sent: deque[bytes] = deque(maxlen=SENT_KEPT)
        self._book = BookSession(clock, market, hybrid=False) if "l2Book" in channels else None
        self._parts: list[tuple[str, Session]] = []
        if self._book is not None:
            self._parts.append(("l2Book", self._book))
        if "trades" in channels:
            self._parts.append(("trades", TradesSession(clock, market, shown=0)))
        if "bbo" in channels:
            self._parts.append(("bbo", LatestSession(clock, market, market.bbo)))

    def opened(self) -> None:
        """Greet, and begin with the public channels."""
        self._greet(None)
        for _, part in self._parts:
            part.wake = self.wake
            part.opened()

    def closed(self) -> None:
        """Leave everything."""
        super().closed()
        for _, part in self._parts:
            part.closed()

    def needs_account(self) -> bool:
        """Tell whether user channels were asked for."""
        return any(channel in USER_CHANNELS for channel in self._channels)

    def markets(self, principal: Principal) -> frozenset[str]:
        """Name this connection's pair, unless an API key may not see it."""
        symbol = self._market.spec.symbol
        if principal.markets and symbol not in principal.markets:
            self.refused("PERMISSION_DENIED", f"This API key may not be used for {symbol}.")
        return frozenset((symbol,))

    def entered(self, feed: PrivateFeed) -> None:
        """Greet again, now by name."""
        self._greet(feed.user)

    def sequence(self) -> int:
        """Give the count of frames sent."""
        return self._global

    def next_data(self) -> bytes | None:
        """Give the next frame of any channel, renamed and counted."""
        for channel, part in self._parts:
            frame = part.next_data()
            if part.closing is not None:
                self.close(part.closing.code, part.closing.reason)
                return None
            if frame is not None:
                return self._stamp(frame, channel)
        return self._next_own()

    def heartbeat(self) -> bytes:
        """Encode the sign of life, with the count so far."""
        return frames.encode(
            {
                "type": "heartbeat",
                "global_sequence": self._global,
                "sequence": self._global,
                "timestamp": format_time(self.clock.wall_ns()),
            }
        )

    def text(self, text: str) -> None:
        """Take the bare word ``snapshot``, or an action."""
        if text == "snapshot":
            self._again()
        else:
            super().text(text)

    def action(self, name: str, message: dict[str, Any]) -> None:
        """Send the book again, or what followed a number."""
        if name == "snapshot":
            only(message, "action")
            self._again()
        elif name == "gap_recovery":
            only(message, "action", "since_sequence")
            self._recover(read_sequence(message.get("since_sequence")))
        elif name == "resume":
            self.resume(message)
        else:
            raise unknown_action(name, "snapshot, gap_recovery, resume")

    def _next_own(self) -> bytes | None:
        """Give the account's next frame that belongs to a channel asked for."""
        while self.feed is not None:
            frame = self.feed.next_frame()
            if frame is None:
                return None
            for beginning, channel in _USER_FRAMES:
                if frame.startswith(beginning):
                    if channel in self._channels:
                        return self._stamp(frame, channel)
                    break
            else:
                return frame
        return None

    def _stamp(self, frame: bytes, channel: str) -> bytes:
        for native, ours in _RENAMED:
            if frame.startswith(native):
                frame = ours + frame[len(native) :]
                break
        self._global += 1
        stamped = b'%b,"channel":"%b","global_sequence":%d}' % (
            frame[:-1],
            channel.encode(),
            self._global,
        )
        self._sent.append(stamped)
        return stamped

    def _again(self) -> None:
        if self._book is not None:
            self._book.snapshot()
        self.wake()

    def _recover(self, since: int) -> None:
        missing = self._global - since
        if 0 <= missing <= len(self._sent):
            for frame in list(self._sent)[len(self._sent) - missing :]:
                self.say(frame)
            return
        self.say(
            frames.encode(
                {
                    "type": "gap_detected",
                    "since_sequence": since,
                    "oldest_sequence": self._global - len(self._sent) + 1,
                    "global_sequence": self._global,
                    "timestamp": format_time(self.clock.wall_ns()),
                }
            )
        )
        self._again()

    def _greet(self, user: str | None) -> None:
        spec = self._market.spec
        self.say(
            frames.encode(
                {
                    "type": "connected",
                    "channels": list(self._channels),
                    "pair": f"{spec.base.symbol}/{spec.quote.symbol}",
                    "symbol": spec.symbol,
                    "mode": frames.mode_name(self._market.mode),
                    "user_id": user,
                    "global_sequence": self._global,
                    "timestamp": format_time(self.clock.wall_ns()),
                }
            )
        )
