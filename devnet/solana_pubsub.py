"""The subscriptions of a Solana node: who wants to know what, and what to tell when a slot ends.

A node tells of a slot once it has the commitment that was asked for, once per account, in no order
that could be relied on. Here the order is shuffled by a seed.
"""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from solders.pubkey import Pubkey

from devnet.solana_ledger import Json, Ledger, Processed, Slot
from devnet.solana_rpc import RpcError
from devnet.solana_shapes import account_json, filtered

_KINDS: Final = ("account", "program", "logs", "signature", "slot")


@dataclass
class Subscription:
    """One subscription of one connection."""

    number: int
    kind: str
    subject: Json
    options: dict[str, Json]
    send: Callable[[str], None] = field(repr=False)

    @property
    def commitment(self) -> str:
        """The commitment that was asked for."""
        return str(self.options.get("commitment") or "finalized")


class PubSub:
    """All subscriptions of a service.

    Args:
        ledger: what they speak of.
        seed: of the order in which a slot's notifications are sent.
    """

    def __init__(self, ledger: Ledger, seed: int = 0) -> None:
        self._ledger = ledger
        self._random = Random(seed)  # noqa: S311 -- an order of messages, not a secret
        self._numbers = itertools.count(1)
        self._subscriptions: dict[int, Subscription] = {}

    def answer(self, request: Json, send: Callable[[str], None]) -> dict[str, Json]:
        """Answer a request that came over a connection, which hears by ``send``."""
        number = request.get("id") if isinstance(request, dict) else None
        given: dict[str, Json] = {"jsonrpc": "2.0", "id": number}
        try:
            given["result"] = self._do(request, send)
        except RpcError as error:
            given["error"] = error.json()
        except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
            given["error"] = RpcError(-32602, f"Invalid params: {error}", "").json()
        return given

    def forget(self, send: Callable[[str], None]) -> None:
        """Drop what a connection that ended had subscribed to."""
        for number, subscription in list(self._subscriptions.items()):
            if subscription.send == send:
                del self._subscriptions[number]

    def tell(self, ended: Slot) -> None:
        """Send what a slot's end makes known."""
        newest = ended.number + 1
        told = {"slot": newest, "parent": ended.number, "root": self._ledger.slot_at("finalized")}
        messages: list[tuple[Subscription, Json]] = []
        for subscription in list(self._subscriptions.values()):
            if subscription.kind == "slot":
                _send(subscription, told)
                continue
            slot = self._ledger.closed.get(self._ledger.slot_at(subscription.commitment))
            if slot is not None:
                messages += [(subscription, value) for value in self._news(subscription, slot)]
        self._random.shuffle(messages)
        for subscription, value in messages:
            _send(subscription, value)
            if subscription.kind == "signature":
                self._subscriptions.pop(subscription.number, None)

    def _do(self, request: Json, send: Callable[[str], None]) -> Json:
        method, params = str(request["method"]), request.get("params") or []
        kind = method.removesuffix("Unsubscribe").removesuffix("Subscribe")
        if kind not in _KINDS or kind == method:
            raise RpcError(-32601, "Method not found", "")
        if method.endswith("Unsubscribe"):
            found = self._subscriptions.get(params[0])
            if found is None or found.send != send or found.kind != kind:
                raise RpcError(-32602, "Invalid subscription id.", "")
            del self._subscriptions[params[0]]
            return True
        options = dict(params[1]) if len(params) > 1 and params[1] else {}
        self._ledger.slot_at(options.get("commitment") or "finalized")
        subject: Json = params[0] if kind != "slot" else None
        if kind in {"account", "program"}:
            subject = Pubkey.from_string(subject)
        number = next(self._numbers)
        self._subscriptions[number] = Subscription(number, kind, subject, options, send)
        return number

    def _news(self, subscription: Subscription, slot: Slot) -> list[Json]:
        if subscription.kind == "account":
            return self._account_news(subscription, slot)
        if subscription.kind == "program":
            return self._program_news(subscription, slot)
        if subscription.kind == "logs":
            return [
                _at(slot, {"signature": done.signature, "err": done.err, "logs": done.logs})
                for done in slot.transactions
                if _mentions(subscription.subject, done)
            ]
        done = self._ledger.transactions.get(subscription.subject)
        settled = done is not None and done.slot <= slot.number
        return [_at(slot, {"err": done.err})] if done is not None and settled else []

    def _account_news(self, subscription: Subscription, slot: Slot) -> list[Json]:
        if subscription.subject not in slot.changed:
            return []
        shown = account_json(slot.changed[subscription.subject], subscription.options)
        return [_at(slot, shown)] if shown is not None else []

    def _program_news(self, subscription: Subscription, slot: Slot) -> list[Json]:
        filters = subscription.options.get("filters") or []
        return [
            _at(
                slot,
                {"pubkey": str(address), "account": account_json(account, subscription.options)},
            )
            for address, account in slot.changed.items()
            if account is not None
            and account.owner == subscription.subject
            and filtered(account, filters)
        ]


def _mentions(wanted: Json, done: Processed) -> bool:
    if not isinstance(wanted, dict):
        return True
    keys = {str(key) for key in done.keys}
    return any(address in keys for address in wanted["mentions"])


def _at(slot: Slot, value: Json) -> dict[str, Json]:
    return {"context": {"slot": slot.number}, "value": value}


def _send(subscription: Subscription, result: Json) -> None:
    subscription.send(
        json.dumps(
            {
                "jsonrpc": "2.0",
                "method": f"{subscription.kind}Notification",
                "params": {"result": result, "subscription": subscription.number},
            }
        )
    )
