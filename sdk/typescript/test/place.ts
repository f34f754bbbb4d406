/**
 * Place orders one by one, for a test in Python that loses some of the answers: prints `next` and
 * waits for a line before each, and prints the orders' ids at the end.
 */

import { createInterface } from "node:readline/promises";
import { EventTrader } from "@tandem/event-trader";

const [, , baseUrl = "", apiKey = "", count = ""] = process.argv;
const client = new EventTrader({ baseUrl, apiKey, maxRetries: 5 });
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const placed: string[] = [];
for (let at = 0; at < Number(count); at++) {
  console.log("next");
  await lines.next();
  const order = { symbol: "vaix", side: "buy", quantity: 1000 + at, price: "0.001" } as const;
  placed.push((await client.clob.placeOrder(order)).order_id);
}
console.log("next");
await lines.next();
const ended = await client.clob.cancelOrder("vaix", placed[0] ?? "");
console.log(JSON.stringify({ placed, ended: ended.status }));
process.exit(0);
