"""Accounts, sessions, API keys, idempotency and limits, over a real store."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import auth
from gateway.settings import LimitSettings, Rate, Tier
from tests.gateways import PASSWORD, Exchange, Gateway, open_gateway

EXCHANGE = "/api/v1/exchange"
ME = "/auth/me"
SEEN_WITHIN_S = 15.0
"""A second by `principal_cache_s`; the rest is for a machine that is busy."""


async def statuses(gateway: Gateway, token: str, until: int) -> int:
    """Ask who is logged in until the status is the wanted one; returns the last status."""
    deadline = time.monotonic() + SEEN_WITHIN_S
    while True:
        status, _ = await gateway.call("GET", ME, token=token)
        if status == until or time.monotonic() > deadline:
            return status
        await asyncio.sleep(0.02)


async def test_login_by_email_and_username_in_any_case_works(gateway: Gateway) -> None:
    """Names are matched without regard to case; exactly one of them is needed."""
    user = (await gateway.register())["user"]
    for name in ({"email": user["email"].upper()}, {"username": user["username"].upper()}):
        body = {**name, "password": PASSWORD}
        status, session = await gateway.call("POST", "/auth/login", json=body)
        assert (status, session["user"]["id"]) == (200, user["id"])
    body = {"email": user["email"], "username": user["username"], "password": PASSWORD}
    status, _ = await gateway.call("POST", "/auth/login", json=body)
    assert status == 422


async def test_login_with_wrong_name_or_password_is_refused_alike(gateway: Gateway) -> None:
    """Both are 401 INVALID_CREDENTIALS with the same words."""
    user = (await gateway.register())["user"]
    bodies = ({"email": user["email"], "password": "wrong"}, {"email": "x@y.zz", "password": "w"})
    answers = [await gateway.call("POST", "/auth/login", json=body) for body in bodies]
    assert [status for status, _ in answers] == [401, 401]
    assert answers[0][1]["error"] == answers[1][1]["error"]


async def test_registration_of_a_taken_name_is_a_conflict(gateway: Gateway) -> None:
    """An email and a username belong to one account, whatever their case."""
    user = (await gateway.register())["user"]
    body = {
        "email": user["email"].upper(), "username": "another", "password": PASSWORD,
        "tos_accepted": True, "privacy_policy_accepted": True,
    }  # fmt: skip
    status, answer = await gateway.call("POST", "/auth/register", json=body)
    assert (status, answer["error"]["code"]) == (409, "EMAIL_TAKEN")
    body |= {"email": "fresh@example.com", "username": user["username"].upper()}
    status, answer = await gateway.call("POST", "/auth/register", json=body)
    assert (status, answer["error"]["code"]) == (409, "USERNAME_TAKEN")
    for consent in (False, 1, "true"):
        body |= {"username": "fresh", "tos_accepted": consent}
        status, answer = await gateway.call("POST", "/auth/register", json=body)
        assert (status, answer["detail"][0]["loc"]) == (422, ["body", "tos_accepted"]), consent


async def test_refresh_token_used_twice_ends_the_session(gateway: Gateway) -> None:
    """Rotation works once; the second use revokes every token of the session."""
    session = await gateway.register()
    body = {"refresh_token": session["refresh_token"]}
    status, renewed = await gateway.call("POST", "/auth/refresh", json=body)
    assert status == 200
    assert await statuses(gateway, renewed["access_token"], 200) == 200
    status, answer = await gateway.call("POST", "/auth/refresh", json=body)
    assert (status, answer["error"]["code"]) == (401, "REFRESH_REUSED")
    assert await statuses(gateway, renewed["access_token"], 401) == 401
    body = {"refresh_token": renewed["refresh_token"]}
    status, answer = await gateway.call("POST", "/auth/refresh", json=body)
    assert (status, answer["error"]["code"]) == (401, "TOKEN_INVALID")


async def test_logout_on_one_gateway_is_seen_by_another_within_a_second(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revoked token works nowhere once a gateway's memory of it has run out, by its own clock."""
    now_s = [1_000.0]
    ticking = SimpleNamespace(monotonic=lambda: now_s[0], time=time.time)
    monkeypatch.setattr(auth, "time", ticking)
    async with open_gateway(exchange) as one, open_gateway(exchange, name="gateway.1") as two:
        session = await one.register()
        token = session["access_token"]
        assert (await two.call("GET", ME, token=token))[0] == 200
        body = {"refresh_token": session["refresh_token"]}
        status, _ = await one.call("POST", "/auth/logout", json=body)
        assert status == 204
        assert (await one.call("GET", ME, token=token))[0] == 401
        memory_s = two.deps.settings.principal_cache_s
        assert memory_s < 1.0
        now_s[0] += memory_s
        assert (await two.call("GET", ME, token=token))[0] == 401


