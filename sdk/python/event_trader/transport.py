"""HTTP to and from a Tandem gateway: authentication, timeouts, safe retries, typed errors.

A request is retried only where a repetition cannot do harm: reads always; writes only with an
Idempotency-Key, which stays the same over all tries of one intent. A refusal (4xx) is never
retried; 429 and 503 are, after the server's Retry-After. Nothing here knows an endpoint by name.
"""

import asyncio
import json as jsonlib
import random
import secrets
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import aiohttp

from event_trader.errors import (
    APIError,
    ConnectionFailedError,
    EventTraderError,
    NotTandemError,
    RateLimitedError,
    RequestTimeoutError,
    UnavailableError,
    error_class,
)

_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 5.0
_REFRESH_MARGIN_S = 60.0
"""An access token is renewed this long before it expires."""


class Session:
    """A token pair with its expiry on the local monotonic clock."""

    def __init__(self, access_token: str, refresh_token: str, expires_in_s: float) -> None:
        self.access_token = access_token
        self.refresh_token = refresh_token
        margin = min(_REFRESH_MARGIN_S, expires_in_s / 2)
        self.renew_at = time.monotonic() + expires_in_s - margin


class HttpTransport:
    """One connection pool to one gateway.

    Args:
        base_url: where the gateway listens, such as ``http://127.0.0.1:8080``.
        api_key: an ``evt_…`` key, or None for public data (or a token session).
        timeout_s: bound on one try, connection included.
        max_retries: further tries where a retry is safe.
    """

    def __init__(
        self, base_url: str, api_key: str | None, timeout_s: float, max_retries: int
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._max_retries = max_retries
        self._http: aiohttp.ClientSession | None = None
        self._session: Session | None = None
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
        """Close the connections; the transport may be used again afterwards."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    def use_session(self, tokens: Mapping[str, Any]) -> None:
        """Authenticate with a token pair, as ``/auth/login`` returns it."""
        self._session = Session(
            tokens["access_token"], tokens["refresh_token"], float(tokens["expires_in"])
        )

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET a path; returns the decoded body."""
        return await self.request("GET", path, params=params)

    async def post(
        self, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """POST a JSON body; returns the decoded answer."""
        return await self.request("POST", path, params=params, json=json)

    async def put(
        self, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """PUT a JSON body; returns the decoded answer."""
        return await self.request("PUT", path, params=params, json=json)

    async def patch(
        self, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """PATCH with a JSON body; returns the decoded answer."""
        return await self.request("PATCH", path, params=params, json=json)

    async def delete(
        self, path: str, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """DELETE a path, with an optional JSON body; returns the decoded answer."""
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

        Raises:
            APIError: the server refused; the subclass tells how.
            ConnectionFailedError, RequestTimeoutError: no answer, after the last safe try.
            NotTandemError: the answer is not of this API.
        """
        headers: dict[str, str] = {}
        if method == "POST":
            headers["Idempotency-Key"] = idempotency_key or secrets.token_hex(16)
        repeatable = method in ("GET", "POST", "DELETE")
        for attempt in range(self._max_retries + 1):
            try:
                return await self._try_once(method, path, params, json, headers)
            except (RateLimitedError, UnavailableError) as error:
                if attempt == self._max_retries or not repeatable:
                    raise
                pause = max(error.retry_after_s, _backoff_s(attempt))
            except (ConnectionFailedError, RequestTimeoutError):
                if attempt == self._max_retries or not repeatable:
                    raise
                pause = _backoff_s(attempt)
            await asyncio.sleep(pause)
        raise EventTraderError("max_retries must be zero or more")

    async def _try_once(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str],
    ) -> Any:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=self._timeout)
        sent = {**headers, **await self._credentials(path)}
        url = self.base_url + path
        query = {k: _query_value(v) for k, v in (params or {}).items() if v is not None}
        try:
            async with self._http.request(
                method, url, params=query, json=body, headers=sent, allow_redirects=False
            ) as response:
                raw = await response.read()
                return _decode(response, raw)
        except TimeoutError as error:
            raise RequestTimeoutError(
                f"{method} {path} was not answered within {self._timeout.total} s"
            ) from error
        except aiohttp.ClientError as error:
            raise ConnectionFailedError(
                f"cannot reach {self.base_url}: {error}; is the exchange running there?"
            ) from error

    async def _credentials(self, path: str) -> dict[str, str]:
        if self._session is not None and not path.startswith("/auth/"):
            await self._renew_if_due(self._session)
        if self._session is not None:
            return {"Authorization": f"Bearer {self._session.access_token}"}
        return {"X-API-Key": self._api_key} if self._api_key else {}

    async def _renew_if_due(self, session: Session) -> None:
        if time.monotonic() < session.renew_at:
            return
        async with self._renewing:
            if self._session is session:
                body = {"refresh_token": session.refresh_token}
                self.use_session(await self.request("POST", "/auth/refresh", json=body))


def _backoff_s(attempt: int) -> float:
    ceiling: float = min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * 2**attempt)
    return ceiling * (0.5 + random.random() / 2)  # noqa: S311 - jitter needs no secrecy


def _query_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decode(response: aiohttp.ClientResponse, raw: bytes) -> Any:
    try:
        body = jsonlib.loads(raw) if raw else None
    except ValueError:
        body = raw
    if response.status < 400 and not isinstance(body, bytes):
        return body
    if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        raise NotTandemError(
            f"{response.url} answered HTTP {response.status} in a form that is not Tandem's; "
            "check base_url"
        )
    raise _api_error(response, body)


def _api_error(response: aiohttp.ClientResponse, body: dict[str, Any]) -> APIError:
    error = body["error"]
    code = str(error.get("code", "UNKNOWN"))
    try:
        retry_after_s = float(response.headers.get("Retry-After", "0"))
    except ValueError:
        retry_after_s = 0.0
    return error_class(response.status, code)(
        response.status,
        code,
        str(error.get("message", "")),
        error.get("details") or {},
        str(body.get("request_id", "")),
        retry_after_s,
    )
