"""HTTP to and from a Tandem gateway: authentication, timeouts, safe retries, typed errors.

A request is retried only where a repetition cannot do harm: reads and cancellations always; POSTs
with their Idempotency-Key, which stays the same over all tries of one intent; PATCHes only where
the server says that nothing happened. A refusal (4xx) is never retried, but 429 and 503 are, after
the server's Retry-After. Nothing here knows an endpoint by name, except those that renew a session
and that tell the server's version.
"""

import asyncio
import json as jsonlib
import math
import os
import random
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from event_trader.codes import error_class
from event_trader.errors import (
    APIError,
    AuthenticationError,
    ConnectionFailedError,
    EventTraderError,
    NotTandemError,
    RateLimitedError,
    RequestTimeoutError,
    ServerTooOldError,
    UnavailableError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    import aiohttp

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0
RETRY_AFTER_MAX_S = 60.0
"""A server that asks for more patience than this gets its error passed on at once."""
REFRESH_MARGIN_S = 60.0
"""An access token is renewed this long before it expires."""
SERVER_VERSION_MIN = (0, 1)
"""The oldest exchange that has every path this client knows."""

_REPEATABLE = frozenset(("GET", "POST", "DELETE"))


class Session:
    """A token pair with its expiry on the local monotonic clock."""

    def __init__(self, access_token: str, refresh_token: str, expires_in_s: float) -> None:
        self.access_token = access_token
        self.refresh_token = refresh_token
        margin = min(REFRESH_MARGIN_S, expires_in_s / 2)
        self.renew_at = time.monotonic() + expires_in_s - margin


class HttpTransport:
    """One connection pool to one gateway.

    Args:
        base_url: where the gateway listens, such as ``http://127.0.0.1:8080``.
        api_key: an ``evt_…`` key, or None for public data (or a token session).
        timeout_s: bound on one try, connection included.
        max_retries: further tries where a retry is safe.

    Raises:
        ValueError: an argument cannot be used; the message says what to give instead.
    """

    def __init__(
        self, base_url: str, api_key: str | None, timeout_s: float, max_retries: int
    ) -> None:
        _check(base_url, api_key, timeout_s, max_retries)
        self.base_url = base_url.rstrip("/")
        self.timeout_s = timeout_s
        self.session: Session | None = None
        self._api_key = api_key
        self.max_retries = max_retries
        self.closers: set[Callable[[], Awaitable[None]]] = set()
        """What must be closed with the transport: the streams that are not at their end."""
        self._http: aiohttp.ClientSession | None = None
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> "HttpTransport":  # noqa: PYI034 - Self is 3.11
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections and end the streams; requests may be made again afterwards."""
        for close in list(self.closers):
            await close()
        if self._http is not None:
            await self._http.close()
            self._http = None

    def use_session(self, tokens: Mapping[str, Any]) -> None:
        """Authenticate with a token pair, as ``/auth/login`` returns it."""
        try:
            self.session = Session(
                tokens["access_token"], tokens["refresh_token"], float(tokens["expires_in"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NotTandemError(
                f"{self.base_url} answered a log-in without tokens; check base_url"
            ) from error

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET a path; returns the decoded body.

        Example:
            >>> await client._http.get("/api/v1/exchange/vaix/chart", params={"limit": 3})
        """
        return await self.request("GET", path, params=params)

    async def post(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """POST a JSON body; returns the decoded answer.

        Without ``idempotency_key`` the call gets one of its own, kept over its retries.

        Example:
            >>> order = {"side": "buy", "quantity": "1000", "price": "0.001"}
            >>> await client._http.post("/api/v1/exchange/vaix/orders", json=order)
        """
        return await self.request(
            "POST", path, params=params, json=json, idempotency_key=idempotency_key
        )

    async def put(
        self, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """PUT a JSON body; returns the decoded answer. No route of today takes it.

        Example:
            >>> try:
            ...     await client._http.put("/api/v1/account", json={"username": "ada"})
            ... except MethodNotAllowedError as refusal:
            ...     print(refusal)
        """
        return await self.request("PUT", path, params=params, json=json)

    async def patch(
        self, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """PATCH with a JSON body; returns the decoded answer.

        Example:
            >>> await client._http.patch("/api/v1/account", json={"simulation_mode": True})
        """
        return await self.request("PATCH", path, params=params, json=json)

    async def delete(
        self, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """DELETE a path, with an optional JSON body; returns the decoded answer.

        Example:
            >>> await client._http.delete("/api/v1/exchange/vaix/orders", params={"side": "buy"})
        """
        return await self.request("DELETE", path, params=params, json=json)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Send one request, with safe retries.

        Example:
            >>> await client._http.request("GET", "/health")

        Raises:
            APIError: the server refused; the subclass tells how.
            ConnectionFailedError, RequestTimeoutError: no answer, after the last safe try.
            NotTandemError: the answer is not of this API.
            ServerTooOldError: the server does not have this path yet.
        """
        headers: dict[str, str] = {}
        if method == "POST":
            headers["Idempotency-Key"] = idempotency_key or secrets.token_hex(16)
        tries, renewed = 0, False
        while True:
            tries += 1
            try:
                return await self._try_once(method, path, params, json, headers)
            except AuthenticationError as error:
                # A 401 means that nothing happened; a renewed token is worth one more try.
                error.tries = tries
                if renewed or self.session is None or path.startswith("/auth/"):
                    raise
                renewed = True
                await self.renew(self.session)
                continue
            except EventTraderError as error:
                if isinstance(error, APIError):
                    error.tries = tries
                pause = _pause_s(error, method, tries)
                if pause is None or tries > self.max_retries:
                    await self._explain(error, path)
                    raise
            await asyncio.sleep(pause)

    async def credentials(self, path: str = "") -> dict[str, str]:
        """Give the headers that say who asks, renewing a token that is about to expire."""
        session = self.session
        if session is None:
            return {"X-API-Key": self._api_key} if self._api_key else {}
        if path.startswith("/auth/refresh"):
            return {}
        if time.monotonic() >= session.renew_at and not path.startswith("/auth/"):
            await self.renew(session)
        return {"Authorization": f"Bearer {self.session.access_token}"} if self.session else {}

    async def renew(self, session: Session) -> None:
        """Trade a session's refresh token for a new pair, once for all callers that wait."""
        async with self._renewing:
            if self.session is session:
                body = {"refresh_token": session.refresh_token}
                self.use_session(await self.request("POST", "/auth/refresh", json=body))

    async def http(self) -> "aiohttp.ClientSession":
        """Give the connection pool, opening it the first time."""
        if self._http is None or self._http.closed:
            import aiohttp

            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self.timeout_s),
                connector=aiohttp.TCPConnector(limit=0),
            )
            # aiohttp would repeat a DELETE by itself when a connection ends under it; whether a
            # request is sent again is decided, and counted, in `request` alone.
            self._http._retry_connection = False  # noqa: SLF001 (there is no public switch)
        return self._http

    async def _try_once(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str],
    ) -> Any:
        pool = self._http if self._http is not None else await self.http()
        import aiohttp

        sent = {**headers, **await self.credentials(path)}
        query = {k: _query_value(v) for k, v in params.items() if v is not None} if params else None
        try:
            async with pool.request(
                method,
                self.base_url + path,
                params=query,
                json=body,
                headers=sent,
                allow_redirects=False,
            ) as response:
                raw = await response.read()
                return decode(response.status, response.headers, raw, self.base_url + path)
        except asyncio.TimeoutError as error:  # noqa: UP041 (3.10 has two of them)
            raise RequestTimeoutError(
                f"{method} {path} was not answered within {self.timeout_s} s; "
                "its outcome is unknown"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailedError(
                f"cannot reach {self.base_url}: {reason_of(error)}; is the exchange running there, "
                "and is base_url right?"
            ) from error

    async def _explain(self, error: EventTraderError, path: str) -> None:
        """Ask a server that lacks a path for its version, and say so where it is too old."""
        lacking = isinstance(error, APIError) and error.code in ("NOT_FOUND", "METHOD_NOT_ALLOWED")
        if not lacking or path == "/health":
            return
        try:
            health = await self.request("GET", "/health")
        except (APIError, NotTandemError):
            raise NotTandemError(
                f"{self.base_url} has no {path} and no /health: it is not the root of an exchange; "
                "set base_url to one, such as http://127.0.0.1:8080"
            ) from error
        version = str(health.get("version", "")) if isinstance(health, dict) else ""
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < SERVER_VERSION_MIN:
            needed = ".".join(str(number) for number in SERVER_VERSION_MIN)
            raise ServerTooOldError(
                f"{self.base_url} is Tandem {version or 'of an unknown version'} and has no "
                f"{path}; this client needs {needed} or newer: upgrade the exchange"
            ) from error


def _check(base_url: str, api_key: str | None, timeout_s: float, max_retries: int) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"base_url must be like http://127.0.0.1:8080, was {base_url!r}")
    if api_key is not None and not re.fullmatch(r"[!-~]+", api_key):
        raise ValueError("api_key must be an evt_... key, without spaces or line ends")
    if not (timeout_s > 0 and math.isfinite(timeout_s)):
        raise ValueError(f"timeout must be a positive number of seconds, was {timeout_s}")
    if max_retries < 0:
        raise ValueError(f"max_retries must be zero or more, was {max_retries}")


def _pause_s(error: EventTraderError, method: str, tries: int) -> float | None:
    """Tell how long to wait before the same request is sent again; None: not at all."""
    repeatable = method in _REPEATABLE
    if isinstance(error, (ConnectionFailedError, RequestTimeoutError, UnknownOutcomeError)):
        return backoff_s(tries - 1) if repeatable else None
    if isinstance(error, (RateLimitedError, UnavailableError)):
        patience = error.retry_after_s <= RETRY_AFTER_MAX_S
        return max(error.retry_after_s, backoff_s(tries - 1)) if patience else None
    return None


def backoff_s(attempt: int) -> float:
    """Give a pause that doubles with each attempt (from 0), with jitter."""
    ceiling: float = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(attempt, 10))
    return ceiling * (0.5 + random.random() / 2)  # noqa: S311 - jitter needs no secrecy


def reason_of(error: Exception) -> str:
    """Say what the system said, where aiohttp wraps it into words of its own."""
    said = getattr(error, "os_error", error)
    if isinstance(said, ConnectionError) and said.errno:
        return os.strerror(said.errno)
    return str(said)


def _query_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def decode(status: int, headers: Mapping[str, str], raw: bytes, url: str) -> Any:
    """Read an answer: JSON, or the text of those few paths that have no JSON.

    Raises:
        APIError: it is a refusal.
        NotTandemError: it is not of this API.
    """
    if 300 <= status < 400:
        place = headers.get("Location", "elsewhere")
        raise NotTandemError(f"{url} redirects to {place}; set base_url to where the API is")
    if status < 300 and headers.get("Content-Type", "").startswith("text/plain"):
        return raw.decode()
    try:
        body = jsonlib.loads(raw) if raw else None
    except ValueError:
        body = raw
    if status < 300 and not isinstance(body, bytes):
        return body
    if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        raise NotTandemError(
            f"{url} answered HTTP {status} in a form that is not Tandem's; check base_url"
        )
    raise _api_error(status, headers, body)


def _api_error(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> APIError:
    error = body["error"]
    code = str(error.get("code", "UNKNOWN"))
    return error_class(status, code)(
        status,
        code,
        str(error.get("message", "")),
        error.get("details") or {},
        str(body.get("request_id", "")),
        retry_after_s(headers),
    )


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Read how many seconds the server asks to wait; 0 where it says nothing one can use."""
    try:
        asked = float(headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return asked if 0 <= asked < math.inf else 0.0