@pytest.mark.parametrize(
    "token",
    ["x", "a.b.c", "evt_" + "0" * 64, "evt_zz", "x" * 5000,
     "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9."],
)  # fmt: skip
async def test_token_that_is_none_is_unauthenticated(gateway: Gateway, token: str) -> None:
    """Garbage, unknown keys and unsigned tokens are 401 with a challenge."""
    status, _ = await gateway.call("GET", ME, headers={"Authorization": f"Bearer {token}"})
    assert status == 401
    assert gateway.last_headers["WWW-Authenticate"] == "Bearer"


async def test_api_key_does_what_its_permissions_say(gateway: Gateway) -> None:
    """Read-only keys do not trade, market lists bind, keys make no keys; a deleted one is dead."""
    token = (await gateway.register())["access_token"]
    body: dict[str, Any] = {"name": "reader", "allowed_markets": ["VAIX/USDC"]}
    status, key = await gateway.call("POST", "/api/v1/api-keys", token=token, json=body)
    assert (status, key["permissions"]["trade"]) == (201, False)
    status, _ = await gateway.call("GET", f"{EXCHANGE}/vaix/orders", token=key["key"])
    assert status == 200
    status, answer = await gateway.order(key["key"], side="buy", quantity="1", price="0.001")
    assert (status, answer["error"]["code"]) == (403, "PERMISSION_DENIED")
    status, answer = await gateway.call("GET", f"{EXCHANGE}/btc/orders", token=key["key"])
    assert (status, answer["error"]["code"]) == (403, "MARKET_NOT_ALLOWED")
    status, _ = await gateway.call("GET", f"{EXCHANGE}/btc/bbo", token=key["key"])
    assert status == 200, "what needs no key is not refused to one"
    status, answer = await gateway.call("POST", "/api/v1/api-keys", token=key["key"], json=body)
    assert (status, answer["error"]["code"]) == (403, "JWT_REQUIRED")
    path = f"/api/v1/api-keys/{key['id']}"
    change = {"permissions": {"read": True, "trade": True}}
    status, changed = await gateway.call("PATCH", path, token=token, json=change)
    assert (status, changed["key_prefix"]) == (200, key["key"][:12])
    status, _ = await gateway.order(key["key"], side="buy", quantity="1", price="0.001")
    assert status == 200
    status, listed = await gateway.call("GET", "/api/v1/api-keys", token=token)
    assert listed["api_keys"][0]["last_used_at"] is not None
    assert key["key"] not in str(listed)
    status, _ = await gateway.call("DELETE", path, token=token)
    assert status == 204
    assert await statuses(gateway, key["key"], 401) == 401


async def test_api_key_from_another_address_is_refused(gateway: Gateway) -> None:
    """An IP list binds; a proxy's word is not believed unless configured."""
    token = (await gateway.register())["access_token"]
    body = {"name": "far", "ip_whitelist": ["203.0.113.0/24"]}
    _, key = await gateway.call("POST", "/api/v1/api-keys", token=token, json=body)
    headers = {"X-Forwarded-For": "203.0.113.9"}
    status, answer = await gateway.call("GET", ME, token=key["key"], headers=headers)
    assert (status, answer["error"]["code"]) == (403, "IP_NOT_ALLOWED")
    body = {"name": "near", "ip_whitelist": ["127.0.0.0/8", "::1"]}
    _, key = await gateway.call("POST", "/api/v1/api-keys", token=token, json=body)
    status, _ = await gateway.call("GET", ME, token=key["key"])
    assert status == 200


async def test_no_secret_is_in_the_store(exchange: Exchange) -> None:
    """Neither passwords nor keys nor tokens can be found in any key or value of the store."""
    async with open_gateway(exchange) as gateway:
        headers = {"Idempotency-Key": "register-canary"}
        body = {
            "email": "canary@example.com", "username": "canary", "password": "canary-password-1",
            "tos_accepted": True, "privacy_policy_accepted": True,
        }  # fmt: skip
        status, session = await gateway.call("POST", "/auth/register", json=body, headers=headers)
        assert status == 201
        token = session["access_token"]
        headers = {"Idempotency-Key": "key-canary"}
        status, key = await gateway.call(
            "POST", "/api/v1/api-keys", token=token, json={"name": "canary"}, headers=headers
        )
        assert status == 201
        secrets = [session["access_token"], session["refresh_token"], key["key"]]
        secrets.append("canary-password-1")
        client: Any = gateway.deps.redis
        contents = b""
        async for name in client.scan_iter():
            contents += name + (await client.dump(name) or b"")
            if await client.type(name) == b"hash":
                contents += repr(await client.hgetall(name)).encode()
        for secret in secrets:
            assert secret.encode() not in contents


async def test_idempotent_order_repeated_anywhere_is_placed_once(exchange: Exchange) -> None:
    """Concurrent and later repetitions on two gateways get the first outcome, byte for byte."""
    async with open_gateway(exchange) as one, open_gateway(exchange, name="gateway.1") as two:
        token = (await one.register())["access_token"]
        path = f"{EXCHANGE}/vaix/orders"
        body = {"side": "buy", "quantity": "10", "price": "0.001"}
        headers = {"Idempotency-Key": "once"}
        answers = await asyncio.gather(
            *(
                gateway.call("POST", path, token=token, json=body, headers=headers)
                for gateway in (one, two, one, two, one)
            )
        )
        assert all(answer == answers[0] for answer in answers)
        assert answers[0][0] == 200
        _, found = await two.call("GET", f"{path}/open", token=token)
        assert len(found["orders"]) == 1
        other = body | {"quantity": "11"}
        status, answer = await one.call("POST", path, token=token, json=other, headers=headers)
        assert (status, answer["error"]["code"]) == (409, "IDEMPOTENCY_MISMATCH")


