/** The client against a started exchange, whose URL is in TANDEM_URL. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthenticationError,
  EventTrader,
  InsufficientFundsError,
  InvalidCredentialsError,
  KeyInvalidError,
  NotTandemError,
  OrderClosedError,
  PriceOffTickError,
  UnknownSymbolError,
} from "@tandem/event-trader";

const baseUrl = process.env["TANDEM_URL"] ?? "http://127.0.0.1:8080";
const PASSWORD = "correct horse battery";

function newName(): string {
  return `ts${Math.random().toString(36).slice(2, 12)}`;
}

async function newTrader(): Promise<EventTrader> {
  const username = newName();
  const account = { email: `${username}@example.com`, username, password: PASSWORD };
  return await EventTrader.register(account, { baseUrl });
}

async function newClient(): Promise<EventTrader> {
  const owner = await newTrader();
  const { key } = await owner.account.createApiKey({ name: "test", trade: true });
  return new EventTrader({ apiKey: key, baseUrl });
}

test("market data reads without a key", async () => {
  const client = new EventTrader({ baseUrl });
  const pairs = await client.clob.listPairs();
  assert(pairs.some((pair) => pair.symbol.toLowerCase() === "vaix"));
  const book = await client.clob.orderbook("vaix", 30);
  assert.equal(book.hybrid, true);
  assert.equal((await client.clob.book("VAIX/USDC")).hybrid, false);
  const { candles } = await client.clob.chart("vaix", "1m", 5);
  assert(candles.length >= 1 && candles.length <= 5); // a market has as many as it is minutes old
  assert((await client.clob.venues("vaix")).venues.length > 1);
  assert.equal((await client.clob.bbo("vaix", { mode: "paper" })).symbol, "vaix");
  for (const read of [
    client.clob.markets(),
    client.clob.stats("vaix"),
    client.clob.bbo("vaix"),
    client.clob.ticker("vaix"),
    client.clob.recentTrades("vaix", 5),
    client.clob.time(),
    client.clob.feeSchedule(),
    client.clob.metrics(),
    client.system.ready(),
  ]) {
    assert.equal(typeof (await read), "object");
  }
  assert.match(await client.system.prometheus(), /^# HELP/m);
  assert.equal((await client.system.openapi())["openapi"], "3.1.0");
});

test("orders are placed, read, amended and cancelled", async () => {
  const { clob } = await newClient();
  const order = await clob.placeOrder({
    symbol: "vaix",
    side: "buy",
    quantity: "1000",
    price: "0.001",
    clientOrderId: "first",
  });
  assert.equal(order.status, "open");
  assert.equal((await clob.order("vaix", order.order_id)).client_order_id, "first");
  const amended = await clob.amendOrder("vaix", order.order_id, { quantity: "500" });
  assert.equal(amended.quantity, "500");
  assert.deepEqual(
    (await clob.openOrders("vaix")).map((one) => one.order_id),
    [order.order_id],
  );
  assert.equal((await clob.cancelOrder("vaix", order.order_id)).status, "canceled");
  await assert.rejects(clob.cancelOrder("vaix", order.order_id), OrderClosedError);
  const wanted = { side: "sell", quantity: "1000", price: "0.009" } as const;
  const made = await clob.batchPlaceOrders("vaix", [wanted, { ...wanted, price: 1n }]);
  assert.equal(made.successful, 2);
  const ids = made.results.flatMap((one) => (one.order ? [one.order.order_id] : []));
  const [orderId = ""] = ids;
  const changed = await clob.batchAmendOrders("vaix", [{ orderId, price: "0.008" }]);
  assert.equal(changed.successful, 1);
  assert.equal((await clob.batchCancelOrders("vaix", ids)).total, 2);
  const filled = await clob.placeOrder({
    symbol: "vaix",
    side: "buy",
    quantity: "1000",
    orderType: "market",
  });
  assert.equal(filled.status, "filled");
  assert((await clob.myTrades("vaix")).length >= 1);
  assert((await clob.orderHistory("vaix", { limit: 10 })).total >= 2);
  assert.equal((await clob.cancelAll("vaix", { side: "buy" })).cancelled, 0);
  assert.equal((await clob.killSwitch()).cancelled, 0);
});

test("algorithmic orders, the switch, and the account's figures", async () => {
  const { clob } = await newClient();
  const twap = await clob.placeTwap({
    symbol: "vaix",
    side: "buy",
    quantity: "50000",
    durationMinutes: 120,
    numSlices: 20,
  });
  assert.equal(twap.num_slices, 20);
  assert.equal((await clob.activeTwaps("vaix")).length, 1);
  await clob.cancelTwap("vaix", twap.twap_id);
  const scale = await clob.placeScale({
    symbol: "vaix",
    side: "buy",
    quantity: "10000",
    priceLow: "0.001",
    priceHigh: "0.002",
    numOrders: 10,
  });
  assert.equal(scale.orders.length, 10);
  assert.equal((await clob.cancelAll("vaix")).cancelled, 10);
  await clob.activateDms(60_000);
  await clob.heartbeatDms();
  await clob.deactivateDms();
  assert.equal((await clob.balance("vaix")).mode, "paper");
  assert((await clob.preflight("vaix")).pair);
  assert((await clob.myFees()).tier);
  const move = { symbol: "vaix", amount: "1", destination: `0x${"1".repeat(40)}` };
  await assert.rejects(clob.withdraw(move));
});

test("the account, its keys and sub-accounts", async () => {
  const owner = await newTrader();
  const me = await owner.account.me();
  assert.equal(me.simulation_mode, true);
  assert.equal((await owner.account.profile()).id, me.id);
  assert.equal((await owner.account.update({ simulationMode: true })).simulation_mode, true);
  assert((await owner.account.balances()).length > 0);
  await owner.account.resetPaper();
  const made = await owner.account.createApiKey({ name: "bot", trade: true, expiresInDays: 1 });
  assert.equal((await owner.account.updateApiKey(made.id, { name: "bot 2" })).name, "bot 2");
  assert.equal((await owner.account.apiKeys()).length, 1);
  await owner.account.deleteApiKey(made.id);
  const sub = await owner.account.createSubAccount("bots");
  assert.equal((await owner.account.subAccounts()).length, 1);
  const transfer = {
    amount: "10",
    currency: "USDC",
    toSubAccountId: sub.sub_account_id,
    mode: "paper",
  } as const;
  assert(await owner.account.transfer(transfer));
  assert.match(await EventTrader.createApiKey(me.email, PASSWORD, "b", { baseUrl }), /^evt_/);
  const again = await EventTrader.fromCredentials(me.username, PASSWORD, { baseUrl });
  await again.account.logout();
  await assert.rejects(again.account.me(), AuthenticationError);
});

test("refusals, wrong keys, URLs and symbols are told apart", async () => {
  const { clob } = await newClient();
  const order = { symbol: "vaix", side: "buy", quantity: "100000000", price: "0.01" } as const;
  await assert.rejects(clob.placeOrder(order), (error) => {
    assert(error instanceof InsufficientFundsError);
    assert.equal(error.tries, 1);
    assert(error.requestId);
    return true;
  });
  const offTick = clob.placeOrder({ ...order, quantity: "1000", price: "0.00300001" });
  await assert.rejects(offTick, PriceOffTickError);
  const wrongKey = new EventTrader({ apiKey: `evt_${"0".repeat(64)}`, baseUrl });
  await assert.rejects(wrongKey.clob.openOrders("vaix"), KeyInvalidError);
  await assert.rejects(wrongKey.stream.private().next(), (error) => {
    assert(error instanceof KeyInvalidError);
    assert.match(error.message, /check the key/);
    return true;
  });
  const client = new EventTrader({ baseUrl });
  await assert.rejects(client.stream.private().next(), AuthenticationError);
  await assert.rejects(client.clob.book("nope"), /listPairs/);
  await assert.rejects(client.stream.book("nope").next(), UnknownSymbolError);
  const login = EventTrader.fromCredentials("nobody@example.com", PASSWORD, { baseUrl });
  await assert.rejects(login, InvalidCredentialsError);
  const wrongPath = new EventTrader({ baseUrl: `${baseUrl}/docs` });
  await assert.rejects(wrongPath.clob.listPairs(), NotTandemError);
});

test("every public channel says its state first", async () => {
  const { stream } = new EventTrader({ baseUrl });
  const streams = {
    book: stream.book("VAIX/USDC", { hybrid: true }),
    trades: stream.trades("vaix"),
    price: stream.price("vaix"),
    bbo: stream.bbo("vaix"),
    markets: stream.markets(),
  };
  const kinds: Record<string, string | undefined> = {};
  for (const [name, one] of Object.entries(streams)) {
    kinds[name] = (await one.next()).value?.type;
    one.close();
  }
  const expected = { book: "snapshot", trades: "snapshot", price: "price", bbo: "bbo" };
  assert.deepEqual(kinds, { ...expected, markets: "markets" });
});

test("a private stream shows an order, and ends with the key", async () => {
  const owner = await newTrader();
  const made = await owner.account.createApiKey({ name: "short", trade: true });
  const client = new EventTrader({ apiKey: made.key, baseUrl });
  const stream = client.stream.private();
  assert.equal((await stream.next()).value?.type, "connected");
  const order = { symbol: "vaix", side: "buy", quantity: "1000", price: "0.001" } as const;
  const placed = await client.clob.placeOrder(order);
  for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => stream.next() }) }) {
    if (event.type === "order_update") {
      assert.equal(event.order_id, placed.order_id);
      break;
    }
  }
  await owner.account.deleteApiKey(made.id);
  await assert.rejects(
    stream.run(() => undefined),
    AuthenticationError,
  );
  await owner.clob.killSwitch();
});
