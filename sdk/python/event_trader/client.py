"""The client: one object that holds the connection, with the exchange's methods under ``clob``."""

from types import TracebackType

from event_trader.clob import Clob
from event_trader.transport import HttpTransport

DEFAULT_BASE_URL = "http://127.0.0.1:8080"


class EventTrader:
    """Talk to a Tandem exchange.

    Example:
        >>> async with EventTrader(api_key="evt_...") as client:
        ...     book = await client.clob.orderbook("vaix")

    Args:
        api_key: an ``evt_…`` key; None for public market data only.
        base_url: where the gateway listens.
        timeout: seconds that one try of a request may take.
        max_retries: further tries where a repetition is safe.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str = DEFAULT_BASE_URL,
        timeout: float = 30.0,
        max_retries: int = 3,
    ) -> None:
        self._http = HttpTransport(base_url, api_key, timeout, max_retries)
        self.clob = Clob(self._http)

    @classmethod
    async def from_credentials(
        cls, email: str, password: str, *, base_url: str = DEFAULT_BASE_URL, timeout: float = 30.0
    ) -> "EventTrader":
        """Log in with email and password; tokens are renewed before they expire.

        Raises:
            AuthenticationError: no account has this email and password.
        """
        client = cls(base_url=base_url, timeout=timeout)
        try:
            body = {"email": email, "password": password}
            client._http.use_session(await client._http.post("/auth/login", json=body))
        except BaseException:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def __aenter__(self) -> "EventTrader":  # noqa: PYI034 - Self is 3.11
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
