"""The client: one object that holds the connection, with the exchange's methods under ``clob``."""

from types import TracebackType

from event_trader.account import Account, System
from event_trader.bodies import Json
from event_trader.clob import Clob
from event_trader.streams import Streams
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

    Attributes:
        clob: market data, orders, and the account's side of both.
        account: the account, its API keys and sub-accounts.
        stream: the WebSocket channels.
        system: the exchange's own state.
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
        self.account = Account(self._http)
        self.stream = Streams(self._http)
        self.system = System(self._http)

    @classmethod
    async def from_credentials(
        cls,
        email: str,
        password: str,
        *,
        base_url: str = DEFAULT_BASE_URL,
        timeout: float = 30.0,
        max_retries: int = 3,
    ) -> "EventTrader":
        """Log in with email (or username) and password; tokens are renewed before they expire.

        Raises:
            AuthenticationError: no account has this name and password.

        Example:
            >>> client = await EventTrader.from_credentials("ada@example.com", "a password")
        """
        name = "email" if "@" in email else "username"
        client = cls(base_url=base_url, timeout=timeout, max_retries=max_retries)
        return await client._enter("/auth/login", {name: email, "password": password})

    @classmethod
    async def register(
        cls,
        email: str,
        username: str,
        password: str,
        *,
        base_url: str = DEFAULT_BASE_URL,
        timeout: float = 30.0,
        max_retries: int = 3,
    ) -> "EventTrader":
        """Open an account, accepting its terms and privacy policy, and log in to it.

        Raises:
            ConflictError: the email or the username is taken.

        Example:
            >>> client = await EventTrader.register("ada@example.com", "ada", "a password")
        """
        client = cls(base_url=base_url, timeout=timeout, max_retries=max_retries)
        body: Json = {
            "email": email,
            "username": username,
            "password": password,
            "tos_accepted": True,
            "privacy_policy_accepted": True,
        }
        return await client._enter("/auth/register", body)

    @classmethod
    async def create_api_key(
        cls,
        email: str,
        password: str,
        key_name: str = "default",
        *,
        base_url: str = DEFAULT_BASE_URL,
    ) -> str:
        """Make an API key that may read and trade, from a name and a password; returns the key.

        Example:
            >>> key = await EventTrader.create_api_key("ada@example.com", "a password", "bot")
        """
        name = "email" if "@" in email else "username"
        async with cls(base_url=base_url) as client:
            body = {name: email, "password": password, "key_name": key_name}
            made: Json = await client._http.post("/auth/api-key", json=body)
            return str(made["api_key"])

    async def _enter(self, path: str, body: Json) -> "EventTrader":
        try:
            self._http.use_session(await self._http.post(path, json=body))
        except BaseException:
            await self.close()
            raise
        return self

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
