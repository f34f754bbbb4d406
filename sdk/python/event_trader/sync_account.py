"""What ``account`` does, without ``async``. Made by ``make_sync.py``; change the other."""

from collections.abc import Sequence
from typing import Any

from event_trader.account import Account, System
from event_trader.bodies import Json, Number
from event_trader.loop_thread import LoopThread


class SyncAccount:
    """What `Account` does, waiting for each answer."""

    def __init__(self, target: Account, loop: LoopThread) -> None:
        self._account = target
        self._loop = loop

    def me(self) -> Json:
        """Read who is logged in: id, email, username, role, simulation mode.

        Example:
            >>> client.account.me()["simulation_mode"]
        """
        return self._loop.run(self._account.me())

    def profile(self) -> Json:
        """Read the account with its tier.

        Example:
            >>> client.account.profile()["tier"]
        """
        return self._loop.run(self._account.profile())

    def update(
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
            >>> client.account.update(simulation_mode=False)
        """
        return self._loop.run(
            self._account.update(simulation_mode=simulation_mode, username=username, email=email)
        )

    def balances(self) -> list[Json]:
        """List every asset in both modes.

        Example:
            >>> for one in client.account.balances():
            ...     print(one["asset"], one["mode"], one["available"], one["locked"])
        """
        return self._loop.run(self._account.balances())

    def reset_paper(self) -> Json:
        """Cancel the paper orders and set the paper balances back to the grant.

        Example:
            >>> client.account.reset_paper()["cancelled"]
        """
        return self._loop.run(self._account.reset_paper())

    def api_keys(self) -> list[Json]:
        """List the API keys: prefix, permissions, last use; never the key itself.

        Example:
            >>> [(key["name"], key["key_prefix"]) for key in client.account.api_keys()]
        """
        return self._loop.run(self._account.api_keys())

    def create_api_key(
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
            >>> made = client.account.create_api_key("bot", trade=True)
            >>> made["key"]
        """
        return self._loop.run(
            self._account.create_api_key(
                name,
                read=read,
                trade=trade,
                withdraw=withdraw,
                ip_whitelist=ip_whitelist,
                allowed_markets=allowed_markets,
                expires_in_days=expires_in_days,
            )
        )

    def update_api_key(self, key_id: str, **changes: Any) -> Json:
        """Change name, permissions, ip_whitelist, allowed_markets or is_active of a key.

        Example:
            >>> client.account.update_api_key(made["id"], is_active=False)
        """
        return self._loop.run(self._account.update_api_key(key_id, **changes))

    def delete_api_key(self, key_id: str) -> None:
        """Revoke a key; its open streams are closed.

        Example:
            >>> client.account.delete_api_key(made["id"])
        """
        return self._loop.run(self._account.delete_api_key(key_id))

    def sub_accounts(self) -> list[Json]:
        """List the sub-accounts with their funds, oldest first.

        Example:
            >>> [sub["label"] for sub in client.account.sub_accounts()]
        """
        return self._loop.run(self._account.sub_accounts())

    def create_sub_account(self, label: str) -> Json:
        """Open a sub-account.

        Example:
            >>> client.account.create_sub_account("strategy two")["sub_account_id"]
        """
        return self._loop.run(self._account.create_sub_account(label))

    def transfer(
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
            >>> client.account.transfer(
            ...     "500", "USDC", to_sub_account_id=sub["sub_account_id"], mode="paper"
            ... )
        """
        return self._loop.run(
            self._account.transfer(
                amount,
                currency,
                to_sub_account_id=to_sub_account_id,
                from_sub_account_id=from_sub_account_id,
                mode=mode,
                idempotency_key=idempotency_key,
            )
        )

    def logout(self) -> None:
        """End the session of a client made by `EventTrader.from_credentials`.

        Example:
            >>> client.account.logout()
        """
        return self._loop.run(self._account.logout())


class SyncSystem:
    """What `System` does, waiting for each answer."""

    def __init__(self, target: System, loop: LoopThread) -> None:
        self._account = target
        self._loop = loop

    def health(self) -> Json:
        """Read whether the gateway is alive, and its version.

        Example:
            >>> client.system.health()["version"]
        """
        return self._loop.run(self._account.health())

    def ready(self) -> Json:
        """Read whether the exchange can trade.

        Raises:
            UnavailableError: some part cannot yet.

        Example:
            >>> client.system.ready()["pairs"]
        """
        return self._loop.run(self._account.ready())

    def openapi(self) -> Json:
        """Read the OpenAPI document.

        Example:
            >>> len(client.system.openapi()["paths"])
        """
        return self._loop.run(self._account.openapi())

    def prometheus(self) -> str:
        """Read the gateway's counters in Prometheus' text form.

        Example:
            >>> print(client.system.prometheus()[:60])
        """
        return self._loop.run(self._account.prometheus())
