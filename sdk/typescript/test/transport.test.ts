/** Retries, sessions and errors, against servers that misbehave on demand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConnectionFailedError,
  EventTrader,
  InsufficientFundsError,
  NotTandemError,
  RecoveringError,
  ServerTooOldError,
} from "@tandem/event-trader";
import { json, refuse, serve } from "./servers.js";

const ORDER = { symbol: "vaix", side: "buy", quantity: "1000", price: "0.003" } as const;

test("a refused order is sent once, and its error says everything", async (t) => {
  const { url, seen } = await serve(t, (_, response) =>
    refuse(response, 400, "INSUFFICIENT_FUNDS"),
  );
  const client = new EventTrader({ baseUrl: url });
  await assert.rejects(client.clob.placeOrder(ORDER), (error) => {
    assert(error instanceof InsufficientFundsError);
    assert.equal(error.requestId, "req_7");
    assert.equal(error.tries, 1);
    assert.deepEqual(error.details, { a: 1 });
    assert.match(error.message, /What to do: see client\.clob\.balance\(\)/);
    return true;
  });
  assert.equal(seen.length, 1);
});

test("an order that times out is sent again with the same key", async (t) => {
  const { url, seen } = await serve(t, (_, response, count) => {
    if (count > 1) json(response, 200, { order_id: "ord_1" });
  });
  const client = new EventTrader({ baseUrl: url, timeout: 0.5 });
  assert.equal((await client.clob.placeOrder(ORDER)).order_id, "ord_1");
  assert.equal(seen.length, 2);
  assert.equal(seen[0]?.key?.length, 32);
  assert.equal(seen[0]?.key, seen[1]?.key);
  assert.equal(seen[0]?.body, seen[1]?.body);
});

test("two orders have two keys, and a caller's own key is kept", async (t) => {
  const { url, seen } = await serve(t, (_, response) => json(response, 200, {}));
  const client = new EventTrader({ baseUrl: url });
  await client.clob.placeOrder(ORDER);
  await client.clob.placeOrder(ORDER);
  await client.clob.placeOrder(ORDER, { idempotencyKey: "mine" });
  assert.notEqual(seen[0]?.key, seen[1]?.key);
  assert.equal(seen[2]?.key, "mine");
});

test("an amendment whose answer is lost is not sent again", async (t) => {
  const { url, seen } = await serve(t, (_, response) => response.destroy());
  const client = new EventTrader({ baseUrl: url });
  const amended = client.clob.amendOrder("vaix", "ord_1", { price: "0.004" });
  await assert.rejects(amended, ConnectionFailedError);
  assert.equal(seen.length, 1);
});

test("503 is tried again after Retry-After, and not when that is too long", async (t) => {
  const { url, seen } = await serve(t, (one, response, count) => {
    const wait = one.path.includes("stats") ? "3600" : "1";
    if (count > 1 && wait === "1") json(response, 200, { timestamp: "now" });
    else refuse(response, 503, "RECOVERING", { "Retry-After": wait });
  });
  const client = new EventTrader({ baseUrl: url });
  const began = performance.now();
  await client.clob.time();
  assert(performance.now() - began >= 990);
  await assert.rejects(client.clob.stats("vaix"), (error) => {
    assert(error instanceof RecoveringError);
    assert.equal(error.retryAfterS, 3600);
    return true;
  });
  assert.equal(seen.length, 3);
});

test("a session is renewed before it expires, once for all who wait", async (t) => {
  let pairs = 0;
  const { url, seen } = await serve(t, (one, response) => {
    if (!one.path.startsWith("/auth/")) return json(response, 200, { orders: [] });
    pairs++;
    const tokens = { access_token: `a${pairs}`, refresh_token: `r${pairs}`, user: {} };
    return json(response, 200, { ...tokens, expires_in: pairs === 1 ? 1e-9 : 900 });
  });
  const client = await EventTrader.fromCredentials("ada@example.com", "a password", {
    baseUrl: url,
  });
  await Promise.all([1, 2, 3].map(() => client.clob.openOrders("vaix")));
  assert.equal(pairs, 2);
  const asked = seen.filter((one) => one.path.includes("orders/open"));
  assert.deepEqual(
    asked.map((one) => one.authorization),
    Array(3).fill("Bearer a2"),
  );
  assert.equal(seen[1]?.body, JSON.stringify({ refresh_token: "r1" }));
});

test("an expired token is renewed once and the request sent again", async (t) => {
  const { url, seen } = await serve(t, (one, response) => {
    if (one.path === "/auth/login" || one.path === "/auth/refresh") {
      const token = one.path === "/auth/login" ? "old" : "new";
      const tokens = { access_token: token, refresh_token: token, expires_in: 900, user: {} };
      return json(response, 200, tokens);
    }
    if (one.authorization === "Bearer old") return refuse(response, 401, "TOKEN_EXPIRED");
    return json(response, 200, { orders: [] });
  });
  const client = await EventTrader.fromCredentials("ada", "a password", { baseUrl: url });
  assert.deepEqual(await client.clob.openOrders("vaix"), []);
  assert.deepEqual(
    seen.map((one) => one.path.split("?")[0]),
    [
      "/auth/login",
      "/api/v1/exchange/vaix/orders/open",
      "/auth/refresh",
      "/api/v1/exchange/vaix/orders/open",
    ],
  );
  assert.equal(seen[0]?.body, JSON.stringify({ username: "ada", password: "a password" }));
});

test("a server that is not Tandem, or too old, is told from one that refuses", async (t) => {
  const page = await serve(t, (_, response) => {
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end("<h1>Hello</h1>");
  });
  const stranger = new EventTrader({ baseUrl: page.url });
  await assert.rejects(stranger.clob.listPairs(), (error) => {
    assert(error instanceof NotTandemError);
    assert.match(error.message, /check baseUrl/);
    return true;
  });
  await assert.rejects(stranger.stream.bbo("vaix").next(), NotTandemError);
  const moved = await serve(t, (_, response) => {
    response.writeHead(301, { Location: "https://elsewhere.example" });
    response.end();
  });
  await assert.rejects(new EventTrader({ baseUrl: moved.url }).clob.time(), /redirects to https/);
  const old = await serve(t, (one, response) => {
    if (one.path === "/health") json(response, 200, { status: "ok", version: "0.0.9" });
    else refuse(response, 404, "NOT_FOUND");
  });
  const outdated = new EventTrader({ baseUrl: old.url });
  await assert.rejects(outdated.clob.metrics(), (error) => {
    assert(error instanceof ServerTooOldError);
    assert.match(error.message, /Tandem 0\.0\.9 .* upgrade the exchange/);
    return true;
  });
});

test("nobody there: after the last try, an error that names the URL", async () => {
  const client = new EventTrader({ baseUrl: "http://127.0.0.1:9", maxRetries: 1 });
  await assert.rejects(client.clob.time(), (error) => {
    assert(error instanceof ConnectionFailedError);
    assert.match(error.message, /127\.0\.0\.1:9.*baseUrl/);
    return true;
  });
  await assert.rejects(client.stream.book("vaix").next(), ConnectionFailedError);
});

test("a signal ends a request, its pauses, and a stream", async (t) => {
  const { url } = await serve(t, () => undefined);
  const client = new EventTrader({ baseUrl: url });
  const asked = client.clob.time({ signal: AbortSignal.timeout(50) });
  await assert.rejects(asked, { name: "TimeoutError" });
  const nobody = new EventTrader({ baseUrl: "http://127.0.0.1:9", maxRetries: 50 });
  const pausing = nobody.clob.time({ signal: AbortSignal.timeout(500) });
  await assert.rejects(pausing, { name: "TimeoutError" });
  const stream = nobody.stream.bbo("vaix", { signal: AbortSignal.timeout(50) });
  await assert.rejects(stream.next(), { name: "TimeoutError" });
});

test("options that cannot be used are refused before anything is sent", async () => {
  const wrong = [
    { baseUrl: "not a url" },
    { apiKey: "evt_ with spaces" },
    { timeout: 0 },
    { maxRetries: -1 },
  ];
  for (const options of wrong) assert.throws(() => new EventTrader(options), TypeError);
  const client = new EventTrader();
  const fraction = client.clob.placeOrder({ ...ORDER, price: 0.003 });
  await assert.rejects(fraction, /price must be a decimal string/);
  await assert.rejects(client.clob.book(""), /symbol must not be empty/);
});

test("options are sent as the API's fields", async (t) => {
  const { url, seen } = await serve(t, (_, response) => json(response, 200, {}));
  const client = new EventTrader({ baseUrl: url });
  const extra = { orderType: "stop_limit", stopPrice: 2n, timeInForceMs: 1000 } as const;
  await client.clob.placeOrder({ ...ORDER, symbol: "VAIX/USDC", ...extra });
  await client.clob.placeTwap({ ...ORDER, durationMinutes: 120, numSlices: 20 });
  assert.equal(seen[0]?.path, "/api/v1/exchange/VAIX-USDC/orders");
  assert.deepEqual(JSON.parse(seen[0]?.body ?? ""), {
    side: "buy",
    quantity: "1000",
    price: "0.003",
    order_type: "stop_limit",
    stop_price: "2",
    time_in_force_ms: 1000,
  });
  assert.equal(JSON.parse(seen[1]?.body ?? "").duration_minutes, 120);
});
