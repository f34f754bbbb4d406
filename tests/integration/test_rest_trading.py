"""Trading over REST, on real pairs, shards and a real store, in one process."""

from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest

from tests.gateways import Gateway

EXCHANGE = "/api/v1/exchange"
PATH = f"{EXCHANGE}/vaix"


async def open_account(gateway: Gateway) -> str:
    """Register; returns the access token."""
    return str((await gateway.register())["access_token"])


async def test_trader_from_registration_to_balance_gets_every_step(gateway: Gateway) -> None:
    """Register, list, place, look, cancel, and see the money."""
    token = await open_account(gateway)
    status, pairs = await gateway.call("GET", f"{EXCHANGE}/pairs")
    assert status == 200
    assert [pair["symbol"] for pair in pairs["pairs"]] == ["vaix", "btc"]
    status, order = await gateway.order(token, side="buy", quantity="1000", price="0.0005")
    assert (status, order["status"], order["mode"]) == (200, "open", "paper")
    assert order["price"] == "0.000500"
    status, balance = await gateway.call("GET", f"{PATH}/balance", token=token)
    assert status == 200
    assert balance["quote"]["locked"] == "0.5"
    assert balance["quote"]["total"] == "100000"
    status, ended = await gateway.call("DELETE", f"{PATH}/orders/{order['id']}", token=token)
    assert (status, ended["status"]) == (200, "canceled")
    status, again = await gateway.call("DELETE", f"{PATH}/orders/{order['id']}", token=token)
    assert (status, again["error"]["code"]) == (409, "ORDER_CLOSED")
    assert again["error"]["details"]["order"]["status"] == "canceled"
    status, balance = await gateway.call("GET", f"{PATH}/balance", token=token)
    assert balance["quote"]["locked"] == "0"


async def test_two_traders_crossing_see_the_same_trade(gateway: Gateway) -> None:
    """A fill shows in both histories, both trade lists, the tape, and both balances."""
    maker, taker = await open_account(gateway), await open_account(gateway)
    # What other tests of this exchange left on offer below must not be in the way.
    sweeper = await open_account(gateway)
    cheap = {"side": "buy", "quantity": "1000000", "price": "0.003999", "order_type": "ioc"}
    await gateway.order(sweeper, **cheap)
    _, resting = await gateway.order(maker, side="sell", quantity="500", price="0.004")
    _, taking = await gateway.order(taker, side="buy", quantity="200", price="0.004")
    assert (taking["status"], taking["average_price"]) == ("filled", "0.00400000")
    assert taking["fee_total"] == "0.0008"
    trade = taking["fills"][0]["trade_id"]
    for token, role, side in ((maker, "maker", "sell"), (taker, "taker", "buy")):
        status, mine = await gateway.call("GET", f"{PATH}/trades/mine", token=token)
        assert status == 200
        found = [(row["trade_id"], row["role"], row["side"]) for row in mine["trades"]]
        assert found == [(trade, role, side)]
    status, shown = await gateway.call("GET", f"{PATH}/orders/{resting['id']}", token=maker)
    assert (status, shown["status"], len(shown["fills"])) == (200, "partially_filled", 1)
    status, past = await gateway.call("GET", f"{PATH}/orders/history", token=taker)
    assert (status, past["total"], past["has_more"]) == (200, 1, False)
    assert past["orders"][0]["id"] == taking["id"]
    status, balance = await gateway.call("GET", f"{PATH}/balance", token=taker)
    assert balance["base"]["available"] == "30000200"
    assert balance["quote"]["available"] == "99999.1992"


async def test_orders_of_somebody_else_are_not_found(gateway: Gateway) -> None:
    """A foreign order looks like none: shown, cancelled or amended."""
    owner, other = await open_account(gateway), await open_account(gateway)
    _, order = await gateway.order(owner, side="buy", quantity="10", price="0.001")
    path = f"{PATH}/orders/{order['id']}"
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"quantity": "5"})):
        status, answer = await gateway.call(method, path, token=other, json=body)
        assert (status, answer["error"]["code"]) == (404, "ORDER_NOT_FOUND")


