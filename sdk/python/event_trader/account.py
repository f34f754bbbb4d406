"""The account: who one is, its funds, its API keys and sub-accounts; and the server's own state."""

from collections.abc import Sequence
from typing import Any

from event_trader.bodies import Json, Number, decimal_text, id_path, member, present
from event_trader.transport import HttpTransport

_ACCOUNT = "/api/v1/account"
_KEYS = "/api/v1/api-keys"
_SUBS = "/api/v1/exchange/sub-accounts"


class Account:
    """The caller's own account; reached as ``client.account``."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http

    async def me(self) -> Json:
        """Read who is logged in: id, email, username, role, simulation mode.

        Example:
            >>> (await client.account.me())["simulation_mode"]
        """
        user: Json = member(await self._http.get("/auth/me"), "user")
        return user

    async def profile(self) -> Json:
        """Read the account with its tier.

        Example:
            >>> (await client.account.profile())["tier"]
        """
        profile: Json = await self._http.get(_ACCOUNT)
        return profile

    async def update(
        self,
        *,
        simulation_mode: bool | None = None,
        username: str | None = None,
        email: str | None = None,
    ) -> Json:
        """Change the account (log-in only, no API key); ``simulation_mode=False`` trades live.

        Raises:
            JwtRequiredError: the client holds an API key; this is a person's decision.

        Example:
            >>> await client.account.update(simulation_mode=False)
        """
        body = present(simulation_mode=simulation_mode, username=username, email=email)
        profile: Json = await self._http.patch(_ACCOUNT, json=body)
        return profile

    async def balances(self) -> list[Json]:
        """List every asset in both modes.

        Example:
            >>> for one in await client.account.balances():
            ...     print(one["asset"], one["mode"], one["available"], one["locked"])
        """
        body = await self._http.get(f"{_ACCOUNT}/balances")
        balances: list[Json] = member(body, "balances")
        return balances

    async def reset_paper(self) -> Json:
        """Cancel the paper orders and set the paper balances back to the grant.

        Example:
            >>> (await client.account.reset_paper())["cancelled"]
        """
        result: Json = await self._http.post(f"{_ACCOUNT}/paper/reset")
        return result

    # API keys; these need a log-in.

    async def api_keys(self) -> list[Json]:
        """List the API keys: prefix, permissions, last use; never the key itself.

        Example:
            >>> [(key["name"], key["key_prefix"]) for key in await client.account.api_keys()]
        """
        keys: list[Json] = member(await self._http.get(_KEYS), "api_keys")
        return keys

    async def create_api_key(
        self,
        name: str,
        *,
        read: bool = True,
        trade: bool = False,
        withdraw: bool = False,
        ip_whitelist: Sequence[str] = (),
        allowed_markets: Sequence[str] = (),
        expires_in_days: int | None = None,
    ) -> Json:
        """Make an API key; ``key`` of the answer is shown this once.

        Example:
            >>> made = await client.account.create_api_key("bot", trade=True)
            >>> made["key"]
        """
        body = {
            "name": name,
            "permissions": {"read": read, "trade": trade, "withdraw": withdraw},
            "ip_whitelist": list(ip_whitelist),
            "allowed_markets": list(allowed_markets),
            **present(expires_in_days=expires_in_days),
        }
        made: Json = await self._http.post(_KEYS, json=body)
        return made

    async def update_api_key(self, key_id: str, **changes: Any) -> Json:
        """Change name, permissions, ip_whitelist, allowed_markets or is_active of a key.

        Example:
            >>> await client.account.update_api_key(made["id"], is_active=False)
        """
        key: Json = await self._http.patch(f"{_KEYS}/{id_path(key_id)}", json=changes)
        return key

    async def delete_api_key(self, key_id: str) -> None:
        """Revoke a key; its open streams are closed.

        Example:
            >>> await client.account.delete_api_key(made["id"])
        """
        await self._http.delete(f"{_KEYS}/{id_path(key_id)}")

    # Sub-accounts.

    async def sub_accounts(self) -> list[Json]:
        """List the sub-accounts with their funds, oldest first.

        Example:
            >>> [sub["label"] for sub in await client.account.sub_accounts()]
        """
        subs: list[Json] = member(await self._http.get(_SUBS), "sub_accounts")
        return subs

    async def create_sub_account(self, label: str) -> Json:
        """Open a sub-account.

        Example:
            >>> (await client.account.create_sub_account("strategy two"))["sub_account_id"]
        """
        sub: Json = await self._http.post(_SUBS, json={"label": label})
        return sub

    async def transfer(
        self,
        amount: Number,
        currency: str,
        *,
        to_sub_account_id: str | None = None,
        from_sub_account_id: str | None = None,
        mode: str = "live",
        idempotency_key: str | None = None,
    ) -> Json:
        """Move available funds to or from a sub-account; a side left out is the account itself.

        Example:
            >>> await client.account.transfer(
            ...     "500", "USDC", to_sub_account_id=sub["sub_account_id"], mode="paper"
            ... )
        """
        body = {
            "amount": decimal_text("amount", amount),
            "currency": currency,
            "mode": mode,
            **present(to_sub_account_id=to_sub_account_id, from_sub_account_id=from_sub_account_id),
        }
        result: Json = await self._http.post(
            f"{_SUBS}/transfer", json=body, idempotency_key=idempotency_key
        )
        return result

    # The session.

    async def logout(self) -> None:
        """End the session of a client made by `EventTrader.from_credentials`.

        Example:
            >>> await client.account.logout()
        """
        session = self._http.session
        if session is not None:
            await self._http.post("/auth/logout", json={"refresh_token": session.refresh_token})
            self._http.session = None


class System:
    """The exchange's own state; reached as ``client.system``."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http

    async def health(self) -> Json:
        """Read whether the gateway is alive, and its version.

        Example:
            >>> (await client.system.health())["version"]
        """
        health: Json = await self._http.get("/health")
        return health

    async def ready(self) -> Json:
        """Read whether the exchange can trade.

        Raises:
            UnavailableError: some part cannot yet.

        Example:
            >>> (await client.system.ready())["pairs"]
        """
        ready: Json = await self._http.get("/ready")
        return ready

    async def openapi(self) -> Json:
        """Read the OpenAPI document.

        Example:
            >>> len((await client.system.openapi())["paths"])
        """
        document: Json = await self._http.get("/openapi.json")
        return document

    async def prometheus(self) -> str:
        """Read the gateway's counters in Prometheus' text form.

        Example:
            >>> print((await client.system.prometheus())[:60])
        """
        text: str = await self._http.get("/metrics")
        return text
