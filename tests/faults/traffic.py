"""Traders under faults: every intent is followed to a definite answer and kept for the audit."""

import asyncio
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp

PREFIX = "/api/v1/exchange"
DEFINITE_WITHIN_S = 90.0
RETRY_PAUSE_S = 0.1

GRIDS = {
    "vaix": (Decimal("0.003"), Decimal("0.000001"), Decimal(1), 500),
    "eth": (Decimal(3200), Decimal("0.01"), Decimal("0.0001"), 500),
}
"""symbol: (price around which to trade, tick, lot, largest order in lots)"""


@dataclass
class Intent:
    """One thing a trader wanted, and every answer it got until one was definite."""

    kind: str
    symbol: str
    key: str
    order_id: str = ""
    tries: int = 0
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)


class Trader:
    """One account that places, amends and cancels at random, by seed."""

    def __init__(self, base_url: str, name: str, seed: int) -> None:
        self.base_url = base_url
        self.name = name
        self.random = random.Random(seed)
        self.intents: list[Intent] = []
        self.open: dict[str, str] = {}
        self.token = ""
        self._number = 0
        self._http: aiohttp.ClientSession | None = None

    async def register(self) -> None:
        """Open the account; the exchange must be up."""
        status, body = await self.request(
            "POST",
            "/auth/register",
            {
                "email": f"{self.name}@example.com",
                "username": self.name,
                "password": "correct horse battery",
                "tos_accepted": True,
                "privacy_policy_accepted": True,
            },
        )
        assert status == 201, body
        self.token = body["access_token"]

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    async def request(
        self, method: str, path: str, body: Any = None, key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Send one request; status 0 stands for "no answer"."""
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=15)
            self._http = aiohttp.ClientSession(timeout=timeout)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key:
            headers["Idempotency-Key"] = key
        try:
            async with self._http.request(
                method, self.base_url + path, json=body, headers=headers
            ) as response:
                return response.status, await response.json(content_type=None) or {}
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 0, {}

    async def definite(
        self, intent: Intent, method: str, path: str, body: Any = None
    ) -> tuple[int, dict[str, Any]]:
        """Repeat one intent, under its one key, until the answer is definite."""
        deadline = asyncio.get_running_loop().time() + DEFINITE_WITHIN_S
        while True:
            intent.tries += 1
            status, answer = await self.request(method, path, body, intent.key)
            if status and status < 500 and status != 429:
                intent.status, intent.answer = status, answer
                return status, answer
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"no definite answer for {intent}: last was {status} {answer}")
            await asyncio.sleep(RETRY_PAUSE_S)

    async def run(self, stop: asyncio.Event) -> None:
        """Act until told to stop."""
        while not stop.is_set():
            roll = self.random.random()
            if roll < 0.6 or not self.open:
                await self.place()
            elif roll < 0.85:
                await self.cancel()
            else:
                await self.amend()

    async def place(self) -> None:
        """Place a limit, ioc, market or post-only order near the middle."""
        symbol = self.random.choice(list(GRIDS))
        middle, tick, lot, most = GRIDS[symbol]
        self._number += 1
        intent = Intent("place", symbol, f"{self.name}-{self._number}")
        side = self.random.choice(["buy", "sell"])
        kind = self.random.choices(["limit", "ioc", "market", "post_only"], [70, 10, 10, 10])[0]
        offset = self.random.randint(-40, 40) * max(tick, (middle / 1000 // tick) * tick)
        body = {
            "side": side,
            "quantity": str(lot * self.random.randint(1, most)),
            "order_type": kind,
            "client_order_id": intent.key,
            "mode": "paper",
        }
        if kind != "market":
            body["price"] = str(middle + offset)
        self.intents.append(intent)
        status, answer = await self.definite(intent, "POST", f"{PREFIX}/{symbol}/orders", body)
        if status in {200, 201}:
            intent.order_id = answer["order_id"]
            if answer["status"] in ("open", "partially_filled"):
                self.open[answer["order_id"]] = symbol

    async def cancel(self) -> None:
        """Cancel one of the orders believed open."""
        order_id = self.random.choice(list(self.open))
        symbol = self.open.pop(order_id)
        intent = Intent("cancel", symbol, "", order_id)
        self.intents.append(intent)
        await self.definite(intent, "DELETE", f"{PREFIX}/{symbol}/orders/{order_id}?mode=paper")

    async def amend(self) -> None:
        """Amend the quantity of one of the orders believed open."""
        order_id = self.random.choice(list(self.open))
        symbol = self.open[order_id]
        _, _, lot, most = GRIDS[symbol]
        intent = Intent("amend", symbol, "", order_id)
        self.intents.append(intent)
        body = {"quantity": str(lot * self.random.randint(1, most))}
        path = f"{PREFIX}/{symbol}/orders/{order_id}?mode=paper"
        status, _ = await self.definite(intent, "PATCH", path, body)
        if status in (404, 409):
            self.open.pop(order_id, None)


class Auditor:
    """After the faults: compares what traders were told with what the exchange holds."""

    def __init__(self, traders: list[Trader]) -> None:
        self.traders = traders
        self.lost: list[str] = []
        self.twice: list[str] = []
        self.acknowledged = 0
        self.repeated = 0

    async def audit(self) -> None:
        """Read back every order of every trader; fills ``lost`` and ``twice``."""
        for trader in self.traders:
            for symbol in GRIDS:
                await self._audit_market(trader, symbol)

    async def _audit_market(self, trader: Trader, symbol: str) -> None:
        seen = await self.all_orders(trader, symbol)
        by_client_id: dict[str, list[dict[str, Any]]] = {}
        for order in seen.values():
            if order["status"] != "rejected":
                by_client_id.setdefault(order["client_order_id"], []).append(order)
        for intent in trader.intents:
            if intent.symbol != symbol:
                continue
            self.repeated += intent.tries > 1
            if intent.kind == "place":
                found = by_client_id.get(intent.key, [])
                if len(found) > 1:
                    self.twice.append(f"{trader.name} {intent.key}: {len(found)} orders")
                if intent.order_id:
                    self.acknowledged += 1
                    if intent.order_id not in seen:
                        self.lost.append(f"{trader.name} placed {intent.order_id}")
            elif intent.status == 200:
                self.acknowledged += 1
                order = seen.get(intent.order_id)
                closed = order is not None and order["status"] in ("canceled", "filled", "expired")
                if intent.kind == "cancel" and not closed:
                    self.lost.append(f"{trader.name} cancelled {intent.order_id}: {order}")

    @staticmethod
    async def all_orders(trader: Trader, symbol: str) -> dict[str, dict[str, Any]]:
        """Read every order of one user and pair, open and closed, by id."""
        _, body = await trader.request("GET", f"{PREFIX}/{symbol}/orders/open?mode=paper")
        orders = {order["order_id"]: order for order in body["orders"]}
        offset = 0
        while True:
            path = f"{PREFIX}/{symbol}/orders/history?mode=paper&limit=500&offset={offset}"
            status, page = await trader.request("GET", path)
            assert status == 200, page
            orders.update({order["order_id"]: order for order in page["orders"]})
            offset += len(page["orders"])
            if not page["has_more"]:
                return orders