@pytest.mark.parametrize(
    "order_id",
    ["1", "ord_vaix_p_0", "ord_vaix_p_01", "ord_vaix_x_1", "ord_btc_p_1", "ord_vaix_p_-1",
     "ord_vaix_p_%D9%A3", "trd_vaix_p_1", "ord_vaix_p_9999999999999999999999", "ord__p_1"],
)  # fmt: skip
async def test_order_id_that_is_not_one_is_not_found(gateway: Gateway, order_id: str) -> None:
    """A malformed or foreign id is 404, never 500."""
    token = await open_account(gateway)
    status, answer = await gateway.call("GET", f"{PATH}/orders/{order_id}", token=token)
    assert (status, answer["error"]["code"]) == (404, "ORDER_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{PATH}/orders/batch"),
        ("DELETE", f"{PATH}/orders/history"),
        ("DELETE", f"{PATH}/orders/open"),
        ("PUT", f"{PATH}/orders/ord_1"),
    ],
)
async def test_fixed_path_is_no_order_id_whatever_the_method(
    gateway: Gateway, method: str, path: str
) -> None:
    """A path that takes other methods says so, and never looks for an order of its name."""
    status, body = await gateway.call(method, path, token=await open_account(gateway))
    assert (status, body["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")


async def test_amend_over_three_paths_changes_the_order(gateway: Gateway) -> None:
    """By symbol and id, by id alone, and in a batch."""
    token = await open_account(gateway)
    _, order = await gateway.order(token, side="buy", quantity="100", price="0.001")
    path = f"{PATH}/orders/{order['id']}"
    status, amended = await gateway.call("PATCH", path, token=token, json={"quantity": "50"})
    assert (status, amended["quantity"]) == (200, "50")
    path = f"/api/v1/clob/orders/{order['id']}"
    status, amended = await gateway.call("PATCH", path, token=token, json={"price": "0.002"})
    assert (status, amended["price"]) == (200, "0.002000")
    items = [{"order_id": order["id"], "price": "0.0025"}, {"order_id": "ord_vaix_p_99"}]
    path = f"{PATH}/orders/batch"
    status, result = await gateway.call("PATCH", path, token=token, json=items)
    assert (status, result["successful"], result["failed"]) == (200, 1, 1)
    assert result["results"][0]["order"]["price"] == "0.002500"
    assert result["results"][1]["error"]["code"] == "NOTHING_TO_AMEND"


async def test_batch_with_bad_items_places_the_good_ones(gateway: Gateway) -> None:
    """Each item stands alone; a bare array is accepted; a body on DELETE is read."""
    token = await open_account(gateway)
    items: list[Any] = [
        {"side": "buy", "quantity": "10", "price": "0.001"},
        {"side": "buy", "quantity": "1.5", "price": "0.001"},
        {"side": "hold", "quantity": "10"},
        7,
        {"side": "buy", "quantity": "99999999999", "price": "1"},
    ]
    path = f"{PATH}/orders/batch"
    status, result = await gateway.call("POST", path, token=token, json=items)
    assert (status, result["total"], result["successful"], result["failed"]) == (200, 5, 1, 4)
    codes = [row["error"] and row["error"]["code"] for row in result["results"]]
    assert codes == [
        None, "QUANTITY_OFF_LOT", "VALIDATION_ERROR", "VALIDATION_ERROR", "INSUFFICIENT_FUNDS",
    ]  # fmt: skip
    placed = result["results"][0]["order_id"]
    body = {"order_ids": [placed, "nonsense"]}
    status, result = await gateway.call("DELETE", path, token=token, json=body)
    assert (status, result["successful"], result["failed"]) == (200, 1, 1)
    status, answer = await gateway.call("POST", path, token=token, json={"orders": items * 3})
    assert (status, answer["error"]["code"]) == (422, "VALIDATION_ERROR")


async def test_twap_and_scale_from_placing_to_cancel_are_shown(gateway: Gateway) -> None:
    """Both parents are placed, listed and ended; a scale's sizes add up."""
    token = await open_account(gateway)
    body = {"side": "buy", "quantity": "1000", "duration_minutes": 10, "num_slices": 10}
    status, twap = await gateway.call("POST", f"{PATH}/twap", token=token, json=body)
    assert (status, twap["status"], twap["num_slices"]) == (200, "active", 10)
    status, active = await gateway.call("GET", f"{PATH}/twap", token=token)
    assert [row["twap_id"] for row in active["twaps"]] == [twap["twap_id"]]
    path = f"{PATH}/twap/{twap['twap_id']}"
    status, ended = await gateway.call("DELETE", path, token=token)
    assert (status, ended["status"]) == (200, "canceled")
    status, answer = await gateway.call("DELETE", path, token=token)
    assert (status, answer["error"]["code"]) == (409, "TWAP_CLOSED")
    body = {"side": "buy", "quantity": "1003", "min_price": "0.001", "max_price": "0.002"}
    status, scale = await gateway.call("POST", f"{PATH}/scale", token=token, json=body)
    assert status == 200
    assert sum(int(order["quantity"]) for order in scale["orders"]) == 1003
    assert {order["parent_id"] for order in scale["orders"]} == {scale["scale_id"]}
    status, gone = await gateway.call("DELETE", f"{EXCHANGE}/orders/all", token=token)
    assert (status, gone["cancelled"]) == (200, 10)


async def test_history_after_many_cancels_pages_and_is_complete(gateway: Gateway) -> None:
    """What a reply has shown closed is in the history at once, newest first, page by page."""
    token = await open_account(gateway)
    for _ in range(7):
        _, order = await gateway.order(token, side="buy", quantity="1", price="0.001")
        await gateway.call("DELETE", f"{PATH}/orders/{order['id']}", token=token)
    path = f"{PATH}/orders/history?limit=3&offset=6"
    status, page = await gateway.call("GET", path, token=token)
    assert (status, page["total"], page["has_more"], len(page["orders"])) == (200, 7, False, 1)
    status, page = await gateway.call("GET", f"{PATH}/orders/history?limit=3", token=token)
    assert page["has_more"]
    assert page["orders"][0]["id"] == order["id"]


@pytest.mark.parametrize("symbol", ["vaix", "VAIX", "VAIX%2FUSDC", "vaix-usdc", "Vaix/usdc"])
async def test_symbol_in_every_form_names_the_pair(gateway: Gateway, symbol: str) -> None:
    """The contract's four forms, and a slash that nobody encoded."""
    from yarl import URL

    url = URL(f"{EXCHANGE}/{symbol}/bbo", encoded=True)
    async with gateway.client.get(url) as response:
        assert response.status == 200
        assert (await response.json())["symbol"] == "vaix"


@pytest.mark.parametrize("path", ["bbo", "book", "orders", "stats"])
async def test_symbol_that_is_not_listed_is_not_found(gateway: Gateway, path: str) -> None:
    """An unknown symbol is 404 with its own code."""
    token = await open_account(gateway)
    status, answer = await gateway.call("GET", f"{EXCHANGE}/doge/{path}", token=token)
    assert (status, answer["error"]["code"]) == (404, "UNKNOWN_SYMBOL")


async def test_public_routes_each_answer_as_documented(gateway: Gateway) -> None:
    """Every public read answers 200 in its documented shape (the client checks it)."""
    token = await open_account(gateway)
    await gateway.order(token, side="buy", quantity="10", price="0.001")
    await gateway.order(token, side="sell", quantity="10", price="0.002")
    for path in (
        "/pairs", "/markets", "/time", "/metrics", "/fee-schedule", "/vaix/stats", "/vaix/chart",
        "/vaix/venues", "/vaix/book", "/vaix/book/hybrid", "/vaix/bbo", "/vaix/trades",
        "/vaix/ticker",
    ):  # fmt: skip
        status, _ = await gateway.call("GET", EXCHANGE + path)
        assert status == 200, path
    for path in ("/health", "/ready", "/openapi.json", "/docs", "/metrics"):
        status, _ = await gateway.call("GET", path)
        assert status == 200, path


async def test_private_reads_each_answer_as_documented(gateway: Gateway) -> None:
    """Every private read answers 200 in its documented shape."""
    token = await open_account(gateway)
    for path in (
        f"{EXCHANGE}/my-fees", f"{EXCHANGE}/sub-accounts", f"{PATH}/orders", f"{PATH}/orders/open",
        f"{PATH}/twap", "/api/v1/account", "/api/v1/account/balances", "/api/v1/api-keys",
        "/auth/me", "/api/v1/clob/preflight/vaix",
    ):  # fmt: skip
        status, _ = await gateway.call("GET", path, token=token)
        assert status == 200, path
        status, answer = await gateway.call("GET", path)
        assert (status, answer["error"]["code"]) == (401, "UNAUTHENTICATED"), path
        assert gateway.last_headers["WWW-Authenticate"] == "Bearer"


async def test_market_order_without_liquidity_is_canceled_not_an_error(gateway: Gateway) -> None:
    """A market order that finds nothing is 200 with its reason."""
    token = await open_account(gateway)
    status, order = await gateway.order(token, "btc", side="buy", quantity="1", order_type="market")
    assert (status, order["status"], order["reason"]) == (200, "canceled", "NO_LIQUIDITY")


async def test_order_refused_for_funds_is_400_and_in_the_history(gateway: Gateway) -> None:
    """A business refusal has its own code, says what there is, and leaves a rejected line."""
    token = await open_account(gateway)
    await gateway.order(token, side="buy", quantity="1000", price="0.001")
    status, answer = await gateway.order(token, side="buy", quantity="99999999", price="1")
    assert (status, answer["error"]["code"]) == (400, "INSUFFICIENT_FUNDS")
    left = {"asset": "USDC", "available": "99999"}
    assert left.items() <= answer["error"]["details"].items()
    assert answer["error"]["message"].endswith("its fee: 99999 USDC available")
    status, past = await gateway.call("GET", f"{PATH}/orders/history", token=token)
    assert [order["status"] for order in past["orders"]] == ["rejected"]
    await gateway.call("DELETE", f"{PATH}/orders", token=token)


async def test_live_order_on_a_paper_exchange_is_refused(gateway: Gateway) -> None:
    """A live account cannot trade live where live is not enabled; paper is one field away."""
    token = await open_account(gateway)
    body = {"simulation_mode": False}
    status, account = await gateway.call("PATCH", "/api/v1/account", token=token, json=body)
    assert (status, account["simulation_mode"]) == (200, False)
    status, answer = await gateway.order(token, side="buy", quantity="5", price="0.001")
    assert (status, answer["error"]["code"]) == (409, "LIVE_NOT_ENABLED")
    status, order = await gateway.order(token, side="buy", quantity="5", price="0.001", paper=True)
    assert (status, order["mode"]) == (200, "paper")
    status, found = await gateway.call("GET", f"{PATH}/orders/open?mode=live", token=token)
    assert found["orders"] == []
    status, found = await gateway.call("GET", f"{PATH}/orders/open?mode=paper", token=token)
    assert len(found["orders"]) == 1


async def test_withdrawal_without_custody_is_a_conflict_after_its_checks(gateway: Gateway) -> None:
    """Validation and permission come first, then LIVE_NOT_ENABLED."""
    token = await open_account(gateway)
    body = {"amount": "1", "destination": "0x" + "ab" * 20}
    status, answer = await gateway.call("POST", f"{PATH}/withdraw", token=token, json=body)
    assert (status, answer["error"]["code"]) == (409, "LIVE_NOT_ENABLED")
    body["amount"] = "-1"
    status, answer = await gateway.call("POST", f"{PATH}/withdraw", token=token, json=body)
    assert (status, answer["error"]["code"]) == (422, "VALIDATION_ERROR")
    body = {"name": "trader", "permissions": {"trade": True}}
    _, key = await gateway.call("POST", "/api/v1/api-keys", token=token, json=body)
    body = {"amount": "1", "destination_address": "0x" + "ab" * 20}
    status, answer = await gateway.call("POST", f"{PATH}/withdraw", token=key["key"], json=body)
    assert (status, answer["error"]["code"]) == (403, "PERMISSION_DENIED")


async def test_paper_reset_with_open_orders_brings_the_grant_back(gateway: Gateway) -> None:
    """Orders on every pair are cancelled first, then balances are the listing's again."""
    token = await open_account(gateway)
    await gateway.order(token, side="buy", quantity="1000", price="0.003")
    await gateway.order(token, "btc", side="sell", quantity="0.5", price="90000")
    _, ioc = await gateway.order(token, side="sell", quantity="1000", order_type="market")
    assert ioc["status"] == "filled" or ioc["status"] == "canceled"
    path = "/api/v1/account/paper/reset"
    status, reset = await gateway.call("POST", path, token=token)
    assert status == 200, reset
    funds = {row["asset"]: (row["available"], row["locked"]) for row in reset["balances"]}
    assert funds == {"USDC": ("100000", "0"), "VAIX": ("30000000", "0"), "BTC": ("2", "0")}


async def test_sub_account_gets_and_returns_funds(gateway: Gateway) -> None:
    """Transfers go out and back; foreign sub-accounts and unknown assets are refused."""
    token, other = await open_account(gateway), await open_account(gateway)
    path = f"{EXCHANGE}/sub-accounts"
    status, sub = await gateway.call("POST", path, token=token, json={"label": "desk"})
    assert status == 201
    sub_id = sub["sub_account_id"]
    body = {"to_sub_account_id": sub_id, "amount": "250.5", "currency": "USDC"}
    status, sent = await gateway.call("POST", f"{path}/transfer", token=token, json=body)
    assert (status, sent["mode"]) == (200, "paper")

    async def funds() -> str:
        _, listed = await gateway.call("GET", path, token=token)
        rows = listed["sub_accounts"][0]["balances"]
        return str(next(r["total"] for r in rows if (r["asset"], r["mode"]) == ("USDC", "paper")))

    assert await funds() == "250.5"
    status, answer = await gateway.call("POST", f"{path}/transfer", token=other, json=body)
    assert (status, answer["error"]["code"]) == (404, "SUB_ACCOUNT_NOT_FOUND")
    body = {"from_sub_account_id": sub_id, "amount": "300", "currency": "usdc"}
    status, answer = await gateway.call("POST", f"{path}/transfer", token=token, json=body)
    assert (status, answer["error"]["code"]) == (400, "INSUFFICIENT_FUNDS")


async def test_dead_mans_switch_is_armed_beaten_and_disarmed(gateway: Gateway) -> None:
    """Heartbeats move the deadline; without an armed switch they are a conflict."""
    token = await open_account(gateway)
    path = f"{EXCHANGE}/dead-mans-switch"
    status, armed = await gateway.call("POST", path, token=token)
    assert (status, armed["active"], armed["timeout_ms"]) == (200, True, 60_000)
    status, beaten = await gateway.call("POST", f"{path}/heartbeat", token=token)
    assert (status, beaten["timeout_ms"]) == (200, 60_000)
    assert beaten["expires_at"] >= armed["expires_at"]
    status, gone = await gateway.call("DELETE", path, token=token)
    assert (status, gone["active"]) == (200, False)
    status, answer = await gateway.call("POST", f"{path}/heartbeat", token=token)
    assert (status, answer["error"]["code"]) == (409, "DEAD_MANS_SWITCH_INACTIVE")


async def test_proceeds_of_one_pair_are_spent_in_another_at_once(gateway: Gateway) -> None:
    """Taker and maker alike: a fill that was shown is money, whichever pair it is spent in."""
    buyer, seller = await open_account(gateway), await open_account(gateway)
    deal = {"quantity": "1000000", "price": "0.002"}

    async def spend(amount: Decimal) -> Decimal:
        """Bid that much for BTC; returns what the order left."""
        quantity = (amount / Decimal("1.001")).quantize(Decimal("0.0001"), ROUND_DOWN)
        status, order = await gateway.order(
            seller, "btc", side="buy", quantity=str(quantity), price="1.00"
        )
        assert status == 200, order
        return amount - quantity

    left, sold = await spend(Decimal(100_000)), ""
    for turn in range(12):
        sides = ("buy", "sell") if turn % 2 else ("sell", "buy")
        for side in sides:
            status, order = await gateway.order(
                seller if side == "sell" else buyer, side=side, **deal
            )
            assert status == 200, order
            sold = order["id"] if side == "sell" else sold
        status, order = await gateway.call("GET", f"{PATH}/orders/{sold}", token=seller)
        assert (status, order["status"]) == (200, "filled")
        fee = Decimal(2) if turn % 2 else Decimal(0)
        left = await spend(left + 2_000 - fee)
