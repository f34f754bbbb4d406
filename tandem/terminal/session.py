"""Opening the client for a command: which exchange, and as whom.

The exchange: ``--base-url``, else ``ET_BASE_URL``, else the one logged in to last, else this
machine's. Who: ``ET_API_KEY``, else the log-in kept for that exchange.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from event_trader import EventTrader
from event_trader.bodies import member
from event_trader.client import DEFAULT_BASE_URL
from event_trader.errors import AuthenticationError

from tandem.terminal.failures import NotLoggedInError, TerminalError, UsageError
from tandem.terminal.store import Login, Store

T = TypeVar("T")
REFRESH_BEFORE_S: Final = 120.0
"""A token is renewed this long before it ends: longer than any command but a stream takes."""
TIMEOUT_S: Final = 15.0
RETRIES_MAX: Final = 1
"""A person would rather be told than wait."""


class Place:
    """Which exchange a command is for, and who gives it.

    Args:
        base_url: the ``--base-url`` option; "" when it was not given.
        environ: for ``ET_BASE_URL``, ``ET_API_KEY`` and where the log-ins are.
    """

    def __init__(self, base_url: str, environ: Mapping[str, str]) -> None:
        self.store = Store(environ)
        self.api_key = environ.get("ET_API_KEY", "")
        named = base_url or environ.get("ET_BASE_URL", "") or self.store.current()
        self.base_url = (named or DEFAULT_BASE_URL).rstrip("/")

    def default_mode(self) -> str | None:
        """Name the world that market data is shown of when none is asked for."""
        login = None if self.api_key else self.store.login(self.base_url)
        return login.get("mode") if login else None

    def client(self, api_key: str | None = None) -> EventTrader:
        """Make a client, without opening anything.

        Raises:
            UsageError: the URL or the key cannot be one.
        """
        try:
            return EventTrader(
                api_key, base_url=self.base_url, timeout=TIMEOUT_S, max_retries=RETRIES_MAX
            )
        except ValueError as error:
            told = str(error).replace("base_url", "--base-url").replace("api_key", "the API key")
            raise UsageError(told) from None

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[EventTrader]:
        """Open a client for market data, as nobody."""
        async with self.client() as client:
            yield client

    @contextlib.asynccontextmanager
    async def logged_in(self) -> AsyncIterator[EventTrader]:
        """Open a client as whoever is logged in.

        Raises:
            NotLoggedInError: nobody is, or the log-in has ended.
        """
        if self.api_key:
            async with self.client(self.api_key) as client:
                yield client
            return
        login = self.store.login(self.base_url)
        if login is None:
            raise NotLoggedInError(
                f"nobody is logged in at {self.base_url}; run `tandem login --base-url "
                f"{self.base_url}`, or `tandem register` for a new account"
            )
        async with self.client(login.get("api_key")) as client:
            if "refresh_token" in login:
                await self._resume(client)
            yield client

    async def _resume(self, client: EventTrader) -> None:
        """Give a client the kept session, renewed where it is about to end."""
        with self.store.locked():
            login = self.store.login(self.base_url)
            if login is None or "refresh_token" not in login:
                raise NotLoggedInError("you were logged out meanwhile; run `tandem login`")
            left_s = login["expires_at"] - time.time()
            if left_s < REFRESH_BEFORE_S:
                try:
                    tokens = await client._http.post(  # noqa: SLF001 (the client's documented door)
                        "/auth/refresh", json={"refresh_token": login["refresh_token"]}
                    )
                except AuthenticationError:
                    self.store.forget(self.base_url)
                    raise NotLoggedInError("your log-in has ended; run `tandem login`") from None
                login = {**login, **kept(tokens)}
                self.store.save(self.base_url, login)
                left_s = float(tokens["expires_in"])
        client._http.use_session({**login, "expires_in": left_s})  # noqa: SLF001 (as above)


def kept(tokens: Mapping[str, Any]) -> Login:
    """Give what is kept of the answer to a log-in."""
    return {
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "expires_at": time.time() + float(tokens["expires_in"]),
    }


async def mode_of(client: EventTrader, asked: str | None) -> str:
    """Tell which world the account's orders go to.

    Raises:
        TerminalError: live was asked for, and the account is in simulation mode.
    """
    simulated = bool(member(await client.account.profile(), "simulation_mode"))
    if asked == "live" and simulated:
        raise TerminalError(
            "this account is in simulation mode, so all its orders are paper orders; switch it "
            "with `tandem account --mode live` first"
        )
    return asked or ("paper" if simulated else "live")


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a command's coroutine to its end."""

    async def whole() -> T:
        return await work()

    return asyncio.run(whole())