async def test_idempotent_order_after_a_crash_between_acting_and_remembering(
    exchange: Exchange,
) -> None:
    """Where the outcome was not written, the next runner gets it from the engine by the same id."""
    async with open_gateway(exchange, idempotency_lease_s=0.2) as gateway:
        token = (await gateway.register())["access_token"]
        path = f"{EXCHANGE}/vaix/orders"
        body = {"side": "buy", "quantity": "10", "price": "0.001"}
        headers = {"Idempotency-Key": "crash"}
        _, first = await gateway.call("POST", path, token=token, json=body, headers=headers)
        client: Any = gateway.deps.redis
        async for name in client.scan_iter("tandem:idem:*"):
            await client.hdel(name, "outcome")
        _, second = await gateway.call("POST", path, token=token, json=body, headers=headers)
        assert second["order_id"] == first["order_id"]
        _, found = await gateway.call("GET", f"{path}/open", token=token)
        assert len(found["orders"]) == 1


async def test_idempotent_refusals_and_registrations_repeat(gateway: Gateway) -> None:
    """A refusal is an outcome too; a registration gives the same tokens again."""
    token = (await gateway.register())["access_token"]
    headers = {"Idempotency-Key": "poor"}
    body = {"side": "buy", "quantity": "99999999", "price": "1"}
    path = f"{EXCHANGE}/vaix/orders"
    answers = [
        await gateway.call("POST", path, token=token, json=body, headers=headers) for _ in range(2)
    ]
    assert answers[0][1]["error"] == answers[1][1]["error"]
    assert answers[0][1]["error"]["code"] == "INSUFFICIENT_FUNDS"
    body = {
        "email": "again@example.com", "username": "again", "password": PASSWORD,
        "tos_accepted": True, "privacy_policy_accepted": True,
    }  # fmt: skip
    answers = [
        await gateway.call("POST", "/auth/register", json=body, headers=headers) for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 201


LIMITS = LimitSettings(
    public_ip=Rate(5, 60),
    register_ip=Rate(1000, 60),
    tiers={
        "standard": Tier(
            user=Rate(4, 60),
            cancelling=Rate(50, 60),
            placing=Rate(6, 60),
            placing_pair=Rate(4, 1),
        )
    },
)


async def test_limits_are_counted_exactly_across_gateways(exchange: Exchange) -> None:
    """Two gateways together let exactly the limit through, and say how it stands."""
    async with (
        open_gateway(exchange, LIMITS) as one,
        open_gateway(exchange, LIMITS, name="gateway.1") as two,
    ):
        path = f"{EXCHANGE}/time"
        answers = await asyncio.gather(*(gateway.call("GET", path) for gateway in (one, two) * 10))
        assert sorted(status for status, _ in answers) == [200] * 5 + [429] * 15
        status, answer = await one.call("GET", path)
        assert (status, answer["error"]["code"]) == (429, "RATE_LIMITED")
        assert int(one.last_headers["Retry-After"]) >= 1
        assert one.last_headers["X-RateLimit-Limit"] == "5"
        assert one.last_headers["X-RateLimit-Remaining"] == "0"


async def test_cancel_is_never_refused_by_a_placing_limit(exchange: Exchange) -> None:
    """When placing is used up, for the second and the minute, cancels still go through."""
    async with open_gateway(exchange, LIMITS) as gateway:
        token = (await gateway.register())["access_token"]
        placed, refused = [], 0
        for _ in range(12):
            status, order = await gateway.order(token, side="buy", quantity="1", price="0.001")
            if status == 200:
                placed.append(order["id"])
            else:
                assert (status, order["error"]["code"]) == (429, "RATE_LIMITED")
                refused += 1
        assert len(placed) <= 6
        assert refused
        for order_id in placed:
            path = f"{EXCHANGE}/vaix/orders/{order_id}"
            status, _ = await gateway.call("DELETE", path, token=token)
            assert status == 200


async def test_simulation_mode_switched_on_one_gateway_holds_on_the_next(
    exchange: Exchange,
) -> None:
    """After the answer no gateway remembers the old mode."""
    async with open_gateway(exchange) as one, open_gateway(exchange, name="gateway.1") as two:
        token = (await one.register())["access_token"]
        await two.call("GET", ME, token=token)
        body = {"simulation_mode": False}
        status, _ = await one.call("PATCH", "/api/v1/account", token=token, json=body)
        assert status == 200
        _, shown = await two.call("GET", ME, token=token)
        assert shown["user"]["simulation_mode"] is False
